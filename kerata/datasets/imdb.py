"""IMDB: 50,000 reviews of films, good or bad (Maas et al., 2011), as ranks of words."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from kerata.datasets.files import fetch
from kerata.datasets.splits import Split, encoded, shuffled


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> Split:
    """Load the reviews, downloaded to the cache on first use.

    A word is the rank of its frequency, raised by `index_from`: what comes before stands for the
    start of a review and for words that are not known.

    Args:
        path: the name of the file in the cache.
        num_words: integers from this one on count as words not known; None for the largest
            that there is, as in Keras.
        skip_top: integers below this one do.
        maxlen: reviews of this length or longer, their start included, are left out.
        seed: what the order follows from, as in Keras.
        start_char: stands before each review, if not None.
        oov_char: stands for words not known; where None, they are left out.
        index_from: what ranks are raised by.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: 25,000 of each, `x` lists of integers in an array
        of objects, `y` 0 (bad) or 1 (good).
    """
    # The lists are pickled; the file is what its hash says.
    with np.load(fetch("imdb.npz", path), allow_pickle=True) as file:
        train, test = (file["x_train"], file["y_train"]), (file["x_test"], file["y_test"])
    rng = np.random.RandomState(seed)
    (x_train, y_train), (x_test, y_test) = shuffled(rng, *train), shuffled(rng, *test)
    sequences, labels = np.concatenate([x_train, x_test]), np.concatenate([y_train, y_test])
    rules = (num_words, skip_top, maxlen, start_char, oov_char, index_from)
    found, kept = encoded(sequences, *rules)
    at = int(np.searchsorted(kept, len(x_train)))
    return (found[:at], labels[kept[:at]]), (found[at:], labels[kept[at:]])


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, Any]:
    """The rank of each word.

    Args:
        path: the name of the file in the cache.
    """
    with open(fetch("imdb_word_index.json", path), encoding="utf-8") as file:
        ranks: dict[str, Any] = json.load(file)
    return ranks
