"""Operations that put elements at places, and that sum them up there."""

from __future__ import annotations

import builtins
from typing import Any

from kerata import config
from kerata.backends import dtypes
from kerata.ops import creation
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite, primitive
from kerata.ops.indexing import values_of

__all__ = (
    "scatter", "scatter_update", "slice_update", "segment_sum", "segment_max", "segment_min",
    "segment_prod",
)  # fmt: skip


@primitive()
def scatter_update(
    inputs: Tensor, indices: Tensor, updates: Tensor, reduction: str | None = None
) -> Tensor:
    """`inputs` with `updates` at the places that `indices` name, in the dtype of `inputs`.

    Args:
        inputs: any tensor.
        indices: `(..., depth)`, integers: indices into the first `depth` axes of `inputs`. Negative
            ones count from the end; where one is out of range, the update is dropped.
        updates: `(..., *inputs.shape[depth:])`.
        reduction: None replaces what is there, by the last of several updates for one place.
            "add", "max", "min" and "mul" combine it with all of them ("add" and "mul" of booleans
            are or and and). Where several are the largest or least, they share the gradient.

    >>> scatter_update(ops.zeros(4), [[1], [3], [1]], [5.0, 6.0, 7.0], "add").tolist()
    [0.0, 12.0, 0.0, 6.0]

    Raises:
        ValueError: the shapes don't fit, or `reduction` is something else.
    """


@composite()
def scatter(indices: Tensor, values: Tensor, shape: Any) -> Tensor:
    """Zeros of `shape` with `values` at the places that `indices` name; several for one place add.

    Args:
        indices: `(..., depth)`; see `scatter_update`.
        values: `(..., *shape[depth:])`.
        shape: of the result.
    """
    zeros = creation.full(shape, 0, dtypes.standardize_dtype(values.dtype))
    return scatter_update(zeros, indices, values, "add")


@primitive()
def slice_update(inputs: Tensor, start_indices: Any, updates: Tensor) -> Tensor:
    """`inputs` with `updates` in the place of the slice of that shape at `start_indices`.

    `start_indices` are those of `slice`; the result has the dtype of `inputs`.

    Raises:
        ValueError: there is not one start for each axis, or `updates` are larger than `inputs`.
    """


def _by_segment(
    name: str, data: Tensor, segment_ids: Tensor, num_segments: int | None, start: Any, how: str
) -> Tensor:
    if len(sh.shape(segment_ids)) != 1:
        raise ValueError(
            f"{name}: segment_ids must have one axis; got the shape {tuple(sh.shape(segment_ids))}"
        )
    count = num_segments
    if count is None:
        found = values_of(segment_ids, name, "Give num_segments")
        count = int(found.max(initial=-1)) + 1
    ids = ew.cast(segment_ids, "int64")
    ids = ew.where(ew.less(ids, 0), count, ids)  # dropped, where it would count from the end
    dtype = dtypes.standardize_dtype(data.dtype)
    initial = creation.full((count, *sh.shape(data)[1:]), start, dtype)
    return scatter_update(initial, sh.expand_dims(ids, 1), data, how)


def _bound(dtype: Any, highest: bool) -> Any:
    """What any element is no smaller than, or no larger: an infinity where there is one."""
    name = dtypes.standardize_dtype(dtype)
    if dtypes.is_float(name):
        return float("inf") if highest else -float("inf")
    return highest if name == "bool" else dtypes.bounds(name)[highest]


@composite()
def segment_sum(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """The sums of the rows of `data` that belong together.

    Args:
        data: `(n, ...)`.
        segment_ids: `(n,)`: the row of the result that each row goes to. Those that don't exist
            are dropped, negative ones too.
        num_segments: the number of rows of the result; None for as many as there are ids, which
            follows from the values and only runs eagerly.
        sorted: accepted for compatibility; they are summed in any order.

    Returns:
        `(num_segments, ...)`, 0 where there is no row.

    >>> segment_sum([1.0, 2.0, 3.0], [0, 0, 2]).tolist()
    [3.0, 0.0, 3.0]
    """
    return _by_segment("segment_sum", data, segment_ids, num_segments, 0, "add")


@composite()
def segment_max(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """`segment_sum` with the maximum: -inf, or the least integer, where there is no row."""
    start = _bound(data.dtype, False)
    return _by_segment("segment_max", data, segment_ids, num_segments, start, "max")


@composite()
def segment_min(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """`segment_sum` with the minimum: inf, or the largest integer, where there is no row."""
    start = _bound(data.dtype, True)
    return _by_segment("segment_min", data, segment_ids, num_segments, start, "min")


@composite()
def segment_prod(
    data: Tensor, segment_ids: Tensor, num_segments: int | None = None, sorted: bool = False
) -> Tensor:
    """`segment_sum` with the product: 1 where there is no row."""
    return _by_segment("segment_prod", data, segment_ids, num_segments, 1, "mul")


@composite()
def bincount(
    x: Tensor, weights: Tensor | None = None, minlength: int = 0, sparse: bool = False
) -> Tensor:
    """How often each number occurs in a vector, or in each row of a matrix.

    Args:
        x: `(n,)` or `(rows, n)`, integers of at least 0.
        weights: what to add instead of 1, of the shape of `x`.
        minlength: the least number of bins. There are more where `x` has larger numbers, which
            follows from the values: it only runs eagerly. `segment_sum` runs everywhere.
        sparse: accepted for compatibility; every tensor is dense.

    Returns:
        `(bins,)` or `(rows, bins)`, int32 or of the dtype of `weights`.

    Raises:
        ValueError: `x` has negative numbers, or is neither a vector nor a matrix.
    """
    sizes = sh.shape(x)
    if len(sizes) not in (1, 2):
        raise ValueError(f"bincount: x must be a vector or a matrix; got the shape {sizes}")
    values = values_of(x, "bincount", "Use segment_sum with num_segments")
    if values.min(initial=0) < 0:
        raise ValueError(f"bincount: x must not have negative numbers; got {values.min()}")
    bins = builtins.max(int(values.max(initial=-1)) + 1, minlength)
    places = ew.cast(x, "int32")
    if len(sizes) == 2:
        places = ew.add(places, sh.expand_dims(creation.arange(sizes[0]) * bins, 1))
    weights = creation.full(sizes, 1, "int32") if weights is None else weights
    bins_in_all = bins * (sizes[0] if len(sizes) == 2 else 1)
    flat = scatter(sh.reshape(places, (-1, 1)), sh.ravel(weights), (bins_in_all,))
    return sh.reshape(flat, (*sizes[:-1], bins))


@composite()
def one_hot(
    x: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    """1 at the place that each integer names along a new `axis`, else 0; all 0 out of range."""
    rank = len(sh.shape(x)) + 1
    places = [1] * rank
    places[axis] = num_classes
    classes = sh.reshape(creation.arange(num_classes), tuple(places))
    hit = ew.equal(sh.expand_dims(x, axis), classes)
    return ew.cast(hit, dtypes.standardize_dtype(dtype or config.floatx()))


@composite()
def multi_hot(
    inputs: Tensor,
    num_classes: int | None = None,
    axis: int = -1,
    dtype: Any = None,
    sparse: bool = False,
    **kwargs: Any,
) -> Tensor:
    """1 for each class that occurs among the labels of an example, else 0.

    Args:
        inputs: `(batch, labels, ...)`, `(labels,)` or one label: integers; others than the
            classes are left out.
        num_classes: how many classes there are.
        axis: where the classes' axis stands in the result.
        dtype: of the result; None for `config.floatx()`.
        sparse: accepted for compatibility; every tensor is dense.
        kwargs: `num_tokens`, an old name of `num_classes`.

    Returns:
        `(batch, ..., num_classes)`: the axis of the labels is gone, that of the classes is new.

    >>> multi_hot([[0, 2], [1, 1]], 3).tolist()
    [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0]]
    """
    num_classes = kwargs.pop("num_tokens", None) if num_classes is None else num_classes
    if num_classes is None or kwargs:
        raise TypeError(f"multi_hot: num_classes must be given, and nothing unknown; got {kwargs}")
    hot = one_hot(inputs, num_classes, -1, "bool")
    rank = len(sh.shape(inputs))
    if rank:
        hot = red.any(hot, 1 if rank > 1 else 0)
    hot = hot if axis == -1 else sh.moveaxis(hot, -1, axis)
    return ew.cast(hot, dtypes.standardize_dtype(dtype or config.floatx()))
