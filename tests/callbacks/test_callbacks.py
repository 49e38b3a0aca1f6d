"""Callbacks: the hooks and their order, early stopping, history, progress."""

import io
import sys

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.callbacks import Callback, CallbackList, EarlyStopping, ProgbarLogger


def fitted(callbacks, verbose=0, **arguments):
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    x = np.ones((8, 3), "float32")
    arguments = {"batch_size": 4, "epochs": 2, "validation_data": (x, x[:, :1]), **arguments}
    return model.fit(x, x[:, :1], callbacks=callbacks, verbose=verbose, **arguments)


class Spy(Callback):
    def __init__(self):
        super().__init__()
        self.seen = []


def _spy_on(name):
    def hook(self, *args):
        self.seen.append(name)

    return hook


HOOKS = [n for n in dir(Callback) if n.startswith("on_") and not n.startswith("on_batch")]
for _name in HOOKS:
    setattr(Spy, _name, _spy_on(_name))


def test_hooks_come_in_keras_order(training_backend):
    spy = Spy()
    fitted([spy], epochs=1)
    batch = ["on_train_batch_begin", "on_train_batch_end"]
    test = ["on_test_batch_begin", "on_test_batch_end"]
    assert spy.seen == [
        "on_train_begin", "on_epoch_begin", *batch * 2, "on_test_begin", *test * 2, "on_test_end",
        "on_epoch_end", "on_train_end",
    ]  # fmt: skip


def test_a_callback_that_stops_training(training_backend):
    class Stop(Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = True

    assert fitted([Stop()], epochs=5).epoch == [0]


def test_a_callback_that_sets_the_learning_rate_is_obeyed(training_backend):
    class Freeze(Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 0:
                self.model.optimizer.learning_rate = 0.0
                self.kept = self.model.get_weights()

    freeze = Freeze()
    fitted([freeze], epochs=2)
    for old, new in zip(freeze.kept, freeze.model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)


@pytest.mark.parametrize("wrong", [3, EarlyStopping])
def test_what_is_no_callback_is_refused(wrong):
    with pytest.raises(TypeError, match=r"callbacks must be kerata\.callbacks\.Callback objects"):
        CallbackList([wrong])


class FakeModel:
    metrics = ()
    stop_training = False

    def __init__(self):
        self.weights = 0

    def get_weights(self):
        return self.weights

    def set_weights(self, weights):
        self.weights = weights


def stopped_at(values, **arguments):
    """The epoch at which training ends, and the weights (the epoch they are of) then."""
    stop, model = EarlyStopping(monitor="m", **{"mode": "min", **arguments}), FakeModel()
    stop.set_model(model)
    stop.on_train_begin()
    for epoch, value in enumerate(values):
        model.weights = epoch
        stop.on_epoch_end(epoch, {"m": value})
        if model.stop_training:
            break
    stop.on_train_end()
    return epoch, model.weights


@pytest.mark.parametrize(
    ("values", "arguments", "expected"),
    [
        ([3, 2, 1, 2, 3], {"patience": 1}, 3),
        ([3, 2, 1, 2, 3, 4], {"patience": 2}, 4),
        ([1, 2, 3, 2, 1], {"mode": "max", "patience": 1}, 3),
        ([3, 2.95, 2.9, 2.85], {"min_delta": 0.2, "patience": 2}, 2),
        ([3, 2, 1, 1], {"baseline": 0.5, "patience": 2}, 3),
        ([1, 5, 5, 5], {"start_from_epoch": 2, "patience": 1}, 3),
        ([float("nan"), 2, 1], {"patience": 3}, 2),
    ],
)
def test_early_stopping(values, arguments, expected):
    assert stopped_at(values, **arguments)[0] == expected


def test_early_stopping_puts_the_best_weights_back():
    assert stopped_at([3, 1, 2, 2], patience=2, restore_best_weights=True) == (3, 1)


def test_early_stopping_warns_of_a_missing_metric():
    stop = EarlyStopping(monitor="val_los")
    stop.set_model(FakeModel())
    stop.on_train_begin()
    with pytest.warns(UserWarning, match="'val_los', which is not among the logs"):
        stop.on_epoch_end(0, {"loss": 1.0})


def test_early_stopping_refuses_an_unknown_mode():
    with pytest.raises(ValueError, match="mode must be one of auto, min, max"):
        EarlyStopping(mode="best")


def test_a_log_file_gets_a_line_an_epoch(training_backend, capsys):
    fitted([], verbose=1)
    lines = capsys.readouterr().out.strip().splitlines()
    assert len(lines) == 2
    assert lines[1].startswith("Epoch 2/2  ")
    assert "loss: " in lines[1] and "val_loss: " in lines[1] and "/step" in lines[1]


def test_a_terminal_gets_a_moving_bar(training_backend, monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self):
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    fitted([], verbose=1)
    text = terminal.getvalue()
    assert "Epoch 1/2" in text and "2/2 ━" in text and "\r" in text


def test_silence(training_backend, capsys):
    fitted([], verbose=0)
    assert capsys.readouterr().out == ""


def test_several_callbacks_share_one_progress_bar():
    listed = CallbackList([ProgbarLogger()], add_history=True, add_progbar=True)
    assert [type(c).__name__ for c in listed.callbacks] == ["ProgbarLogger", "History"]
