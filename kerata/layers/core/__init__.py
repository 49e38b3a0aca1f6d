"""Core layers: inputs, dense layers, embeddings, functions."""

from kerata.layers.core.dense import Dense
from kerata.layers.core.einsum_dense import EinsumDense
from kerata.layers.core.embedding import Embedding
from kerata.layers.core.input_layer import Input, InputLayer
from kerata.layers.core.lambda_layer import Lambda

__all__ = ["Dense", "EinsumDense", "Embedding", "Input", "InputLayer", "Lambda"]
