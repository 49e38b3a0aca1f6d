"""Bad calls: the same error with the same text on every backend, and on symbolic tensors."""

from __future__ import annotations

from typing import Any

import numpy as np
import optree
import pytest

from kerata import ops
from kerata.backends.registry import load, using
from kerata.backends.state import operations
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import jit
from tests.ops.error_cases import SHAPES, VALUES, f


@pytest.mark.parametrize("case", SHAPES + VALUES, ids=str)
def test_error(backend, case):
    case.check(
        optree.tree_map(lambda x: backend.convert(x) if isinstance(x, np.ndarray) else x, case.args)
    )


@pytest.mark.parametrize("case", [c for c in SHAPES if c.has_tensors], ids=str)
def test_error_of_symbolic_tensors(case):
    case.check(
        optree.tree_map(
            lambda x: KerasTensor(x.shape, x.dtype) if isinstance(x, np.ndarray) else x, case.args
        )
    )


def test_open_sizes_are_written_as_none():
    with pytest.raises(ValueError) as found:
        ops.det(KerasTensor((None, 3, 4)))
    assert str(found.value) == (
        "det: the last two axes of x must be equal, and have 3 and 4 entries "
        "(x (None, 3, 4) float32)"
    )


@pytest.mark.parametrize("name", ["cholesky", "inv"])
def test_what_fails_in_a_compiled_function_is_not_finite_on_jax(name):
    pytest.importorskip("jax")
    backend = load("jax")
    with using(backend):
        y = jit(operations[name])(f(2, 2) - 2 * np.eye(2, dtype="float32") * (name == "cholesky"))
        assert not np.isfinite(backend.to_numpy(y)).all()


@pytest.mark.parametrize(
    ("primals", "tangents", "kind", "text"),
    [
        ((f(2),), (f(3),), ValueError,
         "jvp: the tangents' shapes [(3,)] differ from the primals' [(2,)]"),
        ((f(2),), (f(2), f(2)), ValueError,
         "jvp: the tangents' shapes [(2,), (2,)] differ from the primals' [(2,)]"),
        (f(2), (f(2),), TypeError, "jvp: primals must be a list or tuple; got "),
    ],
)  # fmt: skip
def test_tangents_that_do_not_fit(training_backend, primals, tangents, kind, text):
    with pytest.raises(kind) as found:
        ops.jvp(ops.sin, primals, tangents)
    assert str(found.value).startswith(text)


def test_numpy_has_no_tangents():
    with (
        pytest.raises(RuntimeError, match="numpy backend does not differentiate"),
        using(load("numpy")),
    ):
        ops.jvp(ops.sin, (f(2),), (f(2),))


def test_an_operation_inside_of_another_names_both(backend):
    with pytest.raises(ValueError, match=r"^softmax: max: axis 2 is out of range"):
        ops.softmax(f(2, 3), 2)


def test_functions_of_users_keep_their_errors(backend):
    def refuse(x: Any) -> Any:
        raise ValueError("not today")

    with pytest.raises(ValueError, match=r"^not today"):
        ops.map(refuse, f(2))
