"""`JaxLayer`: a JAX function as a layer."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from kerata.backends.dtypes import numpy_dtype
from kerata.backends.registry import ensure, load, using
from kerata.core.seeds import SeedGenerator, next_seed
from kerata.core.serialization import serialize_object
from kerata.core.variable import Variable
from kerata.layers.wrappers.engine_layer import EngineLayer

_CALL = ("params", "state", "rng", "inputs", "training")
_INIT = ("rng", "inputs", "training")


class JaxLayer(EngineLayer):
    """A JAX function as a layer, under the jax backend.

    `call_fn` takes `inputs` and, where it has parameters of these names, `params` (what is
    trained), `state` (what is not), `rng` (a raw JAX key) and `training`. With `state` it returns
    `(outputs, new_state)`. `init_fn(rng, inputs)`, with `training` if it has that parameter,
    returns `params`, or `(params, state)` where `call_fn` takes `state`; it gets inputs of zeros.

    Args:
        call_fn: the function.
        init_fn: makes the weights when the layer is built.
        params: weights to start from, instead: a tree of arrays.
        state: state to start from, a tree of arrays.
        seed: for `rng`; drawn where None.
        native_serialization_platforms: accepted for compatibility.

    Input: an array or a tree of arrays. Output: what `call_fn` returns.

    >>> import jax.numpy as jnp
    >>> layer = JaxLayer(lambda params, inputs: inputs @ params["w"], params={"w": jnp.eye(3)})
    >>> layer.compute_output_shape((None, 3))
    (None, 3)
    """

    engine = "jax"

    def __init__(
        self,
        call_fn: Callable[..., Any],
        init_fn: Callable[..., Any] | None = None,
        params: Any = None,
        state: Any = None,
        seed: int | None = None,
        native_serialization_platforms: Any = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.call_fn = call_fn
        self.init_fn = init_fn
        self.native_serialization_platforms = native_serialization_platforms
        self._takes = _arguments(call_fn, "call_fn", _CALL, ("inputs",))
        self._makes = _arguments(init_fn, "init_fn", _INIT, ("rng", "inputs")) if init_fn else ()
        wanted = {"params", "state"} & set(self._takes)
        if wanted and init_fn is None and params is None and state is None:
            raise ValueError(
                f"{type(self).__name__}: call_fn takes {' and '.join(sorted(wanted))}; give "
                "init_fn, or params and state"
            )
        self._given = params is not None or state is not None
        self._input_dtypes: Any = None
        self._seed = next_seed() if seed is None else seed
        if "rng" in self._takes:
            self.seed_generator = SeedGenerator(self._seed)
        self.params = self._variables_of(params, True)
        self.state = self._variables_of(state, False)

    def _variables_of(self, tree: Any, trainable: bool) -> Any:
        """The tree with a variable for each array."""
        if tree is None:
            return None
        backend = load("jax")
        import jax

        def made(array: Any) -> Variable:
            array = backend.to_numpy(jax.numpy.asarray(array))
            return self.add_weight(array.shape, array, backend.dtype_of(array), trainable=trainable)

        with using(backend):
            return jax.tree.map(made, tree)

    def _build(self, spec: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        dtype_of = ensure().dtype_of
        self._input_dtypes = optree.tree_map(dtype_of, args[0] if args else kwargs["inputs"])
        super()._build(spec, args, kwargs)

    def build(self, input_shape: Any = None) -> None:
        """Make the weights for inputs of this shape, or tree of shapes, with `init_fn`."""
        if self._given or self.init_fn is None:
            return
        load("jax")
        import jax

        with jax.ensure_compile_time_eval():
            given = {
                "rng": jax.random.PRNGKey(self._seed),
                "inputs": self._zeros(input_shape),
                "training": True,
            }
            made = self.init_fn(**{n: given[n] for n in self._makes})
        params, state = made if "state" in self._takes else (made, None)
        self.params = self._variables_of(params, True)
        self.state = self._variables_of(state, False)
        self._given = True

    def _zeros(self, shapes: Any) -> Any:
        """Inputs of zeros, 1 for open sizes, in the dtypes that the layer was called with."""
        import jax

        found, tree = optree.tree_flatten(shapes, is_leaf=_is_shape)
        dtypes = [self.compute_dtype] * len(found)
        if self._input_dtypes is not None:
            dtypes, tree = optree.tree_flatten(self._input_dtypes)
        sizes = [[1 if s is None else s for s in shape] for shape in found]
        return optree.tree_unflatten(tree, map(jax.numpy.zeros, sizes, dtypes))

    def call(self, inputs: Any, training: bool = False) -> Any:
        """What `call_fn` returns."""
        return self._on_engine(self._run, inputs, training)

    def _run(self, inputs: Any, training: bool) -> Any:
        given = {"params": _values(self.params), "state": _values(self.state)}
        given |= {"inputs": inputs, "training": training}
        if "rng" in self._takes:
            import jax

            seed = self.seed_generator.next()
            given["rng"] = jax.lax.bitcast_convert_type(seed, jax.numpy.uint32)
        result = self.call_fn(**{n: given[n] for n in self._takes})
        if "state" not in self._takes:
            return result
        outputs, new = result
        self._assign_state(new)
        return outputs

    def _assign_state(self, new: Any) -> None:
        import jax

        held, tree = jax.tree.flatten(self.state, is_leaf=lambda x: isinstance(x, Variable))
        found, other = jax.tree.flatten(new)
        if tree != other:
            raise ValueError(
                f"Layer {self.name!r} ({type(self).__name__}): call_fn returned a state of the "
                f"structure {other}, and it was given {tree}"
            )
        for variable, value in zip(held, found, strict=True):
            variable.assign(value)

    def get_config(self) -> dict[str, Any]:
        """The arguments; of weights that were given, their shapes and dtypes."""
        names = ["call_fn", "init_fn", "native_serialization_platforms"]
        kept = {n: serialize_object(getattr(self, n)) for n in names}
        return self._settings() | kept | self._given_weights()

    def _given_weights(self) -> dict[str, Any]:
        trees = {} if self.init_fn else {"params": self.params, "state": self.state}
        return {n: optree.tree_map(_described, t) for n, t in trees.items() if t is not None}

    @classmethod
    def _arguments_of(cls, config: dict[str, Any], safe_mode: bool | None) -> dict[str, Any]:
        def zeros(x: Any) -> Any:
            return np.zeros(x["shape"], numpy_dtype(x["dtype"]))

        given = {n: config[n] for n in ("params", "state") if n in config}
        return config | optree.tree_map(zeros, given, is_leaf=_is_described)

    def get_build_config(self) -> dict[str, Any] | None:
        """The input's shape, and its dtypes where they are others than the layer's."""
        config, found = super().get_build_config(), self._input_dtypes
        usual = all(d == self.compute_dtype for d in optree.tree_leaves(found))
        return config if config is None or usual else {**config, "dtypes": found}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Build for the shapes and dtypes that `get_build_config` gave."""
        self._input_dtypes = config.get("dtypes")
        super().build_from_config(config)


def _arguments(
    function: Callable[..., Any], what: str, known: Sequence[str], needed: Sequence[str]
) -> tuple[str, ...]:
    """Which of the known arguments a function takes; it must take those that are needed."""
    if not callable(function):
        raise TypeError(f"JaxLayer: {what} must be a function; got {function!r}")
    parameters = inspect.signature(function).parameters.values()
    if any(p.kind is p.VAR_KEYWORD for p in parameters):
        return tuple(known)
    named = {p.name: p for p in parameters if p.kind is not p.VAR_POSITIONAL}
    missing = [n for n in needed if n not in named]
    other = [n for n, p in named.items() if n not in known and p.default is p.empty]
    if missing or other:
        found = ", ".join(map(repr, missing or other))
        raise ValueError(
            f"JaxLayer: {what} must take {', '.join(needed)}, and may take {', '.join(known)}; "
            f"{'it lacks' if missing else 'it also needs'} {found}"
        )
    return tuple(n for n in known if n in named)


def _values(tree: Any) -> Any:
    """The tree with the variables' values."""
    import jax

    return jax.tree.map(lambda v: v.value, tree, is_leaf=lambda x: isinstance(x, Variable))


def _described(variable: Variable) -> dict[str, Any]:
    return {"shape": variable.shape, "dtype": variable.stored_dtype}


def _is_described(x: Any) -> bool:
    return isinstance(x, dict) and set(x) == {"shape", "dtype"}


def _is_shape(x: Any) -> bool:
    return isinstance(x, tuple) and all(isinstance(s, (int, type(None))) for s in x)
