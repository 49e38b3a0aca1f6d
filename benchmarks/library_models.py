"""The models of `fit.py` as users of Kerata and of Keras write them: one function for both.

Each takes the library, `kerata` or `keras`, and returns a model that is not compiled.
"""

from types import ModuleType
from typing import Any

from workloads import (
    CLASSES,
    FEATURES,
    HEADS,
    LENGTH,
    STEPS,
    VOCABULARY,
    WIDTH,
    Workload,
)


def compiled(lib: ModuleType, workload: Workload, learning_rate: float, epsilon: float) -> Any:
    """A workload's model with its loss and Adam."""
    model = BUILDERS[workload.name](lib, workload.dropout)
    losses = {
        "sparse": lib.losses.SparseCategoricalCrossentropy(from_logits=True),
        "probabilities": "sparse_categorical_crossentropy",
        "binary": lib.losses.BinaryCrossentropy(from_logits=True),
    }
    accuracy = "sparse_categorical_accuracy"
    if workload.loss == "binary":
        accuracy = lib.metrics.BinaryAccuracy(threshold=0.0)
    model.compile(
        optimizer=lib.optimizers.Adam(learning_rate, epsilon=epsilon),
        loss=losses[workload.loss],
        metrics=[accuracy] if workload.accuracy else [],
    )
    return model


def mlp(lib: ModuleType, rate: float) -> Any:
    """784-128-64-10, dropout after each hidden layer."""
    layers = lib.layers
    return lib.Sequential([
        layers.Input((784,)),
        layers.Dense(128, activation="relu"), layers.Dropout(rate),
        layers.Dense(64, activation="relu"), layers.Dropout(rate),
        layers.Dense(CLASSES),
    ])  # fmt: skip


def convnet(lib: ModuleType, rate: float) -> Any:
    """Two convolutions, each with its maximum pooling, and a classifier."""
    layers = lib.layers
    return lib.Sequential([
        layers.Input((28, 28, 1)),
        layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
        layers.Flatten(), layers.Dropout(rate),
        layers.Dense(CLASSES, activation="softmax"),
    ])  # fmt: skip


def tabular(lib: ModuleType, rate: float) -> Any:
    """20-64-64-1, without dropout."""
    layers = lib.layers
    return lib.Sequential([
        layers.Input((20,)),
        layers.Dense(64, activation="relu"), layers.Dense(64, activation="relu"),
        layers.Dense(1),
    ])  # fmt: skip


def embedded(lib: ModuleType, ids: Any) -> Any:
    """Tokens and positions, `(batch, 128, 256)`."""

    class Positions(lib.layers.Layer):  # type: ignore[name-defined]
        """Adds a learned vector to each position."""

        def build(self, input_shape: Any) -> None:
            self.table = self.add_weight(shape=tuple(input_shape[1:]), initializer="uniform")

        def call(self, x: Any) -> Any:
            return x + self.table

    return Positions()(lib.layers.Embedding(VOCABULARY, WIDTH)(ids))


def encoder(lib: ModuleType, rate: float) -> Any:
    """Six blocks, each normalised at its end; the first token's vector is classified."""
    layers = lib.layers
    ids = layers.Input((LENGTH,), dtype="int32")
    x = layers.LayerNormalization(epsilon=1e-6)(embedded(lib, ids))
    x = layers.Dropout(rate)(x)
    for _ in range(6):
        y = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=rate)(x, x)
        x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, layers.Dropout(rate)(y)]))
        y = layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, activation="gelu")(x))
        x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, layers.Dropout(rate)(y)]))
    x = layers.Dropout(rate)(layers.Dense(WIDTH, activation="tanh")(x[:, 0]))
    return lib.Model(ids, layers.Dense(CLASSES)(x))


def decoder(lib: ModuleType, rate: float) -> Any:
    """Four causal blocks, each normalised at its start; logits of the next token."""
    layers = lib.layers
    ids = layers.Input((LENGTH,), dtype="int32")
    x = layers.Dropout(rate)(embedded(lib, ids))
    for _ in range(4):
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.MultiHeadAttention(HEADS, WIDTH // HEADS, dropout=rate)(
            y, y, use_causal_mask=True
        )
        x = layers.Add()([x, layers.Dropout(rate)(y)])
        y = layers.LayerNormalization(epsilon=1e-6)(x)
        y = layers.Dense(WIDTH)(layers.Dense(4 * WIDTH, activation="gelu")(y))
        x = layers.Add()([x, layers.Dropout(rate)(y)])
    x = layers.LayerNormalization(epsilon=1e-6)(x)
    return lib.Model(ids, layers.Dense(VOCABULARY, use_bias=False)(x))


def resnet(lib: ModuleType, rate: float) -> Any:
    """ResNet-50 (He et al. 2015): strides in the blocks' first convolution."""
    layers = lib.layers

    def pad(x: Any, n: int) -> Any:
        return lib.ops.pad(x, ((0, 0), (n, n), (n, n), (0, 0)))

    def normal(x: Any, filters: int, size: int, stride: int = 1, padding: str = "valid") -> Any:
        x = layers.Conv2D(filters, size, stride, padding=padding, use_bias=False)(x)
        return layers.BatchNormalization(epsilon=1e-5)(x)

    def block(x: Any, filters: int, stride: int, widen: bool) -> Any:
        shortcut = normal(x, 4 * filters, 1, stride) if widen else x
        y = layers.ReLU()(normal(x, filters, 1, stride))
        y = layers.ReLU()(normal(y, filters, 3, padding="same"))
        return layers.ReLU()(layers.Add()([shortcut, normal(y, 4 * filters, 1)]))

    image = layers.Input((160, 160, 3))
    x = layers.ReLU()(normal(pad(image, 3), 64, 7, 2))
    x = layers.MaxPooling2D(3, 2)(pad(x, 1))
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for i in range(blocks):
            x = block(x, 64 * 2**stage, 2 if stage and not i else 1, not i)
    x = layers.GlobalAveragePooling2D()(x)
    return lib.Model(image, layers.Dense(1000)(x))


def lstm(lib: ModuleType, masked: bool) -> Any:
    """The last state of an LSTM of 128 units, classified; steps of zeros left out if `masked`."""
    layers = lib.layers
    x = layers.Input((STEPS, FEATURES))
    mask = lib.ops.any(lib.ops.not_equal(x, 0.0), axis=-1) if masked else None
    return lib.Model(x, layers.Dense(CLASSES)(layers.LSTM(128)(x, mask=mask)))


BUILDERS = {
    "M": mlp,
    "S": mlp,
    "A": convnet,
    "B": encoder,
    "C": decoder,
    "D": resnet,
    "E": lambda lib, rate: lstm(lib, False),
    "EM": lambda lib, rate: lstm(lib, True),
    "G": tabular,
}
