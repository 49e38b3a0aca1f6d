"""Checks of constructor arguments, and the weights that follow from them."""

from __future__ import annotations

import operator
from collections.abc import Mapping
from numbers import Real
from typing import Any

from kerata import constraints, initializers, regularizers
from kerata.core.variable import Variable
from kerata.layers.layer import Layer


def positive(layer: Layer, name: str, value: Any) -> int:
    """`value` as an int.

    Raises:
        ValueError: it is no positive integer.
    """
    found = _integer(value)
    if found is None or found < 1:
        raise ValueError(
            f"{type(layer).__name__}: {name} must be a positive integer; got {value!r}"
        )
    return found


def integer(layer: Layer, name: str, value: Any) -> int:
    """`value` as an int.

    Raises:
        ValueError: it is no integer.
    """
    found = _integer(value)
    if found is None:
        raise ValueError(f"{type(layer).__name__}: {name} must be an int; got {value!r}")
    return found


def integers(layer: Layer, name: str, value: Any) -> tuple[int, ...]:
    """An int or several as a tuple.

    Raises:
        ValueError: it is neither.
    """
    found = [_integer(v) for v in (value if isinstance(value, (list, tuple)) else (value,))]
    if not found or None in found:
        raise ValueError(f"{type(layer).__name__}: {name} must be an int or several; got {value!r}")
    return tuple(v for v in found if v is not None)


def _integer(value: Any) -> int | None:
    try:
        return None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return None


def number(
    layer: Layer,
    name: str,
    value: Any,
    least: Any = None,
    most: Any = None,
    below: Any = None,
) -> Any:
    """`value`.

    Raises:
        ValueError: it is no number from `least` to `most`, or to less than `below`.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        inside = (least is None or value >= least) and (most is None or value <= most)
        if inside and (below is None or value < below):
            return value
    end = f"to {most}" if below is None else f"to less than {below}"
    bounds = f" from {least} {end}" if (most, below) != (None, None) else f" of {least} or more"
    what = "a number" if least is None else f"a number{bounds}"
    raise ValueError(f"{type(layer).__name__}: {name} must be {what}; got {value!r}")


def spread(layer: Layer, name: str, value: Any, rank: int) -> tuple[int, ...]:
    """One positive int for each of `rank` axes, from an int or a sequence of that length.

    Raises:
        ValueError: it is neither.
    """
    values = tuple(value) if isinstance(value, (list, tuple)) else (value,) * rank
    if len(values) != rank:
        raise ValueError(
            f"{type(layer).__name__}: {name} must be one positive integer or {rank} of them; "
            f"got {value!r}"
        )
    return tuple(positive(layer, name, v) for v in values)


def pairs(layer: Layer, name: str, value: Any, rank: int) -> tuple[tuple[int, int], ...]:
    """`(before, after)` for each of `rank` axes, from an int, an int an axis, or a pair an axis.

    Raises:
        ValueError: it is none of these, or holds a negative number.
    """
    given = value if isinstance(value, (list, tuple)) else (value,) * rank
    given = (given,) if rank == 1 and len(given) == 2 else given
    found = [tuple(v) if isinstance(v, (list, tuple)) else (v, v) for v in given]
    if len(found) != rank or any(
        len(p) != 2 or any(type(n) is not int or n < 0 for n in p) for p in found
    ):
        what = "an int of 0 or more or a pair of them"
        each = "" if rank == 1 else f", or {rank} of these"
        raise ValueError(f"{type(layer).__name__}: {name} must be {what}{each}; got {value!r}")
    return tuple(found)


def one_of(layer: Layer, name: str, value: Any, choices: tuple[Any, ...]) -> Any:
    """`value`, strings in lower case.

    Raises:
        ValueError: it is none of `choices`.
    """
    found = value.lower() if isinstance(value, str) else value
    if not any(found is c or (isinstance(c, str) and found == c) for c in choices):
        listed = ", ".join(map(repr, choices))
        raise ValueError(f"{type(layer).__name__}: {name} must be one of {listed}; got {value!r}")
    return found


_FAMILIES: dict[str, Any] = {
    "initializer": initializers.get,
    "regularizer": regularizers.get,
    "constraint": constraints.get,
}


class WeightedLayer(Layer):
    """A layer whose constructor takes `<weight>_initializer`, `_regularizer` and `_constraint`."""

    def _keep(self, arguments: Mapping[str, Any]) -> None:
        """Set attributes to what those of a constructor's `locals()` that weights have stand for.

        They are the arguments `<weight>_initializer`, `_regularizer` and `_constraint`.
        """
        for name, value in arguments.items():
            found = _FAMILIES.get(name.rpartition("_")[2])
            if found is not None and name != "activity_regularizer":
                try:
                    setattr(self, name, found(value))
                except (TypeError, ValueError) as error:
                    raise type(error)(f"{type(self).__name__}: {name}: {error}") from None

    def _weight(
        self, name: str, shape: tuple[Any, ...], prefix: str | None = None, **more: Any
    ) -> Variable:
        """`add_weight` with the kept arguments of `prefix` (the weight's name where None)."""
        if None in shape:
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: {name} would have the shape {shape}; "
                "the sizes of the input that weights depend on must be known"
            )
        return self.add_weight(shape=shape, name=name, **(self._kept(prefix or name) | more))

    def _kept(self, prefix: str) -> dict[str, Any]:
        """The kept arguments of `prefix`, by their names without it."""
        return {f: getattr(self, f"{prefix}_{f}", None) for f in _FAMILIES}
