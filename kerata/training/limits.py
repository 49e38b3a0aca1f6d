"""Parts of the data: the first batches, or a share of them, for trying a run out."""

from __future__ import annotations

import itertools
from typing import Any

from kerata.callbacks import Callback, CallbackList
from kerata.training.data import ArrayData, IteratedData

Limit = int | float | None


class Limits:
    """How much of its data `fit` uses.

    Args:
        fast_dev_run: True for one batch of training and validation, a number for so many.
        overfit: batches to train on again and again, or their share of all.
        train: batches of an epoch, or their share.
        validation: batches of a validation, or their share; 0 for none.

    Raises:
        ValueError: a number is negative, a share is not from 0 to 1, or `overfit` is given beside
            `train`.
    """

    def __init__(
        self,
        fast_dev_run: bool | int = False,
        overfit: int | float = 0,
        train: Limit = None,
        validation: Limit = None,
    ) -> None:
        if not isinstance(fast_dev_run, int) or fast_dev_run < 0:
            raise ValueError(
                f"fast_dev_run must be True, False or a number of batches; got {fast_dev_run!r}"
            )
        if overfit and train is not None:
            raise ValueError("Give either overfit_batches or limit_train_batches")
        self.dev = int(fast_dev_run)
        self.overfit = bool(overfit) and not self.dev
        self._train = self.dev or (overfit if overfit else train)
        self._validation = self.dev or (overfit if overfit and validation is None else validation)
        self._name = "overfit_batches" if overfit else "limit_train_batches"

    def training(self, data: Any) -> Any:
        """Training data cut to what is used of it."""
        if not self._train and self._train is not None:
            raise ValueError(f"{self._name} must leave something to train on; got {self._train!r}")
        limited(data, self._train, self._name)
        if self.overfit and not isinstance(data, ArrayData):
            return IteratedData(list(itertools.islice(data.batches(), data.steps)))
        return data

    def validating(self, validation: Any) -> Any:
        """A `Validation` cut likewise."""
        if validation.data is None or self._validation is None:
            return validation
        if self._validation == 0:
            validation.data = None
            return validation
        limited(validation.data, self._validation, "limit_val_batches")
        if self.dev:
            validation.frequency = 1
        return validation

    def callbacks(self, given: Any) -> Any:
        """The callbacks without those that write files, where the run is only tried out."""
        if not self.dev or given is None:
            return given
        one = isinstance(given, Callback) and not isinstance(given, CallbackList)
        listed = [given] if one else getattr(given, "callbacks", given)
        kept = [c for c in listed if not getattr(c, "writes_files", False)]
        if isinstance(given, CallbackList):
            return CallbackList(kept, model=given.model, **given.params)
        return kept


def limited(data: Any, limit: Limit, name: str) -> None:
    """Cut data to `limit` batches, or to that share of them, which is at least one.

    Raises:
        ValueError: it is not above 0, a share is above 1, or one is asked for of data that does not
            know how many batches it has.
    """
    if limit is None:
        return
    if isinstance(limit, bool) or not isinstance(limit, (int, float)) or limit <= 0:
        raise ValueError(f"{name} must be a number of batches or a share of them; got {limit!r}")
    if isinstance(limit, int):
        data.limit(limit)
        return
    if limit > 1:
        raise ValueError(f"{name}: a share must be from 0 to 1; got {limit}")
    if data.steps is None:
        raise ValueError(
            f"{name}={limit} is a share, and the data does not know how many batches it has; "
            "give a number of batches"
        )
    data.limit(max(1, int(data.steps * limit)))
