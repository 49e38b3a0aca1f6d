"""Settings of the process: default dtype, epsilon, data format, and what `fit` may print.

The defaults come from `~/.kerata/kerata.json` (folder overridden by `KERATA_HOME`) where it exists.
"""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Callable
from typing import Any

_FLOATS = ("bfloat16", "float16", "float32", "float64")
_DATA_FORMATS = ("channels_last", "channels_first")

_settings: dict[str, Any] = {
    "floatx": "float32",
    "epsilon": 1e-7,
    "image_data_format": "channels_last",
    "interactive_logging": True,
    "traceback_filtering": True,
    "unsafe_deserialization": False,
    "flash_attention": None,
    "max_epochs": None,
    "max_steps_per_epoch": None,
    "read_ahead": 2,
}


def home() -> pathlib.Path:
    """The folder of settings, caches and downloads: `KERATA_HOME`, or `~/.kerata`."""
    return pathlib.Path(os.environ.get("KERATA_HOME") or pathlib.Path.home() / ".kerata")


def _from_file() -> dict[str, Any]:
    path = home() / "kerata.json"
    try:
        found = json.loads(path.read_text())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ValueError(f"{path} is no readable JSON file of settings: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{path} must hold one JSON object, and holds {type(found).__name__}")
    return found


def floatx() -> str:
    """The default float dtype, `"float32"` unless changed."""
    return str(_settings["floatx"])


def set_floatx(value: str) -> None:
    """Set the default float dtype: `"bfloat16"`, `"float16"`, `"float32"` or `"float64"`."""
    if value not in _FLOATS:
        raise ValueError(f"set_floatx: value must be one of {', '.join(_FLOATS)}; got {value!r}")
    _settings["floatx"] = value


def epsilon() -> float:
    """The small number that guards divisions and logarithms, 1e-7 unless changed."""
    return float(_settings["epsilon"])


def set_epsilon(value: float) -> None:
    """Set the number that `epsilon()` returns."""
    _settings["epsilon"] = float(value)


def image_data_format() -> str:
    """The default layout of images: `"channels_last"` or `"channels_first"`."""
    return str(_settings["image_data_format"])


def set_image_data_format(data_format: str) -> None:
    """Set the default layout of images."""
    _settings["image_data_format"] = standardize_data_format(data_format)


def standardize_data_format(data_format: str | None) -> str:
    """`data_format` checked, or the default where it is None."""
    if data_format is None:
        return image_data_format()
    lowered = str(data_format).lower()
    if lowered not in _DATA_FORMATS:
        raise ValueError(
            f"data_format must be 'channels_last' or 'channels_first'; got {data_format!r}"
        )
    return lowered


def enable_interactive_logging() -> None:
    """Show progress bars on standard output."""
    _settings["interactive_logging"] = True


def disable_interactive_logging() -> None:
    """Write progress as log lines instead of bars."""
    _settings["interactive_logging"] = False


def is_interactive_logging_enabled() -> bool:
    """Whether progress bars are shown."""
    return bool(_settings["interactive_logging"])


def enable_traceback_filtering() -> None:
    """Fold the library's own frames out of tracebacks (the default)."""
    _settings["traceback_filtering"] = True


def disable_traceback_filtering() -> None:
    """Show every frame of a traceback."""
    _settings["traceback_filtering"] = False


def is_traceback_filtering_enabled() -> bool:
    """Whether the library's own frames are folded out of tracebacks."""
    return bool(_settings["traceback_filtering"])


def enable_unsafe_deserialization() -> None:
    """Let files with Python code (a `Lambda`'s function) be loaded: only for files you trust."""
    _settings["unsafe_deserialization"] = True


def unsafe_deserialization() -> bool:
    """Whether `enable_unsafe_deserialization` was called."""
    return bool(_settings["unsafe_deserialization"])


def enable_flash_attention() -> None:
    """Use fused attention kernels wherever they apply."""
    _settings["flash_attention"] = True


def disable_flash_attention() -> None:
    """Never use fused attention kernels."""
    _settings["flash_attention"] = False


def is_flash_attention_enabled() -> bool | None:
    """True or False as set, None where the choice is left to the operation."""
    return _settings["flash_attention"]


def read_ahead() -> int:
    """How many batches `fit` prepares in a thread while a step runs; 0 for none, and no thread."""
    return int(_settings["read_ahead"])


def set_read_ahead(batches: int) -> None:
    """Set how many batches are prepared in advance, 2 unless changed.

    With 0 a generator runs in the thread that called `fit`: for one that uses the model, or
    something that belongs to that thread, and to stop in it with a debugger.
    """
    if isinstance(batches, bool) or not isinstance(batches, int) or batches < 0:
        raise ValueError(f"set_read_ahead: batches must be an int of 0 or more; got {batches!r}")
    _settings["read_ahead"] = batches


def max_epochs() -> int | None:
    """The most epochs any `fit` runs, or None."""
    return _settings["max_epochs"]


def set_max_epochs(max_epochs: int | None) -> None:
    """Bound the epochs of every `fit`, for quick trial runs of scripts."""
    _settings["max_epochs"] = max_epochs


def max_steps_per_epoch() -> int | None:
    """The most steps an epoch of any `fit` runs, or None."""
    return _settings["max_steps_per_epoch"]


def set_max_steps_per_epoch(max_steps_per_epoch: int | None) -> None:
    """Bound the steps of every epoch, for quick trial runs of scripts."""
    _settings["max_steps_per_epoch"] = max_steps_per_epoch


def _load() -> None:
    found = _from_file()
    setters: dict[str, Callable[[Any], None]] = {
        "floatx": set_floatx,
        "epsilon": set_epsilon,
        "image_data_format": set_image_data_format,
    }
    for name, setter in setters.items():
        if name in found:
            setter(found[name])
    _settings["backend"] = found.get("backend")


def default_backend() -> str | None:
    """The backend that environment or settings file ask for, or None."""
    return (
        os.environ.get("KERATA_BACKEND")
        or os.environ.get("KERAS_BACKEND")
        or _settings.get("backend")
    )


_load()


# Settings that live with what they set, under the names that Keras has here.


def backend() -> str:
    """The name of the active backend."""
    from kerata.backends import registry

    return registry.backend()


def set_backend(backend: str) -> None:
    """As `kerata.set_backend`."""
    from kerata.backends import registry

    registry.set_backend(backend)


def dtype_policy() -> Any:
    """The global dtype policy."""
    from kerata import dtype_policies

    return dtype_policies.dtype_policy()


def set_dtype_policy(policy: Any) -> None:
    """Set the global dtype policy: a name such as "mixed_bfloat16", or a policy."""
    from kerata import dtype_policies

    dtype_policies.set_dtype_policy(policy)
