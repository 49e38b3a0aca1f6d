"""What constructors and calls refuse, and what they say: argument, value, expectation."""

import numpy as np
import pytest

from kerata import layers as L
from kerata.backends.registry import use_backend


def x(*shape):
    return np.ones(shape, "float32")


ARGUMENTS = [
    (lambda: L.Dense(0), "Dense: units must be a positive integer; got 0"),
    (lambda: L.Dense(2.5), "units must be a positive integer; got 2.5"),
    (lambda: L.Dense(True), "units must be a positive integer; got True"),
    (
        lambda: L.Dense(3, kernel_initializer="glorot"),
        "kernel_initializer: Unknown initializer 'gl",
    ),
    (lambda: L.Conv2D(3, 3, bias_regularizer="l3"), "Conv2D: bias_regularizer: Unknown regular"),
    (lambda: L.ELU("a"), "ELU: alpha must be a number; got 'a'"),
    (lambda: L.ReLU("a"), "ReLU: max_value must be a number of 0 or more; got 'a'"),
    (lambda: L.Masking("a"), "Masking: mask_value must be a number; got 'a'"),
    (lambda: L.Dropout(0.5, noise_shape=3), "Dropout: noise_shape must be a sequence of sizes.* 3"),
    (lambda: L.Dropout(0.5, noise_shape=(1, 0)), "noise_shape must be a positive integer; got 0"),
    (lambda: L.BatchNormalization(momentum=2.0), "momentum must be a number from 0 to 1; got 2.0"),
    (lambda: L.BatchNormalization(epsilon=-1), "epsilon must be a number of 0 or more; got -1"),
    (lambda: L.BatchNormalization(renorm_clipping=3), "renorm_clipping takes the keys .*; got 3"),
    (
        lambda: L.LayerNormalization(epsilon="a"),
        "LayerNormalization: epsilon must be a number of 0",
    ),
    (lambda: L.GroupNormalization(axis="a"), "GroupNormalization: axis must be an int; got 'a'"),
    (lambda: L.Concatenate("a"), "Concatenate: axis must be an int; got 'a'"),
    (lambda: L.Softmax("a"), "Softmax: axis must be an int or several; got 'a'"),
    (lambda: L.EinsumDense(3, 3)(x(2, 3)), "equation must be like 'ab,bc->ac'; got '3'"),
    (lambda: L.EinsumDense("ab,bc->ac", "a"), "output_shape must be a positive integer; got 'a'"),
    (
        lambda: L.EinsumDense("abc,cd->abd", (9, 5))(x(2, 3, 4)),
        r"output_shape \(9, 5\) has 9 along 'b', an axis that has 3 in the input \(2, 3, 4\)",
    ),
    (lambda: L.Reshape("ab"), "Reshape: target_shape must hold sizes.*; got 'ab'"),
    (lambda: L.Reshape(None), "Reshape: target_shape must hold sizes.*; got None"),
    (lambda: L.EinsumDense("ab->b", 3)(x(2, 3)), "must be like 'ab,bc->ac'; got 'ab->b'"),
    (lambda: L.EinsumDense("abc,cd->abd", 3)(x(2, 3)), "does not fit an input of 2 axes"),
    (lambda: L.EinsumDense("ab,bc->ac", 3, bias_axes="x")(x(2, 3)), "bias_axes must be axes of"),
    (lambda: L.Embedding(0, 2), "Embedding: input_dim must be a positive integer; got 0"),
    (lambda: L.Embedding(3, "x"), "Embedding: output_dim must be a positive integer; got 'x'"),
    (lambda: L.Input(), "give shape or batch_shape"),
    (lambda: L.Input(3), r"shape must be a tuple of sizes.*; got 3"),
    (lambda: L.Input((3, "x")), "shape must be a tuple of sizes"),
    (lambda: L.Input((3,), batch_shape=(2, 3)), "not both"),
    (lambda: L.Input(tensor=x(2)), "tensor must be a symbolic tensor; got ndarray"),
    (
        lambda: L.ReLU(negative_slope=-1),
        "ReLU: negative_slope must be a number of 0 or more; got -1",
    ),
    (lambda: L.Dropout(1.5), "Dropout: rate must be a number from 0 to 1; got 1.5"),
    (lambda: L.Reshape((-1, -1)), r"-1 \(or None\) at most once; got \(-1, -1\)"),
    (lambda: L.Conv2D(0, 3), "Conv2D: filters must be a positive integer; got 0"),
    (lambda: L.Conv2D(3, (3, 3, 3)), r"kernel_size must be one positive integer or 2 of them; got"),
    (lambda: L.Conv2D(3, 3, strides=0), "strides must be a positive integer; got 0"),
    (lambda: L.Conv2D(3, 3, padding="causal"), "padding must be one of 'valid', 'same'; got"),
    (lambda: L.Conv2D(3, 3, data_format="NHWC"), "data_format must be .*; got 'NHWC'"),
    (lambda: L.Conv2D(3, 3, groups=2), "filters must be a multiple of groups; got 3 filters in 2"),
    (lambda: L.Conv2D(3, 3, strides=2, dilation_rate=2), "can't both be more than 1"),
    (
        lambda: L.Conv2D(4, 2, groups=2)(x(1, 5, 5, 3)),
        "channels must be a multiple of",
    ),
    (lambda: L.MaxPooling2D((2, 2, 2)), "pool_size must be one positive integer or 2 of them"),
    (lambda: L.BatchNormalization(axis=[1]), r"axis must be an int; got \[1\]"),
    (
        lambda: L.BatchNormalization(axis=5)(x(2, 3)),
        r"axis \[5\] is out of range for an",
    ),
    (lambda: L.LayerNormalization(axis=5)(x(2, 3)), r"axis \[5\] is out of range"),
    (lambda: L.MaxPooling3D(2, padding="full"), "padding must be one of 'valid', 'same'; got"),
    (lambda: L.AdaptiveMaxPooling2D((2, None)), "output_size must be a positive integer; got None"),
    (lambda: L.Cropping1D((1, 2, 3)), r"Cropping1D: cropping must be an int .*; got \(1, 2, 3\)"),
    (lambda: L.ZeroPadding2D(-1), "ZeroPadding2D: padding must be an int of 0 or more .*; got -1"),
    (lambda: L.ZeroPadding3D((1, 2)), r"or 3 of these; got \(1, 2\)"),
    (lambda: L.UpSampling1D(0), "UpSampling1D: size must be a positive integer; got 0"),
    (lambda: L.UpSampling2D(2, interpolation="area"), "interpolation must be one of 'nearest'"),
    (lambda: L.Permute((1, 3)), r"Permute: dims must have each of the axes .*; got \(1, 3\)"),
    (lambda: L.RepeatVector(2.0), "RepeatVector: n must be a positive integer; got 2.0"),
    (
        lambda: L.LeakyReLU(None),
        "LeakyReLU: negative_slope must be a number of 0 or more; got None",
    ),
    (lambda: L.PReLU(shared_axes=[3])(x(2, 3)), r"shared_axes must be axes from 1 to 1 .*\[3\]"),
    (lambda: L.PReLU()(L.Input((None, 3))), r"alpha would have the shape \(None, 3\)"),
    (lambda: L.GaussianNoise(-1), "GaussianNoise: stddev must be a number of 0 or more; got -1"),
    (lambda: L.GaussianDropout(1), "rate must be a number from 0 to less than 1; got 1"),
    (lambda: L.AlphaDropout(1.5), "AlphaDropout: rate must be a number from 0 to less than 1"),
    (lambda: L.Dot((1, 2, 3)), r"Dot: axes must be an int or two; got \(1, 2, 3\)"),
    (lambda: L.GroupNormalization(0), "groups must be a positive int or -1; got 0"),
    (lambda: L.GroupNormalization(5)(x(2, 6)), "the 5 groups must divide the 6 channels"),
    (lambda: L.RMSNormalization(3)(x(2, 6)), r"RMSNormalization: axis \[3\] is out of range"),
    (lambda: L.UnitNormalization("a"), "UnitNormalization: axis must be an int or several; got"),
    (lambda: L.SpectralNormalization(L.Dense(3), 0), "power_iterations must be a positive"),
    (lambda: L.Conv1DTranspose(3, 2, 2, dilation_rate=2), "can't both be more than 1"),
    (lambda: L.Conv2DTranspose(3, 2, 2, output_padding=2), r"less than strides \(2, 2\); got 2"),
    (lambda: L.DepthwiseConv2D(3, depth_multiplier=0), "depth_multiplier must be a positive"),
    (lambda: L.SeparableConv1D(3, 2, padding="causal"), "padding must be one of 'valid', 'same'"),
    (lambda: L.LSTM(2, use_cudnn=3), "use_cudnn must be one of 'auto', True, False; got 3"),
    (lambda: L.LSTM(2, dropout=2), "LSTMCell: dropout must be a number from 0 to 1; got 2"),
    (lambda: L.LSTM(2, stateful=True)(L.Input((4, 3))), "stateful needs a known batch size"),
    (lambda: L.LSTM(2, unroll=True)(L.Input((None, 3))), "unroll needs a known length"),
    (lambda: L.RNN(3), "RNN: cell must have 'call'; got 3"),
    (lambda: L.MultiHeadAttention(2, 0), "key_dim must be a positive integer; got 0"),
    (lambda: L.MultiHeadAttention(2, 3, sliding_window=0), "sliding_window must be a positive"),
    (lambda: L.Pipeline([3]), "Pipeline: layers must be layers; got 3"),
    (lambda: L.Lambda("relu"), "Lambda: function must be callable; got 'relu'"),
    (lambda: L.Dense(3, unknown=1), "Dense: unknown argument.* 'unknown'"),
    (lambda: L.Dense(3, name="a/b"), "name must be a string without '/'"),
]
INPUTS = [
    (lambda: L.Dense(3)(x(3)), "expected at least 2 axes, found 1"),
    (lambda: L.Dense(3)(L.Input((None,))), r"kernel would have the shape \(None, 3\)"),
    (lambda: L.Dense(3)([[1.0, 2.0]]), r"takes tensors \(or arrays\); got"),
    (lambda: L.Dense(3)(), r"expects 1 input\(s\), and got 0"),
    (
        lambda: L.Reshape((5, 2))(L.Input((3, 4))),
        r"hold 12 elements for .*\(None, 3, 4\); got \(5, 2",
    ),
    (lambda: L.Reshape((5, -1))(x(2, 3, 4)), "target_shape must hold 12 elements"),
    (lambda: L.Conv2D(3, 3)(x(5, 5, 3)), "expected 4 axes, found 3"),
    (lambda: L.LSTM(3)(x(5, 5)), "expected 3 axes, found 2"),
    (lambda: L.LSTM(3)(x(2, 4, 5), mask=x(2, 3)), r"mask must be \(batch, length\) .* got \(2, 3"),
    (lambda: L.LSTM(3)(x(2, 4, 5), initial_state=[x(2, 3)]), r"must be 2 of .*got \[\(2, 3\)\]"),
    (lambda: L.GRU(3)(x(2, 4, 5), initial_state=x(2, 4)), r"of the sizes \[3\]; got \[\(2, 4\)"),
    (lambda: L.Add()(x(2, 3)), r"Add takes a list of tensors; its input has the shape \(2, 3\)"),
    (lambda: L.Add()([x(2, 3), x(3, 3)]), "the inputs must have one batch size; got"),
    (lambda: L.Cropping1D(3)(x(1, 5, 2)), r"cropping \(3, 3\) leaves nothing of axis 1 of an"),
    (lambda: L.Dot(0)([x(2, 3)] * 2), "axes must be of the inputs and not the batch; got 0"),
    (lambda: L.Dot(1)([x(2, 3), x(2, 4)]), "the inputs have 3 and 4 places along axes 1"),
    (lambda: L.Dot(1)([x(2, 3)] * 3), "Dot takes two tensors; got 3"),
    (lambda: L.DepthwiseConv1D(2)(L.Input((5, None))), "kernel would have the shape"),
    (lambda: L.Subtract()([x(2, 3)] * 3), "Subtract takes two tensors; got 3"),
    (lambda: L.Concatenate()([x(2, 3), x(3, 3)]), "must agree on all axes but -1; got"),
    (lambda: L.Concatenate(axis=3)([x(2, 3)] * 2), "the axis 3; got"),
    (lambda: L.Dropout(0.5, noise_shape=(1,))(x(2, 3), training=True), "for each of the 2 axes"),
    (lambda: L.BatchNormalization()(x(2, 3), training=True, mask=x(2, 3)), "one axis less than"),
]


@pytest.mark.parametrize(("make", "message"), [*ARGUMENTS, *INPUTS])
def test_refused(make, message):
    with use_backend("numpy"), pytest.raises((ValueError, TypeError), match=message):
        make()


def test_input_of_another_size_after_building():
    with use_backend("numpy"):
        layer = L.Dense(3, name="head")
        layer(x(2, 4))
        with pytest.raises(ValueError, match=r"'head'.* axis -1 of its input to have 4 entries"):
            layer(x(2, 5))
        with pytest.raises(ValueError, match="axis -1"):
            layer(L.Input((5,)))
