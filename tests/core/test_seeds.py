"""Streams of seeds: the process' own, and generators with state."""

import random

import numpy as np
import pytest

from kerata.backends.registry import use_backend
from kerata.backends.scope import Scope, recorded
from kerata.core import seeds
from kerata.core.seeds import (
    SeedGenerator,
    draw_seed,
    global_generator,
    next_seed,
    random_state,
    set_random_seed,
    set_random_state,
)
from kerata.ops import convert_to_numpy


def taken(generator, count=3):
    return [convert_to_numpy(generator.next()).tolist() for _ in range(count)]


def test_next_counts(backend):
    generator = SeedGenerator(42, name="g")
    assert taken(generator) == [[42, 0], [42, 1], [42, 2]]
    assert generator.state.path == "g/seed_generator_state"
    assert generator.state.numpy().tolist() == [42, 3]
    assert not generator.state.trainable and generator.state.dtype == "int32"


def test_taken_seeds_stay(backend):
    generator = SeedGenerator(1)
    first, second = generator.next(), generator.next()
    assert convert_to_numpy(first).tolist() == [1, 0]
    assert convert_to_numpy(second).tolist() == [1, 1]


def test_state_moves_between_backends():
    generator = SeedGenerator(7)
    with use_backend("numpy"):
        assert taken(generator, 1) == [[7, 0]]
    for name in ("abstract", "numpy"):
        if name == "abstract":
            found = recorded(generator.next, ())
            assert found.written == [generator.state] and found.result.shape == (2,)
        else:
            with use_backend(name):
                assert taken(generator, 1) == [[7, 1]]


def test_under_a_scope(backend):
    generator = SeedGenerator(7)
    with Scope([(generator.state, generator.state.value)]):
        assert taken(generator, 2) == [[7, 0], [7, 1]]
    assert taken(generator, 1) == [[7, 0]]


def test_config():
    generator = SeedGenerator(5, name="g")
    assert generator.get_config() == {"name": "g", "seed": 5}
    assert SeedGenerator.from_config(generator.get_config()).state.numpy().tolist() == [5, 0]


@pytest.mark.parametrize("seed", [1.5, "a", True, -(2**31) - 1, 2**32])
def test_wrong_seeds(seed):
    with pytest.raises(ValueError, match="seed"):
        SeedGenerator(seed)


def test_large_seeds_keep_their_bits():
    assert SeedGenerator(2**32 - 1).state.numpy().tolist() == [-1, 0]


def test_the_process_is_seeded(backend):
    def draws():
        set_random_seed(3)
        own = [next_seed(), next_seed(), *taken(global_generator(), 2)]
        return [*own, random.random(), float(np.random.random())]

    assert draws() == draws()
    assert draws()[0] != draws()[1]


def test_draw_seed(backend):
    assert convert_to_numpy(draw_seed(9)).tolist() == [9, 0]
    generator = SeedGenerator(4)
    draw_seed(generator)
    assert convert_to_numpy(draw_seed(generator)).tolist() == [4, 1]
    first, second = (convert_to_numpy(draw_seed(None)).tolist() for _ in range(2))
    assert first != second


@pytest.mark.parametrize("used", [False, True])
def test_all_that_draws_goes_back(backend, monkeypatch, used):
    """Also where the process' own generator is only made afterwards."""
    monkeypatch.setattr(seeds._process, "generator", None)

    def draws():
        own = [next_seed(), *taken(global_generator(), 2)]
        return [*own, random.random(), float(np.random.random())]

    if used:
        draws()
    kept = random_state()
    first = draws()
    assert draws() != first
    set_random_state(kept)
    assert draws() == first
    set_random_state({"python": kept["python"]})
    assert draws()[:3] != first[:3]
