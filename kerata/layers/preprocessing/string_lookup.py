"""`StringLookup`: strings as integers, and back."""

from __future__ import annotations

import itertools
import os
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from kerata.backends.kinds import is_a
from kerata.backends.registry import ensure
from kerata.core.text import Text, as_bytes, as_str, as_strings, is_text
from kerata.layers.preprocessing.hashes import hashed
from kerata.layers.preprocessing.irregular import is_irregular
from kerata.layers.preprocessing.lookup import IndexLookup
from kerata.layers.preprocessing.vocabulary import read_lines


class StringLookup(IndexLookup):
    """The number of each string in a vocabulary; or with `invert` the string of each number.

    It runs on the host, with no engine: strings are those of NumPy, Python, pandas, polars, Arrow
    or TensorFlow. In a model it has to come before what is compiled (see `DataLayer`).

    Args:
        max_tokens: the most numbers, special tokens included; None for no limit.
        num_oov_indices: how many numbers strings outside of the vocabulary share, by a hash of
            them; with 0 they are an error.
        mask_token: the string that stands for nothing and has the number 0; None for none.
        oov_token: what stands in the vocabulary for those outside of it.
        vocabulary: the strings, or the path of a file with one a line; None where `adapt` finds
            them.
        idf_weights: for "tf_idf" the inverse document frequency of each string.
        invert: whether numbers come in and strings go out.
        output_mode: "int", or what `CategoryEncoding` makes of the numbers: "one_hot", "multi_hot",
            "count"; "tf_idf" for counts times `idf_weights`.
        pad_to_max_tokens: whether vectors have `max_tokens` entries in any case.
        sparse: whether vectors are sparse tensors of the active backend.
        encoding: of strings given as bytes.
        name: its name.
        salt: an integer or two, that choose another hash.

    Input: strings of any shape. Output: int32 of that shape, or vectors.

    >>> StringLookup(vocabulary=["a", "b"])([["b", "z"], ["a", "b"]]).tolist()
    [[2, 0], [1, 2]]
    """

    on_host = True
    beside: ClassVar[Mapping[str, Any]] = {"oov_method": "floormod"}  # which changes nothing

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: str | None = None,
        oov_token: str = "[UNK]",
        vocabulary: Any = None,
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        pad_to_max_tokens: bool = False,
        sparse: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        salt: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.encoding = encoding
        self._set_up(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert,
            output_mode, sparse, pad_to_max_tokens, salt,
        )  # fmt: skip

    def as_inputs(self, inputs: Any) -> Any:
        """Text that was given in any form as `Text`."""
        if self.invert:
            return np.asarray(inputs) if isinstance(inputs, (int, list, tuple)) else inputs
        return held_text(inputs, "StringLookup")

    def _as_tokens(self, vocabulary: Any) -> list[Any]:
        if isinstance(vocabulary, (str, os.PathLike)):
            return read_lines(vocabulary, self.encoding)
        return as_str(self._flat(vocabulary), self.encoding).reshape(-1).tolist()

    def _flat(self, data: Any) -> np.ndarray:
        if is_a(data, "tensorflow", "RaggedTensor"):
            data = data.flat_values
        return as_str(as_strings(data, type(self).__name__), self.encoding)

    def _prepare_table(self) -> None:
        first = len(self._specials)
        table = {t: i for i, t in enumerate(self._tokens, first)}
        if self.mask_token is not None:
            table[self.mask_token] = 0 if self.output_mode == "int" else -1
        self._table: dict[Any, int] = table | {t.encode("utf-8"): i for t, i in table.items()}

    def look_up(self, strings: np.ndarray) -> np.ndarray:
        """The numbers of strings, `str` or `bytes`, in an array of objects."""
        flat = strings.reshape(-1).tolist()
        unknown = -2
        numbers = np.fromiter(
            map(self._table.get, flat, itertools.repeat(unknown)), np.int32, len(flat)
        )
        first = int(self.mask_token is not None and self.output_mode == "int")
        where = np.flatnonzero(numbers == unknown)
        if self.num_oov_indices == 0:
            self._refuse_unknown(strings.reshape(-1)[where].tolist())
        elif self.num_oov_indices == 1:
            numbers[where] = first
        else:
            texts = as_bytes(strings.reshape(-1)[where])
            numbers[where] = first + hashed(texts, self.salt, self.num_oov_indices)
        return numbers.reshape(strings.shape)

    def _numbers(self, inputs: Any) -> Any:
        return of_strings(self.look_up, inputs, type(self).__name__)

    def _inverted(self, inputs: Any) -> Any:
        vocabulary = np.array([*self.get_vocabulary(), self.oov_token], object)

        def function(numbers: np.ndarray) -> np.ndarray:
            inside = (numbers >= 0) & (numbers < len(vocabulary) - 1)
            return np.asarray(vocabulary[np.where(inside, numbers, -1)])

        return ensure().host_call(function, [inputs], tuple(inputs.shape), "string")


def held_text(inputs: Any, owner: str) -> Any:
    """Text in any form as `Text`; symbolic, ragged and graph tensors as they are."""
    if is_irregular(inputs) or (
        is_a(inputs, "tensorflow", "Tensor") and not hasattr(inputs, "numpy")
    ):
        return inputs
    host = isinstance(inputs, (np.ndarray, list, tuple)) or hasattr(inputs, "to_numpy")
    return Text(as_strings(inputs, owner)) if host or is_text(inputs) else inputs


def of_strings(function: Any, inputs: Any, owner: str, shape: Any = None) -> Any:
    """`function` of an array of strings, on the host, as an int32 tensor of the active backend."""

    def run(values: Any) -> Any:
        return function(as_strings(values, owner))

    x = inputs.values if isinstance(inputs, Text) else inputs
    dtype = getattr(x, "dtype", None)
    if not isinstance(x, np.ndarray) and "string" not in str(getattr(dtype, "name", dtype)):
        raise TypeError(f"{owner} takes strings; got {dtype or type(x).__name__}")
    return ensure().host_call(run, [x], tuple(x.shape) if shape is None else shape, "int32")
