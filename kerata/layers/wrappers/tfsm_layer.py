"""`TFSMLayer`: a SavedModel of TensorFlow as a layer."""

from __future__ import annotations

import os
from typing import Any

from kerata.backends.registry import load
from kerata.backends.state import state
from kerata.core.tracking import unique
from kerata.core.variable import Variable
from kerata.layers.wrappers.engine_layer import EngineLayer, check_trust


class TFSMLayer(EngineLayer):
    """A SavedModel, as `tf.saved_model.save` wrote it, as a layer, under the tensorflow backend.

    Its variables are the layer's weights: the same memory. Its functions read them there, so
    `fit` trains them, but values can't be put in their place: there is no `stateless_call`.

    A model's file holds the path alone, and loads only where unsafe deserialization is allowed: a
    SavedModel is a program.

    Args:
        filepath: the SavedModel's folder.
        call_endpoint: the function to call: an attribute of the saved object, or a signature.
        call_training_endpoint: the one to call where `training` is True; None for the same.
        trainable, name, dtype: as of any layer.

    Input: a tensor, or the nesting of tensors that the function takes. Output: what it returns.
    """

    engine = "tensorflow"
    untracked = EngineLayer.untracked | {"_module"}

    def __init__(
        self,
        filepath: Any,
        call_endpoint: str = "serve",
        call_training_endpoint: str | None = None,
        trainable: bool = True,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(trainable=trainable, name=name, dtype=dtype)
        backend = load("tensorflow")
        import tensorflow as tf

        self.filepath = os.fspath(filepath)
        self.call_endpoint = call_endpoint
        self.call_training_endpoint = call_training_endpoint
        self._module = tf.saved_model.load(self.filepath)
        self._function = self._endpoint(call_endpoint, "call_endpoint")
        self._training_function = self._function
        if call_training_endpoint is not None:
            self._training_function = self._endpoint(
                call_training_endpoint, "call_training_endpoint"
            )
        functions = (self._function, self._training_function)
        held = unique(v for f in functions for v in _variables(f))
        self._pairs = [(self._weight(backend, v), v) for v in held]
        self.built = True

    def _endpoint(self, name: str, argument: str) -> Any:
        """The SavedModel's function of that name."""
        signatures = getattr(self._module, "signatures", {})
        found = getattr(self._module, name, None)
        if callable(found):
            return found
        if name in signatures:
            return signatures[name]
        own = [n for n, v in vars(self._module).items() if callable(v)]
        known = [n for n in own if not n.startswith(("_", "graph"))]
        raise ValueError(
            f"TFSMLayer: {argument}={name!r} is no function of {self.filepath}, which has "
            f"{', '.join(sorted({*known, *signatures}))}"
        )

    def _weight(self, backend: Any, held: Any) -> Variable:
        name = held.name.partition(":")[0].replace("/", "_")
        variable = self.add_weight(
            tuple(held.shape), "zeros", held.dtype.name, held.trainable, name=name
        )
        variable.adopt(held, backend)
        return variable

    def call(self, inputs: Any, training: bool = False) -> Any:
        """What the endpoint returns."""
        return self._on_engine(self._run, inputs, training)

    def _run(self, inputs: Any, training: bool) -> Any:
        import tensorflow as tf

        from kerata.interop.tensorflow import join

        join(self._pairs)
        function = self._training_function if training else self._function
        watched = [(_stored(v), held) for v, held in self._pairs if v.trainable]
        values = [value for value, _ in watched]
        leaves = tf.nest.flatten(inputs)

        @tf.custom_gradient
        def run(*given: Any) -> Any:
            inner = tf.nest.pack_sequence_as(inputs, given[: len(leaves)])
            with tf.GradientTape(persistent=True, watch_accessed_variables=False) as tape:
                tape.watch([x for x in given[: len(leaves)] if x.dtype.is_floating])
                tape.watch([held for _, held in watched])
                result = function(inner)
            outputs = tf.nest.flatten(result)
            structures.append(result)

            def backward(*upstream: Any, variables: Any = None) -> Any:
                sources = [*given[: len(leaves)], *(held for _, held in watched)]
                smooth = [x for x in sources if x.dtype.is_floating]
                found = iter(tape.gradient(outputs, smooth, list(upstream)))
                slopes = [next(found) if x.dtype.is_floating else None for x in sources]
                return slopes if variables is None else (slopes, [None] * len(variables))

            return outputs, backward

        structures: list[Any] = []
        outputs = run(*leaves, *values)
        return tf.nest.pack_sequence_as(structures[-1], outputs)

    def stateless_call(self, *args: Any, **kwargs: Any) -> Any:
        """Refused: a SavedModel's functions read their own variables."""
        raise RuntimeError(
            f"Layer {self.name!r} (TFSMLayer): a SavedModel's functions read their own variables, "
            "so it can't be called with other values for them"
        )

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        names = ("filepath", "call_endpoint", "call_training_endpoint")
        return self._settings() | {n: getattr(self, n) for n in names}

    @classmethod
    def _arguments_of(cls, config: dict[str, Any], safe_mode: bool | None) -> dict[str, Any]:
        check_trust("the path of a SavedModel", safe_mode)
        return config


def _stored(variable: Variable) -> Any:
    """A variable's value in its own dtype."""
    return variable.tensor() if state.scope is None else state.scope.read(variable)


def _variables(function: Any) -> list[Any]:
    """The variables that a function of a SavedModel reads."""
    found = getattr(function, "variables", None)
    if found is not None:
        return list(found)
    return [v for f in getattr(function, "concrete_functions", ()) for v in f.variables]
