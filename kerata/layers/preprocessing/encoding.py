"""Integers as vectors: one-hot, multi-hot, counts, weighted counts."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.backends.registry import ensure
from kerata.core.symbolic import public_size
from kerata.layers.arguments import one_of
from kerata.layers.preprocessing.irregular import on_values
from kerata.ops.dispatch import Tensor

MODES = ("one_hot", "multi_hot", "count", "tf_idf")


class Encodes:
    """What layers share that give integers, or vectors of them."""

    def _set_output(self, output_mode: str, sparse: bool, modes: tuple[str, ...]) -> None:
        layer: Any = self
        self.output_mode: str = one_of(layer, "output_mode", output_mode, modes)
        if sparse and self.output_mode == "int":
            raise ValueError(
                f"{type(self).__name__}: sparse=True needs another output_mode than 'int'"
            )
        self.sparse = sparse
        self.autocast = False

    def _size(self) -> int:
        """How long vectors are."""
        raise NotImplementedError

    def _encoded(self, numbers: Any, inputs: Any, dtype: str, weights: Any = None) -> Any:
        """What `output_mode` makes of `numbers(inputs)`."""
        return on_values(
            numbers,
            inputs,
            lambda x: encoded(x, self.output_mode, self._size(), dtype, weights, self.sparse),
            self.output_mode == "int",
        )

    def compute_output_shape(self, input_shape: Any, *_: Any) -> tuple[Any, ...]:
        """The input's, or with the size of vectors in the place of its last axis."""
        return encoded_shape(self.output_mode, tuple(input_shape), self._size())


def encoded_shape(mode: str, shape: tuple[Any, ...], size: int) -> tuple[Any, ...]:
    """The shape of what `encoded` makes of integers of this shape."""
    if mode == "int":
        return shape
    if mode == "one_hot":
        return (*(shape[:-1] if shape and shape[-1] == 1 else shape or (1,)), size)
    return (*shape[:1], *shape[2:], size) if len(shape) > 1 else (size,)


def encoded(
    x: Tensor,
    mode: str,
    size: int,
    dtype: str,
    weights: Any = None,
    sparse: bool = False,
) -> Tensor:
    """Integers as vectors of `size` entries; others than 0 to `size - 1` count nothing.

    Args:
        x: integers, `(batch, n, ...)`, `(n,)` or one alone.
        mode: "one_hot" for a vector each; "multi_hot", "count" or "tf_idf" for one of each n: 1 for
            what is among them, how often it is, or that times a weight. "int" leaves `x`.
        size: how many integers there are.
        dtype: the result's.
        weights: for "count" what each place adds, of the shape of `x`; for "tf_idf" a weight for
            each integer.
        sparse: whether the result is a sparse tensor of the active backend.

    Returns:
        `(batch, n, ..., size)` for "one_hot", where a last axis of size 1 is dropped, otherwise
        `(batch, ..., size)`.
    """
    if mode == "int":
        return x
    shape = ops.shape(x)
    if mode == "one_hot":
        if shape and public_size(shape[-1]) == 1:
            x = ops.squeeze(x, -1)
        elif not shape:
            x = ops.expand_dims(x, 0)
        result = ops.one_hot(x, size, dtype=dtype)
    else:
        result = _counted(x, shape, mode, size, dtype, weights)
    return ensure().to_sparse(result) if sparse else result


def _counted(x: Tensor, shape: Any, mode: str, size: int, dtype: str, weights: Any) -> Tensor:
    if not shape:
        x, shape = ops.expand_dims(x, 0), (1,)
    if len(shape) > 2:
        x, weights = (
            v if v is None or len(ops.shape(v)) < 2 else ops.moveaxis(v, 1, -1)
            for v in (x, weights)
        )
        shape = ops.shape(x)
    flat = ops.reshape(x, (-1, shape[-1]))
    rows = ops.shape(flat)[0]
    # Whatever counts nothing goes to a place behind the others, which is cut off.
    inside = ops.logical_and(ops.greater_equal(flat, 0), ops.less(flat, size))
    places = ops.where(inside, flat, size)
    places = ops.add(places, ops.expand_dims(ops.multiply(ops.arange(rows), size + 1), 1))
    kind = "int32" if mode != "count" or weights is None else dtype
    added = ops.ones_like(places) if weights is None or mode == "tf_idf" else weights
    added = ops.reshape(ops.cast(added, kind), (-1,))
    places = ops.reshape(ops.cast(places, "int32"), (-1, 1))
    counts = ops.reshape(ops.scatter(places, added, (rows * (size + 1),)), (rows, size + 1))
    counts = ops.reshape(counts[:, :size], (*shape[:-1], size))
    if mode == "multi_hot":
        counts = ops.minimum(counts, 1)
    counts = ops.cast(counts, dtype)
    return ops.multiply(counts, ops.cast(weights, dtype)) if mode == "tf_idf" else counts
