"""Attention with every combination of what it may be asked for, against plain NumPy."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

from kerata import ops
from kerata.backends.registry import load
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import grad, jit

_draw = np.random.default_rng(11)
BATCH, LENGTH, SOURCE, HEADS, SIZE = 2, 4, 5, 4, 8


def _normal(*shape: int) -> np.ndarray:
    return _draw.standard_normal(shape).astype("float32")


QUERY = _normal(BATCH, LENGTH, HEADS, SIZE)
KEYS = {g: _normal(BATCH, SOURCE, g, SIZE) for g in (4, 2)}
VALUES = {g: _normal(BATCH, SOURCE, g, 3) for g in (4, 2)}
MASKS: dict[str, Any] = {
    "none": None,
    "2d": _draw.random((LENGTH, SOURCE)) > 0.4,
    "3d": _draw.random((HEADS, LENGTH, SOURCE)) > 0.4,
    "4d": _draw.random((BATCH, HEADS, LENGTH, SOURCE)) > 0.4,
    "keys": np.arange(SOURCE) < np.array([3, 5])[:, None, None, None],
}
MASKS["4d"][0, :, 1] = False  # a row that sees nothing
BIASES = {"none": None, "4d": _normal(1, HEADS, LENGTH, SOURCE), "1d": _normal(SOURCE)}
WINDOWS = (None, 1, (2, 0))
CAPS = (None, 1.5)


def attention(
    query: Any, key: Any, value: Any, bias: Any = None, mask: Any = None, is_causal: bool = False,
    attn_logits_soft_cap: Any = None, local_window_size: Any = None, flash_attention: Any = None,
) -> np.ndarray:  # fmt: skip
    """The reference."""
    key, value = (np.repeat(x, HEADS // x.shape[2], 2).astype(float) for x in (key, value))
    scores = np.einsum("bqhd,bkhd->bhqk", query.astype(float), key) / np.sqrt(SIZE)
    if attn_logits_soft_cap:
        scores = np.tanh(scores / attn_logits_soft_cap) * attn_logits_soft_cap
    scores = scores if bias is None else scores + bias
    seen = np.ones(scores.shape, bool) if mask is None else np.broadcast_to(mask, scores.shape)
    row, column = np.arange(LENGTH)[:, None], np.arange(SOURCE)
    if is_causal:
        seen = seen & (column <= row)
    if local_window_size is not None:
        window = local_window_size
        left, right = (window, window) if isinstance(window, int) else window
        seen = seen & (column >= row - left) & (column <= row + right)
    weights = np.where(seen, np.exp(scores), 0.0)
    sums = weights.sum(-1, keepdims=True)
    return np.einsum("bhqk,bkhd->bqhd", weights / np.where(sums, sums, 1.0), value)


def options(mask: str, bias: str, causal: bool, window: Any, cap: Any) -> dict[str, Any]:
    return {
        "mask": MASKS[mask], "bias": BIASES[bias], "is_causal": causal,
        "local_window_size": window, "attn_logits_soft_cap": cap,
    }  # fmt: skip


combinations = pytest.mark.parametrize(
    ("mask", "bias"), [(m, b) for m in MASKS for b in BIASES if "none" in (m, b) or m == "4d"]
)


@combinations
def test_every_combination(backend, mask, bias):
    for causal, groups, window, cap in itertools.product((False, True), (4, 2), WINDOWS, CAPS):
        given = options(mask, bias, causal, window, cap)
        wanted = attention(QUERY, KEYS[groups], VALUES[groups], **given)
        for flash, dtype in ((None, "float32"), (True, "bfloat16"), (False, "float32")):
            if backend.name == "jax" and (flash is False or (cap and window)):
                continue  # compiles anew for each, and has one implementation here
            tensors = [ops.cast(x, dtype) for x in (QUERY, KEYS[groups], VALUES[groups])]
            y = ops.dot_product_attention(*tensors, **given, flash_attention=flash)
            assert backend.dtype_of(y) == dtype
            tolerance = 2e-6 if dtype == "float32" else 4e-2
            np.testing.assert_allclose(
                ops.convert_to_numpy(y).astype(float), wanted, rtol=tolerance, atol=tolerance,
                err_msg=f"{causal=} {groups=} {window=} {cap=} {flash=} {dtype=}",
            )  # fmt: skip


@combinations
def test_gradients_are_those_of_the_body(training_backend, mask, bias):
    """And finite, also for rows that see nothing."""
    backend = load(training_backend)
    fused = training_backend == "torch"
    for causal, window in ((False, None), (True, None), (False, (2, 0)))[: None if fused else 1]:
        given = options(mask, bias, causal, window, None)
        added = given.pop("bias")
        extra = () if added is None else (added,)

        def loss(q: Any, k: Any, v: Any, *bias: Any, given: Any = given) -> Any:
            y = ops.dot_product_attention(q, k, v, *bias, **given)
            return ops.sum(ops.square(y))

        by_all = jit(grad(loss, argnums=tuple(range(3 + len(extra)))))
        tensors = [backend.convert(x) for x in (QUERY, KEYS[2], VALUES[2], *extra)]
        found = [ops.convert_to_numpy(g) for g in by_all(*tensors)]
        assert all(np.isfinite(g).all() for g in found)
        if fused:
            with ops.without_overrides():
                wanted = by_all(*tensors)
            for g, w in zip(found, wanted, strict=True):
                np.testing.assert_allclose(g, ops.convert_to_numpy(w), rtol=1e-4, atol=1e-5)


def test_a_row_that_sees_nothing_is_zero(backend):
    y = ops.dot_product_attention(QUERY, KEYS[4], VALUES[4], mask=MASKS["4d"])
    assert not ops.convert_to_numpy(y)[0, 1].any()


def test_half_precision_scores_are_kept_wide(backend):
    """Scores of some hundreds differ by fractions, which half precision would round away."""
    q = ops.cast(np.full((1, 1, 1, 64), 8.0), "bfloat16")
    k = np.full((1, 2, 1, 64), 8.0)
    k[0, 1, 0, 0] += 0.25  # 512 and 2 for the one, 0.25 more for the other
    v = ops.cast(np.array([0.0, 1.0]).reshape(1, 2, 1, 1), "bfloat16")
    y = ops.dot_product_attention(q, ops.cast(k, "bfloat16"), v)
    assert float(ops.convert_to_numpy(y).item()) == pytest.approx(1 / (1 + np.exp(-0.25)), abs=4e-3)


@pytest.mark.parametrize(
    ("shapes", "message"),
    [
        (((2, 4, 8), (2, 5, 4, 8), (2, 5, 4, 8)), "query, key and value must have the axes"),
        (((2, 4, 4, 8), (2, 5, 3, 8), (2, 5, 3, 8)), "the 3 heads of key must divide the 4"),
        (((2, 4, 4, 8), (2, 5, 4, 7), (2, 5, 4, 8)), "query and key must have one size"),
    ],
)
def test_bad_shapes(backend, shapes, message):
    with pytest.raises(ValueError, match=message):
        ops.dot_product_attention(*(np.ones(s, "float32") for s in shapes))


def test_open_sizes():
    q, k = KerasTensor((None, None, 4, 8)), KerasTensor((None, None, 2, 8))
    y = ops.dot_product_attention(q, k, k, is_causal=True, local_window_size=2)
    assert y.shape == (None, None, 4, 8)
