"""The operations of `models.py` in TensorFlow."""

import numpy as np
import tensorflow as tf

Tensor = tf.Tensor


class Net:
    """Weights in variables, and operations that read them.

    Args:
        weights: by name, as `models.drawn` gives them.
        state: moving statistics, likewise.
    """

    def __init__(self, weights: dict[str, np.ndarray], state: dict[str, np.ndarray]) -> None:
        self.weights = {name: tf.Variable(value) for name, value in weights.items()}
        self.state = {name: tf.Variable(value, False) for name, value in state.items()}
        self.training = True

    def image(self, x: Tensor) -> Tensor:
        return x

    def dense(self, x: Tensor, name: str, inputs: int, outputs: int, bias: bool = True) -> Tensor:
        y = tf.reshape(x, (-1, inputs)) @ self.weights[f"{name}.kernel"]
        if bias:
            y = tf.nn.bias_add(y, self.weights[f"{name}.bias"])
        return y if x.shape.rank == 2 else tf.reshape(y, (-1, *x.shape[1:-1], outputs))

    def conv(
        self, x: Tensor, name: str, size: int, inputs: int, outputs: int,
        stride: int = 1, padding: int = 0, bias: bool = True,
    ) -> Tensor:  # fmt: skip
        edges = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
        y = tf.nn.conv2d(x, self.weights[f"{name}.kernel"], stride, edges if padding else "VALID")
        return tf.nn.bias_add(y, self.weights[f"{name}.bias"]) if bias else y

    relu = staticmethod(tf.nn.relu)
    gelu = staticmethod(tf.nn.gelu)
    tanh = staticmethod(tf.tanh)
    add = staticmethod(tf.add)

    def dropout(self, x: Tensor, rate: float) -> Tensor:
        return tf.nn.dropout(x, rate) if self.training and rate else x

    def max_pool(self, x: Tensor, size: int, stride: int, padding: int = 0) -> Tensor:
        edges = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
        return tf.nn.max_pool2d(x, size, stride, edges if padding else "VALID")

    def image_mean(self, x: Tensor) -> Tensor:
        return tf.reduce_mean(x, (1, 2))

    def flatten(self, x: Tensor) -> Tensor:
        return tf.reshape(x, (-1, int(np.prod(x.shape[1:]))))

    def first(self, x: Tensor) -> Tensor:
        return x[:, 0]

    def embedding(self, x: Tensor, name: str, rows: int, width: int) -> Tensor:
        return tf.nn.embedding_lookup(self.weights[name], x)

    def positions(self, x: Tensor, name: str, rows: int, width: int) -> Tensor:
        return x + self.weights[name]

    def layer_norm(self, x: Tensor, name: str, width: int) -> Tensor:
        w = self.weights
        mean, variance = tf.nn.moments(x, -1, keepdims=True)
        return tf.nn.batch_normalization(
            x, mean, variance, w[f"{name}.shift"], w[f"{name}.scale"], 1e-6
        )

    def batch_norm(self, x: Tensor, name: str, width: int) -> Tensor:
        w = self.weights
        moving = [self.state[f"{name}.mean"], self.state[f"{name}.variance"]]
        y, *moments = tf.compat.v1.nn.fused_batch_norm(
            x, w[f"{name}.scale"], w[f"{name}.shift"], *([] if self.training else moving),
            epsilon=1e-5, is_training=self.training,
        )  # fmt: skip
        if self.training:
            for old, new in zip(moving, moments, strict=True):
                old.assign_sub(0.01 * (old - new))
        return y

    def attention(
        self, x: Tensor, name: str, width: int, heads: int, rate: float, causal: bool
    ) -> Tensor:
        length = x.shape[1]
        parts = self.dense(x, f"{name}.qkv", width, 3 * width)
        parts = tf.reshape(parts, (-1, length, 3, heads, width // heads))
        q, k, v = tf.unstack(tf.transpose(parts, (2, 0, 3, 1, 4)))
        scores = tf.matmul(q * (width // heads) ** -0.5, k, transpose_b=True)
        if causal:
            scores += tf.constant(np.triu(np.full((length, length), -1e30, np.float32), 1))
        shares = self.dropout(tf.nn.softmax(scores), rate)
        y = tf.transpose(tf.matmul(shares, v), (0, 2, 1, 3))
        y = tf.reshape(y, (-1, length, width))
        return self.dense(y, f"{name}.out", width, width)

    def lstm(self, x: Tensor, name: str, inputs: int, units: int, masked: bool) -> Tensor:
        """The last state, by TensorFlow's kernel of a whole sequence; masked as elsewhere."""
        w = self.weights
        zeros = tf.zeros((tf.shape(x)[0], units))
        parts = [w[f"{name}.{part}"] for part in ("kernel", "recurrent")]
        i, f, c, o = tf.split(tf.concat([*parts, w[f"{name}.bias"][None]], 0), 4, 1)
        joined = tf.concat([i, c, f, o], 1)
        outputs = tf.raw_ops.BlockLSTM(  # the gradient of its second version is wrong
            seq_len_max=tf.constant(x.shape[1], tf.int64), x=tf.transpose(x, (1, 0, 2)),
            cs_prev=zeros, h_prev=zeros, w=joined[:-1], b=joined[-1],
            wci=tf.zeros(units), wcf=tf.zeros(units), wco=tf.zeros(units),
            forget_bias=0, cell_clip=-1, use_peephole=False,
        ).h  # fmt: skip
        if not masked:
            return outputs[-1]
        lengths = tf.math.count_nonzero(tf.reduce_any(x != 0, -1), 1, dtype=tf.int32)
        rows = tf.range(tf.shape(x)[0])
        return tf.gather_nd(outputs, tf.stack([lengths - 1, rows], 1))
