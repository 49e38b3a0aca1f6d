"""Type promotion: the table against JAX's own lattice, and the backends against the table."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import hypothesis
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import strategies as st

from kerata import config, ops
from kerata.backends import dtypes
from kerata.backends.abstract.tensor import AbstractTensor
from kerata.backends.registry import load, using
from tests.ops.deviations import kept_dtype

FLOAT8 = ("float8_e4m3fn", "float8_e5m2")
LATTICE = [d for d in dtypes.ALL if d not in FLOAT8]
WEAK = {int: 3, float: 2.5, bool: True}
SCALARS = (bool, int, float, complex)
# The dtypes in which every engine computes.
SIGNED = {"int8", "int16", "int32", "int64"}
COMPUTED = [d for d in LATTICE if not d.startswith("complex")]


@pytest.mark.parametrize("first", LATTICE)
def test_pairs_follow_jax(first):
    for second in LATTICE:
        with jax.enable_x64(True):
            wanted = str(jnp.promote_types(first, second))
        if "uint64" in (first, second) and {first, second} & SIGNED:
            wanted = config.floatx()  # a weak float, which is float64 under this flag of JAX
        assert dtypes.result_type(first, second) == wanted, (first, second)


@pytest.mark.parametrize("dtype", LATTICE)
@pytest.mark.parametrize("scalar", [int, float, complex, bool])
def test_python_scalars_are_weak(dtype, scalar):
    with jax.enable_x64(True):
        wanted = str((jnp.zeros((), dtype) + scalar(1)).dtype)
    if dtype == "bool" or (scalar in (float, complex) and dtype in dtypes.INTEGERS):
        wanted = dtypes.strong(dtypes.WEAK[scalar])  # JAX has wider defaults under this flag
    assert dtypes.result_type(dtype, scalar) == wanted


@pytest.mark.oracle
@pytest.mark.parametrize("first", [d for d in COMPUTED if "64" not in d])
def test_pairs_follow_keras(keras, first):
    """Keras has 32 bits where the lattice has 64."""
    for second in COMPUTED:
        both = {first, second}
        if "64" not in second and not ("uint32" in both and both & SIGNED):
            assert dtypes.result_type(first, second) == keras.backend.result_type(first, second)


@pytest.mark.parametrize("first", FLOAT8)
def test_float8_is_below_the_other_floats(first):
    """JAX and Keras refuse these pairs."""
    for second in ("bfloat16", "float16", "float32", "float64"):
        assert dtypes.result_type(first, second) == second
    with pytest.raises(ValueError, match="promote to no one dtype: cast them first"):
        dtypes.result_type(*FLOAT8)
    assert dtypes.result_type(*FLOAT8, "float32") == "float32"
    assert dtypes.result_type(first, int) == dtypes.result_type(first, float) == first
    assert dtypes.result_type(first, "int32") == first


def test_64_bit_integers_take_the_float_that_they_meet():
    assert dtypes.result_type("int64", "float16") == "float16"
    assert dtypes.result_type("uint64", "bfloat16") == "bfloat16"
    assert dtypes.result_type("int64", "uint64") == "float32"


@hypothesis.given(st.lists(st.sampled_from([*dtypes.ALL, *WEAK, complex]), min_size=1, max_size=4))
def test_order_and_repetition_do_not_matter(kinds):
    hypothesis.assume(not set(FLOAT8) <= set(kinds))
    found = dtypes.result_type(*kinds)
    assert all(dtypes.result_type(*p) == found for p in itertools.permutations(kinds))
    assert dtypes.result_type(*kinds, *kinds) == found


def test_floatx_decides_for_weak_floats(monkeypatch):
    monkeypatch.setitem(config._settings, "floatx", "float16")
    assert dtypes.result_type(int, float) == "float16"
    assert dtypes.result_type("int32", float) == "float16"
    assert dtypes.result_type() == "float16"


# Two operands' operations, and the dtype that each makes of the promoted one.
OPS: dict[str, Callable[[str], str]] = {
    "add": lambda d: d,
    "multiply": lambda d: d,
    "maximum": lambda d: d,
    "true_divide": lambda d: d if dtypes.is_float(d) or d in dtypes.COMPLEX else "float32",
    "equal": lambda d: "bool",
    "power": lambda d: "int32" if d == "bool" else d,
    "floor_divide": lambda d: "int32" if d == "bool" else d,
    "where": lambda d: d,
}
WHERE = np.array([True, False])


def call(op: str, x: Any, y: Any) -> Any:
    if op == "where":
        return ops.where(WHERE, x, y)
    return getattr(ops, op)(x, y)


def expected(op: str, x: np.ndarray, y: np.ndarray, kind: str) -> np.ndarray:
    """NumPy's values for operands of the promoted dtype, booleans added and multiplied as logic."""
    if kind == "bool" and op in ("power", "floor_divide"):
        kind = "int32"
    x, y = (v.astype(dtypes.numpy_dtype(kind)) for v in (x, y))
    return np.asarray(np.where(WHERE, x, y) if op == "where" else getattr(np, op)(x, y))


def compare(backend: Any, op: str, x: Any, y: Any, kinds: Any) -> None:
    """The operation of `x` and `y`, tensors or numbers, whose dtypes are `kinds`."""
    kind = dtypes.result_type(*kinds)
    if op == "floor_divide" and kind in dtypes.COMPLEX:
        with pytest.raises(TypeError, match="floor_divide is not defined for complex numbers"):
            call(op, x, y)
        return
    found = call(op, x, y)
    assert backend.dtype_of(found) == kept_dtype(backend.name, OPS[op](kind)), kinds
    if backend.computes:
        arrays = (np.asarray(v) if isinstance(v, SCALARS) else backend.to_numpy(v) for v in (x, y))
        wanted = expected(op, *arrays, kind)
        values = backend.to_numpy(found).astype("complex128")
        np.testing.assert_allclose(values, wanted.astype("complex128"), rtol=1e-2, err_msg=kinds)


def operand(backend: Any, dtype: str, values: list[int]) -> Any:
    return backend.convert(np.array(values).astype(dtypes.numpy_dtype(dtype)))


@pytest.mark.parametrize("op", OPS)
def test_pairs_promote(backend, op):
    """All pairs of dtypes."""
    kept = {d: kept_dtype(backend.name, d) for d in LATTICE}
    left = {d: operand(backend, d, [3, 1]) for d in LATTICE}
    right = {d: operand(backend, d, [2, 1]) for d in LATTICE}
    for first, second in itertools.product(LATTICE, LATTICE):
        compare(backend, op, left[first], right[second], (kept[first], kept[second]))


@pytest.mark.parametrize("op", OPS)
def test_python_scalars_promote_weakly(backend, op):
    for dtype in LATTICE:
        kept, x = kept_dtype(backend.name, dtype), operand(backend, dtype, [3, 1])
        for scalar in (True, 2, 2.5, 2 + 1j):
            compare(backend, op, x, scalar, (kept, type(scalar)))
            compare(backend, op, scalar, x, (type(scalar), kept))


@pytest.mark.parametrize("op", OPS)
def test_shapes_promote_alike(op):
    abstract = load("abstract")
    with using(abstract):
        for first, second in itertools.product(LATTICE, LATTICE):
            x, y = AbstractTensor((2,), first), AbstractTensor((2,), second)
            compare(abstract, op, x, y, (first, second))


@pytest.mark.parametrize("op", ["exp", "mean", "sigmoid"])
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int32", "int64"])
def test_integers_become_floatx(backend, op, dtype):
    y = getattr(ops, op)(backend.convert(np.ones(2, dtype)))
    assert backend.dtype_of(y) == "float32"


def test_scalars_alone(backend):
    assert backend.dtype_of(ops.add(1, 2)) == "int32"
    assert backend.dtype_of(ops.add(1, 2.5)) == "float32"
    assert backend.dtype_of(ops.add(True, 1)) == "int32"
    assert backend.dtype_of(ops.true_divide(1, 2)) == "float32"


@pytest.mark.parametrize(
    "dtype", [np.float32, np.dtype("float32"), "float32", jnp.float32, np.ones(1, "float32").dtype]
)
def test_standardize_dtype(dtype):
    assert dtypes.standardize_dtype(dtype) == "float32"


@pytest.mark.parametrize(
    ("dtype", "name"),
    [(None, "float32"), (float, "float32"), (int, "int32"), (bool, "bool"), (str, "string"),
     (np.bool_, "bool"), (np.dtype("<U3"), "string"), (np.uint8, "uint8"), ("bfloat16", "bfloat16"),
     (jnp.bfloat16, "bfloat16"), ("half", "float16"), ("int", "int32"), ("float", "float32")],
)  # fmt: skip
def test_standardize_dtype_of_others(dtype, name):
    assert dtypes.standardize_dtype(dtype) == name


@pytest.mark.parametrize("dtype", ["float31", object(), "tensor", b"float32"])
def test_standardize_dtype_refuses(dtype):
    with pytest.raises(ValueError, match="dtype must be one of bool, uint8"):
        dtypes.standardize_dtype(dtype)
