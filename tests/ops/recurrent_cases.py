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


X = _normal(5, 4, 3)
H, C = _normal(5, 3), _normal(5, 3)
MASK = np.array([[1, 1, 0, 1], [0, 0, 1, 0], [1, 1, 1, 1], [0, 0, 0, 0], [1, 0, 0, 0]], bool)
OPTIONS: dict[str, dict[str, Any]] = {
    "plain": {}, "backwards": {"go_backwards": True}, "mask": {"mask": MASK},
    "zeros": {"mask": MASK, "zero_output_for_mask": True}, "zeros-unmasked": {"zero_output_for_mask": True},
    "mask-backwards": {"mask": MASK, "go_backwards": True},
}  # fmt: skip


def table() -> list[Case]:
    """The cases."""
    return [*_lstm(), *_gru(), *_rnn()]


class _Case(Case):
    """A case whose note says it all."""

    def __str__(self) -> str:
        return f"{self.op}-{self.note}"


def _lstm() -> list[Case]:
    k, r, b = _normal(3, 12), _normal(3, 12), _normal(12)
    cases = [
        _Case("lstm", (X, H, C, k, r, b), ref.lstm, o, tolerance=2e-6, note=n)
        for n, o in OPTIONS.items()
    ]
    other = {"activation": ops.relu, "recurrent_activation": ops.tanh}
    return [
        *cases,
        _Case("lstm", (X, H, C, k, r), ref.lstm, tolerance=2e-6, note="no-bias"),
        _Case("lstm", (X, H, C, k, r, b), ref.lstm, other, tolerance=2e-6, note="relu"),
        _Case("lstm", (X[:, :1].copy(), H, C, k, r, b), ref.lstm, tolerance=2e-6, note="one-step"),
        _Case("lstm", (X, H, C, k, r, b), ref.lstm, {"mask": np.ones((5, 4), bool)}, tolerance=2e-6,
             note="full-mask"),
        _Case("lstm", (X, H, C, k, r, b), ref.lstm, {"mask": np.zeros((5, 4), bool)}, tolerance=2e-6,
             note="empty-mask"),
    ]  # fmt: skip


def _gru() -> list[Case]:
    cases = []
    for after in (True, False):
        k, r, b = _normal(3, 9), _normal(3, 9), _normal(2, 9) if after else _normal(9)
        for note, options in {**OPTIONS, "no-bias": {}}.items():
            args = (X, H, k, r, b)[: 4 if note == "no-bias" else 5]
            note = note if after else f"{note}-before"
            options = {**options, "reset_after": after}
            cases.append(_Case("gru", args, ref.gru, options, tolerance=2e-6, note=note))
    other = {"activation": ops.relu, "reset_after": False}
    cases.append(_Case("gru", (X, H, k, r, b), ref.gru, other, tolerance=2e-6, note="relu"))
    return cases


def _rnn() -> list[Case]:
    def step(x: Any, states: Any) -> Any:
        h = x * 0.5 + states[0] * states[0]
        return h + 1.0, [h]

    def reference(_: Any, x: Any, states: Any, **options: Any) -> Any:
        return ref.recurrence(step, x, states, **options)

    cases = [_Case("rnn", (step, X, [H]), reference, o, note=n) for n, o in OPTIONS.items()]

    def paired(xs: Any, states: Any) -> Any:
        a, b = xs
        return a * b, [states[0] + a, states[1] * b]

    def pair(_: Any, xs: Any, states: Any) -> Any:
        joined = np.concatenate(xs, -1)
        return ref.recurrence(lambda x, s: paired(np.split(x, 2, -1), s), joined, states)

    cases.append(Case("rnn", (paired, [X, X * 2], [H, C]), pair, note="two-inputs"))
    return cases
