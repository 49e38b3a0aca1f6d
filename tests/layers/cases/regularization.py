"""Dropout and noise."""

from tests.layers.cases.case import SEQUENCE, Case

# fmt: off
CASES = [
    Case("Dropout", lambda L: L.Dropout(0.5, seed=1), [SEQUENCE], {}, 0, (1,)),
    Case("Dropout-shared", lambda L: L.Dropout(0.5, noise_shape=(None, 1, None)), [SEQUENCE]),
]
