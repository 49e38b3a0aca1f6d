"""`Compiling`: the choice of optimizer, loss and metrics."""

from __future__ import annotations

from typing import Any

import optree

from kerata import losses as losses_module
from kerata import metrics as metrics_module
from kerata import optimizers
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.optimizers.parts import PartOptimizer, by_part
from kerata.training.objectives import CompiledMetrics, Objective


class Compiling:
    """`compile`, and what it was called with."""

    compute_dtype: str
    name: str
    built: bool
    trainable_variables: list[Any]
    stop_training: bool
    optimizer: Any = None
    _compiled = False
    _loss_tracker: Any = None
    _compile_loss: Objective | None = None
    _compile_metrics: CompiledMetrics | None = None

    def compile(
        self,
        optimizer: Any = "rmsprop",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        run_eagerly: bool = False,
        steps_per_execution: int | str = 1,
        jit_compile: bool | str = "auto",
        auto_scale_loss: bool = True,
    ) -> None:
        """Choose optimizer, loss and metrics.

        Args:
            optimizer: an optimizer, its name, or its config; or a dictionary of these by the part
                of the model that each trains: the name of an attribute or a layer, or what the
                paths of its variables begin with (a regular expression), "*" for all the rest.
            loss: a loss, its name, or a function `(y_true, y_pred)`; for several outputs a list or
                a dict by the outputs' names.
            loss_weights: a factor for each output's loss.
            metrics: a list of metrics or names; for several outputs a list of lists or a dict.
            weighted_metrics: likewise, and weighted by `sample_weight`.
            run_eagerly: compile nothing, so that a debugger stops in `call`.
            steps_per_execution: steps in one call of the device; 1 and "auto" leave the choice to
                `fit`, which measures and takes several where no callback looks at every batch.
            jit_compile: "auto", True (XLA on TensorFlow, `torch.compile` on torch) or False.
            auto_scale_loss: scale the loss where float16 needs it.

        Raises:
            ValueError: an optimizer, loss or metric has an unknown name (the nearest is suggested).
        """
        if steps_per_execution != "auto" and (
            not isinstance(steps_per_execution, int) or steps_per_execution < 1
        ):
            raise ValueError(
                f"steps_per_execution must be a positive int or 'auto'; got {steps_per_execution!r}"
            )
        names = getattr(self, "output_names", ())
        if by_part(optimizer):
            optimizer = {part: optimizers.get(one) for part, one in optimizer.items()}
            self.optimizer = PartOptimizer(optimizer, self)
        else:
            self.optimizer = optimizers.get(optimizer)
        half = auto_scale_loss and self.compute_dtype == "float16"
        if half and not isinstance(self.optimizer, optimizers.LossScaleOptimizer):
            self.optimizer = optimizers.LossScaleOptimizer(self.optimizer)
        self._compile_loss = None if loss is None else Objective(loss, loss_weights, names)
        _check_names(losses_module, loss)
        self._compile_metrics = CompiledMetrics(metrics, weighted_metrics, names)
        _check_names(metrics_module, metrics, weighted_metrics)
        self._loss_tracker = metrics_module.Mean(name="loss")
        self.run_eagerly = run_eagerly
        self.steps_per_execution = steps_per_execution
        self.jit_compile = jit_compile
        self.auto_scale_loss = auto_scale_loss
        self._compile_arguments = {
            "optimizer": optimizer, "loss": loss, "loss_weights": loss_weights, "metrics": metrics,
            "weighted_metrics": weighted_metrics, "run_eagerly": run_eagerly,
            "steps_per_execution": steps_per_execution, "jit_compile": jit_compile,
        }  # fmt: skip
        self.stop_training = False
        self._compiled = True

    @property
    def compiled(self) -> bool:
        """Whether `compile` was called."""
        return self._compiled

    def get_compile_config(self) -> dict[str, Any] | None:
        """What `compile` was called with, as JSON can hold it; None where it was not."""
        if not self._compiled:
            return None
        arguments = dict(self._compile_arguments)
        if not by_part(arguments["optimizer"]):
            arguments["optimizer"] = self.optimizer
        return {n: serialize_object(v) for n, v in arguments.items()}

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """`compile` with what `get_compile_config` gave."""
        self.compile(**{n: deserialize_object(v) for n, v in config.items()})
        if self.built:
            self.optimizer.build(self.trainable_variables)

    def _assert_compiled(self, method: str) -> None:
        if not self._compiled:
            raise ValueError(
                f"Call compile(optimizer, loss) before {method}: "
                f"model {self.name!r} is not compiled"
            )


def _check_names(module: Any, *given: Any) -> None:
    """Raise where a loss or a metric is named that `module` doesn't know."""
    for one in optree.tree_leaves(given):
        if isinstance(one, str) and one not in ("accuracy", "acc", "crossentropy", "ce"):
            module.get(one)
