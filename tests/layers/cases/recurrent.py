"""Recurrent layers."""

from collections.abc import Callable
from typing import Any

from tests.layers.cases.case import SEQUENCE, Case, mask, states


def _recurrent(name: str, count: int) -> list[Case]:
    """The cases of `LSTM`, `GRU` and `SimpleRNN`."""

    def make(**options: Any) -> Callable[[Any], Any]:
        return lambda L: getattr(L, name)(4, **options)

    masked = {"mask": mask(3, 5)}
    state = {"initial_state": states(count, 3, 4)}
    everything = {"return_sequences": True, "return_state": True}
    fused = (
        []
        if name == "SimpleRNN"
        else [
            Case(f"{name}-steps", make(use_cudnn=False, **everything), [SEQUENCE], masked),
            Case(
                f"{name}-other",
                make(activation="relu", recurrent_activation="hard_sigmoid", use_bias=False),
                [SEQUENCE],
            ),
        ]
    )
    return [
        *fused,
        Case(name, make(), [SEQUENCE], {}, 0, (1,)),
        Case(f"{name}-all", make(**everything), [SEQUENCE], state, 0, (1,)),
        Case(f"{name}-mask", make(**everything), [SEQUENCE], masked),
        Case(f"{name}-mask-last", make(), [SEQUENCE], masked | {"training": True}),
        Case(f"{name}-zeros", make(zero_output_for_mask=True, **everything), [SEQUENCE], masked),
        Case(f"{name}-backwards", make(go_backwards=True, **everything), [SEQUENCE], masked),
        Case(f"{name}-unroll", make(unroll=True, **everything), [SEQUENCE], masked),
        Case(f"{name}-unroll-backwards", make(unroll=True, go_backwards=True), [SEQUENCE], state),
        Case(f"{name}-stateful", make(stateful=True), [SEQUENCE]),
    ]


# fmt: off
CASES = [
    *_recurrent("LSTM", 2),
    *_recurrent("GRU", 1),
    *_recurrent("SimpleRNN", 1),
    Case("LSTM-no-forget", lambda L: L.LSTM(4, unit_forget_bias=False), [SEQUENCE]),
    Case("GRU-before", lambda L: L.GRU(
        4, reset_after=False, return_sequences=True), [SEQUENCE], {"mask": mask(3, 5)}, 0),
    Case("GRU-before-steps", lambda L: L.GRU(4, reset_after=False, use_cudnn=False), [SEQUENCE]),
    Case("RNN-LSTMCell", lambda L: L.RNN(
        L.LSTMCell(4), return_state=True), [SEQUENCE], {"mask": mask(3, 5)}),
    Case("RNN-GRUCell", lambda L: L.RNN(
        L.GRUCell(4), return_sequences=True), [SEQUENCE], {}, 0, (1,)),
    Case("LSTMCell", lambda L: L.LSTMCell(4), [(3, 4)], {"states": states(2, 3, 4)}),
    Case("GRUCell", lambda L: L.GRUCell(4), [(3, 4)], {"states": states(1, 3, 4)}),
    Case("SimpleRNN-relu", lambda L: L.SimpleRNN(4, "relu", use_bias=False), [SEQUENCE]),
    Case("SimpleRNNCell", lambda L: L.SimpleRNNCell(4), [(3, 4)], {"states": states(1, 3, 4)}),
    Case("RNN-stacked", lambda L: L.RNN(
        [L.LSTMCell(3), L.GRUCell(2)], return_state=True, return_sequences=True),
        [SEQUENCE], {"mask": mask(3, 5)}),
    Case("RNN-stacked-plain", lambda L: L.RNN(L.StackedRNNCells(
        [L.SimpleRNNCell(3), L.SimpleRNNCell(2)])), [SEQUENCE], {}, 0, (1,)),
    Case("Bidirectional", lambda L: L.Bidirectional(L.LSTM(3)), [SEQUENCE], {}, 0, (1,)),
    Case("Bidirectional-mask", lambda L: L.Bidirectional(L.GRU(3)), [SEQUENCE], {"mask": mask(3, 5)}),
    Case("Bidirectional-all", lambda L: L.Bidirectional(
        L.LSTM(3, return_sequences=True, return_state=True)),
        [SEQUENCE], {"mask": mask(3, 5), "initial_state": states(4, 3, 3)}),
    Case("Bidirectional-last", lambda L: L.Bidirectional(
        L.GRU(3, return_state=True)), [SEQUENCE], {"mask": mask(3, 5)}),
    *(
        Case(f"Bidirectional-{mode}", lambda L, mode=mode: L.Bidirectional(
            L.GRU(3, return_sequences=True), merge_mode=mode), [SEQUENCE], {}, 0, (1,))
        for mode in ("sum", "mul", "ave", None)
    ),
    Case("Bidirectional-two", lambda L: L.Bidirectional(
        L.LSTM(3, return_sequences=True),
        backward_layer=L.LSTM(3, return_sequences=True, go_backwards=True)), [SEQUENCE]),
    Case("Bidirectional-SimpleRNN", lambda L: L.Bidirectional(L.SimpleRNN(3)), [SEQUENCE]),
    Case("TimeDistributed", lambda L: L.TimeDistributed(L.Dense(3)), [SEQUENCE], {}, 0, (1,)),
    Case("TimeDistributed-mask", lambda L: L.TimeDistributed(
        L.Dense(3)), [SEQUENCE], {"mask": mask(3, 5)}),
    Case("TimeDistributed-Conv1D", lambda L: L.TimeDistributed(
        L.Conv1D(3, 2)), [(2, 5, 4, 3)], {}, 0, (1, 2)),
    Case("TimeDistributed-LSTM", lambda L: L.TimeDistributed(L.LSTM(3)), [(2, 5, 4, 3)]),
    Case("TimeDistributed-BatchNormalization", lambda L: L.TimeDistributed(
        L.BatchNormalization()), [SEQUENCE]),
    Case("ConvLSTM1D", lambda L: L.ConvLSTM1D(3, 2), [(2, 4, 6, 3)], {}, 0, (1,)),
    Case("ConvLSTM1D-first", lambda L: L.ConvLSTM1D(
        3, 2, strides=2, data_format="channels_first", return_sequences=True), [(2, 4, 3, 6)]),
    Case("ConvLSTM2D", lambda L: L.ConvLSTM2D(
        2, 3, padding="same", return_sequences=True, return_state=True),
        [(2, 3, 5, 6, 2)], {}, 0, (1,)),
    Case("ConvLSTM2D-mask", lambda L: L.ConvLSTM2D(2, 3, return_state=True),
        [(2, 3, 5, 6, 2)], {"mask": mask(2, 3)}, oracle=False),  # Keras can't
    Case("ConvLSTM2D-dilated", lambda L: L.ConvLSTM2D(
        2, 2, dilation_rate=2, use_bias=False, go_backwards=True), [(2, 3, 5, 6, 2)], {}, 0, (1,)),
    Case("ConvLSTM2D-stateful", lambda L: L.ConvLSTM2D(2, 2, stateful=True), [(2, 3, 5, 6, 2)]),
    Case("ConvLSTM3D", lambda L: L.ConvLSTM3D(
        2, (1, 2, 2), strides=2, unit_forget_bias=False), [(2, 3, 4, 5, 6, 2)]),
]
