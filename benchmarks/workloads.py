"""What every rival of `fit.py` trains: sizes, and data drawn with NumPy.

Rows are `(batch, …)` with channels last; token ids and labels are int32, all else float32.
"""

from dataclasses import dataclass

import numpy as np

LEARNING_RATE = 1e-3
EPSILON = 1e-7
CLASSES = 10
VOCABULARY = 8000
LENGTH = 128  # of sequences of tokens
WIDTH = 256
HEADS = 8
STEPS = 100  # of the recurrent models' sequences
FEATURES = 32

Data = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Workload:
    """What is trained, and for how long.

    Args:
        name: one or two letters.
        title: what it is, in a few words.
        batch: rows a step.
        steps: steps an epoch.
        epochs: epochs, the first of which warms up.
        quick: steps an epoch for a quick look.
        loss: "sparse" (classes, from logits), "probabilities" (likewise, after a softmax) or
            "binary" (from logits).
        accuracy: whether the accuracy is counted while training.
        spare: rows by which the last batch of an epoch falls short.
        dropout: share of zeros, where the model has dropout.
    """

    name: str
    title: str
    batch: int
    steps: int
    epochs: int = 4
    quick: int = 5
    loss: str = "sparse"
    accuracy: bool = True
    spare: int = 0
    dropout: float = 0.1

    @property
    def rows(self) -> int:
        """Rows an epoch."""
        return self.batch * self.steps - self.spare


WORKLOADS = {
    workload.name: workload
    for workload in (
        Workload("M", "MLP 784-128-64-10", 32, 1875, quick=300, dropout=0.2),
        Workload(
            "A",
            "convnet 28×28×1, 32 and 64 filters",
            128,
            100,
            quick=8,
            loss="probabilities",
            dropout=0.5,
        ),
        Workload("B", "encoder 6 × 256, sequence 128", 16, 12, quick=4),
        Workload("C", "decoder 4 × 256, vocabulary 8,000", 8, 20, accuracy=False),
        Workload("D", "ResNet-50, 160×160", 8, 10, epochs=3, quick=3),
        Workload("E", "LSTM 128, sequence 100", 64, 50, quick=8),
        Workload("EM", "LSTM 128, sequence 100, masked", 64, 50, quick=8),
        Workload("G", "tabular 20-64-64-1", 256, 3907, quick=400, loss="binary", spare=192),
        Workload("S", "small calls of the MLP", 32, 60, epochs=2, quick=20, dropout=0.2),
    )
}


def make_data(workload: Workload, seed: int = 0) -> Data:
    """Draw `workload.rows` rows that can be learned, and their labels."""
    return MAKERS[workload.name](np.random.default_rng(seed), workload.rows)


def digits(rng: np.random.Generator, rows: int) -> Data:
    """Flat noisy images of ten coarse prototypes, in [0, 1], `(rows, 784)`.

    The classes overlap: the best classifier there is errs on a few rows in a hundred, so rivals
    that learn alike end at nearly the same accuracy, short of 1.
    """
    x, y = images(rng, rows, 28, 1)
    return x.reshape(rows, -1), y


def images(rng: np.random.Generator, rows: int, side: int, channels: int) -> Data:
    """Noisy images of ten prototypes of 4×4 blocks, `(rows, side, side, channels)`."""
    blocks = side // 4
    shape = (blocks, blocks, channels)
    prototypes = rng.random((CLASSES, *shape), dtype=np.float32)
    y = rng.integers(CLASSES, size=rows, dtype=np.int32)
    coarse = rng.random((rows, *shape), dtype=np.float32)
    coarse += 0.4 * (prototypes[y] - coarse)
    x = rng.random((rows, side, side, channels), dtype=np.float32)
    x *= 0.5
    blobs = x.reshape(rows, blocks, 4, blocks, 4, channels)  # a view: `x` changes with it
    blobs += 0.5 * coarse[:, :, None, :, None]
    return x, y


def sentences(rng: np.random.Generator, rows: int) -> Data:
    """Token ids, `(rows, 128)`, an eighth of them from a range of the row's class."""
    y = rng.integers(CLASSES, size=rows, dtype=np.int32)
    x = rng.integers(VOCABULARY, size=(rows, LENGTH), dtype=np.int32)
    own = y[:, None] * 20 + rng.integers(20, size=x.shape, dtype=np.int32)
    return np.where(rng.random(x.shape) < 0.125, own, x), y


def text(rng: np.random.Generator, rows: int) -> Data:
    """Token ids of which few are frequent, `(rows, 128)`, and the ids that follow each."""
    ids = (VOCABULARY * rng.random((rows, LENGTH + 1)) ** 4).astype(np.int32)
    return ids[:, :-1].copy(), ids[:, 1:].copy()


def sequences(rng: np.random.Generator, rows: int) -> Data:
    """Noise around a vector of the row's class, `(rows, 100, 32)`."""
    y = rng.integers(CLASSES, size=rows, dtype=np.int32)
    centres = rng.standard_normal((CLASSES, FEATURES), dtype=np.float32)
    x = rng.standard_normal((rows, STEPS, FEATURES), dtype=np.float32)
    x += 0.2 * centres[y][:, None]
    return x, y


def padded_sequences(rng: np.random.Generator, rows: int) -> Data:
    """`sequences` of 50 to 100 steps, filled up with zeros at the end."""
    x, y = sequences(rng, rows)
    lengths = rng.integers(STEPS // 2, STEPS + 1, size=rows)
    x[np.arange(STEPS) >= lengths[:, None]] = 0
    return x, y


def table(rng: np.random.Generator, rows: int) -> Data:
    """Twenty columns of noise, and whether a curved function of them is positive, `(rows, 1)`."""
    x = rng.standard_normal((rows, 20), dtype=np.float32)
    score = x @ rng.standard_normal(20, dtype=np.float32) + 2 * x[:, 0] * x[:, 1]
    score += rng.standard_normal(rows, dtype=np.float32)
    return x, (score > 0).astype(np.float32)[:, None]


MAKERS = {
    "M": digits,
    "S": digits,
    "A": lambda rng, rows: images(rng, rows, 28, 1),
    "B": sentences,
    "C": text,
    "D": lambda rng, rows: images(rng, rows, 160, 3),
    "E": sequences,
    "EM": padded_sequences,
    "G": table,
}
