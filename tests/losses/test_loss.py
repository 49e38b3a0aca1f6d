"""The base of losses: own classes, structures, dtypes, masks, names and configs."""

import numpy as np
import pytest

import kerata
from kerata import losses, ops
from kerata.core import masks
from kerata.core.config_object import same_config
from kerata.core.masks import set_mask


class Distance(losses.Loss):
    """A user's loss, with an argument of its own."""

    def __init__(self, power=1, **kwargs):
        super().__init__(**kwargs)
        self.power = power

    def call(self, y_true, y_pred):
        return ops.absolute(y_true - y_pred) ** self.power


def test_own_losses(backend):
    loss = Distance(2, reduction="sum", name="d")
    assert float(loss(np.array([1.0, 2.0]), np.array([2.0, 4.0]))) == 5.0
    assert loss.get_config() == {"name": "d", "power": 2, "reduction": "sum"}
    assert same_config(Distance.from_config(loss.get_config()), loss)


def test_structures(backend):
    class Both(losses.Loss):
        def call(self, y_true, y_pred):
            return ops.mean(y_true["a"] - y_pred["a"], -1) + y_pred["b"][0]

    true = {"a": np.ones((2, 3), "int32")}
    pred = {"a": np.zeros((2, 3)), "b": [ops.ones((2,))]}
    assert float(Both()(true, pred)) == 2.0


def test_dtypes(backend):
    x, y = np.ones((2, 3)), np.zeros((2, 3))
    assert backend.dtype_of(losses.MeanSquaredError()(x, y)) == "float32"
    assert losses.MeanSquaredError().dtype == "float32"
    half = losses.MeanSquaredError(dtype="bfloat16")
    assert half.dtype == "bfloat16" and backend.dtype_of(half(x, y)) == "bfloat16"
    assert losses.MeanSquaredError(dtype="mixed_float16").dtype == "float16"


def test_large_class_numbers_survive_half_precision(backend):
    logits = np.zeros((1, 2100), "float32")
    logits[0, 2049] = 8.0
    loss = losses.SparseCategoricalCrossentropy(from_logits=True, dtype="float16")
    assert float(loss(np.array([2049]), logits)) < 1.5


def test_masks_of_sequences_and_weights_of_samples(backend):
    values = ops.convert_to_tensor(np.arange(6, dtype="float32").reshape(2, 3, 1))
    set_mask(values, ops.convert_to_tensor(np.array([[1, 1, 0], [1, 0, 0]], "bool")))
    loss = losses.MeanSquaredError(reduction="sum")
    weight = np.array([2.0, 1.0], "float32")
    assert float(loss(np.zeros((2, 3, 1)), values, weight)) == 2 * (0 + 1) + 9


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("reduction", ["sum_over_batch_size", "mean_with_sample_weight", "sum"])
def test_what_it_divides_by(backend, reduction, masked, weighted):
    """By it two batches make up the loss of both together."""
    rng = np.random.default_rng(0)
    y, p = rng.random((2, 7, 3, 1), "float32")
    weight = rng.random((7, 1), "float32") if weighted else None
    mask = rng.random((7, 3)) < 0.5
    loss = losses.MeanSquaredError(reduction)

    def of(rows):
        outputs = ops.convert_to_tensor(p[rows])
        if masked:
            set_mask(outputs, ops.convert_to_tensor(mask[rows]))
        return loss.with_divisor(y[rows], outputs, None if weight is None else weight[rows])

    parts = [of(slice(0, 5)), of(slice(5, 7))]
    whole, divisor = of(slice(0, 7))
    if reduction == "sum":
        assert divisor == "sum"
        assert float(whole) == pytest.approx(sum(float(v) for v, _ in parts), rel=1e-6)
    else:
        assert float(divisor) == pytest.approx(sum(float(n) for _, n in parts), rel=1e-6)
        total = sum(float(v) * float(n) for v, n in parts)
        assert float(whole) == pytest.approx(total / float(divisor), rel=1e-6)


def test_a_loss_that_says_nothing(backend):
    class Own(losses.Loss):
        def __call__(self, y_true, y_pred, sample_weight=None):
            return ops.convert_to_tensor(2.0)

    mean = losses.LossFunctionWrapper(lambda y, p: ops.mean(y - p))
    assert [loss.with_divisor([1.0], [2.0])[1] for loss in (Own(), mean)] == [None, None]


def test_nothing_counts(backend):
    loss = losses.SparseCategoricalCrossentropy(ignore_class=0)
    assert float(loss(np.zeros(3, "int32"), np.full((3, 2), 0.5, "float32"))) == 0.0


def test_masks_are_forgotten(backend):
    before = set(masks._table)  # compiled programs of other tests may hold masked tensors
    losses.SparseCategoricalCrossentropy(ignore_class=0)(
        np.zeros(3, "int32"), np.full((3, 2), 0.5, "float32")
    )
    assert set(masks._table) <= before


def test_compiled(backend):
    loss = losses.SparseCategoricalCrossentropy(ignore_class=0)
    y = ops.convert_to_tensor(np.array([0, 1, 1], "int32"))
    p = ops.convert_to_tensor(np.array([[0.5, 0.5], [0.2, 0.8], [0.1, 0.9]], "float32"))
    assert float(kerata.jit(lambda y, p: loss(y, p))(y, p)) == pytest.approx(float(loss(y, p)))


@pytest.mark.parametrize("reduction", ["average", "SUM", 1])
def test_wrong_reductions(reduction):
    with pytest.raises(ValueError, match="reduction"):
        losses.MeanSquaredError(reduction)


@pytest.mark.parametrize(
    "name, found",
    [
        ("mse", losses.mean_squared_error),
        ("MSE", losses.mean_squared_error),
        ("bce", losses.binary_crossentropy),
        ("sparse_categorical_crossentropy", losses.sparse_categorical_crossentropy),
    ],
)
def test_names(name, found):
    assert losses.get(name) is losses.deserialize(name) is found
    assert losses.get(losses.serialize(found)) is found


def test_class_names():
    assert isinstance(losses.get("MeanSquaredError"), losses.MeanSquaredError)
    assert losses.get(None) is None


@pytest.mark.parametrize(
    "loss",
    [
        losses.MeanSquaredError("sum", "m"),
        losses.BinaryCrossentropy(True, 0.1, 1),
        losses.CategoricalCrossentropy(label_smoothing=0.1),
        losses.SparseCategoricalCrossentropy(ignore_class=2, dtype="float64"),
        losses.LossFunctionWrapper(losses.binary_crossentropy, from_logits=True),
    ],
)
def test_configs(loss):
    assert same_config(losses.deserialize(losses.serialize(loss)), loss)
