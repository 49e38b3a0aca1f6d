"""Steps as users write them: which form a `train_step` has, and what it is given.

A step may be written once for all backends, `train_step(self, data)`, or as Keras users write it
for JAX, as a function of the state: `train_step(self, state, data)`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from kerata import ops
from kerata.backends.scope import Scope
from kerata.training.data import unpack_x_y_sample_weight

ALONE = object()  # in the place of `data`, where a step is given nothing but a batch


def packed(batch: Any) -> Any:
    """A batch as steps of users take it: `x`, `(x, y)` or `(x, y, sample_weight)`."""
    x, y, sample_weight = unpack_x_y_sample_weight(batch)
    if sample_weight is not None:
        return x, y, sample_weight
    if y is not None:
        return x, y
    return (x,) if isinstance(x, (list, tuple)) else x


def takes_state(step: Callable[..., Any]) -> bool:
    """Whether a bound step wants `(state, data)` instead of `data` alone."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    needed = [
        p
        for p in inspect.signature(step).parameters.values()
        if p.kind in kinds and p.default is inspect.Parameter.empty
    ]
    return len(needed) > 1


def as_step_of_data(model: Any, kind: str, step: Callable[..., Any]) -> Callable[[Any], Any]:
    """A user's bound step as a function of a batch `(x, y, sample_weight)` alone."""
    if not takes_state(step):
        return lambda batch: step(packed(batch))

    def with_state(batch: Any) -> Any:
        groups = state_groups(model, kind)
        values = tuple([v.value for v in group] for group in groups)
        result, new = step(values, packed(batch))
        for group, old, now in zip(groups, values, _as_groups(kind, values, new), strict=True):
            for variable, before, after in zip(group, old, now, strict=True):
                if after is not before:
                    variable.assign(after)
        return result

    return with_state


def as_step_of_state(
    model: Any, kind: str, step: Callable[[Any, Any], Any], values: Any, batch: Any
) -> tuple[Any, Any]:
    """`step(model, batch)` as a function of the state: what it returns, and the new state."""
    groups = state_groups(model, kind)
    pairs = [
        (variable, ops.convert_to_tensor(value))
        for group, given in zip(groups, values, strict=True)
        for variable, value in zip(group, given, strict=True)
    ]
    with Scope(pairs):
        result = step(model, batch)
        new = tuple([v.value for v in group] for group in groups)
    return result, new[1] if kind == "predict" else new


def state_groups(model: Any, kind: str) -> tuple[list[Any], ...]:
    """The variables of which a step of `(state, data)` is given the values.

    For "train" those that are trained, the others, the optimizer's and the metrics'; for "test"
    without the optimizer's, for "predict" without the metrics' too.
    """
    weights = model.trainable_variables, model.non_trainable_variables
    if kind == "predict":
        return weights
    if kind == "test":
        return *weights, model.metrics_variables
    optimizer = [] if model.optimizer is None else model.optimizer.variables
    return *weights, optimizer, model.metrics_variables


def _as_groups(kind: str, values: Any, new: Any) -> Any:
    """The state that a step returned; one of "predict" returns what is not trained alone."""
    if kind == "predict":
        return values[0], new
    if len(new) != len(values):
        raise ValueError(
            f"{kind}_step(state, data) must return (logs, state) with a state of {len(values)} "
            f"lists, as it was given; got {len(new)}"
        )
    return new
