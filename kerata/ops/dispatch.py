"""From the call of an operation to the kernel or the body that runs it.

An operation is declared once, as a function with a signature and a docstring:

- `@primitive()`: it has no body, each backend has a kernel of its name;
- `@composite()`: its body is written in other operations; a backend may have a kernel all the same.

The annotations say which parameters are tensors: `Tensor`, `Tensor | None`, `Sequence[Tensor]` and
`Tree` (any nesting of tensors). These are converted on the way in: scalars, lists, NumPy arrays,
variables, other engines' tensors. Where one is symbolic the call is recorded instead of run.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeAlias

import numpy as np
import optree

from kerata.backends import dtypes
from kerata.backends.registry import ensure
from kerata.backends.state import operations, state
from kerata.ops.explain import explain

Tensor: TypeAlias = Any
Tree: TypeAlias = Any

_ABSENT: Any = object()
_KINDS = {
    "Tensor": "tensor",
    "Tensor | None": "tensor",
    "Sequence[Tensor]": "list",
    "Tree": "tree",
    "Tree | None": "tree",
}


class Op:
    """The record of one operation: what the eager, the symbolic and the exported form derive from.

    Attributes:
        name: its name in `kerata.ops` and in the tables of kernels.
        body: the composite's body; None for a primitive.
        parameters: the names of its parameters, in order.
        kinds: for each parameter "tensor", "list", "tree" or None.
        promote: None, "common" (the operands are brought to one dtype) or "float" (to one float).
        operands: the parameters that promotion is about.
        scalars: kernels take Python numbers beside a tensor.
        call: the public function.
    """

    __slots__ = (
        "body", "call", "defaults", "kinds", "name", "operands", "parameters", "promote", "scalars",
        "signature_of", "vararg",
    )  # fmt: skip

    def __init__(
        self,
        function: Callable[..., Any],
        primitive: bool,
        promote: str | None,
        operands: Sequence[str] | None,
        scalars: bool,
    ) -> None:
        code = function.__code__
        count = code.co_argcount + code.co_kwonlyargcount
        self.name = function.__name__
        self.signature_of = function
        self.body: Any = None if primitive else function
        self.vararg = bool(code.co_flags & inspect.CO_VARARGS)
        self.parameters = code.co_varnames[: count + self.vararg]
        annotations = function.__annotations__
        kinds = [_KINDS.get(annotations.get(p, "")) for p in self.parameters]
        if self.vararg and kinds[-1]:
            kinds[-1] = "list"
        self.kinds = tuple(kinds)
        plain = function.__defaults__ or ()
        first = code.co_argcount - len(plain)
        self.defaults = dict(zip(self.parameters[first : code.co_argcount], plain, strict=True))
        self.defaults.update(function.__kwdefaults__ or {})
        self.promote = promote
        names = (
            operands
            if operands is not None
            else [p for p, k in zip(self.parameters, self.kinds, strict=True) if k]
        )
        self.operands = frozenset(names)
        self.scalars = scalars
        self.call: Callable[..., Any] = function

    def __repr__(self) -> str:
        return f"<operation {self.name}>"

    def bind(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        """The arguments in the order of the parameters, defaults filled in.

        Raises:
            TypeError: as a plain Python function would.
        """
        if self.vararg or len(args) > len(self.parameters):
            return self._bind_by_signature(args, kwargs)
        values, used = list(args), 0
        for name in self.parameters[len(args) :]:
            if name in kwargs:
                values.append(kwargs[name])
                used += 1
            elif name in self.defaults:
                values.append(self.defaults[name])
            else:
                return self._bind_by_signature(args, kwargs)
        return values if used == len(kwargs) else self._bind_by_signature(args, kwargs)

    def _bind_by_signature(self, args: Sequence[Any], kwargs: dict[str, Any]) -> list[Any]:
        try:
            bound = inspect.signature(self.signature_of).bind(*args, **kwargs)
        except TypeError as error:
            raise TypeError(f"{self.name}: {error}") from None
        bound.apply_defaults()
        return [bound.arguments[p] for p in self.parameters]

    def run(self, backend: Any, values: Sequence[Any]) -> Any:
        """Run the backend's kernel, or the body, on converted arguments."""
        kernel = backend.kernels.get(self.name) or backend.body(self) or _missing(self)
        if self.vararg:
            return kernel(*values[:-1], *values[-1])
        return kernel(*values)


def is_symbolic(x: Any) -> bool:
    """Whether `x` is a symbolic tensor, whose operations are recorded instead of run."""
    return hasattr(type(x), "__kerata_record__")


def _is_tensor_like(x: Any) -> bool:
    return hasattr(type(x), "__kerata_value__") or is_symbolic(x)


def _has_tensors(x: Any, types: tuple[type, ...]) -> bool:
    if isinstance(x, (list, tuple)):
        return any(_has_tensors(v, types) for v in x)
    return isinstance(x, types) or _is_tensor_like(x)


def to_tensor(x: Any, backend: Any) -> Any:
    """`x` as a tensor of `backend`: variables are read, lists that hold tensors stacked."""
    if isinstance(x, backend.tensor_types):
        return x
    reader = getattr(type(x), "__kerata_value__", None)
    if reader is not None:
        return reader(x)
    if isinstance(x, (list, tuple)) and _has_tensors(x, backend.tensor_types):
        return operations["stack"]([to_tensor(v, backend) for v in x])
    return backend.convert(x)


@functools.cache
def _target(floating: bool, floatx: str, names: tuple[str, ...]) -> str:
    found = dtypes.promote(*names)
    if floating and (found in ("bool", "int") or dtypes.is_integer(found)):
        return floatx
    return floatx if found == "float" else dtypes.strong(found)


def _promoted(op: Op, backend: Any, values: list[Any], where: list[tuple[int, int | None]]) -> None:
    """Bring the operands, at the places `where`, to the dtype that promotion gives."""
    operands = [values[i] if j is None else values[i][j] for i, j in where]
    names = tuple(
        dtypes.WEAK[_python_type(v)] if isinstance(v, _NUMBERS) else backend.promotes_as(v)
        for v in operands
    )
    target = _target(op.promote == "float", dtypes.config.floatx(), names)
    keep = op.scalars and any(
        n == target and (not dtypes.is_float(n) or v.dtype in backend.floats)
        for n, v in zip(names, operands, strict=True)
    )
    for (i, j), value, name in zip(where, operands, names, strict=True):
        if isinstance(value, _NUMBERS):
            if keep and type(value) in (int, float):
                continue
            value = backend.convert(value, target)
        elif name != target:
            value = backend.kernels["cast"](value, target)
        if j is None:
            values[i] = value
        else:
            values[i][j] = value


_NUMBERS = (bool, int, float, complex)


def _python_type(value: Any) -> type:
    return next(t for t in _NUMBERS if isinstance(value, t))


def _find_symbolic(op: Op, values: list[Any]) -> Any:
    for value, kind in zip(values, op.kinds, strict=True):
        if kind is None:
            continue
        if kind == "tensor" and not isinstance(value, (list, tuple)):
            if is_symbolic(value):
                return value
        else:
            for leaf in optree.tree_leaves(value):
                if is_symbolic(leaf):
                    return leaf
    return None


def slow_path(op: Op, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Bind, convert and promote the arguments, then run or record the operation."""
    backend = state.backend or ensure()
    values = op.bind(args, kwargs)
    symbolic = _find_symbolic(op, values)
    if symbolic is not None:
        return type(symbolic).__kerata_record__(op, args, kwargs)
    where: list[tuple[int, int | None]] = []
    for i, kind in enumerate(op.kinds):
        value = values[i]
        if kind is None:
            continue
        if value is None:
            if kind != "tree" and op.defaults.get(op.parameters[i], _ABSENT) is not None:
                raise TypeError(f"{op.name}: {op.parameters[i]} must be a tensor; got None")
            continue
        promoted = op.promote is not None and op.parameters[i] in op.operands
        if kind == "tensor":
            if not (promoted and isinstance(value, _NUMBERS)):
                values[i] = to_tensor(value, backend)
            if promoted:
                where.append((i, None))
        elif kind == "list":
            if isinstance(value, (*backend.tensor_types, np.ndarray)):
                value = list(operations["unstack"](value))
            values[i] = [
                v if promoted and isinstance(v, _NUMBERS) else to_tensor(v, backend) for v in value
            ]
            if promoted:
                where += [(i, j) for j in range(len(values[i]))]
        else:
            values[i] = optree.tree_map(lambda v: to_tensor(v, backend), value)
    if where:
        _promoted(op, backend, values, where)
    try:
        return op.run(backend, values)
    except Exception as error:
        explain(op, backend, args, kwargs, error)
        raise


def _missing(op: Op) -> Callable[..., Any]:
    """What runs where a backend lacks a primitive's kernel."""

    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(f"The {state.backend.name} backend has no kernel for {op.name!r}")

    return refuse


def _one_tensor(op: Op) -> Callable[..., Any]:
    """Operations whose only tensor is their first argument."""
    name, body, floating = op.name, op.body or _missing(op), op.promote == "float"

    def call(x: Any = _ABSENT, /, *args: Any, **kwargs: Any) -> Any:
        backend = state.backend
        if (
            backend is not None
            and isinstance(x, backend.tensor_types)
            and (not floating or x.dtype in backend.floats)
        ):
            try:
                return (backend.kernels.get(name) or body)(x, *args, **kwargs)
            except Exception as error:
                explain(op, backend, (x, *args), kwargs, error)
                raise
        return slow_path(op, args if x is _ABSENT else (x, *args), kwargs)

    return call


def _two_tensors(op: Op) -> Callable[..., Any]:
    """Operations whose only tensors are their first two arguments."""
    name, body, scalars = op.name, op.body or _missing(op), op.scalars
    same, floating = op.promote is not None, op.promote == "float"

    def call(x1: Any = _ABSENT, x2: Any = _ABSENT, /, *args: Any, **kwargs: Any) -> Any:
        backend = state.backend
        if backend is not None and isinstance(x1, backend.tensor_types):
            if type(x2) is float or type(x2) is int:
                fast = scalars and x1.dtype in backend.floats
            else:
                if not isinstance(x2, backend.tensor_types):
                    reader = getattr(type(x2), "__kerata_value__", None)
                    x2 = x2 if reader is None else reader(x2)
                fast = (
                    isinstance(x2, backend.tensor_types)
                    and (not same or x1.dtype == x2.dtype)
                    and (not floating or x1.dtype in backend.floats)
                )
            if fast:
                try:
                    return (backend.kernels.get(name) or body)(x1, x2, *args, **kwargs)
                except Exception as error:
                    explain(op, backend, (x1, x2, *args), kwargs, error)
                    raise
        given = tuple(v for v in (x1, x2) if v is not _ABSENT)
        return slow_path(op, (*given, *args), kwargs)

    return call


def _any_tensors(op: Op) -> Callable[..., Any]:
    """Operations with tensors at other places: a quick look whether all are ready."""
    name, body, floating = op.name, op.body or _missing(op), op.promote == "float"
    listed = op.vararg or any(kind not in (None, "tensor") for kind in op.kinds)
    places = tuple((i, op.parameters[i] in op.operands) for i, kind in enumerate(op.kinds) if kind)
    promoted = op.promote is not None
    # For each number of arguments the defaults of the others, where all of them have one.
    rest = {
        n: tuple(op.defaults[p] for p in op.parameters[n:])
        for n in range(len(op.parameters) + 1)
        if all(p in op.defaults for p in op.parameters[n:])
    }

    def call(*args: Any, **kwargs: Any) -> Any:
        backend = state.backend
        if listed or backend is None or not (kwargs or len(args) in rest):
            return slow_path(op, args, kwargs)
        bound = op.bind(args, kwargs) if kwargs else args
        count, types, dtype = len(bound), backend.tensor_types, None
        for place, operand in places:
            if place >= count:
                break
            x = bound[place]
            if x is None:
                continue
            if not isinstance(x, types):
                return slow_path(op, args, kwargs)
            if promoted and operand:
                if dtype is None:
                    dtype = x.dtype
                elif x.dtype != dtype:
                    return slow_path(op, args, kwargs)
        ready = dtype is not None if promoted else bool(places)
        if not ready or (floating and dtype not in backend.floats):
            return slow_path(op, args, kwargs)
        try:
            return (backend.kernels.get(name) or body)(*bound, *rest[count])
        except Exception as error:
            explain(op, backend, args, kwargs, error)
            raise

    return call


def _declare(
    function: Callable[..., Any],
    primitive: bool,
    promote: str | None,
    operands: Sequence[str] | None,
    scalars: bool,
) -> Callable[..., Any]:
    op = Op(function, primitive, promote, operands, scalars)
    tensors = [i for i, kind in enumerate(op.kinds) if kind]
    simple = all(op.kinds[i] == "tensor" for i in tensors) and not op.vararg
    if simple and tensors == [0]:
        call = _one_tensor(op)
    elif simple and tensors == [0, 1] and len(op.operands) == 2:
        call = _two_tensors(op)
    else:
        call = _any_tensors(op)
    functools.update_wrapper(call, function)
    call.op = op  # type: ignore[attr-defined]
    op.call = call
    operations[op.name] = call
    return call


def primitive(
    *,
    promote: str | None = None,
    operands: Sequence[str] | None = None,
    scalars: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an operation that each backend has a kernel for; see `Op` for the arguments."""
    return lambda function: _declare(function, True, promote, operands, scalars)


def composite(
    *,
    promote: str | None = None,
    operands: Sequence[str] | None = None,
    scalars: bool = False,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare an operation whose body is written in other operations."""
    return lambda function: _declare(function, False, promote, operands, scalars)


def primitives() -> dict[str, Op]:
    """The operations that every backend must have a kernel for."""
    return {n: f.op for n, f in sorted(operations.items()) if f.op.body is None}


def composites() -> dict[str, Op]:
    """The operations with a body, whether or not a backend overrides them."""
    return {n: f.op for n, f in sorted(operations.items()) if f.op.body is not None}


@contextlib.contextmanager
def without_overrides() -> Iterator[None]:
    """Run composites by their bodies even where the active backend has a kernel of their name."""
    backend = state.backend or ensure()
    kernels = backend.kernels
    bodies = composites()
    backend.kernels = {n: k for n, k in kernels.items() if n not in bodies}
    try:
        yield
    finally:
        backend.kernels = kernels
