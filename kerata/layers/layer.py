"""`Layer`: state and a computation, called eagerly, in a graph, or inside another layer."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
import optree

from kerata import constraints, dtype_policies, initializers, regularizers
from kerata.backends import dtypes
from kerata.backends.registry import ensure
from kerata.backends.sparse import Sparse, densified, is_ragged, is_sparse
from kerata.backends.state import operations, state
from kerata.core import masks
from kerata.core.config_object import Configurable
from kerata.core.errors import annotate, fold
from kerata.core.names import auto_name
from kerata.core.symbolic import KerasTensor, Node, Operation, any_symbolic, evaluate
from kerata.core.text import Text, as_strings, is_text
from kerata.core.variable import Variable
from kerata.layers.context import ContextArguments
from kerata.layers.engine_methods import EngineMethods
from kerata.layers.input_spec import InputSpec, check_inputs
from kerata.layers.shapes import Shapes, as_tuples, built_for, shapes_of, symbolic_inputs
from kerata.layers.signatures import CallSpec, call_spec, scoped
from kerata.layers.state import LayerState
from kerata.quantizers.model import Quantizing


class Layer(EngineMethods, Quantizing, ContextArguments, LayerState, Configurable, Operation):
    """The base of all layers.

    Subclasses make weights in `__init__` or `build(input_shape)` with `add_weight`, and compute in
    `call(self, inputs, ...)`, which may take `training` (bool) and `mask`.

    Args:
        activity_regularizer: a regularizer of the outputs.
        trainable: whether its weights are trained.
        dtype: a dtype name or policy ("float32", "mixed_bfloat16"); None for the global policy.
        autocast: whether float inputs are cast to the compute dtype.
        name: its name.

    Example:
        >>> class Scale(Layer):
        ...     def build(self, input_shape):
        ...         self.factor = self.add_weight(shape=(input_shape[-1],), initializer="ones")
        ...     def call(self, x):
        ...         return x * self.factor
    """

    untracked = frozenset({"_nodes", "_init_args", "_losses", "_metrics_of", "input_spec"})
    # Arguments in the configs of Keras that change nothing at these values.
    neutral: ClassVar[dict[str, Any]] = {"quantization_config": None}
    supports_masking = False
    rematerializable = True
    takes_sparse = False  # whether `call` computes with `Sparse` matrices
    input_spec: Any = None
    _building = False
    _call_spec: ClassVar[CallSpec | None] = None

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls._call_spec = None
        if "build" in vars(cls) and "_build" not in vars(cls):
            cls.build = scoped(cls.build)  # type: ignore[method-assign]

    def __init__(
        self,
        *,
        activity_regularizer: Any = None,
        trainable: bool = True,
        dtype: Any = None,
        autocast: bool = True,
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        shape = kwargs.pop("input_shape", None)
        if "input_dim" in kwargs:
            shape = (kwargs.pop("input_dim"),)
        if kwargs:
            raise TypeError(
                f"{type(self).__name__}: unknown argument(s) {', '.join(map(repr, kwargs))}"
            )
        if name is not None and (not isinstance(name, str) or "/" in name):
            raise ValueError(f"{type(self).__name__}: name must be a string without '/': {name!r}")
        self.name = name or auto_name(type(self).__name__)
        self._nodes: list[Node] = []
        self.activity_regularizer = regularizers.get(activity_regularizer)
        self.autocast = autocast
        self.built = False
        self._remat = state.remat if self.rematerializable else None
        self._dtype_policy = dtype_policies.get(dtype)
        self._build_shape: Any = None
        if shape is not None:
            self._input_shape_arg = tuple(shape)
        LayerState.__init__(self, trainable)
        self._refresh()

    # Settings

    @property
    def dtype_policy(self) -> Any:
        """In which dtypes it computes and keeps its weights."""
        return self._dtype_policy

    @dtype_policy.setter
    def dtype_policy(self, policy: Any) -> None:
        self._dtype_policy = dtype_policies.get(policy)
        self._refresh()

    def _refresh(self, path: str | None = None) -> None:
        policy = self._dtype_policy.at(path or self.path)
        if path and policy.quantization_mode not in (None, *self.quantizable):
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}) can't compute under the dtype policy "
                f"{policy.name!r}: it has no quantized form. Give it {policy.source_name!r}"
            )
        self._variable, self._compute = policy.variable_dtype, policy.compute_dtype
        self._reads = self._compute if self._compute != self._variable else None

    @property
    def dtype(self) -> str:
        """The dtype of its weights."""
        return self.variable_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of its weights."""
        return str(self._variable)

    @property
    def compute_dtype(self) -> str:
        """The dtype that it computes in."""
        return str(self._compute)

    @property
    def input_dtype(self) -> str:
        """The dtype that its float inputs are cast to."""
        return self.compute_dtype

    @property
    def path(self) -> str:
        """Its name, after those of the layers that it was called in."""
        return getattr(self, "_path", self.name)

    # Building

    def build(self, *input_shapes: Any, **named_shapes: Any) -> None:
        """Make the weights for inputs of this shape (None where a size is open)."""
        self.built = True

    def _build(self, spec: CallSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        shapes = {}
        for name, value in (*zip(spec.positional, args, strict=False), *kwargs.items()):
            if name.endswith("mask") or name == "training" or value is None:
                continue
            found = shapes_of(value)
            if found is not None:
                shapes[name] = found
        if not shapes and (args or kwargs) and type(self).build is not Layer.build:
            raise TypeError(
                f"Layer {self.name!r} ({type(self).__name__}) takes tensors (or arrays); "
                f"got {next(iter((*args, *kwargs.values())))!r}"
            )
        self._path = "/".join(state.names)
        state.names.pop()  # `build` enters this layer again
        try:
            parameters = inspect.signature(type(self).build).parameters
            given = [n for n in parameters if n.endswith("_shape")]
            if len(shapes) > 1 and len(given) > 1:
                named = {f"{n}_shape": s for n, s in shapes.items()}
                self.build(**{n: named[n] for n in given if n in named})
            else:
                self.build(next(iter(shapes.values()), None))
        finally:
            state.names.append(self.name)
        self.built = True
        if self._build_shape is None:
            self._build_shape = built_for(shapes)

    def get_build_config(self) -> dict[str, Any] | None:
        """What `build_from_config` needs to make the same weights."""
        if self._build_shape is None:
            return None
        key = "shapes_dict" if isinstance(self._build_shape, Shapes) else "input_shape"
        return {key: self._build_shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for the shapes that `get_build_config` gave."""
        if self.built:
            return
        if "input_shape" in config:
            shape = as_tuples(config["input_shape"])
            self.build(shape)
            self._build_shape = shape
        elif "shapes_dict" in config:
            shapes = {k: as_tuples(v) for k, v in config["shapes_dict"].items()}
            parameters = inspect.signature(type(self).build).parameters
            named = {k if k.endswith("_shape") else f"{k}_shape": v for k, v in shapes.items()}
            self.build(**{k: v for k, v in named.items() if k in parameters})
            self._build_shape = Shapes(shapes)
        self.built = True

    def add_weight(
        self,
        shape: Any = None,
        initializer: Any = None,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        aggregation: str = "none",
        overwrite_with_gradient: bool = False,
        name: str | None = None,
    ) -> Variable:
        """Make a weight.

        Args:
            shape: its sizes; `()` where None.
            initializer: a name, an initializer, a function `(shape, dtype)`; None for
                "glorot_uniform", or "zeros" for integers and booleans.
            dtype: None for the layer's variable dtype.
            trainable: whether it is trained.
            autocast: whether it is read in the compute dtype.
            regularizer: adds to `losses`.
            constraint: applied after each update.
            aggregation: as in `Variable`.
            overwrite_with_gradient: its gradient is its next value.
            name: the last part of its path.
        """
        dtype = self.variable_dtype if dtype is None else dtypes.standardize_dtype(dtype)
        if initializer is None:
            initializer = "glorot_uniform" if dtypes.is_float(dtype) else "zeros"
        if not isinstance(initializer, (Variable, np.ndarray, int, float)):
            initializer = initializers.get(initializer)
        previous, state.names = state.names, self.path.split("/")
        try:
            variable = Variable(
                initializer,
                () if shape is None else tuple(shape),
                dtype,
                trainable,
                autocast,
                aggregation,
                name=name,
            )
        finally:
            state.names = previous
        variable.regularizer = regularizers.get(regularizer)
        variable.constraint = constraints.get(constraint)
        variable.overwrite_with_gradient = overwrite_with_gradient
        self._made.append((variable, trainable))
        if not self.trainable:
            variable.trainable = False
        return variable

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        """A layer from what `get_config` returned, here or in Keras.

        Layers in it are made unbuilt: it builds them itself, under its path.
        """
        used = {n: v for n, v in config.items() if n not in cls.neutral or v != cls.neutral[n]}
        return super().from_config({n: _unbuilt(v) for n, v in used.items()})

    def add_variable(
        self,
        shape: Any,
        initializer: Any,
        dtype: Any = None,
        trainable: bool = True,
        autocast: bool = True,
        regularizer: Any = None,
        constraint: Any = None,
        name: str | None = None,
    ) -> Variable:
        """`add_weight` under another name."""
        return self.add_weight(
            shape, initializer, dtype, trainable, autocast, regularizer, constraint, name=name
        )

    # Calling

    def call(self, *args: Any, **kwargs: Any) -> Any:
        """What it computes; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} must define call(self, inputs)")

    def rematerialized_call(self, layer_call: Any, *args: Any, **kwargs: Any) -> Any:
        """`layer_call` as the `RematScope` asks for that the layer was made in."""
        return layer_call if self._remat is None else self._remat.of_layer(self, layer_call)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        backend = state.backend or ensure()
        spec = type(self)._call_spec or call_spec(type(self))
        outermost = state.depth == 0
        if outermost:
            state.call += 1
            state.added_losses = False
        state.depth += 1
        names, casts, training = state.names, state.autocast, state.training
        names.append(self.name)
        try:
            if not self.built:
                self._refresh("/".join(names))
                self._adopt_modules()
            state.autocast = self._reads
            plain = len(args) == 1 and not kwargs and isinstance(args[0], backend.tensor_types)
            if plain:
                x = args[0]
                dtype = backend.dtype_of(x)
                if dtype != self._compute and self.autocast and dtypes.is_float(dtype):
                    args = (_cast_with_mask(x, self._compute),)
            elif not self._ready(backend, (*args, *kwargs.values())):
                if any_symbolic(args, kwargs):
                    return self.symbolic_call(*args, **kwargs)
                args, kwargs = self._converted(backend, args, kwargs)
            expected = self.input_spec
            if expected is not None and not (
                plain and expected.__class__ is InputSpec and expected.surely_fits(x.shape)
            ):
                check_inputs(expected, args[0] if args else next(iter(kwargs.values()), ()), self)
            if not self.built:
                self._build(spec, args, kwargs)
            if spec.training is not CallSpec.absent or "training" in kwargs:
                kwargs = self._with_training(spec, args, kwargs)
            masked = "mask" in kwargs or masks.any_masks()
            before = self._previous_masks(spec, args, kwargs) if masked else None
            call = self.call if self._remat is None else self.rematerialized_call(self.call)
            if self._context_names:
                y = self._in_context(spec, call, args, kwargs)
            else:
                y = call(*args, **kwargs)
            if self.activity_regularizer is not None:
                self._regularize_activity(y)
            if masked:
                self._pass_mask(args, kwargs, before, y)
            elif self._makes_masks:
                self._pass_mask(args, kwargs, None, y)
            return y
        except Exception as error:
            annotate(error, self, args, kwargs)
            if outermost:
                fold(error)
            raise
        finally:
            state.depth -= 1
            names.pop()
            state.autocast, state.training = casts, training

    def _ready(self, backend: Any, values: Sequence[Any]) -> bool:
        """Whether all are tensors to compute with (or lists of them) and flags: the usual case."""
        for x in values:
            if isinstance(x, backend.tensor_types):
                dtype = backend.dtype_of(x)
                if dtype != self._compute and self.autocast and dtypes.is_float(dtype):
                    return False
            elif x.__class__ is list:
                if not self._ready(backend, x):
                    return False
            elif x is not None and x is not True and x is not False:
                return False
        return True

    def _converted(
        self, backend: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        def convert(x: Any) -> Any:
            if hasattr(type(x), "__kerata_value__"):
                x = x.value
            elif not isinstance(x, backend.tensor_types):
                x = x.matrix if x.__class__ is Sparse else x
                if is_sparse(x) or is_ragged(x):
                    if self.takes_sparse:
                        return x if is_ragged(x) else Sparse(x)
                    x = densified(x)
                if not hasattr(x, "__array__"):
                    return x
                if is_text(x):
                    return Text(as_strings(x, type(self).__name__))
                x = backend.convert(x)
            dtype = backend.dtype_of(x)
            if self.autocast and dtype != self._compute and dtypes.is_float(dtype):
                return _cast_with_mask(x, self._compute)
            return x

        new = optree.tree_map(convert, (args, kwargs), none_is_leaf=True)
        return new[0], new[1]

    def _with_training(
        self, spec: CallSpec, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Any]:
        takes = spec.training is not CallSpec.absent
        if takes and "training" in spec.positional[: len(args)]:
            given = args[spec.positional.index("training")]
            state.training = state.training if given is None else given
            return kwargs
        value = kwargs.get("training")
        if value is None:
            value = state.training
        if value is None:
            value = self._mode
        if value is None and isinstance(spec.training, bool):
            value = spec.training
        state.training = value
        if not takes:
            return {k: v for k, v in kwargs.items() if k != "training"}
        return {**kwargs, "training": bool(value)}

    def _previous_masks(self, spec: CallSpec, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        first = args[0] if args else next(iter(kwargs.values()), None)
        before = kwargs["mask"] if kwargs.get("mask") is not None else _tree_of_masks(first)
        for name, of in spec.masks.items():
            if kwargs.get(name) is not None or name in spec.positional[: len(args)]:
                continue
            place = spec.positional.index(of) if of in spec.positional else len(args)
            value = args[place] if place < len(args) else kwargs.get(of)
            found = _tree_of_masks(value)
            if found is not None:
                kwargs[name] = found
        return before

    @property
    def _makes_masks(self) -> bool:
        return type(self).compute_mask is not Layer.compute_mask

    def compute_mask(self, inputs: Any, previous_mask: Any = None) -> Any:
        """The mask of the output: that of the input, for layers that pass masks on."""
        return previous_mask

    def _pass_mask(
        self, args: tuple[Any, ...], kwargs: dict[str, Any], before: Any, y: Any
    ) -> None:
        if not self.supports_masking:
            return
        inputs = args[0] if args else next(iter(kwargs.values()), None)
        mask = self.compute_mask(inputs, before)
        if mask is None:
            return
        flat = optree.tree_leaves(y)
        each = list(mask) if isinstance(mask, (list, tuple)) else [mask] * len(flat)
        for tensor, one in zip(flat, each, strict=False):
            if masks.get_mask(tensor) is None and one is not None:
                masks.set_mask(tensor, one)

    def _regularize_activity(self, y: Any) -> None:
        for tensor in optree.tree_leaves(y):
            batch = operations["cast"](_batch_size(tensor), self._compute)
            self.add_loss(self.activity_regularizer(tensor) / batch)

    # Symbolic calls

    def symbolic_call(self, *args: Any, **kwargs: Any) -> Any:
        """Find the output's specification and record the call."""
        result = self.compute_output_spec(*args, **kwargs)
        self._nodes.append(Node(self, args, kwargs, result))
        if masks.any_masks() or self._makes_masks:
            first = args[0] if args else next(iter(kwargs.values()), None)
            given = kwargs.get("mask")
            self._pass_mask(args, kwargs, _tree_of_masks(first) if given is None else given, result)
        return result

    def compute_output_spec(self, *args: Any, **kwargs: Any) -> Any:
        """What a call on these symbolic tensors returns, as symbolic tensors."""
        names = state.names  # the run below enters this layer again
        state.names = names[:-1] if names[-1:] == [self.name] else names
        try:
            return evaluate(self.__call__, args, kwargs)
        except Exception as error:
            found = self._spec_by_engine(args, kwargs)
            if found is None:
                raise error
            return found
        finally:
            state.names = names

    def _spec_by_engine(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """The output where `call` uses an engine's own functions, which `abstract` can't run."""
        if type(self).compute_output_shape is not Layer.compute_output_shape and not kwargs:
            shapes = self.compute_output_shape(*(shapes_of(a) for a in args))
            if isinstance(shapes, tuple) and all(isinstance(s, (int, type(None))) for s in shapes):
                return KerasTensor(shapes, self.compute_dtype)
        try:
            return evaluate(self.__call__, args, kwargs, (state.backend or ensure()).fallback_shape)
        except Exception:
            return None

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape of the output for inputs of the given shape(s)."""
        dtype = self.compute_dtype
        shapes = [symbolic_inputs(s, dtype) for s in args]
        named = {k.removesuffix("_shape"): symbolic_inputs(s, dtype) for k, s in kwargs.items()}
        try:
            found = evaluate(self.__call__, shapes, named)
        except Exception:
            engine = (state.backend or ensure()).fallback_shape
            found = evaluate(self.__call__, shapes, named, engine)
        return optree.tree_map(lambda x: x.shape, found)

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_nodes": []}

    def __repr__(self) -> str:
        built = "" if self.built else ", not built"
        return f"<{type(self).__name__} name={self.name}{built}>"


def _cast_with_mask(x: Any, dtype: str) -> Any:
    mask = masks.get_mask(x)
    x = operations["cast"](x, dtype)
    masks.set_mask(x, mask)
    return x


def _batch_size(x: Any) -> Any:
    size = operations["reshape"](x, (-1,)) if not x.shape else x
    return operations["full"]((), size.shape[0] if size.shape else 1, "float32")


def _unbuilt(value: Any) -> Any:
    """The config of a layer, or a list of them, without what they were built for."""
    if isinstance(value, list):
        return [_unbuilt(v) for v in value]
    if isinstance(value, dict) and "build_config" in value:
        return {k: v for k, v in value.items() if k != "build_config"}
    return value


def _tree_of_masks(value: Any) -> Any:
    """The mask of a tensor, or a list of those of several; None where none has one."""
    if isinstance(value, (list, tuple)):
        found = [_tree_of_masks(v) for v in value]
        return found if any(f is not None for f in found) else None
    return None if value is None else masks.get_mask(value)


__all__ = ["InputSpec", "Layer"]
