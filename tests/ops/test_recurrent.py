"""Fused recurrences against the scans that define them, for every kind of mask."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from kerata import ops
from kerata.backends.registry import load, use_backend
from kerata.core.transforms import value_and_grad
from tests.conftest import TRAINING

_draw = np.random.default_rng(8)
FUSED = [name for name in TRAINING if "lstm" in load(name).kernels]
BATCH, LENGTH, FEATURES, UNITS = 6, 5, 3, 2
_first = np.arange(LENGTH) < np.array([5, 3, 0, 1, 4, 5])[:, None]
MASKS = {
    "right": _first,
    "left": _first[:, ::-1].copy(),
    "middle": np.roll(np.arange(LENGTH) < np.array([4, 3, 0, 1, 2, 2])[:, None], 1, 1),
    "holes": np.array([[1, 0, 1, 1, 0]] * 3 + [[0, 0, 1, 1, 1]] * 3, bool),
    "nothing": np.zeros((BATCH, LENGTH), bool),
    "all": np.ones((BATCH, LENGTH), bool),
    "numbers": _first.astype("int32"),
}


def _normal(*shape: int) -> np.ndarray:
    return (_draw.standard_normal(shape) * 0.6).astype("float32")


def arguments(op: str) -> list[np.ndarray]:
    """Inputs, states, kernels and bias."""
    gates = 4 if op == "lstm" else 3
    states = [_normal(BATCH, UNITS) for _ in range(2 if op == "lstm" else 1)]
    bias = _normal(4 * UNITS) if op == "lstm" else _normal(2, 3 * UNITS)
    kernels = [_normal(FEATURES, gates * UNITS), _normal(UNITS, gates * UNITS)]
    return [_normal(BATCH, LENGTH, FEATURES), *states, *kernels, bias]


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("op", ["lstm", "gru"])
@pytest.mark.parametrize("name", FUSED)
def test_masks(name, op, mask):
    with use_backend(name) as backend:
        compare(backend, op, mask)


def compare(backend: Any, op: str, mask: str) -> None:
    given = [backend.convert(x) for x in arguments(op)]
    weights = [_normal(BATCH, UNITS), _normal(BATCH, LENGTH, UNITS), *[_normal(BATCH, UNITS)] * 2]
    for backwards, zeros in itertools.product((False, True), (False, True)):
        options = {"mask": MASKS[mask], "go_backwards": backwards, "zero_output_for_mask": zeros}

        def loss(*tensors: Any, options: Any = options) -> Any:
            last, outputs, states = getattr(ops, op)(*tensors, **options)
            results = [last, outputs, *states]
            parts = [ops.sum(ops.multiply(y, w)) for y, w in zip(results, weights, strict=False)]
            return sum(parts[1:], parts[0]), results

        run = value_and_grad(loss, argnums=tuple(range(len(given))), has_aux=True)
        (_, results), gradients = run(*given)
        with ops.without_overrides():
            (_, wanted), wanted_gradients = run(*given)
        for y, w in zip(results, wanted, strict=True):
            np.testing.assert_allclose(backend.to_numpy(y), backend.to_numpy(w), atol=1e-6)
        for g, w in zip(gradients, wanted_gradients, strict=True):
            np.testing.assert_allclose(
                backend.to_numpy(g), backend.to_numpy(w), rtol=1e-4, atol=1e-5
            )


@pytest.mark.parametrize("op", ["lstm", "gru"])
def test_what_is_masked_has_no_influence(backend, op):
    """Not even where it is no number."""
    x, *rest = arguments(op)
    spoiled = np.where(MASKS["right"][..., None], x, np.nan)
    found, wanted = (getattr(ops, op)(v, *rest, mask=MASKS["right"])[1] for v in (spoiled, x))
    np.testing.assert_array_equal(ops.convert_to_numpy(found), ops.convert_to_numpy(wanted))


def test_a_regular_mask_takes_the_fused_kernel(monkeypatch):
    """Otherwise the comparison above compares nothing."""
    torch = pytest.importorskip("torch")
    calls = []
    fused = torch.lstm
    monkeypatch.setattr(torch, "lstm", lambda *a: calls.append(1) or fused(*a))
    with use_backend("torch"):
        for name, expected in (("right", 1), ("left", 2), ("middle", 3), ("holes", 3), ("all", 4)):
            ops.lstm(*arguments("lstm"), mask=MASKS[name])
            assert len(calls) == expected
