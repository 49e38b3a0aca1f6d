"""Layers that differ in little: those of a family, and those over one, two and three axes."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from types import FunctionType
from typing import Any, ClassVar

from kerata import config
from kerata.layers.input_spec import InputSpec
from kerata.layers.layer import Layer


class Family:
    """A base that says constructor and arguments once for its subclasses.

    Class keywords are a subclass's own defaults, `class Conv2D(BaseConv, strides=(1, 1))`. Into a
    docstring without `Args` go those of the class above it, before `Input`.
    """

    def __init_subclass__(cls, **defaults: Any) -> None:
        super().__init_subclass__()
        if defaults:
            cls.__init__ = _with_defaults(cls.__init__, defaults)  # type: ignore[method-assign]
        own, above = inspect.cleandoc(vars(cls).get("__doc__") or ""), cls.__base__.__doc__ or ""
        arguments = re.search(r"^Args:\n( .*\n)+", inspect.cleandoc(above) + "\n", re.M)
        if own and arguments and "\nArgs:\n" not in own:
            parts = re.split(r"^(?=Input\b)", own, maxsplit=1, flags=re.M)
            cls.__doc__ = f"{arguments[0]}\n".join(parts)


def _with_defaults(function: Any, defaults: Mapping[str, Any]) -> Callable[..., None]:
    """A copy of a function in which some positional parameters have other defaults."""
    count = function.__code__.co_argcount
    names = function.__code__.co_varnames[count - len(function.__defaults__) : count]
    values = dict(zip(names, function.__defaults__, strict=True))
    if unknown := sorted(set(defaults) - set(values)):
        raise TypeError(f"{function.__qualname__} has no arguments {unknown} with defaults")
    values |= defaults
    copy = FunctionType(
        function.__code__, function.__globals__, function.__name__,
        tuple(values[n] for n in names), function.__closure__,
    )  # fmt: skip
    copy.__dict__.update(function.__dict__)
    copy.__annotations__ = function.__annotations__
    copy.__qualname__, copy.__kwdefaults__ = function.__qualname__, function.__kwdefaults__
    return copy


class Spatial(Family, Layer):
    """A layer over `rank` spatial axes, which stand before the channels or after them.

    Attributes:
        rank: the number of spatial axes.
    """

    rank: ClassVar[int]
    live: ClassVar[Mapping[str, str]] = {**Layer.live, "data_format": "data_format"}

    def __init__(self, data_format: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.data_format = config.standardize_data_format(data_format)
        self.input_spec = InputSpec(ndim=self.rank + 2)

    @property
    def spatial_axes(self) -> tuple[int, ...]:
        """The axes between the batch and the channels, or after both."""
        first = 1 if self.data_format == "channels_last" else 2
        return tuple(range(first, first + self.rank))

    @property
    def channel_axis(self) -> int:
        """The axis of the channels: the last or the second."""
        return -1 if self.data_format == "channels_last" else 1
