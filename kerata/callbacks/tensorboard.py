"""`TensorBoard`: what happens in training, as TensorBoard shows it."""

from __future__ import annotations

import contextlib
import os
import pathlib
import time
from collections.abc import Mapping
from typing import Any

import numpy as np

from kerata.callbacks.callback import Callback, Logs
from kerata.callbacks.event_file import EventFile, as_image, embedding_files, graph_of
from kerata.callbacks.learning_rate import rates
from kerata.callbacks.tracing import Trace


class TensorBoard(Callback):
    """Write metrics, weights, the graph and profiles to files that TensorBoard shows.

    Training is written to the folder `train` in `log_dir`, validation to `validation`. Needs
    tensorboardX, and no TensorFlow; view it with `tensorboard --logdir logs`.

    Scalars are named as Keras names them: `epoch_loss`, `epoch_learning_rate`, `batch_loss`, and
    for validation `evaluation_loss_vs_iterations`, by the number of steps.

    Args:
        log_dir: the folder.
        histogram_freq: epochs between two histograms of every weight; 0 for none.
        write_graph: whether to write the graph of a functional or sequential model.
        write_images: whether to write the weights as images too, with the histograms.
        write_steps_per_second: whether to write how many steps ran a second.
        update_freq: "epoch"; "batch", or a number of batches, to write scalars so often too.
        profile_batch: the batch to profile, or the first and the last one (counted from 1); 0 for
            none. The profile is the engine's own.
        embeddings_freq: epochs between two savings of the weights of `Embedding` layers for the
            projector; 0 for none.
        embeddings_metadata: the name of a file in `log_dir` with a label for each row, or such
            names by the names of layers.

    Raises:
        ImportError: tensorboardX is not installed.
        ValueError: `update_freq` or `profile_batch` is none of these.
    """

    writes_files = True

    def __init__(
        self,
        log_dir: Any = "logs",
        histogram_freq: int = 0,
        write_graph: bool = True,
        write_images: bool = False,
        write_steps_per_second: bool = False,
        update_freq: str | int = "epoch",
        profile_batch: Any = 0,
        embeddings_freq: int = 0,
        embeddings_metadata: str | Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        EventFile.library()
        self.log_dir = os.fspath(log_dir)
        self.histogram_freq = histogram_freq
        self.write_graph = write_graph
        self.write_images = write_images
        self.write_steps_per_second = write_steps_per_second
        self.update_freq = _frequency(update_freq)
        self.embeddings_freq = embeddings_freq
        self.embeddings_metadata = embeddings_metadata
        window = _window(profile_batch)
        self._trace = Trace(os.path.join(self.log_dir, "train"), *window) if window else None
        self._files: dict[str, EventFile] = {}
        self._training = False
        self._steps_before = self._written = 0
        self._start = self._batch_start = 0.0
        if self.update_freq or self._trace is not None:
            # Hooks for batches make `fit` stop after each: there are some only where needed.
            self.on_train_batch_begin = self._before_batch  # type: ignore[method-assign]
            self.on_train_batch_end = self._after_batch  # type: ignore[method-assign]

    # Files

    def _file(self, name: str) -> EventFile:
        if name not in self._files:
            self._files[name] = EventFile(os.path.join(self.log_dir, name))
        return self._files[name]

    def _flush(self) -> None:
        for file in self._files.values():
            file.flush()

    def _close(self) -> None:
        for file in self._files.values():
            file.close()
        self._files = {}

    # Training

    def on_train_begin(self, logs: Logs = None) -> None:
        self._training = True
        self._steps_before = self._written = _iterations(self.model)
        if self.write_graph:
            graph = graph_of(self.model)
            if graph is not None:
                self._file("train").graph(graph)
        if self.embeddings_freq:
            self._embeddings()

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        self._start = time.monotonic()

    def _steps(self) -> int:
        """The steps of this epoch so far."""
        run = getattr(self.model, "current_run", None)
        return 0 if run is None else int(run.step)

    def _before_batch(self, batch: int, logs: Logs = None) -> None:
        self._batch_start = time.monotonic()
        if self._trace is not None:
            self._trace.before(batch + 1)

    def _after_batch(self, batch: int, logs: Logs = None) -> None:
        if self._trace is not None:
            self._trace.after(batch + 1, self.model)
        step, frequency = self._steps_before + batch + 1, self.update_freq
        if not frequency or step // frequency == self._written // frequency:
            return
        self._written = step
        scalars = {f"batch_{name}": value for name, value in (logs or {}).items()}
        if self.write_steps_per_second:
            scalars["batch_steps_per_second"] = 1 / (time.monotonic() - self._batch_start)
        self._file("train").scalars(scalars, step)

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        logs = logs or {}
        steps, spent = self._steps(), time.monotonic() - self._start
        trained = {k: v for k, v in logs.items() if not k.startswith("val_")} | self._rates()
        validated = {k.removeprefix("val_"): v for k, v in logs.items() if k.startswith("val_")}
        if self.write_steps_per_second:
            trained["steps_per_second"] = steps / spent
        self._file("train").scalars({f"epoch_{k}": v for k, v in trained.items()}, epoch)
        if validated:
            file = self._file("validation")
            file.scalars({f"epoch_{k}": v for k, v in validated.items()}, epoch)
        if self.histogram_freq and epoch % self.histogram_freq == 0:
            self._weights(epoch)
        if self.embeddings_freq and epoch % self.embeddings_freq == 0:
            self._embeddings()
        self._steps_before += steps
        self._flush()

    def _rates(self) -> dict[str, float]:
        optimizer = getattr(self.model, "optimizer", None)
        return {} if optimizer is None else rates(optimizer)

    def on_train_end(self, logs: Logs = None) -> None:
        self._training = False
        if self._trace is not None:
            self._trace.end(self.model)
        self._close()

    def on_test_end(self, logs: Logs = None) -> None:
        step = self._steps_before + self._steps() if self._training else _iterations(self.model)
        scalars = {f"evaluation_{k}_vs_iterations": v for k, v in (logs or {}).items()}
        self._file("validation").scalars(scalars, step)
        if not self._training:
            self._close()

    # Weights

    def _weights(self, epoch: int) -> None:
        file = self._file("train")
        for layer in self.model.layers:
            for weight in layer.weights:
                value = weight.numpy()
                file.histogram(f"{weight.path}/histogram", value, epoch)
                if self.write_images and value.ndim > 1:
                    file.image(f"{weight.path}/image", as_image(value), epoch)

    def _embeddings(self) -> None:
        from kerata.layers import Embedding

        layers = [x for x in self.model.layers if isinstance(x, Embedding) and x.built]
        metadata = self.embeddings_metadata or {}
        if isinstance(metadata, str):
            metadata = {layer.name: metadata for layer in layers}
        unknown = set(metadata) - {layer.name for layer in layers}
        if unknown:
            raise ValueError(
                f"TensorBoard: embeddings_metadata names {', '.join(sorted(unknown))}; the "
                f"embedding layers are {', '.join(x.name for x in layers) or 'none'}"
            )
        tables = {layer.name: np.asarray(layer.embeddings.numpy(), "float32") for layer in layers}
        embedding_files(pathlib.Path(self.log_dir), tables, metadata)


def _iterations(model: Any) -> int:
    """How many steps the model was trained for before."""
    optimizer: Any = getattr(model, "optimizer", None)
    with contextlib.suppress(AttributeError):
        return int(np.asarray(optimizer.iterations.numpy()))
    return 0


def _frequency(update_freq: Any) -> int:
    """Batches between two writings; 0 for none but at the end of an epoch."""
    if update_freq in ("epoch", "batch"):
        return int(update_freq == "batch")
    if isinstance(update_freq, int) and not isinstance(update_freq, bool) and update_freq > 0:
        return update_freq
    raise ValueError(
        f"TensorBoard: update_freq must be 'epoch', 'batch' or a number of batches; "
        f"got {update_freq!r}"
    )


def _window(profile_batch: Any) -> tuple[int, int] | None:
    """The first and the last batch to profile."""
    given = profile_batch
    if isinstance(given, str):
        given = tuple(int(x) if x.strip().isdigit() else -1 for x in given.split(","))
        given = given[0] if len(given) == 1 else given
    if isinstance(given, int):
        given = (given, given)
    if given == (0, 0):
        return None
    if (
        not isinstance(given, (tuple, list))
        or len(given) != 2
        or not all(isinstance(x, int) for x in given)
        or not 0 < given[0] <= given[1]
    ):
        raise ValueError(
            "TensorBoard: profile_batch must be a number of a batch, or those of the first and the "
            f"last one, from 1; got {profile_batch!r}"
        )
    return given[0], given[1]
