"""Numbers as small integers and 8-bit floats, and back."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.backends import dtypes
from kerata.backends.registry import use_backend
from kerata.ops.dispatch import Tensor

FLOAT8_MAX = {"float8_e4m3fn": 448.0, "float8_e5m2": 57344.0}


def abs_max_quantize(
    inputs: Tensor,
    axis: Any,
    value_range: tuple[int, int] = (-127, 127),
    dtype: str = "int8",
    epsilon: float = 1e-07,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor]:
    """`(round(inputs * scale), scale)`, where `scale = value_range[1] / (max |inputs| + epsilon)`.

    Args:
        inputs: floats.
        axis: the axes that share a scale; None for all.
        value_range: the least and the largest integer.
        dtype: of the integers.
        epsilon: keeps the scale finite where all inputs are 0.
        to_numpy: compute on the host, for weights that would not fit twice on the device.

    Returns:
        The integers, of the inputs' shape, and the scale, with sizes of 1 along `axis`.

    >>> integers, scale = abs_max_quantize([[0.25, -1.0]], axis=-1)
    >>> integers.tolist(), round(scale.item())
    ([[32, -127]], 127)
    """
    if to_numpy:
        with use_backend("numpy"):
            found = abs_max_quantize(inputs, axis, value_range, dtype, epsilon)
        return ops.convert_to_tensor(found[0]), ops.convert_to_tensor(found[1])
    x = ops.convert_to_tensor(inputs)
    largest = ops.max(ops.abs(x), axis=axis, keepdims=True)
    scale = ops.divide(value_range[1], ops.add(largest, epsilon))
    return _rounded(ops.multiply(x, scale), value_range, dtype), scale


def abs_max_quantize_grouped_with_zero_point(
    inputs: Tensor,
    block_size: int,
    value_range: tuple[int, int] = (-8, 7),
    dtype: str = "int8",
    epsilon: float = 1e-07,
    to_numpy: bool = False,
) -> tuple[Tensor, Tensor, Tensor]:
    """A scale and a zero point for each `block_size` rows of each column.

    What stands for an input is `(integer - zero) * scale`. The range of a block is spread over
    `value_range`; a zero point outside of that is moved to its end.

    Args:
        inputs: `(rows, columns)`. A last block that is not full counts as if zeros followed.
        block_size: how many rows share a scale.
        value_range: the least and the largest integer.
        dtype: of the integers.
        epsilon: is added to the range of a block; one of equal values counts as 2 wide.
        to_numpy: compute on the host.

    Returns:
        The integers, `(rows, columns)`, and scale and zero point, `(blocks, columns)`.

    Raises:
        ValueError: `inputs` is no matrix, or `block_size` is less than 1.

    >>> integers, scale, zero = abs_max_quantize_grouped_with_zero_point([[-1.0], [2.0]], 2)
    >>> integers.tolist(), round(scale.item(), 3), zero.item()
    ([[-8], [7]], 0.2, -3)
    """
    if to_numpy:
        with use_backend("numpy"):
            found = abs_max_quantize_grouped_with_zero_point(
                inputs, block_size, value_range, dtype, epsilon
            )
        return tuple(map(ops.convert_to_tensor, found))
    x = ops.convert_to_tensor(inputs)
    if len(x.shape) != 2 or block_size < 1:
        raise ValueError(
            "abs_max_quantize_grouped_with_zero_point: inputs must be a matrix and block_size 1 or "
            f"more; got the shape {tuple(x.shape)} and block_size={block_size!r}"
        )
    low, high = value_range
    rows, columns = x.shape
    padded = ops.pad(x, ((0, -rows % block_size), (0, 0)))
    blocks = ops.reshape(padded, (-1, block_size, columns))
    least, most = ops.min(blocks, 1, keepdims=True), ops.max(blocks, 1, keepdims=True)
    narrow = ops.equal(most, least)
    least, most = ops.where(narrow, least - 1.0, least), ops.where(narrow, most + 1.0, most)
    scale = ops.divide(ops.add(ops.subtract(most, least), epsilon), high - low)
    zero = _rounded(ops.subtract(low, ops.divide(least, scale)), value_range, x.dtype)
    integers = _rounded(ops.add(ops.round(ops.divide(blocks, scale)), zero), value_range, dtype)
    integers = ops.reshape(integers, (-1, columns))[:rows]
    return integers, ops.squeeze(scale, 1), ops.cast(ops.squeeze(zero, 1), dtype)


def _rounded(x: Tensor, value_range: tuple[int, int], dtype: Any) -> Tensor:
    return ops.cast(ops.clip(ops.round(x), *value_range), dtype)


def pack_int4(
    arr: Tensor, axis: int = 0, dtype: str = "int8"
) -> tuple[Tensor, tuple[int, ...], int]:
    """Two 4-bit integers in a byte: of each two along `axis`, the first in the low half.

    Args:
        arr: integers of `dtype`, from -8 to 7 (or 0 to 15).
        axis: where 0 follows the last if their number is odd.
        dtype: "int8" or "uint8".

    Returns:
        The bytes, their shape, and the size of `axis` before.

    Raises:
        ValueError: `dtype` is another.
        TypeError: `arr` is of another dtype.

    >>> pack_int4(ops.convert_to_tensor([-3, 7, 2], "int8"))[0].tolist()
    [125, 2]
    """
    x = _of_bytes("pack_int4", arr, dtype)
    axis %= len(x.shape)
    size = x.shape[axis]
    x = ops.pad(x, [(0, size % 2 if i == axis else 0) for i in range(len(x.shape))])
    pairs = ops.reshape(x, (*x.shape[:axis], x.shape[axis] // 2, 2, *x.shape[axis + 1 :]))
    low, high = (ops.take(pairs, i, axis=axis + 1) for i in (0, 1))
    packed = ops.bitwise_or(ops.bitwise_and(low, 15), ops.left_shift(high, 4))
    return packed, tuple(packed.shape), size


def unpack_int4(packed: Tensor, orig_len: int, axis: int = 0, dtype: str = "int8") -> Tensor:
    """What `pack_int4` packed.

    Args:
        packed: the bytes.
        orig_len: the size of `axis` before.
        axis: that of `pack_int4`.
        dtype: "int8" or "uint8".

    Raises:
        ValueError: `dtype` is another.
        TypeError: `packed` is of another dtype.

    >>> unpack_int4(ops.convert_to_tensor([125, 2], "int8"), 3).tolist()
    [-3, 7, 2]
    """
    x = _of_bytes("unpack_int4", packed, dtype)
    axis %= len(x.shape)
    # The shift to the right repeats the sign, which unsigned bytes do not have.
    halves = ops.right_shift(ops.left_shift(x, 4), 4), ops.right_shift(x, 4)
    sizes = list(ops.shape(x))
    sizes[axis] *= 2
    found = ops.reshape(ops.stack(halves, axis + 1), tuple(sizes))
    if orig_len == sizes[axis]:
        return found
    return ops.take(found, ops.arange(orig_len), axis=axis)


def _of_bytes(name: str, x: Any, dtype: str) -> Tensor:
    if dtype not in ("int8", "uint8"):
        raise ValueError(f"{name}: dtype must be 'int8' or 'uint8'; got {dtype!r}")
    x = ops.convert_to_tensor(x)
    found = dtypes.standardize_dtype(x.dtype)
    if found != dtype:
        raise TypeError(f"{name}: a tensor of {dtype} is needed; got one of {found}")
    return x


def fake_quant_with_min_max_vars(
    inputs: Tensor,
    min_vals: Tensor,
    max_vals: Tensor,
    num_bits: int = 8,
    narrow_range: bool = False,
    axis: int | None = None,
) -> Tensor:
    """`inputs` rounded to `2 ** num_bits` numbers from `min_vals` to `max_vals`, as floats.

    The range is moved a little for 0 to be among the numbers. The gradient with respect to the
    inputs is that of clipping; what is clipped counts for the bound that clips it.

    Args:
        inputs: floats.
        min_vals: the least number: a scalar, or one for each index along `axis`.
        max_vals: the largest.
        num_bits: at least 2.
        narrow_range: whether one number fewer is used, the same many on both sides of 0.
        axis: the axis of the channels; None where all have one range.

    Raises:
        ValueError: `num_bits` is less than 2.

    >>> fake_quant_with_min_max_vars([0.0, 0.4, 2.0], 0.0, 1.0, num_bits=2).tolist()
    [0.0, 0.3333333432674408, 1.0]
    """
    if num_bits < 2:
        raise ValueError(
            f"fake_quant_with_min_max_vars: num_bits must be 2 or more; got {num_bits}"
        )
    x = ops.convert_to_tensor(inputs)
    low, high = ops.cast(min_vals, x.dtype), ops.cast(max_vals, x.dtype)
    if axis is not None:
        shape = [1] * len(x.shape)
        shape[axis] = -1
        low, high = ops.reshape(low, shape), ops.reshape(high, shape)
    first, last = (1 if narrow_range else 0), 2**num_bits - 1

    @ops.custom_gradient
    def rounded(x: Tensor, low: Tensor, high: Tensor) -> Any:
        scale = (high - low) / (last - first)
        zero = ops.round(ops.clip(first - low / scale, first, last))
        least, most = (first - zero) * scale, (last - zero) * scale
        steps = ops.floor((ops.clip(x, least, most) - least) / scale + 0.5)
        below, above = ops.less(x, least), ops.greater(x, most)

        def gradient(upstream: Tensor) -> tuple[Tensor, Tensor, Tensor]:
            inside = ops.where(ops.logical_or(below, above), 0.0, upstream)
            return inside, _total(upstream, below, low), _total(upstream, above, high)

        return steps * scale + least, gradient

    return rounded(x, low, high)


def _total(upstream: Tensor, where: Tensor, bound: Tensor) -> Tensor:
    """The sum of `upstream` over what has this bound in common."""
    kept = ops.where(where, upstream, 0.0)
    if not bound.shape:
        return ops.sum(kept)
    axes = [i for i, size in enumerate(bound.shape) if size == 1]
    return ops.sum(kept, axes, keepdims=True)


def compute_float8_scale(amax: Tensor, scale: Tensor, dtype_max: float, margin: int = 0) -> Tensor:
    """`amax / dtype_max * 2 ** margin`: what the largest value is divided by to fit.

    Args:
        amax: the largest value.
        scale: kept where `amax` is 0, or not finite.
        dtype_max: the largest number of the dtype.
        margin: how many bits are left free.
    """
    amax, scale = ops.convert_to_tensor(amax), ops.convert_to_tensor(scale)
    usable = ops.logical_and(ops.greater(amax, 0.0), ops.isfinite(amax))
    return ops.where(usable, ops.divide(amax, dtype_max) * 2.0**margin, scale)


def compute_float8_amax_history(x: Tensor, amax_history: Tensor) -> Tensor:
    """The history moved on by one, with the largest absolute value of `x` at its beginning."""
    history = ops.convert_to_tensor(amax_history)
    newest = ops.cast(ops.max(ops.abs(x)), history.dtype)
    older = [] if history.shape[0] == 1 else [history[2:], history[:1]]
    return ops.concatenate([ops.reshape(newest, (1,)), *older])


def quantize_and_dequantize(
    inputs: Tensor, scale: Tensor, quantized_dtype: str, compute_dtype: str
) -> Tensor:
    """`inputs` with the precision of an 8-bit float, in `compute_dtype`.

    Args:
        inputs: floats.
        scale: what they are divided by to fit.
        quantized_dtype: "float8_e4m3fn" or "float8_e5m2".
        compute_dtype: of the result.
    """
    name = dtypes.standardize_dtype(quantized_dtype)
    x = ops.divide(ops.cast(inputs, compute_dtype), ops.cast(scale, compute_dtype))
    x = ops.clip(x, -FLOAT8_MAX[name], FLOAT8_MAX[name])
    x = ops.cast(ops.cast(x, name), compute_dtype)
    return ops.multiply(x, ops.cast(scale, compute_dtype))
