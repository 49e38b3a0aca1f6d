"""Weights kept in 8 or 4 bits, or multiplied in 8-bit floats, in place of the layer's own."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np

from kerata import ops
from kerata.backends.registry import use_backend
from kerata.backends.sparse import Sparse
from kerata.backends.state import state
from kerata.core.stand_in import StandIn
from kerata.core.variable import Variable
from kerata.ops.dispatch import Tensor
from kerata.ops.products import int8_matmul
from kerata.quantizers.configs import QuantizationConfig
from kerata.quantizers.functions import (
    abs_max_quantize_grouped_with_zero_point,
    compute_float8_amax_history,
    compute_float8_scale,
    pack_int4,
    quantize_and_dequantize,
    unpack_int4,
)
from kerata.quantizers.quantizer import AbsMaxQuantizer


class Layout:
    """How a weight is kept as a matrix; here it is one.

    Args:
        shape: of the weight.
        axis: that of the matrix which products sum over, -2 or -1 (a table of vectors).
        packed: that along which two numbers of 4 bits share a byte.
        zero: the dtype of zero points.

    Attributes:
        inputs: the axes of inputs that products sum over.
        matrix_shape: of the matrix.
        scale_shape: of the scale of each column, beside weights of 8 bits.
    """

    inputs: tuple[int, ...] = (-1,)

    def __init__(
        self, shape: tuple[int, ...], axis: int = -2, packed: int = -1, zero: str = "int8"
    ) -> None:
        self.shape, self.axis, self.packed, self.zero = shape, axis, packed, zero
        self.matrix_shape: tuple[int, ...] = shape
        self.scale_shape: tuple[int, ...] = (shape[-3 - axis],)

    @property
    def summed(self) -> int:
        """How many numbers each product sums."""
        return self.matrix_shape[self.axis]

    def flatten(self) -> None:
        """Make the matrix by reshaping alone, as files have it beside weights of 4 bits."""

    def matrix(self, weight: Tensor) -> Tensor:
        """The weight as a matrix."""
        return weight

    def whole(self, matrix: Tensor) -> Tensor:
        """The matrix in the weight's shape."""
        return matrix

    def columns(self, scale: Tensor) -> Tensor:
        """A scale of `scale_shape` as one for each column."""
        return scale

    def spread(self, scale: Tensor) -> Tensor:
        """A scale for each column in `scale_shape`."""
        return scale


class EinsumLayout(Layout):
    """That of a weight in an einsum: its axes that are summed over are the matrix' rows.

    Args:
        shape: of the weight.
        inputs: the letters of the inputs' axes.
        weight: those of the weight's.
        output: those of the output's, in whose order and rank scales are kept.
    """

    def __init__(self, shape: tuple[int, ...], inputs: str, weight: str, output: str) -> None:
        rows = [c for c in weight if c not in output]
        columns = [c for c in weight if c in output]
        sizes = dict(zip(weight, shape, strict=True))
        counted = [math.prod(sizes[c] for c in letters) for letters in (rows, columns)]
        super().__init__((counted[0], counted[1]))
        self.shape = shape
        self.inputs = tuple(i for i, c in enumerate(inputs) if c in rows)
        self.scale_shape = tuple(sizes.get(c, 1) for c in output)
        self._order = [weight.index(c) for c in (*rows, *columns)]
        ordered = [c for c in output if c in columns]
        self._places = [columns.index(c) for c in ordered]
        self._kept = [sizes[c] for c in ordered]

    def flatten(self) -> None:
        self._order = list(range(len(self.shape)))

    def matrix(self, weight: Tensor) -> Tensor:
        return ops.reshape(ops.transpose(weight, self._order), self.matrix_shape)

    def whole(self, matrix: Tensor) -> Tensor:
        shape = [self.shape[i] for i in self._order]
        return ops.transpose(ops.reshape(matrix, shape), np.argsort(self._order).tolist())

    def columns(self, scale: Tensor) -> Tensor:
        back = np.argsort(self._places).tolist()
        return ops.reshape(ops.transpose(ops.reshape(scale, self._kept), back), (-1,))

    def spread(self, scale: Tensor) -> Tensor:
        sizes = [self._kept[i] for i in np.argsort(self._places)]
        return ops.reshape(ops.transpose(ops.reshape(scale, sizes), self._places), self.scale_shape)


def product(x: Tensor, y: Tensor, multiply: Callable[..., Tensor] = ops.matmul) -> Tensor:
    """The matrix product, by `multiply`."""
    return multiply(x, y)


class QuantizedWeight(StandIn):
    """A weight in 8 bits (`weight = values / scale`) or 4 (blocks: `(values - zero) * scale`).

    Args:
        layer: gets the variables, as attributes too.
        name: of the weight.
        layout: of the weight.
        block: how many numbers of 4 bits share a scale and a zero point; None for whole columns,
            without zero points; 0 for 8 bits.
        config: says which quantizers are used.
        groups: the variable with each row's block, if another weight of the layer has it.

    Attributes:
        variables: those that it keeps, in the order of files.
    """

    def __init__(
        self,
        layer: Any,
        name: str,
        layout: Layout,
        block: int | None,
        config: QuantizationConfig,
        groups: Variable | None = None,
    ) -> None:
        self.layout, self.block = layout, block
        self.weight_quantizer = config.weight_quantizer or AbsMaxQuantizer(
            value_range=(-8, 7) if block != 0 else (-127, 127)
        )
        self.activation_quantizer = None if block else config.activation_quantizer
        self.shape, self.dtype = layout.shape, layer.variable_dtype
        axis, matrix = layout.axis, list(layout.matrix_shape)
        if block == 0:
            values, scale = layout.shape, layout.scale_shape
        else:
            layout.flatten()
            scale = (matrix[-3 - axis],)
            if block:
                blocked = list(matrix)
                blocked[axis] = -(-matrix[axis] // block)
                scale = tuple(blocked)
            matrix[layout.packed] = -(-matrix[layout.packed] // 2)
            values = tuple(matrix)

        def add(suffix: str, shape: tuple[int, ...], first: Any, dtype: Any = None) -> Variable:
            # A weight's own variable has its name, the others are attributes beside it.
            found: Variable = layer.add_weight(
                shape, first, dtype, trainable=False, autocast=False, name=suffix or name
            )
            setattr(layer, suffix or f"_{name}", found)
            return found

        self.values = add("", values, "zeros", "int8")
        self.scale = add(f"{name}_scale", scale, "ones")
        self.variables = [self.values, self.scale]
        self.zero: Variable | None = None
        if block:
            self.zero = add(f"{name}_zero", scale, "zeros", layout.zero)
            self.variables.append(self.zero)
            if groups is None:
                blocks = np.arange(layout.summed) // block
                groups = add("g_idx", blocks.shape, blocks, "float32")
                self.variables.append(groups)
            self.groups = groups
        self.name, self.path = self.values.name, self.values.path
        self._autocast = True

    @property
    def value(self) -> Tensor:
        """The weight as floats, in the compute dtype."""
        layout, values, scale = self.layout, self.values.value, self.scale.value
        if self.block == 0:
            values, scale = layout.matrix(values), layout.columns(scale)
        floats = self._floats(values, scale, None if self.zero is None else self.zero.value)
        whole = layout.whole(floats)
        return whole if self._table or not state.autocast else ops.cast(whole, state.autocast)

    @property
    def _table(self) -> bool:
        return self.layout.axis == -1

    def _floats(self, values: Tensor, scale: Tensor, zero: Tensor | None) -> Tensor:
        """What `values` of a matrix, or of rows of a table, stand for."""
        axis = self.layout.axis
        if self.block != 0:
            packed = self.layout.packed
            values = unpack_int4(values, self.layout.matrix_shape[packed], packed)
        dtype = self.scale.stored_dtype
        if zero is None:
            return ops.divide(ops.cast(values, dtype), ops.expand_dims(scale, axis))
        size, block = self.layout.summed, self.block or 1
        shape = ops.shape(values)
        if size % block == 0:
            place = len(shape) + axis
            split = (*shape[:place], size // block, block, *shape[place + 1 :])
            values = ops.reshape(values, split)
            scale, zero = ops.expand_dims(scale, axis), ops.expand_dims(zero, axis)
        else:
            groups = ops.cast(self.groups.value, "int32")
            scale, zero = ops.take(scale, groups, axis), ops.take(zero, groups, axis)
        integers = ops.subtract(values, ops.cast(zero, "int8"))
        return ops.reshape(ops.multiply(ops.cast(integers, dtype), scale), shape)

    def of(self, product: Callable[..., Tensor], inputs: Any, whole: bool = False) -> Tensor:
        """`product(inputs, weight)`; matrix products of 8 bits are those of integers."""
        if self._table:
            zero = None if self.zero is None else product(inputs, self.zero.value)
            rows = product(inputs, self.values.value)
            return self._floats(rows, product(inputs, self.scale.value), zero)
        if self.activation_quantizer is None or inputs.__class__ is Sparse:
            return product(inputs, self.value)
        if whole or self.block != 0:
            return product(self._rounded(inputs), self.value)
        scale = self.layout.columns(self.scale.value)
        return product(inputs, self.values.value, functools.partial(self.integers, scale))

    def turned(self, inputs: Tensor) -> Tensor:
        """`inputs · transpose(weight)`, of a table."""
        if self.activation_quantizer is None or self.block != 0:
            inputs = inputs if self.activation_quantizer is None else self._rounded(inputs)
            return ops.matmul(inputs, ops.cast(ops.transpose(self.value), inputs.dtype))
        return self.integers(self.scale.value, inputs, ops.transpose(self.values.value))

    def integers(self, scale: Tensor, inputs: Tensor, values: Tensor) -> Tensor:
        """`inputs · (values / scale)`, the inputs made integers; the gradient is that of floats."""
        quantizer: Any = self.activation_quantizer

        @ops.custom_gradient
        def product(x: Tensor) -> Any:
            rows, row_scale = quantizer(x, axis=-1)
            y = ops.divide(int8_matmul(rows, values), ops.multiply(row_scale, scale))

            def gradient(upstream: Tensor) -> Tensor:
                weight = ops.divide(ops.cast(values, scale.dtype), scale)
                return ops.matmul(upstream, ops.cast(ops.transpose(weight), upstream.dtype))

            return ops.cast(y, x.dtype), gradient

        return product(inputs)

    def _rounded(self, inputs: Tensor) -> Tensor:
        """Inputs as quantized ones stand for them, their gradient passed on as it is."""
        quantizer: Any = self.activation_quantizer
        integers, scale = quantizer(ops.stop_gradient(inputs), axis=self.layout.inputs)
        floats = ops.cast(ops.divide(ops.cast(integers, scale.dtype), scale), inputs.dtype)
        return ops.add(inputs, ops.stop_gradient(ops.subtract(floats, inputs)))

    def kept(self, value: np.ndarray) -> dict[Variable, np.ndarray]:
        """Integers, scale and zero point for this weight."""
        layout, axis = self.layout, self.layout.axis
        with use_backend("numpy"):
            matrix = layout.matrix(ops.convert_to_tensor(value))
            if self.block:
                turned = ops.transpose(matrix) if axis == -1 else matrix
                found = abs_max_quantize_grouped_with_zero_point(turned, self.block)
                values, scale, zero = map(ops.transpose, found) if axis == -1 else found
            else:
                values, scale = self.weight_quantizer(matrix, axis=axis)
                scale, zero = ops.squeeze(scale, axis), None
            if self.block == 0:
                values, scale = layout.whole(values), layout.spread(scale)
            else:
                values = pack_int4(values, layout.packed)[0]
        held = {self.values: np.asarray(values), self.scale: np.asarray(scale)}
        return held if self.zero is None else {**held, self.zero: np.asarray(zero)}


class Float8Weight(StandIn):
    """A weight whose products, and their gradients, are of 8-bit floats.

    Each step divides by the largest values of the steps before. What it divides by, and these
    values, are kept in variables whose "gradient" is their next value.

    Args:
        layer: gets the variables, as attributes too.
        name: of the weight.
        history: how many steps the largest values are taken over.
        weight: makes (or is) the weight's variable.
    """

    def __init__(self, layer: Any, name: str, history: int, weight: Callable[[], Variable]) -> None:
        self.states = {}
        for of in ("inputs", name, "outputs_grad"):
            made = []
            for what, shape, first in (
                ("scale", (), "ones"),
                ("amax_history", (history,), "zeros"),
            ):
                made.append(
                    layer.add_weight(
                        shape, first, "float32", autocast=False, overwrite_with_gradient=True,
                        name=f"{of}_{what}",
                    )
                )  # fmt: skip
                setattr(layer, f"{of}_{what}", made[-1])
            self.states[of] = tuple(made)
        self.weight = weight()
        self.variables = [self.weight, *(v for pair in self.states.values() for v in pair)]
        self.shape, self.dtype = self.weight.shape, self.weight.stored_dtype
        self.name, self.path = self.weight.name, self.weight.path
        self._autocast = self.weight._autocast

    @property
    def value(self) -> Tensor:
        """The weight."""
        return self.weight.value

    @property
    def trainable(self) -> bool:
        """Whether the weight is trained."""
        return self.weight.trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self.weight.trainable = value

    def of(self, product: Callable[..., Tensor], inputs: Any, whole: bool = False) -> Tensor:
        """`product(inputs, weight)` of 8-bit floats."""
        first, second, gradient = self.states.values()
        if inputs.__class__ is not Sparse:
            inputs = _in_float8(inputs, *(v.value for v in first))
        y = product(inputs, _in_float8(self.weight.value, *(v.value for v in second)))
        return _gradient_in_float8(y, *(v.value for v in gradient))

    def kept(self, value: np.ndarray) -> dict[Variable, np.ndarray]:
        """The weight."""
        return {self.weight: value}


def _next_scale(history: Tensor, scale: Tensor, dtype_max: float) -> Tensor:
    return compute_float8_scale(ops.max(history), scale, dtype_max)


@ops.custom_gradient
def _in_float8(x: Tensor, scale: Tensor, history: Tensor) -> Any:
    """`x` with the precision of a factor in 8 bits."""
    new = _next_scale(history, scale, 448.0)

    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return upstream, new, compute_float8_amax_history(x, history)

    return quantize_and_dequantize(x, scale, "float8_e4m3fn", x.dtype), gradient


@ops.custom_gradient
def _gradient_in_float8(y: Tensor, scale: Tensor, history: Tensor) -> Any:
    """`y`, its gradient with the precision of 8 bits."""

    def gradient(upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        new = _next_scale(history, scale, 57344.0)
        rounded = quantize_and_dequantize(upstream, scale, "float8_e5m2", upstream.dtype)
        return rounded, new, compute_float8_amax_history(upstream, history)

    return y, gradient


def block_of(policy: Any) -> int | None:
    """What `QuantizedWeight` takes as `block` under this policy."""
    size: int = 0 if policy.quantization_mode == "int8" else getattr(policy, "block_size", -1)
    return None if size == -1 else size
