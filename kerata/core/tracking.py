"""What a layer owns: the variables, layers, metrics and seeds in its attributes, lists and dicts.

Nothing is noted when an attribute is set: the attributes are looked through when someone asks, so a
list that grows later is seen too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kerata.core.variable import Variable

_PLAIN = frozenset((str, int, float, bool, bytes, type(None)))
_NESTS = (list, tuple, dict, set, frozenset)


def attributes(owner: Any) -> list[Any]:
    """What `owner`'s attributes hold, lists, tuples, sets and dicts opened."""
    skipped = owner.untracked
    found: list[Any] = []
    for name, value in vars(owner).items():
        if type(value) in _PLAIN or name in skipped:
            continue
        if isinstance(value, _NESTS):
            _open(value, found)
        else:
            found.append(value)
    return found


def _open(nest: Any, found: list[Any]) -> None:
    """Add what is in `nest`, however deep, to `found`."""
    for value in nest.values() if isinstance(nest, dict) else nest:
        if isinstance(value, _NESTS):
            _open(value, found)
        elif type(value) not in _PLAIN:
            found.append(value)


def unique(values: Iterator[Any]) -> list[Any]:
    """The values without repetitions, told apart by identity."""
    return list({id(value): value for value in values}.values())


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
