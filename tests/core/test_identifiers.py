"""Names, configs, classes and objects all lead to the same thing."""

import pytest

from kerata import (
    activations,
    constraints,
    initializers,
    losses,
    metrics,
    optimizers,
    regularizers,
)
from kerata.core.identifiers import lookup, table_of
from kerata.core.serialization import CustomObjectScope


class TallTree:
    def get_config(self):
        return {}

    @classmethod
    def from_config(cls, config):
        return cls()


def small_tree(x):
    return x


TABLE = table_of(TallTree, small_tree, tt=TallTree)


@pytest.mark.parametrize("name", ["TallTree", "tall_tree", "talltree", "TALL_TREE", "tt"])
def test_names(name):
    assert type(lookup(name, TABLE, "tree")) is TallTree


def test_other_identifiers():
    tree = TallTree()
    assert lookup(None, TABLE, "tree") is None
    assert lookup(tree, TABLE, "tree") is tree
    assert lookup("small_tree", TABLE, "tree") is small_tree
    assert lookup(small_tree, TABLE, "tree") is small_tree
    assert type(lookup(TallTree, TABLE, "tree")) is TallTree
    assert type(lookup({"class_name": "TallTree", "config": {}}, TABLE, "tree")) is TallTree


def test_custom_names():
    with CustomObjectScope({"bush": small_tree}):
        assert lookup("bush", TABLE, "tree") is small_tree


@pytest.mark.parametrize("identifier", [3, 2.5, [1], {}])
def test_what_is_no_identifier(identifier):
    with pytest.raises(ValueError, match="tree"):
        lookup(identifier, TABLE, "tree")


@pytest.mark.parametrize(
    "module, name, meant",
    [
        (optimizers, "sdg", "sgd"),
        (losses, "mean_square_error", "mean_squared_error"),
        (metrics, "binary_acuracy", "binary_accuracy"),
        (initializers, "glorot_unifrom", "glorot_uniform"),
        (activations, "rleu", "relu"),
        (constraints, "maxnorm_", "max_norm"),
        (regularizers, "l22", "l2"),
    ],
)
def test_the_nearest_name_is_suggested(module, name, meant):
    if module is constraints:
        assert type(module.get(name)) is constraints.MaxNorm
        return
    with pytest.raises(ValueError, match=f"'{name}'.*Did you mean '{meant}'"):
        module.get(name)
