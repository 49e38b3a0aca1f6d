"""The geometry of transposed convolutions, as integers."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any, NamedTuple

from kerata import config
from kerata.backends.geometry import spread


class Transposed(NamedTuple):
    """The plan of a transposed convolution over `rank` spatial axes.

    Each element of an axis of n places a window of `span` every `stride`. Of what that covers, the
    result has the `(n - 1) * stride + extra` elements after the first `before`; where it is longer
    than what is covered, it ends in zeros.

    Attributes:
        rank: the number of spatial axes.
        size: the window.
        strides: the steps in the result.
        dilation: the distances between the window's elements.
        span: how far the dilated window reaches.
        extra: see above.
        before: see above.
        channels_last: whether channels are the last axis.
    """

    rank: int
    size: tuple[int, ...]
    strides: tuple[int, ...]
    dilation: tuple[int, ...]
    span: tuple[int, ...]
    extra: tuple[int, ...]
    before: tuple[int, ...]
    channels_last: bool

    def covered(self, sizes: Sequence[Any]) -> tuple[Any, ...]:
        """How much the windows of axes of these sizes cover."""
        return tuple(
            (n - 1) * s + k for n, s, k in zip(sizes, self.strides, self.span, strict=True)
        )

    def output(self, sizes: Sequence[Any]) -> tuple[Any, ...]:
        """The spatial sizes that come out."""
        return tuple(
            (n - 1) * s + e for n, s, e in zip(sizes, self.strides, self.extra, strict=True)
        )

    @property
    def missing(self) -> tuple[int, ...]:
        """How many zeros the result has after what is covered."""
        return tuple(
            max(e + b - k, 0) for e, b, k in zip(self.extra, self.before, self.span, strict=True)
        )

    def spatial(self, shape: Sequence[Any]) -> tuple[Any, ...]:
        """The spatial sizes out of a whole shape."""
        return tuple(shape[1:-1] if self.channels_last else shape[2:])


def _paddings(value: Any, rank: int) -> tuple[int | None, ...]:
    values = (value,) * rank if value is None or isinstance(value, int) else tuple(value)
    if len(values) != rank or any(v is not None and (type(v) is not int or v < 0) for v in values):
        raise ValueError(
            f"output_padding must be None, an int of 0 or more, or {rank} of them; got {value!r}"
        )
    return values


def _extra(span: int, stride: int, same: bool, more: int | None) -> int:
    if same:
        return stride if more is None else span - 2 * (span // 2) + more
    return max(span, stride) if more is None else span + more


@functools.lru_cache(4096)
def _transposed(
    rank: int, size: Any, strides: Any, padding: str, output_padding: Any, data_format: str,
    dilation: Any,
) -> Transposed:  # fmt: skip
    if padding not in ("valid", "same"):
        raise ValueError(f"padding must be 'valid' or 'same'; got {padding!r}")
    same = padding == "same"
    steps, rates = spread(strides, rank, "strides"), spread(dilation, rank, "dilation_rate")
    spans = tuple((k - 1) * d + 1 for k, d in zip(size, rates, strict=True))
    more = _paddings(output_padding, rank)
    extra = tuple(_extra(k, s, same, m) for k, s, m in zip(spans, steps, more, strict=True))
    before = tuple(max(k - e, 0) // 2 if same else 0 for k, e in zip(spans, extra, strict=True))
    last = data_format == "channels_last"
    return Transposed(rank, size, steps, rates, spans, extra, before, last)


def transposed(
    kernel_shape: Sequence[Any], strides: Any, padding: str, output_padding: Any,
    data_format: str | None, dilation: Any,
) -> Transposed:  # fmt: skip
    """The plan for a kernel of that shape; arguments as in `kerata.ops.conv_transpose`."""
    strides, output_padding, dilation = (
        tuple(v) if isinstance(v, list) else v for v in (strides, output_padding, dilation)
    )
    size = tuple(kernel_shape[:-2])
    return _transposed(
        len(size), size, strides, str(padding).lower(), output_padding,
        config.standardize_data_format(data_format), dilation,
    )  # fmt: skip
