"""The functions of `kerata.tree`."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable
from typing import Any

import optree


class MAP_TO_NONE:
    """What the function given to `traverse` returns to put None in a place."""


def is_nested(structure: Any) -> bool:
    """Whether `structure` is a container that the functions here look into.

    >>> is_nested([1, 2]), is_nested("ab"), is_nested(None)
    (True, False, False)
    """
    return not optree.tree_is_leaf(structure, none_is_leaf=True)


def flatten(structure: Any) -> list[Any]:
    """The leaves of `structure`.

    >>> flatten({"b": [1, (2, None)], "a": 3})
    [3, 1, 2, None]
    """
    return optree.tree_leaves(structure, none_is_leaf=True)


def flatten_with_path(structure: Any) -> list[tuple[tuple[Any, ...], Any]]:
    """The leaves of `structure`, each behind its path: the keys and indices that lead to it.

    >>> flatten_with_path({"b": [1, 2], "a": 3})
    [(('a',), 3), (('b', 0), 1), (('b', 1), 2)]
    """
    paths, leaves, _ = optree.tree_flatten_with_path(structure, none_is_leaf=True)
    return list(zip(paths, leaves, strict=True))


def map_structure(func: Callable[..., Any], *structures: Any, none_is_leaf: bool = True) -> Any:
    """`func` of the corresponding leaves of `structures`, in the structure of the first.

    Args:
        func: takes one leaf of each structure.
        structures: structures of one shape.
        none_is_leaf: whether `func` is called for None too; otherwise None stays, and has to stand
            in the same places of all.

    >>> map_structure(lambda a, b: a + b, [1, (2,)], [10, (20,)])
    [11, (22,)]

    Raises:
        ValueError: there is no structure, or they differ.
    """
    if not structures:
        raise ValueError("map_structure: at least one structure is needed")

    def checked(*leaves: Any) -> Any:
        if any(is_nested(leaf) or (leaf is None and not none_is_leaf) for leaf in leaves):
            raise ValueError(f"map_structure: the structures differ: {leaves!r} correspond")
        return func(*leaves)

    return optree.tree_map(checked, *structures, none_is_leaf=none_is_leaf)


def map_structure_up_to(shallow_structure: Any, func: Callable[..., Any], *structures: Any) -> Any:
    """`func` of what stands in `structures` at each leaf of `shallow_structure`.

    >>> map_structure_up_to([0, 0], lambda a: a, [[1, 2], 3])
    [[1, 2], 3]

    Raises:
        ValueError: there is no structure, or one does not begin like `shallow_structure`.
    """
    if not structures:
        raise ValueError("map_structure_up_to: at least one structure is needed")
    return optree.tree_map(
        lambda _, *parts: func(*parts), shallow_structure, *structures, none_is_leaf=True
    )


def assert_same_structure(a: Any, b: Any, check_types: Any = None) -> None:
    """Raise unless `a` and `b` are nested alike, in containers of the same types.

    `check_types` is accepted for compatibility and has no effect: see `assert_same_paths` for a
    comparison that takes a list and a tuple for the same.

    Raises:
        ValueError: they differ.
    """
    if check_types is not None:
        warnings.warn(
            "assert_same_structure: check_types has no effect; assert_same_paths compares paths "
            "alone",
            DeprecationWarning,
            stacklevel=2,
        )
    optree.tree_map(lambda *_: None, a, b, none_is_leaf=True)
    optree.tree_map(lambda *_: None, b, a, none_is_leaf=True)


def assert_same_paths(a: Any, b: Any) -> None:
    """Raise unless `a` and `b` have leaves at the same paths, whatever their containers are.

    Raises:
        ValueError: they differ; the message lists the paths that only one of them has.
    """
    only_a = _paths(a) - _paths(b)
    only_b = _paths(b) - _paths(a)
    if only_a or only_b:
        raise ValueError(
            "The structures have different paths: "
            f"only a has {sorted(only_a, key=str)}, only b has {sorted(only_b, key=str)}"
        )


def _paths(structure: Any) -> set[tuple[Any, ...]]:
    return set(optree.tree_paths(structure, none_is_leaf=True))


def pack_sequence_as(structure: Any, flat_sequence: Iterable[Any]) -> Any:
    """The items of `flat_sequence` in the places of the leaves of `structure`.

    >>> pack_sequence_as({"b": 0, "a": (0, 0)}, [1, 2, 3])
    {'b': 3, 'a': (1, 2)}

    Raises:
        TypeError: `flat_sequence` can't be gone through.
        ValueError: it has too few or too many items.
    """
    if not isinstance(flat_sequence, Iterable):
        raise TypeError(
            f"pack_sequence_as: flat_sequence must be a sequence; got {flat_sequence!r}"
        )
    return optree.tree_unflatten(
        optree.tree_structure(structure, none_is_leaf=True), list(flat_sequence)
    )


def lists_to_tuples(structure: Any) -> Any:
    """`structure` with every list in it a tuple.

    >>> lists_to_tuples([1, {"a": [2, 3]}])
    (1, {'a': (2, 3)})
    """
    return traverse(lambda x: tuple(x) if type(x) is list else None, structure, top_down=False)


def map_shape_structure(func: Callable[[Any], Any], structure: Any) -> Any:
    """`func` of each shape in `structure`: a list or tuple of ints and None.

    >>> map_shape_structure(len, {"a": (2, None), "b": [3]})
    {'a': 2, 'b': 1}
    """
    return optree.tree_map(func, structure, is_leaf=_is_shape, none_is_leaf=True)


def _is_shape(x: Any) -> bool:
    return isinstance(x, (list, tuple)) and all(isinstance(n, (int, type(None))) for n in x)


def traverse(func: Callable[[Any], Any], structure: Any, top_down: bool = True) -> Any:
    """`structure` with what `func` returns in the place of any part of it.

    Args:
        func: is called with each container and leaf. What it returns replaces that part and is not
            looked into again; None leaves the part alone, `MAP_TO_NONE` puts None there.
        structure: any structure.
        top_down: whether a container comes before what it holds.

    >>> traverse(lambda x: sum(x) if x == [1, 2] else None, {"a": [1, 2], "b": 3})
    {'a': 3, 'b': 3}
    """
    if top_down:
        found = func(structure)
        if found is not None:
            return _unwrapped(found)
    if is_nested(structure):
        children, tree = _one_level(structure)
        structure = optree.tree_unflatten(tree, [traverse(func, c, top_down) for c in children])
    if top_down:
        return structure
    found = func(structure)
    return structure if found is None else _unwrapped(found)


def _unwrapped(found: Any) -> Any:
    return None if found is MAP_TO_NONE else found


def _one_level(structure: Any) -> tuple[list[Any], Any]:
    """What a container holds, and how to build it again."""
    return optree.tree_flatten(structure, is_leaf=lambda x: x is not structure, none_is_leaf=True)
