"""Arguments and results of compiled functions, taken apart into tensors and the rest."""

from __future__ import annotations

from typing import Any

import optree

from kerata.backends.state import state


class Arguments:
    """The arguments of a call: tensors and numbers are dynamic, everything else is static.

    Attributes:
        dynamic: the tensors and numbers, in order.
        key: equal for calls that one program can serve.
    """

    __slots__ = ("_places", "_static", "_tree", "dynamic", "key")

    def __init__(self, backend: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        leaves, tree = optree.tree_flatten((args, kwargs), none_is_leaf=True)
        types = backend.tensor_types
        dynamic, static, places, key = [], [], [], [tree]
        for i, leaf in enumerate(leaves):
            if isinstance(leaf, types):
                key.append((leaf.shape, leaf.dtype))
            elif type(leaf) in (int, float):
                key.append(type(leaf))
            elif hasattr(leaf, "__array__") and hasattr(leaf, "dtype"):
                held = hasattr(type(leaf), "__kerata_value__")
                leaf = leaf.value if held else backend.argument(leaf)
                key.append((leaf.shape, leaf.dtype))
            else:
                static.append((i, leaf))
                key.append(leaf)
                continue
            dynamic.append(leaf)
            places.append(i)
        self.dynamic = dynamic
        self._places = places
        self._static = static
        self._tree = tree
        self.key = tuple(key)
        try:
            hash(self.key)
        except TypeError:
            bad = [
                type(v).__name__ for _, v in static if getattr(type(v), "__hash__", None) is None
            ]
            raise TypeError(
                "A compiled function takes tensors, numbers, and values that can be hashed; "
                f"got {', '.join(bad)}"
            ) from None

    def holds(self, kind: type) -> bool:
        """Whether a tensor among the arguments is of the class `kind`."""
        return any(isinstance(x, kind) for x in self.dynamic)

    def rebuild(self, dynamic: Any) -> tuple[Any, Any]:
        """`(args, kwargs)` with these in the places of the dynamic ones."""
        leaves: list[Any] = [None] * (len(self._places) + len(self._static))
        for i, value in self._static:
            leaves[i] = value
        for i, value in zip(self._places, dynamic, strict=True):
            leaves[i] = value
        args, kwargs = optree.tree_unflatten(self._tree, leaves)
        return args, kwargs


class Packed:
    """The result of a traced function, as a list of tensors and what is needed to rebuild it.

    The writes of a scope travel along and are done when the result is unpacked.
    """

    def __init__(self, backend: Any) -> None:
        self._types = backend.tensor_types
        self._tree: Any = None
        self._static: list[tuple[int, Any]] = []
        self._places: list[int] = []
        self._variables: list[Any] = []

    def pack(self, result: Any, scope: Any, writes: bool = True) -> list[Any]:
        """The tensors of `result` and those that were written in `scope`."""
        leaves, self._tree = optree.tree_flatten(result, none_is_leaf=True)
        self._static, self._places = [], []
        arrays = []
        for i, leaf in enumerate(leaves):
            if hasattr(type(leaf), "__kerata_value__"):
                leaf = leaf.value
            if isinstance(leaf, self._types):
                self._places.append(i)
                arrays.append(leaf)
            else:
                self._static.append((i, leaf))
        pairs = list(scope.writes()) if writes else []
        self._variables = [v for v, _ in pairs]
        return arrays + [value for _, value in pairs]

    def unpack(self, arrays: list[Any]) -> Any:
        """The result again; what was written is written."""
        count = len(self._places)
        for variable, value in zip(self._variables, arrays[count:], strict=True):
            if state.scope is not None:
                state.scope.write(variable, value)
            else:
                variable.assign(value)
        leaves: list[Any] = [None] * (count + len(self._static))
        for i, value in self._static:
            leaves[i] = value
        for i, value in zip(self._places, arrays[:count], strict=True):
            leaves[i] = value
        return optree.tree_unflatten(self._tree, leaves)


def shapes_text(arguments: Arguments) -> str:
    """The shapes of a call's tensors, `(32, 784) float32, (32,) int32`."""
    texts = []
    for x in arguments.dynamic:
        if hasattr(x, "shape"):
            texts.append(f"{tuple(x.shape)} {str(x.dtype).removeprefix('torch.')}")
        else:
            texts.append(type(x).__name__)
    return ", ".join(texts)
