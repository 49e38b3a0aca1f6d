"""A layer as a `torch.nn.Module`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from kerata.backends.registry import load, using
from kerata.backends.scope import Scope
from kerata.backends.state import state
from kerata.core.variable import Variable
from kerata.interop.naming import named_layers


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
        if not self.trained:
            self.put(storage)
            return
        if self.bound is None:
            is_one = isinstance(storage, torch.nn.Parameter)
            self.bound = storage if is_one else torch.nn.Parameter(storage.detach())
            self.holder.register_parameter(self.key, self.bound)
        elif storage is not self.bound:
            with torch.no_grad():
                self.bound.copy_(storage)
        self.variable.adopt(self.bound)

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


class _Part(torch.nn.Module):
    """A layer in the layer: it is called through here where this has hooks or was replaced."""

    def __init__(self, layer: Any) -> None:
        super().__init__()
        self.kerata_layer = layer
        self._slots: list[_Slot] = []
        self._parts: dict[str, _Part] = {}

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the layer returns; `training` follows `train()` and `eval()` if not given."""
        layer = call = self.kerata_layer
        if "call" in vars(layer):  # the layer has called its module
            call, args = type(layer).call, (layer, *args)
        else:
            kwargs.setdefault("training", self.training)
        if state.backend is load("torch"):
            return self._run(call, args, kwargs)
        with using(load("torch")):
            return self._run(call, args, kwargs)

    def _run(self, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        slots, through = self._reach()
        replaced = []
        for slot in slots:
            held = getattr(slot.holder, slot.key)
            if held is not slot.bound:  # by functional_call, FSDP, a parametrization
                replaced.append((slot.variable, held))
            elif held is not slot.variable._storage:
                slot.take()
        for layer, module in through:
            vars(layer)["call"] = module.__call__
        try:
            if replaced:
                return self._run_on(replaced, call, args, kwargs)
            result = call(*args, **kwargs)
        finally:
            for layer, _ in through:
                del vars(layer)["call"]
        for slot in slots:
            if not slot.trained and slot.variable._storage is not slot.bound:
                slot.put(slot.variable._storage)
        return result

    def _run_on(
        self, replaced: list[tuple[Variable, Any]], call: Callable[..., Any], args: Any, kwargs: Any
    ) -> Any:
        """What `call` returns with the module's tensors, which are not the variables' own."""
        theirs = {id(v) for v, _ in replaced}
        with Scope(replaced) as scope:
            result = call(*args, **kwargs)
        parts = (m for m in self.modules() if isinstance(m, _Part))
        slots = {id(s.variable): s for part in parts for s in part._slots}
        for variable, value in scope.writes():
            slot = slots.get(id(variable))
            if slot is not None and id(variable) in theirs:
                setattr(slot.holder, slot.key, value)
                continue
            variable.assign(value)
            if slot is not None:
                slot.take()
        return result

    def _reach(self) -> tuple[list[_Slot], list[tuple[Any, torch.nn.Module]]]:
        """Its slots and its parts', and the layers that are called through modules."""
        slots, through = list(self._slots), []
        for name, part in self._parts.items():
            module = self._modules[name]
            hooks = [part._forward_pre_hooks, part._forward_hooks]
            hooks += [part._backward_pre_hooks, part._backward_hooks]
            if module is part and not any(hooks) and part._compiled_call_impl is None:
                more, others = part._reach()
                slots += more
                through += others
            elif module is not None:
                through.append((part.kerata_layer, module))
        return slots, through

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

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._give()

    def _give(self) -> None:
        with using(load("torch")):
            for slot in self._slots:
                slot.give()

    def extra_repr(self) -> str:
        """The layer."""
        return repr(self.kerata_layer)


class LayerModule(_Part):
    """A `torch.nn.Module` whose parameters are the layer's variables: the same tensors.

    Its names are the variables' paths with dots. What is not trained is a buffer. Make it anew
    after the layer's `trainable` changed.

    Args:
        layer: a built layer or model; an error says so where it is not built.

    Attributes:
        kerata_layer: the layer.

    >>> import kerata
    >>> model = kerata.Sequential([kerata.Input((3,)), kerata.layers.Dense(2, name="top")])
    >>> [name for name, _ in as_module(model).named_parameters()]
    ['top.kernel', 'top.bias']
    """

    def __init__(self, layer: Any) -> None:
        super().__init__(layer)
        every = named_layers(layer)
        trained = {id(v) for v in layer.trainable_variables}
        parts: dict[Any, _Part] = {}
        for path, inner, own in every:
            part = parts[path] = _Part(inner) if path else self
            if path:
                outer = parts[path[:-1]]
                name = _free(outer, path[-1])
                outer._parts[name] = part
                outer.add_module(name, part)
            with using(load("torch")):
                for name, variable in own.items():
                    floats = variable.stored_dtype.startswith(("float", "bfloat", "complex"))
                    is_trained = id(variable) in trained and floats
                    part._slots.append(_Slot(variable, part, _free(part, name), is_trained))
                    part._slots[-1].take()

    def write_back(self) -> None:
        """Make the variables hold the module's tensors, where FSDP put others in their place."""
        self._apply(lambda tensor: tensor)


as_module = LayerModule


def _free(module: torch.nn.Module, name: str) -> str:
    """The name, or one like it where the module has something of that name."""
    name = name.replace(".", "_")
    while hasattr(module, name):
        name += "_"
    return name
