"""Images in files and as arrays, by way of Pillow."""

from __future__ import annotations

import io
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata import config
from kerata.backends.registry import ensure, load, use_backend, using
from kerata.backends.state import state
from kerata.utils.extras import extra

# What the channels are called here, and in Pillow; and how many there are.
COLOR_MODES = {"grayscale": ("L", 1), "rgb": ("RGB", 3), "rgba": ("RGBA", 4)}
_DEEP = ("I", "I;16", "I;16B", "I;16L")  # modes of gray in more than 8 bits
_RESAMPLING = ("nearest", "bilinear", "bicubic", "hamming", "box", "lanczos")
_RESIZING = (
    "bilinear", "nearest", "bicubic", "area", "lanczos3", "lanczos5", "gaussian", "mitchellcubic",
)  # fmt: skip
_DEEPEST = 65535


def _pillow(user: str) -> Any:
    return extra("PIL.Image", "data", user)


def load_img(
    path: Any,
    color_mode: str = "rgb",
    target_size: Any = None,
    interpolation: str = "nearest",
    keep_aspect_ratio: bool = False,
) -> Any:
    """The image in a file.

    Args:
        path: of the file; or a file object.
        color_mode: "grayscale", "rgb" or "rgba".
        target_size: height and width to resize it to; None leaves it.
        interpolation: "nearest", "bilinear", "bicubic", "hamming", "box" or "lanczos".
        keep_aspect_ratio: cut the middle of the image, in the ratio of `target_size`, first.

    Returns:
        An image of Pillow's.
    """
    pillow = _pillow("load_img")
    if color_mode not in COLOR_MODES:
        raise ValueError(
            f"load_img: color_mode must be one of {[*COLOR_MODES]}; got {color_mode!r}"
        )
    if isinstance(path, (str, os.PathLike)):
        with open(path, "rb") as file:
            content: Any = io.BytesIO(file.read())
    elif hasattr(path, "read"):
        content = path
    else:
        raise TypeError(f"load_img: path must be a path or a file; got {type(path).__name__}")
    image = pillow.open(content)
    mode = COLOR_MODES[color_mode][0]
    if image.mode != mode and not (mode == "L" and image.mode in _DEEP):
        image = image.convert(mode)
    if target_size is None:
        return image
    if interpolation not in _RESAMPLING:
        raise ValueError(
            f"load_img: interpolation must be one of {_RESAMPLING}; got {interpolation!r}"
        )
    height, width = target_size
    method = pillow.Resampling[interpolation.upper()]
    if image.size == (width, height):
        return image
    box = _middle(image.size, width, height) if keep_aspect_ratio else None
    return image.resize((width, height), method, box)


def _middle(size: tuple[int, int], width: int, height: int) -> tuple[int, int, int, int]:
    """The middle of an image, as large as it can be in the ratio of a width and a height."""
    across, down = min(size[0], size[1] * width // height), min(size[1], size[0] * height // width)
    left, top = (size[0] - across) // 2, (size[1] - down) // 2
    return left, top, left + across, top + down


def img_to_array(img: Any, data_format: str | None = None, dtype: Any = None) -> np.ndarray:
    """An image as an array.

    Args:
        img: an image of Pillow's, or an array.
        data_format: where the array is to have the channels.
        dtype: of the array; None for the default float.

    Returns:
        `(height, width, channels)`, or `(channels, height, width)`.
    """
    channels_last = config.standardize_data_format(data_format) == "channels_last"
    x = np.asarray(img, dtype or config.floatx())
    if x.ndim == 2:
        return x[..., None] if channels_last else x[None]
    if x.ndim != 3:
        raise ValueError(f"img_to_array: an image has two or three axes; got the shape {x.shape}")
    return x if channels_last or isinstance(img, np.ndarray) else np.moveaxis(x, 2, 0)


def array_to_img(
    x: Any, data_format: str | None = None, scale: bool = True, dtype: Any = None
) -> Any:
    """An array as an image.

    Args:
        x: `(height, width, channels)`, or `(channels, height, width)`.
        data_format: where it has its channels, of which there are 1, 3 or 4.
        scale: whether its least value becomes 0 and its largest 255.
        dtype: that it is scaled in; None for the default float.

    Returns:
        An image of Pillow's.

    >>> array_to_img(np.ones((2, 3, 1)), scale=False).size
    (3, 2)
    """
    pillow = _pillow("array_to_img")
    channels_last = config.standardize_data_format(data_format) == "channels_last"
    backend = state.backend or ensure()
    tensor = isinstance(x, backend.tensor_types) and not isinstance(x, np.ndarray)
    values = np.asarray(backend.to_numpy(x) if tensor else x, dtype or config.floatx())
    if values.ndim != 3:
        raise ValueError(f"array_to_img: an image has three axes; got the shape {values.shape}")
    if not channels_last:
        values = np.moveaxis(values, 0, 2)
    if scale:
        values = values - values.min()
        largest = values.max()
        values = values / largest * 255 if largest else values
    channels = values.shape[2]
    if channels == 1:
        deep = values.max() > 255
        return pillow.fromarray(values[..., 0].astype("int32" if deep else "uint8"))
    if channels not in (3, 4):
        raise ValueError(f"array_to_img: an image has 1, 3 or 4 channels; got {channels}")
    return pillow.fromarray(values.astype("int64").astype("uint8"))


def save_img(
    path: Any,
    x: Any,
    data_format: str | None = None,
    file_format: str | None = None,
    scale: bool = True,
    **kwargs: Any,
) -> None:
    """Write an array to a file, as an image.

    Args:
        path: of the file; or a file object.
        x: `(height, width, channels)`, or `(channels, height, width)`.
        data_format: where it has its channels.
        file_format: of the file, such as "png"; None for what its name ends in.
        scale: whether its least value becomes 0 and its largest 255.
        **kwargs: further arguments of `PIL.Image.Image.save`.
    """
    image = array_to_img(x, data_format, scale)
    kind = file_format or os.path.splitext(str(path))[1][1:]
    if image.mode == "RGBA" and kind.lower() in ("jpg", "jpeg"):
        image = image.convert("RGB")  # the format has no transparency
    image.save(path, format="jpeg" if file_format == "jpg" else file_format, **kwargs)


def smart_resize(
    x: Any, size: Any, interpolation: str = "bilinear", data_format: str = "channels_last"
) -> Any:
    """Images cut to the ratio of a size, around their middle, and resized to it.

    Args:
        x: `(height, width, channels)`, or `(batch, height, width, channels)`.
        size: height and width.
        interpolation: as in `kerata.ops.image.resize`.
        data_format: where the channels are.

    Returns:
        Images of that size: a NumPy array where `x` is one, and a tensor otherwise.

    >>> smart_resize(np.ones((4, 6, 3), "float32"), (2, 2)).shape
    (2, 2, 3)
    """
    from kerata import ops

    active = load("numpy") if isinstance(x, np.ndarray) else state.backend or ensure()
    with using(active):
        return ops.image.resize(
            x, size, interpolation, crop_to_aspect_ratio=True, data_format=data_format
        )


def image_reader(
    user: str,
    color_mode: str,
    size: tuple[int, int],
    interpolation: str,
    crop: bool,
    pad: bool,
    channels_last: bool,
) -> Callable[[str], np.ndarray]:
    """What makes a float32 array of one size of an image file, in any thread."""
    from kerata.ops.image.resizing import resized

    if color_mode not in COLOR_MODES:
        raise ValueError(f"{user}: color_mode must be one of {[*COLOR_MODES]}; got {color_mode!r}")
    if interpolation not in _RESIZING:
        raise ValueError(f"{user}: interpolation must be one of {_RESIZING}; got {interpolation!r}")
    if crop and pad:
        raise ValueError(f"{user}: crop_to_aspect_ratio and pad_to_aspect_ratio exclude each other")
    if len(size) != 2 or any(not isinstance(n, int) or n < 1 for n in size):
        raise ValueError(f"{user}: image_size must be two positive ints; got {size!r}")
    _pillow(user)

    def read(path: str) -> np.ndarray:
        try:
            image = load_img(path, color_mode)
            deep = image.mode in _DEEP
            x = img_to_array(image, "channels_last", "float32" if deep else "uint8")
        except OSError as error:
            raise ValueError(f"{user}: {path} can't be read as an image: {error}") from error
        if deep:
            x = x * np.float32(255 / _DEEPEST)
        with use_backend("numpy"):
            x = resized(
                x,
                size,
                interpolation,
                crop_to_aspect_ratio=crop,
                pad_to_aspect_ratio=pad,
                data_format="channels_last",
            )
        return x if channels_last else np.moveaxis(x, 2, 0)

    return read
