"""Every call of the table without an engine: symbolic, with open sizes, and strictly abstract."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kerata.backends.abstract.backend import AbstractTensor, strict
from kerata.backends.abstract.tensor import STAND_INS, Size
from kerata.backends.registry import using
from kerata.core.symbolic import KerasTensor
from tests.ops.case import Case, flat
from tests.ops.cases import CASES

# The references' means of nothing.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
OPEN = [case for case in CASES if any(case.opened)]
STRICT = strict()


def open_shapes(case: Case) -> list[tuple[Any, ...]]:
    """The results' shapes, None where they follow the open axis: the reference, on twice the rows."""
    more = [
        np.concatenate([a, a]) if twice else a
        for a, twice in zip(case.arrays, case.opened, strict=True)
    ]
    return [
        tuple(n if n == m else None for n, m in zip(y.shape, z.shape, strict=True))
        for y, z in zip(case.results, case.expected(more), strict=True)
    ]


def specs(tree: Any) -> list[tuple[Any, str]]:
    return [(t.shape, t.dtype) for t in flat(tree)]


@pytest.mark.parametrize("case", [c for c in CASES if c.arrays], ids=str)
def test_symbolic(case):
    result = case.run([KerasTensor(a.shape, a.dtype) for a in case.arrays])
    assert all(isinstance(t, KerasTensor) and t.node is not None for t in flat(result))
    shapes = [y.shape for y in case.results]
    assert specs(result) == list(zip(shapes, case.dtypes, strict=True))


@pytest.mark.parametrize("case", OPEN, ids=str)
def test_symbolic_with_an_open_size(case):
    tensors = [
        KerasTensor((None, *a.shape[1:]) if is_open else a.shape, a.dtype)
        for a, is_open in zip(case.arrays, case.opened, strict=True)
    ]
    assert specs(case.run(tensors)) == list(zip(open_shapes(case), case.dtypes, strict=True))


def strictly(case: Case) -> Any:
    """The result under `STRICT`, the first axis open."""
    tensors = [
        AbstractTensor((Size(*STAND_INS), *a.shape[1:]) if is_open else a.shape, str(a.dtype))
        for a, is_open in zip(case.arrays, case.opened, strict=True)
    ]
    with using(STRICT):
        return case.run(tensors)


@pytest.mark.parametrize("case", OPEN, ids=str)
def test_strict(case):
    found = [
        (tuple(None if isinstance(s, Size) else s for s in shape), dtype)
        for shape, dtype in specs(strictly(case))
    ]
    assert found == list(zip(open_shapes(case), case.dtypes, strict=True))


@pytest.mark.parametrize("case", [c for c in CASES if not c.arrays], ids=str)
def test_abstract_without_tensors(case):
    with using(STRICT):
        result = case.run([])
    assert specs(result) == [(y.shape, d) for y, d in zip(case.results, case.dtypes, strict=True)]
