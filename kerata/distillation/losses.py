"""What a student is compared with its teacher by."""

from __future__ import annotations

from typing import Any

import optree

from kerata import losses, ops
from kerata.core.config_object import Configurable
from kerata.core.serialization import deserialize_object, serialize_object

# Losses of two distributions, and the functions of the same names.
_CLASSES = (losses.KLDivergence, losses.CategoricalCrossentropy)
_FUNCTIONS = (losses.kl_divergence, losses.categorical_crossentropy)


class DistillationLoss(Configurable):
    """The base of distillation losses; subclasses define `compute_loss`."""

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The loss, a scalar, of the student's outputs (or features) given the teacher's."""
        raise NotImplementedError(f"{type(self).__name__} must define compute_loss")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Check that both can be compared.

        Raises:
            ValueError: they are nested differently.
        """
        theirs, own = (
            optree.tree_structure(x, none_is_leaf=True) for x in (teacher_outputs, student_outputs)
        )
        if theirs != own:
            raise ValueError(
                f"{type(self).__name__}: teacher and student have different outputs: "
                f"{theirs} and {own}"
            )

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Check that both models have what the loss looks at; raises ValueError where not."""


class _Compared(DistillationLoss):
    """A loss, or a nesting of losses like that of the outputs, None where one is left out."""

    def __init__(self, loss: Any) -> None:
        self.loss = optree.tree_map(losses.get, deserialize_object(loss), none_is_leaf=True)
        if not optree.tree_leaves(self.loss):
            raise ValueError(f"{type(self).__name__}: loss is None for every output")

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        self.validate_outputs(teacher_outputs, student_outputs)
        found, theirs, own = (
            optree.tree_leaves(x, none_is_leaf=True)
            for x in (self.loss, teacher_outputs, student_outputs)
        )
        if len(found) != len(own) or _keys(self.loss) != _keys(student_outputs):
            raise ValueError(
                f"{type(self).__name__}: loss must be nested as the outputs are, "
                f"{optree.tree_structure(student_outputs)}; got {self.loss!r}"
            )
        values = [
            ops.mean(self._one(loss, ops.cast(a, "float32"), ops.cast(b, "float32")))
            for loss, a, b in zip(found, theirs, own, strict=True)
            if loss is not None
        ]
        return sum(values[1:], values[0])

    def _one(self, loss: Any, theirs: Any, own: Any) -> Any:
        return loss(theirs, own)

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "loss": serialize_object(self.loss)}


class LogitsDistillation(_Compared):
    """The student's logits against the teacher's, both divided by a temperature.

    Kullback-Leibler divergence and categorical crossentropy compare distributions: they are of the
    softmax of both, times `temperature²` so that gradients keep their size (Hinton et al., 2015).
    (Keras does that for a `KLDivergence` object only; the name takes the logits for probabilities.)

    Args:
        temperature: makes the distributions softer where it is above 1.
        loss: a loss, its name or a function `(teacher, student)`; for several outputs a nesting of
            those like that of the outputs, None for outputs that are left out.

    Raises:
        ValueError: `temperature` is not positive, or `loss` is None for every output.
        TypeError: `temperature` is no number.

    >>> loss = LogitsDistillation(2.0)
    >>> float(loss.compute_loss(ops.ones((1, 2)), ops.ones((1, 2))))
    0.0
    """

    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence") -> None:
        if not isinstance(temperature, (int, float)) or isinstance(temperature, bool):
            raise TypeError(
                f"LogitsDistillation: temperature must be a number; got {temperature!r}"
            )
        if not temperature > 0:
            raise ValueError(
                f"LogitsDistillation: temperature must be positive; got {temperature!r}"
            )
        super().__init__(loss)
        self.temperature = temperature

    def _one(self, loss: Any, theirs: Any, own: Any) -> Any:
        theirs, own = (ops.divide(x, self.temperature) for x in (theirs, own))
        if not (isinstance(loss, _CLASSES) or loss in _FUNCTIONS):
            return loss(theirs, own)
        from_logits = isinstance(loss, _CLASSES) and loss.get_config().get("from_logits", False)
        value = loss(ops.softmax(theirs), own if from_logits else ops.softmax(own))
        return ops.multiply(value, self.temperature**2)


class FeatureDistillation(_Compared):
    """What a layer of the student gives against what a layer of the teacher gives.

    Args:
        loss: as in `LogitsDistillation`.
        teacher_layer_name: the teacher's layer; None for the teacher's outputs.
        student_layer_name: the student's layer; None for the student's outputs.
    """

    def __init__(
        self,
        loss: Any = "mse",
        teacher_layer_name: str | None = None,
        student_layer_name: str | None = None,
    ) -> None:
        super().__init__(loss)
        self.teacher_layer_name = teacher_layer_name
        self.student_layer_name = student_layer_name

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        names = {"teacher": self.teacher_layer_name, "student": self.student_layer_name}
        for role, model in (("teacher", teacher), ("student", student)):
            if names[role] is None:
                continue
            if getattr(model, "_graph", None) is None:
                raise ValueError(
                    f"FeatureDistillation: {role}_layer_name needs a model made of symbolic "
                    f"tensors (functional or Sequential with an Input); {model!r} is not"
                )
            try:
                model.get_layer(names[role])
            except ValueError as error:
                raise ValueError(f"FeatureDistillation: {role}_layer_name: {error}") from None


def _keys(tree: Any) -> Any:
    return sorted(tree) if isinstance(tree, dict) else None
