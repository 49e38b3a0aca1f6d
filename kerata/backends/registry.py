"""The one list of backends, and which is active."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from kerata import config
from kerata.backends.base import Backend
from kerata.backends.state import set_default, state


@dataclass(frozen=True)
class Entry:
    """How to load a backend: its factory, the modules it needs, and what installs them."""

    load: Callable[[], Backend]
    needs: tuple[str, ...]
    install: str


def _builtin(name: str) -> Callable[[], Backend]:
    def load() -> Backend:
        module = importlib.import_module(f"kerata.backends.{name}.backend")
        backend: Backend = module.create()
        return backend

    return load


_entries: dict[str, Entry] = {
    "jax": Entry(_builtin("jax"), ("jax",), "kerata[jax]"),
    "torch": Entry(_builtin("torch"), ("torch",), "kerata[torch]"),
    "tensorflow": Entry(_builtin("tensorflow"), ("tensorflow",), "kerata[tensorflow]"),
    "numpy": Entry(_builtin("numpy"), (), "kerata"),
    "openvino": Entry(_builtin("openvino"), ("openvino", "onnx"), "kerata[openvino]"),
    "onnx": Entry(_builtin("onnx"), ("onnx",), "kerata[openvino]"),
    "abstract": Entry(_builtin("abstract"), (), "kerata"),
}
# Those that turn data into results; `abstract` and `onnx` serve the library itself.
_INTERNAL = ("abstract", "onnx")
_loaded: dict[str, Backend] = {}
_lock = threading.RLock()


def register(
    name: str, load: Callable[[], Backend], needs: tuple[str, ...] = (), install: str = ""
) -> None:
    """Make a backend known under `name`; `load` is called when it is first used.

    Args:
        name: what `set_backend` and `use_backend` take.
        load: returns the `Backend`.
        needs: modules that must be importable for it to count as installed.
        install: what to hand to pip where they are not.
    """
    with _lock:
        _entries[name] = Entry(load, needs, install or name)
        _loaded.pop(name, None)


def unregister(name: str) -> None:
    """Forget a backend that `register` added."""
    with _lock:
        _entries.pop(name, None)
        _loaded.pop(name, None)


def installed(name: str) -> bool:
    """Whether the engine of backend `name` can be imported; imports nothing."""
    return all(importlib.util.find_spec(module) is not None for module in _entry(name).needs)


def backends(*, installed_only: bool = True, training: bool = False) -> list[str]:
    """Names of the backends, those that are installed unless asked otherwise.

    Args:
        installed_only: leave out those whose engine is missing.
        training: only those that can train (this loads them).
    """
    names = [n for n in _entries if n not in _INTERNAL]
    if installed_only or training:
        names = [n for n in names if installed(n)]
    return [n for n in names if load(n).trains] if training else names


def _entry(name: str) -> Entry:
    try:
        return _entries[name]
    except KeyError:
        known = [n for n in _entries if n not in _INTERNAL]
        close = difflib.get_close_matches(str(name), known, 1, 0.4)
        hint = f" Did you mean {close[0]!r}?" if close else ""
        raise ValueError(
            f"Unknown backend {name!r}; the backends are {', '.join(known)}.{hint}"
        ) from None


def load(name: str) -> Backend:
    """The backend of that name, its engine imported.

    Raises:
        ValueError: no backend has that name.
        ImportError: its engine is not installed; the message says what to install.
    """
    backend = _loaded.get(name)
    if backend is not None:
        return backend
    entry = _entry(name)
    with _lock:
        if name not in _loaded:
            missing = [m for m in entry.needs if importlib.util.find_spec(m) is None]
            if missing:
                raise ImportError(
                    f"The {name} backend needs {' and '.join(missing)}, which is not installed. "
                    f"Install it with: pip install '{entry.install}'"
                )
            _loaded[name] = entry.load()
        return _loaded[name]


def loaded() -> list[Backend]:
    """The backends that were used in this process."""
    return list(_loaded.values())


def _default_name() -> str:
    return config.default_backend() or next(
        n for n in ("jax", "torch", "tensorflow", "numpy") if installed(n)
    )


def ensure() -> Backend:
    """The active backend; on first use the default one is loaded."""
    if state.backend is None:
        set_default(load(_default_name()))
    return state.backend


def backend() -> str:
    """The name of the active backend (loads no engine)."""
    return state.backend.name if state.backend is not None else _default_name()


def set_backend(name: str) -> None:
    """Make `name` the backend of the process.

    Variables move to it when they are next read. Threads that already chose keep their own.

    Raises:
        ValueError: no backend has that name (the nearest is suggested).
        ImportError: its engine is not installed.
    """
    set_default(load(name))


@contextlib.contextmanager
def use_backend(name: str) -> Iterator[Backend]:
    """Use backend `name` inside a `with` block, in this thread."""
    with using(load(name)) as active:
        yield active


@contextlib.contextmanager
def using(active: Backend) -> Iterator[Backend]:
    """`use_backend` for a backend at hand."""
    previous, state.backend = state.backend, active
    try:
        yield active
    finally:
        state.backend = previous
