"""`Case`: a layer, a use of it, and what tests need to know of both."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass
class Case:
    """A layer, its inputs, and what tests need to know about it.

    Attributes:
        name: shown as the test's id.
        make: the layer, out of the module `layers` of Kerata or Keras.
        shapes: the shapes of its inputs; several are passed as a list, or with `spread` one by one.
        call: keyword arguments of the call; functions are called with a random generator.
        top: inputs are integers below this, where it is not 0.
        open_axes: the axes that may be open besides the batch.
        spread: inputs are positional arguments.
        oracle: compared with Keras.
        smooth: its gradients are difference quotients; not so where it stops gradients inside.
    """

    name: str
    make: Callable[[Any], Any]
    shapes: list[tuple[int, ...]]
    call: dict[str, Any] = field(default_factory=dict)
    top: int = 0
    open_axes: tuple[int, ...] = ()
    spread: bool = False
    oracle: bool = True
    smooth: bool = True

    def inputs(self) -> list[np.ndarray]:
        """Its inputs, the same ones every time."""
        rng = np.random.default_rng(7)
        if self.top:
            return [rng.integers(0, self.top, s).astype("int32") for s in self.shapes]
        return [rng.normal(size=s).astype("float32") for s in self.shapes]

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of its call."""
        rng = np.random.default_rng(8)
        return {k: v(rng) if callable(v) else v for k, v in self.call.items()}

    def run(self, layer: Any, inputs: list[Any], **more: Any) -> Any:
        """The layer called on inputs."""
        if not self.spread:
            inputs = [inputs[0] if len(inputs) == 1 else inputs]
        return layer(*inputs, **(self.arguments() | more))


def mask(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    """A random mask that leaves the first place of each row."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        found = rng.random(shape) < 0.6
        found[..., 0] = True
        return found

    return draw


def normal(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Random numbers."""
    return lambda rng: rng.normal(size=shape).astype("float32")


def states(count: int, *shape: int) -> Callable[[np.random.Generator], list[np.ndarray]]:
    """Several arrays of random numbers, as a list."""
    return lambda rng: [rng.normal(size=shape).astype("float32") for _ in range(count)]


IMAGE = (2, 8, 9, 4)
SEQUENCE = (3, 5, 4)
