"""Constructor arguments are the config."""

import copy
import pickle
from typing import ClassVar

import numpy as np
import pytest

from kerata.core.config_object import Configurable, same_config
from kerata.core.serialization import CustomObjectScope


class Plain(Configurable):
    def __init__(self, size, scale=2.0, **kwargs):
        self.name = kwargs.get("name", "plain")


class Written(Plain):
    """As users write it: the base's config, and its own arguments."""

    def __init__(self, extra, **kwargs):
        super().__init__(3, **kwargs)
        self.extra = extra * 2

    def get_config(self):
        return {**super().get_config(), "extra": self.extra // 2}


class Outer(Configurable):
    def __init__(self, parts, table=None):
        self.parts = parts


class Replaced(Configurable):
    live: ClassVar[dict[str, str]] = {"rate": "current"}

    def __init__(self, rate):
        self.current = rate


def test_config_holds_the_arguments():
    assert Plain(3).get_config() == {"name": "plain", "size": 3, "scale": 2.0}
    assert Plain(size=3, scale=1.0, name="a").get_config() == {
        "name": "a",
        "size": 3,
        "scale": 1.0,
    }


def test_user_config_extends_the_base():
    config = Written(5, name="w").get_config()
    assert config == {"name": "w", "extra": 5}
    assert Written.from_config(config).extra == 10


def test_live_attributes_win():
    obj = Replaced(1.0)
    obj.current = 2.0
    assert obj.get_config() == {"rate": 2.0}
    assert repr(obj) == "Replaced(rate=1.0)"


def test_nested_objects_survive():
    outer = Outer([Plain(1), (Plain(2), 3)], table={"a": Plain(4)})
    with CustomObjectScope({"Plain": Plain}):
        again = Outer.from_config(outer.get_config())
    assert same_config(again.parts[0], Plain(1))
    assert same_config(again, outer)
    assert not same_config(again, Outer([]))


def test_equality_compares_arrays():
    assert same_config(Outer(np.arange(3)), Outer(np.arange(3)))
    assert not same_config(Outer(np.arange(3)), Outer(np.arange(1, 4)))


def test_repr_shows_what_was_given():
    assert repr(Plain(3)) == "Plain(size=3)"
    assert repr(Plain(3, 4.0, name="a")) == "Plain(size=3, scale=4.0, name='a')"


def test_wrong_arguments_fail_as_in_python():
    with pytest.raises(TypeError, match="size"):
        Plain()


def test_copies_keep_their_arguments():
    outer = Outer([1], table={"a": 2})
    for again in (copy.copy(outer), copy.deepcopy(outer), pickle.loads(pickle.dumps(Plain(3)))):
        assert again.get_config() in (outer.get_config(), Plain(3).get_config())
