"""Gradients of every differentiable call of the table, against central differences."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kerata import ops
from kerata.backends.registry import load
from kerata.core.transforms import grad, jit
from tests.ops.case import Case, flat, weights
from tests.ops.cases import CASES
from tests.ops.deviations import known

# JAX compiles one program faster than its many operations one by one.
COMPILED = ("jax",)
DIFFERENTIABLE = [case for case in CASES if case.differentiable]


def gradients(case: Case, backend: Any) -> list[np.ndarray]:
    """The gradients of the weighted sum of the results, for each float32 array."""
    tensors = [backend.convert(a) for a in case.arrays]
    places = [i for i, a in enumerate(case.arrays) if a.dtype == np.float32]

    def loss(*given: Any) -> Any:
        filled = list(tensors)
        for place, tensor in zip(places, given, strict=True):
            filled[place] = tensor
        total = ops.convert_to_tensor(0.0)
        for i, y in enumerate(case.comparable(flat(case.run(filled)))):
            wanted, dtype = case.compared[i]
            if dtype == "float32":
                w = weights(wanted.shape, i).astype("float32")
                total = ops.add(total, ops.sum(ops.multiply(y, w)))
        return total

    run = grad(loss, argnums=tuple(range(len(places))))
    if backend.name in COMPILED:
        run = jit(run)
    found = run(*(tensors[i] for i in places))
    return [backend.to_numpy(g) for g in found]


def compare(case: Case, backend: Any) -> None:
    found = gradients(case, backend)
    assert len(found) == len(case.gradients)
    top = max(float(np.abs(g).max(initial=0.0)) for g in case.gradients)
    for g, wanted in zip(found, case.gradients, strict=True):
        assert g.shape == wanted.shape and g.dtype == np.float32
        tolerance = max(case.tolerance, 1e-5)
        np.testing.assert_allclose(g, wanted, rtol=10 * tolerance, atol=tolerance * max(top, 1e-3))


@pytest.mark.parametrize("case", DIFFERENTIABLE, ids=str)
def test_gradient(training_backend, case):
    with known(training_backend, "gradient", case):
        compare(case, load(training_backend))
