"""Recurrent layers, each with masks, directions and states."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata import ops
from tests.ops import reference as ref
from tests.ops.case import Case

_draw = np.random.default_rng(5)


def _normal(*shape: int) -> np.ndarray:
    return (_draw.standard_normal(shape) * 0.7).astype("float32")


X = _normal(2, 4, 3)
H, C = _normal(2, 3), _normal(2, 3)
MASK = np.array([[1, 1, 0, 1], [0, 0, 1, 0]], bool)
OPTIONS: tuple[dict[str, Any], ...] = (
    {}, {"go_backwards": True}, {"mask": MASK}, {"mask": MASK, "zero_output_for_mask": True},
    {"mask": MASK, "go_backwards": True}, {"zero_output_for_mask": True},
)  # fmt: skip


def table() -> list[Case]:
    """The cases."""
    return [*_lstm(), *_gru(), *_rnn()]


def _lstm() -> list[Case]:
    k, r, b = _normal(3, 12), _normal(3, 12), _normal(12)
    cases = [Case("lstm", (X, H, C, k, r, b), ref.lstm, o, tolerance=2e-6) for o in OPTIONS]
    other = {"activation": ops.relu, "recurrent_activation": ops.tanh}
    return [
        *cases,
        Case("lstm", (X, H, C, k, r), ref.lstm, tolerance=2e-6, note="no-bias"),
        Case("lstm", (X, H, C, k, r, b), ref.lstm, other, tolerance=2e-6, note="relu"),
        Case("lstm", (X[:, :1].copy(), H, C, k, r, b), ref.lstm, tolerance=2e-6, note="one-step"),
        Case("lstm", (X, H, C, k, r, b), ref.lstm, {"mask": np.ones((2, 4), bool)}, tolerance=2e-6,
             note="full-mask"),
        Case("lstm", (X, H, C, k, r, b), ref.lstm, {"mask": np.zeros((2, 4), bool)}, tolerance=2e-6,
             note="empty-mask"),
    ]  # fmt: skip


def _gru() -> list[Case]:
    cases = []
    for after in (True, False):
        k, r, b = _normal(3, 9), _normal(3, 9), _normal(2, 9) if after else _normal(9)
        for options in OPTIONS:
            options = {**options, "reset_after": after}
            cases.append(Case("gru", (X, H, k, r, b), ref.gru, options, tolerance=2e-6))
        cases.append(
            Case("gru", (X, H, k, r), ref.gru, {"reset_after": after}, tolerance=2e-6, note="no-bias")
        )
    other = {"activation": ops.relu, "reset_after": False}
    cases.append(Case("gru", (X, H, k, r, b), ref.gru, other, tolerance=2e-6, note="relu"))
    return cases


def _rnn() -> list[Case]:
    def step(x: Any, states: Any) -> Any:
        h = x * 0.5 + states[0] * states[0]
        return h + 1.0, [h]

    def reference(_: Any, x: Any, states: Any, **options: Any) -> Any:
        return ref.recurrence(step, x, states, **options)

    cases = [Case("rnn", (step, X, [H]), reference, o) for o in OPTIONS]

    def paired(xs: Any, states: Any) -> Any:
        a, b = xs
        return a * b, [states[0] + a, states[1] * b]

    def pair(_: Any, xs: Any, states: Any) -> Any:
        joined = np.concatenate(xs, -1)
        return ref.recurrence(lambda x, s: paired(np.split(x, 2, -1), s), joined, states)

    cases.append(Case("rnn", (paired, [X, X * 2], [H, C]), pair, note="two-inputs"))
    return cases
