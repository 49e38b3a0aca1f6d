"""Reuters: 11,228 newswires of 1987 on 46 topics (Reuters-21578), as ranks of words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from kerata.datasets.files import fetch
from kerata.datasets.splits import Split, encoded, shuffled, split_at

_TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves "
    "ship cotton carcass crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin "
    "strategic-metal livestock retail ipi iron-steel rubber heat jobs lei bop zinc orange pet-chem "
    "dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """Load the newswires, downloaded to the cache on first use.

    A word is the rank of its frequency, raised by `index_from`: what comes before stands for the
    start of a newswire and for words that are not known.

    Args:
        path: the name of the file in the cache.
        num_words: integers from this one on count as words not known; None for the largest
            that there is, as in Keras.
        skip_top: integers below this one do.
        maxlen: newswires of this length or longer, their start included, are left out.
        test_split: the share of the newswires for testing.
        seed: what the order follows from, as in Keras.
        start_char: stands before each newswire, if not None.
        oov_char: stands for words not known; where None, they are left out.
        index_from: what ranks are raised by.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: `x` lists of integers in an array of objects, `y`
        the topics, from 0 to 45.
    """
    # The lists are pickled; the file is what its hash says.
    with np.load(fetch("reuters.npz", path), allow_pickle=True) as file:
        x, y = shuffled(np.random.RandomState(seed), file["x"], file["y"])
    found, kept = encoded(x, num_words, skip_top, maxlen, start_char, oov_char, index_from)
    return split_at(found, y[kept], test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, Any]:
    """The rank of each word.

    Args:
        path: the name of the file in the cache.
    """
    with open(fetch("reuters_word_index.json", path), encoding="utf-8") as file:
        ranks: dict[str, Any] = json.load(file)
    return ranks


def get_label_names() -> tuple[str, ...]:
    """The topics, in the order of their labels.

    >>> get_label_names()[3]
    'earn'
    """
    return tuple(_TOPICS.split())
