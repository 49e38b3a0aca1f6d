"""Connectionist temporal classification, against every alignment one by one."""

from __future__ import annotations

import collections
import itertools
from typing import Any

import numpy as np
from scipy import special

from tests.ops.case import Case

_draw = np.random.default_rng(31)
LOGITS = _draw.standard_normal((3, 5, 3)).astype("float32")
TARGET = np.array([[1, 2, 0], [1, 1, 2], [2, 1, 1]], "int32")
WIDTHS, LENGTHS = np.array([2, 3, 1], "int32"), np.array([5, 5, 3], "int32")


def table() -> list[Case]:
    """The cases."""
    loss: dict[str, Any] = {"dtype": "float32", "tolerance": 3e-6}
    short, gap = np.array([3, 3, 1], "int32"), np.array([2, 3, 2], "int32")
    none = np.array([0, 0, 0], "int32")
    beams = {"strategy": "beam_search", "beam_width": 40}
    decoded = ("int32", "float32")
    return [
        Case("ctc_loss", (TARGET, LOGITS, WIDTHS, LENGTHS), ctc_loss, **loss),
        Case("ctc_loss", (TARGET - (TARGET == 0) + 0 * TARGET, LOGITS, WIDTHS, LENGTHS, 0), ctc_loss,
             note="padding-of-minus-one", **loss),
        Case("ctc_loss", ((TARGET + 2) % 3, LOGITS, WIDTHS, LENGTHS), ctc_loss, {"mask_index": 2},
             **loss),
        Case("ctc_loss", (TARGET, LOGITS, none, LENGTHS), ctc_loss, note="empty-targets", **loss),
        Case("ctc_loss", (TARGET, LOGITS, gap, short), ctc_loss, note="impossible", **loss),
        Case("ctc_decode", (LOGITS, LENGTHS), greedy, dtype=decoded),
        Case("ctc_decode", (LOGITS, LENGTHS), greedy, {"merge_repeated": False}, dtype=decoded),
        Case("ctc_decode", (LOGITS * 3, LENGTHS), greedy, {"mask_index": 2}, dtype=decoded),
        Case("ctc_decode", (LOGITS, LENGTHS), search, {**beams, "top_paths": 3}, dtype=decoded,
             tolerance=1e-5, grad=False),
        Case("ctc_decode", (LOGITS[:, :3] * 2, np.minimum(LENGTHS, 3)), search,
             {**beams, "top_paths": 2, "mask_index": 1}, dtype=decoded, tolerance=1e-5, grad=False),
        Case("ctc_decode", (LOGITS[:2, :1], np.ones(2, "int32")), search, {**beams, "top_paths": 4},
             dtype=decoded, tolerance=1e-5, grad=False, note="more-paths-than-there-are"),
    ]  # fmt: skip


def collapse(path: Any, blank: int, merge: bool = True) -> tuple[int, ...]:
    """A path without its blanks, and without repetitions that no blank parts."""
    kept = [c for i, c in enumerate(path) if c != blank and not (merge and i and path[i - 1] == c)]
    return tuple(int(c) for c in kept)


def alignments(logits: np.ndarray, blank: int) -> dict[tuple[int, ...], float]:
    """The probability of each sequence: the sum over all paths that collapse to it."""
    logs = special.log_softmax(logits, -1)
    found: dict[tuple[int, ...], float] = collections.defaultdict(float)
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        found[collapse(path, blank)] += float(np.exp(sum(logs[t, c] for t, c in enumerate(path))))
    return found


def ctc_loss(
    target: Any, output: Any, target_length: Any, output_length: Any, mask_index: int = 0
) -> np.ndarray:
    rows = zip(target, output, target_length, output_length, strict=True)
    return np.array(
        [
            -np.log(alignments(o[:steps], mask_index).get(tuple(map(int, t[:width])), 0.0))
            for t, o, width, steps in rows
        ]
    )


def filled(sequence: Any, size: int) -> list[int]:
    return [*sequence, *[-1] * (size - len(sequence))]


def greedy(
    inputs: Any, lengths: Any, merge_repeated: bool = True, mask_index: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    best = [row[:n].argmax(-1) for row, n in zip(inputs, lengths, strict=True)]
    found = [filled(collapse(b, mask_index, merge_repeated), inputs.shape[1]) for b in best]
    scores = [[-row[:n].max(-1).sum()] for row, n in zip(inputs, lengths, strict=True)]
    return np.array([found]), np.array(scores)


def search(
    inputs: Any, lengths: Any, strategy: str, beam_width: int, top_paths: int, mask_index: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    sequences, scores = [], []
    for row, n in zip(inputs, lengths, strict=True):
        ranked = sorted(alignments(row[:n], mask_index).items(), key=lambda item: -item[1])
        ranked = (ranked + [((), 0.0)] * top_paths)[:top_paths]
        sequences.append([filled(s, inputs.shape[1]) for s, _ in ranked])
        scores.append([np.log(p) if p else -np.inf for _, p in ranked])
    return np.array(sequences).transpose(1, 0, 2), np.array(scores)
