"""`FlaxLayer`: a Flax module, of linen or NNX, as a layer."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable
from typing import Any

from kerata.core.serialization import serialize_object
from kerata.layers.wrappers.engine_layer import as_text, trusted_bytes
from kerata.layers.wrappers.jax_layer import JaxLayer
from kerata.utils.extras import extra


class FlaxLayer(JaxLayer):
    """A Flax module as a layer, under the jax backend.

    Of a linen module the collection "params" is trained; the others are state. Of an NNX module
    the `nnx.Param`s are trained; its other variables, random keys among them, are state, and
    `training` switches it between `train()` and `eval()`. The module, which is not changed, or its
    `method` may take `training`.

    A model's file holds what the module's `get_config` returns if its class has one; otherwise the
    module pickled, which loads only where unsafe deserialization is allowed.

    Args:
        module: a `flax.linen.Module` or a `flax.nnx.Module`.
        method: what to call instead of the module: a method, its name, or a function that takes the
            module first.
        variables: of a linen module, what its `init` returned; None to initialize them for the
            first input.

    Input: an array or a tree of arrays. Output: what the module returns.
    """

    def __init__(
        self, module: Any, method: Any = None, variables: Any = None, **kwargs: Any
    ) -> None:
        nnx = extra("flax.nnx", "flax", type(self).__name__)
        linen = extra("flax.linen", "flax", type(self).__name__)
        if not isinstance(module, (nnx.Module, linen.Module)):
            raise TypeError(
                f"{type(self).__name__}: module must be a flax.linen.Module or a "
                f"flax.nnx.Module; got {module!r}"
            )
        self.module = module
        self.method = method
        if isinstance(module, nnx.Module):
            if variables is not None:
                raise ValueError(
                    f"{type(self).__name__}: variables are of linen modules; an NNX module has its "
                    "own"
                )
            call: Any = _NNXCall(module, self._method(type(module)))
            super().__init__(call, params=call.params, state=call.state, **kwargs)
        else:
            call = _LinenCall(module, method, _takes_training(self._method(type(module))))
            given = variables or {}
            params = {"params": given["params"]} if "params" in given else None
            rest = {n: v for n, v in given.items() if n != "params"}
            state = rest if variables is not None else None
            super().__init__(call, call.init, params, state, **kwargs)

    def _method(self, cls: type) -> Callable[..., Any]:
        """What is called, as a function that takes the module first."""
        if self.method is None:
            return cls.__call__
        found: Callable[..., Any] = (
            getattr(cls, self.method) if isinstance(self.method, str) else self.method
        )
        return getattr(found, "__func__", found)

    def get_config(self) -> dict[str, Any]:
        """The arguments."""
        module, method = self.module, self.method
        described = hasattr(module, "get_config")
        kept = serialize_object(module) if described else as_text(pickle.dumps(module))
        if method is not None and not isinstance(method, str):
            name = getattr(method, "__name__", "")
            is_own = getattr(type(module), name, None) is getattr(method, "__func__", method)
            method = name if is_own else serialize_object(method)
        more = {"native_serialization_platforms": self.native_serialization_platforms}
        return self._settings() | more | {"module": kept, "method": method}

    @classmethod
    def _arguments_of(cls, config: dict[str, Any], safe_mode: bool | None) -> dict[str, Any]:
        module = config["module"]
        if isinstance(module, str):
            extra("flax.nnx", "flax", cls.__name__)
            module = pickle.loads(trusted_bytes(module, "a pickled Flax module", safe_mode))
        return {**config, "module": module}


def _takes_training(function: Callable[..., Any]) -> bool:
    return "training" in inspect.signature(function).parameters


class _LinenCall:
    """A linen module as a function of its variables."""

    def __init__(self, module: Any, method: Any, takes_training: bool) -> None:
        self.module = module
        self.method = method
        self.takes_training = takes_training

    def _more(self, training: bool) -> dict[str, Any]:
        return {"training": training} if self.takes_training else {}

    def __call__(self, params: Any, state: Any, rng: Any, inputs: Any, training: bool) -> Any:
        from flax.core.scope import DenyList

        return self.module.apply(
            {**(params or {}), **(state or {})},
            inputs,
            rngs={"params": rng},
            method=self.method,
            mutable=DenyList(["params", "intermediates"]),
            **self._more(training),
        )

    def init(self, rng: Any, inputs: Any, training: bool) -> Any:
        """The module's variables, those that are trained and the others."""
        found = self.module.init(rng, inputs, method=self.method, **self._more(training))
        rest = {n: v for n, v in found.items() if n not in ("params", "intermediates")}
        return {"params": found["params"]} if "params" in found else {}, rest


class _NNXCall:
    """An NNX module as a function of its variables.

    Attributes:
        params: the values of its `nnx.Param`s, nested by names.
        state: those of its other variables; random keys as their data.
    """

    def __init__(self, module: Any, method: Callable[..., Any]) -> None:
        from flax import nnx

        self.method = method
        self.takes_training = _takes_training(method)
        self.graph, *groups = nnx.split(module, nnx.Param, ...)
        self.groups = groups
        self.params, self.state = (_plain(nnx.to_pure_dict(g)) for g in groups)

    def __call__(self, params: Any, state: Any, inputs: Any, training: bool) -> Any:
        from flax import nnx

        groups = (_like(g, v) for g, v in zip(self.groups, (params, state), strict=True))
        module = nnx.merge(self.graph, *groups, copy=True)
        (module.train if training else module.eval)()
        result = self.method(
            module, inputs, **({"training": training} if self.takes_training else {})
        )
        nnx.pop(module, nnx.Intermediate)
        _, _, state = nnx.split(module, nnx.Param, ...)
        return result, _plain(nnx.to_pure_dict(state))


def _plain(tree: Any) -> Any:
    """The tree with random keys as arrays of numbers."""
    import jax

    return jax.tree.map(lambda x: jax.random.key_data(x) if _is_key(x) else x, tree)


def _is_key(x: Any) -> bool:
    import jax

    return bool(jax.dtypes.issubdtype(x.dtype, jax.dtypes.prng_key))


def _like(group: Any, values: Any) -> Any:
    """The variables of a group with these values."""
    import jax

    leaves, tree = jax.tree.flatten(group)
    new = [
        jax.random.wrap_key_data(v, impl=jax.random.key_impl(x)) if _is_key(x) else v
        for x, v in zip(leaves, jax.tree.leaves(values), strict=True)
    ]
    return jax.tree.unflatten(tree, new)
