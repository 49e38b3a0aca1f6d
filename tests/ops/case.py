"""`Case`: one call of an operation, and what NumPy or SciPy says that it gives."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Sequence
from typing import Any

import ml_dtypes
import numpy as np
import optree

from kerata.backends.registry import load, using
from kerata.backends.state import operations

# How far a result may be from the reference, relative to the largest entry.
ULPS = {"bfloat16": 2.0**-7, "float16": 2.0**-9}
BFLOAT16 = np.dtype(ml_dtypes.bfloat16)


@dataclasses.dataclass(frozen=True, eq=False)
class Case:
    """One call of an operation. The arrays in `args` are its tensors.

    Attributes:
        op: the operation's name.
        args: its positional arguments.
        reference: the same function in NumPy or SciPy; it gets `args` with floats in float64.
        kwargs: its keyword arguments.
        dtype: of the result, or of each result; None for that of the first array.
        tolerance: relative to the largest entry (to each entry where `exact`).
        exact: see `tolerance`.
        grad: whether to compare gradients with central differences.
        stopped: the results through which no gradient flows.
        up_to: for results that are not unique: a function of them, in Kerata's operations, whose
            float results are compared instead.
        opens: the arrays whose first axis may be open; True for those that share the first's size.
        note: what is special, for the test's name.
    """

    op: str
    args: tuple[Any, ...]
    reference: Callable[..., Any]
    kwargs: dict[str, Any] = dataclasses.field(default_factory=dict)
    dtype: Any = None
    tolerance: float = 1e-6
    exact: bool = False
    grad: bool | None = None
    stopped: tuple[int, ...] = ()
    up_to: Callable[..., Any] | None = None
    opens: bool | tuple[int, ...] = True
    note: str = ""

    def __str__(self) -> str:
        parts = [self.op, self.note or "-".join(_short(a) for a in self.args)]
        parts += [f"{n}={_short(v)}" for n, v in self.kwargs.items()]
        return "-".join(p for p in parts if p)

    @property
    def opened(self) -> list[bool]:
        """For each array whether it gets an open first axis."""
        if isinstance(self.opens, tuple):
            return [i in self.opens for i in range(len(self.arrays))]
        sizes = [a.shape[0] if a.ndim else None for a in self.arrays]
        first = next((s for s in sizes if s is not None), None)
        return [self.opens and s is not None and s == first for s in sizes]

    @functools.cached_property
    def _flat(self) -> tuple[list[Any], Any]:
        return optree.tree_flatten((self.args, self.kwargs), none_is_leaf=True)

    @property
    def arrays(self) -> list[np.ndarray]:
        """Its tensors' values."""
        return [x for x in self._flat[0] if isinstance(x, np.ndarray)]

    def rebuilt(self, arrays: Sequence[Any]) -> Any:
        """`(args, kwargs)` with these in the places of the arrays."""
        given = iter(arrays)
        leaves = [next(given) if isinstance(x, np.ndarray) else x for x in self._flat[0]]
        return optree.tree_unflatten(self._flat[1], leaves)

    def run(self, arrays: Sequence[Any]) -> Any:
        """The operation's result for these tensors."""
        args, kwargs = self.rebuilt(arrays)
        return operations[self.op](*args, **kwargs)

    def expected(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """The reference's results for these values, floats in float64."""
        args, kwargs = self.rebuilt([wide(a) for a in arrays])
        with np.errstate(all="ignore"):
            return [np.asarray(y) for y in flat(self.reference(*args, **kwargs))]

    @functools.cached_property
    def results(self) -> list[np.ndarray]:
        """The reference's results."""
        return self.expected(self.arrays)

    def comparable(self, results: Sequence[Any]) -> list[Any]:
        """What is compared of results: themselves, or what is unique of them."""
        return list(results) if self.up_to is None else flat(self.up_to(*results))

    def wanted(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """What is compared of the reference's results for these values."""
        with using(load("numpy")):
            return self.comparable(self.expected(arrays))

    @functools.cached_property
    def compared(self) -> list[tuple[np.ndarray, str]]:
        """What is compared of the reference's results, with the dtypes."""
        if self.up_to is None:
            return list(zip(self.results, self.dtypes, strict=True))
        kind = self.dtypes[0] if self.dtypes[0] in ULPS else "float32"
        return [(y, kind) for y in self.wanted(self.arrays)]

    @property
    def dtypes(self) -> list[str]:
        """The dtype of each result."""
        if isinstance(self.dtype, tuple):
            return list(self.dtype)
        return [self.dtype or str(self.arrays[0].dtype)] * len(self.results)

    @functools.cached_property
    def differentiable(self) -> bool:
        """Whether its gradient is compared with central differences."""
        if self.grad is not None:
            return self.grad
        arrays = [a for a in self.arrays if a.dtype == np.float32]
        finite = all(np.isfinite(y).all() for y in self.results if y.dtype.kind == "f")
        return bool(arrays) and finite and "float32" in self.dtypes and any(a.size for a in arrays)

    @functools.cached_property
    def gradients(self) -> list[np.ndarray]:
        """Central differences of a weighted sum of the results with respect to each float32 array."""
        arrays = [wide(a) for a in self.arrays]
        return [
            central_differences(lambda: self._loss(arrays), arrays[i])
            for i, a in enumerate(self.arrays)
            if a.dtype == np.float32
        ]

    def _loss(self, arrays: Sequence[np.ndarray]) -> float:
        """A scalar that depends on every entry of every float result."""
        return sum(
            float(np.sum(y * weights(y.shape, i)))
            for i, y in enumerate(self.wanted(arrays))
            if self.compared[i][1] == "float32" and i not in self.stopped
        )


def _short(value: Any) -> str:
    if isinstance(value, np.ndarray):
        shape = "x".join(map(str, value.shape))
        return f"{value.dtype}[{shape}]"
    if isinstance(value, (list, tuple)):
        return ",".join(_short(v) for v in value)
    if callable(value):
        return getattr(value, "__name__", "function")
    return str(value).replace(" ", "")


def flat(tree: Any) -> list[Any]:
    """The tensors of any nesting, None left out."""
    return optree.tree_leaves(tree)


def wide(x: np.ndarray) -> np.ndarray:
    """Floats in float64, everything else as it is."""
    return x.astype(np.float64) if x.dtype.kind == "f" or x.dtype == BFLOAT16 else x


def weights(shape: tuple[int, ...], i: int) -> np.ndarray:
    """What a loss multiplies the `i`-th result with."""
    return np.random.default_rng([77, i]).uniform(0.5, 1.5, shape)


def central_differences(value: Callable[[], float], x: np.ndarray) -> np.ndarray:
    """The derivative of `value` with respect to each entry of `x`, which it reads."""
    gradient = np.zeros_like(x)
    for place in np.ndindex(x.shape):
        kept = x[place]
        step = 1e-6 * max(abs(kept), 1.0)
        x[place] = kept + step
        above = value()
        x[place] = kept - step
        gradient[place] = (above - value()) / (2 * step)
        x[place] = kept
    return gradient


def assert_close(found: Any, case: Case, i: int = 0, scale: float = 1.0) -> None:
    """Fail unless an array agrees with the reference's `i`-th result in shape and values."""
    wanted, dtype = case.compared[i]
    assert found.shape == wanted.shape, f"shape {found.shape}, expected {wanted.shape}"
    if found.dtype.kind in "biu":
        np.testing.assert_array_equal(found, wanted.astype(found.dtype))
        return
    narrow = BFLOAT16 if dtype == "bfloat16" else np.dtype(dtype)
    with np.errstate(all="ignore"):
        wanted = wide(wanted.astype(narrow))
    tolerance = max(case.tolerance, ULPS.get(dtype, 0.0)) * scale
    finite = np.abs(wanted[np.isfinite(wanted)])
    top = 0.0 if case.exact or not finite.size else float(finite.max())
    np.testing.assert_allclose(wide(found), wanted, rtol=tolerance, atol=tolerance * top)
