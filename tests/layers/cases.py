"""One row a layer and use of it: what all tests of layers run through."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kerata import ops


@dataclass
class Case:
    """A layer, its inputs, and what tests need to know about it.

    Attributes:
        name: shown as the test's id.
        make: the layer, out of the module `layers` of Kerata or Keras.
        shapes: the shapes of its inputs; several are passed as a list, or with `spread` one by one.
        call: keyword arguments of the call; functions are called with a random generator.
        top: inputs are integers below this, where it is not 0.
        open_axes: the axes that may be open besides the batch.
        spread: inputs are positional arguments.
        weights: whether it has any.
        oracle: compared with Keras.
    """

    name: str
    make: Callable[[Any], Any]
    shapes: list[tuple[int, ...]]
    call: dict[str, Any] = field(default_factory=dict)
    top: int = 0
    open_axes: tuple[int, ...] = ()
    spread: bool = False
    oracle: bool = True

    def inputs(self) -> list[np.ndarray]:
        """Its inputs, the same ones every time."""
        rng = np.random.default_rng(7)
        if self.top:
            return [rng.integers(0, self.top, s).astype("int32") for s in self.shapes]
        return [rng.normal(size=s).astype("float32") for s in self.shapes]

    def arguments(self) -> dict[str, Any]:
        """The keyword arguments of its call."""
        rng = np.random.default_rng(8)
        return {k: v(rng) if callable(v) else v for k, v in self.call.items()}

    def run(self, layer: Any, inputs: list[Any], **more: Any) -> Any:
        """The layer called on inputs."""
        if not self.spread:
            inputs = [inputs[0] if len(inputs) == 1 else inputs]
        return layer(*inputs, **(self.arguments() | more))


def mask(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    """A random mask that leaves the first place of each row."""

    def draw(rng: np.random.Generator) -> np.ndarray:
        found = rng.random(shape) < 0.6
        found[..., 0] = True
        return found

    return draw


def normal(*shape: int) -> Callable[[np.random.Generator], np.ndarray]:
    """Random numbers."""
    return lambda rng: rng.normal(size=shape).astype("float32")


def _states(count: int, *shape: int) -> Callable[[np.random.Generator], list[np.ndarray]]:
    return lambda rng: [rng.normal(size=shape).astype("float32") for _ in range(count)]


IMAGE = (2, 8, 9, 4)
SEQUENCE = (3, 5, 4)

# fmt: off
CORE = [
    Case("Dense", lambda L: L.Dense(3), [(2, 4)]),
    Case("Dense-relu", lambda L: L.Dense(
        3, "relu", bias_initializer="ones"), [SEQUENCE], {}, 0, (1,)),
    Case("Dense-no-bias", lambda L: L.Dense(
        units=3, use_bias=False), [(2, 4, 5, 6)], {}, 0, (1, 2)),
    Case("Dense-regularized", lambda L: L.Dense(
        3, kernel_regularizer="l2", activity_regularizer="l1", kernel_constraint="non_neg",
    ), [(2, 4)]),
    Case("EinsumDense", lambda L: L.EinsumDense("ab,bc->ac", 3, bias_axes="c"), [(2, 4)]),
    Case("EinsumDense-heads", lambda L: L.EinsumDense(
        "abc,cde->abde", (None, 2, 3), bias_axes="de"), [SEQUENCE], {}, 0, (1,)),
    Case("EinsumDense-merge", lambda L: L.EinsumDense(
        "abcd,cde->abe", (None, 7), "relu", "e"), [(2, 3, 4, 5)], {}, 0, (1,)),
    Case("EinsumDense-turned", lambda L: L.EinsumDense("abc,dc->abd", (None, 4)), [SEQUENCE]),
    Case("EinsumDense-dots", lambda L: L.EinsumDense(
        "...x,xy->...y", 4, bias_axes="y"), [(2, 3, 5, 4)], {}, 0, (1, 2)),
    Case("Embedding", lambda L: L.Embedding(10, 3), [(2, 4)], {}, 10, (1,)),
    Case("Embedding-mask", lambda L: L.Embedding(10, 3, mask_zero=True), [(2, 4)], {}, 10, (1,)),
    Case("Lambda", lambda L: L.Lambda(ops.negative, name="minus"), [(2, 4)], oracle=False),
]
PLAIN = [
    Case("Activation", lambda L: L.Activation("tanh"), [SEQUENCE], {}, 0, (1,)),
    Case("ReLU", lambda L: L.ReLU(), [(2, 4)]),
    Case("ReLU-all", lambda L: L.ReLU(1.5, 0.1, 0.2), [SEQUENCE], {}, 0, (1,)),
    Case("Dropout", lambda L: L.Dropout(0.5, seed=1), [SEQUENCE], {}, 0, (1,)),
    Case("Dropout-shared", lambda L: L.Dropout(0.5, noise_shape=(None, 1, None)), [SEQUENCE]),
    Case("Flatten", lambda L: L.Flatten(), [IMAGE], {}, 0, (1, 2)),
    Case("Flatten-first", lambda L: L.Flatten("channels_first"), [IMAGE]),
    Case("Flatten-vector", lambda L: L.Flatten(), [(5,)]),
    Case("Reshape", lambda L: L.Reshape((2, 6)), [(2, 3, 4)]),
    Case("Reshape-rest", lambda L: L.Reshape((-1, 2)), [(2, 3, 4)], {}, 0, (1,)),
]
IMAGES = [
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
    Case("MaxPooling2D", lambda L: L.MaxPooling2D(), [IMAGE], {}, 0, (1, 2)),
    Case("MaxPooling2D-same", lambda L: L.MaxPooling2D(3, strides=2, padding="same"), [IMAGE]),
    Case("MaxPooling2D-first", lambda L: L.MaxPool2D(
        (2, 3), data_format="channels_first"), [(2, 4, 8, 9)]),
    Case("GlobalAveragePooling2D", lambda L: L.GlobalAveragePooling2D(), [IMAGE], {}, 0, (1, 2)),
    Case("GlobalAveragePooling2D-first", lambda L: L.GlobalAvgPool2D(
        "channels_first", keepdims=True), [IMAGE]),
]
NORMALIZATION = [
    Case("BatchNormalization", lambda L: L.BatchNormalization(), [IMAGE], {}, 0, (1, 2)),
    Case("BatchNormalization-training", lambda L: L.BatchNormalization(
        momentum=0.8, epsilon=1e-2), [IMAGE], {"training": True}, 0, (1, 2)),
    Case("BatchNormalization-frozen", lambda L: L.BatchNormalization(
        trainable=False), [IMAGE], {"training": True}),
    Case("BatchNormalization-axis", lambda L: L.BatchNormalization(
        axis=1, scale=False, center=False), [IMAGE], {"training": True}),
    Case("BatchNormalization-mask", lambda L: L.BatchNormalization(), [SEQUENCE],
         {"training": True, "mask": mask(3, 5)}),
    Case("LayerNormalization", lambda L: L.LayerNormalization(), [SEQUENCE], {}, 0, (1,)),
    Case("LayerNormalization-axes", lambda L: L.LayerNormalization(
        axis=(1, -1), epsilon=1e-5, center=False), [IMAGE], {}, 0, (2,)),
]
MERGING = [
    *(
        Case(name, lambda L, n=name: getattr(L, n)(), [(2, 3, 4)] * 3, {}, 0, (1,))
        for name in ("Add", "Multiply", "Average", "Maximum", "Minimum")
    ),
    Case("Add-broadcast", lambda L: L.Add(), [(2, 1, 4), (2, 3, 1), (2, 4)]),
    Case("Subtract", lambda L: L.Subtract(), [(2, 3), (2, 3)]),
    Case("Concatenate", lambda L: L.Concatenate(), [(2, 3, 4), (2, 3, 2)], {}, 0, (1,)),
    Case("Concatenate-axis", lambda L: L.Concatenate(axis=1), [(2, 3, 4), (2, 5, 4)]),
]

# fmt: on


def _recurrent(name: str, count: int) -> list[Case]:
    """The cases of `LSTM` and `GRU`."""

    def make(**options: Any) -> Callable[[Any], Any]:
        return lambda L: getattr(L, name)(4, **options)

    masked = {"mask": mask(3, 5)}
    state = {"initial_state": _states(count, 3, 4)}
    everything = {"return_sequences": True, "return_state": True}
    return [
        Case(name, make(), [SEQUENCE], {}, 0, (1,)),
        Case(f"{name}-all", make(**everything), [SEQUENCE], state, 0, (1,)),
        Case(f"{name}-mask", make(**everything), [SEQUENCE], masked),
        Case(f"{name}-mask-last", make(), [SEQUENCE], masked | {"training": True}),
        Case(f"{name}-zeros", make(zero_output_for_mask=True, **everything), [SEQUENCE], masked),
        Case(f"{name}-backwards", make(go_backwards=True, **everything), [SEQUENCE], masked),
        Case(f"{name}-unroll", make(unroll=True, **everything), [SEQUENCE], masked),
        Case(f"{name}-unroll-backwards", make(unroll=True, go_backwards=True), [SEQUENCE], state),
        Case(f"{name}-steps", make(use_cudnn=False, **everything), [SEQUENCE], masked),
        Case(f"{name}-stateful", make(stateful=True), [SEQUENCE]),
        Case(
            f"{name}-other",
            make(activation="relu", recurrent_activation="hard_sigmoid", use_bias=False),
            [SEQUENCE],
        ),
    ]


# fmt: off
RECURRENT = [
    *_recurrent("LSTM", 2),
    *_recurrent("GRU", 1),
    Case("LSTM-no-forget", lambda L: L.LSTM(4, unit_forget_bias=False), [SEQUENCE]),
    Case("GRU-before", lambda L: L.GRU(
        4, reset_after=False, return_sequences=True), [SEQUENCE], {"mask": mask(3, 5)}, 0),
    Case("GRU-before-steps", lambda L: L.GRU(4, reset_after=False, use_cudnn=False), [SEQUENCE]),
    Case("RNN-LSTMCell", lambda L: L.RNN(
        L.LSTMCell(4), return_state=True), [SEQUENCE], {"mask": mask(3, 5)}),
    Case("RNN-GRUCell", lambda L: L.RNN(
        L.GRUCell(4), return_sequences=True), [SEQUENCE], {}, 0, (1,)),
    Case("LSTMCell", lambda L: L.LSTMCell(4), [(3, 4)], {"states": _states(2, 3, 4)}),
    Case("GRUCell", lambda L: L.GRUCell(4), [(3, 4)], {"states": _states(1, 3, 4)}),
]

# fmt: on


def _attention(
    name: str,
    shapes: list[tuple[int, ...]],
    options: dict[str, Any],
    call: dict[str, Any],
    *rest: Any,
) -> Case:
    return Case(
        f"MultiHeadAttention-{name}",
        lambda L: L.MultiHeadAttention(2, 3, bias_initializer="ones", **options),
        shapes,
        call,
        *rest,
        spread=True,
    )


_QUERY, _VALUE = (2, 5, 4), (2, 6, 3)
_SCORES = {"return_attention_scores": True}
# fmt: off
ATTENTION = [
    _attention("plain", [_QUERY, _VALUE], {}, {}, 0, (1,)),
    _attention("key", [_QUERY, _VALUE, (2, 6, 5)], {"value_dim": 4, "output_shape": (2, 3)}, {}),
    _attention("scores", [_QUERY, _VALUE], {}, _SCORES, 0, (1,)),
    _attention("mask", [_QUERY, _VALUE], {}, {"attention_mask": mask(2, 5, 6)}),
    _attention("masks", [_QUERY, _VALUE], {}, {
        "attention_mask": mask(2, 5, 6), "value_mask": mask(2, 6), "query_mask": mask(2, 5)}),
    _attention("key-mask", [_QUERY, _VALUE, (2, 6, 5)], {}, {"key_mask": mask(2, 6)} | _SCORES),
    _attention("causal", [_QUERY, _QUERY], {"use_bias": False}, {"use_causal_mask": True}, 0, (1,)),
    _attention("causal-mask", [_QUERY, _QUERY], {}, {
        "use_causal_mask": True, "value_mask": mask(2, 5)} | _SCORES),
    _attention("window", [_QUERY, _QUERY], {"sliding_window": 2}, {}, 0, (1,)),
    _attention("window-causal", [_QUERY, _QUERY], {"sliding_window": 2}, {"use_causal_mask": True}),
    _attention("gate", [_QUERY, _VALUE], {"use_gate": True}, {}),
    _attention("head-mask", [_QUERY, _VALUE], {}, {"attention_mask": mask(2, 2, 5, 6)}),
    _attention("axis", [(2, 3, 5, 4), (2, 3, 6, 4)], {"attention_axes": (2,)}, _SCORES, 0, (1, 2)),
    _attention("axes", [(2, 3, 5, 4), (2, 4, 2, 4)], {"attention_axes": (1, 2)}, {
        "attention_mask": mask(2, 3, 5, 4, 2)}),
    _attention("first-axis", [(2, 3, 5, 4), (2, 6, 5, 4)], {"attention_axes": 1}, {
        "attention_mask": mask(2, 3, 6)}),
]

# fmt: on
CASES = [*CORE, *PLAIN, *IMAGES, *NORMALIZATION, *MERGING, *RECURRENT, *ATTENTION]
