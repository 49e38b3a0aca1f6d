"""The estimators that wrap models for scikit-learn."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    RegressorMixin,
    TransformerMixin,
)
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

from kerata.core.serialization import deserialize_object
from kerata.models import Model, clone_model


class _Estimator(BaseEstimator):
    """What the wrappers share."""

    def __init__(
        self,
        model: Any,
        warm_start: bool = False,
        model_kwargs: dict[str, Any] | None = None,
        fit_kwargs: dict[str, Any] | None = None,
    ) -> None:
        self.model = model
        self.warm_start = warm_start
        self.model_kwargs = model_kwargs
        self.fit_kwargs = fit_kwargs

    def fit(self, X: Any, y: Any = None, **kwargs: Any) -> Any:
        """Train.

        Args:
            X: samples, `(samples, features)` or more axes.
            y: targets, `(samples,)`; a regressor or transformer also takes `(samples, outputs)`.
            **kwargs: arguments of `Model.fit`, before those of `fit_kwargs`.

        Returns:
            The estimator.
        """
        X, y = self._validated(X, y)
        y = self._encoded(y)
        if not (self.warm_start and hasattr(self, "model_")):
            self.model_ = self._new_model(X, y)
        self.history_ = self.model_.fit(X, y, **{**(self.fit_kwargs or {}), **kwargs})
        return self

    def predict(self, X: Any) -> Any:
        """What the model predicts for samples."""
        return self._decoded(self._outputs(X))

    @property
    def epoch_(self) -> int:
        """How many epochs the last `fit` took."""
        check_is_fitted(self, "history_")
        return len(self.history_.epoch)

    def set_fit_request(self, **kwargs: Any) -> Any:
        """Say which metadata `fit` takes; see scikit-learn's guide to metadata routing.

        Args:
            kwargs: for each argument of `fit` True, False, None, or the name it comes under.
        """
        requests = self._get_metadata_request()
        for name, alias in kwargs.items():
            requests.fit.add_request(param=name, alias=alias)
        self._metadata_request = requests
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.non_deterministic = True
        tags.input_tags.three_d_array = True
        return tags

    def __sklearn_clone__(self) -> Any:
        arguments = self.get_params(deep=False)
        if self.warm_start and isinstance(self.model, Model):
            arguments["model"] = copy.deepcopy(self.model)
        cloned = type(self)(**arguments)
        if hasattr(self, "_metadata_request"):
            cloned._metadata_request = copy.deepcopy(self._metadata_request)
        return cloned

    def _validated(self, X: Any, y: Any) -> tuple[Any, Any]:
        return validate_data(self, X, y, allow_nd=True, multi_output=True, y_numeric=True)

    def _encoded(self, y: Any) -> Any:
        """Targets as the model takes them, two axes at least."""
        return y.reshape(-1, 1) if y.ndim == 1 else y

    def _decoded(self, outputs: np.ndarray) -> Any:
        return outputs[..., 0] if outputs.shape[-1] == 1 else outputs

    def _outputs(self, X: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        X = validate_data(self, X, reset=False, allow_nd=True)
        return np.asarray(self.model_.predict(X, verbose=0))

    def _new_model(self, X: Any, y: Any) -> Model:
        model = self.model
        if isinstance(model, Model):
            _check_compiled(model)
            return model if self.warm_start else _untrained(model)
        if not callable(model):
            raise TypeError(
                f"{type(self).__name__}: model must be a compiled model, or a function (X, y, ...) "
                f"that returns one; got {model!r}"
            )
        made = model(X=X, y=y, **(self.model_kwargs or {}))
        if not isinstance(made, Model):
            raise TypeError(
                f"{type(self).__name__}: the function given as model must return a model; "
                f"it returned {made!r}"
            )
        _check_compiled(made)
        return made


_ARGUMENTS = """
    Args:
        model: a compiled model, of which each `fit` trains a copy with new weights; or a function
            `(X, y, **model_kwargs)` that returns one.
        warm_start: whether another `fit` goes on with the weights of the last; a model is trained
            itself then, not a copy.
        model_kwargs: more arguments for the function.
        fit_kwargs: arguments of `Model.fit`.

    Attributes:
        model_: the trained model.
        history_: the `History` of the last `fit`.
"""


class SKLearnClassifier(ClassifierMixin, _Estimator):
    __doc__ = f"""A classifier for scikit-learn.

    The model gets targets that are one-hot, `(samples, classes)`, and gives as many outputs.
{_ARGUMENTS}        classes_: the classes.

    Example:
        >>> def build(X, y, units=16):
        ...     model = kerata.Sequential([
        ...         kerata.layers.Dense(units, activation="relu"),
        ...         kerata.layers.Dense(y.shape[1], activation="softmax"),
        ...     ])
        ...     model.compile("adam", "categorical_crossentropy")
        ...     return model
        >>> classifier = SKLearnClassifier(build, fit_kwargs={{"epochs": 5}})
    """

    classes_: np.ndarray

    def decision_function(self, X: Any) -> np.ndarray:
        """The outputs of the model, `(samples, classes)`."""
        return self._outputs(X)

    def predict_proba(self, X: Any) -> np.ndarray:
        """The probabilities of the classes, `(samples, classes)`.

        Outputs that are no distributions (logits) go through softmax.
        """
        outputs = self._outputs(X)
        if outputs.min() >= 0 and np.allclose(outputs.sum(-1), 1, atol=1e-3):
            return outputs
        powers = np.exp(outputs - outputs.max(-1, keepdims=True))
        return np.asarray(powers / powers.sum(-1, keepdims=True))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.poor_score = True
        return tags

    def _validated(self, X: Any, y: Any) -> tuple[Any, Any]:
        return validate_data(self, X, y, allow_nd=True)

    def _encoded(self, y: Any) -> Any:
        check_classification_targets(y)
        going_on = self.warm_start and hasattr(self, "model_")
        classes = self.classes_ if going_on else np.unique(y)
        if len(classes) < 2:
            raise ValueError("Classifier can't train when only one class is present.")
        unknown = sorted(set(y.tolist()) - set(classes.tolist()))
        if unknown:
            raise ValueError(f"y has classes that the first fit had not: {unknown}")
        self.classes_ = classes
        return np.eye(len(classes), dtype="float32")[np.searchsorted(classes, y)]

    def _decoded(self, outputs: np.ndarray) -> Any:
        return self.classes_[outputs.argmax(-1)]


class SKLearnRegressor(RegressorMixin, _Estimator):
    __doc__ = f"""A regressor for scikit-learn.

    The model gets targets `(samples, outputs)`, one output for targets `(samples,)`.
{_ARGUMENTS}"""

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.regressor_tags.poor_score = True
        tags.target_tags.multi_output = True
        return tags


class SKLearnTransformer(ClassNamePrefixFeaturesOutMixin, TransformerMixin, _Estimator):
    __doc__ = f"""A transformer for scikit-learn: `transform` gives the outputs of the model.

    Without `y` the model learns to give its inputs back (an autoencoder).
{_ARGUMENTS}"""

    def transform(self, X: Any) -> np.ndarray:
        """The outputs of the model, `(samples, outputs)`."""
        return self._outputs(X)

    @property
    def _n_features_out(self) -> int:
        return int(self.model_.output_shape[-1])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _validated(self, X: Any, y: Any) -> tuple[Any, Any]:
        if y is None:
            X = validate_data(self, X, allow_nd=True)
            return X, X
        return super()._validated(X, y)


def _check_compiled(model: Model) -> None:
    if not model.compiled or model.optimizer is None or model._compile_loss is None:
        raise RuntimeError(
            f"Model {model.name!r} must be compiled, with an optimizer and a loss, to be fitted"
        )


def _untrained(model: Model) -> Model:
    """A compiled model of the same kind, with new weights."""
    new = clone_model(model)
    new.compile_from_config(deserialize_object(model.get_compile_config()))
    return new
