"""Objects as plain configs and back, in Keras' format.

An object is `{"module", "class_name", "config", "registered_name"}`, a function
`{"module": "builtins", "class_name": "function", "config": its name}`. Reading makes objects of the
library's public classes and of those that the program registered or passed, and of no others: a
config can't have anything else imported or run.
"""

from __future__ import annotations

import base64
import builtins
import contextlib
import importlib
import marshal
import sys
import threading
import types
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from kerata import config as settings
from kerata.backends import dtypes
from kerata.backends.state import state

T = TypeVar("T")

_objects: dict[str, Any] = {}
_names: dict[Any, str] = {}
# Where functions are looked for by their names alone.
_FUNCTION_MODULES = ("activations", "losses", "metrics", "ops")
_REMEDY = (
    "Pass it as custom_objects={{{name!r}: ...}}, or decorate it with "
    "@kerata.saving.register_keras_serializable() and import it before loading."
)


class _Local(threading.local):
    def __init__(self) -> None:
        self.scopes: list[Mapping[str, Any]] = []
        self.unsafe = False


_local = _Local()


# The registry


def register_keras_serializable(
    package: str = "Custom", name: str | None = None
) -> Callable[[T], T]:
    """A decorator that makes a class or function known to saved files, as `package>name`.

    Args:
        package: keeps equal names of different libraries apart.
        name: None for the object's own name.

    Raises:
        ValueError: a class has no `get_config`.
    """

    def register(obj: T) -> T:
        own = name or obj.__name__  # type: ignore[attr-defined]
        if isinstance(obj, type) and not hasattr(obj, "get_config"):
            raise ValueError(f"{own} can't be registered: it has no get_config() method")
        _objects[f"{package}>{own}"] = obj
        _names[obj] = f"{package}>{own}"
        return obj

    return register


def get_custom_objects() -> dict[str, Any]:
    """The registered objects by name; the dictionary itself, to be added to."""
    return _objects


def get_registered_name(obj: Any) -> str:
    """`package>name` of a registered class or function, the plain name of another."""
    return _names.get(obj) or obj.__name__


def get_registered_object(
    name: str | None,
    custom_objects: Mapping[str, Any] | None = None,
    module_objects: Mapping[str, Any] | None = None,
) -> Any:
    """What stands under `name` in the scopes, `custom_objects`, the registry or `module_objects`.

    None where nothing does.
    """
    return _found((name,), custom_objects, module_objects)


def _found(
    names: tuple[str | None, ...],
    custom: Mapping[str, Any] | None,
    table: Mapping[str, Any] | None,
) -> Any:
    for known in (*reversed(_local.scopes), custom, _objects, table):
        for name in names:
            if known is not None and name in known:
                return known[name]
    return None


class CustomObjectScope:
    """Inside the `with` block, names in configs stand for these objects.

    >>> with CustomObjectScope({"twice": lambda x: x * 2}):
    ...     get_registered_object("twice")(3)
    6
    """

    def __init__(self, custom_objects: Mapping[str, Any] | None) -> None:
        self.custom_objects = dict(custom_objects or {})

    def __enter__(self) -> CustomObjectScope:
        _local.scopes.append(self.custom_objects)
        return self

    def __exit__(self, *exception: object) -> None:
        _local.scopes.pop()


# Writing


def serialize_object(obj: Any) -> Any:
    """`obj` as numbers, strings, lists and dictionaries.

    Args:
        obj: a number, string, list, tuple, dictionary, dtype, array, slice, function, or object
            with `get_config`; any nesting of these.

    Raises:
        TypeError: it holds something else.
    """
    if isinstance(obj, np.generic):
        return obj.item()
    if obj is None or isinstance(obj, (bool, int, float, str)):
        return obj
    if isinstance(obj, (list, tuple)):
        items = [serialize_object(v) for v in obj]
        return tuple(items) if isinstance(obj, tuple) else items
    if isinstance(obj, dict):
        return {k: serialize_object(v) for k, v in obj.items()}
    if isinstance(obj, np.dtype):
        return dtypes.standardize_dtype(obj)
    special = _special(obj)
    if special is not None:
        return special
    if isinstance(obj, type):
        return _named("type", _names.get(obj) or obj.__name__, public_module(obj) or "builtins")
    if hasattr(obj, "get_config"):
        return _described(obj)
    if isinstance(obj, types.FunctionType) and obj.__name__ == "<lambda>":
        return {"class_name": "__lambda__", "config": {"value": _dump(obj)}}
    if callable(obj) and hasattr(obj, "__name__"):
        return _named("function", get_registered_name(obj))
    raise TypeError(
        f"{obj!r} of the type {type(obj).__name__} can't be put into a config. "
        "Give its class get_config() and register it with "
        "@kerata.saving.register_keras_serializable()."
    )


def _special(obj: Any) -> dict[str, Any] | None:
    if isinstance(obj, bytes):
        return {"class_name": "__bytes__", "config": {"value": obj.decode("utf-8")}}
    if isinstance(obj, slice):
        parts = {"start": obj.start, "stop": obj.stop, "step": obj.step}
        return {"class_name": "__slice__", "config": serialize_object(parts)}
    if obj is ...:
        return {"class_name": "__ellipsis__", "config": {}}
    if isinstance(obj, np.ndarray):
        return _array("__numpy__", obj)
    backend = state.backend
    if backend is not None and backend.computes and isinstance(obj, backend.tensor_types):
        return _array("__tensor__", backend.to_numpy(obj))
    return None


def _array(class_name: str, array: np.ndarray) -> dict[str, Any]:
    config = {"value": array.tolist(), "dtype": dtypes.standardize_dtype(array.dtype)}
    return {"class_name": class_name, "config": config}


def _named(class_name: str, name: str, module: str = "builtins") -> dict[str, Any]:
    return {
        "module": module,
        "class_name": class_name,
        "config": name,
        "registered_name": class_name,
    }


def _described(obj: Any) -> dict[str, Any]:
    cls = type(obj)
    module = public_module(cls)
    described = {
        "module": module,
        "class_name": cls.__name__,
        "config": {k: serialize_object(v) for k, v in obj.get_config().items()},
        "registered_name": None if module else get_registered_name(cls),
    }
    if module is None and cls.__module__ not in ("builtins", "__main__"):
        described["module"] = cls.__module__
    for part in ("build_config", "compile_config"):
        getter = getattr(obj, f"get_{part}", None)
        found = getter() if getter is not None else None
        if found is not None:
            described[part] = serialize_object(found)
    return described


def public_module(cls: type) -> str | None:
    """The public namespace that exports `cls`, as `"kerata.layers"`; None for classes of others."""
    parts = cls.__module__.split(".")
    library = __name__.split(".")[0]
    if parts[0] != library:
        return None
    own = [".".join(parts[:end]) for end in range(1, len(parts) + 1)]
    others = sorted(m for m in sys.modules if m.startswith(f"{library}.") and m.count(".") == 1)
    for name in (*own, *others):
        exported = getattr(sys.modules.get(name), cls.__name__, None)
        if exported is cls and not name.startswith((f"{library}.core", f"{library}.backends")):
            return name
    return None


def _dump(function: types.FunctionType) -> tuple[str, Any, Any]:
    warnings.warn(
        f"The code of a lambda ({function.__code__.co_filename}:"
        f"{function.__code__.co_firstlineno}) goes into the config. It can be loaded only with "
        "safe_mode=False and in this version of Python. Use a registered function instead.",
        stacklevel=3,
    )
    code = base64.encodebytes(marshal.dumps(function.__code__)).decode("ascii")
    closure = tuple(c.cell_contents for c in function.__closure__ or ()) or None
    return code, function.__defaults__, closure


# Reading


def deserialize_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    table: Mapping[str, Any] | None = None,
) -> Any:
    """What `serialize_object` made the config from; whatever is no config is returned as it is.

    Args:
        config: a config, or any nesting of configs and plain values.
        custom_objects: classes and functions by the names that they have in the config.
        safe_mode: False lets code out of the config run: only for files you trust.
        table: where names without a module are looked for.

    Raises:
        TypeError: it names a class or function that is not known.
        ValueError: it holds code, and safe mode is on.
    """
    with CustomObjectScope(custom_objects), _unsafe(not safe_mode):
        return _restored(config, table)


@contextlib.contextmanager
def _unsafe(unsafe: bool) -> Iterator[None]:
    previous = _local.unsafe
    _local.unsafe = previous or unsafe
    try:
        yield
    finally:
        _local.unsafe = previous


def code_may_run() -> bool:
    """Whether the code in a config may run here: safe mode is off for this load or the process."""
    return _local.unsafe or settings.unsafe_deserialization()


def _restored(config: Any, table: Mapping[str, Any] | None = None) -> Any:
    if isinstance(config, (list, tuple)):
        items = [_restored(v) for v in config]
        return tuple(items) if isinstance(config, tuple) else items
    if not isinstance(config, dict):
        return config
    name = config.get("class_name")
    if name in _SPECIAL:
        return _SPECIAL[name](config)
    if name is None or "config" not in config:
        return {k: _restored(v) for k, v in config.items()}
    if name == "function":
        return _function(config["config"], table)
    if name == "type":
        return _type(config["config"], config.get("module"))
    return _object(config, table)


def _object(config: dict[str, Any], table: Mapping[str, Any] | None) -> Any:
    cls = _class(config, table)
    try:
        obj = cls.from_config(config["config"])
        build_config = config.get("build_config")
        if build_config and not getattr(obj, "built", False):
            obj.build_from_config(build_config)
        if config.get("compile_config"):
            obj.compile_from_config(config["compile_config"])
    except Exception as error:
        error.add_note(f"while making {cls.__name__} from the config {config['config']}")
        raise
    return obj


def _class(config: dict[str, Any], table: Mapping[str, Any] | None) -> Any:
    name, registered = config["class_name"], config.get("registered_name")
    cls = _found((registered, name), None, table) or _exported(config.get("module"), name)
    if not hasattr(cls, "from_config"):
        where = f"{config['module']}." if config.get("module") else ""
        raise TypeError(
            f"The config names the class {where}{name}, which is not known. "
            + _REMEDY.format(name=registered or name)
        )
    return cls


def _exported(module: str | None, name: str) -> Any:
    """The public class `name` of `module` ("keras…" stands for this library), or None."""
    parts = str(module).split(".")
    library = __name__.split(".")[0]
    if parts[0] not in ("keras", library):
        return None
    parts = [library, *(p for p in parts[1:] if p != "src")]
    if parts[1:2] == ["backend"]:  # such as Keras' optimizers under torch
        del parts[1:3]
    if not all(p.isidentifier() and not p.startswith("_") for p in (*parts, name)):
        return None
    for end in range(len(parts), 0, -1):
        try:
            found = getattr(importlib.import_module(".".join(parts[:end])), name, None)
        except ModuleNotFoundError as error:
            if not (error.name or "").startswith(library):
                raise
            continue
        if isinstance(found, type):
            return found
    return None


def _function(name: Any, table: Mapping[str, Any] | None) -> Any:
    found = get_registered_object(name, None, table)
    if callable(found) and not isinstance(found, type):
        return found
    if isinstance(name, str) and name.isidentifier() and not name.startswith("_"):
        library = __name__.split(".")[0]
        for module in _FUNCTION_MODULES:
            found = getattr(importlib.import_module(f"{library}.{module}"), name, None)
            if isinstance(found, types.FunctionType):
                return found
    raise TypeError(
        f"The config names the function {name!r}, which is not known. " + _REMEDY.format(name=name)
    )


def _type(name: str, module: str | None) -> Any:
    found = get_registered_object(name) or _exported(module, name)
    if found is None and name in ("bool", "int", "float", "str"):
        found = getattr(builtins, name)
    if found is None and name in dtypes.ALL:
        found = dtypes.numpy_dtype(name).type
    if found is None:
        raise TypeError(
            f"The config names the type {name!r}, which is not known. " + _REMEDY.format(name=name)
        )
    return found


def _load(config: dict[str, Any]) -> types.FunctionType:
    if not code_may_run():
        raise ValueError(
            "The config holds the code of a lambda, which could do anything. If you trust where it "
            "comes from, load it with safe_mode=False, or call "
            "kerata.config.enable_unsafe_deserialization()."
        )
    text, defaults, closure = config["config"]["value"]
    code = marshal.loads(base64.b64decode(text))
    names = {m: importlib.import_module(__name__.split(".")[0]) for m in ("keras", "kerata")}
    scope = {"__builtins__": builtins, "np": np, **names}
    cells = tuple(types.CellType(v) for v in closure or ()) or None
    arguments = None if defaults is None else tuple(_restored(defaults))
    return types.FunctionType(code, scope, code.co_name, arguments, cells)


def _numpy(config: dict[str, Any]) -> np.ndarray:
    kept = config["config"]
    return np.array(kept["value"], dtypes.numpy_dtype(dtypes.standardize_dtype(kept["dtype"])))


def _tensor(config: dict[str, Any]) -> Any:
    from kerata.ops import convert_to_tensor

    return convert_to_tensor(_numpy(config))


_SPECIAL: dict[Any, Callable[[dict[str, Any]], Any]] = {
    "__bytes__": lambda config: config["config"]["value"].encode("utf-8"),
    "__slice__": lambda config: slice(*(config["config"][p] for p in ("start", "stop", "step"))),
    "__ellipsis__": lambda config: ...,
    "__tuple__": lambda config: tuple(_restored(config["items"])),
    "__numpy__": _numpy,
    "__tensor__": _tensor,
    "__lambda__": _load,
}
