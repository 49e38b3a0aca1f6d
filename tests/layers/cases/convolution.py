"""Convolutions."""

from tests.layers.cases.case import IMAGE, SEQUENCE, Case

# fmt: off
CASES = [
    Case("Conv1D", lambda L: L.Conv1D(3, 2, activation="relu"), [SEQUENCE], {}, 0, (1,)),
    Case("Conv1D-causal", lambda L: L.Conv1D(
        3, 3, padding="causal", dilation_rate=2), [SEQUENCE], {}, 0, (1,)),
    Case("Conv2D", lambda L: L.Conv2D(3, 3), [IMAGE], {}, 0, (1, 2)),
    Case("Conv2D-same", lambda L: L.Conv2D(
        6, (3, 2), (2, 1), padding="SAME", groups=2, use_bias=False), [IMAGE], {}, 0, (1, 2)),
    Case("Conv2D-dilated", lambda L: L.Conv2D(
        3, 3, padding="same", dilation_rate=2, bias_initializer="ones"), [IMAGE]),
    Case("Conv2D-first", lambda L: L.Conv2D(
        3, 3, data_format="channels_first", bias_initializer="ones"), [(2, 4, 8, 9)]),
    Case("Conv3D", lambda L: L.Conv3D(2, 2, strides=2, padding="same"), [(2, 4, 5, 6, 3)]),
]
