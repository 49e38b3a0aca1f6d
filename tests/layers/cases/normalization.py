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
    Case("BatchNormalization-renorm", lambda L: L.BatchNormalization(
        renorm=True, renorm_momentum=0.7), [SEQUENCE], {"training": True}, 0, (1,), smooth=False),
    Case("BatchNormalization-renorm-clipped", lambda L: L.BatchNormalization(
        renorm=True, renorm_clipping={"rmin": 0.5, "rmax": 2.0, "dmax": 0.3}, scale=False,
    ), [SEQUENCE], {"training": True, "mask": mask(3, 5)}, smooth=False),
    Case("BatchNormalization-renorm-inference", lambda L: L.BatchNormalization(
        renorm=True), [SEQUENCE], {}, 0, (1,)),
    Case("BatchNormalization-synchronized", lambda L: L.BatchNormalization(
        synchronized=True), [IMAGE], {"training": True}, 0, (1, 2), oracle=False),
    Case("BatchNormalization-synchronized-mask", lambda L: L.BatchNormalization(
        synchronized=True), [SEQUENCE], {"training": True, "mask": mask(3, 5)}, oracle=False),
    Case("GroupNormalization", lambda L: L.GroupNormalization(2), [IMAGE], {}, 0, (1, 2)),
    Case("GroupNormalization-each", lambda L: L.GroupNormalization(
        -1, epsilon=1e-2, center=False), [SEQUENCE], {}, 0, (1,)),
    Case("GroupNormalization-first", lambda L: L.GroupNormalization(
        2, axis=1, scale=False), [(2, 4, 8, 9)], {}, 0, (2, 3)),
    Case("GroupNormalization-vector", lambda L: L.GroupNormalization(1), [(3, 4)]),
    Case("RMSNormalization", lambda L: L.RMSNormalization(), [SEQUENCE], {}, 0, (1,)),
    Case("RMSNormalization-axes", lambda L: L.RMSNormalization(
        (2, 3), epsilon=1e-2), [IMAGE], {}, 0, (1,)),
    Case("UnitNormalization", lambda L: L.UnitNormalization(), [SEQUENCE], {}, 0, (1,)),
    Case("UnitNormalization-axes", lambda L: L.UnitNormalization((1, 2)), [IMAGE], {}, 0, (1, 2)),
    Case("SpectralNormalization", lambda L: L.SpectralNormalization(L.Dense(3)), [(2, 4)]),
    Case("SpectralNormalization-embeddings", lambda L: L.SpectralNormalization(
        L.Embedding(10, 3)), [(2, 4)], {}, 10, oracle=False),
    Case("LayerNormalization-rms", lambda L: L.LayerNormalization(
        rms_scaling=True, axis=[1, -1]), [SEQUENCE]),
    Case("LayerNormalization", lambda L: L.LayerNormalization(), [SEQUENCE], {}, 0, (1,)),
    Case("LayerNormalization-axes", lambda L: L.LayerNormalization(
        axis=(1, -1), epsilon=1e-5, center=False), [IMAGE], {}, 0, (2,)),
    Case("BatchNormalization-first", lambda L: L.BatchNormalization(
        axis=1), [(2, 4, 8, 9)], {"training": True}, 0, (2, 3)),
    Case("BatchNormalization-vector", lambda L: L.BatchNormalization(
        epsilon=1e-2), [(5, 3)], {"training": True}),
    Case("LayerNormalization-plain", lambda L: L.LayerNormalization(
        (1, 2, 3), scale=False, center=False), [IMAGE], {}, 0, (1, 2)),
    Case("LayerNormalization-middle", lambda L: L.LayerNormalization(1), [SEQUENCE], {}, 0, (2,)),
    Case("UnitNormalization-first", lambda L: L.UnitNormalization(1), [SEQUENCE], {}, 0, (1, 2)),
    Case("SpectralNormalization-conv", lambda L: L.SpectralNormalization(
        L.Conv2D(3, 2), 2), [IMAGE], {"training": True}, 0, (1, 2), smooth=False),
]
