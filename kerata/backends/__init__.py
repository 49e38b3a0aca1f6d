"""The backends: choosing one, listing them, adding one (see `base.Backend` for the contract)."""

from kerata.backends.base import Backend
from kerata.backends.registry import (
    backend,
    backends,
    installed,
    load,
    register,
    set_backend,
    unregister,
    use_backend,
)

__all__ = [
    "Backend",
    "backend",
    "backends",
    "installed",
    "load",
    "register",
    "set_backend",
    "unregister",
    "use_backend",
]
