"""Attention."""

from typing import Any

import numpy as np

from tests.layers.cases.case import Case, mask


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


def _grouped(
    name: str, shapes: list[tuple[int, ...]], options: dict[str, Any], call: dict[str, Any]
) -> Case:
    return Case(
        f"GroupQueryAttention-{name}",
        lambda L: L.GroupQueryAttention(3, 4, 2, bias_initializer="ones", **options),
        shapes,
        call,
        0,
        () if any(map(callable, call.values())) else (1,),
        spread=True,
    )


def _unprojected(
    name: str, options: dict[str, Any], call: dict[str, Any], *shapes: tuple[int, ...]
) -> Case:
    layer, _, rest = name.partition("-")
    return Case(
        f"{layer}-{rest}",
        lambda L: getattr(L, layer)(**options),
        list(shapes or (_QUERY, _SAME)),
        call,
        0,
        () if "mask" in call else (1,),
    )


def _both(generator: np.random.Generator) -> list[np.ndarray]:
    """Masks of a query and a value; nothing of the last value is left."""
    query, value = mask(2, 5)(generator), mask(2, 6)(generator)
    value[1] = False
    return [query, value]


_QUERY, _VALUE, _SAME = (2, 5, 4), (2, 6, 3), (2, 6, 4)
_SCORES = {"return_attention_scores": True}
# fmt: off
CASES = [
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
    _grouped("plain", [_QUERY, _SAME], {}, {}),
    _grouped("key", [_QUERY, _SAME, (2, 6, 5)], {"use_bias": False}, {}),
    _grouped("scores", [_QUERY, _SAME], {"use_gate": True}, _SCORES),
    _grouped("masks", [_QUERY, _SAME], {}, {
        "attention_mask": mask(2, 5, 6), "value_mask": mask(2, 6), "query_mask": mask(2, 5),
    } | _SCORES),
    _grouped("key-mask", [_QUERY, _SAME], {}, {"key_mask": mask(2, 6)}),
    _grouped("window-causal", [_QUERY, _QUERY], {"sliding_window": 2}, {"use_causal_mask": True}),
    _unprojected("Attention-plain", {}, {}),
    _unprojected("Attention-scale", {"use_scale": True}, {"use_causal_mask": True}),
    _unprojected("Attention-key", {"use_scale": True}, _SCORES, _QUERY, _VALUE, _SAME),
    _unprojected("Attention-concat", {"score_mode": "concat", "use_scale": True}, {}),
    _unprojected("Attention-masks", {}, {"mask": _both}),
    _unprojected("Attention-masks-causal", {}, {"mask": _both, "use_causal_mask": True}),
    _unprojected("Attention-masks-scores", {}, {"mask": _both} | _SCORES),
    _unprojected("Attention-axes", {}, {}, (2, 3, 5, 4), (2, 3, 6, 4)),
    _unprojected("AdditiveAttention-plain", {}, {"use_causal_mask": True}),
    _unprojected("AdditiveAttention-key", {}, _SCORES, _QUERY, _VALUE, _SAME),
    _unprojected("AdditiveAttention-masks", {"use_scale": False}, {"mask": _both}),
]
