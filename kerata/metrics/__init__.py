"""Metrics: running summaries of how well a model does."""

from __future__ import annotations

from typing import Any

from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.losses.crossentropy import (
    binary_crossentropy,
    categorical_crossentropy,
    sparse_categorical_crossentropy,
)
from kerata.losses.regression import mean_squared_error
from kerata.metrics.accuracy import (
    Accuracy,
    BinaryAccuracy,
    CategoricalAccuracy,
    SparseCategoricalAccuracy,
    binary_accuracy,
    categorical_accuracy,
    sparse_categorical_accuracy,
)
from kerata.metrics.mean import Mean, MeanMetricWrapper, Sum
from kerata.metrics.metric import Metric
from kerata.metrics.probabilistic import (
    BinaryCrossentropy,
    CategoricalCrossentropy,
    SparseCategoricalCrossentropy,
)
from kerata.metrics.regression import MeanSquaredError
from kerata.metrics.top_k import (
    SparseTopKCategoricalAccuracy,
    TopKCategoricalAccuracy,
    sparse_top_k_categorical_accuracy,
    top_k_categorical_accuracy,
)

_TABLE = table_of(
    Accuracy, BinaryAccuracy, BinaryCrossentropy, CategoricalAccuracy, CategoricalCrossentropy,
    Mean, MeanMetricWrapper, MeanSquaredError, SparseCategoricalAccuracy,
    SparseCategoricalCrossentropy, SparseTopKCategoricalAccuracy, Sum, TopKCategoricalAccuracy,
    bce=BinaryCrossentropy, BCE=BinaryCrossentropy, mse=MeanSquaredError, MSE=MeanSquaredError,
)  # fmt: skip


def get(identifier: Any) -> Any:
    """The metric that a name ("mse"), config, class, object or function stands for."""
    return lookup(identifier, _TABLE, "metric")


def serialize(metric: Any) -> Any:
    """The config of a metric."""
    return serialize_object(metric)


def deserialize(config: Any, custom_objects: dict[str, Any] | None = None) -> Any:
    """The metric that a name or a config describes."""
    if isinstance(config, str):
        return get(config)
    return deserialize_object(config, custom_objects, table=_TABLE)
