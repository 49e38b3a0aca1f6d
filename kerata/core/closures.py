"""Functions that close over symbolic tensors, as trees of these: so that graphs can run them."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import optree

from kerata.ops.dispatch import is_symbolic


class Closure(NamedTuple):
    """A function and the tensors that it closes over; as a tree, these are among its leaves."""

    function: Callable[..., Any]
    tensors: tuple[Any, ...]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function with `tensors` in the place of those it was made with."""
        found = dict(zip(map(id, _tensors_of(self.function)), self.tensors, strict=True))
        return _replaced(self.function, found, {})(*args, **kwargs)


def closed_over(x: Any) -> Any:
    """`x`; a function that closes over symbolic tensors as a `Closure` of them."""
    if not isinstance(x, types.FunctionType):
        return x
    tensors = _tensors_of(x)
    return Closure(x, tuple(tensors)) if tensors else x


def _tensors_of(x: Any) -> list[Any]:
    """The symbolic tensors in `x` and in what its functions hold, each once."""
    return list({id(t): t for t in _walked(x, set())}.values())


def _held(function: types.FunctionType) -> Iterator[Any]:
    """What a function closes over, its defaults, and the globals that it names."""
    for cell in function.__closure__ or ():
        if cell != types.CellType():  # an empty one is filled later
            yield cell.cell_contents
    yield function.__defaults__
    yield function.__kwdefaults__
    named = (function.__globals__.get(n) for n in function.__code__.co_names)
    yield from filter(is_symbolic, named)


def _walked(x: Any, seen: set[int]) -> Iterator[Any]:
    if is_symbolic(x):
        yield x
    elif isinstance(x, (list, tuple, dict)):
        for leaf in optree.tree_leaves(x):
            yield from _walked(leaf, seen)
    elif isinstance(x, types.FunctionType) and id(x) not in seen:
        seen.add(id(x))
        for content in _held(x):
            yield from _walked(content, seen)


def _replaced(x: Any, new: dict[int, Any], made: dict[int, Any]) -> Any:
    """`x` with `new` (by id) for its symbolic tensors, in copies of functions that hold them."""
    if is_symbolic(x):
        return new.get(id(x), x)
    if isinstance(x, (list, tuple, dict)):
        return optree.tree_map(lambda leaf: _replaced(leaf, new, made), x, none_is_leaf=True)
    if not isinstance(x, types.FunctionType) or not _tensors_of(x):
        return x
    if id(x) in made:
        return made[id(x)]
    named = {n: x.__globals__.get(n) for n in x.__code__.co_names}
    own = {n: new.get(id(v), v) for n, v in named.items() if is_symbolic(v)}
    cells = tuple(types.CellType() for _ in x.__closure__ or ())
    scope = {**x.__globals__, **own} if own else x.__globals__
    copy = made[id(x)] = types.FunctionType(x.__code__, scope, x.__name__, None, cells)
    copy.__defaults__ = _replaced(x.__defaults__, new, made)
    copy.__kwdefaults__ = _replaced(x.__kwdefaults__, new, made)
    for cell, old in zip(cells, x.__closure__ or (), strict=True):
        if old != types.CellType():
            cell.cell_contents = _replaced(old.cell_contents, new, made)
    return copy
