"""`TextVectorization`: documents as the numbers of their words."""

from __future__ import annotations

import itertools
import string
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from kerata import ops
from kerata.backends.kinds import is_a
from kerata.backends.registry import backend, ensure
from kerata.backends.state import state
from kerata.core.text import as_bytes, as_str, as_strings
from kerata.layers.arguments import one_of
from kerata.layers.preprocessing import encoding as vectors
from kerata.layers.preprocessing.adapting import AdaptedLayer
from kerata.layers.preprocessing.string_lookup import StringLookup, held_text, of_strings

_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLIT = ("whitespace", "character")
_PUNCTUATION = string.punctuation.encode()
_BETWEEN = b"\0"


class TextVectorization(AdaptedLayer):
    """Documents as the numbers of their words, or of the words as vectors.

    A document is standardized, split into words, these are joined to n-grams, and looked up in a
    vocabulary as by `StringLookup`. It runs on the host, with no engine. In a model it has to come
    before what is compiled (see `DataLayer`).

    Args:
        max_tokens: the most numbers, special ones included; None for no limit.
        standardize: "lower_and_strip_punctuation", "lower", "strip_punctuation" (of ASCII all
            three), a function of an array of strings, or None.
        split: "whitespace", "character", a function of an array of strings that returns a list of
            words for each, or None.
        ngrams: the longest n-grams to take, a tuple of their lengths, or None for words alone.
        output_mode: "int" for the words' numbers, 0 behind the last and 1 for unknown ones;
            "multi_hot", "count" or "tf_idf" for a vector for each document; "one_hot" for one for
            each word.
        output_sequence_length: how many numbers are kept of a document ("int" alone); None for as
            many as the longest document of the batch has.
        pad_to_max_tokens: whether vectors have `max_tokens` entries in any case.
        vocabulary: the words, or the path of a file with one a line; None where `adapt` finds them.
        idf_weights: for "tf_idf" the inverse document frequency of each word.
        sparse: whether vectors are sparse tensors of the active backend.
        ragged: whether documents of numbers keep their lengths (TensorFlow alone has such tensors).
        encoding: of documents given as bytes.
        name: its name.

    Input: strings `(batch,)` or `(batch, 1)`. Output: int32 `(batch, words)`, or vectors.

    >>> layer = TextVectorization(vocabulary=["the", "fox"])
    >>> layer(["The quick fox!", "fox, fox"]).tolist()
    [[2, 1, 3], [3, 3, 0]]
    """

    on_host = True
    rows_at_once = 2**14
    live: ClassVar[Mapping[str, str]] = {
        **AdaptedLayer.live,
        "vocabulary": "given_vocabulary",
        "idf_weights": "given_weights",
    }

    def __init__(
        self,
        max_tokens: int | None = None,
        standardize: Any = "lower_and_strip_punctuation",
        split: Any = "whitespace",
        ngrams: Any = None,
        output_mode: str = "int",
        output_sequence_length: int | None = None,
        pad_to_max_tokens: bool = False,
        vocabulary: Any = None,
        idf_weights: Any = None,
        sparse: bool = False,
        ragged: bool = False,
        encoding: str = "utf-8",
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        self.output_mode = one_of(self, "output_mode", output_mode, ("int", *vectors.MODES))
        if standardize is not None and not callable(standardize):
            one_of(self, "standardize", standardize, _STANDARDIZE)
        if split is not None and not callable(split):
            one_of(self, "split", split, _SPLIT)
        if output_sequence_length is not None and output_mode != "int":
            raise ValueError(
                "TextVectorization: output_sequence_length needs output_mode='int'; got "
                f"{output_mode!r}"
            )
        if ragged and output_mode != "int":
            raise ValueError(
                f"TextVectorization: ragged=True needs output_mode='int'; got {output_mode!r}"
            )
        self.standardize, self.split, self.encoding = standardize, split, encoding
        self.output_sequence_length, self.ragged, self.sparse = output_sequence_length, ragged, sparse
        self.ngrams = _lengths(ngrams)
        self.autocast = False
        self._lookup_layer = StringLookup(
            max_tokens, 1, "", "[UNK]", vocabulary, idf_weights, False, output_mode,
            pad_to_max_tokens, sparse, encoding,
        )  # fmt: skip

    # The vocabulary

    @property
    def given_vocabulary(self) -> list[str] | None:
        """The words that the constructor was given, if not in a file."""
        return self._lookup_layer.given_vocabulary

    @property
    def given_weights(self) -> list[float] | None:
        """The inverse document frequencies that it was given with them."""
        return self._lookup_layer.given_weights

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[str]:
        """The words in the order of their numbers; see `StringLookup.get_vocabulary`."""
        return self._lookup_layer.get_vocabulary(include_special_tokens)

    def vocabulary_size(self) -> int:
        """How many numbers there are, the special ones included."""
        return self._lookup_layer.vocabulary_size()

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use this vocabulary; see `StringLookup.set_vocabulary`."""
        self._lookup_layer.set_vocabulary(vocabulary, idf_weights)

    def adapt(self, data: Any, batch_size: int | None = None, steps: int | None = None) -> None:
        """Find the vocabulary: the most frequent words first, of equals the greater ones.

        Args:
            data: documents in an array, list or series; or what yields batches of them.
            batch_size: how many documents of an array are taken at once.
            steps: the most batches to take.
        """
        if self._lookup_layer._fixed:
            raise ValueError(
                f"TextVectorization {self.name!r} was given a vocabulary, so it can't adapt"
            )
        self._adapt(data, batch_size, steps)

    def reset_state(self) -> None:
        """Forget the words that were counted."""
        self._lookup_layer.reset_state()

    def update_state(self, data: Any) -> None:
        """Count the words in documents."""
        rows = self.words(as_strings(data, "TextVectorization").reshape(-1))
        counts: Counter[str] = Counter()
        for word, count in Counter(itertools.chain.from_iterable(rows)).items():
            counts[_decoded(word)] += count
        self._lookup_layer.count(counts, ([_decoded(w) for w in row] for row in rows))

    def finalize_state(self) -> None:
        """Make the vocabulary of what was counted."""
        self._lookup_layer.finalize_state()

    # Words

    def words(self, documents: np.ndarray) -> list[list[Any]]:
        """The words and n-grams of each document, as `str` or `bytes`.

        Args:
            documents: an array of objects `(n,)`.
        """
        rows = self._split(self._standardized(documents))
        if self.ngrams is None:
            return rows
        return [list(itertools.chain(*(_joined(row, n) for n in self.ngrams))) for row in rows]

    def _standardized(self, documents: np.ndarray) -> list[Any]:
        if self.standardize is None:
            return list(documents.tolist())
        if callable(self.standardize):
            given = np.array(as_str(documents, self.encoding).tolist(), np.str_)
            return list(as_strings(self.standardize(given), "standardize").reshape(-1).tolist())
        texts = as_bytes(documents).tolist()
        whole = _BETWEEN.join(texts)
        if whole.count(_BETWEEN) != len(texts) - 1:
            return [self._changed(text) for text in texts]
        return self._changed(whole).split(_BETWEEN)

    def _changed(self, text: bytes) -> bytes:
        if "lower" in self.standardize:
            text = text.lower()
        return text.translate(None, _PUNCTUATION) if "strip" in self.standardize else text

    def _split(self, texts: list[Any]) -> list[list[Any]]:
        if self.split is None:
            return [[text] for text in texts]
        if callable(self.split):
            given = as_str(np.array(texts, object), self.encoding).tolist()
            found = self.split(np.array(given, np.str_))
            if is_a(found, "tensorflow", "RaggedTensor"):
                found = found.to_list()
            return [as_strings(list(row), "split").tolist() for row in found]
        if self.split == "whitespace":  # of ASCII, as bytes are split
            return [(t.encode() if isinstance(t, str) else t).split() for t in texts]
        return [list(_decoded(text)) for text in texts]

    # Calling

    def build(self, input_shape: Any = None) -> None:
        """Nothing to make."""
        self.built = True

    def get_build_config(self) -> dict[str, Any]:
        """Nothing, in Keras' form."""
        return {"input_shape": None}

    def as_inputs(self, inputs: Any) -> Any:
        """Documents in any form as `Text`."""
        return held_text(inputs, "TextVectorization")

    def call(self, inputs: Any) -> Any:
        """The words' numbers, or vectors."""
        lookup = self._lookup_layer
        if not lookup._tokens and (state.backend or ensure()).computes:
            lookup.refuse_without_vocabulary(self)
        mode, shape = self.output_mode, tuple(inputs.shape)
        if self.split is not None and len(shape) > 1 and (len(shape) > 2 or shape[1] != 1):
            raise ValueError(
                f"TextVectorization takes documents of the shape (batch,) or (batch, 1); got {shape}"
            )
        numbers = of_strings(self._numbers, inputs, "TextVectorization", self._shape(shape))
        if mode == "int":
            return _ragged(numbers) if self.ragged else numbers
        dtype = self.compute_dtype if mode == "tf_idf" else "int32"
        if mode == "one_hot" and self.split is not None:
            return ops.one_hot(numbers, lookup._size(), dtype=dtype)
        return vectors.encoded(numbers, mode, lookup._size(), dtype, lookup._weights, self.sparse)

    def _shape(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of the words' numbers."""
        length = self.output_sequence_length
        if self.split is not None:
            return (*shape[:1], length)
        return shape if length is None or not shape else (*shape[:-1], length)

    def _numbers(self, documents: np.ndarray) -> np.ndarray:
        """The numbers of the words of documents, filled up with 0, or -1 for vectors."""
        rows = self.words(documents.reshape(-1))
        flat = np.empty(sum(map(len, rows)), object)
        flat[:] = list(itertools.chain.from_iterable(rows))
        found = self._lookup_layer.look_up(flat)
        fill = 0 if self.output_mode == "int" and not self.ragged else -1
        if self.split is None and self.ngrams is None:
            return _cut(found.reshape(documents.shape), self.output_sequence_length, fill)
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        longest = max(lengths.max(initial=0), int(self.output_mode != "int"))
        table = np.full((len(rows), longest), fill, np.int32)
        table[np.arange(longest) < lengths[:, None]] = found
        return _cut(table if documents.ndim else table[0], self.output_sequence_length, fill)

    def compute_output_shape(self, input_shape: Any) -> tuple[Any, ...]:
        """`(batch, words)`, or with the vocabulary's size in the place of the words."""
        shape = self._shape(tuple(input_shape))
        if self.output_mode in ("int", "one_hot"):
            return shape + ((self._lookup_layer._size(),) if self.output_mode != "int" else ())
        return vectors.encoded_shape(self.output_mode, shape, self._lookup_layer._size())

    # Saving

    def get_config(self) -> dict[str, Any]:
        """The arguments; a vocabulary that was found or read is not among them."""
        size = self._lookup_layer.get_config()["vocabulary_size"]
        return super().get_config() | {"vocabulary_size": size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer from what `get_config` returned, here or in Keras."""
        layer = super().from_config({n: v for n, v in config.items() if n != "vocabulary_size"})
        layer._lookup_layer._expected = config.get("vocabulary_size")
        return layer

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary to a folder."""
        self._lookup_layer.save_assets(dir_path)

    def load_assets(self, dir_path: Any) -> None:
        """Take the vocabulary out of a folder."""
        self._lookup_layer.load_assets(dir_path)

    def save_own_variables(self, store: Any) -> None:
        """Put the inverse document frequencies into `store`."""
        self._lookup_layer.save_own_variables(store)

    def load_own_variables(self, store: Any) -> None:
        """Take the inverse document frequencies out of `store`."""
        self._lookup_layer.load_own_variables(store)


def _lengths(ngrams: Any) -> tuple[int, ...] | None:
    if isinstance(ngrams, int) and not isinstance(ngrams, bool) and ngrams > 0:
        return tuple(range(1, ngrams + 1))
    if ngrams is not None and not (
        isinstance(ngrams, (list, tuple)) and all(isinstance(n, int) and n > 0 for n in ngrams)
    ):
        raise ValueError(
            f"TextVectorization: ngrams must be a positive integer or a tuple of them; got {ngrams!r}"
        )
    return None if ngrams is None else tuple(ngrams)


def _joined(row: list[Any], n: int) -> list[Any]:
    if n == 1 or not row:
        return row if n == 1 else []
    space: Any = " " if isinstance(row[0], str) else b" "
    return [space.join(words) for words in zip(*(row[i:] for i in range(n)), strict=False)]


def _decoded(text: str | bytes) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text


def _cut(numbers: np.ndarray, length: int | None, fill: int) -> np.ndarray:
    """The first `length` along the last axis, filled up where there are fewer."""
    if length is None or not numbers.ndim:
        return numbers
    missing = max(length - numbers.shape[-1], 0)
    pads = [(0, 0)] * (numbers.ndim - 1) + [(0, missing)]
    return np.pad(numbers[..., :length], pads, constant_values=fill)


def _ragged(numbers: Any) -> Any:
    if backend() != "tensorflow" or not is_a(numbers, "tensorflow", "Tensor"):
        if hasattr(numbers, "dtype") and backend() == "abstract":
            return numbers
        raise ValueError(
            "TextVectorization: ragged=True needs the tensorflow backend, which alone has ragged "
            f"tensors; the active one is {backend()}"
        )
    return sys.modules["tensorflow"].RaggedTensor.from_tensor(numbers, padding=-1)


