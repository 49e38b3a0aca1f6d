"""Attention."""

from typing import Any

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


_QUERY, _VALUE = (2, 5, 4), (2, 6, 3)
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
]
