"""Layers that prepare data: text, numbers, categories."""

from kerata.layers.preprocessing.category_encoding import CategoryEncoding
from kerata.layers.preprocessing.discretization import Discretization
from kerata.layers.preprocessing.hashed_crossing import HashedCrossing
from kerata.layers.preprocessing.hashing import Hashing
from kerata.layers.preprocessing.integer_lookup import IntegerLookup
from kerata.layers.preprocessing.normalization import Normalization
from kerata.layers.preprocessing.string_lookup import StringLookup
from kerata.layers.preprocessing.text_vectorization import TextVectorization

__all__ = [
    "CategoryEncoding", "Discretization", "HashedCrossing", "Hashing", "IntegerLookup",
    "Normalization", "StringLookup", "TextVectorization",
]  # fmt: skip
