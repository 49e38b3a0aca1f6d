"""Images: resizing, warping, filters, colours, patches."""

from __future__ import annotations

import colorsys
from typing import Any

import ml_dtypes
import numpy as np

from tests.ops import image_reference as ref
from tests.ops.case import Case

_draw = np.random.default_rng(9)


def uniform(*shape: int) -> np.ndarray:
    """Uniform draws, float32."""
    return _draw.random(shape).astype("float32")


IMAGES = uniform(2, 5, 6, 3)
FIRST = np.moveaxis(IMAGES, -1, 1).copy()
ONE = IMAGES[0].copy()
BYTES = (IMAGES * 255).astype("uint8")
INTS = (IMAGES * 99 - 50).astype("int32")
BRAIN = IMAGES.astype(ml_dtypes.bfloat16)
LARGE = uniform(1, 9, 8, 2)
VOLUMES = uniform(2, 4, 5, 4, 2)


def table() -> list[Case]:
    """The cases."""
    return [
        *_resized(), *_moved(), *_sampled(), *_warped(), *_filtered(), *_colored(), *_cut(),
        *_patches(), *_compared(),
    ]  # fmt: skip


def _resized() -> list[Case]:
    cases = []
    for i, kind in enumerate(("bilinear", "bicubic", "lanczos3", "lanczos5", "nearest", "area")):
        size, grad = ((7, 4), (3, 8))[i % 2], None if i in (0, 1, 5) else False
        for antialias in (False, True) if kind in ("bilinear", "bicubic") else (i == 2,):
            args = (IMAGES, size, kind, antialias)
            cases.append(Case("resize", args, ref.resize, tolerance=2e-6, grad=grad))
    crop, pad = {"crop_to_aspect_ratio": True}, {"pad_to_aspect_ratio": True, "fill_value": -1.5}
    rest: dict[str, Any] = {"tolerance": 2e-6}
    return [
        *cases,
        Case("resize", (FIRST, (4, 9)), ref.resize, {"data_format": "channels_first"}, **rest),
        Case("resize", (BYTES, (4, 7)), ref.resize),
        Case("resize", (BYTES, (11, 8), "bicubic"), ref.resize, note="overshoots"),
        Case("resize", (INTS, (4, 8), "nearest"), ref.resize),
        Case("resize", (BRAIN, (3, 4)), ref.resize),
        Case("resize", (IMAGES, (5, 6)), ref.resize, note="same-size"),
        Case("resize", (ONE, (3, 7), "bilinear", True), ref.resize, note="open-height", **rest),
        Case("resize", (ONE, (3, 7), "area"), ref.resize, note="open-height-area", **rest),
        Case("resize", (ONE, (3, 7), "nearest"), ref.resize, note="open-height-nearest", **rest),
        Case("resize", (IMAGES, (4, 9)), ref.resize, crop, note="crops", **rest),
        Case("resize", (ONE, (6, 2), "bicubic"), ref.resize, crop, note="crops-open", **rest),
        Case("resize", (IMAGES, (4, 9)), ref.resize, pad, note="pads", **rest),
        Case("resize", (IMAGES, (4, 9), "nearest"), ref.resize, pad, note="pads-nearest", **rest),
        Case("resize", (ONE, (6, 5), "lanczos3"), ref.resize, pad, note="pads-open", grad=False, **rest),
        Case("resize", (ONE, (6, 5), "nearest"), ref.resize, pad, note="pads-open-nearest", **rest),
    ]  # fmt: skip


def _moved() -> list[Case]:
    name = "scale_and_translate"
    scale, shift = np.float32([0.7, 1.4]), np.float32([0.4, -1.23])
    rest: dict[str, Any] = {"tolerance": 2e-6, "opens": (0,)}
    cases = []
    for method, antialias in (("linear", True), ("cubic", False), ("lanczos3", True)):
        args = (IMAGES, (2, 4, 8, 3), scale, shift, (1, 2), method, antialias)
        grad = None if method == "cubic" else False
        cases.append(Case(name, args, ref.scale_and_translate, grad=grad, **rest))
    return [
        *cases,
        Case(name, (LARGE[0, ..., 0].copy(), (4, 8), scale[:1], shift[:1], (-2,), "linear"),
             ref.scale_and_translate, **rest),
        Case(name, (BYTES, (2, 5, 4, 3), scale[:1], shift[1:], [2], "linear"),
             ref.scale_and_translate, dtype="float32", grad=False, **rest),
    ]  # fmt: skip


def _sampled() -> list[Case]:
    name, far = "map_coordinates", _draw.uniform(-7, 14, (2, 3, 4)).astype("float32")
    x, line = LARGE[0, ..., 0].copy(), LARGE[0, :, 0, 0].copy()
    cases = []
    for mode, order in (("constant", 1), ("constant", 3), ("nearest", 5), ("wrap", 2), ("mirror", 1),
                        ("reflect", 4), ("reflect", 0)):  # fmt: skip
        rest: dict[str, Any] = {"tolerance": 5e-6 if order > 1 else 1e-6, "opens": False}
        grad = order in (1, 2)
        args = (x, far, order, mode, 1.5)
        cases.append(Case(name, args, ref.map_coordinates, grad=grad, **rest))
    return [
        *cases,
        Case(name, (x, far[:, 0], 3, "mirror"), ref.map_coordinates, tolerance=5e-6, grad=False,
             opens=(0,)),
        Case(name, (line, far[:1], 1, "wrap"), ref.map_coordinates, note="open-line"),
        Case(name, (VOLUMES[0], far.reshape(4, 6) / 3, 1), ref.map_coordinates, opens=False,
             grad=False),
        Case(name, (INTS[0, ..., 0].copy(), far, 1, "nearest"), ref.map_coordinates, opens=(0,)),
        Case(name, (BYTES[0, ..., 0].copy(), far, 1, "mirror"), ref.map_coordinates, opens=(0,)),
        Case(name, (BRAIN[0, ..., 0].copy(), far.astype("int32"), 1), ref.map_coordinates,
             opens=(0,)),
    ]  # fmt: skip


def _warped() -> list[Case]:
    turn = np.float32([1.05, 0.2, -0.83, -0.13, 0.91, 0.56, 0.0, 0.0])
    both = np.stack([turn, np.float32([0.91, -0.13, 1.32, 0.21, 1.07, -0.715, 0.0, 0.0])])
    view_from = np.float32([0, 0, 0, 0, 0, 0, 0.013, -0.02])
    start = np.float32([[0, 0], [5, 0], [0, 4], [5, 4]])
    end = np.float32([[0.6, 0.3], [4.2, 0.5], [0.3, 3.4], [4.6, 3.9]])
    many = np.stack([start, start + np.float32(0.21)]), np.stack([end, end - np.float32(0.13)])
    rest: dict[str, Any] = {"tolerance": 2e-6}
    affine, view = ref.affine_transform, ref.perspective_transform
    cases = [
        Case("affine_transform", (IMAGES, both), affine, {"fill_mode": m, "fill_value": 0.3},
             grad=m == "reflect", **rest)
        for m in ("constant", "reflect")
    ]  # fmt: skip
    first = {"data_format": "channels_first"}
    identity = lambda x, *_: x  # noqa: E731
    seed = np.array([3, 1], "int32")
    still = (0.0, 2.0, "bilinear", "reflect", 0.0, seed)
    return [
        *cases,
        Case("affine_transform", (IMAGES, both, "nearest", "wrap"), affine, grad=False, **rest),
        Case("affine_transform", (FIRST, turn), affine, first, grad=False, opens=(0,), **rest),
        Case("affine_transform", (ONE, turn), affine, note="open-height", opens=(0,), grad=False, **rest),
        Case("affine_transform", (BYTES, both), affine, note="uint8"),
        Case("affine_transform", (IMAGES, both + view_from), affine, note="projective", **rest),
        Case("perspective_transform", (IMAGES, *many), view, {"fill_value": 0.3}, tolerance=1e-5),
        Case("perspective_transform", (IMAGES, *many, "nearest"), view, grad=False, **rest),
        Case("perspective_transform", (FIRST, start, end), view, first, tolerance=1e-5, grad=False,
             opens=(0,)),
        Case("perspective_transform", (ONE, start, end), view, tolerance=1e-5, grad=False, opens=(0,)),
        Case("random_elastic_transform", (IMAGES, *still), identity, note="still", grad=False,
             opens=(0,)),
        Case("random_elastic_transform", (BYTES[0].copy(), *still), identity, note="still-open-height",
             opens=(0,)),
    ]  # fmt: skip


def _filtered() -> list[Case]:
    first = {"data_format": "channels_first"}
    rest: dict[str, Any] = {"tolerance": 2e-6}
    return [
        Case("gaussian_blur", (IMAGES,), ref.gaussian_blur, **rest),
        Case("gaussian_blur", (FIRST, (4, 3), (0.7, 2.0)), ref.gaussian_blur, first, **rest),
        Case("gaussian_blur", (ONE, (1, 5), (1.0, 1.5)), ref.gaussian_blur, grad=False, **rest),
        Case("gaussian_blur", (BYTES,), ref.gaussian_blur),
        Case("gaussian_blur", (BRAIN,), ref.gaussian_blur),
        Case("sobel_edges", (IMAGES,), ref.sobel_edges),
        Case("sobel_edges", (FIRST,), ref.sobel_edges, first, grad=False),
        Case("sobel_edges", (BYTES[0].copy(),), ref.sobel_edges, dtype="int32"),
    ]


def _gray(x: np.ndarray, data_format: str | None = None) -> np.ndarray:
    axis = -3 if data_format == "channels_first" else -1
    if x.shape[axis] == 1:
        return x
    y = np.tensordot(np.moveaxis(x, axis, -1).astype(float), [0.2989, 0.587, 0.114], 1)
    y = np.expand_dims(y, axis)
    return np.trunc(y) if x.dtype.kind in "iu" else y


def _by_pixel(function: Any) -> Any:
    def run(x: np.ndarray, data_format: str | None = None) -> np.ndarray:
        axis = -3 if data_format == "channels_first" else -1
        return np.apply_along_axis(lambda pixel: function(*map(float, pixel)), axis, x)

    return run


def _colored() -> list[Case]:
    first = {"data_format": "channels_first"}
    edges = np.float32([[0, 0, 0], [1, 1, 1], [0.5, 0.5, 0.2], [1, 0, 0], [0, 1, 0], [0, 0, 1],
                        [0.3, 0.3, 0.3], [0.2, 0.9, 0.9]])[None]  # fmt: skip
    to_hsv, to_rgb = _by_pixel(colorsys.rgb_to_hsv), _by_pixel(colorsys.hsv_to_rgb)
    cases = [
        Case("rgb_to_grayscale", (IMAGES,), _gray),
        Case("rgb_to_grayscale", (FIRST,), _gray, first, grad=False),
        Case("rgb_to_grayscale", (BYTES,), _gray),
        Case("rgb_to_grayscale", (ONE[..., :1].copy(),), _gray, note="gray-already"),
    ]
    for name, function in (("rgb_to_hsv", to_hsv), ("hsv_to_rgb", to_rgb)):
        cases += [
            Case(name, (IMAGES,), function),
            Case(name, (FIRST,), function, first, grad=False),
            Case(name, (edges,), function, note="edges", grad=False),
            Case(name, (BRAIN[0].copy(),), function, tolerance=2e-2),
        ]
    return cases


def _cut() -> list[Case]:
    crop, pad = "crop_images", "pad_images"
    first = {"data_format": "channels_first"}
    around = lambda x, t, l, b, r: np.pad(x, ((0, 0), (t, b), (l, r), (0, 0)))  # noqa: E741, E731
    return [
        Case(crop, (IMAGES, 1, 2, 1, 0), lambda x, t, l, b, r: x[:, 1:-1, 2:]),  # noqa: E741
        Case(crop, (BYTES,), lambda x, **_: x[:, 2:4, 1:5],
             {"bottom_cropping": 1, "target_height": 2, "left_cropping": 1, "target_width": 4}),
        Case(crop, (FIRST, 1, 0), lambda x, *_, **__: x[:, :, 1:3, :5],
             {"target_height": 2, "target_width": 5, **first}, grad=False),
        Case(crop, (ONE, 1, 2, 3, 1), lambda x, *_: x[1:-3, 2:-1], note="open-height"),
        Case(pad, (IMAGES, 1, 2, 0, 3), around),
        Case(pad, (BYTES,), lambda x, **_: around(x, 1, 2, 3, 1),
             {"bottom_padding": 3, "target_height": 9, "left_padding": 2, "target_width": 9}),
        Case(pad, (FIRST, 1, 0, 2, 1), lambda x, *_, **__: np.pad(x, ((0, 0), (0, 0), (1, 2), (0, 1))),
             first, grad=False),
        Case(pad, (ONE, 1, 0, 1, 1), lambda x, *_: np.pad(x, ((1, 1), (0, 1), (0, 0))),
             note="open-height"),
    ]  # fmt: skip


def _patches() -> list[Case]:
    name, first = "extract_patches", {"data_format": "channels_first"}
    volumes = np.moveaxis(VOLUMES, -1, 1).copy()
    same, none = {"padding": "same"}, {"grad": False}
    return [
        Case(name, (IMAGES, 2), ref.extract_patches),
        Case(name, (IMAGES, (2, 3), (2, 1)), ref.extract_patches),
        Case(name, (FIRST, 3, 2, 1, "same"), ref.extract_patches, first, **none),
        Case(name, (IMAGES, 2, 1, 2), ref.extract_patches, same, **none),
        Case(name, (ONE, 3, 2, 1, "same"), ref.extract_patches, note="open-height", **none),
        Case(name, (ONE, 2, 3, 1, "same"), ref.extract_patches, note="open-height-gaps", **none),
        Case(name, (BYTES, 2), ref.extract_patches),
        Case(name, (VOLUMES, (2, 3, 2)), ref.extract_patches, **none),
        Case("extract_patches_3d", (VOLUMES, 2), ref.extract_patches_3d),
        Case("extract_patches_3d", (volumes, (2, 3, 1), (1, 2, 3)), ref.extract_patches_3d, first, **none),
        Case("extract_patches_3d", (VOLUMES[0].copy(), 2, 1, 2, "same"), ref.extract_patches_3d, **none),
    ]  # fmt: skip


def _compared() -> list[Case]:
    first = {"data_format": "channels_first"}
    other = np.clip(LARGE + 0.2 * uniform(1, 9, 8, 2), 0, 1)
    both = (np.concatenate([LARGE, other]), np.concatenate([other, other[:, ::-1]]))
    small: dict[str, Any] = {"filter_size": 5, "max_val": 2.0, "filter_sigma": 0.8}
    turned = tuple(np.moveaxis(x, -1, 1).copy() for x in both)
    f = {"tolerance": 2e-5}
    return [
        Case("ssim", (*both, 1.0, 8), ref.ssim, grad=False, **f),
        Case("ssim", both, ref.ssim, small, **f),
        Case("ssim", turned, ref.ssim, small | first, grad=False, **f),
        Case("ssim", (LARGE[0], other[0]), ref.ssim, small, grad=False, **f),
        Case("ssim", tuple((x * 255).astype("uint8") for x in both), ref.ssim,
             small | {"max_val": 255}, dtype="float32", **f),
        Case("ssim", (BRAIN, BRAIN[::-1].copy()), ref.ssim, {"filter_size": 4}),
        Case("psnr", (LARGE, other, 1.0), ref.psnr, tolerance=2e-6),
        Case("psnr", (IMAGES, IMAGES, 1.0), ref.psnr, note="equal", grad=False),
        Case("psnr", (BYTES, BYTES[::-1].copy(), 255), ref.psnr, dtype="float32"),
    ]  # fmt: skip
