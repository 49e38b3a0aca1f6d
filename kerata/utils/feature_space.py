"""`FeatureSpace`: the columns of a table as the inputs of a model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from kerata import ops
from kerata.core.config_object import Configurable
from kerata.core.names import auto_name
from kerata.core.serialization import CustomObjectScope, deserialize_object, serialize_object
from kerata.core.symbolic import KerasTensor
from kerata.core.text import Text
from kerata.layers.core.input_layer import Input
from kerata.layers.layer import Layer
from kerata.layers.merging import Concatenate
from kerata.layers.preprocessing.adapting import AdaptedLayer, batches_of, begun, with_progress
from kerata.layers.preprocessing.category_encoding import CategoryEncoding
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.discretization import Discretization
from kerata.layers.preprocessing.hashed_crossing import HashedCrossing
from kerata.layers.preprocessing.hashing import Hashes, Hashing
from kerata.layers.preprocessing.integer_lookup import IntegerLookup
from kerata.layers.preprocessing.normalization import Normalization
from kerata.layers.preprocessing.numbers import as_numbers, held_integers
from kerata.layers.preprocessing.string_lookup import StringLookup, held_text
from kerata.training.data.frames import as_columns

_MODES = ("int", "one_hot", "float")
_KINDS = (
    "float", "float_rescaled", "float_normalized", "float_discretized", "integer_categorical",
    "string_categorical", "integer_hashed", "string_hashed",
)  # fmt: skip
_BATCH = 32  # rows that single ones are gathered to


class Cross(Configurable):
    """A combination of features; see `FeatureSpace.cross`."""

    live: ClassVar[Mapping[str, str]] = {"feature_names": "feature_names"}

    def __init__(
        self, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ) -> None:
        if output_mode not in ("int", "one_hot"):
            raise ValueError(f"Cross: output_mode must be 'int' or 'one_hot'; got {output_mode!r}")
        self.feature_names = tuple(feature_names)
        self.crossing_dim = crossing_dim
        self.output_mode = output_mode

    @property
    def name(self) -> str:
        """The names of the features, joined."""
        return "_X_".join(self.feature_names)


class Feature(Configurable):
    """A column and what is made of it; see `FeatureSpace.feature`."""

    def __init__(self, dtype: str, preprocessor: Any, output_mode: str) -> None:
        if output_mode not in _MODES:
            raise ValueError(f"Feature: output_mode must be one of {_MODES}; got {output_mode!r}")
        self.dtype = dtype
        self.preprocessor = deserialize_object(preprocessor)
        self.output_mode = output_mode


class TFDIdentity(DataLayer):
    """A number as it is (under the name that it has in Keras' files)."""

    def call(self, inputs: Any) -> Any:
        """The inputs."""
        return inputs


class FeatureSpace(DataLayer):
    """Makes the columns of a table vectors: normalized, put into bins, looked up, hashed, crossed.

    It is a layer for dictionaries of columns: call it on data, in a `tf.data` map, a grain pipeline
    or a `DataLoader`; or put it before a model, `Model(get_inputs(), ...)` with what layers make of
    `get_encoded_features()`.

    Args:
        features: for each column a name of a kind ("float", "float_rescaled", "float_normalized",
            "float_discretized", "integer_categorical", "string_categorical", "integer_hashed",
            "string_hashed"), or what the method of that name returns.
        output_mode: "concat" for one vector a row, "dict" for a vector for each feature.
        crosses: combinations of features, as tuples of names or from `FeatureSpace.cross`.
        crossing_dim: how many bins combinations given as tuples have, one number or a list.
        hashing_dim: how many bins hashed features given by kind have.
        num_discretization_bins: how many bins "float_discretized" makes.
        name: its name.

    Example:
        >>> space = FeatureSpace({"age": "float_normalized", "job": "string_categorical"})
        >>> table = {"age": [20.0, 40.0], "job": ["baker", "smith"]}
        >>> space.adapt(table)
        >>> space(table).tolist()
        [[-1.0, 0.0, 0.0, 1.0], [1.0, 0.0, 1.0, 0.0]]
    """

    def __init__(
        self,
        features: Mapping[str, Any],
        output_mode: str = "concat",
        crosses: Sequence[Any] | None = None,
        crossing_dim: int | Sequence[int] = 32,
        hashing_dim: int = 32,
        num_discretization_bins: int = 32,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        if not features:
            raise ValueError("FeatureSpace: features must name at least one column")
        if output_mode not in ("concat", "dict"):
            raise ValueError(
                f"FeatureSpace: output_mode must be 'concat' or 'dict'; got {output_mode!r}"
            )
        self.output_mode = output_mode
        self.crossing_dim, self.hashing_dim = crossing_dim, hashing_dim
        self.num_discretization_bins = num_discretization_bins
        self.features = {n: self._standardized(n, f) for n, f in features.items()}
        self.crosses = self._crosses(crosses or ())
        self.crosses_by_name = {c.name: c for c in self.crosses}
        self.inputs = {n: Input((1,), dtype=f.dtype, name=n) for n, f in self.features.items()}
        self.preprocessors = {n: f.preprocessor for n, f in self.features.items()}
        self.crossers = {c.name: HashedCrossing(c.crossing_dim, name=c.name) for c in self.crosses}
        self.one_hot_encoders: dict[str, CategoryEncoding] = {}
        self.concat = Concatenate(axis=-1) if output_mode == "concat" else None
        self.encoded_features: Any = None
        self.autocast = False
        self._is_adapted = not self._to_adapt()

    def _standardized(self, name: str, feature: Any) -> Feature:
        if isinstance(feature, dict):
            feature = deserialize_object(feature)
        if isinstance(feature, Feature):
            return feature
        bins, hashes = {"num_bins": self.num_discretization_bins}, {"num_bins": self.hashing_dim}
        arguments = {"float_discretized": bins, "string_hashed": hashes, "integer_hashed": hashes}
        if not isinstance(feature, str) or feature not in _KINDS:
            raise ValueError(
                f"FeatureSpace: the feature {name!r} must be one of {', '.join(_KINDS)}, or what "
                f"FeatureSpace.feature and its like return; got {feature!r}"
            )
        made: Feature = getattr(self, feature)(**arguments.get(feature, {}), name=name)
        return made

    def _crosses(self, crosses: Sequence[Any]) -> list[Cross]:
        sizes = self.crossing_dim
        listed: list[Any] = [sizes] * len(crosses)
        if isinstance(sizes, (list, tuple)):
            listed = list(sizes)
        if len(listed) != len(crosses):
            raise ValueError(
                f"FeatureSpace: crossing_dim must be one number or {len(crosses)} of them; got "
                f"{sizes!r}"
            )
        found = []
        for cross, size in zip(crosses, listed, strict=True):
            given = deserialize_object(cross) if isinstance(cross, dict) else cross
            found.append(given if isinstance(given, Cross) else Cross(tuple(given), int(size)))
            unknown = [n for n in found[-1].feature_names if n not in self.features]
            if unknown:
                raise ValueError(
                    f"FeatureSpace: crosses must combine features; {', '.join(map(repr, unknown))} "
                    f"is none of {', '.join(map(repr, self.features))}"
                )
        return found

    # Kinds of features

    @classmethod
    def cross(
        cls, feature_names: Sequence[str], crossing_dim: int, output_mode: str = "one_hot"
    ) -> Cross:
        """A combination of features, hashed into `crossing_dim` bins."""
        return Cross(feature_names, crossing_dim, output_mode)

    @classmethod
    def feature(cls, dtype: str, preprocessor: Layer, output_mode: str) -> Feature:
        """A column of this dtype, what a layer makes of it being "int", "one_hot" or "float"."""
        return Feature(dtype, preprocessor, output_mode)

    @classmethod
    def float(cls, name: str | None = None) -> Feature:
        """A number as it is."""
        return Feature("float32", TFDIdentity(name=_named("float", name)), "float")

    @classmethod
    def float_rescaled(
        cls, scale: Any = 1.0, offset: Any = 0.0, name: str | None = None
    ) -> Feature:
        """A number times `scale`, plus `offset`."""
        from kerata.layers import Rescaling

        layer = Rescaling(scale=scale, offset=offset, name=_named("float_rescaled", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_normalized(cls, name: str | None = None) -> Feature:
        """A number moved and scaled so that its mean is 0 and its variance 1."""
        layer = Normalization(axis=-1, name=_named("float_normalized", name))
        return Feature("float32", layer, "float")

    @classmethod
    def float_discretized(
        cls,
        num_bins: int,
        bin_boundaries: Any = None,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """The bin that a number falls into; `adapt` chooses boundaries where none are given."""
        layer = Discretization(
            bin_boundaries,
            num_bins if bin_boundaries is None else None,
            name=_named("float_discretized", name),
        )
        return Feature("float32", layer, output_mode)

    @classmethod
    def integer_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """An integer out of those that `adapt` saw."""
        layer = IntegerLookup(max_tokens, num_oov_indices, name=_named("integer_categorical", name))
        return Feature("int32", layer, output_mode)

    @classmethod
    def string_categorical(
        cls,
        max_tokens: int | None = None,
        num_oov_indices: int = 1,
        output_mode: str = "one_hot",
        name: str | None = None,
    ) -> Feature:
        """A string out of those that `adapt` saw."""
        layer = StringLookup(max_tokens, num_oov_indices, name=_named("string_categorical", name))
        return Feature("string", layer, output_mode)

    @classmethod
    def string_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """A string, by its hash."""
        return Feature("string", Hashing(num_bins, name=_named("string_hashed", name)), output_mode)

    @classmethod
    def integer_hashed(
        cls, num_bins: int, output_mode: str = "one_hot", name: str | None = None
    ) -> Feature:
        """An integer, by its hash."""
        return Feature("int32", Hashing(num_bins, name=_named("integer_hashed", name)), output_mode)

    # Adapting

    def _to_adapt(self) -> dict[str, AdaptedLayer]:
        """The layers that have to see data first."""
        return {n: p for n, p in self.preprocessors.items() if _learns(p)}

    def adapt(self, dataset: Any) -> None:
        """Let the features' layers see the data, in one pass.

        Args:
            dataset: a dictionary of columns or a data frame; or what yields rows or batches of
                them, such as a `tf.data.Dataset`. Of `(x, y)` it is `x` that counts.

        Raises:
            ValueError: it is empty, or lacks a feature's column.
        """
        layers = self._to_adapt()

        def update(batch: dict[str, Any]) -> None:
            for name, layer in layers.items():
                layer.update_state(_columnar(batch[name]))

        table = as_columns(dataset)
        whole = isinstance(table, Mapping)
        batches, count = (iter([table]), 1) if whole else batches_of(dataset, None)
        batches = begun(self._batched(batches, layers))
        for layer in layers.values():
            layer.reset_state()
        with_progress(update, batches, count)
        for layer in layers.values():
            layer.finalize_state()
        self._is_adapted = True
        self.one_hot_encoders, self.encoded_features = {}, None
        self.built = True

    def _batched(self, batches: Iterator[Any], names: Any) -> Iterator[dict[str, Any]]:
        """Batches of columns; single rows are gathered."""
        rows: list[dict[str, Any]] = []
        for batch in batches:
            held = self._columns(batch, names)
            if any(len(v.shape) for v in held.values()):
                yield held
                continue
            rows.append(held)
            if len(rows) == _BATCH:
                yield _stacked(rows)
                rows = []
        if rows:
            yield _stacked(rows)

    # Encoding

    def _held(self, name: str, values: Any) -> Any:
        """A column in the form that its layer takes."""
        dtype = self.features[name].dtype
        if dtype == "string":
            return held_text(values, f"FeatureSpace: the feature {name!r}")
        return held_integers(values, name) if "int" in dtype else as_numbers(values)

    def as_inputs(self, inputs: Any) -> Any:
        """The columns of a dictionary or a data frame that are features.

        Raises:
            ValueError: it is neither, or lacks one.
        """
        return self._columns(as_columns(inputs), self.features)

    def _columns(self, table: Any, names: Iterable[str]) -> dict[str, Any]:
        """Columns in the form that their layers take."""
        if not isinstance(table, Mapping):
            raise ValueError(f"FeatureSpace takes a dictionary of columns; got {table!r:.80}")
        missing = [n for n in names if n not in table]
        if missing:
            raise ValueError(
                f"FeatureSpace: the columns {', '.join(map(repr, missing))} are missing; there are "
                f"{', '.join(map(repr, table))}"
            )
        return {n: self._held(n, table[n]) for n in names}

    def call(self, inputs: Any) -> Any:
        """The encoded features, of a batch `(batch,)` or `(batch, 1)` or of one row."""
        self._refuse_unadapted()
        single = all(not len(x.shape) for x in inputs.values())
        found = self._encoded({n: _columnar(x) for n, x in inputs.items()})
        if not single:
            return found
        if isinstance(found, dict):
            return {n: ops.squeeze(x, 0) for n, x in found.items()}
        return ops.squeeze(found, 0)

    def _refuse_unadapted(self) -> None:
        if not self._is_adapted:
            raise ValueError(
                f"FeatureSpace {self.name!r} has to see data first: call adapt(dataset)"
            )

    def _encoded(self, columns: dict[str, Any]) -> Any:
        made = {n: self.preprocessors[n](columns[n]) for n in sorted(self.features)}
        crossed = {
            n: self.crossers[n]([made[f] for f in c.feature_names])
            for n, c in sorted(self.crosses_by_name.items())
        }
        every: dict[str, Feature | Cross] = {**self.features, **self.crosses_by_name}
        modes = {n: f.output_mode for n, f in every.items()}
        found = {}
        for name, x in (made | crossed).items():
            if modes[name] == "one_hot":
                x = self._encoder(name)(x)
            elif modes[name] == "int" and self.output_mode == "concat":
                raise ValueError(
                    f"FeatureSpace: the feature {name!r} is an integer, which can't be "
                    "concatenated with vectors: use output_mode='dict', or 'one_hot' for it"
                )
            found[name] = x
        if self.concat is None:
            return found
        parts = list(found.values())
        return self.concat(parts) if len(parts) > 1 else parts[0]

    def _encoder(self, name: str) -> CategoryEncoding:
        if name not in self.one_hot_encoders:
            layer = self.crossers.get(name) or self.preprocessors[name]
            self.one_hot_encoders[name] = CategoryEncoding(_cardinality(name, layer))
        return self.one_hot_encoders[name]

    def get_inputs(self) -> dict[str, KerasTensor]:
        """The symbolic inputs, by name."""
        self._refuse_unadapted()
        return self.inputs

    def get_encoded_features(self) -> Any:
        """What is made of `get_inputs()`: a symbolic tensor, or a dictionary of them."""
        self._refuse_unadapted()
        if self.encoded_features is None:
            self.encoded_features = self._encoded(self.inputs)
        return self.encoded_features

    # Saving

    def get_config(self) -> dict[str, Any]:
        """The arguments, the features' layers as they are now."""
        return {
            "features": {n: serialize_object(f) for n, f in self.features.items()},
            "output_mode": self.output_mode,
            "crosses": [serialize_object(c) for c in self.crosses],
            "crossing_dim": self.crossing_dim,
            "hashing_dim": self.hashing_dim,
            "num_discretization_bins": self.num_discretization_bins,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> FeatureSpace:
        """A feature space from what `get_config` returned, here or in Keras."""
        known = {"Feature": Feature, "Cross": Cross, "TFDIdentity": TFDIdentity}
        with CustomObjectScope(known):
            return cls(**{n: deserialize_object(v) for n, v in config.items()})

    def get_build_config(self) -> dict[str, Any] | None:
        """For each feature what its layer is built by; None before `adapt`."""
        if not self._is_adapted:
            return None
        return {n: p.get_build_config() for n, p in self.preprocessors.items()}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build the features' layers."""
        for name, found in config.items():
            if found:
                self.preprocessors[name].build_from_config(found)
        self._is_adapted = self.built = True

    def save(self, filepath: Any) -> None:
        """Write it to a `.keras` file, which `kerata.saving.load_model` reads."""
        from kerata.saving import save_model

        save_model(self, filepath)


def _named(kind: str, name: str | None) -> str:
    return f"{name or auto_name(kind)}_preprocessor"


def _learns(layer: Any) -> bool:
    """Whether a layer, maybe of a user's own, has something to learn."""
    return bool(getattr(layer, "learns", hasattr(layer, "finalize_state")))


def _cardinality(name: str, layer: Any) -> int:
    """How many integers a layer gives."""
    if isinstance(layer, Discretization):
        found = layer.num_bins
        return len(layer.bin_boundaries or ()) + 1 if found is None else found
    if isinstance(layer, Hashes):
        return layer.num_bins
    if isinstance(layer, CategoryEncoding):
        return layer.num_tokens
    if hasattr(layer, "vocabulary_size"):
        return int(layer.vocabulary_size())
    raise ValueError(
        f"FeatureSpace: the feature {name!r} can't be one-hot encoded, as it is not known how many "
        f"integers {type(layer).__name__} gives: encode it in the layer"
    )


def _columnar(x: Any) -> Any:
    """A column as `(batch, 1)`."""
    for _ in range(2 - len(x.shape)):
        if hasattr(x, "with_axis"):
            x = x.with_axis()
        else:
            x = x[..., None] if isinstance(x, np.ndarray) else ops.expand_dims(x, -1)
    return x


def _stacked(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Single rows as a batch."""

    def joined(values: list[Any]) -> Any:
        if isinstance(values[0], Text):
            return Text(np.array([v.values[()] for v in values], object))
        return np.array([np.asarray(getattr(v, "values", v)) for v in values])

    return {n: joined([row[n] for row in rows]) for n in rows[0]}
