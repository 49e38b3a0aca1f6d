"""Activations."""

from tests.layers.cases.case import IMAGE, SEQUENCE, Case, mask

# fmt: off
CASES = [
    Case("Activation", lambda L: L.Activation("tanh"), [SEQUENCE], {}, 0, (1,)),
    Case("ReLU", lambda L: L.ReLU(), [(2, 4)]),
    Case("ReLU-all", lambda L: L.ReLU(1.5, 0.1, 0.2), [SEQUENCE], {}, 0, (1,)),
    Case("ELU", lambda L: L.ELU(0.7), [SEQUENCE], {}, 0, (1,)),
    Case("LeakyReLU", lambda L: L.LeakyReLU(), [SEQUENCE], {}, 0, (1,)),
    Case("PReLU", lambda L: L.PReLU(), [SEQUENCE]),
    Case("PReLU-shared", lambda L: L.PReLU(
        "ones", alpha_regularizer="l2", shared_axes=[1, 2]), [IMAGE], {}, 0, (1, 2)),
    Case("Softmax", lambda L: L.Softmax(), [SEQUENCE], {}, 0, (1,)),
    Case("Softmax-axes", lambda L: L.Softmax((1, 2)), [SEQUENCE], {}, 0, (1,)),
    Case("Softmax-mask", lambda L: L.Softmax(1), [SEQUENCE], {"mask": mask(3, 5, 4)}),
    Case("Softmax-mask-axes", lambda L: L.Softmax((1, 2)), [SEQUENCE], {"mask": mask(3, 5, 1)}),
]
