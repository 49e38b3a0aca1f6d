"""How many steps run in one call."""

from __future__ import annotations

import pytest

from kerata.training.steps import Chooser, Pace

SINGLE, COMPILING, FULL = 1e-3, 0.1, 1000


def chosen(first: float, each: float, total: int = 100_000) -> tuple[int, Pace]:
    """What `Chooser` settles on where the first call of several takes `first`."""
    chooser = Chooser(1, True, total, overhead=0.5e-3)
    chooser.measured(1, COMPILING, FULL)
    for _ in range(8):
        if not chooser.waits:
            break
        k = chooser.next(FULL)
        if k > 1:
            chooser.measured(k, k * each + first, FULL)
            first = 0.0
        else:
            chooser.measured(1, SINGLE, FULL)
    return chooser.k, chooser.pace


@pytest.mark.parametrize(
    ("first", "each", "several"),
    [
        (COMPILING, SINGLE / 2, True),
        (COMPILING, SINGLE, False),
        (20 * COMPILING, SINGLE / 2, True),  # another compiler; soon made up for
    ],
)
def test_several_where_they_pay(first, each, several):
    k, pace = chosen(first, each)
    assert (k > 1) is several
    assert pace.k == k
    assert FULL % k == 0


def test_a_first_call_that_takes_long_is_not_repeated_before_it_could_pay():
    k, pace = chosen(1000 * COMPILING, SINGLE / 2)
    assert (k, pace.k) == (1, 0)
    again = Chooser(1, True, 100_000, overhead=0.5e-3, pace=pace)
    again.measured(1, SINGLE, FULL)
    assert not again.waits
    later = Chooser(1, True, 1_000_000, overhead=0.5e-3, pace=pace)
    later.measured(1, SINGLE, FULL)
    assert later.k > 1


def test_one_where_few_are_left():
    k, pace = chosen(COMPILING, SINGLE / 2, total=100)
    assert (k, pace.k) == (1, 0)


def test_what_was_found_is_used_again():
    _, pace = chosen(COMPILING, SINGLE / 2)
    again = Chooser(1, True, 10, pace=pace)
    assert again.k == pace.k > 1
    assert not again.waits
