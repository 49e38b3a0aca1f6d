"""The table's references against Keras: what the two disagree on is listed, with reasons."""

from __future__ import annotations

import fnmatch
import warnings
from typing import Any

import numpy as np
import pytest

from tests.ops.case import Case, flat, wide
from tests.ops.cases import CASES

DISAGREE: tuple[tuple[str, str], ...] = ()

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def in_keras(keras: Any, case: Case) -> Any:
    """Keras' operation of that name, or None."""
    image = getattr(keras.ops.image, case.op, None)
    return getattr(keras.ops, case.op, image)


def reason(case: Case) -> str | None:
    """Why Keras gives something else here."""
    return next((why for pattern, why in DISAGREE if fnmatch.fnmatchcase(str(case), pattern)), None)


def compare(case: Case, result: Any) -> None:
    found = [np.asarray(y) for y in flat(result)]
    assert len(found) == len(case.results)
    for i, (y, wanted) in enumerate(zip(found, case.results, strict=True)):
        assert y.shape == wanted.shape
        tolerance = 2e-2 if case.dtypes[i] in ("float16", "bfloat16") else 1e-4
        top = np.abs(wanted[np.isfinite(wanted)]).max(initial=0) if wanted.dtype.kind in "fc" else 1
        np.testing.assert_allclose(wide(y), wanted, rtol=tolerance, atol=tolerance * max(top, 1e-3))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reference_agrees_with_keras(keras, case):
    operation = in_keras(keras, case)
    if operation is None:
        pytest.skip("no operation of Keras")
    args, kwargs = case.rebuilt(case.arrays)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if reason(case) is None:
            compare(case, operation(*args, **kwargs))
            return
        try:
            compare(case, operation(*args, **kwargs))
        except Exception:
            pytest.xfail(reason(case))
    pytest.fail(f"They agree: drop it from DISAGREE: {reason(case)}")
