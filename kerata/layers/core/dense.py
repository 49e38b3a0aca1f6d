"""`Dense`: every output depends on every input."""

from __future__ import annotations

from typing import Any

from kerata import activations, ops
from kerata.backends.registry import ensure
from kerata.backends.sparse import Sparse
from kerata.backends.state import state
from kerata.core.variable import Variable
from kerata.layers.arguments import positive
from kerata.layers.input_spec import InputSpec
from kerata.layers.quantization import QuantizableLayer
from kerata.ops.dispatch import Tensor
from kerata.ops.products import linear
from kerata.quantizers.weights import product


class Dense(QuantizableLayer):
    """A densely connected layer: `activation(inputs · kernel + bias)`.

    Args:
        units: the size of the output's last axis.
        activation: a name or function; None for none.
        use_bias: whether a bias is added.
        kernel_initializer: of `kernel`, `(features, units)`.
        bias_initializer: of `bias`, `(units,)`.
        kernel_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        activity_regularizer: of the output.
        kernel_constraint: applied to `kernel` after each update.
        bias_constraint: applied to `bias` after each update.
        lora_rank: the rank of a product that is trained instead of `kernel`; see `enable_lora`.
        lora_alpha: the factor of that product, times `lora_rank`; None for `lora_rank`.
        quantization_config: how `quantize` quantizes; None for the mode's own configuration.

    Input: `(batch, ..., features)`. Output: `(batch, ..., units)`.

    >>> Dense(2, kernel_initializer="ones")(ops.convert_to_tensor([[1.0, 2.0]])).tolist()
    [[3.0, 3.0]]
    """

    supports_masking = True
    takes_sparse = True

    def __init__(
        self,
        units: int,
        activation: Any = None,
        use_bias: bool = True,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        activity_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config,
            activity_regularizer=activity_regularizer, **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.units = positive(self, "units", units)
        self.activation = activations.get(activation)
        self.use_bias = use_bias
        self.input_spec = InputSpec(min_ndim=2)

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        features = input_shape[-1]
        self.kernel = self._weight("kernel", (features, self.units))
        self.bias = self._weight("bias", (self.units,)) if self.use_bias else None
        self.input_spec = InputSpec(min_ndim=2, axes={-1: features})
        self._adapt()

    def call(self, inputs: Tensor) -> Tensor:
        """`activation(inputs · kernel + bias)`."""
        kernel, sparse = self.kernel, inputs.__class__ is Sparse
        if self.bias is not None and isinstance(kernel, Variable) and not sparse:
            x = linear(inputs, kernel.value, self.bias.value)
        else:
            x = self._product(_sparse_product if sparse else product, inputs)
            x = x if self.bias is None else ops.add(x, self.bias.value)
        return x if self.activation is activations.linear else self.activation(x)


def _sparse_product(x: Sparse, y: Tensor) -> Tensor:
    return (state.backend or ensure()).sparse_product(x.matrix, y)
