"""What a layer owns: the variables, layers, metrics and seeds in its attributes, lists and dicts.

Nothing is noted when an attribute is set: the attributes are looked through when someone asks, so a
list that grows later is seen too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kerata.core.variable import Variable

_PLAIN = (str, int, float, bool, bytes, type(None))


def attributes(owner: Any) -> Iterator[Any]:
    """What `owner`'s attributes hold, lists, tuples, sets and dicts opened."""
    skipped = owner.untracked
    for name, value in vars(owner).items():
        if name not in skipped and not isinstance(value, _PLAIN):
            yield from _opened(value)


def _opened(value: Any) -> Iterator[Any]:
    if isinstance(value, (list, tuple, set, frozenset)):
        for item in value:
            if not isinstance(item, _PLAIN):
                yield from _opened(item)
    elif isinstance(value, dict):
        for item in value.values():
            if not isinstance(item, _PLAIN):
                yield from _opened(item)
    else:
        yield value


def unique(values: Iterator[Any]) -> list[Any]:
    """The values without repetitions, told apart by identity."""
    found: dict[int, Any] = {}
    for value in values:
        found.setdefault(id(value), value)
    return list(found.values())


def own_variables(owner: Any) -> list[Variable]:
    """The variables in the owner's attributes, not those of its layers."""
    return unique(v for v in attributes(owner) if isinstance(v, Variable))


def distinct_paths(variables: Sequence[Variable]) -> Iterator[tuple[tuple[str, ...], Variable]]:
    """Each variable with its path in parts, no two alike: a second one's name gets a number."""
    taken: set[tuple[str, ...]] = set()
    for variable in variables:
        *outer, last = variable.path.split("/")
        path, count = (*outer, last), 0
        while path in taken:
            count += 1
            path = (*outer, f"{last}_{count}")
        taken.add(path)
        yield path, variable
