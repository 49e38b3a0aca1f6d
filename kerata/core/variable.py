"""`Variable`: state that moves between backends."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.backends.base import Backend
from kerata.backends.numpy.backend import to_array
from kerata.backends.operators import Operators
from kerata.backends.registry import ensure, load
from kerata.backends.state import operations, state
from kerata.core.names import auto_name, current_path

_NOWHERE = object()
_AGGREGATIONS = (None, "none", "mean", "sum", "only_first_replica")


class Variable(Operators):
    """A tensor with a name whose value can change.

    It holds an array of the backend that wrote it last and moves when it is read under another one.
    Its first value is drawn on the host when it is first read.

    Args:
        initializer: an array, a number, the name of an initializer, or a function
            `(shape, dtype) -> array`.
        shape: sizes; needed where `initializer` is a name or a function.
        dtype: None for `config.floatx()`, or for that of an array `initializer`.
        trainable: whether gradients are taken with respect to it.
        autocast: whether layers read it in their compute dtype.
        aggregation: how replicas are joined: "none", "mean", "sum" or "only_first_replica".
        synchronization: accepted for compatibility.
        name: the last part of its `path`.
        layout: accepted for compatibility.
        on_host: keep it in the processor's own memory (counters that Python reads every step).

    >>> v = Variable([1.0, 2.0], name="v")
    >>> v.assign_add([1.0, 1.0]).numpy().tolist()
    [2.0, 3.0]
    """

    name: str = ""
    path: str = ""
    aggregation: str | None = "none"
    synchronization: str = "auto"
    regularizer: Any = None
    constraint: Any = None
    overwrite_with_gradient: bool = False

    def __init__(
        self,
        initializer: Any,
        shape: tuple[int, ...] | None = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        aggregation: str | None = "none",
        synchronization: str = "auto",
        name: str | None = None,
        layout: Any = None,
        on_host: bool = False,
    ) -> None:
        if aggregation not in _AGGREGATIONS:
            raise ValueError(f"aggregation must be one of {_AGGREGATIONS}; got {aggregation!r}")
        name = name or auto_name(type(self).__name__)
        if not isinstance(name, str) or "/" in name:
            raise ValueError(f"Variable: name must be a string without '/'; got {name!r}")
        self.name = name
        self.path = current_path(name)
        self.aggregation = aggregation
        self.synchronization = synchronization
        self.layout = layout
        self.on_host = on_host
        self._trainable = bool(trainable)
        self._autocast = bool(autocast)
        self._home: Any = None
        self._direct_on: Any = _NOWHERE  # the backend under which the storage is the tensor
        self._storage: Any = None
        self.version = 0
        self._set_initial(initializer, shape, dtype)
        self._casts = self._autocast and dtypes.is_float(self._dtype)

    def _set_initial(self, initializer: Any, shape: Any, dtype: Any) -> None:
        if isinstance(initializer, str) or callable(initializer):
            if shape is None:
                raise ValueError(
                    f"Variable {self.path!r}: shape must be given with the initializer "
                    f"{initializer!r}"
                )
            from kerata import initializers

            self._initial: Any = initializers.drawing(
                initializer, tuple(shape), dtypes.standardize_dtype(dtype)
            )
        else:
            array = to_array(_host_value(initializer))
            if dtype is None and array.dtype.kind == "f":
                dtype = dtypes.standardize_dtype(getattr(initializer, "dtype", None))
            wanted = dtypes.standardize_dtype(dtype or array.dtype)
            array = np.array(array, dtypes.numpy_dtype(wanted))
            if shape is not None and tuple(shape) != array.shape:
                raise ValueError(
                    f"Variable {self.path!r}: the initial value has the shape {array.shape}, "
                    f"and shape is {tuple(shape)}"
                )
            shape, dtype = array.shape, wanted
            self._initial = lambda: array
        self._shape = tuple(int(s) for s in shape)
        self._dtype = dtypes.standardize_dtype(dtype)

    def __repr__(self) -> str:
        text = f"<Variable path={self.path}, shape={self._shape}, dtype={self._dtype}"
        if self._home is None:
            return f"{text}, not drawn yet>"
        return f"{text}, on {self._home.name}, value={np.array2string(self.numpy(), threshold=20)}>"

    def __getstate__(self) -> dict[str, Any]:
        unbound = {"_home": None, "_direct_on": None, "_initial": None}
        return {**vars(self), **unbound, "_storage": self.numpy()}

    def __setstate__(self, kept: dict[str, Any]) -> None:
        array = kept["_storage"]
        vars(self).update(kept, _storage=None, _direct_on=_NOWHERE, _initial=lambda: array)

    # What it is

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        return self._shape

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self._shape)

    @property
    def size(self) -> int:
        """How many elements it has."""
        return int(np.prod(self._shape))

    @property
    def dtype(self) -> str:
        """The name of the dtype it is read in: the layer's compute dtype inside its `call`."""
        return state.autocast if state.autocast and self._casts else self._dtype

    @property
    def stored_dtype(self) -> str:
        """The name of the dtype it is kept in."""
        return self._dtype

    @property
    def trainable(self) -> bool:
        """Whether gradients are taken with respect to it."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        value = bool(value)
        if value != self._trainable and self._home is not None:
            kept = self.numpy()
            self._trainable = value
            self._keep(kept, self._home)
        self._trainable = value

    def spec(self) -> tuple[tuple[int, ...], str]:
        """Shape and stored dtype."""
        return self._shape, self._dtype

    # Reading

    @property
    def value(self) -> Any:
        """The tensor, of the active backend; inside a layer's `call` in the compute dtype."""
        scope = state.scope
        if scope is not None:
            x = scope.read(self)
        else:
            x = self._storage if self._direct_on is state.backend else self.tensor()
        if state.autocast is not None and self._casts and state.autocast != self._dtype:
            return operations["cast"](x, state.autocast)
        return x

    def __kerata_value__(self) -> Any:
        return self.value

    def tensor(self) -> Any:
        """The tensor out of its own storage, moved to the active backend first."""
        if self._direct_on is state.backend:
            return self._storage
        backend = state.backend or ensure()
        if self._home is not backend and self._home is not backend.home:
            self._move(backend)
        return self._home.read(self._storage)

    def storage(self) -> Any:
        """What it holds under the active backend (torch's parameter, TensorFlow's variable)."""
        if self._direct_on is not state.backend:
            self.tensor()
        return self._storage

    def adopt(self, storage: Any, home: Any = None) -> None:
        """Hold `storage`: an array of the active backend, or with `home` one of that backend."""
        if home is not None:
            self._settle(home)
        self._storage = storage
        self.version += 1

    def _settle(self, home: Any) -> None:
        self._home = home
        self._direct_on = home if type(home).read is Backend.read else _NOWHERE
        self._initial = None

    def _move(self, backend: Any) -> None:
        if not backend.computes:
            raise RuntimeError(
                f"Variable {self.path!r} can't be read under {backend.name} outside of a scope"
            )
        value = self._initial() if self._home is None else self.numpy()
        self._keep(value, backend.home)

    def _keep(self, value: np.ndarray, home: Any) -> None:
        self._storage = home.store(value, self._trainable, self.on_host)
        self._settle(home)
        self.version += 1

    def numpy(self) -> np.ndarray:
        """A copy of the value on the host, in the stored dtype."""
        held = None if state.scope is None else state.scope.nearest(self)
        if held is not None:
            return np.asarray((state.backend or ensure()).to_numpy(held))
        if self._home is None:
            self._keep(self._initial(), load("numpy"))
        return np.asarray(self._home.to_numpy(self._home.read(self._storage)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return self.numpy() if dtype is None else self.numpy().astype(dtype)

    def __len__(self) -> int:
        if not self._shape:
            raise TypeError(f"len() of the scalar variable {self.path!r}")
        return self._shape[0]

    def __float__(self) -> float:
        return float(self.numpy())

    def __int__(self) -> int:
        return int(self.numpy())

    def __bool__(self) -> bool:
        return bool(self.numpy())

    def __index__(self) -> int:
        return self.numpy().__index__()

    __hash__ = object.__hash__

    # Writing

    def assign(self, value: Any) -> Variable:
        """Take `value`, cast to the stored dtype.

        Raises:
            ValueError: its shape is another.
        """
        if state.scope is None and (
            self._home is None or isinstance(value, (np.ndarray, float, int))
        ):
            return self._assign_from_host(value)
        backend = state.backend or ensure()
        tensor = (
            operations["cast"](value, self._dtype) if _needs_cast(value, self, backend) else value
        )
        self._check_shape(tuple(tensor.shape))
        if state.scope is not None:
            state.scope.write(self, tensor)
        else:
            self.tensor()
            self._storage = self._home.write(self._storage, tensor)
            self.version += 1
        return self

    def _assign_from_host(self, value: Any) -> Variable:
        home = (state.backend or ensure()).home
        array = to_array(_host_value(value))
        self._check_shape(array.shape)
        array = array.astype(dtypes.numpy_dtype(self._dtype), copy=False)
        if self._home is home:
            self._storage = home.write(self._storage, home.store(array, False, self.on_host))
            self.version += 1
        else:
            self._keep(array, home)
        return self

    def _check_shape(self, shape: tuple[Any, ...]) -> None:
        if shape != self._shape and tuple(shape) != self._shape:
            raise ValueError(
                f"Variable {self.path!r}: the value to assign has the shape {tuple(shape)}, "
                f"and the variable {self._shape}"
            )

    def assign_add(self, value: Any) -> Variable:
        """Add `value`."""
        backend = state.backend or ensure()
        if state.scope is not None or self._home is not backend.home:
            return self.assign(operations["add"](self, value))
        if isinstance(value, backend.tensor_types):
            if backend.dtype_of(value) != self._dtype or not _fits(value.shape, self._shape):
                return self.assign(operations["add"](self, value))
        elif type(value) is not int and (type(value) is not float or not self._casts):
            return self.assign(operations["add"](self, value))
        self._storage = backend.home.increment(self._storage, value)
        self.version += 1
        return self

    def assign_sub(self, value: Any) -> Variable:
        """Subtract `value`."""
        return self.assign(operations["subtract"](self, value))


def _fits(shape: Any, wanted: tuple[int, ...]) -> bool:
    """Whether something of `shape` can be added to `wanted` without changing that."""
    return not shape or tuple(shape) == wanted


def _host_value(value: Any) -> Any:
    if hasattr(type(value), "__kerata_value__"):
        return value.numpy()
    backend = state.backend
    if backend is not None and backend.computes and isinstance(value, backend.tensor_types):
        return backend.to_numpy(value)
    return value


def _needs_cast(value: Any, variable: Variable, backend: Any) -> bool:
    if not isinstance(value, backend.tensor_types):
        return True
    return backend.dtype_of(value) != variable.stored_dtype
