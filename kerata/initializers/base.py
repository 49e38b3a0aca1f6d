"""The base of initializers, and the way from an initializer to a variable's first value."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

import numpy as np

from kerata.backends import dtypes
from kerata.backends.numpy.backend import to_array
from kerata.backends.registry import ensure, load, using
from kerata.backends.state import state
from kerata.core.config_object import Configurable

I = TypeVar("I", bound="Initializer")  # noqa: E741

Shape = Sequence[int]


class Initializer(Configurable):
    """The base of initializers: first values for a shape and a dtype.

    The library's own draw on the host, in `draw`, so that one seed gives the same weights on every
    backend. A subclass defines `draw`, or `__call__(self, shape, dtype=None)` in operations.
    """

    def __call__(self, shape: Shape, dtype: Any = None, **kwargs: Any) -> Any:
        """A tensor of the active backend; `dtype` None is `config.floatx()`."""
        values = self.draw(tuple(shape), dtypes.standardize_dtype(dtype))
        return (state.backend or ensure()).convert(values)

    def draw(self, shape: Shape, dtype: str) -> np.ndarray:
        """The values as a NumPy array of that shape and dtype."""
        raise NotImplementedError(f"{type(self).__name__} must define draw or __call__")

    def planned(self, shape: Shape, dtype: str) -> Callable[[], np.ndarray]:
        """A function that draws the values, the same ones however late it is called."""
        return lambda: self.draw(shape, dtype)

    def clone(self: I) -> I:
        """An initializer of the same config."""
        return self.from_config(self.get_config())


@contextlib.contextmanager
def on_host() -> Iterator[None]:
    """Inside it operations run on NumPy, and variables are their own, whatever runs around it."""
    scope, autocast = state.scope, state.autocast
    state.scope = state.autocast = None
    try:
        with using(load("numpy")):
            yield
    finally:
        state.scope, state.autocast = scope, autocast


def plan(initializer: Any, shape: Shape, dtype: str) -> Callable[[], np.ndarray]:
    """A function that draws the first value of a variable.

    What a function of the user's returns is computed at once, under NumPy; it may be a tensor of
    any engine.

    Raises:
        ValueError: it returns another shape.
    """
    if isinstance(initializer, Initializer) and type(initializer).__call__ is Initializer.__call__:
        return initializer.planned(shape, dtype)
    with on_host():
        value = initializer(shape, dtype=dtype)
        if hasattr(type(value), "__kerata_value__"):
            value = value.numpy()
    array = to_array(value).astype(dtypes.numpy_dtype(dtype), copy=False)
    if array.shape != tuple(shape):
        raise ValueError(
            f"The initializer {initializer!r} was asked for the shape {tuple(shape)} and returned "
            f"{array.shape}"
        )
    return lambda: array
