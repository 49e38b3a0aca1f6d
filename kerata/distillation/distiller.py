"""`Distiller`: a model that trains a student to do as its teacher does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import optree

from kerata import metrics as metrics_module
from kerata import ops
from kerata.backends.state import state
from kerata.distillation.losses import DistillationLoss, FeatureDistillation
from kerata.models.model import Model

_LOSSES = ("student_loss", "distillation_loss", "total_loss")


class Distiller(Model):
    """Trains `student` on the targets and on what `teacher` says; it predicts as the student does.

    `student_loss_weight * student_loss + (1 - student_loss_weight) * distillation_loss`, and what
    the student's layers add (regularizers). A term of weight 0 is not computed, and the teacher
    not run where nothing asks for it.

    Args:
        teacher: a trained model; it is frozen.
        student: the model to train.
        distillation_losses: a `DistillationLoss` or several.
        distillation_loss_weights: a factor for each; 1 where None.
        student_loss_weight: see above, from 0 to 1.
        name: its name.

    Raises:
        ValueError: the models don't fit to each other or to the losses, or an argument is none of
            those.

    Example:
        >>> teacher, student = (
        ...     kerata.Sequential([kerata.Input((4,)), kerata.layers.Dense(3)]) for _ in range(2)
        ... )
        >>> loss = kerata.distillation.LogitsDistillation(temperature=4.0)
        >>> distiller = Distiller(teacher, student, loss)
        >>> distiller.compile("adam", "sparse_categorical_crossentropy")
        >>> distiller.student is student, teacher.trainable
        (True, False)
    """

    untracked = Model.untracked | {"_extractors", "_kept", "_trackers"}

    def __init__(
        self,
        teacher: Model,
        student: Model,
        distillation_losses: Any,
        distillation_loss_weights: Any = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ) -> None:
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        self.distillation_losses = _checked_losses(distillation_losses, teacher, student)
        self.distillation_loss_weights = _checked_weights(
            distillation_loss_weights, len(self.distillation_losses)
        )
        self.student_loss_weight = _checked_share(student_loss_weight)
        teacher.trainable = False
        self.teacher = teacher
        self.student = student
        features = [x for x in self.distillation_losses if isinstance(x, FeatureDistillation)]
        self._extractors = {
            "teacher": _Extractor(teacher, [x.teacher_layer_name for x in features]),
            "student": _Extractor(student, [x.student_layer_name for x in features]),
        }
        self._kept: Any = None
        self._trackers = [metrics_module.Mean(name=n) for n in _LOSSES]

    def compile(  # type: ignore[override]
        self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any
    ) -> None:
        """Choose optimizer, the student's loss and its metrics; more as in `Model.compile`.

        Raises:
            ValueError: `loss` is None and `student_loss_weight` is not 0.
        """
        if loss is None and self.student_loss_weight:
            raise ValueError(
                "Distiller.compile: loss must be given, as student_loss_weight is "
                f"{self.student_loss_weight}"
            )
        super().compile(optimizer, loss, metrics=metrics, **kwargs)

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """`compile` with what `get_compile_config` gave."""
        super().compile_from_config(config)

    @property
    def metrics(self) -> list[Any]:
        """Those of `compile`, and the terms of the loss."""
        return [*super().metrics, *self._trackers] if self.compiled else super().metrics

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """The student's outputs."""
        extractor, options = self._extractors["student"], {"training": training}
        if mask is not None:
            options["mask"] = mask
        if not (extractor.names and state.differentiating):
            return self.student(inputs, **options)
        outputs, features = extractor(inputs, **options)
        self._kept = outputs, features
        return outputs

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The weighted sum of the student's loss, the distillation losses and the layers' own."""
        share = self.student_loss_weight
        own = theirs = ops.zeros((), "float32")
        if share > 0:
            assert self._compile_loss is not None
            own = self._compile_loss(y, y_pred, sample_weight)
        if share < 1:
            theirs = self._distillation_loss(x, y_pred, training)
        total = ops.add(ops.multiply(own, share), ops.multiply(theirs, 1 - share))
        count = ops.shape(optree.tree_leaves(x)[0])[0]
        for tracker, value in zip(self._trackers, (own, theirs, total), strict=True):
            tracker.update_state(value, sample_weight=count)
        for value in self.losses:
            total = ops.add(total, ops.cast(value, "float32"))
        return total

    def _distillation_loss(self, x: Any, y_pred: Any, training: bool) -> Any:
        kept, self._kept = self._kept, None
        theirs, their_features = self._extractors["teacher"](x, training=False)
        if kept is not None and kept[0] is y_pred:
            features = kept[1]
        else:
            features = self._extractors["student"].features(x, training)
        total = ops.zeros((), "float32")
        for loss, weight in zip(
            self.distillation_losses, self.distillation_loss_weights, strict=True
        ):
            given, own = theirs, y_pred
            if isinstance(loss, FeatureDistillation):
                given = their_features.get(loss.teacher_layer_name, theirs)
                own = features.get(loss.student_layer_name, y_pred)
            given = optree.tree_map(ops.stop_gradient, given)
            total = ops.add(total, ops.multiply(loss.compute_loss(given, own), weight))
        return total

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {
            "distillation_loss_weights": self.distillation_loss_weights,
        }


class _Extractor:
    """A model that also gives the outputs of some of its layers.

    Args:
        model: the model.
        names: the layers' names; None among them is ignored.
    """

    def __init__(self, model: Model, names: Sequence[str | None]) -> None:
        self.model = model
        self.names = sorted({n for n in names if n is not None})
        self._both: Any = None
        if self.names:
            features = {n: model.get_layer(n).output for n in self.names}
            self._both = Model(model.input, [model.output, features], name=f"{model.name}_features")

    def __call__(self, x: Any, **kwargs: Any) -> Any:
        """The outputs, and the features by the layers' names."""
        if self._both is None:
            return self.model(x, **kwargs), {}
        outputs, features = self._both(x, **kwargs)
        return outputs, features

    def features(self, x: Any, training: bool) -> dict[str, Any]:
        """The features alone."""
        return {} if self._both is None else self(x, training=training)[1]


def _check_models(teacher: Any, student: Any) -> None:
    for role, model in (("teacher", teacher), ("student", student)):
        if not isinstance(model, Model):
            raise ValueError(f"Distiller: {role} must be a kerata.Model; got {model!r}")
    if teacher._graph is None or student._graph is None:
        return
    for end in ("input", "output"):
        theirs, own = (
            [(x.shape, x.dtype) for x in optree.tree_leaves(getattr(m, end))]
            for m in (teacher, student)
        )
        same = len(theirs) == len(own) and all(
            len(a) == len(b) and all(i == j or None in (i, j) for i, j in zip(a, b))
            for (a, _), (b, _) in zip(theirs, own)
        )
        if not same or [d for _, d in theirs] != [d for _, d in own]:
            raise ValueError(
                f"Distiller: teacher and student must have equal {end}s; the teacher's are "
                f"{theirs}, the student's {own}"
            )


def _checked_losses(given: Any, teacher: Model, student: Model) -> list[DistillationLoss]:
    found = list(given) if isinstance(given, (list, tuple)) else [given]
    if not found or not all(isinstance(x, DistillationLoss) for x in found):
        raise ValueError(
            "Distiller: distillation_losses must be a DistillationLoss (such as "
            f"LogitsDistillation()) or a list of them; got {given!r}"
        )
    for loss in found:
        loss.validate_model_compatibility(teacher, student)
    return found


def _checked_weights(given: Any, count: int) -> list[float]:
    if given is None:
        return [1.0] * count
    found = list(given) if isinstance(given, (list, tuple)) else [given]
    if len(found) != count:
        raise ValueError(
            f"Distiller: distillation_loss_weights must hold one number for each of the {count} "
            f"distillation_losses; got {given!r}"
        )
    return [float(x) for x in found]


def _checked_share(given: Any) -> float:
    if not isinstance(given, (int, float)) or isinstance(given, bool) or not 0 <= given <= 1:
        raise ValueError(
            f"Distiller: student_loss_weight must be a number from 0 to 1; got {given!r}"
        )
    return float(given)
