"""Numbers as small integers and 8-bit floats: against Keras, on every backend."""

import numpy as np
import pytest

import kerata
from kerata import ops, quantizers

rng = np.random.default_rng(0)
X = rng.normal(size=(5, 6)).astype("float32")
Q = {
    "integers": ("abs_max_quantize", (X, 0), {}),
    "rows": ("abs_max_quantize", (X, -1), {"value_range": (-7, 7), "epsilon": 0.01}),
    "all": ("abs_max_quantize", (X, None), {}),
    "bytes": ("abs_max_quantize", (X, 0), {"value_range": (0, 255), "dtype": "uint8"}),
    "zeros": ("abs_max_quantize", (X * 0, 0), {"to_numpy": True}),
    "blocks": ("abs_max_quantize_grouped_with_zero_point", (X, 2), {}),
    "block": ("abs_max_quantize_grouped_with_zero_point", (X + 3, 8), {"to_numpy": True}),
    "flat": ("abs_max_quantize_grouped_with_zero_point", (X * 0 + 3, 3), {}),
    "rounded": ("quantize_and_dequantize", (X * 3, np.float32(0.5), "float8_e4m3fn", "float32"), {}),
    "clipped": ("quantize_and_dequantize", (X * 1e9, np.float32(2), "float8_e5m2", "float32"), {}),
    "scale": ("compute_float8_scale", (np.float32(2), np.float32(1), 448.0), {"margin": 1}),
    "no scale": ("compute_float8_scale", (np.float32(0), np.float32(3), 448.0), {}),
    "inf": ("compute_float8_scale", (np.float32(np.inf), np.float32(3), 448.0), {}),
    "history": ("compute_float8_amax_history", (X, np.arange(4, dtype="float32")), {}),
    "short": ("compute_float8_amax_history", (X, np.arange(2, dtype="float32")), {}),
    "last": ("compute_float8_amax_history", (X, np.ones(1, "float32")), {}),
    "fake": ("fake_quant_with_min_max_vars", (X, -0.9, 1.3), {"num_bits": 4}),
    "narrow": ("fake_quant_with_min_max_vars", (X, -0.9, 1.3), {"narrow_range": True}),
    "above": ("fake_quant_with_min_max_vars", (X, 0.1, 1.3), {"num_bits": 3}),
    "channels": (
        "fake_quant_with_min_max_vars",
        (X, -np.linspace(0.5, 1, 6).astype("float32"), np.linspace(0.1, 1, 6).astype("float32")),
        {"num_bits": 4, "axis": 1},
    ),
}  # fmt: skip


@pytest.mark.oracle
@pytest.mark.parametrize("name", Q)
def test_equals_keras(name, backend, keras):
    function, args, options = Q[name]
    expected = getattr(keras.quantizers, function)(*args, **options)
    found = getattr(quantizers, function)(*args, **options)
    if not isinstance(expected, tuple):
        expected, found = (expected,), (found,)
    for a, b in zip(found, expected, strict=True):
        a, b = ops.convert_to_numpy(a), np.asarray(b)
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.mark.oracle
@pytest.mark.parametrize(("dtype", "axis"), [("int8", 0), ("int8", 1), ("int8", -2), ("uint8", 1)])
def test_packing(dtype, axis, backend, keras):
    x = rng.integers(*((-8, 8) if dtype == "int8" else (0, 16)), (3, 5, 2)).astype(dtype)
    packed, shape, size = quantizers.pack_int4(x, axis, dtype)
    expected = keras.quantizers.pack_int4(x, axis, dtype)
    np.testing.assert_array_equal(ops.convert_to_numpy(packed), np.asarray(expected[0]))
    assert (shape, size) == expected[1:] == (tuple(packed.shape), x.shape[axis])
    again = quantizers.unpack_int4(packed, size, axis, dtype)
    np.testing.assert_array_equal(ops.convert_to_numpy(again), x)


def test_integers_are_within_half_a_step(backend):
    integers, scale = quantizers.abs_max_quantize(X, axis=0)
    gap = ops.convert_to_numpy(integers) - X * ops.convert_to_numpy(scale)
    assert np.abs(gap).max() <= 0.5001


def test_gradients_of_fake_quantization(training_backend):
    """Inside the range they pass; what is clipped counts for its bound."""
    x, low, high = (kerata.Variable(np.float32(v)) for v in (X, np.full(6, -0.5), np.full(6, 0.5)))
    weight = np.arange(30, dtype="float32").reshape(5, 6)

    def loss():
        y = quantizers.fake_quant_with_min_max_vars(x, low, high, num_bits=4, axis=1)
        return ops.sum(y * ops.convert_to_tensor(weight))

    found = [ops.convert_to_numpy(g) for g in kerata.grad(loss, [x, low, high])()]
    least, most = -8 / 15, 7 / 15  # 0 is one of the numbers
    below, above = np.less(X, least), np.greater(X, most)
    np.testing.assert_allclose(found[0], np.where(below | above, 0, weight))
    np.testing.assert_allclose(found[1], (weight * below).sum(0))
    np.testing.assert_allclose(found[2], (weight * above).sum(0))


REFUSED = {
    "block_size 1 or more; got the shape": lambda q: q.abs_max_quantize_grouped_with_zero_point(X, 0),
    "num_bits must be 2 or more; got 1": lambda q: q.fake_quant_with_min_max_vars(X, 0, 1, num_bits=1),
    "dtype must be 'int8' or 'uint8'; got 'int32'": lambda q: q.pack_int4(X, dtype="int32"),
    "a tensor of int8 is needed; got one of float32": lambda q: q.unpack_int4(X, 5),
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_refusals(message):
    with pytest.raises((ValueError, TypeError), match=message):
        REFUSED[message](quantizers)
