"""`PyDataset`: batches by number, prepared by threads or processes where that is asked for."""

from __future__ import annotations

from typing import Any


class PyDataset:
    """Batches by number. Subclass it and define `__getitem__` and `__len__`.

    Args:
        workers: how many threads or processes prepare batches; with 0 and 1 none but the one that
            reads ahead of the training.
        use_multiprocessing: whether the workers are processes. They are started afresh, never
            forked, so that the engine stays whole: the class must be importable (not defined in a
            notebook), the object picklable, and a script must train under
            `if __name__ == "__main__":`.
        max_queue_size: the most batches that workers prepare in advance.

    Example:
        >>> import numpy as np
        >>> class Squares(PyDataset):
        ...     def __len__(self):
        ...         return 3
        ...     def __getitem__(self, index):
        ...         x = np.arange(4.0) + 4 * index
        ...         return x[:, None], x[:, None] ** 2
        >>> Squares(workers=2).num_batches
        3
    """

    workers: int = 1
    use_multiprocessing: bool = False
    max_queue_size: int = 10

    def __init__(
        self, workers: int = 1, use_multiprocessing: bool = False, max_queue_size: int = 10
    ) -> None:
        for name, value, least in (
            ("workers", workers, 0),
            ("max_queue_size", max_queue_size, 1),
        ):
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise ValueError(f"{name} must be an int of {least} or more; got {value!r}")
        self.workers = workers
        self.use_multiprocessing = bool(use_multiprocessing)
        self.max_queue_size = max_queue_size

    def __getitem__(self, index: int) -> Any:
        """The batch of this number: `x`, `(x, y)` or `(x, y, sample_weight)`."""
        raise TypeError(f"{type(self).__name__} must define __getitem__(index), a batch")

    @property
    def num_batches(self) -> int | None:
        """Batches in a pass, `len(self)`; None where there is no end."""
        if not hasattr(type(self), "__len__"):
            raise TypeError(f"{type(self).__name__} must define __len__ or num_batches")
        return len(self)  # type: ignore[arg-type]

    def on_epoch_begin(self) -> None:
        """Called before the first batch of an epoch."""

    def on_epoch_end(self) -> None:
        """Called after the last batch of an epoch."""


Sequence = PyDataset
