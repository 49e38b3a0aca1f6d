"""`InputSpec`: what a layer expects of its input, checked before it runs."""

from __future__ import annotations

from typing import Any

from kerata.backends import dtypes
from kerata.core.symbolic import public_size


class InputSpec:
    """What a layer expects of one input.

    Args:
        dtype: its dtype.
        shape: its sizes, None where any will do.
        ndim: its number of axes.
        max_ndim: the most axes it may have.
        min_ndim: the fewest axes it may have.
        axes: sizes of single axes, `{axis: size}`.
        allow_last_axis_squeeze: whether a last axis of size 1 may be missing or too much.
        name: its key where inputs come as a dict.
        optional: whether None is an input.
    """

    def __init__(
        self,
        dtype: Any = None,
        shape: tuple[int | None, ...] | None = None,
        ndim: int | None = None,
        max_ndim: int | None = None,
        min_ndim: int | None = None,
        axes: dict[int, int | None] | None = None,
        allow_last_axis_squeeze: bool = False,
        name: str | None = None,
        optional: bool = False,
    ) -> None:
        self.dtype = None if dtype is None else dtypes.standardize_dtype(dtype)
        self.shape = None if shape is None else tuple(shape)
        self.ndim = len(self.shape) if self.shape is not None else ndim
        self.max_ndim = max_ndim
        self.min_ndim = min_ndim
        self.axes = {int(k): v for k, v in (axes or {}).items()}
        self.allow_last_axis_squeeze = allow_last_axis_squeeze
        self.name = name
        self.optional = optional
        self._least = self.ndim if self.ndim is not None else min_ndim or 0
        self._most = self.ndim if self.ndim is not None else max_ndim or 99
        self._sizes = [(a, s) for a, s in self.axes.items() if s is not None]

    def __repr__(self) -> str:
        given = {k: v for k, v in vars(self).items() if v not in (None, {}, False)}
        return f"InputSpec({', '.join(f'{k}={v}' for k, v in given.items())})"

    def surely_fits(self, shape: Any) -> bool:
        """Whether a shape fits, found out fast: False leaves it to `fault`."""
        if self.shape is not None or not self._least <= len(shape) <= self._most:
            return False
        for axis, size in self._sizes:
            found = shape[axis]
            if found.__class__ is not int or found != size:
                return False
        return True

    def fault(self, x: Any) -> str | None:
        """What is wrong with `x`, as half a sentence; None where nothing is."""
        shape = tuple(x.shape)
        rank = len(shape)
        if self.ndim is not None and rank != self.ndim:
            squeezed = self.allow_last_axis_squeeze and (
                (rank == self.ndim + 1 and shape[-1] == 1) or rank == self.ndim - 1
            )
            if not squeezed:
                return f"expected {self.ndim} axes, found {rank}"
        if self.max_ndim is not None and rank > self.max_ndim:
            return f"expected at most {self.max_ndim} axes, found {rank}"
        if self.min_ndim is not None and rank < self.min_ndim:
            return f"expected at least {self.min_ndim} axes, found {rank}"
        for axis, size in self.axes.items():
            found = public_size(shape[axis])
            if size is not None and found is not None and found != size:
                return f"expected axis {axis} of its input to have {size} entries, found {found}"
        return self._shape_fault(shape)

    def _shape_fault(self, shape: tuple[Any, ...]) -> str | None:
        if self.shape is None or len(self.shape) != len(shape):
            return None
        for expected, size in zip(self.shape, shape, strict=True):
            found = public_size(size)
            if expected is not None and found is not None and expected != found:
                return f"expected the shape {self.shape}"
        return None


def check_inputs(spec: Any, inputs: Any, layer: Any) -> None:
    """Compare inputs with a layer's `input_spec`.

    Raises:
        ValueError: they don't fit; the message names the layer, what it expects and what it got.
    """
    specs = list(spec.values()) if isinstance(spec, dict) else spec
    specs = specs if isinstance(specs, (list, tuple)) else [specs]
    given = inputs
    if isinstance(inputs, dict):
        names = [s.name for s in specs]
        given = [inputs.get(n) for n in names] if all(names) else list(inputs.values())
    given = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(given) != len(specs):
        raise ValueError(
            f"Layer {layer.name!r} ({type(layer).__name__}) expects {len(specs)} input(s), "
            f"and got {len(given)}"
        )
    for one, x in zip(specs, given, strict=True):
        if one is None or (x is None and one.optional) or not hasattr(x, "shape"):
            continue
        fault = one.fault(x)
        if fault:
            from kerata.core.errors import describe

            raise ValueError(
                f"Layer {layer.name!r} ({type(layer).__name__}) {fault}: its input is {describe(x)}"
            )
