"""`Hashing`: strings and integers as the numbers of bins."""

from __future__ import annotations

from typing import Any

import numpy as np

from kerata.backends import dtypes
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.text import Text, as_bytes, as_strings, is_text
from kerata.layers.arguments import one_of, positive
from kerata.layers.preprocessing import encoding as vectors
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.hashes import fingerprints, keyed
from kerata.layers.preprocessing.irregular import is_irregular, on_values
from kerata.layers.preprocessing.lookup import checked_salt
from kerata.layers.preprocessing.string_lookup import held_text


class Integers:
    """An array of integers that are too large for 32 bits, kept on the host like `Text`."""

    __slots__ = ("__weakref__", "values")

    def __init__(self, values: np.ndarray) -> None:
        self.values = values

    @property
    def shape(self) -> tuple[int, ...]:
        """Its sizes."""
        return self.values.shape

    def with_axis(self) -> Integers:
        """The same with a last axis of size 1."""
        return Integers(self.values[..., None])

    @property
    def dtype(self) -> Any:
        """That of the array."""
        return self.values.dtype


def held_integers(inputs: Any, owner: str) -> Any:
    """Lists and series as arrays, and arrays that 32 bits can't hold as `Integers`."""
    if is_irregular(inputs) or (state.backend or ensure()).tensor_types == (np.ndarray,):
        return np.asarray(inputs) if isinstance(inputs, (int, list, tuple)) else inputs
    if isinstance(inputs, (int, list, tuple, np.generic)) or hasattr(inputs, "to_numpy"):
        inputs = np.asarray(inputs)
    if not isinstance(inputs, np.ndarray):
        return inputs
    if inputs.dtype.kind in "USO":
        raise TypeError(f"{owner} takes integers; got {inputs.dtype}")
    wide = inputs.dtype.itemsize == 8 and inputs.dtype.kind in "iu" and inputs.size
    if wide and (inputs.min() < -(2**31) or inputs.max() >= 2**31):
        return Integers(inputs)
    return inputs


def decimal(integers: np.ndarray) -> np.ndarray:
    """Integers in decimal digits, bytes in an array of objects."""
    return integers.astype("S21").astype(object)


class Hashing(DataLayer):
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

    on_host = True
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
        self.num_bins = positive(self, "num_bins", num_bins)
        self.output_mode = one_of(self, "output_mode", output_mode, ("int", *vectors.MODES[:-1]))
        if sparse and output_mode == "int":
            raise ValueError("Hashing: sparse=True needs another output_mode than 'int'")
        if output_mode == "int" and not dtypes.is_integer(self.compute_dtype):
            raise ValueError(
                f"Hashing: dtype must be an integer one for output_mode 'int'; got {self.dtype!r}"
            )
        self.mask_value, self.sparse = mask_value, sparse
        self.salt = checked_salt("Hashing", salt)
        self.autocast = False

    def as_inputs(self, inputs: Any) -> Any:
        """Text in any form as `Text`, lists of integers as arrays."""
        if is_text(inputs):
            return held_text(inputs, "Hashing")
        return held_integers(inputs, "Hashing")

    def bins(self, values: np.ndarray) -> np.ndarray:
        """The bins of an array of strings or integers."""
        flat = np.asarray(values).reshape(-1)
        if flat.dtype.kind in "USOT":
            texts = as_bytes(as_strings(flat, "Hashing"))
        else:
            texts = decimal(flat.astype(np.int64))
        found = fingerprints(texts) if self.salt is None else keyed(texts, self.salt)
        if self.mask_value is None:
            numbers = found % np.uint64(self.num_bins)
        else:
            numbers = 1 + found % np.uint64(max(self.num_bins - 1, 1))
            mask = as_bytes(np.array([self.mask_value], object)) if flat.dtype.kind == "O" else None
            masked = texts == mask[0] if mask is not None else flat == self.mask_value
            numbers[masked] = 0
        return numbers.astype(np.int64).reshape(np.shape(values))

    def call(self, inputs: Any) -> Any:
        """The bins, or vectors of them."""
        dtype = self.output_dtype
        return on_values(
            self._bins,
            inputs,
            lambda x: vectors.encoded(
                x, self.output_mode, self.num_bins, dtype, sparse=self.sparse
            ),
            self.output_mode == "int",
        )

    @property
    def output_dtype(self) -> str:
        """The dtype of what it returns: int64 as int32, which every backend has."""
        return "int32" if self.compute_dtype == "int64" else self.compute_dtype

    def _bins(self, inputs: Any) -> Any:
        x = inputs.values if isinstance(inputs, (Text, Integers)) else inputs
        dtype = self.output_dtype if self.output_mode == "int" else "int32"
        return (state.backend or ensure()).host_call(self.bins, [x], tuple(x.shape), dtype)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """The input's, or with `num_bins` for the last axis."""
        return vectors.encoded_shape(self.output_mode, tuple(input_shape), self.num_bins)

    def get_config(self) -> dict[str, Any]:
        """The arguments, the salt as two numbers."""
        return super().get_config() | {"salt": None if self.salt is None else list(self.salt)}
