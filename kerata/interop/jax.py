"""A layer as pure functions of JAX, its variables as a tree."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import jax.numpy as jnp
import optree

from kerata.backends.registry import load, using
from kerata.backends.scope import Scope
from kerata.interop.naming import named_variables, nested


class Functional(NamedTuple):
    """A layer as a pure function; see `functional`.

    Attributes:
        apply: `apply(params, state, *args, **kwargs)` returns `(outputs, new_state)`.
        params: the values of the trained variables, in dictionaries nested by their paths.
        state: those of the others.
    """

    apply: Callable[..., Any]
    params: dict[str, Any]
    state: dict[str, Any]


def functional(layer: Any) -> Functional:
    """A layer as a pure function and the trees of arrays that it takes.

    Args:
        layer: a built layer or model.

    Raises:
        ValueError: the layer is not built.

    >>> import kerata
    >>> layer = kerata.layers.Dense(2, kernel_initializer="ones")
    >>> layer.build((None, 3))
    >>> apply, params, state = functional(layer)
    >>> apply(params, state, [[1.0, 2.0, 3.0]])[0].tolist()
    [[6.0, 6.0]]
    """
    trained, others = variable_trees(layer)

    def apply(params: Any, state: Any, *args: Any, **kwargs: Any) -> tuple[Any, Any]:
        pairs = [*_pairs(trained, params, "params"), *_pairs(others, state, "state")]
        with using(load("jax")), Scope(pairs) as scope:
            outputs = layer(*args, **kwargs)
        return outputs, optree.tree_map(scope.get, others)

    return Functional(apply, values(trained), values(others))


def update(layer: Any, params: Any = None, state: Any = None) -> None:
    """Give the layer's variables the values of trees such as `functional` made.

    Raises:
        ValueError: a tree is of another structure.
    """
    trained, others = variable_trees(layer)
    given = ((trained, params, "params"), (others, state, "state"))
    pairs = [
        p for known, tree, what in given if tree is not None for p in _pairs(known, tree, what)
    ]
    with using(load("jax")):
        for variable, value in pairs:
            variable.assign(value)


def variable_trees(layer: Any) -> tuple[dict[str, Any], dict[str, Any]]:
    """The trained variables and the others, in dictionaries nested by their paths."""
    named = named_variables(layer)
    trained = {id(v) for v in layer.trainable_variables}
    return (
        nested({p: v for p, v in named.items() if id(v) in trained}),
        nested({p: v for p, v in named.items() if id(v) not in trained}),
    )


def values(tree: dict[str, Any]) -> dict[str, Any]:
    """The tree with the variables' values in JAX."""
    with using(load("jax")):
        # Copies: a compiled step of ours donates what variables hold.
        found: dict[str, Any] = optree.tree_map(lambda v: jnp.array(v.tensor(), copy=True), tree)
        return found


def _pairs(variables: Any, tree: Any, what: str) -> list[tuple[Any, Any]]:
    held, structure = optree.tree_flatten(variables)
    found, other = optree.tree_flatten(tree)
    if structure != other:
        raise ValueError(
            f"{what} must be a tree like the one that `functional` made, {structure}; got {other}"
        )
    return list(zip(held, found, strict=True))
