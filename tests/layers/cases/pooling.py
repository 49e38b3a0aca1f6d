"""Pooling."""

from tests.layers.cases.case import IMAGE, Case

# fmt: off
CASES = [
    Case("MaxPooling2D", lambda L: L.MaxPooling2D(), [IMAGE], {}, 0, (1, 2)),
    Case("MaxPooling2D-same", lambda L: L.MaxPooling2D(3, strides=2, padding="same"), [IMAGE]),
    Case("MaxPooling2D-first", lambda L: L.MaxPool2D(
        (2, 3), data_format="channels_first"), [(2, 4, 8, 9)]),
    Case("GlobalAveragePooling2D", lambda L: L.GlobalAveragePooling2D(), [IMAGE], {}, 0, (1, 2)),
    Case("GlobalAveragePooling2D-first", lambda L: L.GlobalAvgPool2D(
        "channels_first", keepdims=True), [IMAGE]),
]
