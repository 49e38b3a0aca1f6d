"""`Model`: a layer that can be trained, evaluated, saved; and the functional API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree

from kerata.core.graph import Function
from kerata.core.symbolic import KerasTensor
from kerata.layers.layer import Layer
from kerata.layers.preprocessing.ahead import Prepared, replaying
from kerata.layers.shapes import as_tuples, shapes_of
from kerata.models.graph_config import (
    call_config,
    call_from_config,
    call_specs,
    graph_config,
    in_depth_order,
    is_graph_config,
    model_from_graph,
    takes_graph,
)
from kerata.quantizers.model import QuantizingModel
from kerata.training.trainer import Trainer

_OWN = __name__.split(".")[0] + "."
_CALLED = {"inputs", "training", "mask"}  # what `call` takes where no subclass defines it


class Model(QuantizingModel, Trainer, Layer):
    """A model, defined in one of three ways that mix freely.

    - From symbolic tensors: `Model(inputs, outputs)`.
    - By subclassing: make layers in `__init__`, use them in `call(self, inputs, training=False)`.
    - As a stack: `Sequential([...])`.

    A subclass may also be given a graph, `MyModel(inputs, outputs)`, to change how it trains.

    Args:
        inputs: a symbolic tensor from `kerata.Input`, or any nesting of them.
        outputs: what layers made of them.
        name: its name.

    Raises:
        ValueError: the graph is disconnected, or two layers have one name.

    Example:
        >>> inputs = kerata.Input((4,))
        >>> model = Model(inputs, layers.Dense(2)(inputs))
        >>> model.output_shape
        (None, 2)
    """

    untracked = Layer.untracked | {
        "_graph", "_order", "_built_on", "_compiled", "optimizer", "history", "_loss_tracker",
        "_compile_metrics", "_compile_loss", "_compile_arguments", "_trained", "_functions",
        "_paces", "_specs", "_host_calls", "_gradient_metrics", "stop_training", "current_run",
    }  # fmt: skip

    rematerializable = False
    takes_sparse = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        inputs = kwargs.pop("inputs", args[0] if args else None)
        outputs = kwargs.pop("outputs", args[1] if len(args) > 1 else None)
        if len(args) > 2:
            kwargs["name"] = args[2]
        if (inputs is None) != (outputs is None):
            raise ValueError(
                f"{type(self).__name__}: give both inputs and outputs (symbolic tensors), or "
                "neither and define call"
            )
        Layer.__init__(self, **kwargs)
        Trainer.__init__(self)
        self._graph: Function | None = None
        self._order: list[Any] = []
        self._built_on: Any = None
        if inputs is not None:
            self._set_graph(inputs, outputs)

    def _set_graph(self, inputs: Any, outputs: Any) -> None:
        self._graph = Function(inputs, outputs, self.name)
        self._order = in_depth_order(self._graph)
        _check_names(self._order, self.name)
        self.built = True
        self.supports_masking = True

    @property
    def layers(self) -> list[Layer]:
        """Its layers: in the graph's order, or in that of its attributes."""
        return self._layers()

    def _layers(self) -> list[Any]:
        found = Layer._layers(self)
        if self._graph is None:
            return found
        graph = [op for op in self._order if isinstance(op, Layer)]
        return list({id(x): x for x in (*graph, *found)}.values())

    def get_layer(self, name: str | None = None, index: int | None = None) -> Layer:
        """A layer by its name or its place.

        Raises:
            ValueError: there is none (the names that exist are listed).
        """
        layers = self.layers
        if (name is None) == (index is None):
            raise ValueError("get_layer: give either name or index")
        if index is not None:
            if not -len(layers) <= index < len(layers):
                raise ValueError(f"get_layer: index {index}, and there are {len(layers)} layers")
            return layers[index]
        for layer in layers:
            if layer.name == name:
                return layer
        names = ", ".join(repr(x.name) for x in layers)
        raise ValueError(f"get_layer: no layer is named {name!r}; there are {names}")

    # The graph's ends

    def _graph_or_error(self, what: str) -> Function:
        if self._graph is None:
            raise AttributeError(
                f"Model {self.name!r} ({type(self).__name__}) has no {what}: it is not made of "
                "symbolic tensors"
            )
        return self._graph

    @property
    def inputs(self) -> list[KerasTensor]:
        """The symbolic inputs of its graph."""
        return self._graph_or_error("inputs").inputs

    @property
    def outputs(self) -> list[KerasTensor]:
        """The symbolic outputs of its graph."""
        return self._graph_or_error("outputs").outputs

    @property
    def input(self) -> Any:
        """The symbolic input(s), nested as given."""
        return self._graph_or_error("input").inputs_structure

    @property
    def output(self) -> Any:
        """The symbolic output(s), nested as given."""
        return self._graph_or_error("output").outputs_structure

    @property
    def input_shape(self) -> Any:
        """The shape(s) of its input."""
        return _shapes_of(self.input)

    @property
    def output_shape(self) -> Any:
        """The shape(s) of its output."""
        return _shapes_of(self.output)

    @property
    def operations(self) -> list[Any]:
        """The layers and operations of its graph."""
        return self._graph_or_error("operations").operations

    # Running

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args and args[0].__class__ is Prepared:
            with replaying(args[0]):
                return super().__call__(args[0].inputs, *args[1:], **kwargs)
        if not _CALLED.issuperset(kwargs) and type(self).call.__module__.startswith(_OWN):
            self._register_inner(kwargs.keys() - _CALLED)
        return super().__call__(*args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        """Run the graph; subclasses define their own."""
        if self._graph is None:
            raise NotImplementedError(
                f"{type(self).__name__} must define call(self, inputs), or be made of symbolic "
                "tensors: Model(inputs, outputs)"
            )
        return self._graph.call(_at_rank(self._graph.inputs, inputs))

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """None: the masks of a model's outputs are those that its layers gave them."""
        return None

    def build(self, input_shape: Any = None) -> None:
        """Make the weights of a subclassed model by running it on symbolic inputs of this shape."""
        if self.built or input_shape is None:
            self.built = True
            return
        inputs = _inputs_like(input_shape, self.compute_dtype)
        self(inputs)

    def _build(self, spec: Any, args: Any, kwargs: Any) -> None:
        self._built_on = call_specs(args, kwargs)
        if type(self).build is not Model.build:
            super()._build(spec, args, kwargs)
            return
        self.built = True
        self._build_shape = shapes_of(args[0]) if args else None

    def get_build_config(self) -> dict[str, Any] | None:
        """The shapes of its inputs, and of a subclass the call that it was built by."""
        if self._build_shape is None and self._built_on is None:
            return None
        config = {"input_shape": self._build_shape}
        return config | ({} if self._built_on is None else {"call": call_config(self._built_on)})

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for the inputs that `get_build_config` described."""
        if self.built or not config:
            return
        if config.get("call") is not None:
            args, kwargs = call_from_config(config["call"])
            self(*args, **kwargs)
        elif config.get("input_shape") is not None:
            self.build(as_tuples(config["input_shape"]))

    # Looking

    def summary(
        self,
        line_length: int | None = None,
        positions: Any = None,
        print_fn: Callable[[str], Any] | None = None,
        expand_nested: bool = False,
        show_trainable: bool = False,
        layer_range: Any = None,
    ) -> None:
        """Print a table of its layers: output shapes, parameters, work and memory.

        Args:
            line_length: the width in characters; that of the terminal where None.
            positions: accepted for compatibility.
            print_fn: takes the text instead of standard output.
            expand_nested: show the layers of nested models too.
            show_trainable: show which layers are trained.
            layer_range: names of the first and last layer to show.

        Raises:
            ValueError: it is not built.
        """
        from kerata.utils.summary import print_summary

        print_summary(self, line_length, print_fn, expand_nested, show_trainable, layer_range)

    def save(
        self, filepath: Any, overwrite: bool = True, zipped: bool | None = None, **kwargs: Any
    ) -> None:
        """Write model, weights and optimizer to a `.keras` file.

        The file appears whole or not at all: an interrupted save leaves an older one as it was.
        """
        from kerata.saving import save_model

        save_model(self, filepath, overwrite=overwrite, zipped=zipped, **kwargs)

    def save_weights(
        self, filepath: Any, overwrite: bool = True, max_shard_size: float | None = None
    ) -> None:
        """Write the weights to a `.weights.h5` file."""
        from kerata.saving import save_weights

        save_weights(self, filepath, overwrite=overwrite, max_shard_size=max_shard_size)

    def load_weights(self, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
        """Read weights from a `.weights.h5` or `.keras` file."""
        from kerata.saving import load_weights

        load_weights(self, filepath, skip_mismatch=skip_mismatch, **kwargs)

    def to_json(self, **kwargs: Any) -> str:
        """Its config, without weights, as JSON."""
        import json

        from kerata.core.serialization import serialize_object

        return json.dumps(serialize_object(self), **kwargs)

    def __reduce__(self) -> Any:
        from kerata.saving.pickling import reduced

        return reduced(self)

    def _repr_html_(self) -> str:
        from kerata.utils.summary import summary_html

        return summary_html(self)

    def get_config(self) -> dict[str, Any]:
        """The graph's layers and connections, or the constructor's arguments of a subclass."""
        if self._graph is None or not takes_graph(type(self)):
            return super().get_config()
        return graph_config(self, self._graph)

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """A model from what `get_config` returned."""
        from kerata.core.serialization import CustomObjectScope

        with CustomObjectScope(custom_objects or {}):
            if is_graph_config(config):
                return model_from_graph(cls, config)
            return super().from_config(config)


def _check_names(operations: list[Any], model: str) -> None:
    seen: dict[str, Any] = {}
    for operation in operations:
        if seen.setdefault(operation.name, operation) is not operation:
            raise ValueError(
                f"Two layers of model {model!r} are named {operation.name!r} "
                f"({seen[operation.name]!r} and {operation!r}); names must be unique"
            )


def _shapes_of(tree: Any) -> Any:
    if isinstance(tree, KerasTensor):
        return tree.shape
    return optree.tree_map(lambda x: x.shape, tree)


def _inputs_like(shape: Any, dtype: str) -> Any:
    if isinstance(shape, dict):
        return {k: _inputs_like(v, dtype) for k, v in shape.items()}
    if isinstance(shape, list) or (shape and isinstance(shape[0], (tuple, list))):
        return [_inputs_like(s, dtype) for s in shape]
    return KerasTensor(tuple(shape), dtype)


def _at_rank(symbolic: list[KerasTensor], inputs: Any) -> Any:
    """Tensors `(batch,)` for inputs `(batch, 1)` get their axis."""
    if hasattr(inputs, "shape"):
        return _with_axis(symbolic[0], inputs) if len(symbolic) == 1 else inputs
    leaves, tree = optree.tree_flatten(inputs, none_is_leaf=True)
    if len(leaves) != len(symbolic):
        return inputs
    return optree.tree_unflatten(tree, map(_with_axis, symbolic, leaves))


def _with_axis(symbolic: KerasTensor, x: Any) -> Any:
    shape = getattr(x, "shape", None)
    if shape is None or len(symbolic.shape) != len(shape) + 1 or symbolic.shape[-1] != 1:
        return x
    if hasattr(x, "with_axis"):  # text
        return x.with_axis()
    from kerata.ops.shaping import expand_dims

    return expand_dims(x, -1)
