"""Losses: what training minimizes."""

from __future__ import annotations

from typing import Any

from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.losses.circle import (
    Circle,
    circle,
)
from kerata.losses.crossentropy import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    SparseCategoricalCrossentropy,
    binary_crossentropy,
    categorical_crossentropy,
    categorical_generalized_cross_entropy,
    sparse_categorical_crossentropy,
)
from kerata.losses.ctc import (
    CTC,
    ctc,
)
from kerata.losses.focal import (
    BinaryFocalCrossentropy,
    CategoricalFocalCrossentropy,
    binary_focal_crossentropy,
    categorical_focal_crossentropy,
)
from kerata.losses.hinge import (
    CategoricalHinge,
    Hinge,
    SquaredHinge,
    categorical_hinge,
    hinge,
    squared_hinge,
)
from kerata.losses.loss import (
    Loss,
    LossFunctionWrapper,
)
from kerata.losses.regression import (
    CosineSimilarity,
    Huber,
    KLDivergence,
    LogCosh,
    MeanAbsoluteError,
    MeanAbsolutePercentageError,
    MeanSquaredError,
    MeanSquaredLogarithmicError,
    Poisson,
    cosine_similarity,
    huber,
    kl_divergence,
    log_cosh,
    mean_absolute_error,
    mean_absolute_percentage_error,
    mean_squared_error,
    mean_squared_logarithmic_error,
    poisson,
)
from kerata.losses.segmentation import (
    Dice,
    Tversky,
    dice,
    tversky,
)

_TABLE = table_of(
    BinaryCrossentropy, BinaryFocalCrossentropy, CTC, CategoricalCrossentropy,
    CategoricalFocalCrossentropy, CategoricalGeneralizedCrossEntropy, CategoricalHinge, Circle,
    CosineSimilarity, Dice, Hinge, Huber, KLDivergence, LogCosh, LossFunctionWrapper,
    MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
    MeanSquaredLogarithmicError, Poisson, SparseCategoricalCrossentropy, SquaredHinge, Tversky,
    binary_crossentropy, binary_focal_crossentropy, categorical_crossentropy,
    categorical_focal_crossentropy, categorical_generalized_cross_entropy, categorical_hinge,
    circle, cosine_similarity, ctc, dice, hinge, huber, kl_divergence, log_cosh,
    mean_absolute_error, mean_absolute_percentage_error, mean_squared_error,
    mean_squared_logarithmic_error, poisson, sparse_categorical_crossentropy, squared_hinge,
    tversky,
    bce=binary_crossentropy, BCE=binary_crossentropy,
    kld=kl_divergence, KLD=kl_divergence,
    mae=mean_absolute_error, MAE=mean_absolute_error,
    mape=mean_absolute_percentage_error, MAPE=mean_absolute_percentage_error,
    mse=mean_squared_error, MSE=mean_squared_error,
    msle=mean_squared_logarithmic_error, MSLE=mean_squared_logarithmic_error,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The loss that a name, config, class, object or function stands for.

    A name in snake case, or its abbreviation ("mse"), stands for the function of that name, one in
    camel case for an object of the class.
    """
    return lookup(identifier, _TABLE, "loss")


def serialize(loss: Any) -> Any:
    """The config of a loss."""
    return serialize_object(loss)


def deserialize(name: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The loss that a name or a config describes."""
    if isinstance(name, str):
        return get(name)
    return deserialize_object(name, custom_objects, table=_TABLE)
