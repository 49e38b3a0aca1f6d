"""Checks of data against the model before anything runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import optree

from kerata import losses
from kerata.core.errors import describe


def _is(loss: Any, cls: type, function: Any) -> bool:
    """Whether a loss is of a class, or wraps its function."""
    return isinstance(loss, cls) or getattr(loss, "fn", None) is function


def takes_labels(loss: Any) -> bool:
    """Whether the targets of a loss are indices of classes."""
    return _is(loss, losses.SparseCategoricalCrossentropy, losses.sparse_categorical_crossentropy)


def check_targets(objective: Any, y: Any, y_pred: Any) -> None:
    """Compare the targets of the first batch with the outputs.

    Raises:
        ValueError: there are none; labels are out of range; shapes can't be brought together.
    """
    outputs = optree.tree_leaves(y_pred)
    if y is None:
        if any(objective.losses):
            raise ValueError("compile was given a loss, and the data has no targets (y)")
        return
    if len(objective.losses) != 1 or len(outputs) != 1:
        return
    target = y[0] if isinstance(y, (list, tuple)) and len(y) == 1 else y
    loss, output = objective.losses[0], outputs[0]
    if not hasattr(target, "shape"):
        return
    if takes_labels(loss):
        check_labels(target, tuple(output.shape)[-1], loss)
    elif (
        _is(loss, losses.CategoricalCrossentropy, losses.categorical_crossentropy)
        and tuple(target.shape)[-1:] != tuple(output.shape)[-1:]
    ):
        raise ValueError(
            f"categorical_crossentropy needs one-hot targets of {output.shape[-1]} classes; y is "
            f"{describe(target)}. For integer labels use sparse_categorical_crossentropy"
        )


def check_labels(labels: Any, classes: Any, loss: Any) -> None:
    """Whether integer labels are classes of the output.

    Raises:
        ValueError: one is out of range; the message has it and where it is.
    """
    if classes is None:
        return
    values = np.asarray(labels)
    wrong = (values < 0) | (values >= classes)
    ignored = getattr(loss, "ignore_class", None)
    if ignored is not None:
        wrong &= values != ignored
    if wrong.any():
        row = int(np.argwhere(wrong)[0][0])
        raise ValueError(
            f"y holds the label {values[wrong][0]} (row {row}), and the model's output has "
            f"{classes} classes: labels must be 0 to {classes - 1}"
        )


def check_all_labels(objective: Any, y: Any, classes: Any) -> None:
    """`check_labels` for all rows of an in-memory data set, if its loss takes labels."""
    if objective is None or len(objective.losses) != 1 or not hasattr(y, "shape"):
        return
    loss = objective.losses[0]
    if takes_labels(loss):
        check_labels(y, classes, loss)


def nan_message(batch: Any) -> str:
    """Why the loss of the first batch is not a number, as far as the data tells."""
    for name, part in zip(("x", "y", "sample_weight"), batch, strict=False):
        for leaf in optree.tree_leaves(part):
            values = np.asarray(leaf)
            if values.dtype.kind != "f":
                continue
            bad = ~np.isfinite(values)
            if bad.any():
                place = tuple(int(i) for i in np.argwhere(bad)[0])
                return (
                    f"The loss of the first batch is not a number: {name} holds "
                    f"{int(bad.sum())} values that are NaN or infinite, the first at {place}"
                )
    return (
        "The loss of the first batch is not a number, though the data is finite: look for a "
        "logarithm or a division in the model or loss, or for weights that are NaN"
    )
