"""`Identity`: nothing is done."""

from __future__ import annotations

from typing import Any

from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tree


class Identity(Layer):
    """The inputs as they are.

    Input and output: tensors of any shape, in any nesting.

    >>> Identity()(ops.convert_to_tensor([1.0, 2.0])).tolist()
    [1.0, 2.0]
    """

    supports_masking = True

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def call(self, inputs: Tree) -> Tree:
        """The inputs."""
        return inputs
