"""Every call of the table, on every backend: values, dtypes and shapes, eager and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kerata.backends.registry import load
from kerata.backends.state import operations
from kerata.core.transforms import jit
from tests.ops.case import Case, assert_close, flat
from tests.ops.cases import CASES
from tests.ops.deviations import known, on

# NumPy warns of what the table asks for: NaN, infinities, means of nothing.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
cases = pytest.mark.parametrize("case", CASES, ids=str)


def check(case: Case, backend: Any, result: Any) -> None:
    """Compare what an operation returned with the reference."""
    found = flat(result)
    assert len(found) == len(case.results)
    for i, y in enumerate(found):
        assert isinstance(y, backend.tensor_types), f"{type(y)} is no tensor of {backend.name}"
        assert backend.dtype_of(y) == case.dtypes[i]
    for i, y in enumerate(case.comparable(found)):
        assert_close(backend.to_numpy(y), case, i)


def by_keyword(case: Case, backend: Any) -> Any:
    """The result for every argument but the first by its name, and NumPy arrays as they are there."""
    op = operations[case.op].op
    if case.op == "cond" or op.vararg:
        return case.run(case.arrays)
    first = [backend.convert(x) if isinstance(x, np.ndarray) else x for x in case.args[:1]]
    named = dict(zip(op.parameters[1:], case.args[1:], strict=False))
    return op.call(*first, **named, **case.kwargs)


@cases
def test_value(backend, case):
    case = on(case, backend.name)
    with known(backend.name, "value", case):
        check(case, backend, case.run([backend.convert(a) for a in case.arrays]))
        check(case, backend, by_keyword(case, backend))


@cases
def test_compiled(training_backend, case):
    backend = load(training_backend)
    case = on(case, backend.name)
    compiled = jit(lambda *tensors: case.run(tensors))
    with known(backend.name, "jit", case):
        check(case, backend, compiled(*[backend.convert(a) for a in case.arrays]))
