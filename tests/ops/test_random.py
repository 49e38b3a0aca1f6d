"""Draws: their shapes, dtypes, ranges and moments, the same for the same seed on each backend."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from kerata import ops
from kerata.backends.abstract.backend import AbstractTensor, strict
from kerata.backends.abstract.tensor import STAND_INS, Size
from kerata.backends.registry import load, using
from kerata.backends.state import operations
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import jit
from tests.ops.deviations import kept_dtype

SEED = np.array([11, 3], "int32")
OTHER = np.array([11, 4], "int32")
MANY = 20_000

DRAWS: dict[str, Any] = {
    "uniform": lambda shape, seed: operations["random_uniform"](shape, seed),
    "normal": lambda shape, seed: operations["random_normal"](shape, seed),
    "randint": lambda shape, seed: operations["random_randint"](shape, -3, 4, seed),
    "bernoulli": lambda shape, seed: operations["random_bernoulli"](shape, 0.3, seed),
    "gamma": lambda shape, seed: operations["random_gamma"](ops.full(shape, 2.0), seed),
    "binomial": lambda shape, seed: operations["random_binomial"](
        ops.full(shape, 10.0), ops.full(shape, 0.3), seed
    ),
    "dropout": lambda shape, seed: operations["random_dropout"](ops.ones(shape), 0.25, None, seed),
}
DTYPES = {"randint": "int32", "bernoulli": "bool"}
draws = pytest.mark.parametrize("name", DRAWS)


def drawn(name: str, shape: tuple[int, ...] = (MANY,), seed: np.ndarray = SEED) -> np.ndarray:
    return ops.convert_to_numpy(DRAWS[name](shape, seed))


@draws
def test_shape_and_dtype(backend, name):
    for shape in ((), (0,), (3, 0), (2, 3, 4)):
        result = DRAWS[name](shape, SEED)
        assert isinstance(result, backend.tensor_types)
        assert tuple(result.shape) == shape
        assert backend.dtype_of(result) == DTYPES.get(name, "float32")


@draws
def test_a_seed_decides(backend, name):
    first, again, other = drawn(name), drawn(name), drawn(name, seed=OTHER)
    np.testing.assert_array_equal(first, again)
    assert np.mean(first == other) < 0.75
    third = drawn(name, seed=np.array([12, 3], "int32"))
    assert np.mean(first == third) < 0.75
    assert not np.array_equal(other, third)


@draws
def test_negative_seeds_are_bits(backend, name):
    """`SeedGenerator` keeps seeds up to 2³² as the int32 of the same bits."""
    assert drawn(name, (8,), np.array([-5, 0], "int32")).shape == (8,)


@draws
def test_moments(backend, name):
    x = drawn(name).astype(float)
    mean, std = {
        "uniform": (0.5, 12**-0.5),
        "normal": (0.0, 1.0),
        "randint": (0.0, 2.0),
        "bernoulli": (0.3, 0.21**0.5),
        "gamma": (2.0, 2**0.5),
        "binomial": (3.0, 2.1**0.5),
        "dropout": (1.0, (1 / 3) ** 0.5),
    }[name]
    assert abs(x.mean() - mean) < 5 * std / MANY**0.5
    assert abs(x.std() - std) < 0.03 * max(std, 2 / 3)
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / MANY**0.5


def test_ranges(backend):
    x = drawn("uniform")
    assert x.min() >= 0.0 and x.max() < 1.0
    assert set(np.unique(drawn("randint"))) == set(range(-3, 4))
    counts = np.bincount(drawn("randint") + 3)
    assert counts.min() > 0.9 * MANY / 7
    assert set(np.unique(drawn("dropout"))) == {np.float32(0), np.float32(1 / 0.75)}


def test_normal_draws_are_normal(backend):
    x = np.sort(drawn("normal").astype(float))
    from scipy import stats

    assert stats.kstest(x, "norm").pvalue > 1e-3


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize("name", ["random_uniform", "random_normal"])
def test_other_dtypes(backend, name, dtype):
    x = operations[name]((500,), SEED, dtype)
    assert backend.dtype_of(x) == kept_dtype(backend.name, dtype)
    values = backend.to_numpy(x).astype(float)
    assert 0.2 < values.std() < 1.2
    if name == "random_uniform":
        assert values.min() >= 0 and values.max() <= 1


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64"])
def test_integer_dtypes(backend, dtype):
    x = operations["random_randint"]((50,), 0, 9, SEED, dtype)
    assert backend.dtype_of(x) == kept_dtype(backend.name, dtype)
    assert set(backend.to_numpy(x).tolist()) <= set(range(9))


@pytest.mark.parametrize("probability", [0.0, 1.0])
def test_certain_choices(backend, probability):
    x = ops.convert_to_numpy(operations["random_bernoulli"]((1000,), probability, SEED))
    assert np.all(x == bool(probability))


def test_dropout_shares_along_axes(backend):
    x = np.arange(1, 25, dtype="float32").reshape(4, 6)
    for noise_shape in ((4, 1), (None, 1)):
        y = ops.convert_to_numpy(operations["random_dropout"](x, 0.5, noise_shape, SEED))
        kept = y != 0
        assert np.all(kept == kept[:, :1])
        np.testing.assert_allclose(y[kept], (2 * x)[kept])


def test_dropout_keeps_the_dtype(backend):
    x = ops.cast(ops.ones((64,)), "bfloat16")
    y = operations["random_dropout"](x, 0.5, None, SEED)
    assert backend.dtype_of(y) == "bfloat16"
    assert set(np.unique(backend.to_numpy(y).astype(float))) == {0.0, 2.0}


@draws
def test_compiled(training_backend, name):
    run = jit(lambda seed: DRAWS[name]((50,), seed))
    backend = load(training_backend)
    found = [backend.to_numpy(run(backend.convert(s))) for s in (SEED, OTHER, SEED)]
    np.testing.assert_array_equal(found[0], drawn(name, (50,)))
    np.testing.assert_array_equal(found[0], found[2])
    assert not np.array_equal(found[0], found[1])


@draws
def test_symbolic_and_strict(name):
    result = DRAWS[name]((3, 4), KerasTensor((2,), "int32"))
    if name != "dropout":
        assert (result.shape, result.dtype) == ((3, 4), DTYPES.get(name, "float32"))
    with using(strict()):
        result = DRAWS[name]((Size(*STAND_INS), 4), AbstractTensor((2,), "int32"))
    assert isinstance(result.shape[0], Size) and result.shape[1] == 4
    assert result.dtype == DTYPES.get(name, "float32")
