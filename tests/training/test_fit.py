"""`fit`, `evaluate`, `predict` and the batch methods, on every backend in one process."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops


def mlp(dropout=0.0):
    return kerata.Sequential(
        [
            kerata.Input((6,)),
            layers.Dense(16, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(3, activation="softmax"),
        ]
    )


@pytest.fixture
def task():
    """A linear teacher: 300 rows, so that batches of 32 leave a short one."""
    rng = np.random.default_rng(3)
    x = rng.standard_normal((300, 6)).astype("float32")
    return x, (x @ rng.standard_normal((6, 3))).argmax(-1).astype("int32")


def test_fit_learns_and_keeps_history(training_backend, task):
    x, y = task
    model = mlp()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.optimizer.learning_rate = 0.01
    history = model.fit(x, y, epochs=12, validation_split=0.2, verbose=0)
    assert set(history.history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history.epoch == list(range(12))
    assert history.history["loss"][-1] < 0.6 * history.history["loss"][0]
    loss, accuracy = model.evaluate(x, y, verbose=0)
    assert accuracy > 0.85
    p = model.predict(x, verbose=0)
    assert p.shape == (300, 3)
    np.testing.assert_allclose((p.argmax(-1) == y).mean(), accuracy, atol=1e-6)
    np.testing.assert_allclose(-np.log(p[np.arange(300), y]).mean(), loss, rtol=1e-4)


def test_training_is_the_same_on_every_backend(task):
    """Same seed, same weights, same order of samples: the same losses."""
    x, y = task
    losses = {}
    for name in kerata.backends.backends(training=True):
        with kerata.use_backend(name):
            kerata.utils.set_random_seed(5)
            model = mlp()
            model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
            losses[name] = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    first = next(iter(losses.values()))
    for name, found in losses.items():
        np.testing.assert_allclose(found, first, rtol=1e-4, err_msg=name)


def test_a_model_moves_between_backends_and_trains_on(task):
    """Weights and optimizer state travel: three epochs on three backends equal three on one."""
    x, y = task
    trainers = kerata.backends.backends(training=True)

    def run(names):
        kerata.utils.set_random_seed(11)
        model = mlp()
        model.compile(kerata.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
        for name in names:
            with kerata.use_backend(name):
                model.fit(x, y, epochs=1, verbose=0, shuffle=False)
        return model

    moved = run(trainers)
    stayed = run([trainers[0]] * len(trainers))
    assert int(moved.optimizer.iterations.numpy()) == 10 * len(trainers)
    predictions = {}
    for name in kerata.backends.backends():
        with kerata.use_backend(name):
            predictions[name] = moved.predict(x, verbose=0)
            loss = moved.evaluate(x, y, verbose=0)
            np.testing.assert_allclose(
                loss, -np.log(predictions[name][np.arange(300), y]).mean(), rtol=1e-4
            )
    with kerata.use_backend(trainers[0]):
        np.testing.assert_allclose(
            predictions[trainers[0]], stayed.predict(x, verbose=0), atol=2e-4
        )
    for name, found in predictions.items():
        np.testing.assert_allclose(found, predictions["numpy"], atol=1e-5, err_msg=name)


def test_the_short_last_batch_counts_by_its_rows(training_backend, task):
    x, y = task
    model = mlp()
    model.compile(kerata.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    whole = model.evaluate(x, y, batch_size=300, verbose=0)
    assert model.evaluate(x, y, batch_size=128, verbose=0) == pytest.approx(whole, rel=1e-5)
    history = model.fit(x, y, batch_size=128, epochs=1, verbose=0)
    assert history.history["loss"][0] == pytest.approx(whole, rel=1e-5)


def test_compilations_are_counted(task):
    x, y = task
    for name in ("jax", "tensorflow"):
        if not kerata.backends.installed(name):
            continue
        with kerata.use_backend(name):
            model = mlp()
            model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=1)
            history = model.fit(x, y, epochs=2, batch_size=100, verbose=0)
            assert len(history.compilations["train"][name]) == 1
            history = model.fit(x, y, epochs=2, batch_size=128, verbose=0)
            assert len(history.compilations["train"][name]) == 3  # 100, 128, and the short one
            assert "3 train programs" in repr(history)


def test_many_shapes_are_warned_about(task):
    x, y = task
    if not kerata.backends.installed("jax"):
        pytest.skip("needs a backend that compiles")
    with kerata.use_backend("jax"):
        model = mlp()
        model.compile("sgd", "sparse_categorical_crossentropy")
        batches = [(x[:n], y[:n]) for n in range(10, 17)]
        with pytest.warns(UserWarning, match=r"compiled 7 times on jax.*\(16, 6\) float32"):
            model.fit(batches, epochs=1, verbose=0)


def test_sample_weight_and_class_weight(training_backend, task):
    x, y = task
    model = mlp()
    model.compile(
        kerata.optimizers.SGD(0.0), "sparse_categorical_crossentropy",
        metrics=["accuracy"], weighted_metrics=["accuracy"],
    )  # fmt: skip
    p = model.predict(x, verbose=0)
    weights = np.where(y == 0, 2.0, 0.5).astype("float32")
    losses = -np.log(p[np.arange(300), y]) * weights
    logs = model.evaluate(x, y, sample_weight=weights, batch_size=300, verbose=0, return_dict=True)
    assert logs["loss"] == pytest.approx(losses.mean(), rel=1e-4)
    h = model.fit(
        x, y, class_weight={0: 2.0, 1: 0.5, 2: 0.5}, batch_size=300, epochs=1, verbose=0
    ).history
    assert h["loss"][0] == pytest.approx(losses.mean(), rel=1e-4)
    with pytest.raises(ValueError, match=r"can't be used beside sample_weight"):
        model.fit(x, y, sample_weight=weights, class_weight={0: 2.0}, verbose=0)


def test_batch_methods(training_backend, task):
    x, y = task
    model = mlp()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    first = model.train_on_batch(x[:32], y[:32], return_dict=True)
    assert set(first) == {"loss", "accuracy"}
    for _ in range(60):
        model.train_on_batch(x[:32], y[:32])
    model.reset_metrics()
    assert model.test_on_batch(x[:32], y[:32])[0] < first["loss"]
    p = model.predict_on_batch(x[:5])
    np.testing.assert_allclose(p, model.predict(x[:5], verbose=0), atol=1e-6)


def test_generators_and_iterables(training_backend, task):
    x, y = task

    def batches():
        for i in range(0, 288, 32):
            yield x[i : i + 32], y[i : i + 32]

    model = mlp()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(list(batches()), epochs=2, verbose=0, validation_data=(x[:50], y[:50]))
    assert len(history.history["val_loss"]) == 2
    assert int(model.optimizer.iterations.numpy()) == 18

    def endless():
        while True:
            yield from batches()

    model.fit(endless(), steps_per_epoch=5, epochs=2, verbose=0)
    assert int(model.optimizer.iterations.numpy()) == 28
    assert model.predict(batches(), verbose=0).shape == (288, 3)


def test_several_inputs_outputs_and_losses(training_backend):
    a, b = kerata.Input((4,), name="a"), kerata.Input((4,), name="b")
    shared = layers.Dense(8, activation="relu")
    h = layers.Concatenate()([shared(a), shared(b)])
    first = layers.Dense(1, name="first")(h)
    second = layers.Dense(3, activation="softmax", name="second")(layers.Add()([h, h]))
    model = kerata.Model({"a": a, "b": b}, {"first": first, "second": second})
    model.compile(
        kerata.optimizers.Adam(0.01),
        loss={"first": "mse", "second": "sparse_categorical_crossentropy"},
        loss_weights={"first": 0.5, "second": 1.0},
        metrics={"second": ["accuracy"]},
    )
    rng = np.random.default_rng(0)
    x = {k: rng.random((64, 4), "float32") for k in "ab"}
    y = {"first": x["a"][:, :1] - x["b"][:, :1], "second": x["b"][:, :3].argmax(-1)}
    history = model.fit(x, y, epochs=15, verbose=0, batch_size=16).history
    assert set(history) == {"loss", "first_loss", "second_loss", "second_accuracy"}
    assert history["loss"][-1] < history["loss"][0]
    np.testing.assert_allclose(
        history["loss"][-1],
        history["first_loss"][-1] + history["second_loss"][-1],
        rtol=1e-4,
    )
    p = model.predict(x, verbose=0)
    assert p["first"].shape == (64, 1) and p["second"].shape == (64, 3)


def test_a_train_step_of_ones_own(training_backend, task):
    x, y = task

    class Mine(kerata.Model):
        def train_step(self, data):
            inputs, targets = data

            def loss_of():
                p = self(inputs, training=True)
                return ops.mean(ops.sparse_categorical_crossentropy(targets, p))

            loss, gradients = kerata.value_and_grad(loss_of, self.trainable_variables)()
            self.optimizer.apply(gradients, self.trainable_variables)
            return {"mine": loss}

    i = kerata.Input((6,))
    model = Mine(i, layers.Dense(3, activation="softmax")(i))
    model.compile(kerata.optimizers.Adam(0.05))
    history = model.fit(x, y, epochs=6, verbose=0).history
    assert list(history) == ["mine"]
    assert history["mine"][-1] < 0.85 * history["mine"][0]


def test_losses_that_layers_add(training_backend, task):
    x, _ = task

    class Penalty(layers.Layer):
        def call(self, x):
            self.add_loss(ops.mean(ops.square(x)))
            return x

    i = kerata.Input((6,))
    model = kerata.Model(i, Penalty()(layers.Dense(2, kernel_regularizer="l2")(i)))
    model.compile(kerata.optimizers.Adam(0.05))
    h = model.fit(x, epochs=5, verbose=0).history
    assert h["loss"][-1] < h["loss"][0]
    model.predict(x[:4], verbose=0)
    assert len(model.losses) == 1 or len(model.losses) == 2


@pytest.mark.parametrize("steps", [1, 4])
def test_batch_callbacks_see_every_call(training_backend, task, steps):
    x, y = task

    class Count(kerata.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.batches = []

        def on_train_batch_end(self, batch, logs=None):
            self.batches.append(batch)
            assert np.isfinite(logs["loss"])

    model, count = mlp(), Count()
    model.compile("sgd", "sparse_categorical_crossentropy", steps_per_execution=steps)
    model.fit(x, y, epochs=1, batch_size=32, verbose=0, callbacks=[count])
    several = steps > 1 and kerata.backends.load(training_backend).repeats
    assert count.batches == ([3, 7, 8, 9] if several else list(range(10)))


def test_steps_in_one_call_give_the_same_training(training_backend, task):
    x, y = task

    def losses(steps):
        kerata.utils.set_random_seed(2)
        model = mlp(dropout=0.3)
        model.compile("adam", "sparse_categorical_crossentropy", steps_per_execution=steps)
        return model.fit(x, y, epochs=3, verbose=0).history["loss"]

    np.testing.assert_allclose(losses(1), losses(4), rtol=1e-4)


def test_early_stopping_restores_the_best_weights(training_backend, task):
    x, y = task
    model = mlp()
    model.compile(kerata.optimizers.Adam(0.2), "sparse_categorical_crossentropy")
    stop = kerata.callbacks.EarlyStopping(patience=2, restore_best_weights=True)
    history = model.fit(
        x[:200], y[:200], epochs=60, verbose=0, callbacks=[stop],
        validation_data=(x[200:], y[200:]),
    )  # fmt: skip
    assert len(history.epoch) < 60
    best = min(history.history["val_loss"])
    assert model.evaluate(x[200:], y[200:], verbose=0) == pytest.approx(best, rel=1e-4)


def test_masks_reach_the_loss(training_backend):
    ids = np.array([[1, 2, 3, 0], [4, 0, 0, 0]] * 8)
    y = np.zeros((16, 4), "int32")
    model = kerata.Sequential(
        [
            kerata.Input((None,), dtype="int32"),
            layers.Embedding(6, 4, mask_zero=True),
            layers.LSTM(5, return_sequences=True),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(kerata.optimizers.SGD(0.0), "sparse_categorical_crossentropy")
    p = model.predict(ids, verbose=0)
    mask = ids != 0
    expected = -np.log(p[..., 0])[mask].mean()
    assert model.evaluate(ids, y, batch_size=16, verbose=0) == pytest.approx(expected, rel=1e-4)
    found = model.fit(ids, y, batch_size=16, verbose=0).history["loss"][0]
    assert found == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_trains(training_backend, task, policy):
    x, y = task
    kerata.config.set_dtype_policy(policy)
    try:
        model = mlp()
    finally:
        kerata.config.set_dtype_policy("float32")
    assert {v.stored_dtype for v in model.trainable_variables} == {"float32"}
    model.compile(kerata.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    losses = model.fit(x, y, epochs=8, verbose=0).history["loss"]
    assert losses[-1] < 0.8 * losses[0]
