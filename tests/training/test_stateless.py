"""Losses and state as values."""

import numpy as np
import pytest

import kerata
from kerata import layers

X = np.ones((8, 3), "float32")


def built(**arguments):
    model = kerata.Sequential(
        [kerata.Input((3,)), layers.Dense(2, name="d"), layers.BatchNormalization(name="bn")],
        name="m",
    )
    model.compile(kerata.optimizers.Adam(name="adam"), "mse", metrics=["mae"], **arguments)
    return model


@pytest.fixture
def model(training_backend):
    found = built()
    found.train_on_batch(X, X[:, :2])
    return found


def names(tree):
    return {k: names(v) if isinstance(v, dict) else tuple(v.shape) for k, v in tree.items()}


def test_the_tree_of_states(model):
    tree = model.get_state_tree("numpy_array")
    assert names(tree["trainable_variables"]["m"] if "m" in tree["trainable_variables"]
                 else tree["trainable_variables"]) == {
        "d": {"kernel": (3, 2), "bias": (2,)}, "bn": {"gamma": (2,), "beta": (2,)}
    }  # fmt: skip
    assert set(tree) == {
        "trainable_variables", "non_trainable_variables", "optimizer_variables", "metrics_variables"
    }  # fmt: skip
    assert {"iteration", "learning_rate"} < set(tree["optimizer_variables"]["adam"])
    assert names(tree["metrics_variables"])["loss"] == {"total": (), "count": ()}
    assert all(isinstance(v, np.ndarray) for v in tree["metrics_variables"]["loss"].values())
    tensors = model.get_state_tree()["metrics_variables"]["loss"]["total"]
    assert isinstance(tensors, kerata.backends.load(kerata.config.backend()).tensor_types)


def test_a_tree_goes_back(model):
    kept = model.get_state_tree("numpy_array")
    expected = model.predict(X, verbose=0)
    model.fit(X, X[:, :2], epochs=3, verbose=0)
    assert np.abs(model.predict(X, verbose=0) - expected).max() > 1e-4
    model.set_state_tree(kept)
    np.testing.assert_allclose(model.predict(X, verbose=0), expected, atol=1e-6)
    assert int(model.optimizer.iterations.numpy()) == 1
    model.set_state_tree({"metrics_variables": {"loss": {"total": 5.0}}})
    assert float(model.metrics[0].variables[0].numpy()) == 5.0


def test_what_is_not_there_is_refused(model):
    with pytest.raises(ValueError, match="there are no 'weights'; there are trainable_variables"):
        model.set_state_tree({"weights": {}})
    with pytest.raises(ValueError, match="'metrics_variables' has no variable 'loss/sum'; there"):
        model.set_state_tree({"metrics_variables": {"loss": {"sum": 1.0}}})
    with pytest.raises(ValueError, match="value_format must be one of backend_tensor, numpy_array"):
        model.get_state_tree("list")


def test_variables_of_one_path_are_told_apart(training_backend):
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse", metrics=["mae"], weighted_metrics=["mae"])
    model.train_on_batch(X, X[:, :1])
    tree = model.get_state_tree()["metrics_variables"]
    assert len(model.metrics_variables) == sum(len(v) for v in tree.values()) == 6


def values(variables):
    return [v.value for v in variables]


def test_the_loss_as_a_function_of_the_state(model):
    before = [v.numpy() for v in model.variables]
    given = [
        [np.zeros_like(v.numpy()) for v in model.trainable_variables],
        values(model.non_trainable_variables),
        values(model.metrics_variables),
    ]
    y_pred = np.full((8, 2), 3.0, "float32")
    loss, new = model.stateless_compute_loss(*given, x=X, y=X[:, :2], y_pred=y_pred)
    assert float(loss) == pytest.approx(4.0)
    assert [len(g) for g in new] == [4, 2, 4]
    loss, (same, out, others, metrics) = model.compute_loss_and_updates(
        *given,
        X,
        X[:, :2],
        None,
        training=True,
        optimizer_variables=values(model.optimizer.variables),
    )
    assert float(loss) == float(same) == pytest.approx(1.0)  # all weights are 0, and so the outputs
    np.testing.assert_array_equal(np.asarray(out), np.zeros((8, 2)))
    np.testing.assert_allclose(np.asarray(others[0]), 0.99 * before[-2], rtol=1e-5)
    assert len(metrics) == 4
    for variable, old in zip(model.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), old)


def test_the_loss_is_scaled_as_the_optimizer_does(training_backend):
    model = built()
    model.compile(kerata.optimizers.LossScaleOptimizer(kerata.optimizers.SGD(0.1)), "mse")
    model.train_on_batch(X, X[:, :2])
    groups = model.trainable_variables, model.non_trainable_variables, model.metrics_variables
    scaled, (loss, *_) = model.compute_loss_and_updates(
        *map(values, groups), X, X[:, :2], None,
        optimizer_variables=values(model.optimizer.variables),
    )  # fmt: skip
    scaled, loss = (float(kerata.ops.convert_to_numpy(v)) for v in (scaled, loss))
    assert scaled == pytest.approx(32768 * loss)


def test_the_state_is_always_in_the_variables(training_backend):
    seen = []

    class Look(kerata.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.jax_state_sync()
            seen.append(int(self.model.optimizer.iterations.numpy()))

    built().fit(X, X[:, :2], batch_size=4, verbose=0, callbacks=[Look()])
    assert seen == [1, 2]
