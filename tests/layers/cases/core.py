"""Input, dense layers, embeddings, functions as layers."""

from kerata import ops
from tests.layers.cases.case import SEQUENCE, Case

# fmt: off
CASES = [
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
    Case("Identity", lambda L: L.Identity(), [SEQUENCE], {}, 0, (1,)),
    Case("Identity-several", lambda L: L.Identity(), [SEQUENCE, (2, 4)]),
    Case("Masking", lambda L: L.Masking(0.5), [SEQUENCE], {}, 0, (1,)),
    Case("ReversibleEmbedding", lambda L: L.ReversibleEmbedding(10, 3), [(2, 4)], {}, 10, (1,)),
    Case("ReversibleEmbedding-reverse", lambda L: L.ReversibleEmbedding(
        10, 4, logit_soft_cap=2.0), [SEQUENCE], {"reverse": True}, 0, (1,)),
    Case("ReversibleEmbedding-untied", lambda L: L.ReversibleEmbedding(
        10, 4, tie_weights=False, mask_zero=True), [SEQUENCE], {"reverse": True}, 0, (1,)),
    Case("Lambda", lambda L: L.Lambda(ops.negative, name="minus"), [(2, 4)], oracle=False),
]
