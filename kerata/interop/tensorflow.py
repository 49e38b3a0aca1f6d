"""A layer as a `tf.Module`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import tensorflow as tf

from kerata.backends.registry import load, using
from kerata.interop.naming import named_variables


class LayerModule(tf.Module):
    """A `tf.Module` whose variables are the layer's: the same memory.

    Call it eagerly or in a `tf.function`; `tf.saved_model.save` and `tf.train.Checkpoint` take it.

    Args:
        layer: a built layer or model; an error says so where it is not built.

    Attributes:
        kerata_layer: the layer.
        held: its `tf.Variable`s by their paths.
    """

    def __init__(self, layer: Any) -> None:
        named = named_variables(layer)
        super().__init__(name="".join(c if c.isalnum() else "_" for c in layer.name))
        self.kerata_layer = layer
        with using(load("tensorflow")):
            self.held = {"/".join(path): v.storage() for path, v in named.items()}
        self._pairs = list(zip(named.values(), self.held.values(), strict=True))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer returns."""
        with using(load("tensorflow")):
            join(self._pairs)
            return self.kerata_layer(*args, **kwargs)


as_module = LayerModule


def join(pairs: Iterable[tuple[Any, Any]]) -> None:
    """Make each variable hold its `tf.Variable`, which takes the value where it held another."""
    for variable, held in pairs:
        if variable._storage is not held:
            with tf.init_scope():
                held.assign(variable.tensor())
            variable.adopt(held, load("tensorflow"))
