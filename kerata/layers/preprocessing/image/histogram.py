"""Changes of pixels' values by the histogram of the image."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.backends import dtypes
from kerata.layers.arguments import positive, spread
from kerata.layers.preprocessing.image.base import ImageLayer
from kerata.ops.dispatch import Tensor
from kerata.ops.image.sampling import extended


def _counted(places: Tensor, bins: int) -> Tensor:
    """How often each of `bins` numbers occurs in each row of `(rows, n)`: `(rows, bins)`."""
    rows = ops.shape(places)[0]
    flat = ops.reshape(places + _starts(rows, bins), (-1, 1))
    ones = ops.ones_like(ops.squeeze(flat, 1), "float32")
    return ops.reshape(ops.scatter(flat, ones, (rows * bins,)), (-1, bins))


def _starts(rows: Any, bins: int) -> Tensor:
    """`(rows, 1)`: where each row begins when they lie one after the other."""
    return ops.expand_dims(ops.arange(rows, dtype="int32") * bins, 1)


def _looked_up(tables: Tensor, places: Tensor) -> Tensor:
    """`tables[row, places[row]]` for `(rows, bins)` and `(rows, n)`."""
    rows, bins = ops.shape(tables)
    return ops.take(ops.reshape(tables, (-1,)), places + _starts(rows, bins), 0)


class Equalization(ImageLayer):
    """Spreads the values of each channel evenly: a pixel's rank becomes its value.

    Args:
        value_range: see `ImageLayer`.
        bins: how many values are told apart.
        data_format: see `ImageLayer`.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        bins: int = 256,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(value_range=value_range, draws=False)
        self.bins = positive(self, "bins", bins)

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        first = ops.moveaxis(ops.cast(images, "float32"), self.axes[2], 1)
        shape = ops.shape(first)  # (batch, channels, height, width)
        rows = ops.reshape(first, (shape[0] * shape[1], shape[2] * shape[3]))
        top = float(self.bins - 1)
        x = ops.clip(self.rescaled(rows, self.value_range, (0.0, top)), 0.0, top)
        places = ops.cast(ops.floor(x + 1e-4), "int32")
        ranks = ops.cumsum(_counted(places, self.bins), 1)
        some = ops.greater(ranks, 0.0)
        low = ops.min(ops.where(some, ranks, ranks[:, -1:]), 1, keepdims=True)
        width = ranks[:, -1:] - low
        flat = ops.equal(width, 0.0)
        table = ops.round((ranks - low) / ops.where(flat, 1.0, width) * 255.0)
        y = self.rescaled(_looked_up(table, places), (0.0, 255.0), self.value_range)
        y = ops.reshape(ops.where(flat, rows, y), shape)
        return ops.cast(ops.moveaxis(y, 1, self.axes[2]), images.dtype)


class ContrastLimitedAdaptiveHistogramEqualization(ImageLayer):
    """Equalizes images tile by tile, the slope of the map limited (CLAHE; Zuiderveld, 1994).

    Each pixel is mapped by the histograms of the four tiles around it, weighted by how near they
    are. It works outside of training too.

    Args:
        value_range: see `ImageLayer`.
        clip_limit: how far a histogram's bin may rise over the mean of bins; what is above is
            spread over all. 0 for no limit.
        tile_grid_size: how many tiles there are, down and across.
        data_format: see `ImageLayer`.
    """

    always = True
    keeps_integers = True

    def __init__(
        self,
        value_range: Any = (0, 255),
        clip_limit: float = 4.0,
        tile_grid_size: Any = (8, 8),
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(value_range=value_range, draws=False)
        self.clip_limit = clip_limit
        self.tile_grid_size = spread(self, "tile_grid_size", tile_grid_size, 2)

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        dtype = dtypes.standardize_dtype(images.dtype)
        first = ops.moveaxis(ops.cast(images, "float32"), self.axes[2], 1)
        batch, channels, height, width = ops.shape(first)
        x = ops.reshape(first, (batch * channels, height, width))
        x = ops.clip(self.rescaled(x, self.value_range, (0.0, 255.0)), 0.0, 255.0)
        y = self._equalized(ops.cast(ops.floor(x + 1e-4), "int32"), height, width)
        y = self.rescaled(y, (0.0, 255.0), self.value_range)
        y = ops.moveaxis(ops.reshape(y, (batch, channels, height, width)), 1, self.axes[2])
        return ops.cast(y if dtypes.is_float(dtype) else ops.floor(y + 1e-4), dtype)

    def _equalized(self, levels: Tensor, height: Any, width: Any) -> Tensor:
        """Images of the levels 0 to 255, `(rows, height, width)`, equalized."""
        down, across = self.tile_grid_size
        tall, wide = -(-height // down), -(-width // across)
        padded = ops.take(levels, extended(ops.arange(tall * down), height, "reflect"), 1)
        padded = ops.take(padded, extended(ops.arange(wide * across), width, "reflect"), 2)
        tiles = ops.reshape(padded, (-1, down, tall, across, wide))
        tiles = ops.reshape(ops.transpose(tiles, (0, 1, 3, 2, 4)), (-1, tall * wide))
        table = ops.reshape(self._tables(_counted(tiles, 256), tall * wide), (-1,))
        # Where the four tables of each pixel begin, and their weights.
        starts = ops.arange(ops.shape(levels)[0], dtype="int32") * (down * across)
        total = None
        for y, a in self._neighbours(height, tall, down):
            for x, b in self._neighbours(width, wide, across):
                tile = ops.expand_dims(y * across, 1) + ops.expand_dims(x, 0)
                row = ops.reshape(starts, (-1, 1, 1)) + ops.expand_dims(tile, 0)
                part = ops.take(table, row * 256 + levels, 0)
                part = part * (ops.expand_dims(a, 1) * ops.expand_dims(b, 0))
                total = part if total is None else total + part
        return total

    def _tables(self, counts: Tensor, size: Any) -> Tensor:
        size = ops.cast(size, "float32")
        if self.clip_limit > 0:
            kept = ops.minimum(counts, size * (self.clip_limit / 256.0))
            counts = kept + ops.sum(counts - kept, 1, keepdims=True) / 256.0
        ranks = ops.cumsum(counts, 1)
        low = ranks[:, :1]
        return (ranks - low) * 255.0 / ops.maximum(size - low, 1e-7)

    def _neighbours(self, size: Any, tile: Any, count: int) -> list[tuple[Tensor, Tensor]]:
        """For each place along an axis the tile before and the one after, and their weights."""
        place = ops.arange(size, dtype="float32") / ops.cast(tile, "float32") - 0.5
        first = ops.floor(place)
        share = place - first
        return [
            (ops.cast(ops.clip(first + k, 0, count - 1), "int32"), weight)
            for k, weight in ((0.0, 1.0 - share), (1.0, share))
        ]
