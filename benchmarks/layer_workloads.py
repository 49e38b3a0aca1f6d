"""What `layers.py` times: the heaviest layers at working sizes, and the modules of the engines.

Images and sequences have their channels last for Kerata and Keras and, where an engine's own
modules want it (torch's convolutions, pooling and normalization), first for those.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

_draw = np.random.default_rng(0)


def _one(layer: Any, x: Any) -> Any:
    return layer(x)


def _same(x: np.ndarray) -> np.ndarray:
    return x


class Workload(NamedTuple):
    """A layer, made of the module `layers` of a library, its input, and the call."""

    make: Callable[[Any], Any]
    array: np.ndarray
    call: Callable[[Any, Any], Any] = _one


def normal(*shape: int) -> np.ndarray:
    """Standard normal draws, float32."""
    return _draw.standard_normal(shape, dtype=np.float32)


IMAGES, WORDS, STEPS = normal(16, 32, 32, 64), normal(16, 128, 256), normal(32, 100, 64)
IDS = _draw.integers(0, 8000, (32, 128), dtype=np.int32)

LAYERS: dict[str, Workload] = {
    "Dense": Workload(lambda L: L.Dense(1024), WORDS),
    "EinsumDense": Workload(
        lambda L: L.EinsumDense("abc,cde->abde", (None, 8, 32), bias_axes="de"), WORDS
    ),
    "Embedding": Workload(lambda L: L.Embedding(8000, 256), IDS),
    "Conv1D": Workload(lambda L: L.Conv1D(128, 3, padding="same"), STEPS),
    "Conv2D": Workload(lambda L: L.Conv2D(64, 3, padding="same"), IMAGES),
    "Conv2D 1x1": Workload(lambda L: L.Conv2D(256, 1), IMAGES),
    "Conv2D strided": Workload(lambda L: L.Conv2D(128, 3, strides=2), IMAGES),
    "Conv3D": Workload(lambda L: L.Conv3D(16, 3, padding="same"), normal(4, 16, 16, 16, 16)),
    "Conv2DTranspose": Workload(lambda L: L.Conv2DTranspose(32, 2, strides=2), IMAGES),
    "DepthwiseConv2D": Workload(lambda L: L.DepthwiseConv2D(3, padding="same"), IMAGES),
    "SeparableConv2D": Workload(lambda L: L.SeparableConv2D(64, 3, padding="same"), IMAGES),
    "MaxPooling2D": Workload(lambda L: L.MaxPooling2D(), IMAGES),
    "AveragePooling2D": Workload(lambda L: L.AveragePooling2D(2), IMAGES),
    "UpSampling2D": Workload(lambda L: L.UpSampling2D(), IMAGES),
    "BatchNormalization": Workload(
        lambda L: L.BatchNormalization(), IMAGES, lambda layer, x: layer(x, training=True)
    ),
    "LayerNormalization": Workload(lambda L: L.LayerNormalization(), WORDS),
    "RMSNormalization": Workload(lambda L: L.RMSNormalization(), WORDS),
    "GroupNormalization": Workload(lambda L: L.GroupNormalization(8), IMAGES),
    "SimpleRNN": Workload(lambda L: L.SimpleRNN(128, return_sequences=True), STEPS),
    "GRU": Workload(lambda L: L.GRU(128, return_sequences=True), STEPS),
    "LSTM": Workload(lambda L: L.LSTM(128, return_sequences=True), STEPS),
    "Bidirectional": Workload(
        lambda L: L.Bidirectional(L.LSTM(64, return_sequences=True)), STEPS
    ),
    "MultiHeadAttention": Workload(
        lambda L: L.MultiHeadAttention(8, 32), WORDS, lambda layer, x: layer(x, x)
    ),
}  # fmt: skip


def channels_first(x: np.ndarray) -> np.ndarray:
    """The array with its last axis second, in memory too."""
    return np.ascontiguousarray(np.moveaxis(x, -1, 1))


def torch_modules() -> dict[str, Any]:
    """Torch's module of each, and what brings the array into its layout."""
    from torch import nn

    class Own(nn.Module):
        """A module and a call of it."""

        def __init__(self, module: nn.Module, call: Callable[[Any, Any], Any]) -> None:
            super().__init__()
            self.module, self.run = module, call

        def forward(self, x: Any) -> Any:
            return self.run(self.module, x)

    sequence = {"batch_first": True}
    first, last = channels_first, _same
    return {
        "Dense": (nn.Linear(256, 1024), last),
        "EinsumDense": (Own(nn.Linear(256, 256), lambda m, x: m(x).unflatten(-1, (8, 32))), last),
        "Embedding": (nn.Embedding(8000, 256), last),
        "Conv1D": (nn.Conv1d(64, 128, 3, padding="same"), first),
        "Conv2D": (nn.Conv2d(64, 64, 3, padding="same"), first),
        "Conv2D 1x1": (nn.Conv2d(64, 256, 1), first),
        "Conv2D strided": (nn.Conv2d(64, 128, 3, stride=2), first),
        "Conv3D": (nn.Conv3d(16, 16, 3, padding="same"), first),
        "Conv2DTranspose": (nn.ConvTranspose2d(64, 32, 2, stride=2), first),
        "DepthwiseConv2D": (nn.Conv2d(64, 64, 3, padding="same", groups=64), first),
        "SeparableConv2D": (
            nn.Sequential(
                nn.Conv2d(64, 64, 3, padding="same", groups=64, bias=False), nn.Conv2d(64, 64, 1)
            ),
            first,
        ),
        "MaxPooling2D": (nn.MaxPool2d(2), first),
        "AveragePooling2D": (nn.AvgPool2d(2), first),
        "UpSampling2D": (nn.Upsample(scale_factor=2), first),
        "BatchNormalization": (nn.BatchNorm2d(64), first),
        "LayerNormalization": (nn.LayerNorm(256), last),
        "RMSNormalization": (nn.RMSNorm(256), last),
        "GroupNormalization": (nn.GroupNorm(8, 64), first),
        "SimpleRNN": (nn.RNN(64, 128, **sequence), last),
        "GRU": (nn.GRU(64, 128, **sequence), last),
        "LSTM": (nn.LSTM(64, 128, **sequence), last),
        "Bidirectional": (nn.LSTM(64, 64, bidirectional=True, **sequence), last),
        "MultiHeadAttention": (
            Own(
                nn.MultiheadAttention(256, 8, **sequence),
                lambda m, x: m(x, x, x, need_weights=False),
            ),
            last,
        ),
    }


def nnx_modules() -> dict[str, Any]:
    """Flax' module of each: a function of weights and inputs, the weights, and the layout."""
    import jax
    from flax import nnx

    seeds = nnx.Rngs(0)
    conv = {"rngs": seeds, "padding": "SAME"}
    modules = {
        "Dense": nnx.Linear(256, 1024, rngs=seeds),
        "EinsumDense": nnx.LinearGeneral(256, (8, 32), rngs=seeds),
        "Embedding": nnx.Embed(8000, 256, rngs=seeds),
        "Conv1D": nnx.Conv(64, 128, (3,), **conv),
        "Conv2D": nnx.Conv(64, 64, (3, 3), **conv),
        "Conv2D 1x1": nnx.Conv(64, 256, (1, 1), **conv),
        "Conv2D strided": nnx.Conv(64, 128, (3, 3), 2, padding="VALID", rngs=seeds),
        "Conv3D": nnx.Conv(16, 16, (3, 3, 3), **conv),
        "Conv2DTranspose": nnx.ConvTranspose(64, 32, (2, 2), (2, 2), rngs=seeds),
        "DepthwiseConv2D": nnx.Conv(64, 64, (3, 3), feature_group_count=64, **conv),
        "BatchNormalization": nnx.BatchNorm(64, rngs=seeds),
        "LayerNormalization": nnx.LayerNorm(256, rngs=seeds),
        "RMSNormalization": nnx.RMSNorm(256, rngs=seeds),
        "GroupNormalization": nnx.GroupNorm(64, 8, rngs=seeds),
        "SimpleRNN": nnx.RNN(nnx.SimpleCell(64, 128, rngs=seeds)),
        "GRU": nnx.RNN(nnx.GRUCell(64, 128, rngs=seeds)),
        "LSTM": nnx.RNN(nnx.OptimizedLSTMCell(64, 128, rngs=seeds)),
        "Bidirectional": nnx.Bidirectional(
            nnx.RNN(nnx.OptimizedLSTMCell(64, 64, rngs=seeds)),
            nnx.RNN(nnx.OptimizedLSTMCell(64, 64, rngs=seeds)),
        ),
        "MultiHeadAttention": nnx.MultiHeadAttention(8, 256, decode=False, rngs=seeds),
    }

    def split(module: Any) -> tuple[Callable[..., Any], Any, Callable[..., Any]]:
        graph, weights, rest = nnx.split(module, nnx.Param, ...)

        def run(weights: Any, x: Any) -> Any:
            return nnx.merge(graph, weights, jax.tree.map(lambda leaf: leaf, rest))(x)

        return run, weights, _same

    pools = {
        "MaxPooling2D": lambda _, x: nnx.max_pool(x, (2, 2), (2, 2)),
        "AveragePooling2D": lambda _, x: nnx.avg_pool(x, (2, 2), (2, 2)),
    }
    found = {name: split(module) for name, module in modules.items()}
    return found | {name: (run, (), _same) for name, run in pools.items()}


MODULES: dict[str, Callable[[], dict[str, Any]]] = {"torch": torch_modules, "jax": nnx_modules}
