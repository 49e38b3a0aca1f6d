"""Accumulated gradients: under `fit` they train as the batches that they make up together do."""

import numpy as np
import pytest

import kerata
from kerata import layers, losses, ops
from kerata.optimizers import SGD, Adam, LossScaleOptimizer, MultiOptimizer

ROWS = 100  # micro-batches of 24 leave one of 4, and a window that is not full
RNG = np.random.default_rng(0)
X = RNG.normal(size=(ROWS, 5)).astype("float32")
Y = RNG.normal(size=(ROWS, 2)).astype("float32")
WEIGHTS = np.linspace(0, 2, ROWS).astype("float32")


def sgd(steps):
    return SGD(0.1, momentum=0.9, clipnorm=1.0, gradient_accumulation_steps=steps)


def adam(steps):
    return Adam(0.01, epsilon=1e-3, weight_decay=0.1, gradient_accumulation_steps=steps)


def fitted(optimizer, size, loss="mse", weights=None, **arguments):
    """The weights after 2 epochs in batches of `size`, and the model."""
    kerata.utils.set_random_seed(3)
    model = kerata.Sequential([layers.Dense(4, "tanh", kernel_regularizer="l2"), layers.Dense(2)])
    model.compile(optimizer, loss, **arguments)
    model.fit(X, Y, size, 2, 0, shuffle=False, sample_weight=weights)
    return np.concatenate([w.ravel() for w in model.get_weights()]), model


@pytest.mark.parametrize(
    ("made", "reduction", "weights"),
    [
        (sgd, "sum_over_batch_size", None),
        (adam, "sum_over_batch_size", WEIGHTS),
        (adam, "mean_with_sample_weight", WEIGHTS),
    ],
    ids=["sgd", "adam", "mean of weights"],
)
def test_as_the_big_batch(training_backend, made, reduction, weights):
    loss = losses.MeanSquaredError(reduction=reduction)
    expected, large = fitted(made(None), 72, loss, weights)
    found, small = fitted(made(3), 24, loss, weights)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert int(small.optimizer.iterations) == int(large.optimizer.iterations.numpy()) == 4


def test_of_losses_that_are_sums(training_backend):
    def trained(steps, size):
        model = kerata.Sequential([kerata.Input((5,)), layers.Dense(2, kernel_initializer="ones")])
        model.compile(SGD(1e-3, gradient_accumulation_steps=steps), losses.MeanSquaredError("sum"))
        model.fit(X, Y, size, 1, 0, shuffle=False)
        return model.get_weights()[0]

    np.testing.assert_allclose(trained(3, 24), trained(None, 72), rtol=1e-6, atol=1e-6)


def test_of_several_outputs(training_backend):
    """A loss that says nothing of what it divides by is taken for a mean over the rows."""

    def loss(y, p):
        return ops.mean(ops.square(y - p))

    def trained(steps, size):
        kerata.utils.set_random_seed(3)
        x = kerata.Input((5,))
        h = layers.Dense(4, "tanh")(x)
        outputs = {"a": layers.Dense(1, name="a")(h), "b": layers.Dense(2, name="b")(h)}
        model = kerata.Model(x, outputs)
        model.compile(sgd(steps), {"a": "mse", "b": loss})
        model.fit(X, {"a": Y[:, :1], "b": Y}, size, 1, 0, shuffle=False)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    np.testing.assert_allclose(trained(3, 24), trained(None, 72), rtol=1e-6, atol=1e-6)


def test_of_masked_losses(training_backend):
    ids = np.where(RNG.random((20, 6)) < 0.6, RNG.integers(1, 9, (20, 6)), 0)
    ids[:3] = 0  # the first micro-batch holds nothing

    def trained(steps, size):
        kerata.utils.set_random_seed(3)
        model = kerata.Sequential([layers.Embedding(9, 4, mask_zero=True), layers.Dense(9)])
        loss = losses.SparseCategoricalCrossentropy(from_logits=True)
        model.compile(SGD(0.5, gradient_accumulation_steps=steps), loss)
        model.fit(ids, (ids + 1) % 9, size, 1, 0, shuffle=False)
        return np.concatenate([w.ravel() for w in model.get_weights()])

    np.testing.assert_allclose(trained(3, 3), trained(None, 9), rtol=1e-6, atol=1e-6)


def test_several_steps_in_one_call(training_backend):
    expected, _ = fitted(sgd(3), 24)
    found, model = fitted(sgd(3), 24, steps_per_execution=2)
    np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-6)
    assert float(model.optimizer.variables[-1].numpy()) == 0.0


def test_a_full_window_is_not_flushed(training_backend):
    _, model = fitted(adam(2), 50)
    assert int(model.optimizer.iterations) == 2
    before = model.get_weights()
    model.optimizer.flush()
    for now, then in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(now, then)


def pair(steps=3):
    variable = kerata.Variable([1.0, 2.0], name="w")
    optimizer = SGD(1.0, gradient_accumulation_steps=steps)
    optimizer.build([variable])
    return variable, optimizer


def gradient(*values):
    return [ops.convert_to_tensor(np.array(values, "float32"))]


def test_calls_without_weights_count_alike(backend):
    variable, optimizer = pair()
    for i in range(3):
        optimizer.apply(gradient(3.0 * i, 0.0))
    np.testing.assert_allclose(variable.numpy(), [-2.0, 2.0], rtol=1e-6)


def test_weights(backend):
    variable, optimizer = pair()
    for value, weight in ((1.0, 1), (4.0, ops.convert_to_tensor(2.0)), (100.0, 0)):
        optimizer.apply(gradient(value, 0.0), weight=weight)
    np.testing.assert_allclose(variable.numpy(), [-2.0, 2.0], rtol=1e-6)
    for _ in range(3):
        optimizer.apply(gradient(0.0, 1.0), weight="sum")
    np.testing.assert_allclose(variable.numpy(), [-2.0, -1.0], rtol=1e-6)
    for _ in range(3):
        optimizer.apply(gradient(0.0, 0.0), weight=0)
    np.testing.assert_allclose(variable.numpy(), [-2.0, -1.0], rtol=1e-6)
    with pytest.raises(ValueError, match=r"weight must be a number.*got 'mean'"):
        optimizer.apply(gradient(0.0, 1.0), weight="mean")


def test_inside_other_optimizers(backend):
    first, second = (SGD(1.0, gradient_accumulation_steps=3) for _ in range(2))
    scaled, several = LossScaleOptimizer(first, 8.0), MultiOptimizer(lambda variable: second)
    for optimizer, scale in ((scaled, 8.0), (several, 1.0)):
        variable = kerata.Variable([1.0, 2.0], name="w")
        optimizer.build([variable])
        assert optimizer.accumulates
        optimizer.apply(gradient(3.0 * scale, 0.0), weight=1)
        optimizer.apply(gradient(0.0, 3.0 * scale), weight=2)
        optimizer.flush()
        np.testing.assert_allclose(variable.numpy(), [0.0, 0.0], atol=1e-6)


def test_flushing_begins_a_new_window(backend):
    variable, _ = pair()
    variable.constraint = lambda w: ops.maximum(w, 0.0)
    optimizer = SGD(1.0, gradient_accumulation_steps=3)
    optimizer.build([variable])
    optimizer.flush()
    optimizer.apply(gradient(2.0, 0.0))
    optimizer.apply(gradient(4.0, 1.0))
    optimizer.flush()
    np.testing.assert_allclose(variable.numpy(), [0.0, 1.5])  # by the constraint
    assert int(ops.convert_to_numpy(optimizer.iterations)) == 1
    for _ in range(2):
        optimizer.apply(gradient(0.0, 1.0))
    np.testing.assert_allclose(variable.numpy(), [0.0, 1.5])
    optimizer.apply(gradient(0.0, 1.0))
    np.testing.assert_allclose(variable.numpy(), [0.0, 0.5])


def test_infinite_gradients_end_with_their_window(backend):
    _, optimizer = pair(2)
    for value in (np.inf, 1.0, 1.0, 1.0):
        optimizer.apply(gradient(value, 0.0))
    assert np.isfinite(optimizer.variables[2].numpy()).all()


def test_a_window_is_saved_where_it_was_begun(backend):
    variable, optimizer = pair()
    optimizer.apply(gradient(2.0, 0.0), weight=8)
    store = {}
    optimizer.save_own_variables(store)
    again, other = pair()
    other.load_own_variables(store)
    for one in (optimizer, other):
        for _ in range(2):
            one.apply(gradient(4.0, 1.0), weight=4)
    np.testing.assert_array_equal(again.numpy(), variable.numpy())
    store = {}
    optimizer.save_own_variables(store)
    assert len(store) == len(optimizer.variables) - 1  # as Keras has it
    other.apply(gradient(2.0, 0.0))
    other.load_own_variables(store)
    assert [v.numpy().tolist() for v in other.variables] == [
        v.numpy().tolist() for v in optimizer.variables
    ]
