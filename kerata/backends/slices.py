"""What slicing and counting are asked for, in plain integers where these are known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class SizeUnknown(ValueError):
    """The size of a result follows from values that are not known while a program is built."""


def size_unknown(name: str, remedy: str) -> SizeUnknown:
    """The error for an operation of this name; its text ends with the `remedy`."""
    return SizeUnknown(
        f"{name}: the size of the result follows from the values of a tensor, which are not known "
        f"while a program is built or compiled. {remedy}, or call it outside of kerata.jit"
    )


KEEPING = "Use kerata.ops.where(condition, x1, x2), which keeps the shape"


def _read(value: Any) -> Any:
    """An int where `value` is one or NumPy's, the value of a variable, or what it is."""
    reader = getattr(type(value), "__kerata_value__", None)
    value = value if reader is None else reader(value)
    return int(value) if type(value).__module__ == "numpy" else value


def _listed(start_indices: Any) -> list[Any]:
    """One start for each axis: ints where they are known, otherwise scalar tensors."""
    if isinstance(start_indices, (list, tuple)):
        return [_read(v) for v in start_indices]
    reader = getattr(type(start_indices), "__kerata_value__", None)
    vector = start_indices if reader is None else reader(start_indices)
    if type(vector).__module__ == "numpy":
        return vector.tolist()
    return [vector[i] for i in range(vector.shape[0])]


def slice_plan(sizes: Sequence[Any], start_indices: Any, shape: Any) -> tuple[list[Any], list[Any]]:
    """Where a slice of `shape` starts along each axis of a tensor of these `sizes`, and its sizes.

    Args:
        sizes: the tensor's; those that are no ints are left alone.
        start_indices: a sequence of ints and scalar tensors, or a vector.
        shape: the slice's sizes; -1 for all that follow a start that is known.

    Returns:
        starts, ints made positive and moved so that the slice fits, and tensors as they were given;
        and the slice's sizes without -1.

    Raises:
        ValueError: the numbers of axes differ, or the slice is larger than the tensor.
    """
    starts, lengths = _listed(start_indices), [_read(n) for n in shape]
    if not len(starts) == len(lengths) == len(sizes):
        raise ValueError(
            f"the slice must have one start and one size for each of {len(sizes)} axes; "
            f"got {len(starts)} and {len(lengths)}"
        )
    for i, (size, start, length) in enumerate(zip(sizes, starts, lengths, strict=True)):
        if isinstance(length, int) and length == -1:
            if not isinstance(start, int):
                raise ValueError(f"a size may be -1 only where the start is an int; axis {i}")
            starts[i] = start if start >= 0 else start + size
            lengths[i] = size - starts[i]
        elif isinstance(length, int) and isinstance(size, int):
            if not 0 <= length <= size:
                raise ValueError(f"a slice of {length} elements along axis {i}, which has {size}")
            if isinstance(start, int):
                starts[i] = min(max(start if start >= 0 else start + size, 0), size - length)
    return starts, lengths


def check_updates(shape: Any, indices: Any, updates: Any) -> None:
    """Whether updates of a shape fit those of a tensor and of the indices into it.

    Raises:
        ValueError: they don't, even where their number of elements does.
    """
    if tuple(updates) != (*indices[:-1], *shape[indices[-1] :]):
        raise ValueError(f"updates {tuple(updates)} for {tuple(shape)} at {tuple(indices)}")
