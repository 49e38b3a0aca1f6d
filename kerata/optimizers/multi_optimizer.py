"""Several optimizers, each for its variables."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping, Sequence
from typing import Any

from kerata.core.config_object import Configurable
from kerata.core.serialization import deserialize_object, serialize_object
from kerata.core.variable import Variable
from kerata.optimizers.optimizer import Optimizer


class OptimizerMap(Configurable, MutableMapping):
    """Optimizers by regular expressions on the paths of variables.

    Args:
        default_optimizer: for the variables that no expression matches.
        optimizer_map: a dictionary of expressions and optimizers; the first match counts.

    >>> from kerata.optimizers import Adam, SGD
    >>> chosen = OptimizerMap(SGD(0.1), {"encoder/.*": Adam()})
    >>> chosen["encoder/dense/kernel"].name.split("_")[0]
    'adam'
    """

    def __init__(
        self, default_optimizer: Optimizer, optimizer_map: dict[str, Optimizer] | None = None
    ) -> None:
        self.default_optimizer = _checked("default_optimizer", default_optimizer)
        self._optimizers: dict[str, Optimizer] = {}
        for pattern, optimizer in (optimizer_map or {}).items():
            self[pattern] = optimizer

    def __getitem__(self, key: str) -> Optimizer:
        """The optimizer of the expression, or else of the first one that matches the path `key`."""
        if key in self._optimizers:
            return self._optimizers[key]
        matches = (o for p, o in self._optimizers.items() if re.match(p, key))
        return next(matches, self.default_optimizer)

    def __setitem__(self, key: str, optimizer: Optimizer) -> None:
        self._optimizers[key] = _checked(f"the optimizer of {key!r}", optimizer)

    def __delitem__(self, key: str) -> None:
        del self._optimizers[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._optimizers)

    def __len__(self) -> int:
        return len(self._optimizers)

    def __call__(self, variable: Variable) -> Optimizer:
        """The optimizer of a variable."""
        return self[variable.path]

    def get_config(self) -> dict[str, Any]:
        return {
            "default_optimizer": serialize_object(self.default_optimizer),
            "optimizer_map": {p: serialize_object(o) for p, o in self._optimizers.items()},
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> OptimizerMap:
        """The map that `get_config` described."""
        made = {
            p: deserialize_object(o, custom_objects) for p, o in config["optimizer_map"].items()
        }
        return cls(deserialize_object(config["default_optimizer"], custom_objects), made)


def _checked(what: str, optimizer: Any) -> Optimizer:
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"OptimizerMap: {what} must be an Optimizer; got {optimizer!r}")
    return optimizer


class MultiOptimizer(Optimizer):
    """An optimizer that hands each variable to one of several.

    Args:
        optimizer_map: an `OptimizerMap`, or a function from a variable to its optimizer.
        loss_scale_factor: takes the place of those of the optimizers.
        name: its name.

    Attributes:
        optimizers: those in use, in the order of their first variables (after `build`).

    >>> from kerata.optimizers import Adam, SGD
    >>> optimizer = MultiOptimizer(OptimizerMap(SGD(0.1), {"encoder/.*": Adam()}))
    """

    def __init__(
        self,
        optimizer_map: OptimizerMap | Callable[[Variable], Optimizer],
        loss_scale_factor: float | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(0.0, loss_scale_factor=loss_scale_factor, name=name)
        if not callable(optimizer_map):
            raise TypeError(
                "MultiOptimizer: optimizer_map must be an OptimizerMap or a function of a "
                f"variable; got {optimizer_map!r}"
            )
        self.optimizer_map = optimizer_map
        self.optimizers: list[Optimizer] = []
        self._chosen: dict[int, int] = {}

    @property
    def learning_rate(self) -> Any:
        """There is none: see those of `optimizers`.

        Raises:
            AttributeError: always.
        """
        raise AttributeError(
            f"{self.name!r} has no learning rate of its own; see those of its `optimizers`"
        )

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        raise AttributeError(
            f"{self.name!r} has no learning rate of its own; set those of its `optimizers`"
        )

    def rated(self) -> dict[str, Optimizer]:
        """Its optimizers by their names."""
        return {o.name: o for o in self.optimizers}

    @property
    def variables(self) -> list[Variable]:
        """Its own state and that of its optimizers."""
        return [*self._variables, *(v for o in self.optimizers for v in o.variables)]

    def _window_weights(self) -> list[Variable]:
        return [v for o in self.optimizers for v in o._window_weights()]

    @property
    def accumulates(self) -> bool:
        """Whether one of its optimizers does."""
        return any(o.accumulates for o in self.optimizers)

    def build(self, variables: Sequence[Variable]) -> None:
        """Choose an optimizer for each variable, and build them."""
        if self.built:
            return
        super().build(variables)
        groups: dict[int, list[Variable]] = {}
        for variable in variables:
            chosen = self.optimizer_map(variable)
            if not isinstance(chosen, Optimizer):
                raise TypeError(
                    f"MultiOptimizer: optimizer_map must return an Optimizer for "
                    f"{variable.path!r}; got {chosen!r}"
                )
            if all(chosen is not o for o in self.optimizers):
                self.optimizers.append(chosen)
            place = next(i for i, o in enumerate(self.optimizers) if o is chosen)
            self._chosen[id(variable)] = place
            groups.setdefault(place, []).append(variable)
        for place, group in groups.items():
            if self.loss_scale_factor is not None:
                self.optimizers[place].loss_scale_factor = self.loss_scale_factor
            self.optimizers[place].build(group)
        self.use_ema = any(o.use_ema for o in self.optimizers)

    def apply(
        self,
        grads: Iterable[Any],
        trainable_variables: Iterable[Variable] | None = None,
        *,
        weight: Any = None,
    ) -> None:
        """Make one step of each optimizer; arguments as in `Optimizer.apply`."""
        gradients, variables = self._matched(grads, trainable_variables)
        for place, optimizer in enumerate(self.optimizers):
            own = [
                (g, v)
                for g, v in zip(gradients, variables, strict=True)
                if self._chosen[id(v)] == place
            ]
            if any(g is not None for g, _ in own):
                weighed = {"weight": weight} if optimizer.accumulates else {}
                optimizer.apply([g for g, _ in own], [v for _, v in own], **weighed)
        self._iterations.assign_add(1)

    def flush(self) -> None:
        """`Optimizer.flush` of each optimizer."""
        for optimizer in self.optimizers:
            optimizer.flush()

    def exchange_averages(self) -> None:
        """`Optimizer.exchange_averages` of each optimizer."""
        for optimizer in self.optimizers:
            optimizer.exchange_averages()

    def finalize_variable_values(self, var_list: Iterable[Variable]) -> None:
        """`Optimizer.finalize_variable_values` of each optimizer for its variables."""
        variables = self._known(var_list)
        for place, optimizer in enumerate(self.optimizers):
            optimizer.finalize_variable_values(
                [v for v in variables if self._chosen[id(v)] == place]
            )
