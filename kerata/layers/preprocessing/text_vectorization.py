"""`TextVectorization`: documents as the numbers of their words."""

from __future__ import annotations

import functools
import itertools
import string
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from kerata import ops
from kerata.backends.registry import ensure
from kerata.backends.sparse import is_ragged
from kerata.core.text import as_bytes, as_str, as_strings
from kerata.layers.arguments import one_of
from kerata.layers.preprocessing.adapting import AdaptedLayer
from kerata.layers.preprocessing.encoding import MODES, Encodes
from kerata.layers.preprocessing.string_lookup import StringLookup, held_text, of_strings

_STANDARDIZE = ("lower_and_strip_punctuation", "lower", "strip_punctuation")
_SPLIT = ("whitespace", "character")
_PUNCTUATION = string.punctuation.encode()
_BETWEEN = b"\0"


def _looked_up(method: Callable[..., Any]) -> Any:
    """A method that is that of the look-up layer."""

    @functools.wraps(method)
    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return method(self._lookup_layer, *args, **kwargs)

    return call


class TextVectorization(Encodes, AdaptedLayer):
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
        self._set_output(output_mode, sparse, ("int", *MODES))
        if standardize is not None and not callable(standardize):
            one_of(self, "standardize", standardize, _STANDARDIZE)
        if split is not None and not callable(split):
            one_of(self, "split", split, _SPLIT)
        for argument, given in (
            ("output_sequence_length", output_sequence_length is not None),
            ("ragged", ragged),
        ):
            if given and output_mode != "int":
                raise ValueError(
                    f"TextVectorization: {argument} needs output_mode='int'; got {output_mode!r}"
                )
        self.standardize, self.split, self.encoding = standardize, split, encoding
        self.output_sequence_length, self.ragged = output_sequence_length, ragged
        self.ngrams = _lengths(ngrams)
        self._lookup_layer = StringLookup(
            max_tokens, 1, "", "[UNK]", vocabulary, idf_weights, False, output_mode,
            pad_to_max_tokens, sparse, encoding,
        )  # fmt: skip

    # The vocabulary, which the look-up layer has

    get_vocabulary = _looked_up(StringLookup.get_vocabulary)
    vocabulary_size = _looked_up(StringLookup.vocabulary_size)
    set_vocabulary = _looked_up(StringLookup.set_vocabulary)
    reset_state = _looked_up(StringLookup.reset_state)
    finalize_state = _looked_up(StringLookup.finalize_state)
    save_assets = _looked_up(StringLookup.save_assets)
    load_assets = _looked_up(StringLookup.load_assets)
    save_own_variables = _looked_up(StringLookup.save_own_variables)
    load_own_variables = _looked_up(StringLookup.load_own_variables)
    given_vocabulary = property(lambda self: self._lookup_layer.given_vocabulary)
    given_weights = property(lambda self: self._lookup_layer.given_weights)
    learns = property(lambda self: self._lookup_layer.learns)
    learnt = StringLookup.learnt

    def adapt(  # type: ignore[override]
        self, data: Any, batch_size: int | None = None, steps: int | None = None
    ) -> None:
        """Find the vocabulary: the most frequent words first, of equals the greater ones.

        Args:
            data: documents in an array, list or series; or what yields batches of them.
            batch_size: how many documents of an array are taken at once.
            steps: the most batches to take.
        """
        self._adapt(data, batch_size or self.rows_at_once, steps)

    def update_state(self, data: Any) -> None:
        """Count the words in documents."""
        documents = as_strings(data, "TextVectorization")
        rows = self.words(documents if documents.ndim > 1 else documents.reshape(-1, 1))
        counts: Counter[str] = Counter()
        for word, count in Counter(itertools.chain.from_iterable(rows)).items():
            counts[_decoded(word)] += count
        self._lookup_layer.count(counts, ([_decoded(w) for w in row] for row in rows))

    # Words

    def words(self, documents: np.ndarray) -> list[list[Any]]:
        """The words and n-grams of each document, as `str` or `bytes`.

        Args:
            documents: an array of objects; each is a document, or where there is no `split` each
                row along the last axis.
        """
        texts = self._standardized(documents.reshape(-1))
        if self.split is None:
            width = documents.shape[-1] if documents.ndim else 1
            rows = [texts[i : i + width] for i in range(0, len(texts), max(width, 1))]
        else:
            rows = self._split(texts)
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
        if callable(self.split):
            given = as_str(np.array(texts, object), self.encoding).tolist()
            found = self.split(np.array(given, np.str_))
            if is_ragged(found):
                found = found.to_list()
            return [as_strings(list(row), "split").tolist() for row in found]
        if self.split == "whitespace":  # of ASCII, as bytes are split
            return [(t.encode() if isinstance(t, str) else t).split() for t in texts]
        return [list(_decoded(text)) for text in texts]

    # Calling

    def get_build_config(self) -> dict[str, Any]:
        """Nothing, in Keras' form."""
        return {"input_shape": None}

    def as_inputs(self, inputs: Any) -> Any:
        """Documents in any form as `Text`."""
        return held_text(inputs, "TextVectorization")

    def call(self, inputs: Any) -> Any:
        """The words' numbers, or vectors."""
        lookup, shape = self._lookup_layer, tuple(inputs.shape)
        lookup.refuse_without_vocabulary(self)
        if self.split is not None and (len(shape) > 2 or shape[1:] not in ((), (1,))):
            raise ValueError(
                "TextVectorization takes documents of the shape (batch,) or (batch, 1); got "
                f"{shape}"
            )
        numbers = of_strings(self._numbers, inputs, "TextVectorization", self._shape(shape))
        if self.ragged and len(numbers.shape) > 1:
            return ensure().to_ragged(numbers, -1)
        dtype = self.compute_dtype if self.output_mode == "tf_idf" else "int32"
        if self.output_mode == "one_hot" and self.split is not None:
            return ops.one_hot(numbers, self._size(), dtype=dtype)
        return self._encoded(lambda x: x, numbers, dtype, lookup._weights)

    def _size(self) -> int:
        return self._lookup_layer._size()

    def _shape(self, shape: tuple[Any, ...]) -> tuple[Any, ...]:
        """The shape of the words' numbers."""
        length = self.output_sequence_length
        if self.split is not None:
            return (*shape[:1], length)
        return shape if length is None and self.ngrams is None else (*shape[:-1], length)

    def _numbers(self, documents: np.ndarray) -> np.ndarray:
        """The numbers of the words of documents, filled up with 0, or -1 for vectors."""
        rows = self.words(documents)
        flat = np.empty(sum(map(len, rows)), object)
        flat[:] = list(itertools.chain.from_iterable(rows))
        found = self._lookup_layer.look_up(flat)
        lengths = np.fromiter(map(len, rows), np.int64, len(rows))
        longest = max(lengths.max(initial=0), int(self.output_mode != "int"))
        length = longest if self.output_sequence_length is None else self.output_sequence_length
        width = max(longest, length)
        ragged = self.ragged and len(self._shape(documents.shape)) > 1
        fill = -1 if ragged or self.output_mode != "int" else 0
        table = np.full((len(rows), width), fill, np.int32)
        table[np.arange(width) < lengths[:, None]] = found
        shape = [length if size is None else size for size in self._shape(documents.shape)]
        return table[:, :length].reshape(shape)

    def compute_output_shape(self, input_shape: Any, *_: Any) -> tuple[Any, ...]:
        """`(batch, words)`, or with the vocabulary's size in the place of the words."""
        shape = self._shape(tuple(input_shape))
        if self.output_mode == "one_hot":
            return (*shape, self._size())
        return super().compute_output_shape(shape)

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


def _lengths(ngrams: Any) -> tuple[int, ...] | None:
    if isinstance(ngrams, int) and not isinstance(ngrams, bool) and ngrams > 0:
        return tuple(range(1, ngrams + 1))
    if ngrams is not None and not (
        isinstance(ngrams, (list, tuple)) and all(isinstance(n, int) and n > 0 for n in ngrams)
    ):
        raise ValueError(
            "TextVectorization: ngrams must be a positive integer or a tuple of them; got "
            f"{ngrams!r}"
        )
    return None if ngrams is None else tuple(ngrams)


def _joined(row: list[Any], n: int) -> list[Any]:
    if n == 1 or not row:
        return row if n == 1 else []
    space: Any = " " if isinstance(row[0], str) else b" "
    return [space.join(words) for words in zip(*(row[i:] for i in range(n)), strict=False)]


def _decoded(text: str | bytes) -> str:
    return text.decode("utf-8", "replace") if isinstance(text, bytes) else text
