"""What a layer owns and how it is listed: weights, layers, losses, metrics."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from kerata.backends.scope import Scope
from kerata.backends.state import state
from kerata.core.seeds import SeedGenerator
from kerata.core.tracking import attributes, unique
from kerata.core.variable import Variable
from kerata.metrics.metric import Metric
from kerata.ops.shaping import convert_to_tensor


class LayerState:
    """The part of `Layer` that lists and sets its state."""

    name: str
    built: bool
    untracked: frozenset[str] = frozenset()

    def _adopt_modules(self) -> None:
        """See `EngineMethods`."""

    def __init__(self, trainable: bool) -> None:
        self._trainable = bool(trainable)
        self._made: list[tuple[Variable, bool]] = []
        self._losses: list[Any] = []
        self._losses_of = -1

    def _layers(self) -> list[Any]:
        """The layers directly in its attributes, in the order in which they were set."""
        self._adopt_modules()
        return unique(v for v in attributes(self) if isinstance(v, LayerState))

    def _flatten_layers(self) -> Iterator[Any]:
        """It and all layers in it, each once."""
        seen: set[int] = set()
        stack: list[Any] = [self]
        while stack:
            layer = stack.pop()
            if id(layer) in seen:
                continue
            seen.add(id(layer))
            yield layer
            stack.extend(reversed(layer._layers()))

    def _own(self) -> list[Variable]:
        made = [v for v, trainable in self._made if trainable]
        made += [v for v, trainable in self._made if not trainable]
        held = (v for v in attributes(self) if isinstance(v, Variable))
        return unique(iter((*made, *held)))

    def _beside(self) -> list[Variable]:
        """Its variables that are no weights: the state of its seeds."""
        return [v.state for v in attributes(self) if isinstance(v, SeedGenerator)]

    @property
    def variables(self) -> list[Variable]:
        """All its variables, those of its layers and the state of its seeds included."""
        found: list[Variable] = []
        for layer in self._flatten_layers():
            found += layer._own()
            found += layer._beside()
        return unique(iter(found))

    @property
    def weights(self) -> list[Variable]:
        """Its variables without the state of seeds."""
        return unique(v for layer in self._flatten_layers() for v in layer._own())

    @property
    def trainable_variables(self) -> list[Variable]:
        """The variables that training changes by gradients."""
        return [v for v in self.variables if v.trainable] if self.trainable else []

    @property
    def non_trainable_variables(self) -> list[Variable]:
        """The other variables."""
        if not self.trainable:
            return self.variables
        return [v for v in self.variables if not v.trainable]

    @property
    def trainable_weights(self) -> list[Variable]:
        """The weights that training changes by gradients."""
        return [v for v in self.weights if v.trainable] if self.trainable else []

    @property
    def non_trainable_weights(self) -> list[Variable]:
        """The other weights."""
        return [v for v in self.weights if not v.trainable] if self.trainable else self.weights

    @property
    def metrics(self) -> list[Any]:
        """The metrics in its attributes and those of its layers."""
        return unique(
            v
            for layer in self._flatten_layers()
            for v in attributes(layer)
            if isinstance(v, Metric)
        )

    @property
    def metrics_variables(self) -> list[Variable]:
        """The variables of its metrics."""
        return [v for metric in self.metrics for v in metric.variables]

    @property
    def trainable(self) -> bool:
        """Whether its weights are trained; setting it sets its layers' too."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        self._trainable = bool(value)
        for variable, trainable in self._made:
            if trainable:
                variable.trainable = value
        for layer in self._layers():
            layer.trainable = value

    def stateless_call(
        self,
        trainable_variables: Sequence[Any],
        non_trainable_variables: Sequence[Any],
        *args: Any,
        return_losses: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Call it with these values for its variables, changing nothing.

        Returns:
            `(outputs, non_trainable_variables)`, or with `return_losses` a third, `losses`.

        Raises:
            ValueError: it is not built, or the numbers of values and variables differ.
        """
        if not self.built:
            raise ValueError(
                f"stateless_call: {self.name!r} ({type(self).__name__}) has no variables yet: call "
                "it on data, or build(input_shape), first"
            )
        own = [*self.trainable_variables, *self.non_trainable_variables]
        given = [*trainable_variables, *non_trainable_variables]
        if len(trainable_variables) != len(self.trainable_variables) or len(own) != len(given):
            raise ValueError(
                f"stateless_call: {self.name!r} has {len(self.trainable_variables)} trainable and "
                f"{len(self.non_trainable_variables)} other variables, and "
                f"{len(trainable_variables)} and {len(non_trainable_variables)} values were given"
            )
        with Scope(zip(own, map(convert_to_tensor, given))) as scope:
            outputs = self(*args, **kwargs)  # type: ignore[operator]
            losses = self.losses if return_losses else None
        new = [scope.get(v) for v in self.non_trainable_variables]
        return (outputs, new, losses) if return_losses else (outputs, new)

    def count_params(self) -> int:
        """How many numbers its weights hold.

        Raises:
            ValueError: it has none yet, because it is not built.
        """
        if not self.built and not self.weights:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has no weights yet: "
                "call it on data, or build(input_shape)"
            )
        return sum(w.size for w in self.weights)

    def get_weights(self) -> list[np.ndarray]:
        """The values of `weights`, as NumPy arrays."""
        return [w.numpy() for w in self.weights]

    def set_weights(self, weights: Sequence[Any]) -> None:
        """Set `weights` to these values; nothing is changed where one does not fit.

        Raises:
            ValueError: their number or a shape differs.
        """
        own = self.weights
        if len(own) != len(weights):
            raise ValueError(
                f"set_weights: {self.name!r} has {len(own)} weights, and {len(weights)} were given"
            )
        for variable, value in zip(own, weights, strict=True):
            if tuple(np.shape(value)) != variable.shape:
                raise ValueError(
                    f"set_weights: {variable.path!r} has the shape {variable.shape}, "
                    f"and the value {tuple(np.shape(value))}"
                )
        for variable, value in zip(own, weights, strict=True):
            variable.assign(value)

    def _saved(self) -> list[Variable]:
        """The variables that its files hold, in their order."""
        return self._own()

    def save_own_variables(self, store: Any) -> None:
        """Put its own variables (not its layers') into `store`, under "0", "1" and so on."""
        for i, variable in enumerate(self._saved()):
            store[str(i)] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take its own variables out of `store`.

        Raises:
            ValueError: the file holds another number of variables.
        """
        own = self._saved()
        if len(store.keys()) != len(own):
            hint = "" if self.built else " It is not built: call it on data first."
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) has {len(own)} variables, and the "
                f"file holds {len(store.keys())}.{hint}"
            )
        for i, variable in enumerate(own):
            variable.assign(np.asarray(store[str(i)]))
        self._loaded()

    def _loaded(self) -> None:
        """Set what files do not hold, after its own variables were loaded."""

    def add_loss(self, loss: Any) -> None:
        """Add a scalar (or several) to the losses of the call that runs now."""
        if self._losses_of != state.call:
            self._losses, self._losses_of = [], state.call
        self._losses += loss if isinstance(loss, (list, tuple)) else [loss]
        state.added_losses = True

    @property
    def losses(self) -> list[Any]:
        """What `add_loss` and activity regularizers gave in the last call, and the weights' own."""
        found: list[Any] = []
        for layer in self._flatten_layers():
            if layer._losses_of == state.call:
                found += layer._losses
        for variable in self.trainable_variables:
            if variable.regularizer is not None:
                found.append(variable.regularizer(variable.value))
        return found

    def add_metric(self, *args: Any, **kwargs: Any) -> None:
        """Refused, as in Keras 3: make a metric in `__init__` and update it in `call`."""
        raise RuntimeError(
            "add_metric is gone in Keras 3. Make a kerata.metrics object in __init__ and call its "
            "update_state in call or train_step."
        )
