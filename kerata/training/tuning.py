"""`Tuning`: finding a learning rate and a batch size before training."""

from __future__ import annotations

import base64
import contextlib
import gc
import html
import io
import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.callbacks import Callback
from kerata.callbacks.callback import Logs
from kerata.core.seeds import random_state, set_random_state
from kerata.training.data import ArrayData, make_data

if TYPE_CHECKING:
    from kerata.layers.layer import Layer as _Mixed
else:
    _Mixed = object

_FIRST_LOOK = 5  # losses before divergence is looked for, and at either end of the curve left out
_PRECISION = 16  # a batch size is found up to this part of it


class Tuning(_Mixed):
    """The part of `Trainer` that tries settings out, and leaves the model as it was."""

    optimizer: Any
    fit: Callable[..., Any]
    steps_per_execution: int | str

    def find_learning_rate(
        self,
        x: Any = None,
        y: Any = None,
        *,
        batch_size: int | None = None,
        sample_weight: Any = None,
        start: float = 1e-7,
        end: float = 10.0,
        steps: int = 100,
        smoothing: float = 0.9,
        divergence: float = 4.0,
    ) -> LearningRates:
        """Train for some steps with a learning rate that grows, and watch the loss (Smith, 2017).

        Weights, optimizer, metrics and random numbers are exactly as before afterwards.

        Args:
            x: as in `fit`.
            y: as in `fit`.
            batch_size: as in `fit`.
            sample_weight: as in `fit`.
            start: the first learning rate.
            end: the last one; between them it grows by one factor each step.
            steps: how many steps.
            smoothing: the share of the running average of the losses that each step keeps.
            divergence: it ends where the average is so many times the lowest one.

        Returns:
            The `LearningRates`: `suggestion`, `plot()`, `rates`, `losses`.

        Raises:
            ValueError: an argument is out of range, or the model has several optimizers.
            TypeError: the learning rate follows a schedule.

        Example:
            >>> found = model.find_learning_rate(x, y)
            >>> model.optimizer.learning_rate = found.suggestion
        """
        if not 0 < start < end:
            raise ValueError(f"start and end must be 0 < start < end; got {start} and {end}")
        if steps < 2 * _FIRST_LOOK:
            raise ValueError(f"steps must be at least {2 * _FIRST_LOOK}; got {steps}")
        if not 0 <= smoothing < 1:
            raise ValueError(f"smoothing must be at least 0 and below 1; got {smoothing}")
        ramp = _Ramp(start, end, steps, smoothing, divergence)
        _made_ready(self, x, y, sample_weight, batch_size)
        if len(self.optimizer.rated()) != 1:
            raise ValueError("find_learning_rate needs a model compiled with one optimizer")
        with _unchanged(self):
            self.steps_per_execution = 1
            self.fit(
                x, y, batch_size, epochs=steps, verbose=0, callbacks=[ramp],
                sample_weight=sample_weight,
            )  # fmt: skip
        return LearningRates(ramp.rates, ramp.losses, ramp.smoothed)

    def find_batch_size(
        self,
        x: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        start: int = 32,
        most: int | None = None,
        steps: int = 2,
    ) -> int:
        """The largest batch size whose training steps fit into memory.

        Sizes are doubled until memory runs out, then the gap is halved until it is a sixteenth of
        the size. The model, its optimizer and random numbers are exactly as before afterwards.

        Args:
            x: arrays, as in `fit`.
            y: as in `fit`.
            sample_weight: as in `fit`.
            start: the first size.
            most: the largest size to try; None for the number of samples.
            steps: training steps with each size.

        Raises:
            ValueError: `x` is no arrays, or an argument is below 1.
            MemoryError: not even one sample fits.

        Example:
            >>> model.fit(x, y, batch_size=model.find_batch_size(x, y))
        """
        data = make_data(x, y, sample_weight)
        if not isinstance(data, ArrayData):
            raise ValueError("find_batch_size: x must be arrays; what yields batches has its size")
        most = data.count if most is None else min(most, data.count)
        if start < 1 or most < 1 or steps < 1:
            raise ValueError(
                f"start, most and steps must be at least 1; got {start}, {most}, {steps}"
            )
        _made_ready(self, x, y, sample_weight, 1)
        works, fails, size = 0, most + 1, min(start, most)
        while fails - works > max(works // _PRECISION, 1):
            if _fits(self, x, y, sample_weight, size, steps):
                works = size
            else:
                fails = size
            size = min(2 * works, most) if fails > most and works else (works + fails) // 2
        if not works:
            raise MemoryError(f"Not even one sample fits into memory to train {self.name!r}")
        return works


class LearningRates:
    """What `find_learning_rate` found.

    Attributes:
        rates: the learning rates that were tried.
        losses: the loss of the batch that each was tried on.
        smoothed: the running average of the losses.
    """

    def __init__(self, rates: list[float], losses: list[float], smoothed: list[float]) -> None:
        self.rates = np.array(rates)
        self.losses = np.array(losses)
        self.smoothed = np.array(smoothed)

    @property
    def suggestion(self) -> float:
        """The rate around which the smoothed loss falls the fastest, over a factor of ten."""
        lowest = int(np.argmin(self.smoothed))
        first = min(_FIRST_LOOK, lowest)  # the average begins with a single loss
        decades = np.log10(self.rates[-1] / self.rates[0]) or 1.0
        half = max(round((len(self.rates) - 1) / decades / 2), 1)
        falls = [
            self.smoothed[min(i + half, lowest)] - self.smoothed[max(i - half, first)]
            for i in range(first, lowest + 1)
        ]
        return float(self.rates[first + int(np.argmin(falls))])

    def plot(self, ax: Any = None) -> Any:
        """Draw the losses over the rates, with the suggestion; needs matplotlib.

        Args:
            ax: axes of matplotlib to draw on; None for a new figure.

        Returns:
            The axes.
        """
        if ax is None:
            try:
                from matplotlib.figure import Figure
            except ImportError as error:
                raise ImportError(
                    "plot needs matplotlib. Install it with: pip install 'kerata[plot]'"
                ) from error
            ax = Figure(figsize=(6, 4), layout="constrained").add_subplot()
        ax.plot(self.rates, self.losses, alpha=0.3, label="loss")
        ax.plot(self.rates, self.smoothed, label="smoothed")
        ax.axvline(self.suggestion, ls="--", color="gray", label=f"suggested {self.suggestion:.2g}")
        ax.set(xscale="log", xlabel="learning rate", ylabel="loss")
        ax.legend()
        return ax

    def __repr__(self) -> str:
        return (
            f"<LearningRates suggestion={self.suggestion:.3g}, {len(self.rates)} tried from "
            f"{self.rates[0]:.3g} to {self.rates[-1]:.3g}>"
        )

    def _repr_html_(self) -> str:
        """What a notebook shows: the plot, where matplotlib is installed."""
        text = html.escape(repr(self))
        with contextlib.suppress(ImportError):
            image = io.BytesIO()
            self.plot().figure.savefig(image, format="png")
            data = base64.b64encode(image.getvalue()).decode()
            return f'<div>{text}</div><img src="data:image/png;base64,{data}">'
        return f"<div>{text}</div>"


class _Ramp(Callback):
    """Lets the learning rate grow, and notes the losses."""

    def __init__(
        self, start: float, end: float, steps: int, smoothing: float, divergence: float
    ) -> None:
        super().__init__()
        self._planned = np.geomspace(start, end, steps)
        self._smoothing = smoothing
        self._divergence = divergence
        self._average = 0.0
        self.rates: list[float] = []
        self.losses: list[float] = []
        self.smoothed: list[float] = []

    def on_train_batch_begin(self, batch: int, logs: Logs = None) -> None:
        self.model.optimizer.learning_rate = float(self._planned[len(self.rates)])

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = float((logs or {})["loss"])
        self.model.reset_metrics()  # so that the next loss is that of its batch alone
        if not math.isfinite(loss):
            self.model.stop_training = True
            return
        count = len(self.rates)
        self._average = self._smoothing * self._average + (1 - self._smoothing) * loss
        self.rates.append(float(self._planned[count]))
        self.losses.append(loss)
        self.smoothed.append(self._average / (1 - self._smoothing ** (count + 1)))
        diverged = count >= _FIRST_LOOK and (
            self.smoothed[-1] > self._divergence * min(self.smoothed)
        )
        if diverged or count + 1 == len(self._planned):
            self.model.stop_training = True


def _made_ready(model: Any, x: Any, y: Any, sample_weight: Any, batch_size: int | None) -> None:
    """Build what a first step would, so that there is a state to go back to."""
    model._assert_compiled("it is tried out")
    if not (model.built and model.optimizer.built):
        model._prepare(make_data(x, y, sample_weight, batch_size).first(), "train")


@contextlib.contextmanager
def _unchanged(model: Any) -> Iterator[None]:
    """Put all that training changes back at the end."""
    variables = [*model.variables, *model.optimizer.variables, *model.metrics_variables]
    kept = [(v, v.numpy()) for v in variables]
    settings = model.history, model.stop_training, model.steps_per_execution
    drawn = random_state()
    try:
        yield
    finally:
        for variable, value in kept:
            variable.assign(value)
        set_random_state(drawn)
        model.history, model.stop_training, model.steps_per_execution = settings


def _fits(model: Any, x: Any, y: Any, sample_weight: Any, size: int, steps: int) -> bool:
    """Whether training steps of `size` samples fit into memory."""
    backend = state.backend or ensure()
    fitting = True
    with _unchanged(model):
        try:
            model.fit(
                x, y, size, verbose=0, shuffle=False, sample_weight=sample_weight,
                limit_train_batches=steps,
            )  # fmt: skip
        except Exception as error:
            if not any(map(backend.out_of_memory, _chain(error))):
                raise
            fitting = False
    model.make_train_function(force=True)  # drops the programs of this size
    if not fitting:
        gc.collect()
    return fitting


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__
