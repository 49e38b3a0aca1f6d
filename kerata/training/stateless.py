"""`StatelessTraining`: a model's losses and state as values, for steps written as functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from kerata import ops
from kerata.backends.scope import Scope
from kerata.core.tracking import distinct_paths

if TYPE_CHECKING:
    from kerata.layers.layer import Layer as _Mixed
else:
    _Mixed = object

_FORMATS = ("backend_tensor", "numpy_array")


class StatelessTraining(_Mixed):
    """The part of `Trainer` for those who write steps as functions of the state."""

    optimizer: Any

    def stateless_compute_loss(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> tuple[Any, tuple[list[Any], list[Any], list[Any]]]:
        """`compute_loss` with these values for the model's variables, changing nothing.

        Returns:
            The loss, and the new values of the three groups of variables.
        """
        groups = self.trainable_variables, self.non_trainable_variables, self.metrics_variables
        given = trainable_variables, non_trainable_variables, metrics_variables
        with _scope(groups, given):
            loss = self.compute_loss(x, y, y_pred, sample_weight, training)
            trained, others, metrics = ([v.value for v in group] for group in groups)
        return loss, (trained, others, metrics)

    def compute_loss_and_updates(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        metrics_variables: Sequence[Any],
        x: Any,
        y: Any,
        sample_weight: Any,
        training: bool = False,
        optimizer_variables: Sequence[Any] | None = None,
    ) -> tuple[Any, tuple[Any, Any, list[Any], list[Any]]]:
        """Call the model and compute its loss: what `jax.value_and_grad(…, has_aux=True)` takes.

        Returns:
            The loss, scaled where the optimizer scales it; and `(loss, y_pred,
            non_trainable_variables, metrics_variables)` with the loss itself and the new values.
        """
        groups = [self.trainable_variables, self.non_trainable_variables, self.metrics_variables]
        given = [trainable_variables, non_trainable_variables, metrics_variables]
        if optimizer_variables is not None:
            groups.append(self.optimizer.variables)
            given.append(optimizer_variables)
        with _scope(groups, given):
            y_pred = self(x, training=training)
            loss = self.compute_loss(x, y, y_pred, sample_weight, training)
            scaled = loss if self.optimizer is None else self.optimizer.scale_loss(loss)
            others, metrics = ([v.value for v in group] for group in groups[1:3])
        return scaled, (loss, y_pred, others, metrics)

    def compute_loss(self, *args: Any, **kwargs: Any) -> Any:
        """See `Trainer`."""
        raise NotImplementedError

    def jax_state_sync(self) -> None:
        """Nothing to do: the variables hold the state at every step of `fit`."""

    def get_state_tree(self, value_format: str = "backend_tensor") -> dict[str, dict[str, Any]]:
        """The model's state as dictionaries nested by the variables' paths.

        Args:
            value_format: "backend_tensor" or "numpy_array".

        Returns:
            "trainable_variables", "non_trainable_variables", "optimizer_variables" and
            "metrics_variables". Where two have one path, the second's name gets a number.
        """
        if value_format not in _FORMATS:
            raise ValueError(
                f"value_format must be one of {', '.join(_FORMATS)}; got {value_format!r}"
            )
        found: dict[str, dict[str, Any]] = {}
        for group, variables in self._state_groups().items():
            tree = found[group] = {}
            for path, variable in distinct_paths(variables):
                inner = tree
                for name in path[:-1]:
                    inner = inner.setdefault(name, {})
                tensors = value_format == "backend_tensor"
                inner[path[-1]] = variable.value if tensors else variable.numpy()
        return found

    def set_state_tree(self, state_tree: dict[str, dict[str, Any]]) -> None:
        """Set variables to the values of a tree such as `get_state_tree` gives, or part of one.

        Raises:
            ValueError: it names a variable that there is not, or a value has another shape.
        """
        groups = self._state_groups()
        for group, tree in state_tree.items():
            if group not in groups:
                raise ValueError(
                    f"set_state_tree: there are no {group!r}; there are {', '.join(groups)}"
                )
            known = dict(distinct_paths(groups[group]))
            for path, value in _leaves(tree):
                if path not in known:
                    raise ValueError(
                        f"set_state_tree: {group!r} has no variable {'/'.join(path)!r}; there are "
                        f"{', '.join('/'.join(p) for p in known)}"
                    )
                known[path].assign(value)

    def _state_groups(self) -> dict[str, list[Any]]:
        optimizer = self.optimizer
        return {
            "trainable_variables": self.trainable_variables,
            "non_trainable_variables": self.non_trainable_variables,
            "optimizer_variables": [] if optimizer is None else optimizer.variables,
            "metrics_variables": self.metrics_variables,
        }


def _scope(groups: Sequence[Sequence[Any]], given: Sequence[Sequence[Any]]) -> Scope:
    return Scope(
        (variable, ops.convert_to_tensor(value))
        for group, values in zip(groups, given, strict=True)
        for variable, value in zip(group, values, strict=True)
    )


def _leaves(tree: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for name, value in tree.items():
        if isinstance(value, dict):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value
