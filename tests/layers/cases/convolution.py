"""Convolutions."""

from tests.layers.cases.case import IMAGE, SEQUENCE, Case

FIRST, VOLUME = (2, 4, 8, 9), (2, 4, 5, 6, 3)
SEQUENCE_FIRST, VOLUME_FIRST = (3, 4, 5), (2, 4, 3, 5, 4)
# fmt: off
CASES = [
    Case("Conv1D", lambda L: L.Conv1D(3, 2, activation="relu"), [SEQUENCE], {}, 0, (1,)),
    Case("Conv1D-causal", lambda L: L.Conv1D(
        3, 3, padding="causal", dilation_rate=2), [SEQUENCE], {}, 0, (1,)),
    Case("Conv2D", lambda L: L.Conv2D(3, 3), [IMAGE], {}, 0, (1, 2)),
    Case("Conv2D-same", lambda L: L.Conv2D(
        6, (3, 2), (2, 1), padding="SAME", groups=2, use_bias=False), [IMAGE], {}, 0, (1, 2)),
    Case("Conv2D-dilated", lambda L: L.Conv2D(
        3, 3, padding="same", dilation_rate=2, bias_initializer="ones"), [IMAGE]),
    Case("Conv2D-first", lambda L: L.Conv2D(
        3, 3, data_format="channels_first", bias_initializer="ones"), [(2, 4, 8, 9)]),
    Case("Conv3D", lambda L: L.Conv3D(2, 2, strides=2, padding="same"), [(2, 4, 5, 6, 3)]),
    Case("Conv1DTranspose", lambda L: L.Conv1DTranspose(
        3, 3, 2, bias_initializer="ones"), [SEQUENCE], {}, 0, (1,)),
    Case("Conv1DTranspose-dilated", lambda L: L.Conv1DTranspose(
        3, 2, padding="same", dilation_rate=2), [SEQUENCE], {}, 0, (1,)),
    Case("Conv2DTranspose", lambda L: L.Conv2DTranspose(
        3, 3, 2, "same", activation="relu"), [IMAGE], {}, 0, (1, 2)),
    Case("Conv2DTranspose-more", lambda L: L.Conv2DTranspose(
        3, (3, 2), (2, 3), output_padding=(1, 2)), [IMAGE], {}, 0, (1, 2)),
    Case("Conv2DTranspose-more-same", lambda L: L.Conv2DTranspose(
        3, 3, 2, "same", output_padding=1, use_bias=False), [IMAGE], {}, 0, (1, 2)),
    Case("Conv2DTranspose-first", lambda L: L.Conv2DTranspose(
        3, 3, 2, data_format="channels_first", bias_initializer="ones"), [FIRST], {}, 0, (2, 3)),
    Case("Conv3DTranspose", lambda L: L.Conv3DTranspose(2, 2, 2), [VOLUME], {}, 0, (1, 2, 3)),
    Case("Conv3DTranspose-more", lambda L: L.Conv3DTranspose(
        2, 3, 2, "same", output_padding=1), [VOLUME]),
    Case("DepthwiseConv1D", lambda L: L.DepthwiseConv1D(
        3, padding="same", dilation_rate=2), [SEQUENCE], {}, 0, (1,)),
    Case("DepthwiseConv2D", lambda L: L.DepthwiseConv2D(
        (3, 2), activation="relu", bias_initializer="ones"), [IMAGE], {}, 0, (1, 2)),
    Case("DepthwiseConv2D-multiplier", lambda L: L.DepthwiseConv2D(
        3, 2, "same", 3, use_bias=False), [IMAGE], {}, 0, (1, 2)),
    Case("DepthwiseConv2D-first", lambda L: L.DepthwiseConv2D(
        2, depth_multiplier=2, data_format="channels_first", bias_initializer="ones"), [FIRST]),
    Case("SeparableConv1D", lambda L: L.SeparableConv1D(
        3, 2, activation="relu", bias_initializer="ones"), [SEQUENCE], {}, 0, (1,)),
    Case("SeparableConv1D-dilated", lambda L: L.SeparableConv1D(
        3, 2, padding="same", dilation_rate=2), [SEQUENCE], {}, 0, (1,)),
    Case("SeparableConv2D", lambda L: L.SeparableConv2D(
        5, 3, 2, "same", depth_multiplier=2, pointwise_regularizer="l2"), [IMAGE], {}, 0, (1, 2)),
    Case("SeparableConv2D-first", lambda L: L.SeparableConv2D(
        5, (2, 3), data_format="channels_first", bias_initializer="ones"), [FIRST]),
    # Channels first, and combinations of strides, padding, dilation and groups.
    Case("Conv1D-first", lambda L: L.Conv1D(
        6, 2, 2, "same", "channels_first", groups=2), [SEQUENCE_FIRST], {}, 0, (2,)),
    Case("Conv1D-causal-first", lambda L: L.Conv1D(
        3, 2, 2, "causal", "channels_first"), [SEQUENCE_FIRST], {}, 0, (2,)),
    Case("Conv1D-apart", lambda L: L.Conv1D(3, 1, 3), [SEQUENCE], {}, 0, (1,)),
    Case("Conv2D-first-same", lambda L: L.Conv2D(
        4, (2, 3), (3, 2), "same", "channels_first", groups=4), [FIRST], {}, 0, (2, 3)),
    Case("Conv2D-first-dilated", lambda L: L.Conv2D(
        3, 2, 1, "same", "channels_first", (1, 3)), [FIRST], {}, 0, (2, 3)),
    Case("Conv2D-dilated-groups", lambda L: L.Conv2D(
        4, (3, 1), dilation_rate=(2, 1), groups=2), [IMAGE], {}, 0, (1, 2)),
    Case("Conv3D-dilated", lambda L: L.Conv3D(
        4, 2, padding="same", dilation_rate=(1, 2, 1)), [VOLUME], {}, 0, (1, 2, 3)),
    Case("Conv3D-first", lambda L: L.Conv3D(
        2, (1, 2, 3), (1, 2, 1), "same", "channels_first", groups=2), [VOLUME_FIRST]),
    Case("Conv1DTranspose-first", lambda L: L.Conv1DTranspose(
        3, 3, 2, "same", 1, "channels_first"), [SEQUENCE_FIRST], {}, 0, (2,)),
    Case("Conv2DTranspose-apart", lambda L: L.Conv2DTranspose(
        3, (1, 2), 3, "same"), [IMAGE], {}, 0, (1, 2)),
    Case("Conv2DTranspose-first-dilated", lambda L: L.Conv2DTranspose(
        3, 2, dilation_rate=2, data_format="channels_first"), [FIRST], {}, 0, (2, 3)),
    Case("Conv3DTranspose-first", lambda L: L.Conv3DTranspose(
        2, 2, (1, 2, 2), "same", "channels_first"), [VOLUME_FIRST]),
    Case("DepthwiseConv1D-first", lambda L: L.DepthwiseConv1D(
        2, 2, "same", 3, "channels_first"), [SEQUENCE_FIRST], {}, 0, (2,)),
    Case("DepthwiseConv2D-dilated", lambda L: L.DepthwiseConv2D(
        2, padding="same", dilation_rate=(2, 2)), [IMAGE], {}, 0, (1, 2)),
    Case("SeparableConv1D-first", lambda L: L.SeparableConv1D(
        3, 2, data_format="channels_first", depth_multiplier=2), [SEQUENCE_FIRST], {}, 0, (2,)),
    Case("SeparableConv2D-dilated", lambda L: L.SeparableConv2D(
        5, 2, dilation_rate=(2, 2), use_bias=False), [IMAGE], {}, 0, (1, 2)),
]
