"""Nested structures: every function against Keras, on the same structures."""

from __future__ import annotations

import collections
import warnings
from typing import Any

import numpy as np
import pytest

from kerata import tree

Point = collections.namedtuple("Point", "x y")
STRUCTURES: list[Any] = [
    5, None, [], {}, (), [1, 2], (1, [2, None]), {"b": [1, (2, None)], "a": 3}, Point(1, [2]),
    collections.OrderedDict([("z", 1), ("a", [2])]), collections.deque([1, (2,)]), "text", {1, 2},
    [np.float32(1), {"x": (), "y": [[]]}], collections.defaultdict(list, k=[1]), [[1, 2], [3, 4]],
]  # fmt: skip
each = pytest.mark.parametrize("structure", STRUCTURES, ids=repr)
both = pytest.mark.parametrize("other", STRUCTURES, ids=repr)
pytestmark = pytest.mark.oracle


def outcome(function: Any, *args: Any, **kwargs: Any) -> Any:
    """The result, or the type of what was raised."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return function(*args, **kwargs)
    except Exception as error:
        return type(error)


@each
@pytest.mark.parametrize("name", ["flatten", "flatten_with_path", "is_nested", "lists_to_tuples"])
def test_of_one_structure(keras, structure, name):
    found = getattr(tree, name)(structure)
    assert found == getattr(keras.tree, name)(structure)
    assert type(found) is type(getattr(keras.tree, name)(structure))


@each
@both
@pytest.mark.parametrize("name", ["assert_same_structure", "assert_same_paths"])
def test_comparison(keras, structure, other, name):
    ours = outcome(getattr(tree, name), structure, other)
    assert ours == outcome(getattr(keras.tree, name), structure, other)


@each
@both
def test_map_over_two(keras, structure, other):
    for none_is_leaf in (True, False):
        ours = outcome(
            tree.map_structure, lambda a, b: (a, b), structure, other, none_is_leaf=none_is_leaf
        )
        theirs = outcome(
            keras.tree.map_structure,
            lambda a, b: (a, b),
            structure,
            other,
            none_is_leaf=none_is_leaf,
        )
        assert ours == theirs
    if None not in tree.flatten(structure):  # which Keras takes for no leaf here, and refuses
        ours = outcome(tree.map_structure_up_to, structure, lambda a: [a], other)
        assert ours == outcome(keras.tree.map_structure_up_to, structure, lambda a: [a], other)


@each
def test_pack(keras, structure):
    for n in range(4):
        ours = outcome(tree.pack_sequence_as, structure, list(range(n)))
        assert ours == outcome(keras.tree.pack_sequence_as, structure, list(range(n)))


@each
@pytest.mark.parametrize("top_down", [True, False])
def test_traverse(keras, structure, top_down):
    def run(library: Any) -> tuple[Any, list[Any]]:
        seen: list[Any] = []

        def visit(x: Any) -> Any:
            seen.append(x)
            if x == 2:
                return library.MAP_TO_NONE
            return tuple(x) if isinstance(x, list) and len(x) == 2 else None

        return library.traverse(visit, structure, top_down), seen

    assert run(tree) == run(keras.tree)


@pytest.mark.parametrize(
    "structure", [(2, None), [3], [(1, 2), (None, 3)], {"a": (1, None), "b": [2, 3]}, ()], ids=repr
)
def test_map_shapes(keras, structure):
    assert tree.map_shape_structure(tuple, structure) == keras.tree.map_shape_structure(
        tuple, structure
    )


def test_errors_say_what_is_wrong():
    with pytest.raises(ValueError, match="at least one structure"):
        tree.map_structure(len)
    with pytest.raises(ValueError, match=r"only a has \[\(1, 0\)\], only b has \[\(1,\)\]"):
        tree.assert_same_paths([1, [2]], [1, 2])
    with pytest.raises(TypeError, match="flat_sequence must be a sequence; got 7"):
        tree.pack_sequence_as([0], 7)
    with pytest.warns(DeprecationWarning, match="check_types has no effect"):
        tree.assert_same_structure([1], [1], check_types=False)
