"""Core layers: inputs, dense layers, embeddings, masks, functions, and the base of wrappers."""

from kerata.layers.core.dense import Dense
from kerata.layers.core.einsum_dense import EinsumDense
from kerata.layers.core.embedding import Embedding
from kerata.layers.core.identity import Identity
from kerata.layers.core.input_layer import Input, InputLayer
from kerata.layers.core.lambda_layer import Lambda
from kerata.layers.core.masking import Masking
from kerata.layers.core.reversible_embedding import ReversibleEmbedding
from kerata.layers.core.wrapper import Wrapper

__all__ = [
    "Dense", "EinsumDense", "Embedding", "Identity", "Input", "InputLayer", "Lambda", "Masking",
    "ReversibleEmbedding", "Wrapper",
]  # fmt: skip
