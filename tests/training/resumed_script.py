"""A script that trains, to be killed and started again.

python tests/training/resumed_script.py BACKEND FOLDER EPOCH BATCH
"""

import os
import signal
import sys

import numpy as np

import kerata
from kerata import callbacks, layers


class Kill(callbacks.Callback):
    """Ends the process behind a batch, as a power cut would."""

    def __init__(self, epoch, batch):
        super().__init__()
        self.place = epoch, batch

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if (self.epoch, batch) == self.place:
            os.kill(os.getpid(), signal.SIGKILL)


def train(folder, *others, steps_per_execution=1, save_freq=3):
    """Everything that has to be the same: weights, optimizer, the process' seeds, history."""
    kerata.utils.set_random_seed(7)
    rng = np.random.default_rng(3)
    x = rng.standard_normal((100, 6)).astype("float32")
    y = (x @ rng.standard_normal((6, 3))).argmax(-1).astype("int32")
    model = kerata.Sequential(
        [
            kerata.Input((6,)),
            layers.Dense(8, activation="relu"),
            layers.Dropout(0.4),
            layers.BatchNormalization(),
            layers.Dense(3, activation="softmax"),
        ]
    )
    model.compile(
        kerata.optimizers.Adam(0.02, gradient_accumulation_steps=4),
        "sparse_categorical_crossentropy",
        metrics=["accuracy"],
        steps_per_execution=steps_per_execution,
    )
    history = model.fit(
        x[:80], y[:80], batch_size=12, epochs=5, verbose=0, validation_data=(x[80:], y[80:]),
        callbacks=[
            callbacks.EarlyStopping("val_loss", patience=2, restore_best_weights=True),
            callbacks.ReduceLROnPlateau("loss", patience=1, min_delta=10),
            callbacks.LearningRateScheduler(lambda epoch, rate: 0.9 * rate),
            callbacks.BackupAndRestore(folder, save_freq=save_freq),
            *others,
        ],
    )  # fmt: skip
    held = [*model.variables, *model.optimizer.variables]
    return (
        [v.numpy() for v in held],
        history.history,
        history.epoch,
        kerata.random.randint((), 0, 9),
    )


if __name__ == "__main__":
    backend, folder, epoch, batch = sys.argv[1:]
    with kerata.use_backend(backend):
        train(folder, Kill(int(epoch), int(batch)))
