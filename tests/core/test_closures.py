"""Functions that close over symbolic tensors, as trees."""

from __future__ import annotations

import optree

from kerata import ops
from kerata.core.closures import Closure, closed_over
from kerata.core.symbolic import KerasTensor


def test_functions_without_symbolic_tensors_stay_as_they_are():
    y = 3.0
    for f in (lambda x: x + y, max, ops.add, 3):
        assert closed_over(f) is f


def test_tensors_are_leaves_and_can_be_replaced():
    a, b, c = (KerasTensor((2,)) for _ in range(3))
    inner = lambda x: x * b  # noqa: E731
    outer = lambda x, by=c: inner(x) + [a][0] + by  # noqa: E731
    closure = closed_over(outer)
    assert isinstance(closure, Closure) and set(map(id, closure.tensors)) == {id(a), id(b), id(c)}
    numbers = {id(a): 100.0, id(b): 3.0, id(c): 1000.0}
    filled = optree.tree_map(lambda x: numbers.get(id(x), x), closure)
    assert filled(2.0) == 1106.0
    assert outer.__defaults__ == (c,)  # what was given is not changed


def test_a_function_may_call_itself():
    a = KerasTensor((2,))

    def down(n):
        return a if n == 0 else down(n - 1)

    closure = closed_over(down)
    assert len(closure.tensors) == 1 and closure.tensors[0] is a
    assert Closure(closure.function, (5.0,))(3) == 5.0


def test_other_functions_keep_their_identity():
    a = KerasTensor((2,))
    other = lambda x: x  # noqa: E731
    closure = closed_over(lambda: (other, a))
    assert Closure(closure.function, (1,))() == (other, 1)
