"""Steps as Keras users write them for one engine, and steps as functions of the state."""

import functools

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.training.custom_steps import packed, takes_state

RNG = np.random.default_rng(3)
X = RNG.standard_normal((100, 6)).astype("float32")
Y = (X @ RNG.standard_normal((6, 3))).argmax(-1).astype("int32")


def updated(metrics, values, loss, y, y_pred):
    """The metrics' new values and results, as Keras' users compute them."""
    new, logs = [], {}
    for metric in metrics:
        own = values[len(new) : len(new) + len(metric.variables)]
        if metric.name == "loss":
            own = metric.stateless_update_state(own, loss)
        else:
            own = metric.stateless_update_state(own, y, y_pred)
        logs[metric.name] = metric.stateless_result(own)
        new += own
    return new, logs


class OnJax(kerata.Model):
    def train_step(self, state, data):
        import jax

        trained, others, optimizer, metrics = state
        x, y = data

        def loss_of(trained, others):
            y_pred, others = self.stateless_call(trained, others, x, training=True)
            return self.compute_loss(x, y, y_pred), (y_pred, others)

        differentiated = jax.value_and_grad(loss_of, has_aux=True)
        (loss, (y_pred, others)), gradients = differentiated(trained, others)
        trained, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trained)
        metrics, logs = updated(self.metrics, metrics, loss, y, y_pred)
        return logs, (trained, others, optimizer, metrics)

    def test_step(self, state, data):
        trained, others, metrics = state
        x, y = data
        y_pred, others = self.stateless_call(trained, others, x, training=False)
        loss, _ = self.stateless_compute_loss(trained, others, metrics, x, y, y_pred)
        metrics, logs = updated(self.metrics, metrics, loss, y, y_pred)
        return logs, (trained, others, metrics)

    def predict_step(self, state, data):
        return self.stateless_call(*state, data, training=False)


class WithUpdates(kerata.Model):
    """The short form, by a method of the model's."""

    def train_step(self, state, data):
        import jax

        trained, others, optimizer, metrics = state
        differentiated = jax.value_and_grad(self.compute_loss_and_updates, has_aux=True)
        (_, (loss, y_pred, others, metrics)), gradients = differentiated(
            trained, others, metrics, *data, None, training=True, optimizer_variables=optimizer
        )
        trained, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trained)
        metrics, logs = updated(self.metrics, metrics, loss, data[1], y_pred)
        return logs, (trained, others, optimizer, metrics)


class OnTensorFlow(kerata.Model):
    def train_step(self, data):
        import tensorflow as tf

        x, y = data
        with tf.GradientTape() as tape:
            y_pred = self(x, training=True)
            loss = self.compute_loss(y=y, y_pred=y_pred)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        return self.results(loss, y, y_pred)

    def results(self, loss, y, y_pred):
        for metric in self.metrics:
            if metric.name == "loss":
                metric.update_state(loss)
            else:
                metric.update_state(y, y_pred)
        return {m.name: m.result() for m in self.metrics}


class OnTorch(OnTensorFlow):
    def train_step(self, data):
        import torch

        x, y = data
        self.zero_grad()
        y_pred = self(x, training=True)
        loss = self.compute_loss(y=y, y_pred=y_pred)
        loss.backward()
        gradients = [v.value.grad for v in self.trainable_weights]
        with torch.no_grad():
            self.optimizer.apply(gradients, self.trainable_weights)
        return self.results(loss, y, y_pred)


class OnTheDefault(kerata.Model):
    """Hands the state on to the default steps."""

    def train_step(self, state, data):
        return super().train_step(state, data)

    def test_step(self, state, data):
        return super().test_step(state, data)

    def predict_step(self, state, data):
        return super().predict_step(state, data)


@functools.cache
def trained(backend, cls, arguments):
    """Losses, results and outputs after two epochs, with dropout and batch statistics."""
    kerata.utils.set_random_seed(1)
    inputs = kerata.Input((6,))
    x = layers.Dense(8, activation="relu")(inputs)
    x = layers.BatchNormalization()(layers.Dropout(0.2)(x))
    model = cls(inputs, layers.Dense(3, activation="softmax")(x))
    model.compile(
        kerata.optimizers.Adam(0.01), "sparse_categorical_crossentropy",
        metrics=["accuracy"], **dict(arguments),
    )  # fmt: skip
    history = model.fit(X, Y, epochs=2, batch_size=20, shuffle=False, verbose=0).history
    logs = model.evaluate(X, Y, batch_size=20, verbose=0, return_dict=True)
    return history, logs, model.predict(X, batch_size=20, verbose=0)


FORMS = [
    ("jax", OnJax),
    ("jax", WithUpdates),
    ("tensorflow", OnTensorFlow),
    ("torch", OnTorch),
    ("jax", OnTheDefault),
    ("torch", OnTheDefault),
]


@pytest.mark.parametrize("argument", [("steps_per_execution", 2), ("run_eagerly", True)], ids=str)
@pytest.mark.parametrize(("backend", "cls"), FORMS)
def test_they_train_as_the_default_does(backend, cls, argument):
    """Compiled, several steps in a call, and eagerly."""
    if not kerata.backends.installed(backend):
        pytest.skip(f"needs {backend}")
    with kerata.use_backend(backend):
        found, expected = (trained(backend, c, (argument,)) for c in (cls, kerata.Model))
    for mine, default in zip(found[:2], expected[:2], strict=True):
        assert set(mine) == set(default)
        for name, value in mine.items():
            np.testing.assert_allclose(value, default[name], rtol=1e-4)
    np.testing.assert_allclose(found[2], expected[2], atol=1e-5)


def test_a_state_of_another_form_is_refused():
    class Wrong(kerata.Model):
        def train_step(self, state, data):
            return {}, state[:2]

    inputs = kerata.Input((6,))
    model = Wrong(inputs, layers.Dense(3)(inputs))
    model.compile("sgd", run_eagerly=True)
    message = r"\(logs, state\) with a state of 4 lists.*got 2"
    with kerata.use_backend("numpy"), pytest.raises(ValueError, match=message):
        model.fit(X, Y, verbose=0)


@pytest.mark.parametrize(
    ("batch", "expected"),
    [
        ((1, None, None), 1),
        ((1, 2, None), (1, 2)),
        ((1, 2, 3), (1, 2, 3)),
        (([1, 2], None, None), ([1, 2],)),
        (({"a": 1}, None, None), {"a": 1}),
    ],
)
def test_batches_come_as_in_keras(batch, expected):
    assert packed(batch) == expected


def test_the_form_is_told_by_what_is_needed():
    assert takes_state(OnJax.train_step.__get__(0))
    assert not takes_state(OnTorch.train_step.__get__(0))
    assert not takes_state(kerata.Model.train_step.__get__(0))
    assert not takes_state(lambda data, scale=2: data)
