"""What a layer answers as a `torch.nn.Module` would, without being one."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any, Self

from kerata.backends.registry import ensure
from kerata.backends.state import state


class TorchMethods:
    """The part of `Layer` for those who write PyTorch: its methods under the torch backend."""

    name: str
    untracked: frozenset[str]
    _mode: bool | None = None  # `training` where neither the caller nor an enclosing layer says

    def _as_module(self, method: str) -> Any:
        backend = state.backend or ensure()
        if backend.name != "torch":
            raise RuntimeError(
                f"{type(self).__name__} {self.name!r}: {method}() is of the torch backend, and the "
                f"active one is {backend.name}"
            )
        from kerata.interop.torch import as_module

        return as_module(self)

    def parameters(self, recurse: bool = True) -> Iterator[Any]:
        """The `torch.nn.Parameter`s that its trained variables hold."""
        found: Iterator[Any] = self._as_module("parameters").parameters(recurse)
        return found

    def named_parameters(self, prefix: str = "", recurse: bool = True) -> Iterator[tuple[str, Any]]:
        """`parameters` with their names: the variables' paths with dots."""
        module = self._as_module("named_parameters")
        found: Iterator[tuple[str, Any]] = module.named_parameters(prefix, recurse)
        return found

    def state_dict(self) -> dict[str, Any]:
        """The tensors of its variables by name."""
        found: dict[str, Any] = self._as_module("state_dict").state_dict()
        return found

    def load_state_dict(
        self, state_dict: dict[str, Any], strict: bool = True, assign: bool = False
    ) -> Any:
        """Take the values of a `state_dict`; see `torch.nn.Module.load_state_dict`."""
        return self._as_module("load_state_dict").load_state_dict(state_dict, strict, assign)

    def to(self, *args: Any, **kwargs: Any) -> Self:
        """Move its variables to a device; returns the layer."""
        self._as_module("to").to(*args, **kwargs)
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients that torch's `loss.backward()` added to the variables' tensors."""
        backend = state.backend or ensure()
        for variable in self.variables:  # type: ignore[attr-defined]
            backend.forget_gradient(variable.storage())

    def train(self, mode: bool = True) -> Self:
        """Call it and its layers with `training=mode` where nothing else is said."""
        for layer in self._flatten_layers():  # type: ignore[attr-defined]
            layer._mode = mode
        return self

    def eval(self) -> Self:
        """`train(False)`."""
        return self.train(False)

    def _adopt_modules(self) -> None:
        """Wrap the `torch.nn.Module`s among its attributes, as Keras does."""
        kind = getattr(sys.modules.get("torch.nn"), "Module", None)
        if kind is None:
            return
        found = [n for n, v in vars(self).items() if isinstance(v, kind)]
        for name in found:
            if name not in self.untracked:
                from kerata.layers.wrappers import TorchModuleWrapper

                vars(self)[name] = TorchModuleWrapper(vars(self)[name])
