"""Images: against Pillow, seeds, sizes that stay open, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from kerata import ops
from kerata.backends.registry import load, use_backend
from kerata.core.seeds import SeedGenerator
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import grad

_draw = np.random.default_rng(12)
IMAGE = _draw.random((2, 13, 17, 3)).astype("float32")
ROWS, COLUMNS = np.mgrid[:40, :50].astype("float32")
PLACES = np.stack([COLUMNS, ROWS], -1)


def values(x) -> np.ndarray:
    return ops.convert_to_numpy(x)


@pytest.mark.parametrize("size", [(5, 6), (31, 20)])
@pytest.mark.parametrize(
    ("interpolation", "filter_name"),
    [("bilinear", "BILINEAR"), ("bicubic", "BICUBIC"), ("lanczos3", "LANCZOS")],
)
def test_antialiased_resizing_is_pillow_s(backend, interpolation, filter_name, size):
    from PIL import Image

    found = values(ops.image.resize(IMAGE[0], size, interpolation, antialias=True))
    method = Image.Resampling[filter_name]
    for c in range(3):
        image = Image.fromarray(IMAGE[0, ..., c])
        wanted = np.asarray(image.resize((size[1], size[0]), method))
        np.testing.assert_allclose(found[..., c], wanted, atol=2e-6)


@pytest.mark.oracle
@pytest.mark.parametrize("size", [(5, 6), (31, 20)])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("interpolation", ["gaussian", "mitchellcubic"])
def test_resizing_with_the_kernels_that_tensorflow_has_besides(
    backend, interpolation, antialias, size
):
    tf = pytest.importorskip("tensorflow")
    found = values(ops.image.resize(IMAGE, size, interpolation, antialias))
    wanted = tf.image.resize(IMAGE, size, interpolation, antialias=antialias)
    np.testing.assert_allclose(found, wanted.numpy(), atol=2e-6)


@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_splines_on_short_axes_go_through_the_elements(backend):
    """SciPy's do not for "reflect": there it is no oracle."""
    x = np.float32([0.3, -1.0, 2.0, 0.5])
    for order in (2, 3, 4, 5):
        for mode in ("constant", "nearest", "wrap", "mirror", "reflect"):
            at = np.arange(4, dtype="float32")[None]
            np.testing.assert_allclose(
                values(ops.image.map_coordinates(x, at, order, mode)), x, atol=2e-6
            )
    far = values(ops.image.map_coordinates(x, [[-2.0, 6.0, 1e9]], 3, "reflect"))
    np.testing.assert_allclose(far[:2], x[[1, 1]], atol=2e-6)


def test_coordinates_far_away_are_cut_off(backend):
    x = np.arange(3, dtype="float32")
    far = [[-1e30, 1e30, -np.inf, np.inf]]
    assert values(ops.image.map_coordinates(x, far, 0, "nearest")).tolist() == [0, 2, 0, 2]
    assert values(ops.image.map_coordinates(x, far, 0, "constant", 7)).tolist() == [7] * 4


def test_constant_edges_keep_infinities_out(backend):
    x = np.float32([np.inf, 1.0])
    found = values(ops.image.map_coordinates(x, [[-3.0, -1.5, 1.0]], 1, "constant", 5.0))
    assert found.tolist() == [5.0, 5.0, 1.0]


# Elastic transformation


def displacement(**options) -> np.ndarray:
    """How far each pixel of two images is displaced, to the right and down."""
    moved = ops.image.elastic_transform(np.stack([PLACES] * 2), fill_mode="nearest", **options)
    return values(moved) - PLACES


def test_elastic_transforms_follow_their_seed(backend):
    one, again = displacement(seed=1), displacement(seed=1)
    np.testing.assert_array_equal(one, again)
    assert not np.array_equal(one, displacement(seed=2))
    generator = SeedGenerator(5)
    assert not np.array_equal(displacement(seed=generator), displacement(seed=generator))
    assert not np.array_equal(displacement(), displacement())
    assert not np.array_equal(one[0], one[1])


def test_elastic_displacements_are_smooth_noise(backend):
    inner = displacement(seed=3, alpha=1.0, sigma=1.0)[:, 8:-8, 8:-8]
    # White noise of deviation s under a Gaussian of deviation s: 1 / (2 √π) of it is left, in 2-D.
    assert inner.std() == pytest.approx(1.0 / (2 * np.sqrt(np.pi)), rel=0.1)
    beside = np.corrcoef(inner[:, :, :-1, 0].ravel(), inner[:, :, 1:, 0].ravel())[0, 1]
    assert beside == pytest.approx(np.exp(-0.25), abs=0.08)
    assert abs(np.corrcoef(inner[..., 0].ravel(), inner[..., 1].ravel())[0, 1]) < 0.15
    assert abs(np.corrcoef(inner[0].ravel(), inner[1].ravel())[0, 1]) < 0.15


@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_elastic_transforms_of_all_layouts(backend):
    first = np.moveaxis(IMAGE, -1, 1).copy()
    one = values(ops.image.elastic_transform(IMAGE, seed=4))
    other = values(ops.image.elastic_transform(first, seed=4, data_format="channels_first"))
    np.testing.assert_allclose(np.moveaxis(other, 1, -1), one, atol=1e-6)
    whole = values(ops.image.elastic_transform((IMAGE[0] * 255).astype("uint8"), seed=4))
    assert whole.shape == IMAGE.shape[1:] and whole.dtype == np.uint8
    assert ops.image.elastic_transform(KerasTensor((None, 8, 9, 3)), seed=1).shape == (
        None,
        8,
        9,
        3,
    )


# Sizes that stay open


@pytest.mark.parametrize(
    "call",
    [
        lambda x: ops.image.resize(x, (6, 5), "bicubic", antialias=True),
        lambda x: ops.image.resize(x, (6, 5), pad_to_aspect_ratio=True, fill_value=2.0),
        lambda x: ops.image.resize(x, (6, 5), "nearest", crop_to_aspect_ratio=True),
        lambda x: ops.image.affine_transform(x, np.float32([1, 0.1, 0.3, 0, 0.9, 0.2, 0, 0])),
        lambda x: ops.image.extract_patches(x, 3, 2, padding="same"),
        lambda x: ops.image.gaussian_blur(x),
        lambda x: ops.adaptive_average_pool(x, (3, 4)),
        lambda x: ops.adaptive_max_pool(x, (3, 4)),
        lambda x: ops.conv_transpose(x, np.ones((3, 2, 4, 3), "float32"), 2, "same"),
    ],
)
def test_programs_for_images_of_any_size(call):
    """TensorFlow's programs keep the sizes open: the same one runs for both."""
    tf = pytest.importorskip("tensorflow")
    with use_backend("tensorflow") as backend:
        spec = tf.TensorSpec((None, None, None, 3))
        program = tf.function(call, input_signature=[spec], autograph=False)
        for x in (IMAGE, IMAGE[:1, :8, :9].copy()):
            wanted = values(call(backend.convert(x)))
            np.testing.assert_allclose(program(x).numpy(), wanted, atol=2e-6)


# What is refused


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda i: i.resize(IMAGE, (3, 3), "cubic"), "resize: interpolation must be one of 'near"),
        (lambda i: i.resize(IMAGE, 3), "resize: size must be two positive ints; got 3"),
        (lambda i: i.resize(IMAGE, (3, 0)), r"resize: size must be .* got \(3, 0\)"),
        (lambda i: i.resize(IMAGE[0, 0], (3, 3)), r"resize: images must have 3 axes.*\(17, 3\)"),
        (
            lambda i: i.resize(IMAGE, (3, 3), fill_mode="reflect", pad_to_aspect_ratio=True),
            "resize: fill_mode must be one of 'constant'; got 'reflect'",
        ),
        (
            lambda i: i.resize(IMAGE, (3, 3), pad_to_aspect_ratio=True, crop_to_aspect_ratio=True),
            "resize: only one of",
        ),
        (
            lambda i: i.scale_and_translate(IMAGE, (2, 3, 3), [1.0], [0.0], (1,), "linear"),
            r"scale_and_translate: output_shape must have a size for each.*\(2, 3, 3\)",
        ),
        (lambda i: i.map_coordinates(IMAGE, [[0.0]], 1), "map_coordinates: coordinates must have"),
        (lambda i: i.map_coordinates([0.0], [[0.0]], 6), "map_coordinates: order must be .* got 6"),
        (
            lambda i: i.map_coordinates([0.0], [[0.0]], 1, "far"),
            "map_coordinates: fill_mode must be one of 'constant', 'nearest'.*got 'far'",
        ),
        (
            lambda i: i.affine_transform(IMAGE, np.ones((3, 8))),
            r"affine_transform: transform must have 8 numbers.*\(3, 8\)",
        ),
        (
            lambda i: i.affine_transform(IMAGE, np.ones(8), "cubic"),
            "affine_transform: interpolation must be one of 'nearest', 'bilinear'; got 'cubic'",
        ),
        (
            lambda i: i.perspective_transform(IMAGE, np.ones((4, 2)), np.ones((3, 2))),
            r"perspective_transform: start_points and end_points.*\(3, 2\)",
        ),
        (
            lambda i: i.elastic_transform(IMAGE, fill_mode="far", seed=1),
            "elastic_transform: fill_mode must be one of",
        ),
        (lambda i: i.gaussian_blur(IMAGE, 3), "gaussian_blur: kernel_size must be two .* got 3"),
        (lambda i: i.rgb_to_hsv(IMAGE.astype("int32")), "rgb_to_hsv: images must be of a float"),
        (lambda i: i.hsv_to_rgb(IMAGE[..., :2]), r"hsv_to_rgb: images must have 3 channels; got 2"),
        (
            lambda i: i.crop_images(IMAGE, 1, 1),
            "crop_images: give exactly two of top_cropping, bottom_cropping, target_height; "
            "got top_cropping=1, bottom_cropping=None",
        ),
        (
            lambda i: i.crop_images(IMAGE, 9, 1, 9, 1),
            "crop_images: top_cropping=9, bottom_cropping=9 .* do not fit a height of 13",
        ),
        (
            lambda i: i.pad_images(IMAGE, -1, 1, 1, 1),
            "pad_images: top_padding, .* must not be negative; got top_padding=-1",
        ),
        (
            lambda i: i.pad_images(IMAGE, 1, 1, None, 1, target_height=13),
            "pad_images: target_height=13 is too small for a height of 13",
        ),
        (lambda i: i.extract_patches(IMAGE, 3, padding="full"), "extract_patches: padding must be"),
        (
            lambda i: i.extract_patches(IMAGE, 20),
            "extract_patches: a patch of .* does not fit into",
        ),
        (
            lambda i: i.ssim(IMAGE, IMAGE[:, :5]),
            r"ssim: the images must have the same shape.*\(2, 5, 17, 3\)",
        ),
        (lambda i: i.ssim(IMAGE, IMAGE, filter_size=15), "ssim: filter_size 15 is larger"),
        (lambda i: ops.psnr(IMAGE, IMAGE[0], 1.0), "psnr: x1 and x2 must have the same shape"),
        (
            lambda i: ops.depth_to_space(IMAGE, 2),
            "depth_to_space: block_size 2 squared must divide the 3 channels",
        ),
        (lambda i: ops.space_to_depth(IMAGE, 1), "space_to_depth: block_size must be an int of at"),
        (
            lambda i: ops.unfold(IMAGE, (2, 0)),
            r"unfold: kernel_size must be an int of at least 1, or two; got \(2, 0\)",
        ),
        (lambda i: ops.unfold(IMAGE, 20), "unfold: a patch of .* does not fit into"),
        (
            lambda i: ops.fold(IMAGE[0], (5, 4), 2),
            r"fold: x must be \(batch, channels \* 4, 12\) for kernel_size",
        ),
        (
            lambda i: ops.adaptive_max_pool(IMAGE, (1, 2, 3)),
            r"adaptive_max_pool: output_size must be .* got \(1, 2, 3\)",
        ),
        (
            lambda i: ops.conv_transpose(IMAGE, np.ones((2, 2, 4, 5), "float32")),
            "conv_transpose: the inputs have 3 channels, the kernel's last axis 5",
        ),
        (
            lambda i: ops.conv_transpose(
                IMAGE, np.ones((2, 2, 4, 3), "float32"), output_padding=-1
            ),
            "conv_transpose: output_padding must be None, an int of 0 or more",
        ),
        (
            lambda i: ops.depthwise_conv(IMAGE, np.ones((2, 2, 4, 3), "float32")),
            "depthwise_conv: kernel must be",
        ),
    ],
)
def test_errors_name_the_operation_and_the_argument(backend, call, message):
    with pytest.raises(ValueError, match=message):
        call(ops.image)


# Gradients


def test_gradients_of_a_warp_are_finite_outside_of_the_image(training_backend):
    backend = load(training_backend)
    far = np.float32([1, 0, 50, 0, 1, -30, 0, 0])
    run = grad(lambda x, t: ops.sum(ops.image.affine_transform(x, t)), argnums=(0, 1))
    for g in run(backend.convert(IMAGE), backend.convert(far)):
        assert np.isfinite(backend.to_numpy(g)).all()


@pytest.mark.parametrize("backend", ["numpy"], indirect=True)
def test_zooming_is_scipy_s(backend):
    """A whole image through `map_coordinates`, as a user would write it."""
    grid = np.stack(np.meshgrid(np.linspace(0, 12, 30), np.linspace(0, 16, 25), indexing="ij"))
    grid = grid.astype("float32")
    wanted = ndimage.map_coordinates(IMAGE[0, ..., 0].astype(float), grid.astype(float), order=3)
    found = values(ops.image.map_coordinates(IMAGE[0, ..., 0], grid, 3, "mirror"))
    np.testing.assert_allclose(found, wanted, atol=2e-6)
