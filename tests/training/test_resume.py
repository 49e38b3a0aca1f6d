"""A run that was killed and started again ends as the run that was not."""

import itertools
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kerata
from kerata.callbacks import BackupAndRestore, Callback

sys.path.insert(0, str(Path(__file__).parent))

import resumed_script


def assert_same(found, expected):
    for a, b in zip(found[0], expected[0], strict=True):
        np.testing.assert_array_equal(a, b)
    assert found[1] == expected[1]
    assert found[2] == expected[2]
    assert int(found[3]) == int(expected[3])


@pytest.mark.slow
def test_a_killed_process(training_backend, tmp_path):
    place = ("2", "4")
    killed = subprocess.run(
        [sys.executable, resumed_script.__file__, training_backend, str(tmp_path / "a"), *place],
        env={**os.environ, "PYTHONPATH": str(Path(kerata.__file__).parents[1])},
        capture_output=True,
        check=False,
    )
    assert killed.returncode == -signal.SIGKILL, killed.stderr.decode()
    assert (tmp_path / "a" / "latest.npz").exists()
    resumed = resumed_script.train(tmp_path / "a")
    assert_same(resumed, resumed_script.train(tmp_path / "b"))
    assert not (tmp_path / "a").exists()


class Cut(Exception):
    pass


class CutAt(Callback):
    def __init__(self, epoch, batch):
        super().__init__()
        self.place = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            raise Cut


@pytest.mark.slow
def test_several_steps_in_a_call(training_backend, tmp_path):
    with pytest.raises(Cut):
        resumed_script.train(tmp_path / "a", CutAt(1, 5), steps_per_execution=3)
    resumed = resumed_script.train(tmp_path / "a", steps_per_execution=3)
    assert_same(resumed, resumed_script.train(tmp_path / "b", steps_per_execution=3))


# Where it goes on in the data, with a model that notes every batch; no engine is needed for that.

X = np.arange(24, dtype="float32").reshape(12, 2)
BATCHES = [X[i : i + 2] for i in range(0, 12, 2)]


class Notes(kerata.Model):
    """Its weight depends on every batch and on their order."""

    def __init__(self):
        super().__init__()
        self.total = self.add_weight((), initializer="zeros", name="total")
        self.seed = kerata.random.SeedGenerator(3)

    def call(self, x):
        return x

    def train_step(self, data):
        noise = kerata.random.uniform((), seed=self.seed) + kerata.random.uniform(())
        self.total.assign(0.9 * self.total + kerata.ops.mean(data) + noise)
        return {"total": self.total.value}


class Shuffled(kerata.utils.PyDataset):
    """Draws its order anew after each epoch, from a generator of its own."""

    def __init__(self):
        super().__init__()
        self.rng = np.random.default_rng()
        self.order = self.rng.permutation(6)

    def __len__(self):
        return 6

    def __getitem__(self, i):
        return BATCHES[self.order[i]]

    def on_epoch_end(self):
        self.order = self.rng.permutation(6)

    def get_state(self):
        return {"order": self.order, "rng": self.rng.bit_generator.state["state"]}

    def set_state(self, value):
        self.order = value["order"]
        state = {k: int(v) for k, v in value["rng"].items()}
        self.rng.bit_generator.state = {**self.rng.bit_generator.state, "state": state}


class AtEachPass:
    """Draws its order where a pass begins."""

    def __init__(self, rng):
        self.rng = rng

    def __len__(self):
        return 6

    def __iter__(self):
        return (BATCHES[i] for i in self.rng.permutation(6))


class AtEachBatch:
    """Draws from the process' generators for every batch."""

    def __len__(self):
        return 6

    def __iter__(self):
        return (BATCHES[np.random.randint(6)] + random.random() for _ in range(6))


SOURCES = {
    "arrays": lambda: (X, {"batch_size": 2}),
    "arrays, part of an epoch": lambda: (X, {"batch_size": 2, "steps_per_epoch": 3}),
    "list": lambda: ([(b,) for b in BATCHES], {}),
    "iterator": lambda: (itertools.cycle(BATCHES), {"steps_per_epoch": 5}),
    "dataset with a state": lambda: (Shuffled(), {}),
    "order of its own": lambda: (AtEachPass(np.random.default_rng(2)), {}),
    "order of the process": lambda: (AtEachPass(np.random), {}),
    "draws for each batch": lambda: (AtEachBatch(), {}),
}


def noted(source, folder, *others, save_freq=2, seed=5, epochs=4):
    kerata.utils.set_random_seed(seed)
    x, arguments = SOURCES[source]()
    with kerata.use_backend("numpy"):
        model = Notes()
        model.compile("sgd", run_eagerly=True)
        backup = BackupAndRestore(folder, save_freq=save_freq)
        history = model.fit(x, epochs=epochs, verbose=0, callbacks=[backup, *others], **arguments)
        return history.history["total"]


@pytest.mark.parametrize("save_freq", ["epoch", 2])
@pytest.mark.parametrize("place", [(0, 2), (1, 2), (2, 0), (3, 1)])
@pytest.mark.parametrize("source", [s for s in SOURCES if s != "dataset with a state"])
def test_the_place_in_the_data(tmp_path, source, place, save_freq):
    with pytest.raises(Cut):
        noted(source, tmp_path / "a", CutAt(*place), save_freq=save_freq)
    resumed = noted(source, tmp_path / "a", save_freq=save_freq)
    assert resumed == noted(source, tmp_path / "b", save_freq=save_freq)


@pytest.mark.parametrize("place", [(0, 3), (2, 3)])
def test_data_that_keeps_a_state_needs_no_seed(tmp_path, monkeypatch, place):
    """The order of the second run of the script is another, and yet that of the first comes."""
    seen = []
    get = Shuffled.__getitem__
    monkeypatch.setattr(
        Shuffled, "__getitem__", lambda self, i: seen.append(self.order.copy()) or get(self, i)
    )
    with pytest.raises(Cut):
        noted("dataset with a state", tmp_path / "a", CutAt(*place))
    before = seen[-1]
    seen.clear()
    noted("dataset with a state", tmp_path / "a")
    after = next(o for o in seen[1:])  # the first is read to see its shape
    np.testing.assert_array_equal(after, before)


def test_a_script_without_a_seed_goes_on_too(tmp_path):
    """All that is drawn is in the backup: a run with another seed ends as the first would have."""
    with pytest.raises(Cut):
        noted("arrays", tmp_path / "a", CutAt(1, 3))
    assert noted("arrays", tmp_path / "a", seed=99) == noted("arrays", tmp_path / "b")


def test_a_run_that_had_stopped_does_not_go_on(tmp_path):
    class Stop(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if self.model.current_run.epoch == 1 and batch == 3:
                self.model.stop_training = True

    class CutAtTheEnd(Callback):
        def on_train_end(self, logs=None):
            raise Cut

    with pytest.raises(Cut):
        noted("arrays", tmp_path, CutAtTheEnd(), Stop())
    assert len(noted("arrays", tmp_path)) == 2


def test_more_epochs_with_a_backup_that_is_kept(tmp_path):
    class Keep(Callback):
        comes_last = True

        def on_train_begin(self, logs=None):
            self.model.current_run.callbacks.callbacks[-2].delete_checkpoint = False

    noted("arrays", tmp_path / "a", Keep(), save_freq="epoch", epochs=2)
    assert noted("arrays", tmp_path / "a", epochs=4) == noted("arrays", tmp_path / "b", epochs=4)


def test_validation_by_an_iterator_goes_on(tmp_path):
    seen = []

    class Watched(Notes):
        def test_step(self, data):
            seen.append(float(np.asarray(data)[0, 0]))
            return {"x": kerata.ops.mean(data)}

    def run(*others):
        kerata.utils.set_random_seed(0)
        with kerata.use_backend("numpy"):
            model = Watched()
            model.compile("sgd", run_eagerly=True)
            return model.fit(
                X, batch_size=2, epochs=4, verbose=0, validation_data=itertools.cycle(BATCHES),
                validation_steps=2, validation_freq=2,
                callbacks=[BackupAndRestore(tmp_path), *others],
            ).history["val_x"]  # fmt: skip

    with pytest.raises(Cut):
        run(CutAt(3, 1))
    assert run() == [5.5, 13.5]  # the last of two batches each


def test_other_batches_are_refused(tmp_path):
    with pytest.raises(Cut):
        noted("arrays", tmp_path, CutAt(1, 3))
    with pytest.raises(
        ValueError, match=r"within an epoch of 6 batches of 2 rows; this one has 6 b"
    ):
        noted("list", tmp_path)
