"""Seeds: one stream for the process, and generators whose state is a variable."""

from __future__ import annotations

import random
from typing import Any

import numpy as np

from kerata.backends import registry
from kerata.backends.state import operations, state
from kerata.core.config_object import Configurable
from kerata.core.names import auto_name, name_scope
from kerata.core.variable import Variable

_ADVANCE = np.array([0, 1], np.int32)


class SeedGenerator(Configurable):
    """A stream of seeds for `kerata.random`, its place in the stream kept in a variable.

    Keep one as an attribute of a layer that draws: its `state` is saved and threaded through
    compiled functions with the layer's variables.

    Args:
        seed: where the stream starts, from 0 to 2³² - 1; None takes the process' next seed.
        name: its name.

    Attributes:
        state: int32 `(2,)`, the seed and how many have been taken.

    >>> SeedGenerator(seed=7).next().tolist()
    [7, 0]
    """

    def __init__(self, seed: int | None = None, name: str | None = None, **kwargs: Any) -> None:
        if kwargs:
            raise TypeError(f"SeedGenerator: unknown argument(s) {', '.join(map(repr, kwargs))}")
        self.name = name or auto_name("seed_generator")
        start = np.array([_checked(next_seed() if seed is None else seed), 0], np.int32)
        with name_scope(self.name):
            self.state = Variable(
                start, dtype="int32", trainable=False, name="seed_generator_state", on_host=True
            )

    def next(self, ordered: bool = True) -> Any:
        """The current seed, an int32 tensor `(2,)`; the state moves on to the next one.

        `ordered` is accepted for compatibility: seeds are always taken in order.
        """
        current = self.state.value
        backend = state.backend or registry.ensure()
        self.state.assign(current + backend.beside(_ADVANCE, current))
        return current


def _checked(seed: Any) -> int:
    """`seed` as an int32 with the same bits."""
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)):
        raise ValueError(f"seed must be an integer; got {seed!r}")
    if not -(2**31) <= seed < 2**32:
        raise ValueError(f"seed must be at least 0 and less than 2³²; got {seed}")
    return int(np.array([seed & 0xFFFFFFFF], np.uint32).view(np.int32)[0])


class _Process:
    """The process' own stream."""

    def __init__(self) -> None:
        self.stream = random.Random()
        self.start = self.stream.getrandbits(31)
        self.generator: SeedGenerator | None = None


_process = _Process()


def next_seed() -> int:
    """The next seed of the process, an int from 0 to 2³¹ - 1."""
    return _process.stream.getrandbits(31)


def global_generator() -> SeedGenerator:
    """What `kerata.random` draws from where no seed is given."""
    if _process.generator is None:
        _process.generator = SeedGenerator(_process.start, name="global_seed_generator")
    return _process.generator


def set_random_seed(seed: int) -> None:
    """Seed Python's `random`, NumPy, the process' own stream and the engines in use.

    The same program then draws the same weights and samples on every backend.

    Args:
        seed: from 0 to 2³² - 1.
    """
    _checked(seed)
    random.seed(seed)
    np.random.seed(seed)
    _process.stream.seed(seed)
    _process.start = _process.stream.getrandbits(31)
    if _process.generator is not None:
        _process.generator.state.assign(np.array([_process.start, 0], np.int32))
    for backend in registry.loaded():
        backend.seed(seed)


def random_state() -> dict[str, Any]:
    """Where all that draws is, as numbers and arrays: Python's `random`, NumPy, the process' own
    stream and the active engine."""
    generator = _process.generator
    backend = registry.ensure()
    return {
        "python": random.getstate(),
        "array": np.random.get_state(),
        "process": {
            "stream": _process.stream.getstate(),
            "start": _process.start,
            "generator": None if generator is None else generator.state.numpy(),
        },
        "engine": {backend.name: backend.random_state()},
    }


def set_random_state(value: dict[str, Any]) -> None:
    """Put what draws where `random_state` said that it was; what `value` lacks stays."""
    if "python" in value:
        random.setstate(_tuples(value["python"]))
    if "array" in value:
        held = value["array"]
        np.random.set_state(held if isinstance(held, dict) else tuple(held))
    if "process" in value:
        _set_process(value["process"])
    backend = registry.ensure()
    engine = value.get("engine", {}).get(backend.name)
    if engine is not None:
        backend.set_random_state(engine)


def _set_process(value: dict[str, Any]) -> None:
    _process.stream.setstate(_tuples(value["stream"]))
    _process.start = value["start"]
    held = value["generator"]
    if held is not None or _process.generator is not None:
        start = np.array([_process.start, 0], np.int32)
        global_generator().state.assign(start if held is None else held)


def _tuples(value: Any) -> Any:
    return tuple(map(_tuples, value)) if isinstance(value, (list, tuple)) else value


def draw_seed(seed: Any) -> Any:
    """An int32 tensor `(2,)` from a `SeedGenerator`, an int, or None (the process' own stream).

    What this returned may be given again.
    """
    if seed is None:
        return global_generator().next()
    if isinstance(seed, SeedGenerator):
        return seed.next()
    if len(getattr(seed, "shape", ())) == 1:
        return seed
    return operations["cast"](np.array([_checked(seed), 0], np.int32), "int32")
