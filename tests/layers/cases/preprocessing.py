"""Numbers and categories as vectors; text and look-ups have tests of their own."""

from tests.layers.cases.case import SEQUENCE, Case

# fmt: off
CASES = [
    Case("CategoryEncoding", lambda L: L.CategoryEncoding(6), [(3, 4)], {}, 6, (1,)),
    Case("CategoryEncoding-one", lambda L: L.CategoryEncoding(6), [(3, 1)], {}, 6),
    Case("CategoryEncoding-one-hot", lambda L: L.CategoryEncoding(
        6, output_mode="one_hot"), [(3, 4)], {}, 6, (1,)),
    Case("CategoryEncoding-one-hot-one", lambda L: L.CategoryEncoding(
        6, output_mode="one_hot"), [(3, 1)], {}, 6),
    Case("CategoryEncoding-count", lambda L: L.CategoryEncoding(
        6, "count"), [(3, 4)], {}, 6, (1,)),
    Case("CategoryEncoding-weights", lambda L: L.CategoryEncoding(6, "count"), [(3, 4)], {
        "count_weights": lambda rng: rng.normal(size=(3, 4)).astype("float32")}, 6),
    Case("Discretization-one-hot", lambda L: L.Discretization(
        [-1.0, 0.0, 0.5], output_mode="one_hot"), [(3, 4)], {}, 0, (1,), smooth=False),
    Case("Discretization-count", lambda L: L.Discretization(
        [-1.0, 0.0, 0.5], output_mode="count"), [(3, 4)], {}, 0, (1,), smooth=False),
    Case("Discretization-multi-hot", lambda L: L.Discretization(
        [-1.0, 0.0, 0.5], output_mode="multi_hot"), [(3, 4)], {}, 0, (1,), smooth=False),
    Case("Normalization", lambda L: L.Normalization(), [SEQUENCE], {}, 0, (1,), oracle=False),
    Case("Normalization-all", lambda L: L.Normalization(
        axis=None), [(3, 4)], {}, 0, (1,), oracle=False),
    Case("Normalization-axes", lambda L: L.Normalization(
        axis=(1, 2)), [SEQUENCE], oracle=False),
    Case("Normalization-given", lambda L: L.Normalization(
        mean=[0.5, 1.0, 0.0, 2.0], variance=[1.0, 4.0, 0.25, 0.0]), [(3, 4)], smooth=False),
    Case("Normalization-invert", lambda L: L.Normalization(
        mean=0.5, variance=4.0, invert=True), [SEQUENCE], {}, 0, (1,)),
]
