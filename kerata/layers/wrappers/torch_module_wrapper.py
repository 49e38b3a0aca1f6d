"""`TorchModuleWrapper`: a `torch.nn.Module` as a layer."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import optree

from kerata.backends.registry import load, using
from kerata.core.names import name_scope
from kerata.core.variable import Variable
from kerata.layers.layer import Layer
from kerata.layers.wrappers.engine_layer import EngineLayer, as_text, trusted_bytes


class _Slot(NamedTuple):
    """A tensor of a module, and the variable that holds it too."""

    name: str  # its dotted name in the module
    variable: Variable
    holder: dict[str, Any]  # of the module's, where it stands under `key`
    key: str
    is_buffer: bool


class TorchModuleWrapper(EngineLayer):
    """A `torch.nn.Module` as a layer, under the torch backend.

    The module's parameters are the layer's weights: the same tensors, so that either side's changes
    are the other's. Its buffers are variables too, as the state of seeds is: saved and threaded
    through `stateless_call`, but not among the `weights`. `training` switches the module between
    `train()` and `eval()`. The file of a model holds the module itself, pickled, which loads only
    where unsafe deserialization is allowed; files of weights are safe.

    Args:
        module: the module; run lazy modules once before.
        name: the layer's name.
        output_shape: the output's shape; where None it is found by running the module.

    Input: what the module takes. Output: what it returns.
    """

    engine = "torch"
    untracked = EngineLayer.untracked | {"module"}

    def __init__(
        self, module: Any, name: str | None = None, output_shape: Any = None, **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        backend = load("torch")
        import torch

        if not isinstance(module, torch.nn.Module):
            raise TypeError(f"TorchModuleWrapper: module must be a torch.nn.Module; got {module!r}")
        lazy = [n for n, p in module.named_parameters() if torch.nn.parameter.is_lazy(p)]
        if lazy:
            raise ValueError(
                f"TorchModuleWrapper: {', '.join(lazy)} of the module have no shape yet. Run it "
                "once on data, then wrap it"
            )
        self.module = module
        self.output_shape = tuple(output_shape) if isinstance(output_shape, list) else output_shape
        self._slots = tuple(self._made_slots(backend))
        self._buffers = tuple(s.variable for s in self._slots if s.is_buffer)
        self.built = True

    def _made_slots(self, backend: Any) -> Iterator[_Slot]:
        modules = dict(self.module.named_modules())
        named = {n: (p, p.requires_grad, False) for n, p in self.module.named_parameters()}
        named |= {n: (b, False, True) for n, b in self.module.named_buffers()}
        for name, (tensor, trainable, is_buffer) in named.items():
            with contextlib.nullcontext() if not is_buffer else name_scope(self.name):
                variable = (Variable if is_buffer else self.add_weight)(
                    initializer="zeros",
                    shape=tuple(tensor.shape),
                    dtype=backend.dtype_of(tensor),
                    trainable=trainable,
                    autocast=False,
                    name=name,
                )
            variable.adopt(tensor, backend)
            tensor.requires_grad_(variable.trainable)
            owner, _, key = name.rpartition(".")
            holder = vars(modules[owner])["_buffers" if is_buffer else "_parameters"]
            yield _Slot(name, variable, holder, key, is_buffer)

    def _own(self) -> list[Variable]:
        return [v for v, _ in self._made]

    def _beside(self) -> list[Variable]:
        return [*super()._beside(), *self._buffers]

    @property
    def trainable(self) -> bool:
        """Whether the parameters are trained; setting it sets their `requires_grad`."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        Layer.trainable.fset(self, value)  # type: ignore[attr-defined]
        with using(load("torch")):
            for slot in self._slots:
                self._joined(slot)

    def _joined(self, slot: _Slot) -> Any:
        """The module's tensor, which first takes what the variable holds if that is another."""
        import torch

        variable, held = slot.variable, slot.holder[slot.key]
        value = variable.tensor()
        if value is not held:
            with torch.no_grad():
                held.copy_(value)
            held.requires_grad_(variable.trainable)
            variable.adopt(held)
        return held

    def call(self, *args: Any, training: bool | None = None, **kwargs: Any) -> Any:
        """What the module returns."""
        return self._on_engine(self._in_precision, args, kwargs, training)

    def _in_precision(self, args: Any, kwargs: Any, training: bool | None) -> Any:
        """What the module returns, in the compute dtype: torch's autocast where that is a half."""
        if self.compute_dtype not in ("float16", "bfloat16") or self._reads is None:
            return self._run(args, kwargs, training)
        import torch

        device = next((s.variable.storage().device.type for s in self._slots), "cpu")
        dtype = getattr(torch, self.compute_dtype)
        with torch.autocast(device, dtype):
            result = self._run(args, kwargs, training)
        return optree.tree_map(lambda x: x.to(dtype) if x.is_floating_point() else x, result)

    def _run(self, args: Any, kwargs: Any, training: bool | None) -> Any:
        module = self.module
        if module.training != bool(training):
            module.train(bool(training))
        values, in_place = {}, True
        for slot in self._slots:
            value = slot.variable.value
            if value is slot.variable._storage:
                value = self._joined(slot)
            else:
                in_place = False
            values[slot.name] = value
        if not in_place:
            return self._run_on(values, args, kwargs)
        result = module(*args, **kwargs)
        for slot in self._slots:
            if slot.is_buffer and slot.holder[slot.key] is not slot.variable._storage:
                slot.variable.adopt(slot.holder[slot.key])
        return result

    def _run_on(self, values: dict[str, Any], args: Any, kwargs: Any) -> Any:
        """What the module returns with these tensors for its own, which stay as they are."""
        import torch

        buffers = [s for s in self._slots if s.is_buffer]
        given = {s.name: values[s.name].clone() for s in buffers}
        values |= given
        result = torch.func.functional_call(self.module, values, args, kwargs)
        for slot in buffers:
            if self.module.training or values[slot.name] is not given[slot.name]:
                slot.variable.assign(values[slot.name])
        return result

    def compute_output_shape(self, *args: Any, **kwargs: Any) -> Any:
        """The shape as given, or as found by running the module."""
        if self.output_shape is not None:
            return self.output_shape
        return super().compute_output_shape(*args, **kwargs)

    # Saving

    def _kept(self) -> dict[str, Variable]:
        """The variables by their names in the module's `state_dict`."""
        with using(load("torch")):
            variables = {id(self._joined(s)): s.variable for s in self._slots}
        kept = self.module.state_dict(keep_vars=True)
        return {n: variables[id(x)] for n, x in kept.items() if id(x) in variables}

    def save_own_variables(self, store: Any) -> None:
        """Put the module's `state_dict` into `store`."""
        for name, variable in self._kept().items():
            store[name] = variable.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Take the module's `state_dict` out of `store`; its names must be the module's."""
        kept = self._kept()
        if set(kept) != set(store.keys()):
            raise ValueError(
                f"Layer {self.name!r} (TorchModuleWrapper) has the tensors {', '.join(kept)}, and "
                f"the file holds {', '.join(store.keys())}"
            )
        for name, variable in kept.items():
            variable.assign(np.asarray(store[name]))

    def get_config(self) -> dict[str, Any]:
        """The arguments, the module as text."""
        import torch

        file = io.BytesIO()
        self._kept()  # brings the module up to date
        torch.save(self.module, file)
        own = {"module": as_text(file.getvalue()), "output_shape": self.output_shape}
        return self._settings() | own

    @classmethod
    def _arguments_of(cls, config: dict[str, Any], safe_mode: bool | None) -> dict[str, Any]:
        import torch

        module = config["module"]
        if isinstance(module, str):
            data = io.BytesIO(trusted_bytes(module, "a pickled torch.nn.Module", safe_mode))
            module = torch.load(data, map_location="cpu", weights_only=False)
        return {**config, "module": module}
