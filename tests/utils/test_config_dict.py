"""`Config`, against Keras."""

import copy
import pickle

import pytest

from kerata.utils import Config

FROZEN = "Config is frozen"


@pytest.mark.oracle
def test_as_in_keras(keras):
    def used(cls):
        config = cls(a=1, b="x")
        config.c = [1, 2]
        config["d"] = None
        config.update({"e": 5}, f=6)
        seen = [
            config.pop("a"),
            config.pop("z", 9),
            config.get("b"),
            config.get("z", 7),
            len(config),
        ]
        del config["e"]
        seen += [
            "b" in config,
            "a" in config,
            list(config),
            list(config.keys()),
            list(config.values()),
        ]
        return [
            *seen,
            list(config.items()),
            config.as_dict(),
            config.to_json(),
            repr(config),
            config.c,
        ]

    assert used(Config) == used(keras.utils.Config)


def test_frozen():
    config = Config(a=1)
    config.freeze()
    assert config.frozen
    for change in (
        lambda: setattr(config, "a", 2),
        lambda: setattr(config, "b", 2),
        lambda: config.__setitem__("a", 2),
        lambda: config.__delitem__("a"),
        lambda: delattr(config, "a"),
        lambda: config.pop("a"),
        lambda: config.update(a=2),
    ):
        with pytest.raises(ValueError, match=FROZEN):
            change()
    config.unfreeze()
    config.a = 2
    assert config.as_dict() == {"a": 2} and not config.frozen


def test_what_is_not_there():
    config = Config(a=1)
    with pytest.raises(AttributeError, match=r"Config has no value 'b'; there are \['a'\]"):
        getattr(config, "b")  # noqa: B009
    with pytest.raises(KeyError, match="b"):
        config["b"]
    with pytest.raises(AttributeError, match="Config has no value 'b'"):
        del config.b
    with pytest.raises(AttributeError, match=r"Config has 'keys' itself: set config\['keys'\]"):
        config.keys = 1
    config["keys"] = 1
    assert config.as_dict() == {"a": 1, "keys": 1}


def test_copies_nesting_and_equality():
    config = Config(a=Config(b=1))
    config.freeze()
    assert config.to_json() == '{"a": {"b": 1}}'
    for other in (copy.deepcopy(config), pickle.loads(pickle.dumps(config))):
        assert other == config and other.frozen and other.a is not config.a
    assert config != Config(a=2) and config != {"a": 1}
    with pytest.raises(TypeError, match="a object can't be written as JSON"):
        Config(a=object()).to_json()
