"""`Bidirectional`: a recurrence run both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import optree

from kerata import ops
from kerata.layers.arguments import one_of
from kerata.layers.layer import Layer
from kerata.layers.recurrent.rnn import RNN
from kerata.layers.serialization import remade
from kerata.ops.dispatch import Tensor

_MERGES = {
    "concat": lambda a, b: ops.concatenate([a, b], axis=-1),
    "sum": ops.add,
    "ave": lambda a, b: ops.add(a, b) * 0.5,
    "mul": ops.multiply,
}


class Bidirectional(Layer):
    """A recurrent layer and a second one that reads the sequence from its end, joined.

    Schuster & Paliwal, 1997.

    Args:
        layer: an `RNN`, `LSTM`, `GRU` or the like.
        merge_mode: "concat", "sum", "mul", "ave", or None for a list of both outputs.
        weights: first values of the weights.
        backward_layer: the second one, with the other `go_backwards`; None for one like `layer`.

    Input: as the layer's. `initial_state` has the states of both, one after the other. At masked
    steps the outputs are 0 where sequences are returned.
    Output: the two outputs merged, the backward one turned so that steps fit; with the layer's
    `return_state` a tuple of that and the states of both.

    >>> layer = Bidirectional(RNN(layers.LSTMCell(8), return_sequences=True))
    >>> layer.compute_output_shape((None, 10, 3))
    (None, 10, 16)
    """

    supports_masking = True
    live: ClassVar[Mapping[str, str]] = {
        **Layer.live, "layer": "forward_layer", "backward_layer": "backward_layer"
    }  # fmt: skip

    def __init__(
        self,
        layer: Any,
        merge_mode: str | None = "concat",
        weights: Any = None,
        backward_layer: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        for name, given in (("layer", layer), ("backward_layer", backward_layer)):
            if not isinstance(given, RNN) and not (name == "backward_layer" and given is None):
                raise ValueError(
                    f"{type(self).__name__}: {name} must be a recurrent layer; got {given!r}"
                )
        self.merge_mode = one_of(self, "merge_mode", merge_mode, (*_MERGES, None))
        self.forward_layer = _renamed(layer, "forward_")
        if backward_layer is None:
            backwards = not layer.go_backwards
            self.backward_layer = _renamed(layer, "backward_", go_backwards=backwards)
        else:
            self.backward_layer = backward_layer
        self._check()
        for each in (self.forward_layer, self.backward_layer):
            each.zero_output_for_mask = self.return_sequences
        self._given = weights

    def _check(self) -> None:
        first, second = self.forward_layer, self.backward_layer
        for name in ("return_sequences", "return_state", "stateful"):
            if getattr(first, name) != getattr(second, name):
                raise ValueError(
                    f"{type(self).__name__}: layer and backward_layer must have the same {name}; "
                    f"got {getattr(first, name)} and {getattr(second, name)}"
                )
        if first.go_backwards == second.go_backwards:
            raise ValueError(
                f"{type(self).__name__}: of layer and backward_layer one must have "
                f"go_backwards=True; got {first.go_backwards} for both"
            )
        self.return_sequences = first.return_sequences
        self.return_state = first.return_state
        self.stateful = first.stateful

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build both layers."""
        for each in (self.forward_layer, self.backward_layer):
            if not each.built:
                each.build(sequences_shape)
        if self._given is not None:
            self.set_weights(self._given)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
    ) -> Any:
        """The merged outputs, and the states if asked for."""
        states: Any = (None, None)
        if initial_state is not None:
            half = len(initial_state) // 2
            states = initial_state[:half], initial_state[half:]
        first, second = (
            layer(sequences, initial_state=own, mask=mask, training=training)
            for layer, own in zip((self.forward_layer, self.backward_layer), states, strict=True)
        )
        after: tuple[Any, ...] = ()
        if self.return_state:
            first, second, after = first[0], second[0], (*first[1:], *second[1:])
        if self.return_sequences:
            second = ops.flip(second, axis=1)
        y = (first, second) if self.merge_mode is None else _MERGES[self.merge_mode](first, second)
        if not self.return_state:
            return y
        return (*y, *after) if self.merge_mode is None else (y, *after)

    def compute_mask(self, _: Any, mask: Any = None) -> Any:
        """The input's mask, if all outputs are returned; once for each where they aren't merged."""
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        mask = mask if self.return_sequences else None
        if self.merge_mode is not None and not self.return_state:
            return mask
        sizes = optree.tree_leaves(self.forward_layer.state_size)
        count = 2 * len(sizes) if self.return_state else 0
        return [mask] * (2 if self.merge_mode is None else 1) + [None] * count

    @property
    def states(self) -> Any:
        """The states that both layers keep, if they are stateful; None otherwise."""
        if not self.stateful or self.forward_layer.states is None:
            return None
        return (*self.forward_layer.states, *self.backward_layer.states)

    def reset_state(self) -> None:
        """Set the kept states of stateful layers to 0."""
        self.forward_layer.reset_state()
        self.backward_layer.reset_state()

    def reset_states(self) -> None:
        """`reset_state`, under its older name."""
        self.reset_state()

    def get_config(self) -> dict[str, Any]:
        """The arguments but `weights`."""
        config = super().get_config()
        config.pop("weights", None)
        return config


def _renamed(layer: Any, prefix: str, **changes: Any) -> Any:
    """A layer like this one, with a prefix before its name."""
    return remade(layer, name=prefix + layer.name.removeprefix("forward_"), **changes)
