"""The table's references against Keras: what the two disagree on is listed, with reasons.

Keras' backends differ among themselves. A row has to agree with the one on NumPy or on PyTorch.
"""

from __future__ import annotations

import fnmatch
import functools
import json
import os
import subprocess
import sys

import pytest

from tests.ops import keras_agreement
from tests.ops.case import Case
from tests.ops.cases import CASES

_OUT = "an index out of range is an error in Keras, or anything; here it is clipped or dropped"
_INTS = "Keras keeps integers or refuses them; here they are computed in floatx"
_HALF = "Keras refuses half precision, or loses digits; here it is computed in float32"
_SIGNATURE = "the operation behind the public function has other parameters"
DISAGREE: tuple[tuple[str, str], ...] = (
    *((f"{name}*", _OUT) for name in (
        "scatter-int32(6x1)-*", "scatter-int64(2x2x2)-*", "scatter_update-*(6x1)-*",
        "scatter_update-*(2x2x2)-*", "scatter_update-uint32*", "scatter_update-zeros", "take-out-of-range",
        "take-float32(3x4)-uint8", "take-float32(3x4x6)-int32(3x3)-1", "take_along_axis-broadcasts",
        "take_along_axis-out-of-range", "multi_hot-first", "multi_hot-int32", "one_hot-int32(3)-3-axis=0-dtype=bool",
        "one_hot-int64(3x4)-5-1", "unravel_index-int32(2x3)", "slice-beyond", "slice-vector",
        "segment_min-int32(6)-int64", "slice_update-float32(3x4x6)-0,1,9", "in_top_k-int32(4)")),
    *((f"{name}-int32(3x4)", _INTS) for name in (
        "gelu", "hard_sigmoid", "hard_silu", "leaky_relu", "selu", "soft_shrink", "rms_normalization")),
    *((f"{name}-int32(2x6)*", _INTS) for name in ("fft", "fft2", "ifft2", "stft")),
    *((f"{name}*", _HALF) for name in (
        "cholesky-float16", "eigh-float16", "inv-float16", "pinv-float16", "qr-float16", "svd-float16",
        "solve-float16", "fft-float16", "fft2-float16", "stft-float16", "polar-float16",
        "moments-bfloat16-in-float32", "ssim-bfloat16", "rgb_to_hsv-bfloat16")),
    *((f"{name}*", _SIGNATURE) for name in ("rearrange-", "meshgrid-fl", "cond-", "jvp-_square")),
    *((f"{name}-int64(2x3)-*", "Keras loses the digits of int64 that floats have not") for name in (
        "maximum", "minimum", "floor_divide")),
    ("cumsum-*int[68]*-axis=1", "Keras' sum wraps around in the dtype of x; here it widens as sum does"),
    ("adaptive_*None*", "Keras takes no None"),
    ("adaptive_*-same-size", "Keras takes no None"),
    ("affine_transform-*channels_first", "Keras wants a transform for each image of a batch"),
    ("affine_transform-projective", "Keras leaves c0 and c1 out of account except on TensorFlow"),
    ("argpartition-int32*", "any order that puts the kth in its place is right; here it is the sorted one"),
    ("array_split-*-1,4-2", "Keras takes a number of sections alone"),
    ("average_pool-*-3-None-same-channels_first", "Keras counts the padding, or fails"),
    ("binary_crossentropy-edges", "Keras limits by another epsilon near 1, or refuses bool"),
    ("correlate-complex64*", "NumPy conjugates the second; Keras does not"),
    ("dot_product_attention-*-attn_logits_soft_cap=1.5", "Keras has it for JAX on TPU alone"),
    ("dot_product_attention-*mask=*", "a row that sees nothing gets zeros; in Keras the mean, or NaN"),
    ("gaussian_blur-uint8*", "Keras computes the weights in uint8: all are 0"),
    *((f"histogram-{name}", "Keras takes vectors alone") for name in ("*(?x4)*", "empty")),
    ("in_top_k-batches", "Keras takes one axis of targets"),
    ("istft-gaps", "Keras' backends differ where frames don't overlap"),
    ("istft-*-False", "Keras' backends differ where frames are not centred"),
    ("moments-synchronized*", "Keras synchronizes on TensorFlow alone"),
    ("map_coordinates-float32(9x8)-*-[2345]-*", "Keras has no splines of an order above 1"),
    ("max_pool-int", "Keras pools floats alone"),
    ("nanargmax-inf", "NumPy and Keras take NaN for -inf"),
    ("norm-*-ord=euclidean-axis=1", "Keras knows the name for matrices alone"),
    ("pad-*-1-empty", "what `empty` adds is anything; here it is zeros"),
    ("psnr-uint8*", "Keras' differences wrap around"),
    ("ptp-bool", "NumPy refuses to subtract booleans"),
    ("resize-*area*", "Keras has it on TensorFlow alone"),
    ("resize-overshoots", "Keras' NumPy backend wraps around where a cubic overshoots uint8"),
    *((f"saturate_cast-float32(8)-{name}", "Keras rounds the bounds to floats that don't fit")
      for name in ("bool", "int32", "uint32")),
    ("scale_and_translate-uint8*", "Keras' NumPy backend keeps integers; its JAX backend gives floats"),
    ("scan-no-*", "Keras wants an output, and a step"),
    ("slice-rest", "here -1 is the rest of the axis, as in TensorFlow"),
    ("slice-tensor", "starts beyond the end are moved back, as on JAX"),
    ("slice_update-tensor", "starts beyond the end are moved back, as on JAX"),
    ("sobel_edges-uint8*", "Keras takes no image alone"),
    ("solve*-float32(3x3)-float32(2x3x5)", "Keras does not broadcast the batch"),
    ("sparsemax-*", "Keras' result is not the point of the simplex next to x (Martins & Astudillo, 2016)"),
    ("ssim-uint8*", "Keras computes in uint8"),
    ("take_along_axis-flattened", "Keras wants vectors, or does not count from the end"),
    *((f"top_k-{name}", "of equal elements the first ones come first; Keras takes any") for name in (
        "bfloat16*", "bool*", "float32(2x7)-6", "int32(3x9)*", "long")),
)  # fmt: skip

pytestmark = [
    pytest.mark.oracle,
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
    pytest.mark.filterwarnings("ignore::UserWarning"),
]


def reason(case: Case) -> str | None:
    """Why Keras gives something else here."""
    name = str(case).replace("[", "(").replace("]", ")")
    return next((why for pattern, why in DISAGREE if fnmatch.fnmatchcase(name, pattern)), None)


@functools.cache
def on_torch() -> frozenset[str]:
    """The rows that agree with Keras on PyTorch, which runs in a process of its own."""
    environment = {**os.environ, "KERAS_BACKEND": "torch", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, keras_agreement.__file__],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return frozenset(json.loads(done.stdout.strip().splitlines()[-1]))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_reference_agrees_with_keras(keras, case):
    if keras_agreement.operation(keras, case) is None:
        pytest.skip("no operation of Keras")
    agrees = keras_agreement.agrees(keras, case) or str(case) in on_torch()
    why = reason(case)
    if why is None:
        assert agrees, "Keras gives something else, on NumPy and on PyTorch"
    else:
        assert not agrees, f"They agree: drop it from DISAGREE: {why}"
