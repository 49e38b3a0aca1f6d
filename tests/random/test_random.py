"""Random draws: their distributions, and how seeds govern them."""

import numpy as np
import pytest

import kerata
from kerata import ops
from kerata.core.seeds import set_random_seed

SHAPE = (200, 100)


def host(x):
    return ops.convert_to_numpy(x).astype("float64")


def test_normal(backend):
    x = host(kerata.random.normal(SHAPE, 2.0, 3.0, seed=1))
    assert x.mean() == pytest.approx(2.0, abs=0.1) and x.std() == pytest.approx(3.0, rel=0.03)


def test_uniform(backend):
    x = host(kerata.random.uniform(SHAPE, -1.0, 3.0, seed=1))
    assert -1 <= x.min() < -0.99 and 2.99 < x.max() <= 3
    assert x.mean() == pytest.approx(1.0, abs=0.05)


def test_truncated_normal(backend):
    x = host(kerata.random.truncated_normal(SHAPE, 1.0, 2.0, seed=1))
    assert -3 <= x.min() < -2.9 and 4.9 < x.max() <= 5
    assert x.std() == pytest.approx(2 * 0.8796, rel=0.03)


def test_randint(backend):
    x = host(kerata.random.randint(SHAPE, -2, 3, seed=1))
    assert np.unique(x).tolist() == [-2, -1, 0, 1, 2]
    with pytest.raises(ValueError, match="integer"):
        kerata.random.randint((2,), 0, 3, dtype="float32")


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("name", ["normal", "uniform", "truncated_normal"])
def test_dtypes(backend, name, dtype):
    x = getattr(kerata.random, name)((3,), dtype=dtype)
    assert backend.dtype_of(x) == dtype and tuple(x.shape) == (3,)


def test_dropout(backend):
    x = host(kerata.random.dropout(ops.ones(SHAPE), 0.25, seed=1))
    assert (x == 0).mean() == pytest.approx(0.25, abs=0.02)
    assert np.unique(x).tolist() == pytest.approx([0, 1 / 0.75])
    rows = host(kerata.random.dropout(ops.ones(SHAPE), 0.5, noise_shape=(None, 1), seed=1))
    assert (rows == rows[:, :1]).all() and len(np.unique(rows)) == 2
    assert (host(kerata.random.dropout(ops.ones(SHAPE), 0.0)) == 1).all()


@pytest.mark.parametrize("size", [7, 3000])
def test_shuffle(backend, size):
    x = np.arange(2 * size).reshape(size, 2)
    y = host(kerata.random.shuffle(x, seed=1))
    assert sorted(y[:, 0].tolist()) == x[:, 0].tolist() and not np.array_equal(x, y)
    assert (y[:, 1] == y[:, 0] + 1).all()
    assert np.array_equal(y, host(kerata.random.shuffle(x, seed=1)))
    z = host(kerata.random.shuffle(x.T, axis=1, seed=1))
    assert np.array_equal(z.T, y)


@pytest.mark.filterwarnings("ignore:NumPy ran")  # shifts of bits, in OpenVINO's place
def test_a_seed_gives_one_order_everywhere(backend):
    x = np.arange(12)
    run = kerata.jit(lambda x: kerata.random.shuffle(x, seed=1))
    for y in (kerata.random.shuffle(x, seed=1), run(backend.convert(x))):
        assert host(y).tolist() == [2, 9, 7, 6, 10, 8, 3, 11, 1, 5, 0, 4]
    assert host(kerata.random.shuffle(x[:1], seed=1)).tolist() == [0]
    assert host(kerata.random.shuffle(x[:0], seed=1)).tolist() == []


def test_shuffles_are_fair(backend):
    seen = {
        tuple(host(kerata.random.shuffle(np.arange(3), seed=kerata.random.SeedGenerator(i))))
        for i in range(60)
    }
    assert len(seen) == 6


def test_categorical(backend):
    logits = np.log(np.array([[0.2, 0.8], [0.5, 0.5]], "float32"))
    x = ops.convert_to_numpy(kerata.random.categorical(logits, 4000, seed=1))
    assert x.shape == (2, 4000) and x.dtype == np.int32
    np.testing.assert_allclose(x.mean(1), [0.8, 0.5], atol=0.03)


def test_seeds(backend):
    def draw(seed):
        return host(kerata.random.normal((4,), seed=seed)).tolist()

    assert draw(1) == draw(1) != draw(2)
    generator = kerata.random.SeedGenerator(1)
    first = draw(generator)
    assert first == draw(1) and first != draw(generator)
    set_random_seed(5)
    free = [draw(None), draw(None)]
    assert free[0] != free[1]
    set_random_seed(5)
    assert free == [draw(None), draw(None)]
