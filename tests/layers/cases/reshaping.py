"""Shapes."""

from tests.layers.cases.case import IMAGE, SEQUENCE, Case

FIRST, VOLUME, VOLUME_FIRST = (2, 4, 8, 9), (2, 4, 5, 6, 3), (2, 3, 4, 5, 6)
# fmt: off
CASES = [
    Case("Cropping1D", lambda L: L.Cropping1D((1, 2)), [SEQUENCE], {}, 0, (1,)),
    Case("Cropping2D", lambda L: L.Cropping2D(((1, 0), 2)), [IMAGE], {}, 0, (1, 2)),
    Case("Cropping2D-first", lambda L: L.Cropping2D(1, "channels_first"), [FIRST]),
    Case("Cropping3D", lambda L: L.Cropping3D(), [VOLUME], {}, 0, (1, 2, 3)),
    Case("ZeroPadding1D", lambda L: L.ZeroPadding1D((1, 2)), [SEQUENCE], {}, 0, (1,)),
    Case("ZeroPadding1D-first", lambda L: L.ZeroPadding1D(2, "channels_first"), [SEQUENCE]),
    Case("ZeroPadding2D", lambda L: L.ZeroPadding2D(((1, 0), (2, 3))), [IMAGE], {}, 0, (1, 2)),
    Case("ZeroPadding2D-first", lambda L: L.ZeroPadding2D(1, "channels_first"), [FIRST]),
    Case("ZeroPadding3D", lambda L: L.ZeroPadding3D((1, 2, 0)), [VOLUME], {}, 0, (1, 2, 3)),
    Case("UpSampling1D", lambda L: L.UpSampling1D(3), [SEQUENCE], {}, 0, (1,)),
    Case("UpSampling2D", lambda L: L.UpSampling2D((2, 3)), [IMAGE], {}, 0, (1, 2)),
    Case("UpSampling2D-bilinear", lambda L: L.UpSampling2D(
        2, interpolation="bilinear"), [(2, 4, 3, 2)], {}, 0, (1, 2)),
    Case("UpSampling2D-bicubic", lambda L: L.UpSampling2D(
        (2, 3), "channels_first", "bicubic"), [(2, 2, 4, 3)], {}, 0, (2, 3), oracle=False),
    Case("UpSampling3D", lambda L: L.UpSampling3D((1, 2, 3)), [VOLUME], {}, 0, (1, 2, 3)),
    Case("Permute", lambda L: L.Permute((2, 1)), [SEQUENCE], {}, 0, (1,)),
    Case("Permute-more", lambda L: L.Permute([3, 1, 2]), [IMAGE], {}, 0, (1, 2)),
    Case("RepeatVector", lambda L: L.RepeatVector(3), [(2, 4)]),
    Case("Flatten", lambda L: L.Flatten(), [IMAGE], {}, 0, (1, 2)),
    Case("Flatten-first", lambda L: L.Flatten("channels_first"), [IMAGE]),
    Case("Flatten-vector", lambda L: L.Flatten(), [(5,)]),
    Case("Reshape", lambda L: L.Reshape((2, 6)), [(2, 3, 4)]),
    Case("Reshape-rest", lambda L: L.Reshape((-1, 2)), [(2, 3, 4)], {}, 0, (1,)),
    Case("Cropping3D-first", lambda L: L.Cropping3D(
        (1, (0, 2), (3, 0)), "channels_first"), [VOLUME_FIRST], {}, 0, (2, 3, 4)),
    Case("ZeroPadding3D-first", lambda L: L.ZeroPadding3D(
        ((0, 1), 0, (2, 0)), "channels_first"), [VOLUME_FIRST], {}, 0, (2, 3, 4)),
    Case("UpSampling2D-first", lambda L: L.UpSampling2D(
        (1, 3), "channels_first"), [FIRST], {}, 0, (2, 3)),
    Case("UpSampling2D-bilinear-first", lambda L: L.UpSampling2D(
        (2, 3), "channels_first", "bilinear"), [(2, 2, 4, 3)], {}, 0, (2, 3)),
    Case("UpSampling3D-first", lambda L: L.UpSampling3D(
        (2, 1, 2), "channels_first"), [VOLUME_FIRST], {}, 0, (2, 3, 4)),
    Case("Reshape-scalar", lambda L: L.Reshape(()), [(3, 1)]),
]
