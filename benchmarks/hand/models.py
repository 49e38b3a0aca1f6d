"""The models of `fit.py` as sequences of a net's operations, and their initial weights.

A net has one method an operation. Those with weights take the values, a name, and sizes.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from workloads import CLASSES, FEATURES, HEADS, LENGTH, VOCABULARY, WIDTH

Model = Callable[[Any, Any, float], Any]


def mlp(net: Any, x: Any, rate: float) -> Any:
    """`(batch, 784)` to logits."""
    x = net.dropout(net.relu(net.dense(x, "a", 784, 128)), rate)
    x = net.dropout(net.relu(net.dense(x, "b", 128, 64)), rate)
    return net.dense(x, "c", 64, CLASSES)


def tabular(net: Any, x: Any, rate: float) -> Any:
    """`(batch, 20)` to one logit."""
    x = net.relu(net.dense(x, "a", 20, 64))
    x = net.relu(net.dense(x, "b", 64, 64))
    return net.dense(x, "c", 64, 1)


def convnet(net: Any, x: Any, rate: float) -> Any:
    """`(batch, 28, 28, 1)` to logits."""
    x = net.max_pool(net.relu(net.conv(net.image(x), "a", 3, 1, 32)), 2, 2)
    x = net.max_pool(net.relu(net.conv(x, "b", 3, 32, 64)), 2, 2)
    return net.dense(net.dropout(net.flatten(x), rate), "c", 1600, CLASSES)


def embedded(net: Any, ids: Any) -> Any:
    """Tokens and positions."""
    return net.positions(net.embedding(ids, "tokens", VOCABULARY, WIDTH), "places", LENGTH, WIDTH)


def feed_forward(net: Any, x: Any, name: str) -> Any:
    """Two layers with GELU between."""
    return net.dense(
        net.gelu(net.dense(x, f"{name}.wide", WIDTH, 4 * WIDTH)), f"{name}.out", 4 * WIDTH, WIDTH
    )


def encoder(net: Any, ids: Any, rate: float) -> Any:
    """`(batch, 128)` to logits of classes; blocks normalised at their end."""
    x = net.dropout(net.layer_norm(embedded(net, ids), "norm", WIDTH), rate)
    for i in range(6):
        y = net.attention(x, f"{i}.attention", WIDTH, HEADS, rate, False)
        x = net.layer_norm(net.add(x, net.dropout(y, rate)), f"{i}.norm1", WIDTH)
        y = feed_forward(net, x, f"{i}")
        x = net.layer_norm(net.add(x, net.dropout(y, rate)), f"{i}.norm2", WIDTH)
    x = net.dropout(net.tanh(net.dense(net.first(x), "pool", WIDTH, WIDTH)), rate)
    return net.dense(x, "head", WIDTH, CLASSES)


def decoder(net: Any, ids: Any, rate: float) -> Any:
    """`(batch, 128)` to logits of the next tokens; causal, blocks normalised at their start."""
    x = net.dropout(embedded(net, ids), rate)
    for i in range(4):
        y = net.layer_norm(x, f"{i}.norm1", WIDTH)
        y = net.attention(y, f"{i}.attention", WIDTH, HEADS, rate, True)
        x = net.add(x, net.dropout(y, rate))
        y = feed_forward(net, net.layer_norm(x, f"{i}.norm2", WIDTH), f"{i}")
        x = net.add(x, net.dropout(y, rate))
    return net.dense(net.layer_norm(x, "norm", WIDTH), "head", WIDTH, VOCABULARY, bias=False)


def resnet(net: Any, x: Any, rate: float) -> Any:
    """`(batch, 160, 160, 3)` to logits of a thousand classes."""

    def normal(x: Any, name: str, size: int, inputs: int, outputs: int, stride: int = 1) -> Any:
        padding = size // 2
        x = net.conv(x, name, size, inputs, outputs, stride, padding, bias=False)
        return net.batch_norm(x, f"{name}.norm", outputs)

    x = net.relu(normal(net.image(x), "stem", 7, 3, 64, 2))
    x, inputs = net.max_pool(x, 3, 2, 1), 64
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for i in range(blocks):
            name, inner = f"{stage}.{i}", 64 * 2**stage
            stride, outputs = 2 if stage and not i else 1, 4 * inner
            shortcut = x if i else normal(x, f"{name}.0", 1, inputs, outputs, stride)
            y = net.relu(normal(x, f"{name}.1", 1, inputs, inner, stride))
            y = net.relu(normal(y, f"{name}.2", 3, inner, inner))
            x = net.relu(net.add(shortcut, normal(y, f"{name}.3", 1, inner, outputs)))
            inputs = outputs
    return net.dense(net.image_mean(x), "head", 2048, 1000)


def lstm(net: Any, x: Any, rate: float) -> Any:
    """`(batch, 100, 32)` to logits."""
    return net.dense(net.lstm(x, "lstm", FEATURES, 128, False), "head", 128, CLASSES)


def masked_lstm(net: Any, x: Any, rate: float) -> Any:
    """`lstm` whose sequences end where only zeros follow."""
    return net.dense(net.lstm(x, "lstm", FEATURES, 128, True), "head", 128, CLASSES)


MODELS: dict[str, Model] = {
    "M": mlp, "S": mlp, "A": convnet, "B": encoder, "C": decoder, "D": resnet, "E": lstm,
    "EM": masked_lstm, "G": tabular,
}  # fmt: skip


class Drawing:
    """The net that draws each operation's weights and computes nothing.

    Kernels are Glorot-uniform, `(inputs, outputs)` or `(height, width, inputs, outputs)`; biases
    are zero but for an LSTM's forget gate; `state` holds what training changes without gradients.
    """

    def __init__(self, seed: int = 1) -> None:
        self.rng = np.random.default_rng(seed)
        self.weights: dict[str, np.ndarray] = {}
        self.state: dict[str, np.ndarray] = {}

    def __getattr__(self, name: str) -> Callable[..., None]:
        """An operation without weights."""
        return lambda *values: None

    def glorot(self, *shape: int) -> np.ndarray:
        """A kernel."""
        limit = np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1])))
        return self.rng.uniform(-limit, limit, shape).astype(np.float32)

    def dense(self, x: Any, name: str, inputs: int, outputs: int, bias: bool = True) -> None:
        """A kernel and perhaps a bias."""
        self.weights[f"{name}.kernel"] = self.glorot(inputs, outputs)
        if bias:
            self.weights[f"{name}.bias"] = np.zeros(outputs, np.float32)

    def conv(
        self, x: Any, name: str, size: int, inputs: int, outputs: int,
        stride: int = 1, padding: int = 0, bias: bool = True,
    ) -> None:  # fmt: skip
        """A kernel and perhaps a bias."""
        self.weights[f"{name}.kernel"] = self.glorot(size, size, inputs, outputs)
        if bias:
            self.weights[f"{name}.bias"] = np.zeros(outputs, np.float32)

    def embedding(self, x: Any, name: str, rows: int, width: int) -> None:
        """A table."""
        self.weights[name] = self.rng.uniform(-0.05, 0.05, (rows, width)).astype(np.float32)

    positions = embedding

    def layer_norm(self, x: Any, name: str, width: int) -> None:
        """A scale and a shift."""
        self.weights[f"{name}.scale"] = np.ones(width, np.float32)
        self.weights[f"{name}.shift"] = np.zeros(width, np.float32)

    def batch_norm(self, x: Any, name: str, width: int) -> None:
        """A scale, a shift, and moving statistics."""
        self.layer_norm(x, name, width)
        self.state[f"{name}.mean"] = np.zeros(width, np.float32)
        self.state[f"{name}.variance"] = np.ones(width, np.float32)

    def attention(
        self, x: Any, name: str, width: int, heads: int, rate: float, causal: bool
    ) -> None:
        """Queries, keys and values in one kernel; the output's."""
        parts = [self.glorot(width, width) for _ in range(3)]
        self.weights[f"{name}.qkv.kernel"] = np.concatenate(parts, axis=1)
        self.weights[f"{name}.qkv.bias"] = np.zeros(3 * width, np.float32)
        self.dense(x, f"{name}.out", width, width)

    def lstm(self, x: Any, name: str, inputs: int, units: int, masked: bool) -> None:
        """Kernels of the gates input, forget, candidate, output; biases."""
        self.weights[f"{name}.kernel"] = self.glorot(inputs, 4 * units)
        columns = np.linalg.qr(self.rng.standard_normal((4 * units, units)))[0]
        self.weights[f"{name}.recurrent"] = columns.T.astype(np.float32)
        bias = np.zeros(4 * units, np.float32)
        bias[units : 2 * units] = 1
        self.weights[f"{name}.bias"] = bias


def drawn(name: str) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The initial weights and state of a workload's model, by name."""
    drawing = Drawing()
    MODELS[name](drawing, None, 0.0)
    return drawing.weights, drawing.state
