"""Shapes."""

from tests.layers.cases.case import IMAGE, Case

# fmt: off
CASES = [
    Case("Flatten", lambda L: L.Flatten(), [IMAGE], {}, 0, (1, 2)),
    Case("Flatten-first", lambda L: L.Flatten("channels_first"), [IMAGE]),
    Case("Flatten-vector", lambda L: L.Flatten(), [(5,)]),
    Case("Reshape", lambda L: L.Reshape((2, 6)), [(2, 3, 4)]),
    Case("Reshape-rest", lambda L: L.Reshape((-1, 2)), [(2, 3, 4)], {}, 0, (1,)),
]
