"""What `fit` is given, as batches: arrays in memory, or anything that yields batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from kerata.training.data.arrays import ArrayData, Rows, named_parts, read_by_rows, split_off
from kerata.training.data.batch import (
    pack_x_y_sample_weight,
    unpack_x_y_sample_weight,
    weights_of_classes,
)
from kerata.training.data.frames import as_inputs
from kerata.training.data.host import is_arrays, is_batches
from kerata.training.data.iterated import IteratedData
from kerata.training.data.py_dataset import PyDataset
from kerata.training.data.sources import converted, register_data_source, source_of

__all__ = [
    "ArrayData",
    "IteratedData",
    "PyDataset",
    "as_inputs",
    "is_arrays",
    "is_batches",
    "make_data",
    "pack_x_y_sample_weight",
    "register_data_source",
    "split_off",
    "unpack_x_y_sample_weight",
    "weights_of_classes",
]


def make_data(
    x: Any,
    y: Any = None,
    sample_weight: Any = None,
    batch_size: int | None = None,
    shuffle: bool | str = False,
    class_weight: Mapping[int, float] | None = None,
    steps: int | None = None,
    prepare: Callable[[Any], Any] | None = None,
) -> ArrayData | IteratedData:
    """The adapter for what a training method was given.

    `prepare` makes of the inputs of each batch, on the host, what the step is given; batches are
    then read one by one.

    Raises:
        TypeError: `x` is neither arrays nor something that yields batches.
        ValueError: `y` or `sample_weight` is given beside batches that hold their own; the data
            does not fit together; it has no end, and `steps` is None.
    """
    x = converted(x)
    if x is None:
        raise ValueError("x is missing: give arrays, or something that yields batches")
    if is_arrays(x) or isinstance(x, Mapping):
        parts = named_parts(x, y, sample_weight)
        if prepare is None and not read_by_rows(parts):
            data = ArrayData(*parts, batch_size, shuffle, class_weight)
            if steps is None or steps == data.steps:
                return data
        rows = Rows(parts, batch_size, shuffle)
        return IteratedData(rows, steps, class_weight, bool(shuffle), prepare)
    source = source_of(x)
    for name, value in (("y", y), ("sample_weight", sample_weight)):
        if value is not None:
            raise ValueError(
                f"{name} must not be given where x is {source.kind} ({type(x).__name__}): the "
                "batches hold it"
            )
    return IteratedData(source, steps, class_weight, bool(shuffle), prepare)
