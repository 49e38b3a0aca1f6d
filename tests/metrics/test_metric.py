"""The base of metrics: own classes, state as values, masks, names and configs."""

import numpy as np
import pytest

import kerata
from kerata import metrics, ops
from kerata.core.config_object import same_config
from kerata.core.masks import set_mask


class Span(metrics.Metric):
    """A user's metric, with a variable and a metric of its own."""

    def __init__(self, scale=1.0, **kwargs):
        super().__init__(**kwargs)
        self.scale = scale
        self.top = self.add_weight(name="top")
        self.inner = metrics.Mean(name="inner")

    def update_state(self, values):
        self.top.assign(ops.maximum(self.top, ops.max(values)))
        self.inner.update_state(values)

    def result(self):
        return {"top": self.top.value * self.scale, "mean": self.inner.result()}


def test_own_metrics(backend):
    metric = Span(2.0, name="a/b")
    result = metric(np.array([1.0, 3.0], "float32"))
    assert {k: float(v) for k, v in result.items()} == {"top": 6.0, "mean": 2.0}
    assert [v.path for v in metric.variables] == ["a>b/top", "inner/total", "inner/count"]
    metric.reset_state()
    assert [float(v) for v in metric.variables] == [0.0, 0.0, 0.0]
    assert metric.get_config() == {"name": "a/b", "dtype": "float32", "scale": 2.0}
    assert same_config(Span.from_config(metric.get_config()), metric)


def test_state(backend):
    metric = metrics.Mean()
    assert [(v.path, v.dtype, v.shape, v.trainable) for v in metric.variables] == [
        ("mean/total", "float32", (), False),
        ("mean/count", "float32", (), False),
    ]
    assert float(metric.result()) == 0.0
    metric.update_state(np.array([1.0, 2.0]))
    metric.update_state(6.0, sample_weight=2)
    assert float(metric.result()) == pytest.approx(15 / 4)
    variable = metric.add_variable((2,), "ones", dtype="int32", name="v")
    assert variable.numpy().tolist() == [1, 1] and variable is metric.variables[-1]


def test_state_as_values(backend):
    metric = metrics.MeanSquaredError()
    before = [v.value for v in metric.variables]
    after = metric.stateless_update_state(before, np.zeros((2, 1)), np.ones((2, 1)))
    assert [float(v) for v in after] == [2.0, 2.0]
    assert float(metric.stateless_result(after)) == 1.0
    assert [float(v) for v in metric.variables] == [0.0, 0.0]
    assert [float(v) for v in metric.stateless_reset_state()] == [0.0, 0.0]
    with pytest.raises(ValueError, match="2 variables"):
        metric.stateless_result(after[:1])


def test_compiled(backend):
    metric = metrics.SparseCategoricalAccuracy()
    y = ops.convert_to_tensor(np.array([0, 1], "int32"))
    p = ops.convert_to_tensor(np.array([[0.9, 0.1], [0.9, 0.1]], "float32"))
    update = kerata.jit(lambda y, p: metric.update_state(y, p))
    for _ in range(3):
        update(y, p)
    assert [float(v) for v in metric.variables] == [3.0, 6.0]


@pytest.mark.parametrize("weight, expected", [(None, 6 / 3), ([2.0, 0.0], 1.5)])
def test_masks(backend, weight, expected):
    pred = ops.convert_to_tensor(np.array([[1.0, 2.0, 8.0], [3.0, 8.0, 8.0]], "float32"))
    set_mask(pred, ops.convert_to_tensor(np.array([[1, 1, 0], [1, 0, 0]], "bool")))
    metric = metrics.MeanMetricWrapper(lambda y_true, y_pred: y_pred - y_true)
    metric.update_state(np.zeros((2, 3), "float32"), pred, weight)
    assert float(metric.result()) == pytest.approx(expected)


def test_wrapped_functions(backend):
    metric = metrics.MeanMetricWrapper(metrics.binary_accuracy, name="b", threshold=0.8)
    assert float(metric([[1.0, 0.0]], [[0.7, 0.7]])) == 0.5
    again = metrics.deserialize(metrics.serialize(metric))
    assert same_config(again, metric) and again.name == "b"


def test_half_precision_predictions(backend):
    metric = metrics.MeanSquaredError()
    ones = ops.ones((3, 2), "float16")
    metric.update_state(ops.zeros((3, 2), "float16"), ones)
    assert metric.variables[0].dtype == "float32" and float(metric.result()) == 1.0


def test_dtype():
    assert metrics.Mean(dtype="mixed_float16").dtype == "float16"
    assert metrics.Mean(dtype="float64").variables[0].dtype == "float64"


@pytest.mark.parametrize("name", ["mean", "Mean", "binary_accuracy", "BinaryAccuracy", "mse"])
def test_names(name):
    assert isinstance(metrics.get(name), metrics.Metric)
    assert isinstance(metrics.deserialize(name), metrics.Metric)


def test_functions_stay_functions():
    function = metrics.sparse_categorical_accuracy
    assert metrics.get(function) is function
    assert metrics.deserialize(metrics.serialize(function)) is function
    assert metrics.deserialize(metrics.serialize(metrics.mean_squared_error)) is (
        metrics.mean_squared_error
    )
