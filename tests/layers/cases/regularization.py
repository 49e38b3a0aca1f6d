"""Dropout and noise."""

from tests.layers.cases.case import IMAGE, SEQUENCE, Case

# fmt: off
CASES = [
    Case("Dropout", lambda L: L.Dropout(0.5, seed=1), [SEQUENCE], {}, 0, (1,)),
    Case("SpatialDropout1D", lambda L: L.SpatialDropout1D(0.5), [SEQUENCE], {}, 0, (1,)),
    Case("SpatialDropout2D", lambda L: L.SpatialDropout2D(0.5), [IMAGE], {}, 0, (1, 2)),
    Case("SpatialDropout3D", lambda L: L.SpatialDropout3D(
        0.5, "channels_first", 3), [(2, 3, 4, 5, 6)]),
    Case("GaussianDropout", lambda L: L.GaussianDropout(0.5), [SEQUENCE], {}, 0, (1,)),
    Case("GaussianNoise", lambda L: L.GaussianNoise(0.5), [SEQUENCE], {}, 0, (1,)),
    Case("AlphaDropout", lambda L: L.AlphaDropout(0.5), [SEQUENCE], {}, 0, (1,)),
    Case("ActivityRegularization", lambda L: L.ActivityRegularization(
        0.1, 0.2), [SEQUENCE], {}, 0, (1,)),
    Case("Dropout-shared", lambda L: L.Dropout(0.5, noise_shape=(None, 1, None)), [SEQUENCE]),
    Case("SpatialDropout2D-first", lambda L: L.SpatialDropout2D(
        0.5, "channels_first"), [(2, 4, 8, 9)], {}, 0, (2, 3)),
]
