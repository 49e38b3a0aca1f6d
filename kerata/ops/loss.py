"""The losses of classification, element by element or row by row, and what they are made of."""

from __future__ import annotations

from kerata import config
from kerata.ops import activation, indexing
from kerata.ops import elementwise as ew
from kerata.ops import reduction as red
from kerata.ops import shaping as sh
from kerata.ops.dispatch import Tensor, composite

__all__ = (
    "categorical_crossentropy", "sparse_categorical_crossentropy",
    "binary_crossentropy",
)  # fmt: skip


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
