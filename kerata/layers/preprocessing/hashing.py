"""`Hashing`: strings and integers as the numbers of bins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.backends.registry import ensure
from kerata.core.text import OnHost, as_bytes, as_strings, is_text
from kerata.layers.arguments import positive
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.encoding import MODES, Encodes
from kerata.layers.preprocessing.hashes import checked_salt, decimal, hashed
from kerata.layers.preprocessing.numbers import held_integers
from kerata.layers.preprocessing.string_lookup import held_text


class Hashes(Encodes, DataLayer):
    """What layers share that put values into bins by a hash of them."""

    on_host = True

    def _set_up(self, num_bins: int, output_mode: str, sparse: bool, modes: Any) -> None:
        name = type(self).__name__
        self.num_bins = positive(self, "num_bins", num_bins)
        self._set_output(output_mode, sparse, modes)
        if output_mode == "int" and not dtypes.is_integer(self.compute_dtype):
            raise ValueError(
                f"{name}: dtype must be an integer one for output_mode 'int'; got {self.dtype!r}"
            )

    def _size(self) -> int:
        return self.num_bins

    @property
    def output_dtype(self) -> str:
        """The dtype of what it returns: int64 as int32, which every backend has."""
        return "int32" if self.compute_dtype == "int64" else self.compute_dtype

    def bins(self, *values: np.ndarray) -> np.ndarray:
        """The bins of arrays of strings or integers."""
        raise NotImplementedError

    def _bins(self, inputs: Sequence[Any]) -> Any:
        values = [x.values if isinstance(x, OnHost) else x for x in inputs]
        dtype = self.output_dtype if self.output_mode == "int" else "int32"
        return ensure().host_call(self.bins, values, tuple(values[0].shape), dtype)


class Hashing(Hashes):
    """The bin of each string or integer: a hash of it (of an integer's digits), modulo `num_bins`.

    The hash is FarmHash's Fingerprint64, or with `salt` SipHash-2-4; it never changes.

    Args:
        num_bins: how many bins there are, that of `mask_value` included.
        mask_value: what alone is put into bin 0; None for nothing.
        salt: an integer or two that choose another hash.
        output_mode: "int" for the bins' numbers, or "one_hot", "multi_hot", "count", as in
            `CategoryEncoding`.
        sparse: whether vectors are sparse tensors of the active backend.

    Input: strings or integers of any shape. Output: integers of that shape, or vectors.

    >>> Hashing(3)([["A"], ["B"], ["C"]]).tolist()
    [[1], [0], [1]]
    """

    takes_sparse = True

    def __init__(
        self,
        num_bins: int,
        mask_value: Any = None,
        salt: Any = None,
        output_mode: str = "int",
        sparse: bool = False,
        **kwargs: Any,
    ) -> None:
        if output_mode == "int" and kwargs.get("dtype") is None:
            kwargs["dtype"] = "int64"
        super().__init__(**kwargs)
        self._set_up(num_bins, output_mode, sparse, ("int", *MODES[:-1]))
        self.mask_value, self.salt = mask_value, checked_salt("Hashing", salt)

    def as_inputs(self, inputs: Any) -> Any:
        """Text in any form as `Text`, lists of integers as arrays."""
        return held(inputs, "Hashing")

    def call(self, inputs: Any) -> Any:
        """The bins, or vectors of them."""
        return self._encoded(lambda x: self._bins([x]), inputs, self.output_dtype)

    def bins(self, *values: np.ndarray) -> np.ndarray:
        """The bins of an array of strings or integers."""
        flat = np.asarray(values[0]).reshape(-1)
        texts = _texts(flat) if flat.dtype.kind in "USOT" else decimal(flat)
        if self.mask_value is None:
            found = hashed(texts, self.salt, self.num_bins)
        else:
            found = 1 + hashed(texts, self.salt, max(self.num_bins - 1, 1))
            text = isinstance(self.mask_value, (str, bytes))
            mask = _texts(np.array([self.mask_value], object))[0] if text else self.mask_value
            found[(texts if text else flat) == mask] = 0
            found = np.minimum(found, self.num_bins - 1)
        return found.astype(np.int64).reshape(np.shape(values[0]))

    def get_config(self) -> dict[str, Any]:
        """The arguments, the salt as two numbers."""
        return super().get_config() | {"salt": None if self.salt is None else list(self.salt)}


def held(inputs: Any, owner: str) -> Any:
    """Strings or integers in any form as `Text` or as arrays."""
    return held_text(inputs, owner) if is_text(inputs) else held_integers(inputs, owner)


def _texts(strings: np.ndarray) -> np.ndarray:
    return as_bytes(as_strings(strings, "Hashing"))
