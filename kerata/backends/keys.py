"""What stands in the brackets of `x[...]`, in plain values where these are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.backends.slices import size_unknown
from kerata.backends.state import operations

_BASIC = (int, type(None), type(Ellipsis))


def is_basic(key: Any) -> bool:
    """Whether a key consists of Python's ints, None, Ellipsis, and slices of ints alone."""
    for k in key if type(key) is tuple else (key,):
        if type(k) is slice:
            if not (type(k.start) in _BASIC and type(k.stop) in _BASIC and type(k.step) in _BASIC):
                return False
        elif type(k) not in _BASIC:
            return False
    return True


def _part(k: Any) -> Any:
    """One entry of a key: an int, None, Ellipsis, a slice, NumPy's array or the engine's tensor."""
    reader = getattr(type(k), "__kerata_value__", None)
    k = k if reader is None else reader(k)
    if isinstance(k, slice):
        return slice(_end(k.start), _end(k.stop), _end(k.step))
    if isinstance(k, (list, tuple)):
        if any(hasattr(v, "dtype") and not isinstance(v, np.generic) for v in k):
            return operations["stack"](k)
        k = np.asarray(k) if k else np.zeros((0,), np.int32)
    if isinstance(k, np.integer) or (isinstance(k, np.ndarray) and not k.ndim and k.dtype != bool):
        return int(k)
    return k


def _end(v: Any) -> Any:
    """A slice's start, stop or step: an int, None, or a tensor whose value is not known."""
    reader = getattr(type(v), "__kerata_value__", None)
    v = v if reader is None else reader(v)
    if v is None or isinstance(v, int) or not hasattr(v, "shape"):
        return v
    try:
        return int(v)
    except TypeError:  # what tracers and abstract tensors say
        return v


def parts_of(key: Any) -> list[Any]:
    """The entries of a key: ints, None, Ellipsis, slices, index arrays and masks."""
    return [_part(k) for k in (key if type(key) is tuple else (key,))]


def is_array(part: Any) -> bool:
    """Whether an entry is an index array or a mask, of NumPy or an engine."""
    return not (part is None or part is Ellipsis or isinstance(part, (int, slice)))


def _width(part: Any) -> int:
    """How many axes of the tensor an entry takes."""
    if part is None or part is Ellipsis:
        return 0
    return len(part.shape) if is_array(part) and _is_mask(part) else 1


def _is_mask(part: Any) -> bool:
    return getattr(part.dtype, "name", str(part.dtype)).removeprefix("torch.") == "bool"


def is_mask(part: Any) -> bool:
    """Whether an entry is an array of booleans."""
    return is_array(part) and _is_mask(part)


def axes_of(parts: Sequence[Any], rank: int) -> list[int]:
    """For each entry the first axis of the tensor that it is about.

    Raises:
        IndexError: the entries take more axes than there are.
    """
    taken = sum(map(_width, parts))
    if taken > rank:
        raise IndexError(f"{taken} indices for a tensor of {rank} axes")
    axes, place = [], 0
    for part in parts:
        axes.append(place)
        place += rank - taken if part is Ellipsis else _width(part)
    return axes


def check_ints(parts: Sequence[Any], axes: Sequence[int], shape: Sequence[Any]) -> None:
    """Whether all ints are in range of axes of known size.

    Raises:
        IndexError: one is not.
    """
    for part, axis in zip(parts, axes, strict=True):
        size = shape[axis] if isinstance(part, int) else None
        if isinstance(size, int) and not -size <= part < size:
            raise IndexError(f"index {part} is out of range for an axis of {size}")


def refuse_unknown(parts: Sequence[Any], unknown: Any) -> None:
    """Refuse masks of the class `unknown`, and tensors as ends of slices: sizes must be known.

    Raises:
        SizeUnknown: there is one.
    """
    for part in parts:
        if isinstance(part, slice):
            if not is_basic(part):
                raise size_unknown("getitem", "Use kerata.ops.slice with a start and a shape")
        elif isinstance(part, unknown) and is_mask(part):
            raise size_unknown("getitem", "Use kerata.ops.where, which keeps the shape")
