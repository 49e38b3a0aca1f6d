"""`RNN`: a cell run along the time axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import optree

from kerata import ops
from kerata.backends.geometry import shapes_agree
from kerata.core.serialization import CustomObjectScope, serialize_object
from kerata.core.variable import Variable
from kerata.layers.layer import Layer
from kerata.layers.recurrent.stacked import StackedRNNCells, Step, begun, initial_states
from kerata.ops.dispatch import Tensor


class RNN(Layer):
    """A cell run along the time axis: `output, states = cell(x, states)` for every step.

    Args:
        cell: a layer with `call(self, inputs, states)`, which returns the output and a list of the
            next states, and an attribute `state_size`, an int or several. It may have
            `get_initial_state(self, batch_size)` (zeros otherwise) and take `training`. A list of
            cells becomes `StackedRNNCells`.
        return_sequences: whether all outputs are returned, instead of the last.
        return_state: whether the last states are returned too.
        go_backwards: run from the end; outputs come in the order in which they were made.
        stateful: begin each batch with the states in which the last one ended.
        unroll: write the steps out instead of looping: a longer program, for short sequences.
        zero_output_for_mask: whether masked steps give zeros, instead of the output before.

    Input: `(batch, length, features)`, and `initial_state`, a list of `(batch, state size)`.
    A `mask`, bool `(batch, length)`, says which steps count; at the others the states stay.
    Output: `(batch, units)`, or `(batch, length, units)` with `return_sequences`; with
    `return_state` a tuple of that and the states.
    """

    supports_masking = True
    untracked = Layer.untracked | {"states"}
    live: ClassVar[Mapping[str, str]] = {
        **Layer.live, "unroll": "unroll", "zero_output_for_mask": "zero_output_for_mask"
    }  # fmt: skip

    def __init__(
        self,
        cell: Any,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        unroll: bool = False,
        zero_output_for_mask: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if isinstance(cell, (list, tuple)):
            cell = StackedRNNCells(cell)
        for need in ("call", "state_size"):
            if not hasattr(cell, need):
                raise ValueError(f"{type(self).__name__}: cell must have {need!r}; got {cell!r}")
        self.cell = cell
        self.return_sequences = return_sequences
        self.return_state = return_state
        self.go_backwards = go_backwards
        self.stateful = stateful
        self.unroll = unroll
        self.zero_output_for_mask = zero_output_for_mask
        self.states: list[Variable] | None = None

    @property
    def state_size(self) -> Any:
        """The sizes of the cell's states."""
        return self.cell.state_size

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        """Build the cell, and make the states that a stateful layer keeps."""
        batch, length = sequences_shape[:2]
        if self.unroll and length is None:
            raise ValueError(
                f"{type(self).__name__}: unroll needs a known length; "
                f"the input is {sequences_shape}"
            )
        if isinstance(self.cell, Layer) and not self.cell.built:
            self.cell.build((batch, *sequences_shape[2:]))
        if self.stateful:
            if batch is None:
                raise ValueError(
                    f"{type(self).__name__}: stateful needs a known batch size; the input is "
                    f"{sequences_shape}. Give Input(batch_size=...) or batch_shape."
                )
            self.states = [
                Variable("zeros", s.shape, self.variable_dtype, trainable=False, name="state")
                for s in optree.tree_leaves(self._zero_states(sequences_shape))
            ]

    def _zero_states(self, sizes: Any) -> list[Any]:
        """The states before the first step, for sequences of these sizes."""
        return self.get_initial_state(sizes[0])

    def get_initial_state(self, batch_size: Any) -> list[Tensor]:
        """The states before the first step."""
        return initial_states(self.cell, batch_size, self.compute_dtype)

    def call(
        self,
        sequences: Tensor,
        initial_state: Any = None,
        mask: Any = None,
        training: bool = False,
    ) -> Any:
        """The output or outputs, and the states if asked for."""
        if initial_state is not None:
            states = self._fitting(initial_state)
        else:
            states = self._zero_states(ops.shape(sequences))
            if self.states is not None:
                kept = [s.value for s in self.states]
                states = optree.tree_unflatten(optree.tree_structure(states), kept)
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        if mask is not None and len(mask.shape) == 3:  # (batch, length, 1)
            mask = mask[..., 0]
        if mask is not None and not shapes_agree(ops.shape(mask), ops.shape(sequences)[:2]):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: mask must be (batch, length) of sequences "
                f"{tuple(sequences.shape)}; got {tuple(mask.shape)}"
            )
        last, outputs, states = self.inner_loop(sequences, states, mask, training)
        for variable, state in zip(self.states or (), optree.tree_leaves(states), strict=False):
            variable.assign(ops.stop_gradient(state))
        y = outputs if self.return_sequences else last
        return (y, *states) if self.return_state else y

    def _fitting(self, initial_state: Any) -> list[Any]:
        """The given states.

        Raises:
            ValueError: they are not as many as the cell has, or of other sizes.
        """
        states, sizes = _each(initial_state), _each(self.state_size)
        if len(states) != len(sizes) or not all(
            shapes_agree(ops.shape(state)[1:], (size,))
            for state, size in zip(states, sizes, strict=True)
            if isinstance(size, int) and len(state.shape) == 2
        ):
            shapes = optree.tree_map(lambda x: tuple(x.shape), states)
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: initial_state must be {len(sizes)} of "
                f"(batch, size), of the sizes {sizes}; got {shapes}"
            )
        return states

    def inner_loop(
        self, sequences: Tensor, initial_state: list[Tensor], mask: Any, training: bool = False
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        """The last output, all outputs, and the last states."""
        step = begun(self.cell, sequences[:, 0], initial_state, training)
        flat, nesting = optree.tree_flatten(initial_state)

        def flat_step(x: Any, states: Any) -> tuple[Any, list[Any]]:
            y, new = step(x, nesting.unflatten(states))
            return y, optree.tree_leaves(new)

        last, outputs, new = self._run(flat_step, sequences, flat, mask)
        return last, outputs, nesting.unflatten(new)

    def _run(
        self, step: Step, inputs: Tensor, states: list[Tensor], mask: Any
    ) -> tuple[Tensor, Tensor, list[Tensor]]:
        run = _unrolled if self.unroll else ops.rnn
        return run(step, inputs, states, self.go_backwards, mask, self.zero_output_for_mask)

    def compute_mask(self, _: Any, mask: Any = None) -> Any:
        """The input's mask, if all outputs are returned."""
        if isinstance(mask, (list, tuple)):
            mask = mask[0]
        mask = mask if self.return_sequences else None
        return [mask] + [None] * len(_each(self.state_size)) if self.return_state else mask

    def get_config(self) -> dict[str, Any]:
        """The arguments, several cells as one."""
        config = super().get_config()
        return config | {"cell": serialize_object(self.cell)} if "cell" in config else config

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict[str, Any] | None = None
    ) -> Any:
        """A layer from what `get_config` returned."""
        with CustomObjectScope(custom_objects):
            return super().from_config(config)

    def reset_state(self) -> None:
        """Set the kept states of a stateful layer to 0."""
        for variable in self.states or ():
            variable.assign(ops.zeros(variable.shape, variable.dtype))

    def reset_states(self) -> None:
        """`reset_state`, under its older name."""
        self.reset_state()


def _each(value: Any) -> list[Any]:
    return list(value) if isinstance(value, (list, tuple)) else [value]


def _unrolled(
    step: Step,
    inputs: Tensor,
    states: Sequence[Tensor],
    backwards: bool,
    mask: Tensor | None,
    zero_output_for_mask: bool,
) -> tuple[Tensor, Tensor, list[Tensor]]:
    """`ops.rnn` without its loop."""
    rows = ops.unstack(inputs, axis=1)
    alive = [None] * len(rows) if mask is None else ops.unstack(ops.cast(mask, "bool"), axis=1)
    outputs: list[Tensor] = []
    for i in reversed(range(len(rows))) if backwards else range(len(rows)):
        y, new = step(rows[i], list(states))
        if mask is not None:
            before = ops.zeros_like(y) if zero_output_for_mask or not outputs else outputs[-1]
            y = _where(alive[i], y, before)
            new = [_where(alive[i], n, s) for n, s in zip(new, states, strict=True)]
        states = new
        outputs.append(y)
    return outputs[-1], ops.stack(outputs, axis=1), list(states)


def _where(alive: Tensor, new: Tensor, old: Tensor) -> Tensor:
    shape = (-1,) + (1,) * (len(new.shape) - 1)
    return ops.where(ops.reshape(alive, shape), new, old)
