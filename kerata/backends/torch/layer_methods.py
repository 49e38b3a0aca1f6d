"""What a layer answers as a `torch.nn.Module` would, without being one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor


def _module(layer: Any) -> Any:
    from kerata.interop.torch import as_module

    return as_module(layer)


def parameters(layer: Any, recurse: bool = True) -> Iterator[Tensor]:
    """The `torch.nn.Parameter`s that its trained variables hold."""
    found: Iterator[Tensor] = _module(layer).parameters(recurse)
    return found


def named_parameters(
    layer: Any, prefix: str = "", recurse: bool = True
) -> Iterator[tuple[str, Tensor]]:
    """`parameters` with their names: the variables' paths with dots."""
    found: Iterator[tuple[str, Tensor]] = _module(layer).named_parameters(prefix, recurse)
    return found


def state_dict(layer: Any) -> dict[str, Tensor]:
    """The tensors of its variables by name."""
    found: dict[str, Tensor] = _module(layer).state_dict()
    return found


def load_state_dict(
    layer: Any, state_dict: dict[str, Tensor], strict: bool = True, assign: bool = False
) -> Any:
    """Take the values of a `state_dict`; see `torch.nn.Module.load_state_dict`."""
    return _module(layer).load_state_dict(state_dict, strict, assign)


def to(layer: Any, *args: Any, **kwargs: Any) -> Any:
    """Move its variables to a device; returns the layer."""
    _module(layer).to(*args, **kwargs)
    return layer


def zero_grad(layer: Any, set_to_none: bool = True) -> None:
    """Forget the gradients that `loss.backward()` left at its variables' tensors."""
    for tensor in (v.storage() for v in layer.variables):
        if set_to_none or tensor.grad is None:
            tensor.grad = None
        else:
            tensor.grad = torch.zeros_like(tensor.grad)


def train(layer: Any, mode: bool = True) -> Any:
    """Call it and its layers with `training=mode` where nothing else is said."""
    for inner in layer._flatten_layers():
        inner._mode = mode
    return layer


def evaluate(layer: Any) -> Any:
    """`train(False)`."""
    return train(layer, False)


LAYER_METHODS: dict[str, Callable[..., Any]] = {
    "parameters": parameters,
    "named_parameters": named_parameters,
    "state_dict": state_dict,
    "load_state_dict": load_state_dict,
    "zero_grad": zero_grad,
    "train": train,
    "eval": evaluate,
    "to": to,
}
