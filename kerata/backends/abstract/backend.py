"""`abstract`: tensors that are a shape and a dtype, for building, checking and counting.

In its strict form (`strict()`), which tests use, open sizes are `Size` objects: they can be
calculated with and passed on as shapes, and whoever compares one gets an error. A composite or a
layer that runs under it branches on no size that has to stay open.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import optree

from kerata.backends import dtypes
from kerata.backends.abstract.arrays import KERNELS as ARRAYS
from kerata.backends.abstract.control import CALLING
from kerata.backends.abstract.control import KERNELS as CONTROL
from kerata.backends.abstract.fourier import KERNELS as FOURIER
from kerata.backends.abstract.indexing import KERNELS as INDEXING
from kerata.backends.abstract.kernels import KERNELS as PLAIN
from kerata.backends.abstract.kernels import tally
from kerata.backends.abstract.linalg import KERNELS as LINALG
from kerata.backends.abstract.spatial import KERNELS as SPATIAL
from kerata.backends.abstract.tensor import STAND_INS, AbstractTensor, Size
from kerata.backends.base import Backend
from kerata.backends.numpy.backend import to_array
from kerata.backends.scope import Scope
from kerata.backends.state import state

KERNELS = {**PLAIN, **CONTROL, **INDEXING, **ARRAYS, **SPATIAL, **FOURIER, **LINALG}


class AbstractBackend(Backend):
    """Reasons about shapes and dtypes, and counts work."""

    name = "abstract"
    tensor_types = (AbstractTensor,)
    floats = frozenset(dtypes.FLOATS)
    trains = True
    computes = False

    def __init__(self) -> None:
        super().__init__()
        self.kernels = dict(KERNELS)

    def tensor(self, shape: tuple[Any, ...], dtype: str) -> AbstractTensor:
        """A tensor of that shape and dtype."""
        return AbstractTensor(shape, dtype)

    def convert(self, x: Any, dtype: str | None = None) -> AbstractTensor:
        if isinstance(x, Size):
            return AbstractTensor((), dtype or "int32")
        shape, kind = getattr(x, "shape", None), getattr(x, "dtype", None)
        if shape is None or kind is None:
            array = to_array(x)
            shape, kind = array.shape, array.dtype
        return AbstractTensor(tuple(shape), dtype or dtypes.standardize_dtype(kind))

    def to_numpy(self, x: Any) -> Any:
        raise TypeError(
            "The values of a tensor were asked for while only shapes are known: the function runs "
            "to find shapes or to be compiled. Keep values in tensors, or convert outside of it."
        )

    def dtype_of(self, x: Any) -> str:
        return str(x.dtype)

    def shape_of(self, x: Any) -> tuple[Any, ...]:
        return x.shape

    def value_and_grad(
        self, function: Callable[..., Any], variables: Any, argnums: Any
    ) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            outer = state.scope
            with Scope() as inner:
                loss, aux = function(*args, **kwargs)
            for variable, value in inner.writes():
                outer.write(variable, value)
            if variables is not None:
                for v in variables:
                    outer.read(v)
                return (loss, aux), [AbstractTensor(*v.spec()) for v in variables]
            chosen = args[argnums] if isinstance(argnums, int) else tuple(args[i] for i in argnums)
            return (loss, aux), optree.tree_map(lambda x: AbstractTensor(x.shape, x.dtype), chosen)

        return call

    def host_call(
        self, function: Callable[..., Any], args: Any, shape: Any, dtype: str
    ) -> AbstractTensor:
        # A size that follows from the values is as open as the first of the sizes.
        first = next((x.shape[0] for x in args if x.shape), STAND_INS[0])
        known = isinstance(first, int) and first not in STAND_INS
        unknown = STAND_INS[0] if known else first
        return AbstractTensor(tuple(unknown if s is None else s for s in shape), dtype)

    def repeat(self, step: Callable[[Any], Any], rows: Any) -> Any:
        return step(optree.tree_map(lambda x: AbstractTensor(x.shape[1:], x.dtype), rows))


class Counts:
    """Floating-point operations, and bytes read and written by the primitives."""

    def __init__(self) -> None:
        self.flops = 0
        self.bytes = 0


@contextlib.contextmanager
def counting() -> Iterator[Counts]:
    """Count the work of what runs under `abstract` inside a `with` block."""
    counts, previous = Counts(), tally.counts
    tally.counts = counts
    try:
        yield counts
    finally:
        tally.counts = previous


def _pick(x: Any, run: int) -> Any:
    if isinstance(x, Size):
        return x.values[run]
    if isinstance(x, AbstractTensor):
        return AbstractTensor(tuple(_pick(s, run) for s in x.shape), x.dtype)
    if isinstance(x, slice):
        return slice(*(_pick(v, run) for v in (x.start, x.stop, x.step)))
    if isinstance(x, (list, tuple)):
        return type(x)(_pick(v, run) for v in x)
    return x


def merge_shapes(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[Any, ...]:
    """Two runs' shapes as one whose differing sizes are open."""
    return tuple(a if a == b else Size(a, b) for a, b in zip(first, second, strict=True))


def _merge(first: Any, second: Any) -> Any:
    return optree.tree_map(
        lambda a, b: (
            AbstractTensor(merge_shapes(a.shape, b.shape), a.dtype)
            if isinstance(a, AbstractTensor)
            else a
        ),
        first,
        second,
    )


def _strictly(name: str, kernel: Callable[..., Any]) -> Callable[..., Any]:
    """A kernel for plain sizes as one for open sizes: run for both stand-ins and merged."""
    if name in (*CALLING, "jvp"):
        return kernel

    def run(*args: Any, **kwargs: Any) -> Any:
        results = [
            kernel(*_pick(list(args), i), **{k: _pick(v, i) for k, v in kwargs.items()})
            for i in (0, 1)
        ]
        return _merge(*results)

    return run


def strict() -> AbstractBackend:
    """An `abstract` backend in which open sizes are `Size` objects."""
    backend = AbstractBackend()
    backend.kernels = {n: _strictly(n, k) for n, k in KERNELS.items()}
    return backend


def create() -> AbstractBackend:
    """The backend; called once, by the registry."""
    return AbstractBackend()
