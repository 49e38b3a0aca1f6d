"""The two small models every rival trains, and the data they are trained on.

Weights and data are NumPy arrays here, in Keras' layout (`(inputs, outputs)` and
`(height, width, inputs, outputs)`), so that every rival starts from the same distribution.
"""

from dataclasses import dataclass

import numpy as np

LEARNING_RATE = 1e-3
EPSILON = 1e-7
CLASSES = 10
SIDE = 28


@dataclass(frozen=True)
class Workload:
    """What is trained: which model, on how many rows, for how many epochs."""

    name: str
    rows: int
    batch: int
    epochs: int
    shape: tuple[int, ...]
    kernels: tuple[tuple[int, ...], ...]  # of the layers with weights, in order
    dropout: float

    @property
    def steps(self) -> int:
        """Steps an epoch, a last short batch included."""
        return -(-self.rows // self.batch)


WORKLOADS = {
    "mlp": Workload(
        name="mlp",
        rows=60_000,
        batch=32,
        epochs=5,
        shape=(SIDE * SIDE,),
        kernels=((784, 128), (128, 64), (64, CLASSES)),
        dropout=0.2,
    ),
    "convnet": Workload(
        name="convnet",
        rows=12_800,
        batch=128,
        epochs=4,
        shape=(SIDE, SIDE, 1),
        # 28 → conv 26 → pool 13 → conv 11 → pool 5, and 5 · 5 · 64 features
        kernels=((3, 3, 1, 32), (3, 3, 32, 64), (1600, CLASSES)),
        dropout=0.5,
    ),
}


def make_data(workload: Workload, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Draw noisy images of ten coarse prototypes.

    The classes overlap: the best classifier there is errs on a few rows in a hundred, so rivals
    that learn alike end at nearly the same accuracy, short of 1.

    Returns:
        float32 images in [0, 1], `(rows, *shape)`, and int32 labels, `(rows,)`.
    """
    generator = np.random.default_rng(seed)
    patches = SIDE // 4
    prototypes = generator.random((CLASSES, patches, patches), dtype=np.float32)
    labels = generator.integers(CLASSES, size=workload.rows, dtype=np.int32)
    coarse = generator.random((workload.rows, patches, patches), dtype=np.float32)
    coarse += 0.4 * (prototypes[labels] - coarse)
    images = generator.random((workload.rows, SIDE, SIDE), dtype=np.float32)
    images *= 0.5
    blobs = images.reshape(workload.rows, patches, 4, patches, 4)  # a view: images change with it
    blobs += 0.5 * coarse[:, :, None, :, None]
    return images.reshape(workload.rows, *workload.shape), labels


def initial_weights(workload: Workload, seed: int = 1) -> list[tuple[np.ndarray, np.ndarray]]:
    """Draw Glorot-uniform kernels with zero biases, `[(kernel, bias), …]`, all float32."""
    generator = np.random.default_rng(seed)
    weights = []
    for shape in workload.kernels:
        field = int(np.prod(shape[:-2]))
        limit = np.sqrt(6.0 / (field * (shape[-2] + shape[-1])))
        kernel = generator.uniform(-limit, limit, shape).astype(np.float32)
        weights.append((kernel, np.zeros(shape[-1], np.float32)))
    return weights
