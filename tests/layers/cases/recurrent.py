"""Recurrent layers."""

from collections.abc import Callable
from typing import Any

from tests.layers.cases.case import SEQUENCE, Case, mask, states


def _recurrent(name: str, count: int) -> list[Case]:
    """The cases of `LSTM` and `GRU`."""

    def make(**options: Any) -> Callable[[Any], Any]:
        return lambda L: getattr(L, name)(4, **options)

    masked = {"mask": mask(3, 5)}
    state = {"initial_state": states(count, 3, 4)}
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
CASES = [
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
    Case("LSTMCell", lambda L: L.LSTMCell(4), [(3, 4)], {"states": states(2, 3, 4)}),
    Case("GRUCell", lambda L: L.GRUCell(4), [(3, 4)], {"states": states(1, 3, 4)}),
]
