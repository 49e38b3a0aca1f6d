"""`TimeDistributed`: a layer for each step of a sequence."""

from __future__ import annotations

from typing import Any

import optree

from kerata import ops
from kerata.layers.core.wrapper import Wrapper
from kerata.layers.layer import Layer
from kerata.layers.signatures import call_spec
from kerata.ops.dispatch import Tensor


class TimeDistributed(Wrapper):
    """A layer applied to each step of a sequence, to all of them in one call.

    Steps become samples: the layer sees `(batch * length, ...)`. Batch normalization therefore
    takes its statistics over the batch and the steps together.

    Args:
        layer: the layer.

    Input: `(batch, length, ...)`, or a nesting of such. A `mask`, `(batch, length)`, goes to the
    layer if it takes one. Output: `(batch, length, ...)`.

    >>> from kerata.layers import Conv2D
    >>> TimeDistributed(Conv2D(8, 3)).compute_output_shape((None, 10, 28, 28, 3))
    (None, 10, 26, 26, 8)
    """

    supports_masking = True

    def build(self, input_shape: Any = None) -> None:
        """Build the layer for one step."""
        super().build(_each_shape(self, input_shape))

    def call(self, inputs: Any, training: bool = False, mask: Any = None) -> Any:
        """The layer's outputs for all steps."""
        sizes = ops.shape(optree.tree_leaves(inputs)[0])[:2]
        spec = call_spec(type(self.layer))
        context: dict[str, Any] = {"training": training} if "training" in spec.names else {}
        if mask is not None and "mask" in spec.names:
            context["mask"] = ops.reshape(mask, (-1,))
        y = self.layer(optree.tree_map(_merged, inputs), **context)
        return optree.tree_map(lambda x: ops.reshape(x, (*sizes, *ops.shape(x)[1:])), y)


def _merged(x: Tensor) -> Tensor:
    sizes = ops.shape(x)
    return ops.reshape(x, (sizes[0] * sizes[1], *sizes[2:]))


def _each_shape(layer: Layer, shape: Any) -> Any:
    """The shape, or shapes, without the axis of time."""
    if isinstance(shape, dict):
        return {k: _each_shape(layer, v) for k, v in shape.items()}
    if isinstance(shape, list):
        return [_each_shape(layer, s) for s in shape]
    if len(shape) < 3:
        raise ValueError(
            f"{type(layer).__name__} {layer.name!r} takes (batch, length, ...); got {shape}"
        )
    return (None, *shape[2:])
