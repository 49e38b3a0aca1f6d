"""A layer as a `torch.nn.Module`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from kerata.backends.registry import load, using
from kerata.backends.scope import Scope
from kerata.backends.state import state
from kerata.core.variable import Variable
from kerata.interop.naming import named_variables


def as_module(layer: Any) -> LayerModule:
    """A `torch.nn.Module` whose parameters are the layer's variables: the same tensors.

    Its names are the variables' paths with dots. What is not trained is a buffer. Make it anew after
    the layer's `trainable` changed.

    Args:
        layer: a built layer or model.

    Raises:
        ValueError: the layer is not built.

    >>> import kerata
    >>> model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2, name="top")])
    >>> [name for name, _ in as_module(model).named_parameters()]
    ['top.kernel', 'top.bias']
    """
    return LayerModule(layer)


class _Slot:
    """A variable, and where a module keeps its tensor.

    Attributes:
        bound: the tensor that both held when they were last compared.
    """

    __slots__ = ("bound", "holder", "key", "trained", "variable")

    def __init__(self, variable: Variable, holder: torch.nn.Module, key: str, trained: bool):
        self.variable = variable
        self.holder = holder
        self.key = key
        self.trained = trained
        self.bound: Any = None

    def take(self) -> None:
        """Make the module hold what the variable does."""
        storage = self.variable.storage()
        if self.trained:
            if self.bound is None:
                self.bound = (
                    storage
                    if isinstance(storage, torch.nn.Parameter)
                    else torch.nn.Parameter(storage.detach())
                )
                self.holder.register_parameter(self.key, self.bound)
            elif storage is not self.bound:
                with torch.no_grad():
                    self.bound.copy_(storage)
            self.variable.adopt(self.bound)
        else:
            self.put(storage)

    def put(self, tensor: Any) -> None:
        """Make the module hold a buffer."""
        first, self.bound = self.bound is None, tensor
        if first:
            self.holder.register_buffer(self.key, tensor)
        else:
            setattr(self.holder, self.key, tensor)

    def give(self) -> None:
        """Make the variable hold what the module does."""
        self.bound = getattr(self.holder, self.key)
        if self.bound is not self.variable.storage():
            self.variable.adopt(self.bound)


class LayerModule(torch.nn.Module):
    """A layer as a `torch.nn.Module`; see `as_module`.

    Attributes:
        kerata_layer: the layer.
    """

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.kerata_layer = layer
        trained = {id(v) for v in layer.trainable_variables}
        self._slots: list[_Slot] = []
        with using(load("torch")):
            for path, variable in named_variables(layer).items():
                floats = variable.stored_dtype.startswith(("float", "bfloat", "complex"))
                is_trained = id(variable) in trained and floats
                slot = _Slot(variable, *_holder(self, path), is_trained)
                slot.take()
                self._slots.append(slot)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer returns; `training` follows `train()` and `eval()` where it isn't given."""
        kwargs.setdefault("training", self.training)
        if state.backend is load("torch"):
            return self._run(args, kwargs)
        with using(load("torch")):
            return self._run(args, kwargs)

    def _run(self, args: Any, kwargs: Any) -> Any:
        replaced = []
        for slot in self._slots:
            held = getattr(slot.holder, slot.key)
            if held is not slot.bound:  # by functional_call, FSDP, a parametrization
                replaced.append((slot.variable, held))
            elif held is not slot.variable._storage:
                slot.take()
        if replaced:
            return self._run_on(replaced, args, kwargs)
        result = self.kerata_layer(*args, **kwargs)
        for slot in self._slots:
            if not slot.trained and slot.variable._storage is not slot.bound:
                slot.put(slot.variable._storage)
        return result

    def _run_on(self, replaced: list[tuple[Variable, Any]], args: Any, kwargs: Any) -> Any:
        """What the layer returns with the module's tensors, which are not the variables' own."""
        theirs = {id(v) for v, _ in replaced}
        with Scope(replaced) as scope:
            result = self.kerata_layer(*args, **kwargs)
        slots = {id(s.variable): s for s in self._slots}
        for variable, value in scope.writes():
            slot = slots.get(id(variable))
            if id(variable) in theirs and slot is not None:
                setattr(slot.holder, slot.key, value)
            else:
                variable.assign(value)
        return result

    def _apply(self, fn: Callable[..., Any], recurse: bool = True) -> Any:
        probe = torch.empty(0)
        if fn(probe).dtype != probe.dtype:
            raise TypeError(
                f"The dtype of {self.kerata_layer.name!r} can't be changed through torch: make the "
                "layer with another dtype or dtype policy"
            )
        found = super()._apply(fn, recurse)
        self._give()
        return found

    def load_state_dict(self, *args: Any, **kwargs: Any) -> Any:
        """As in torch; with `assign=True` the variables hold the given tensors."""
        found = super().load_state_dict(*args, **kwargs)
        self._give()
        return found

    def _give(self) -> None:
        with using(load("torch")):
            for slot in self._slots:
                slot.give()

    def extra_repr(self) -> str:
        """The layer."""
        return repr(self.kerata_layer)


def _holder(module: torch.nn.Module, path: tuple[str, ...]) -> tuple[torch.nn.Module, str]:
    """The part of a module that holds the tensor of this path, and its name there."""
    for name in path[:-1]:
        name = _free(module, name.replace(".", "_"))
        if name not in module._modules:
            module.add_module(name, torch.nn.Module())
        module = module._modules[name]
    key = path[-1].replace(".", "_")
    while hasattr(module, key):
        key += "_"
    return module, key


def _free(module: torch.nn.Module, name: str) -> str:
    """The name, or one like it where the module has something else of that name."""
    while name not in module._modules and hasattr(module, name):
        name += "_"
    return name
