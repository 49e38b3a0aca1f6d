"""`Run`: where a `fit` is, so that another can go on there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import optree

from kerata.callbacks import CallbackList
from kerata.core.seeds import next_seed, random_state, set_random_state
from kerata.training.steps import Chooser, chooser_for


class Run:
    """Where a `fit` is; `model.current_run` while it runs.

    Callbacks may look at it at any time. In `on_train_begin` one may set it, with `set_state`, to
    where an earlier run of the same script was: training goes on there, with the same samples.

    Args:
        model: what is trained.
        data: the adapter of its data.
        validation: what it is validated with, and when.
        callbacks: the callbacks.
        initial_epoch: where it begins.

    Attributes:
        epoch: the epoch, counted from 0.
        step: the steps done in it.
        callbacks: the callbacks, as one.
        exact: whether a callback needs the same script to give the same weights, bit for bit, each
            time that it runs. How many steps run in one call is not measured then, as several in
            one differ from as many single ones in the last bits.
        resumed: whether it goes on where an earlier run was.
        read: gives the epoch's results so far.
    """

    def __init__(
        self, model: Any, data: Any, validation: Any, callbacks: CallbackList, initial_epoch: int
    ) -> None:
        self.model = model
        self.data = data
        self.validation = validation
        self.callbacks = callbacks
        self.epoch = self._first = initial_epoch
        self.step = 0
        self.exact = False
        self.resumed = False
        self.read: Callable[[], dict[str, Any]] = dict
        self._rng = np.random.Generator(np.random.Philox(next_seed()))
        self._order = self._rng.bit_generator.state  # at the beginning of the epoch
        self._begun: dict[str, Any] = {}  # how it was where the pass through the data began
        self._place: dict[str, Any] | None = None  # where to go on

    def chooser(self, kind: str, data: Any, epochs: int) -> Chooser:
        """What says how many steps run in one call."""
        return chooser_for(self.model, data, self.callbacks, kind, epochs, self.exact)

    # State

    def get_state(self) -> dict[str, Any]:
        """The epoch, the steps done in it, and where all that draws is, then and now."""
        return {
            "epoch": self.epoch,
            "step": self.step,
            "stop_training": bool(self.model.stop_training),
            "logs": self.read(),
            "data": self._data_config(),
            "order": self._order,
            "begun": self._begun,
            "random": random_state(),
        }

    def next_state(self) -> dict[str, Any]:
        """`get_state` at the beginning of the next epoch, where this one has ended."""
        begun = self._beginning() if self.data.at_start else self._begun
        order = self._rng.bit_generator.state
        there = {"epoch": self.epoch + 1, "step": 0, "order": order, "begun": begun}
        return {**self.get_state(), **there}

    def set_state(self, value: dict[str, Any]) -> None:
        """Go on where `get_state` was called; before the first epoch begins.

        Raises:
            ValueError: it was within an epoch, and the batches were others.
        """
        before, now = value["data"], self._data_config()
        if value["step"] and before != now:
            raise ValueError(
                f"The run to go on with was within an epoch of {_batches(before)}; this one has "
                f"{_batches(now)}. Give fit the same data and batch_size"
            )
        self.epoch, self.step = value["epoch"], value["step"]
        self.model.stop_training = value["stop_training"]
        self.read = lambda: value["logs"]
        self._place, self.resumed = value, True

    def _data_config(self) -> dict[str, Any]:
        return {"steps": self.data.steps, "batch_size": getattr(self.data, "batch_size", None)}

    # Epochs

    def begin_epoch(self) -> np.ndarray | None:
        """Begin the epoch, or go on in it, and return the order of its rows (of arrays)."""
        place, self._place = self._place, None
        if place is not None:
            self._go_on(place)
        elif self.exact and self.data.at_start:
            self._begun = self._beginning()
        self._order = self._rng.bit_generator.state
        return self.data.order(self._rng)

    def _beginning(self) -> dict[str, Any]:
        source: Any = getattr(self.data, "source", None)
        return {
            "order": self._rng.bit_generator.state,
            "drawn": self.data.drawn,
            "random": random_state(),
            "source": source.get_state() if hasattr(source, "get_state") else None,
        }

    def _go_on(self, place: dict[str, Any]) -> None:
        """Take the data, and all that draws, to where they were."""
        begun = self._begun = place["begun"]
        self._rng.bit_generator.state = begun["order"]
        self.data.drawn = begun["drawn"]
        self.data.order(self._rng)
        before = random_state()

        def begin() -> None:
            nonlocal before
            set_random_state(begun["random"])
            before = random_state()
            if begun["source"] is not None:
                self.data.source.set_state(begun["source"])

        self.data.skip(self.epoch - self._first, self.step, begin)
        self._rng.bit_generator.state = place["order"]
        self.validation.skip(sum(map(self.validation.due, range(self._first, self.epoch))))
        after = random_state()
        # What the data draws from is where the next batch needs it.
        set_random_state({k: v for k, v in place["random"].items() if _same(before[k], after[k])})


def _same(a: Any, b: Any) -> bool:
    first, second = (optree.tree_leaves(t, none_is_leaf=True) for t in (a, b))
    return all(np.array_equal(x, y) for x, y in zip(first, second, strict=True))


def _batches(config: dict[str, Any]) -> str:
    size = "" if config["batch_size"] is None else f" of {config['batch_size']} rows"
    return f"{config['steps'] or 'an unknown number of'} batches{size}"
