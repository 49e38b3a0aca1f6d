"""`Config`: named values, as attributes and as a dict."""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, KeysView, ValuesView
from typing import Any


class Config:
    """Named values, read and set as attributes or as in a dict; `freeze` makes them final.

    Args:
        **kwargs: the values.

    >>> config = Config(rate=0.1)
    >>> config.steps = 100
    >>> config["steps"], config.to_json()
    (100, '{"rate": 0.1, "steps": 100}')
    >>> config.freeze()
    >>> config.rate = 0.2
    Traceback (most recent call last):
    ValueError: Config is frozen: 'rate' can't be changed
    """

    _values: dict[str, Any]
    _frozen: bool

    def __init__(self, **kwargs: Any) -> None:
        vars(self).update(_values=dict(kwargs), _frozen=False)

    @property
    def frozen(self) -> bool:
        """Whether values can't be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Refuse changes from now on."""
        vars(self)["_frozen"] = True

    def unfreeze(self) -> None:
        """Allow changes again."""
        vars(self)["_frozen"] = False

    def as_dict(self) -> dict[str, Any]:
        """The values in a new dict."""
        return dict(self._values)

    def to_json(self) -> str:
        """The values as a JSON object; those inside of another `Config` too."""
        return json.dumps(self._values, default=_plain)

    def keys(self) -> KeysView[str]:
        """The names."""
        return self._values.keys()

    def values(self) -> ValuesView[Any]:
        """The values."""
        return self._values.values()

    def items(self) -> ItemsView[str, Any]:
        """Names and values."""
        return self._values.items()

    def pop(self, *args: Any) -> Any:
        """Take the value of a name away, or return the second argument where there is none."""
        self._changing(args[0] if args else "")
        return self._values.pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Set the values of a dict, of pairs, or of keyword arguments."""
        new: dict[str, Any] = dict(*args, **kwargs)
        for name in new:
            self._changing(name)
        self._values.update(new)

    def get(self, keyname: str, value: Any = None) -> Any:
        """The value of a name, or `value` where it has none."""
        return self._values.get(keyname, value)

    def _changing(self, name: str) -> None:
        if self._frozen:
            raise ValueError(f"Config is frozen: {name!r} can't be changed")

    def __setattr__(self, name: str, value: Any) -> None:
        if hasattr(type(self), name):
            raise AttributeError(f"Config has {name!r} itself: set config[{name!r}] instead")
        self[name] = value

    def __getattr__(self, name: str) -> Any:
        values = vars(self).get("_values", {})
        if name not in values:
            raise AttributeError(f"Config has no value {name!r}; there are {sorted(values)}")
        return values[name]

    def __delattr__(self, name: str) -> None:
        if name not in self._values:
            raise AttributeError(f"Config has no value {name!r}")
        del self[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self._changing(name)
        self._values[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __delitem__(self, name: str) -> None:
        self._changing(name)
        del self._values[name]

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Config) and self._values == other._values

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"<Config {self._values}>"


def _plain(value: Any) -> Any:
    if isinstance(value, Config):
        return value.as_dict()
    raise TypeError(f"Config: a {type(value).__name__} can't be written as JSON ({value!r})")
