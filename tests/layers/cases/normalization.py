"""Normalization."""

from tests.layers.cases.case import IMAGE, SEQUENCE, Case, mask

# fmt: off
CASES = [
    Case("BatchNormalization", lambda L: L.BatchNormalization(), [IMAGE], {}, 0, (1, 2)),
    Case("BatchNormalization-training", lambda L: L.BatchNormalization(
        momentum=0.8, epsilon=1e-2), [IMAGE], {"training": True}, 0, (1, 2)),
    Case("BatchNormalization-frozen", lambda L: L.BatchNormalization(
        trainable=False), [IMAGE], {"training": True}),
    Case("BatchNormalization-axis", lambda L: L.BatchNormalization(
        axis=1, scale=False, center=False), [IMAGE], {"training": True}),
    Case("BatchNormalization-mask", lambda L: L.BatchNormalization(), [SEQUENCE],
         {"training": True, "mask": mask(3, 5)}),
    Case("LayerNormalization", lambda L: L.LayerNormalization(), [SEQUENCE], {}, 0, (1,)),
    Case("LayerNormalization-axes", lambda L: L.LayerNormalization(
        axis=(1, -1), epsilon=1e-5, center=False), [IMAGE], {}, 0, (2,)),
]
