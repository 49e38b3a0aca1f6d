"""The window functions of signal processing, computed on the host in float64."""

from __future__ import annotations

import operator
from typing import Any

import numpy as np

from kerata import config
from kerata.ops.dispatch import Tensor, composite
from kerata.ops.shaping import convert_to_tensor

__all__ = ("bartlett", "blackman", "hamming", "hanning", "kaiser")


def _window(name: str, x: Any, *more: Any) -> Tensor:
    """NumPy's window of that name and `x` points, as `config.floatx()`."""
    try:
        points = operator.index(getattr(x, "value", x))
    except TypeError:
        raise TypeError(f"{name}: x must be an int, the number of points; got {x!r}") from None
    return convert_to_tensor(getattr(np, name)(points, *more), config.floatx())


@composite()
def bartlett(x: Any) -> Tensor:
    """The triangular window of `x` points, `(x,)`, that is 0 at both ends.

    >>> bartlett(5).tolist()
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    return _window("bartlett", x)


@composite()
def blackman(x: Any) -> Tensor:
    """`0.42 - 0.5 cos(2πn / (x - 1)) + 0.08 cos(4πn / (x - 1))` for `x` points `n`, `(x,)`."""
    return _window("blackman", x)


@composite()
def hamming(x: Any) -> Tensor:
    """`0.54 - 0.46 cos(2πn / (x - 1))` for `x` points `n`, `(x,)`."""
    return _window("hamming", x)


@composite()
def hanning(x: Any) -> Tensor:
    """`0.5 - 0.5 cos(2πn / (x - 1))` for `x` points `n`, `(x,)`."""
    return _window("hanning", x)


@composite()
def kaiser(x: Any, beta: float) -> Tensor:
    """`i0(beta sqrt(1 - (2n / (x - 1) - 1)²)) / i0(beta)` for `x` points `n`, `(x,)`."""
    return _window("kaiser", x, float(beta))
