"""`IndexLookup`: tokens as integers, and back."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from kerata.backends.registry import ensure
from kerata.layers.preprocessing.adapting import AdaptedLayer
from kerata.layers.preprocessing.encoding import MODES, Encodes
from kerata.layers.preprocessing.hashes import checked_salt
from kerata.layers.preprocessing.vocabulary import load_tokens, save_tokens


class IndexLookup(Encodes, AdaptedLayer):
    """What the look-ups of strings and integers share.

    Tokens are numbered from 0: the mask token (if there is one, and the output is "int"), the
    tokens out of the vocabulary, which share `num_oov_indices` numbers, and the vocabulary.
    """

    rows_at_once = 2**16
    learnt = "a vocabulary"
    takes_sparse = True
    live: ClassVar[Mapping[str, str]] = {
        **AdaptedLayer.live,
        "vocabulary": "given_vocabulary",
        "idf_weights": "given_weights",
    }
    beside: ClassVar[Mapping[str, Any]] = {}  # what else Keras' configs have

    def _set_up(
        self,
        max_tokens: int | None,
        num_oov_indices: int,
        mask_token: Any,
        oov_token: Any,
        vocabulary: Any,
        idf_weights: Any,
        invert: bool,
        output_mode: str,
        sparse: bool,
        pad_to_max_tokens: bool,
        salt: Any,
    ) -> None:
        name = type(self).__name__
        if max_tokens is not None and max_tokens <= 1:
            raise ValueError(f"{name}: max_tokens must be more than 1; got {max_tokens!r}")
        if pad_to_max_tokens and max_tokens is None:
            raise ValueError(f"{name}: pad_to_max_tokens needs max_tokens")
        if num_oov_indices < 0:
            raise ValueError(f"{name}: num_oov_indices must be at least 0; got {num_oov_indices}")
        self._set_output(output_mode, sparse, ("int", *MODES))
        if invert and output_mode != "int":
            raise ValueError(
                f"{name}: output_mode must be 'int' where invert is True; got {output_mode!r}"
            )
        if idf_weights is not None and output_mode != "tf_idf":
            raise ValueError(f"{name}: idf_weights need output_mode='tf_idf'; got {output_mode!r}")
        self.max_tokens, self.num_oov_indices = max_tokens, num_oov_indices
        self.mask_token, self.oov_token = mask_token, oov_token
        self.invert, self.pad_to_max_tokens = invert, pad_to_max_tokens
        self.salt = checked_salt(name, salt)
        self._tokens: list[Any] = []
        self.given_vocabulary: list[Any] | None = None  # by the constructor, and not in a file
        self.given_weights: list[float] | None = None
        self._expected: int | None = None  # the size of a vocabulary that is still to be loaded
        self._fixed = False
        self._weights: np.ndarray | None = None
        self.reset_state()
        if vocabulary is not None:
            self.set_vocabulary(vocabulary, idf_weights)
            if not isinstance(vocabulary, (str, os.PathLike)):
                self.given_vocabulary = self._as_tokens(vocabulary)
                if idf_weights is not None:
                    self.given_weights = [float(w) for w in idf_weights]

    # The vocabulary

    def _as_tokens(self, vocabulary: Any) -> list[Any]:
        raise NotImplementedError

    def _flat(self, data: Any) -> np.ndarray:
        """Data as an array of tokens."""
        raise NotImplementedError

    def _prepare_table(self) -> None:
        """Make what tokens are looked up in."""
        raise NotImplementedError

    @property
    def _specials(self) -> list[Any]:
        masked = self.mask_token is not None and self.output_mode == "int"
        return [self.mask_token] * masked + [self.oov_token] * self.num_oov_indices

    def get_vocabulary(self, include_special_tokens: bool = True) -> list[Any]:
        """The tokens in the order of their numbers.

        Args:
            include_special_tokens: whether the mask token and the one for unknown tokens are in it.
        """
        return [*(self._specials if include_special_tokens else ()), *self._tokens]

    def vocabulary_size(self) -> int:
        """How many numbers there are, those of the special tokens included."""
        if not self._tokens and self._expected is not None:
            return self._expected
        return len(self._specials) + len(self._tokens)

    def set_vocabulary(self, vocabulary: Any, idf_weights: Any = None) -> None:
        """Use this vocabulary instead of one that `adapt` finds.

        Args:
            vocabulary: the tokens, an array or list, or the path of a file with one a line. The
                special tokens may stand before them.
            idf_weights: for "tf_idf" the tokens' inverse document frequencies.

        Raises:
            ValueError: it is empty, too large, has a token twice, or weights don't fit it.
        """
        name = type(self).__name__
        tokens = self._as_tokens(vocabulary)
        if not tokens:
            raise ValueError(f"{name}: the vocabulary must not be empty")
        specials = self._specials
        if specials and tokens[: len(specials)] == specials:
            tokens = tokens[len(specials) :]
        if self.mask_token is not None and self.mask_token in tokens:
            raise ValueError(
                f"{name}: the mask token {self.mask_token!r} stands in the vocabulary at place "
                f"{tokens.index(self.mask_token)}. Leave the special tokens out, or put all of "
                f"them first: {specials}"
            )
        twice = [t for t, n in Counter(tokens).items() if n > 1]
        if twice:
            raise ValueError(f"{name}: the vocabulary has tokens twice: {twice[:10]}")
        if self.max_tokens is not None and len(specials) + len(tokens) > self.max_tokens:
            raise ValueError(
                f"{name}: the vocabulary has {len(specials) + len(tokens)} tokens with the special "
                f"ones, and max_tokens is {self.max_tokens}"
            )
        weights = None
        if self.output_mode == "tf_idf":
            if idf_weights is None:
                raise ValueError(f"{name}: output_mode='tf_idf' needs idf_weights for a vocabulary")
            weights = np.asarray(idf_weights, np.float32)
            if len(weights) == len(tokens) + len(specials):
                weights = weights[len(specials) :]
            if weights.shape != (len(tokens),):
                raise ValueError(
                    f"{name}: idf_weights must have one number for each of the {len(tokens)} "
                    f"tokens; got {len(weights)}"
                )
        elif idf_weights is not None:
            raise ValueError(f"{name}: idf_weights need output_mode='tf_idf'")
        self._fixed = True
        self.given_vocabulary = self.given_weights = None
        self._take(tokens, weights)

    def _take(self, tokens: list[Any], weights: np.ndarray | None) -> None:
        self._tokens = tokens
        if weights is not None:
            self._weights = np.zeros(self._size(), np.float32)
            end = self.num_oov_indices + len(tokens)
            self._weights[:end] = weights.mean() if len(weights) else 1.0
            self._weights[self.num_oov_indices : end] = weights
        self._prepare_table()

    def _size(self) -> int:
        if self.pad_to_max_tokens and self.max_tokens is not None:
            return self.max_tokens
        return self.vocabulary_size()

    # Adapting

    @property
    def learns(self) -> bool:
        """Whether it was given no vocabulary."""
        return not self._fixed

    def reset_state(self) -> None:
        """Forget the tokens that were counted, and the vocabulary they made."""
        self._counts: Counter[Any] = Counter()
        self._documents: Counter[Any] = Counter()
        self._rows = 0
        if not self._fixed:
            self._tokens, self._weights = [], None

    def update_state(self, data: Any) -> None:
        """Count the tokens in `data`."""
        tokens = self._flat(data)
        rows = tokens.reshape((*tokens.shape[:1], -1)).tolist() if tokens.size else []
        self.count(Counter(tokens.reshape(-1).tolist()), rows)

    def count(self, counts: Counter[Any], rows: Iterable[Sequence[Any]]) -> None:
        """Add what was counted in a batch, and the rows that it was counted in."""
        self._counts.update(counts)
        if self.output_mode == "tf_idf":
            for row in rows:
                self._documents.update(set(row))
                self._rows += 1

    def finalize_state(self) -> None:
        """Make the vocabulary: the most frequent tokens first, of equals the greater ones."""
        if self._fixed:
            return
        left_out = (self.mask_token, self.oov_token)
        found = sorted(((n, t) for t, n in self._counts.items() if t not in left_out), reverse=True)
        room = None if self.max_tokens is None else max(self.max_tokens - len(self._specials), 0)
        tokens = [token for _, token in found[:room]]
        weights = None
        if self.output_mode == "tf_idf":
            documents = np.array([self._documents[t] for t in tokens], np.float64)
            weights = np.log(1 + self._rows / (1 + documents)).astype(np.float32)
        self._take(tokens, weights)

    # Calling

    def get_build_config(self) -> dict[str, Any]:
        """Nothing."""
        return {}

    def call(self, inputs: Any) -> Any:
        """The tokens' numbers, or what `output_mode` makes of them."""
        self.refuse_without_vocabulary(self)
        if self.invert:
            return self._inverted(inputs)
        dtype = self.compute_dtype if self.output_mode == "tf_idf" else "int32"
        return self._encoded(self._numbers, inputs, dtype, self._weights)

    def refuse_without_vocabulary(self, owner: Any) -> None:
        """Raise an error in the name of the layer `owner` where there is nothing to look up in."""
        if not self._tokens and ensure().computes:
            raise ValueError(
                f"{type(owner).__name__} {owner.name!r} has no vocabulary: give it one, or call "
                "adapt(data) first"
            )

    def _numbers(self, inputs: Any) -> Any:
        """The tokens' numbers; -1 for those that are left out of vectors."""
        raise NotImplementedError

    def _inverted(self, inputs: Any) -> Any:
        raise NotImplementedError

    def _refuse_unknown(self, unknown: Any) -> None:
        if len(unknown):
            raise ValueError(
                f"{type(self).__name__} {self.name!r}: with num_oov_indices=0 all tokens must be "
                f"in the vocabulary; these are not: {list(dict.fromkeys(unknown))[:10]}"
            )

    # Saving

    def get_config(self) -> dict[str, Any]:
        """The arguments; a vocabulary that was found or read is not among them."""
        known = self._tokens or self._expected is not None
        size = self.vocabulary_size() if known else None
        return super().get_config() | {**self.beside, "vocabulary_size": size}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer from what `get_config` returned, here or in Keras."""
        known = {n: v for n, v in config.items() if n not in cls.beside}
        size = known.pop("vocabulary_size", None)
        layer = super().from_config(known)
        layer._expected = size
        return layer

    def save_assets(self, dir_path: Any) -> None:
        """Write the vocabulary to a folder."""
        if self.given_vocabulary is None:
            save_tokens(dir_path, self.get_vocabulary())

    def load_assets(self, dir_path: Any) -> None:
        """Take the vocabulary out of a folder."""
        if self.given_vocabulary is None:
            tokens = self._as_tokens(load_tokens(dir_path))
            self._tokens = tokens[len(self._specials) :]
            self._prepare_table()

    def save_own_variables(self, store: Any) -> None:
        """Put the inverse document frequencies into `store`."""
        if self._weights is not None:
            store["idf_weights"] = self._weights

    def load_own_variables(self, store: Any) -> None:
        """Take the inverse document frequencies out of `store`."""
        if self.output_mode == "tf_idf" and "idf_weights" in store:
            self._weights = np.asarray(store["idf_weights"], np.float32)
