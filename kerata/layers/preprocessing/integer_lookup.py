"""`IntegerLookup`: integers of a vocabulary as consecutive ones, and back."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from kerata import ops
from kerata.backends.kinds import is_a
from kerata.backends.registry import ensure, load, using
from kerata.core.text import OnHost
from kerata.layers.arguments import one_of
from kerata.layers.preprocessing.hashes import decimal, hashed
from kerata.layers.preprocessing.lookup import IndexLookup
from kerata.layers.preprocessing.numbers import held_integers
from kerata.layers.preprocessing.vocabulary import read_lines


class IntegerLookup(IndexLookup):
    """The number of each integer in a vocabulary; or with `invert` the integer of each number.

    Args:
        mask_token: the integer that stands for nothing and has the number 0; None for none.
        oov_token: the integer that stands in the vocabulary for those outside of it.
        vocabulary_dtype: "int64".
        oov_method: which of several numbers an unknown integer gets: "floormod" for the remainder
            of a division, "farmhash" for a hash, which `salt` chooses.

    All other arguments are those of `StringLookup`.

    Input: integers of any shape. Output: int32 of that shape, or vectors.

    >>> IntegerLookup(vocabulary=[10, 20])([[20, 7], [10, 20]]).tolist()
    [[2, 0], [1, 2]]
    """

    def __init__(
        self,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        mask_token: int | None = None,
        oov_token: int = -1,
        vocabulary: Any = None,
        vocabulary_dtype: str = "int64",
        idf_weights: Any = None,
        invert: bool = False,
        output_mode: str = "int",
        sparse: bool = False,
        pad_to_max_tokens: bool = False,
        oov_method: str = "floormod",
        salt: Any = None,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if vocabulary_dtype != "int64":
            raise ValueError(
                f"IntegerLookup: vocabulary_dtype must be 'int64'; got {vocabulary_dtype!r}"
            )
        self.oov_method = one_of(self, "oov_method", oov_method, ("floormod", "farmhash"))
        if salt is not None and oov_method != "farmhash":
            raise ValueError("IntegerLookup: salt needs oov_method='farmhash'")
        self.on_host = oov_method == "farmhash" and num_oov_indices > 1 and not invert
        self._set_up(
            max_tokens, num_oov_indices, mask_token, oov_token, vocabulary, idf_weights, invert,
            output_mode, sparse, pad_to_max_tokens, salt,
        )  # fmt: skip

    def as_inputs(self, inputs: Any) -> Any:
        """Lists and series as arrays; integers of more than 32 bits stay on the host."""
        return held_integers(inputs, "IntegerLookup")

    def _as_tokens(self, vocabulary: Any) -> list[Any]:
        if isinstance(vocabulary, (str, os.PathLike)):
            vocabulary = read_lines(vocabulary)
        found: list[Any] = np.asarray(vocabulary).astype(np.int64).reshape(-1).tolist()
        return found

    def _flat(self, data: Any) -> np.ndarray:
        if is_a(data, "tensorflow", "RaggedTensor"):
            data = data.flat_values
        return np.asarray(data.numpy() if hasattr(data, "numpy") else data).astype(np.int64)

    def _prepare_table(self) -> None:
        first = len(self._specials)
        keys, numbers = list(self._tokens), list(range(first, first + len(self._tokens)))
        if self.mask_token is not None:
            keys.append(self.mask_token)
            numbers.append(0 if self.output_mode == "int" else -1)
        order = np.argsort(np.array(keys, np.int64), kind="stable")
        self._keys = np.array(keys, np.int64)[order]
        self._places = np.array(numbers, np.int32)[order]

    def _numbers(self, inputs: Any) -> Any:
        if isinstance(inputs, OnHost):
            with using(load("numpy")):
                found = self._numbers(inputs.values)
            return ops.convert_to_tensor(found)
        x = inputs
        keys = self._keys
        wide = str(getattr(x.dtype, "name", x.dtype)).endswith("64")
        if not wide:  # an engine may have no integers of 64 bits
            inside = (keys >= -(2**31)) & (keys < 2**31)
            keys, places = keys[inside].astype(np.int32), self._places[inside]
            x = ops.cast(x, "int32")
        else:
            x, places = ops.cast(x, "int64"), self._places
        unknown = self._unknown(x)
        if not len(keys):
            return unknown
        at = ops.minimum(ops.searchsorted(keys, x), len(keys) - 1)
        return ops.where(ops.equal(ops.take(keys, at), x), ops.take(places, at), unknown)

    def _unknown(self, x: Any) -> Any:
        """The numbers of integers as if none were in the vocabulary."""
        first = int(self.mask_token is not None and self.output_mode == "int")
        if self.num_oov_indices == 0:
            return ensure().host_call(self._refused, [x], tuple(x.shape), "int32")
        if self.num_oov_indices == 1:
            return ops.full_like(x, first, dtype="int32")
        if self.oov_method == "floormod":
            return ops.cast(ops.add(ops.mod(x, self.num_oov_indices), first), "int32")

        def bins(values: np.ndarray) -> np.ndarray:
            found = hashed(decimal(values.reshape(-1)), self.salt, self.num_oov_indices)
            return (first + found).reshape(values.shape)

        return ensure().host_call(bins, [x], tuple(x.shape), "int32")

    def _refused(self, values: np.ndarray) -> np.ndarray:
        self._refuse_unknown(values[~np.isin(values, self._keys)].tolist())
        return np.zeros(values.shape, np.int32)

    def _inverted(self, inputs: Any) -> Any:
        vocabulary = np.array([*self.get_vocabulary(), self.oov_token], np.int64)
        if abs(vocabulary).max() < 2**31:
            vocabulary = vocabulary.astype(np.int32)
        last = len(vocabulary) - 1
        inside = ops.logical_and(ops.greater_equal(inputs, 0), ops.less(inputs, last))
        return ops.take(vocabulary, ops.cast(ops.where(inside, inputs, last), "int32"))
