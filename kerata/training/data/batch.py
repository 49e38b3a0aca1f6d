"""A batch: `x`, `(x, y)` or `(x, y, sample_weight)`; weights of classes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from kerata.backends.numpy.backend import to_array


def unpack_x_y_sample_weight(data: Any) -> tuple[Any, Any, Any]:
    """A batch as `(x, y, sample_weight)`, None for what it lacks.

    Raises:
        ValueError: it has more than three parts.

    >>> unpack_x_y_sample_weight((1, 2))
    (1, 2, None)
    """
    if isinstance(data, list):
        data = tuple(data)
    if not isinstance(data, tuple):
        return data, None, None
    if not 1 <= len(data) <= 3:
        raise ValueError(
            f"A batch must be x, (x, y) or (x, y, sample_weight); got a tuple of {len(data)}"
        )
    return (*data, None, None)[:3]


def pack_x_y_sample_weight(x: Any, y: Any = None, sample_weight: Any = None) -> Any:
    """The parts of a batch as `fit` takes them: those that are None at the end are left out.

    >>> pack_x_y_sample_weight(1, 2)
    (1, 2)
    """
    if y is None:
        return (x,) if isinstance(x, (list, tuple)) else x
    return (x, y) if sample_weight is None else (x, y, sample_weight)


def with_class_weights(y: Any, weight: Any, class_weight: Mapping[int, float] | None) -> Any:
    """`weight`, or the weights of the samples' classes.

    Raises:
        ValueError: both are given; the targets are no classes.
    """
    if not class_weight:
        return weight
    if weight is not None:
        raise ValueError(
            "class_weight can't be used beside sample_weight (or with batches that hold weights): "
            "multiply them into sample_weight"
        )
    return weights_of_classes(y, class_weight)


def weights_of_classes(y: Any, class_weight: Mapping[int, float]) -> np.ndarray:
    """A weight for each sample from the weight of its class; 1 for classes that have none.

    Args:
        y: integer or one-hot targets of one output, `(samples,)`, `(samples, 1)` or
            `(samples, ..., classes)`.
        class_weight: weights by class.

    Raises:
        ValueError: there are no targets, several outputs, or what is weighted is no class.
    """
    if y is None or isinstance(y, (Mapping, list, tuple)):
        raise ValueError(
            "class_weight needs the targets (y) of one output; for several outputs give "
            f"sample_weight. Got y={'None' if y is None else type(y).__name__}"
        )
    labels = np.asarray(to_array(y))
    if labels.ndim > 1:
        labels = labels.argmax(-1) if labels.shape[-1] > 1 else labels[..., 0]
    if labels.dtype.kind not in "biuf":
        raise ValueError(f"class_weight needs integer or one-hot targets; y has {labels.dtype}")
    weights = np.ones(labels.shape, np.float32)
    for label, weight in class_weight.items():
        try:
            weights[labels == int(label)] = float(weight)
        except (TypeError, ValueError):
            raise ValueError(
                f"class_weight must map classes (ints) to weights; got {{{label!r}: {weight!r}}}"
            ) from None
    return weights
