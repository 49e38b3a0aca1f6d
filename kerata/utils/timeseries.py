"""Windows of a time series as a data set."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.utils.samples import (
    Samples,
    as_dataset,
    check_arguments,
    seed_or_next,
    target_specs,
    with_targets,
)

_USER = "timeseries_dataset_from_array"


def timeseries_dataset_from_array(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int | None = 128,
    shuffle: bool = False,
    seed: int | None = None,
    start_index: int | None = None,
    end_index: int | None = None,
    format: str = "tf",
) -> Any:
    """A data set of the windows of a time series.

    Args:
        data: `(time, ...)`.
        targets: `(time, ...)`, of which each window gets that of its first step; or None.
        sequence_length: steps a window.
        sequence_stride: steps from the start of one window to that of the next.
        sampling_rate: steps of the series from one step of a window to the next.
        batch_size: windows a batch; None for a data set of single windows.
        shuffle: whether each pass is in an order of its own.
        seed: what the orders follow from.
        start_index: the first step of the series that is used.
        end_index: the step behind the last one that is used.
        format: "tf" for a `tf.data.Dataset`, where TensorFlow is installed; "grain" for a
            `grain.MapDataset` of NumPy arrays.

    Returns:
        A data set of `(windows, targets)`, or of `windows` without targets;
        windows are `(batch, sequence_length, ...)`.

    >>> windows = timeseries_dataset_from_array(np.arange(9), None, 4, 2, format="grain")
    >>> windows[0].tolist()
    [[0, 1, 2, 3], [2, 3, 4, 5], [4, 5, 6, 7]]
    """
    check_arguments(_USER, format, batch_size)
    series = _on_host(data)
    goals = None if targets is None else _on_host(targets)
    length = len(series)
    for name, value in (
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
    ):
        if not isinstance(value, (int, np.integer)) or not 0 < value <= length:
            raise ValueError(
                f"{_USER}: {name} must be an int from 1 to {length}, the steps of data; "
                f"got {value!r}"
            )
    first = 0 if start_index is None else start_index
    last = length if end_index is None else end_index
    if not 0 <= first < last <= length:
        raise ValueError(
            f"{_USER}: start_index and end_index must lie in data, which has {length} steps, the "
            f"first before the second; got {start_index} and {end_index}"
        )
    steps = np.arange(sequence_length) * sampling_rate
    behind = last - int(steps[-1])  # the last window starts before this step
    starts = np.arange(first, behind if goals is None else min(behind, len(goals)), sequence_stride)
    if not len(starts):
        raise ValueError(
            f"{_USER}: no window of {sequence_length} steps, {sampling_rate} apart, fits into the "
            f"steps from {first} to {last}"
            + ("" if goals is None else f" that have a target, of which there are {len(goals)}")
        )
    chosen = seed_or_next(seed)
    if shuffle:
        np.random.RandomState(chosen).shuffle(starts)

    def read(numbers: np.ndarray) -> np.ndarray:
        return series[starts[numbers][:, None] + steps]

    beside = None if goals is None else goals[starts]
    specs = [((sequence_length, *series.shape[1:]), series.dtype.name), *target_specs(beside)]
    samples = Samples(_USER, len(starts), with_targets(read, beside), specs)
    return as_dataset(samples, batch_size, shuffle, chosen, format)


def _on_host(x: Any) -> np.ndarray:
    backend = state.backend or ensure()
    tensor = isinstance(x, backend.tensor_types) and not isinstance(x, np.ndarray)
    return np.asarray(backend.to_numpy(x) if tensor else x)
