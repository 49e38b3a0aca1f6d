"""Random sharpening and blurring."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from kerata.layers.arguments import spread
from kerata.layers.preprocessing.image.base import Draws, ImageLayer, factor_range
from kerata.layers.preprocessing.image.color import ColorLayer
from kerata.ops.dispatch import Tensor


class RandomSharpness(ColorLayer):
    """Sharpens or smooths images: `smooth + 2 f (x - smooth)`, 0 beyond the edges.

    `smooth` is the mean of a pixel (5 / 13) and its eight neighbours (1 / 13 each).

    Args:
        factor: limits of f, a pair from 0 (smooth) over 0.5 (unchanged) to 1 (sharp), or one
            number for `(0, factor)`.
        value_range, data_format, seed: see `ImageLayer`.
    """

    bounds = (0.0, 1.0)

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        factor = self.per_image(transformation["factor"], images) * 2.0
        ones = [1.0, 1.0, 1.0]
        rows, columns, _ = self.axes
        around = _filtered(_filtered(images, ones, rows), ones, columns)
        smooth = (around + images * 4.0) * (1.0 / 13.0)
        return self.in_range(smooth + (images - smooth) * factor)


class RandomGaussianBlur(ImageLayer):
    """Blurs some images by a Gaussian, 0 beyond the edges.

    Args:
        factor: the probability, or a pair that it is drawn from; one number `f` stands for
            `(0, f)`.
        kernel_size: how many pixels take part, across and down, or one number for both.
        sigma: limits of the Gaussian's deviation in pixels, a pair from 0 to 1, or one number `s`
            for `(0, s)`.
        value_range, data_format, seed: see `ImageLayer`.
    """

    bounds = (0.0, 1.0)

    def __init__(
        self,
        factor: Any = 1.0,
        kernel_size: Any = 3,
        sigma: Any = 1.0,
        value_range: Any = (0, 255),
        data_format: str | None = None,
        seed: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, value_range, seed)
        self.kernel_size = spread(self, "kernel_size", kernel_size, 2)
        self.sigma = factor_range(self, "sigma", sigma, (0.0, 1.0))

    def drawn(self, draws: Draws) -> dict[str, Any]:
        u, v, *sides = draws(4)
        deviations = self.spread(ops.stack(sides, 1), self.sigma)  # across and down
        return {"should_apply_blur": self.some(u, v), "blur_factor": deviations}

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        sigma = ops.maximum(ops.cast(transformation["blur_factor"], "float32"), 1e-3)
        sigma = ops.reshape(sigma, (-1, 2))
        rows, columns, _ = self.axes
        across, down = self.kernel_size
        blurred = images
        for size, axis, i in ((down, rows, 1), (across, columns, 0)):
            places = ops.cast(np.arange(size) - (size - 1) / 2, "float32")
            weights = ops.exp(ops.square(places / sigma[:, i : i + 1]) * -0.5)
            weights = ops.cast(weights / ops.sum(weights, 1, keepdims=True), images.dtype)
            taps = [self.per_image(w) for w in ops.unstack(weights, size, 1)]
            blurred = _filtered(blurred, taps, axis)
        applied = self.per_image(transformation["should_apply_blur"])
        return ops.where(applied, self.in_range(blurred), images)


def _filtered(x: Tensor, weights: list[Any], axis: int) -> Tensor:
    """Sums of neighbours along `axis`, each times its weight; 0 beyond the edges."""
    rank, count = len(ops.shape(x)), len(weights)
    before = (count - 1) // 2
    pads = [(0, 0)] * rank
    pads[axis] = (before, count - 1 - before)
    wide, size = ops.pad(x, pads), ops.shape(x)[axis]
    total = None
    for start, weight in enumerate(weights):
        key: list[Any] = [slice(None)] * rank
        key[axis] = slice(start, start + size)
        part = wide[tuple(key)] * weight
        total = part if total is None else total + part
    return total
