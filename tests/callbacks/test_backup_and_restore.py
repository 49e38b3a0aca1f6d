"""`BackupAndRestore`: its files and its refusals (tests/training/test_resume.py has the rest)."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.callbacks import BackupAndRestore, Callback, CallbackList, EarlyStopping, History


def fit(folder, units=2, epochs=2, optimizer="adam", **arguments):
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(units)])
    model.compile(optimizer, "mse")
    x = np.ones((8, 3), "float32")
    backup = BackupAndRestore(folder, **arguments)
    with kerata.use_backend("torch"):
        history = model.fit(
            x, np.ones((8, units)), batch_size=4, epochs=epochs, verbose=0, callbacks=[backup]
        )
    return model, history


@pytest.fixture
def kept(tmp_path):
    """A folder with the backups of two epochs."""
    pytest.importorskip("torch")
    fit(tmp_path / "run", double_checkpoint=True, delete_checkpoint=False)
    return tmp_path / "run"


def test_the_folder_is_gone_after_training(tmp_path):
    pytest.importorskip("torch")
    fit(tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_the_folder_stays_where_others_use_it(tmp_path):
    pytest.importorskip("torch")
    (tmp_path / "notes.txt").write_text("mine")
    fit(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["notes.txt"]


def test_a_finished_run_trains_no_more(kept):
    model, history = fit(kept, epochs=2)
    assert history.epoch == [0, 1]
    assert int(model.optimizer.iterations.numpy()) == 4


def test_a_damaged_backup_gives_way_to_the_one_before(kept):
    latest = kept / "latest.npz"
    latest.write_bytes(latest.read_bytes()[:-200])
    with pytest.warns(UserWarning, match=r"latest\.npz is damaged.*goes on from .*previous\.npz"):
        _, history = fit(kept, epochs=3)
    assert history.epoch == [0, 1, 2]


def test_damaged_backups_are_reported(kept):
    for path in kept.iterdir():
        path.write_bytes(b"no archive")
    with pytest.raises(OSError, match=r"latest\.npz is damaged.*Delete .* to train from the begin"):
        fit(kept)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"units": 5}, r"the shape \(3, 2\) for '.*kernel', and this one \(3, 5\)"),
        ({"optimizer": "sgd"}, "6 variables of the optimizer .*, and this one 2"),
    ],
)
def test_another_model_is_refused(kept, change, message):
    with pytest.raises(ValueError, match=rf"is of another model: it has {message}"):
        fit(kept, **change)


@pytest.mark.parametrize("save_freq", [0, -1, "batch", 2.5, None, True])
def test_save_freq_is_checked(tmp_path, save_freq):
    with pytest.raises(ValueError, match="save_freq must be 'epoch' or a number of batches; got"):
        BackupAndRestore(tmp_path, save_freq=save_freq)


def test_a_folder_is_needed():
    with pytest.raises(ValueError, match="backup_dir is empty"):
        BackupAndRestore("")


def test_it_comes_last_whatever_the_order(tmp_path):
    backup = BackupAndRestore(tmp_path)
    listed = CallbackList([backup, EarlyStopping()], add_history=True)
    assert [type(c) for c in listed.callbacks] == [EarlyStopping, History, BackupAndRestore]
    late = Callback()
    listed.append(late)
    assert listed.callbacks[-2:] == [late, backup]


def test_optimizers_in_attributes_are_kept(tmp_path):
    """As in a GAN written for Keras: two optimizers that the model builds in its step."""
    pytest.importorskip("torch")

    class Two(kerata.Model):
        def __init__(self):
            super().__init__()
            self.one, self.two = layers.Dense(1), layers.Dense(1)

        def compile(self, **arguments):
            super().compile(**arguments)
            self.first = kerata.optimizers.Adam(0.1)
            self.second = kerata.optimizers.SGD(0.1, momentum=0.9)

        def call(self, x):
            return self.one(x) + self.two(x)

        def train_step(self, data):
            for layer, optimizer in ((self.one, self.first), (self.two, self.second)):
                variables = layer.trainable_variables
                loss, gradients = kerata.value_and_grad(
                    lambda: kerata.ops.mean(kerata.ops.square(self(data) - 1)), variables
                )()
                optimizer.apply(gradients, variables)
            return {"loss": loss}

    class Cut(Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    def run(folder, *others):
        kerata.utils.set_random_seed(0)
        model = Two()
        model.compile()
        x = np.random.default_rng(0).random((8, 3), "float32")
        model.fit(x, epochs=4, verbose=0, callbacks=[BackupAndRestore(folder), *others])
        return model.get_weights()

    with kerata.use_backend("torch"):
        with pytest.raises(KeyboardInterrupt):
            run(tmp_path / "a", Cut())
        for found, expected in zip(run(tmp_path / "a"), run(tmp_path / "b"), strict=True):
            np.testing.assert_array_equal(found, expected)
