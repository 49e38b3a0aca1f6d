"""Images in files and as arrays, against Keras."""

import io
import sys

import numpy as np
import pytest

import kerata
from kerata import preprocessing, utils

Image = pytest.importorskip("PIL.Image")
RNG = np.random.default_rng(0)
COLOURS = RNG.random((5, 6, 3))


@pytest.mark.oracle
@pytest.mark.parametrize(
    ("x", "arguments"),
    [
        (COLOURS, {}),
        (COLOURS[..., :1], {}),
        (RNG.random((5, 6, 4)), {}),
        (COLOURS.transpose(2, 0, 1), {"data_format": "channels_first"}),
        (np.full((2, 2, 3), 7.0), {}),
        (np.full((2, 2, 3), 7.6), {"scale": False}),
        (np.full((2, 2, 3), 300.6), {"scale": False}),
        (np.full((2, 2, 1), 1000), {"scale": False}),
        (COLOURS * 50, {"dtype": "float64"}),
    ],
    ids=str,
)
def test_arrays_become_images_as_in_keras(keras, x, arguments):
    found, wanted = utils.array_to_img(x, **arguments), keras.utils.array_to_img(x, **arguments)
    assert found.mode == wanted.mode
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["RGB", "L", "RGBA"])
@pytest.mark.parametrize("data_format", ["channels_first", "channels_last", None])
def test_images_become_arrays_as_in_keras(keras, mode, data_format):
    image = Image.fromarray((COLOURS * 255).astype("uint8")).convert(mode)
    for dtype in (None, "uint8"):
        found = utils.img_to_array(image, data_format, dtype)
        wanted = keras.utils.img_to_array(image, data_format, dtype)
        assert found.dtype == wanted.dtype
        np.testing.assert_array_equal(found, wanted)


def test_tensors_become_images(backend):
    x = kerata.ops.convert_to_tensor((COLOURS * 255).astype("float32"))
    np.testing.assert_array_equal(utils.array_to_img(x), utils.array_to_img(COLOURS * 255))


@pytest.fixture
def path(tmp_path):
    pixels = RNG.integers(0, 255, (37, 53, 3), "uint8")
    Image.fromarray(pixels).save(tmp_path / "x.png")
    return tmp_path / "x.png"


@pytest.mark.oracle
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize(
    "interpolation", ["nearest", "bilinear", "bicubic", "hamming", "box", "lanczos"]
)
def test_images_are_loaded_as_in_keras(keras, path, interpolation, keep):
    for size in ((20, 31), (50, 20), (37, 53), None):
        for mode in ("rgb", "grayscale", "rgba"):
            given = (mode, size, interpolation, keep)
            found, wanted = utils.load_img(path, *given), keras.utils.load_img(path, *given)
            assert found.mode == wanted.mode
            np.testing.assert_array_equal(found, wanted)


def test_images_of_16_bits_keep_them(tmp_path):
    pixels = np.array([[0, 60000]], "uint16")
    Image.fromarray(pixels).save(tmp_path / "x.png")
    found = utils.load_img(tmp_path / "x.png", color_mode="grayscale")
    assert utils.img_to_array(found)[..., 0].tolist() == [[0, 60000]]


def test_saved_and_loaded(tmp_path):
    for name in ("x.png", "x.bmp"):
        utils.save_img(tmp_path / name, COLOURS)
        np.testing.assert_array_equal(utils.load_img(tmp_path / name), utils.array_to_img(COLOURS))
    file = io.BytesIO()
    utils.save_img(file, COLOURS, file_format="png")
    file.seek(0)
    np.testing.assert_array_equal(utils.load_img(file), utils.array_to_img(COLOURS))
    utils.save_img(str(tmp_path / "x.jpg"), RNG.random((5, 6, 4)), quality=50)
    assert Image.open(tmp_path / "x.jpg").mode == "RGB"
    utils.save_img(tmp_path / "y", COLOURS, file_format="jpg")
    assert Image.open(tmp_path / "y").format == "JPEG"


@pytest.mark.oracle
@pytest.mark.parametrize("interpolation", ["bilinear", "nearest", "lanczos3"])
@pytest.mark.parametrize("size", [(8, 9), (40, 17), (7, 40)])
def test_smart_resize_is_that_of_keras(keras, size, interpolation):
    from keras.preprocessing.image import smart_resize

    x = (RNG.random((20, 31, 3)) * 255).astype("float32")
    found = preprocessing.image.smart_resize(x, size, interpolation)
    assert type(found) is np.ndarray
    np.testing.assert_allclose(found, smart_resize(x, size, interpolation), atol=1e-3)


def test_smart_resize_of_tensors(backend):
    x = RNG.random((2, 3, 8, 12)).astype("float32")
    found = preprocessing.image.smart_resize(
        kerata.ops.convert_to_tensor(x), (4, 4), data_format="channels_first"
    )
    assert isinstance(found, backend.tensor_types)
    expected = preprocessing.image.smart_resize(x, (4, 4), data_format="channels_first")
    np.testing.assert_allclose(kerata.ops.convert_to_numpy(found), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda p: utils.load_img(p, "x"), "color_mode must be one of .*got 'x'"),
        (lambda p: utils.load_img(p, "rgb", (2, 2), "x"), "interpolation must be one of .*'x'"),
        (lambda p: utils.array_to_img(COLOURS[0]), r"three axes; got the shape \(6, 3\)"),
        (lambda p: utils.array_to_img(COLOURS[..., :2]), "1, 3 or 4 channels; got 2"),
        (lambda p: utils.img_to_array(COLOURS[None]), r"two or three axes; got the shape \(1, 5"),
        (lambda p: utils.img_to_array(COLOURS, "x"), "data_format must be"),
    ],
)
def test_bad_arguments(path, call, message):
    with pytest.raises(ValueError, match=message):
        call(path)


def test_bad_paths(monkeypatch):
    with pytest.raises(TypeError, match="path must be a path or a file; got int"):
        utils.load_img(7)
    monkeypatch.setitem(sys.modules, "PIL.Image", None)
    with pytest.raises(ImportError, match=r"load_img needs PIL.*'kerata\[data\]'"):
        utils.load_img("x.png")
