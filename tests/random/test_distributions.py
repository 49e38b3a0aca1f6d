"""Draws against the distributions they come from, by the tests of Kolmogorov-Smirnov and Pearson."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from kerata import ops, random
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import jit
from kerata.random import SeedGenerator
from tests.ops.deviations import kept_dtype

COUNT = 20_000
# So rarely is a test with a fixed seed to fail by chance.
LEVEL = 1e-3

CONTINUOUS: dict[str, tuple[Any, Any]] = {
    "uniform": (lambda **k: random.uniform((COUNT,), -2.0, 3.0, **k), stats.uniform(-2, 5)),
    "normal": (lambda **k: random.normal((COUNT,), 1.0, 2.0, **k), stats.norm(1, 2)),
    "truncated": (lambda **k: random.truncated_normal((COUNT,), **k), stats.truncnorm(-2, 2)),
    "gamma-small": (lambda **k: random.gamma((COUNT,), 0.2, **k), stats.gamma(0.2)),
    "gamma-one": (lambda **k: random.gamma((COUNT,), 1.0, **k), stats.gamma(1.0)),
    "gamma-large": (lambda **k: random.gamma((COUNT,), 200.0, **k), stats.gamma(200.0)),
    "beta": (lambda **k: random.beta((COUNT,), 2.0, 5.0, **k), stats.beta(2.0, 5.0)),
    "beta-small": (lambda **k: random.beta((COUNT,), 0.3, 0.5, **k), stats.beta(0.3, 0.5)),
}
DISCRETE: dict[str, tuple[Any, Any]] = {
    "randint": (lambda **k: random.randint((COUNT,), -3, 9, **k), stats.randint(-3, 9)),
    "bernoulli": (
        lambda **k: ops.equal(random.dropout(ops.ones((COUNT,)), 0.3, **k), 0.0),
        stats.bernoulli(0.3),
    ),
    "binomial": (lambda **k: random.binomial((COUNT,), 10, 0.3, **k), stats.binom(10, 0.3)),
    "binomial-one": (lambda **k: random.binomial((COUNT,), 1, 0.9, **k), stats.bernoulli(0.9)),
    "binomial-large": (lambda **k: random.binomial((COUNT,), 500, 0.9, **k), stats.binom(500, 0.9)),
    "categorical": (
        lambda **k: random.categorical(np.log(np.float32([[0.1, 0.2, 0.7]])), COUNT, **k)[0],
        stats.rv_discrete(values=([0, 1, 2], [0.1, 0.2, 0.7])),
    ),
}


def host(x: Any) -> np.ndarray:
    return ops.convert_to_numpy(x).astype("float64")


def pearson(x: np.ndarray, law: Any) -> float:
    """The p-value of Pearson's test; values expected fewer than 8 times count as one."""
    values = np.arange(x.min() - 1, x.max() + 2)
    seen = np.array([np.sum(x == v) for v in values])
    expected = law.pmf(values) * len(x)
    rare = expected < 8
    seen = np.append(seen[~rare], seen[rare].sum())
    expected = np.append(expected[~rare], len(x) - expected[~rare].sum())
    used = expected > 1e-6
    assert not seen[~used].any()
    scale = seen.sum() / expected[used].sum()
    return float(stats.chisquare(seen[used], expected[used] * scale).pvalue)


@pytest.mark.parametrize("name", CONTINUOUS)
def test_continuous(backend, name):
    draw, law = CONTINUOUS[name]
    assert stats.kstest(host(draw(seed=7)), law.cdf).pvalue > LEVEL


@pytest.mark.parametrize("name", DISCRETE)
def test_discrete(backend, name):
    draw, law = DISCRETE[name]
    assert pearson(host(draw(seed=7)), law) > LEVEL


def test_the_tests_can_fail():
    x = np.random.default_rng(0).normal(0.05, 1.0, COUNT)
    assert stats.kstest(x, stats.norm.cdf).pvalue < LEVEL
    x = np.random.default_rng(0).binomial(10, 0.31, COUNT)
    assert pearson(x, stats.binom(10, 0.3)) < LEVEL


def test_tiny_parameters(backend):
    """Where gamma draws underflow, beta draws are almost all 0 or 1."""
    x = host(random.beta((COUNT,), 1e-3, 1e-3, seed=7))
    assert np.isfinite(x).all() and x.mean() == pytest.approx(0.5, abs=0.02)
    assert np.mean((x > 1e-3) & (x < 1 - 1e-3)) < 0.02
    assert np.isfinite(host(random.gamma((COUNT,), 1e-3, seed=7))).all()


def test_parameters_broadcast(backend):
    alpha = np.array([[0.5], [4.0]], "float32")
    x = host(random.gamma((2, COUNT), alpha, seed=3))
    np.testing.assert_allclose(x.mean(1), alpha[:, 0], rtol=0.05)
    x = host(random.beta((2, COUNT), alpha, ops.convert_to_tensor(2.0), seed=3))
    np.testing.assert_allclose(x.mean(1), alpha[:, 0] / (alpha[:, 0] + 2), rtol=0.05)
    x = host(random.binomial((2, COUNT), [[3], [7]], 0.5, seed=3))
    np.testing.assert_allclose(x.mean(1), [1.5, 3.5], rtol=0.05)


def test_parameters_without_meaning(backend):
    np.testing.assert_array_equal(
        host(random.gamma((3,), [0.0, -1.0, np.nan], seed=1)), [0, np.nan, np.nan]
    )
    assert np.isnan(host(random.beta((3,), [0.0, -1.0, 1.0], [1.0, 1.0, -1.0], seed=1))).all()
    counts, shares = [-1, 3, 3, 0, 5], [0.5, 1.5, -0.1, 0.5, 1.0]
    np.testing.assert_array_equal(
        host(random.binomial((5,), counts, shares, seed=1)), [np.nan, np.nan, np.nan, 0, 5]
    )
    whole = random.binomial((5,), counts, shares, dtype="int32", seed=1)
    assert ops.convert_to_numpy(whole).tolist() == [0, 0, 0, 0, 5]


DRAWS: dict[str, Any] = {
    "uniform": random.uniform,
    "normal": random.normal,
    "truncated_normal": random.truncated_normal,
    "gamma": lambda shape, **k: random.gamma(shape, 2.0, **k),
    "beta": lambda shape, **k: random.beta(shape, 2.0, 3.0, **k),
    "binomial": lambda shape, **k: random.binomial(shape, 9, 0.5, **k),
}
draws = pytest.mark.parametrize("name", DRAWS)


@draws
def test_dtypes_and_shapes(backend, name):
    for dtype, shape in (
        ("float16", (400,)), ("bfloat16", (20, 20)), ("float64", (400,)), ("float32", ()),
        ("float32", (0,)), ("float32", (3, 0)),
    ):  # fmt: skip
        x = DRAWS[name](shape, dtype=dtype, seed=5)
        assert backend.dtype_of(x) == kept_dtype(backend.name, dtype)
        assert tuple(x.shape) == shape
        values = host(x)
        assert np.isfinite(values).all()
        if name == "uniform":
            assert values.size == 0 or (values.min() >= 0 and values.max() < 1)
        assert values.size < 2 or values.std() > 0.1


@draws
def test_sizes_that_are_open(name):
    x = DRAWS[name]((4, 3), seed=1)
    assert tuple(x.shape) == (4, 3)
    like = KerasTensor((None, 3))

    def drawn(x: Any) -> Any:
        return DRAWS[name](ops.shape(x), seed=1)

    assert ops.map(lambda row: drawn(row), like).shape == (None, 3)


@pytest.mark.parametrize(
    ("dtype", "low", "high"),
    [
        ("uint8", 0, 256), ("uint8", 250, 256), ("int8", -128, 128), ("int16", -5, 3),
        ("int32", -(2**31), 2**31), ("int32", 2**30, 2**31), ("uint32", 0, 2**32),
        ("int64", -(2**63), 2**63), ("int64", 2**62, 2**63), ("int64", -(2**40), 2**40),
        ("uint64", 0, 2**64), ("uint64", 2**63 + 5, 2**64), ("uint64", 3, 8),
    ],
)  # fmt: skip
def test_bounds_of_integers(backend, dtype, low, high):
    if kept_dtype(backend.name, dtype) != dtype and high > 2**31:
        with pytest.raises(ValueError, match="randint: JAX keeps"):
            random.randint((2,), low, high, dtype=dtype, seed=1)
        return
    x = random.randint((3000,), low, high, dtype=dtype, seed=2)
    assert backend.dtype_of(x) == kept_dtype(backend.name, dtype)
    values = ops.convert_to_numpy(x).tolist()
    assert low <= min(values) and max(values) < high
    share = np.array([(v - low) / (high - low) for v in values])
    width = 1 / (high - low)
    law = stats.uniform(0, 1)
    if width > 1e-3:
        assert set(values) == set(range(low, high))
    else:
        assert stats.kstest(share + width / 2, law.cdf).pvalue > LEVEL


@pytest.mark.parametrize(
    ("low", "high", "dtype"),
    [(3, 3, "int32"), (4, 3, "int32"), (0, 257, "uint8"), (-1, 4, "uint16")],
)
def test_bad_ranges(backend, low, high, dtype):
    with pytest.raises(ValueError, match=f"randint: minval .*minval={low}"):
        random.randint((2,), low, high, dtype=dtype)


# Seeds


@draws
def test_an_int_repeats_and_a_generator_does_not(backend, name):
    draw = DRAWS[name]
    np.testing.assert_array_equal(host(draw((50,), seed=3)), host(draw((50,), seed=3)))
    generator = SeedGenerator(3)
    seen = {host(draw((50,), seed=generator)).tobytes() for _ in range(5)}
    assert len(seen) == 5


@pytest.mark.parametrize("name", ["uniform", "beta", "binomial"])
def test_compiled_draws_go_on(training_backend, name):
    generator = SeedGenerator(3)
    compiled = jit(lambda scale: DRAWS[name]((50,), seed=generator) * scale)
    found = [host(compiled(ops.convert_to_tensor(1.0))) for _ in range(4)]
    assert len({x.tobytes() for x in found}) == 4
    assert generator.state.numpy().tolist() == [3, 4]
    np.testing.assert_allclose(found[0], host(DRAWS[name]((50,), seed=3)), rtol=1e-5)


def test_seeds_have_nothing_to_do_with_each_other(backend):
    """Neither neighbouring seeds nor neighbouring places of one stream, nor a draw's parts."""
    generators = [SeedGenerator(i) for i in range(3)]
    rows = [host(random.normal((4000,), seed=g)) for g in generators for _ in range(3)]
    rows += [host(random.uniform((4000,), seed=5)), host(random.gamma((4000,), 3.0, seed=5))]
    found = np.corrcoef(rows) - np.eye(len(rows))
    assert np.abs(found[:9]).max() < 5 / 4000**0.5
    firsts = np.array([host(random.uniform((2,), seed=i)) for i in range(300)])
    assert stats.kstest(firsts[:, 0], stats.uniform.cdf).pvalue > LEVEL
    assert len(np.unique(firsts)) == firsts.size
    x = host(random.beta((COUNT,), 0.5, 0.5, seed=5))
    assert abs(np.corrcoef(x[:-1], x[1:])[0, 1]) < 5 / COUNT**0.5
