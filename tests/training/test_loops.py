"""The loop of `fit`: callbacks that step in, running eagerly, parts of the data, trial runs."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.callbacks import BackupAndRestore, Callback, CSVLogger, ModelCheckpoint

X = np.random.default_rng(0).standard_normal((40, 3)).astype("float32")
Y = X.sum(-1, keepdims=True)


def linear(**arguments):
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1)])
    model.compile(kerata.optimizers.SGD(0.1, momentum=0.9), "mse", **arguments)
    return model


class After(Callback):
    """Calls `act(model)` once, after the fourth step of the second epoch."""

    def __init__(self, act):
        super().__init__()
        self.act = act

    def on_train_batch_end(self, batch, logs=None):
        if self.model.current_run.epoch == 1 and batch == 3:
            self.act(self.model)
            self.kept = self.model.get_weights()


@pytest.mark.parametrize("steps", [1, 4])
@pytest.mark.parametrize("eager", [False, True])
class TestCallbacksThatStepIn:
    def fit(self, act, eager, steps):
        after = After(act)
        model = linear(run_eagerly=eager, steps_per_execution=steps)
        model.fit(X, Y, batch_size=4, epochs=3, verbose=0, callbacks=[after])
        return model, after.kept

    def test_the_learning_rate(self, training_backend, eager, steps):
        def act(model):
            model.optimizer.learning_rate = 0.0
            model.optimizer.momentum = 0.0
            for slot in model.optimizer.variables[2:]:
                slot.assign(np.zeros(slot.shape))

        model, kept = self.fit(act, eager, steps)
        for found, expected in zip(model.get_weights(), kept, strict=True):
            np.testing.assert_allclose(found, expected, atol=1e-6)

    def test_the_weights(self, training_backend, eager, steps):
        """Training goes on from the weights that were set: as from that start."""

        def act(model):
            model.optimizer.learning_rate = 1e-8
            for slot in model.optimizer.variables[2:]:
                slot.assign(np.zeros(slot.shape))
            model.set_weights([np.full((3, 1), 7.0), np.full((1,), -2.0)])

        model, _ = self.fit(act, eager, steps)
        np.testing.assert_allclose(model.get_weights()[0], np.full((3, 1), 7.0), atol=1e-4)
        np.testing.assert_allclose(model.predict(X[:1], verbose=0), 7 * Y[:1] - 2, rtol=1e-3)

    def test_the_end_of_training(self, training_backend, eager, steps):
        def act(model):
            model.stop_training = True

        model, _ = self.fit(act, eager, steps)
        assert int(model.optimizer.iterations.numpy()) == 14
        assert model.history.epoch == [0, 1]


def test_the_position_is_known_while_fit_runs(training_backend):
    seen = []

    class Look(Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append((self.model.current_run.epoch, self.model.current_run.step))

    model = linear()
    model.fit(X, Y, batch_size=20, epochs=3, initial_epoch=1, verbose=0, callbacks=[Look()])
    assert seen == [(1, 1), (1, 2), (2, 1), (2, 2)]
    assert model.current_run is None


def test_eager_steps_run_as_python_each_time(training_backend):
    """`call` runs once a step, sees values, and may branch on them; switched at any time."""
    seen = []

    class Look(kerata.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(1)

        def call(self, x):
            if self.looks:
                seen.append(float(x[0, 0]) if x[0, 0] > -100 else None)
            return self.dense(x)

    model = Look()
    model.looks = False
    model.compile("sgd", "mse", run_eagerly=True)
    assert model.run_eagerly is True
    model.fit(X, Y, batch_size=20, epochs=1, verbose=0)
    model.looks = True
    model.fit(X, Y, batch_size=10, epochs=1, shuffle=False, verbose=0)
    assert seen == [float(v) for v in X[::10, 0]]
    model.predict(X[:2], verbose=0)
    assert len(seen) == 5
    model.looks = model.run_eagerly = False
    model.fit(X, Y, batch_size=20, epochs=2, verbose=0)
    assert len(seen) == 5


def test_jit_compile_is_a_property():
    model = kerata.Sequential([layers.Dense(1)])
    assert model.run_eagerly is False and model.jit_compile == "auto"
    model.compile("sgd", "mse", jit_compile=False)
    assert model.jit_compile is False
    model.jit_compile = True
    assert model.jit_compile is True
    with pytest.raises(ValueError, match="jit_compile must be True, False or 'auto'; got 'yes'"):
        model.jit_compile = "yes"


# Parts of the data


class Count(Callback):
    def __init__(self):
        super().__init__()
        self.train = self.test = 0

    def on_train_batch_end(self, batch, logs=None):
        self.train += 1

    def on_test_batch_end(self, batch, logs=None):
        self.test += 1


def batches_of(**arguments):
    """The batches of training and of validation in two epochs of 10 and 5."""
    count = Count()
    model = linear()
    model.fit(
        X, Y, batch_size=4, validation_data=(X[:20], Y[:20]), verbose=0, callbacks=[count],
        **{"epochs": 2, **arguments},
    )  # fmt: skip
    return count.train, count.test


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, (20, 10)),
        ({"fast_dev_run": True}, (1, 1)),
        ({"fast_dev_run": 3, "validation_freq": 2}, (3, 3)),
        ({"overfit_batches": 2}, (4, 4)),
        ({"overfit_batches": 0.2}, (4, 2)),
        ({"limit_train_batches": 3}, (6, 10)),
        ({"limit_train_batches": 0.5, "limit_val_batches": 0.4}, (10, 4)),
        ({"limit_train_batches": 1000, "limit_val_batches": 1.0}, (20, 10)),
        ({"limit_val_batches": 0}, (20, 0)),
    ],
)
def test_parts_of_the_data(arguments, expected):
    with kerata.use_backend(kerata.backends.backends(training=True)[0]):
        assert batches_of(**arguments) == expected


@pytest.mark.parametrize("steps", [1, 4])
def test_a_limit_holds_for_several_steps_in_a_call(training_backend, steps):
    model = linear(steps_per_execution=steps)
    model.fit(X, Y, batch_size=4, verbose=0, limit_train_batches=7)
    assert int(model.optimizer.iterations.numpy()) == 7
    assert model.predict(X, batch_size=4, verbose=0, limit_batches=3).shape == (12, 1)
    first = model.evaluate(X[:12], Y[:12], batch_size=4, verbose=0)
    assert model.evaluate(X, Y, batch_size=4, verbose=0, limit_batches=0.3) == first


class Seen(kerata.Model):
    """Notes what it is trained on."""

    def call(self, x):
        return x

    def train_step(self, data):
        self.seen.append(float(np.asarray(data)[0, 0]))
        return {}


@pytest.mark.parametrize("as_iterator", [False, True])
def test_the_same_batches_are_overfitted(as_iterator):
    """The first ones, in their order, also of an iterator that goes on."""

    def forever():
        while True:
            for i in range(0, 40, 4):
                yield X[i : i + 4]

    model = Seen()
    model.seen = []
    model.compile("sgd", run_eagerly=True)
    data = (forever(), {"steps_per_epoch": 10}) if as_iterator else (X, {"batch_size": 4})
    with kerata.use_backend("numpy"):
        model.fit(data[0], epochs=3, verbose=0, overfit_batches=2, **data[1])
    assert model.seen == [float(X[0, 0]), float(X[4, 0])] * 3


@pytest.mark.parametrize("as_list", [False, True])
def test_a_trial_run_writes_no_files(tmp_path, as_list):
    made = [
        ModelCheckpoint(tmp_path / "a.keras"),
        BackupAndRestore(tmp_path / "b", delete_checkpoint=False),
        CSVLogger(tmp_path / "c.csv"),
        Count(),
    ]
    with kerata.use_backend(kerata.backends.backends(training=True)[0]):
        callbacks = made if as_list else kerata.callbacks.CallbackList(made, add_history=True)
        linear().fit(X, Y, verbose=0, callbacks=callbacks, fast_dev_run=2, batch_size=4)
        linear().fit(X, Y, verbose=0, callbacks=made[0], fast_dev_run=2, batch_size=4)
    assert not list(tmp_path.iterdir())
    assert made[-1].train == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"fast_dev_run": -1}, "fast_dev_run must be True, False or a number of batches; got -1"),
        ({"limit_train_batches": 0}, "limit_train_batches must leave something to train on"),
        (
            {"limit_train_batches": 1.5},
            r"limit_train_batches: a share must be from 0 to 1; got 1\.5",
        ),
        ({"limit_train_batches": True}, "must be a number of batches or a share of them; got True"),
        ({"limit_val_batches": -2}, "limit_val_batches must be a number of batches or a share"),
        ({"overfit_batches": 2, "limit_train_batches": 3}, "Give either overfit_batches or limit"),
    ],
)
def test_bad_limits(arguments, message):
    with pytest.raises(ValueError, match=message):
        linear().fit(X, Y, validation_data=(X, Y), **arguments)


def test_a_share_of_an_unknown_number():
    with pytest.raises(ValueError, match=r"limit_batches=0\.5 is a share, and the data does not"):
        linear().predict((x for x in [X]), limit_batches=0.5)
