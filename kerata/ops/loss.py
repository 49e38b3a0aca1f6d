"""The losses of classification, element by element or row by row, and what they are made of."""

from __future__ import annotations

from typing import Any

from kerata import config
from kerata.backends import dtypes
from kerata.ops import activation, creation, indexing
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite

__all__ = (
    "one_hot", "categorical_crossentropy", "sparse_categorical_crossentropy",
    "binary_crossentropy",
)  # fmt: skip


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


def _log_probabilities(output: Tensor, from_logits: bool, axis: int) -> Tensor:
    if from_logits:
        return activation.log_softmax(output, axis)
    output = output / red.sum(output, axis, True)
    return ew.log(ew.clip(output, config.epsilon(), 1.0 - config.epsilon()))


@composite(promote="float")
def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-sum(target * log(output))` along `axis`.

    Probabilities are divided by their sum and kept `config.epsilon()` away from 0 and 1.
    """
    return -red.sum(target * _log_probabilities(output, from_logits, axis), axis)


@composite(promote="float", operands=("output",))
def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    """`-log(output[target])` along `axis`, `target` holding the index of the true class."""
    rank = len(sh.shape(output))
    if len(sh.shape(target)) == rank:
        target = sh.squeeze(target, axis)
    logs = _log_probabilities(output, from_logits, axis)
    index = sh.expand_dims(ew.cast(target, "int32"), axis)
    return -sh.squeeze(indexing.take_along_axis(logs, index, axis), axis)


@composite(promote="float")
def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    """`-(target * log(output) + (1 - target) * log(1 - output))`, element by element.

    Probabilities are kept `config.epsilon()` away from 0 and 1.
    """
    if from_logits:
        return ew.maximum(output, 0.0) - output * target + ew.log1p(ew.exp(-ew.absolute(output)))
    output = ew.clip(output, config.epsilon(), 1.0 - config.epsilon())
    return -(target * ew.log(output) + (1.0 - target) * ew.log(1.0 - output))
