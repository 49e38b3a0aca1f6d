"""`StackedRNNCells`, and what `RNN` and it do with a cell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from kerata import ops
from kerata.layers.layer import Layer
from kerata.layers.recurrent.cell import GatedCell
from kerata.layers.signatures import call_spec
from kerata.ops.dispatch import Tensor

Step = Callable[[Any, Any], tuple[Any, Any]]


class StackedRNNCells(Layer):
    """Several cells as one: each takes the output of the one before.

    Args:
        cells: the cells.

    Input: `(batch, features)`, and the states of each cell, a list of lists.
    Output: that of the last cell, and the next states.

    >>> cell = StackedRNNCells([layers.GRUCell(8), layers.LSTMCell(4)])
    >>> cell.state_size
    [8, [4, 4]]
    """

    def __init__(self, cells: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if not isinstance(cells, (list, tuple)) or not cells:
            raise ValueError(f"{type(self).__name__}: cells must be a list of cells; got {cells!r}")
        for cell in cells:
            for need in ("call", "state_size"):
                if not hasattr(cell, need):
                    raise ValueError(
                        f"{type(self).__name__}: each of cells must have {need!r}; got {cell!r}"
                    )
        self.cells = list(cells)

    @property
    def state_size(self) -> list[Any]:
        """The sizes of each cell's states."""
        return [cell.state_size for cell in self.cells]

    @property
    def output_size(self) -> Any:
        """The size of the last cell's output."""
        return _output_size(self.cells[-1])

    def build(self, input_shape: Any) -> None:
        """Build the cells."""
        for cell in self.cells:
            if isinstance(cell, Layer) and not cell.built:
                cell.build(input_shape)
            input_shape = (input_shape[0], _output_size(cell))

    def get_initial_state(self, batch_size: Any = None) -> list[Any]:
        """Those of each cell."""
        return [initial_states(cell, batch_size, self.compute_dtype) for cell in self.cells]

    def begin(self, inputs: Tensor, states: Any, training: bool) -> Step:
        """All cells as one function, with the same draws for a whole sequence."""
        steps = []
        for cell, own in zip(self.cells, states, strict=True):
            steps.append(begun(cell, inputs, own, training))
            if cell is not self.cells[-1]:
                inputs = ops.zeros((ops.shape(inputs)[0], _output_size(cell)), inputs.dtype)

        def run(x: Any, states: Any) -> tuple[Any, list[Any]]:
            new = []
            for step, own in zip(steps, states, strict=True):
                x, after = step(x, own)
                new.append(after)
            return x, new

        return run

    def call(self, inputs: Tensor, states: Any, training: bool = False) -> tuple[Tensor, list[Any]]:
        """The last output, and the next states."""
        y, new = self.begin(inputs, states, training)(inputs, states)
        return y, new


def begun(cell: Any, inputs: Any, states: Any, training: bool) -> Step:
    """A cell as a function of inputs and states; its random draws hold for a whole sequence."""
    own_call = type(cell).call
    if own_call in (GatedCell.call, StackedRNNCells.call):
        step: Step = cell.begin(inputs, states, training)
        return step
    takes = isinstance(cell, Layer) and "training" in call_spec(type(cell)).names
    context = {"training": training} if takes else {}

    def run(x: Any, states: Any) -> tuple[Any, Any]:
        output, new = cell(x, states, **context)
        return output, list(new) if isinstance(new, (list, tuple)) else [new]

    return run


def initial_states(cell: Any, batch_size: Any, dtype: str) -> list[Any]:
    """A cell's states before the first step: its own, or zeros."""
    own = getattr(cell, "get_initial_state", None)
    if own is not None:
        found = own(batch_size)
        return list(found) if isinstance(found, (list, tuple)) else [found]
    sizes = cell.state_size if isinstance(cell.state_size, (list, tuple)) else [cell.state_size]
    shapes = [tuple(s) if isinstance(s, (list, tuple)) else (s,) for s in sizes]
    return [ops.zeros((batch_size, *shape), dtype) for shape in shapes]


def _output_size(cell: Any) -> Any:
    size = getattr(cell, "output_size", None)
    if size is None:
        size = cell.state_size
    return size[0] if isinstance(size, (list, tuple)) else size
