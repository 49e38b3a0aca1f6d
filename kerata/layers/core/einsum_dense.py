"""`EinsumDense`: a dense layer over any axes, written as an einsum."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from kerata import activations, ops
from kerata.core.variable import Variable
from kerata.layers.arguments import positive
from kerata.layers.quantization import QuantizableLayer
from kerata.ops.dispatch import Tensor
from kerata.ops.products import linear
from kerata.quantizers.weights import EinsumLayout, Layout


class EinsumDense(QuantizableLayer):
    """A dense layer: `activation(einsum(equation, inputs, kernel) + bias)`.

    Args:
        equation: "ab,bc->ac" and the like: axes of the input, of the kernel, and of the output. An
            ellipsis stands for the axes that it begins or ends with.
        output_shape: the sizes of the output without the batch, None where the input's is kept.
        activation: a name or function; None for none.
        bias_axes: the output's axes that the bias has; None for no bias.
        kernel_initializer: of `kernel`.
        bias_initializer: of `bias`.
        kernel_regularizer: adds to `losses`.
        bias_regularizer: adds to `losses`.
        kernel_constraint: applied to `kernel` after each update.
        bias_constraint: applied to `bias` after each update.
        lora_rank: the rank of a product that is trained instead of `kernel`; see `enable_lora`.
        lora_alpha: the factor of that product, times `lora_rank`; None for `lora_rank`.
        quantization_config: how `quantize` quantizes; None for the mode's own configuration.

    Input and output: as `equation` says.

    >>> layer = EinsumDense("abc,cde->abde", output_shape=(None, 2, 8), bias_axes="de")
    >>> layer.compute_output_shape((None, 10, 16))
    (None, 10, 2, 8)
    """

    def __init__(
        self,
        equation: str,
        output_shape: int | Sequence[int | None],
        activation: Any = None,
        bias_axes: str | None = None,
        kernel_initializer: Any = "glorot_uniform",
        bias_initializer: Any = "zeros",
        kernel_regularizer: Any = None,
        bias_regularizer: Any = None,
        kernel_constraint: Any = None,
        bias_constraint: Any = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        quantization_config: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            lora_rank=lora_rank, lora_alpha=lora_alpha, quantization_config=quantization_config,
            **kwargs,
        )  # fmt: skip
        self._keep(locals())
        self.equation = str(equation).replace(" ", "")
        given = output_shape if isinstance(output_shape, (list, tuple)) else (output_shape,)
        self.partial_output_shape = tuple(
            None if s is None else positive(self, "output_shape", s) for s in given
        )
        self.activation = activations.get(activation)
        self.bias_axes = bias_axes

    def build(self, input_shape: Any) -> None:
        """Make kernel and bias."""
        terms = _terms(self.equation, len(input_shape))
        sizes = dict(zip(terms[0], input_shape, strict=True))
        given = self.partial_output_shape
        for letter, size in zip(terms[2][-len(given) :], given, strict=True):
            if size is not None and sizes.get(letter) not in (None, size):
                raise ValueError(
                    f"EinsumDense: output_shape {given} has {size} along {letter!r}, an axis that "
                    f"has {sizes[letter]} in the input {input_shape}"
                )
            sizes[letter] = sizes.get(letter) if size is None else size
        self._letters = terms
        self.kernel = self._weight("kernel", tuple(sizes[c] for c in terms[1]))
        self.bias: Any = None
        if self.bias_axes is not None:
            unknown = [c for c in self.bias_axes if c not in terms[2]]
            if unknown:
                raise ValueError(
                    f"EinsumDense: bias_axes must be axes of the output {terms[2]!r}; "
                    f"got {self.bias_axes!r}"
                )
            first = min(terms[2].index(c) for c in self.bias_axes)
            shape = tuple(sizes[c] if c in self.bias_axes else 1 for c in terms[2][first:])
            self.bias = self._weight("bias", shape)
        count = self._contracted = _trailing(*terms)
        own = None if self.bias is None else self.bias.shape
        self._fused = count > 0 and own == self.kernel.shape[count:]
        self._adapt()

    def call(self, inputs: Tensor) -> Tensor:
        """`activation(einsum(equation, inputs, kernel) + bias)`."""
        kernel, bias = self.kernel, self.bias
        if self._fused and isinstance(kernel, Variable):
            flat, bias = ops.reshape(bias.value, (-1,)), None
            x = self._merged(inputs, kernel.value, lambda x, kernel: linear(x, kernel, flat))
        elif self._contracted:
            x = self._product(self._merged, inputs)
        else:
            x = self._product(functools.partial(ops.einsum, self.equation), inputs, whole=True)
        if bias is not None:
            x = ops.add(x, bias.value)
        return x if self.activation is activations.linear else self.activation(x)

    def _merged(
        self, x: Tensor, kernel: Tensor, multiply: Callable[..., Tensor] = ops.matmul
    ) -> Tensor:
        """The einsum as one matrix product."""
        return _product(x, kernel, kernel.shape, self._contracted, multiply)

    def _layout(self, name: str, shape: tuple[int, ...]) -> Layout | None:
        return EinsumLayout(shape, *self._letters) if name == self.adapted else None


def _terms(equation: str, rank: int) -> tuple[str, str, str]:
    """The letters of input, kernel and output, an ellipsis spelled out in capitals.

    Raises:
        ValueError: the equation is no product of two tensors, or does not fit the input's rank.
    """
    left, arrow, output = equation.partition("->")
    inputs, comma, kernel = left.partition(",")
    if not arrow or not comma or "..." in kernel:
        raise ValueError(f"EinsumDense: equation must be like 'ab,bc->ac'; got {equation!r}")
    if "..." in inputs:
        letters = "ZYXWVUTSRQ"[: rank - len(inputs) + 3]
        inputs, output = inputs.replace("...", letters), output.replace("...", letters)
    unknown = [c for c in output if c not in inputs + kernel]
    if len(inputs) != rank or unknown:
        raise ValueError(f"EinsumDense: equation {equation!r} does not fit an input of {rank} axes")
    return inputs, kernel, output


def _trailing(inputs: str, kernel: str, output: str) -> int:
    """How many axes, the input's last and the kernel's first, are summed over; 0 if others are too.

    Such an einsum is one matrix product of tensors whose axes are merged.
    """
    for count in range(1, len(kernel)):
        if inputs[-count:] == kernel[:count] and output == inputs[:-count] + kernel[count:]:
            return count
    return 0


def _product(
    x: Tensor,
    kernel: Tensor,
    sizes: tuple[int, ...],
    count: int,
    multiply: Callable[..., Tensor],
) -> Tensor:
    """The sum over the last `count` axes of `x` and the first of `kernel`, as a matrix product."""
    if len(sizes) > 2:
        kernel = ops.reshape(kernel, (math.prod(sizes[:count]), math.prod(sizes[count:])))
    before = ops.shape(x)[:-count]
    if count > 1:
        x = ops.reshape(x, (*before, math.prod(sizes[:count])))
    y = multiply(x, kernel)
    return y if len(sizes) == count + 1 else ops.reshape(y, (*before, *sizes[count:]))
