"""Kernels for composites against the composites' bodies: values and gradients."""

from __future__ import annotations

import pytest

from kerata import ops
from kerata.backends import registry
from tests.conftest import BACKENDS, TRAINING
from tests.ops.cases import CASES
from tests.ops.deviations import known, on
from tests.ops.test_gradients import compare
from tests.ops.test_values import check

# (backend, case) where the backend has a kernel of a composite's name.
OVERRIDDEN = [
    pytest.param(name, case, id=f"{name}-{case}")
    for name in BACKENDS
    for case in CASES
    if case.op in ops.composites() and case.op in registry.load(name).kernels
]


@pytest.mark.parametrize(("name", "case"), OVERRIDDEN)
def test_body(name, case):
    """What `test_value` asks of the kernel, asked of the body."""
    case = on(case, name)
    with registry.use_backend(name) as backend, ops.without_overrides():
        with known(name, "body", case):
            check(case, backend, case.run([backend.convert(a) for a in case.arrays]))
        if name in TRAINING and case.differentiable:
            with known(name, "gradient", case):
                compare(case, backend)
