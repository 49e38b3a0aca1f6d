"""Pooling."""

from tests.layers.cases.case import IMAGE, SEQUENCE, Case, mask

SEQUENCE_FIRST, IMAGE_FIRST = (3, 4, 5), (2, 4, 8, 9)
VOLUME, VOLUME_FIRST = (2, 4, 5, 6, 3), (2, 3, 4, 5, 6)
# fmt: off
CASES = [
    Case("MaxPooling1D", lambda L: L.MaxPooling1D(), [SEQUENCE], {}, 0, (1,)),
    Case("MaxPooling3D", lambda L: L.MaxPool3D(2, 1, "same"), [VOLUME], {}, 0, (1, 2, 3)),
    Case("AveragePooling1D", lambda L: L.AveragePooling1D(
        2, data_format="channels_first"), [SEQUENCE_FIRST], {}, 0, (2,)),
    Case("AveragePooling2D", lambda L: L.AvgPool2D(2), [IMAGE], {}, 0, (1, 2)),
    Case("AveragePooling2D-same", lambda L: L.AveragePooling2D(
        (3, 2), (2, 3), "same"), [IMAGE], {}, 0, (1, 2)),
    Case("AveragePooling2D-first", lambda L: L.AveragePooling2D(
        3, 2, data_format="channels_first"), [IMAGE_FIRST]),
    Case("AveragePooling3D", lambda L: L.AveragePooling3D((2, 1, 3)), [VOLUME]),
    *(
        Case(f"Adaptive{kind}Pooling{rank}D", lambda L, k=kind, r=rank: getattr(
            L, f"Adaptive{k}Pooling{r}D")((3, 2, 4)[:r]), [shape], {}, 0, tuple(range(1, rank + 1)))
        for kind in ("Average", "Max") for rank, shape in enumerate((SEQUENCE, IMAGE, VOLUME), 1)
    ),
    Case("AdaptiveAveragePooling2D-first", lambda L: L.AdaptiveAveragePooling2D(
        3, "channels_first"), [IMAGE_FIRST], {}, 0, (2, 3)),
    Case("AdaptiveMaxPooling1D-first", lambda L: L.AdaptiveMaxPooling1D(
        3, "channels_first"), [SEQUENCE_FIRST]),
    Case("GlobalAveragePooling1D", lambda L: L.GlobalAveragePooling1D(), [SEQUENCE], {}, 0, (1,)),
    Case("GlobalAveragePooling1D-mask", lambda L: L.GlobalAvgPool1D(
        keepdims=True), [SEQUENCE], {"mask": mask(3, 5)}),
    Case("GlobalAveragePooling1D-mask-first", lambda L: L.GlobalAvgPool1D(
        "channels_first"), [SEQUENCE_FIRST], {"mask": mask(3, 5)}),
    Case("GlobalAveragePooling3D", lambda L: L.GlobalAvgPool3D(), [VOLUME], {}, 0, (1, 2, 3)),
    Case("GlobalMaxPooling1D", lambda L: L.GlobalMaxPooling1D(), [SEQUENCE], {}, 0, (1,)),
    Case("GlobalMaxPooling2D", lambda L: L.GlobalMaxPool2D(), [IMAGE], {}, 0, (1, 2)),
    Case("GlobalMaxPooling3D", lambda L: L.GlobalMaxPooling3D(
        "channels_first", True), [VOLUME_FIRST], {}, 0, (2, 3, 4)),
    Case("MaxPooling2D", lambda L: L.MaxPooling2D(), [IMAGE], {}, 0, (1, 2)),
    Case("MaxPooling2D-same", lambda L: L.MaxPooling2D(3, strides=2, padding="same"), [IMAGE]),
    Case("MaxPooling2D-first", lambda L: L.MaxPool2D(
        (2, 3), data_format="channels_first"), [(2, 4, 8, 9)]),
    Case("GlobalAveragePooling2D", lambda L: L.GlobalAveragePooling2D(), [IMAGE], {}, 0, (1, 2)),
    Case("GlobalAveragePooling2D-first", lambda L: L.GlobalAvgPool2D(
        "channels_first", keepdims=True), [IMAGE]),
    Case("MaxPooling1D-first", lambda L: L.MaxPooling1D(
        3, 1, "same", "channels_first"), [SEQUENCE_FIRST], {}, 0, (2,)),
    Case("MaxPooling1D-apart", lambda L: L.MaxPooling1D(1, 3), [SEQUENCE], {}, 0, (1,)),
    Case("MaxPooling2D-first-same", lambda L: L.MaxPooling2D(
        (2, 3), (3, 1), "same", "channels_first"), [IMAGE_FIRST], {}, 0, (2, 3)),
    Case("MaxPooling3D-first", lambda L: L.MaxPooling3D(
        2, 1, "same", "channels_first"), [VOLUME_FIRST]),
    Case("AveragePooling1D-same", lambda L: L.AveragePooling1D(3, 2, "same"), [SEQUENCE]),
    Case("AveragePooling3D-first", lambda L: L.AveragePooling3D(
        2, (1, 2, 1), "same", "channels_first"), [VOLUME_FIRST], {}, 0, (2, 3, 4)),
    Case("AdaptiveAveragePooling3D-first", lambda L: L.AdaptiveAveragePooling3D(
        (1, 7, 2), "channels_first"), [VOLUME_FIRST]),
    Case("AdaptiveMaxPooling2D-first", lambda L: L.AdaptiveMaxPooling2D(
        (10, 4), "channels_first"), [IMAGE_FIRST]),
]
