"""What loaded arrays have in common: an order, and a part for testing."""

from __future__ import annotations

from typing import Any

import numpy as np

Split = tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]


def split_at(x: Any, y: Any, test_split: float) -> Split:
    """The first samples for training, the last ones for testing.

    Raises:
        ValueError: `test_split` is not at least 0 and less than 1.
    """
    if not 0 <= test_split < 1:
        raise ValueError(f"load_data: test_split must be in [0, 1); got {test_split!r}")
    at = int(len(x) * (1 - test_split))
    return (np.array(x[:at]), np.array(y[:at])), (np.array(x[at:]), np.array(y[at:]))


def shuffled(rng: np.random.RandomState, x: np.ndarray, y: np.ndarray) -> Any:
    """Samples and targets in one new order."""
    order = np.arange(len(x))
    rng.shuffle(order)
    return x[order], y[order]


def encoded(
    sequences: Any,
    num_words: int | None,
    skip_top: int,
    maxlen: int | None,
    start_char: int | None,
    oov_char: int | None,
    index_from: int | None,
) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of words as the integers that models are given, and which sequences are left.

    Args:
        sequences: lists of ranks, from 1 on.
        num_words: the integer from which on words count as not known; None for the largest.
        skip_top: the integer below which they do.
        maxlen: the length from which on a sequence is left out, its start included; None for no
            such.
        start_char: stands before each sequence, if not None.
        oov_char: stands for what is not known; where None, that is left out.
        index_from: what ranks are raised by.

    Raises:
        ValueError: no sequence is left.
    """
    start = [] if start_char is None else [start_char]
    found = [start + [rank + (index_from or 0) for rank in ranks] for ranks in sequences]
    kept = [i for i, ranks in enumerate(found) if maxlen is None or len(ranks) < maxlen]
    if not kept:
        raise ValueError(f"load_data: no sequence is shorter than maxlen={maxlen}")
    most = max(max(found[i]) for i in kept) if num_words is None else num_words
    result = np.empty(len(kept), object)
    for place, i in enumerate(kept):
        if oov_char is None:
            result[place] = [n for n in found[i] if skip_top <= n < most]
        else:
            result[place] = [n if skip_top <= n < most else oov_char for n in found[i]]
    return result, np.array(kept)
