"""Activations."""

from tests.layers.cases.case import SEQUENCE, Case

# fmt: off
CASES = [
    Case("Activation", lambda L: L.Activation("tanh"), [SEQUENCE], {}, 0, (1,)),
    Case("ReLU", lambda L: L.ReLU(), [(2, 4)]),
    Case("ReLU-all", lambda L: L.ReLU(1.5, 0.1, 0.2), [SEQUENCE], {}, 0, (1,)),
]
