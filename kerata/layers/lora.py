"""LoRA: weights that stay, and a product of two small matrices that is trained beside them.

Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2021.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np

from kerata import ops
from kerata.core.stand_in import StandIn
from kerata.core.variable import Variable
from kerata.layers.arguments import WeightedLayer, positive
from kerata.layers.layer import Layer
from kerata.layers.state import LayerState
from kerata.ops.dispatch import Tensor


class LowRank(StandIn):
    """`weight + scale * a · b`, as a tensor.

    Attributes:
        weight: the weight that is not trained, or what stands in for it.
        a: of the weight's shape, with `rank` as its last size.
        b: `(rank, the weight's last size)`.
        scale: a number.
    """

    def __init__(self, weight: Variable | StandIn, a: Variable, b: Variable, scale: float) -> None:
        self.weight, self.a, self.b, self.scale = weight, a, b, scale
        self.shape, self.dtype, self.name, self.path = (
            weight.shape, weight.dtype, weight.name, weight.path
        )  # fmt: skip

    @property
    def value(self) -> Tensor:
        """The sum."""
        return ops.add(self.weight.value, self._added())

    def _added(self) -> Tensor:
        return ops.matmul(self.a.value, self.b.value * self.scale)

    def of(self, product: Callable[..., Tensor], inputs: Any, whole: bool = False) -> Tensor:
        """`product(inputs, weight)`, and what `a` and `b` add without their product being made."""
        if isinstance(self.weight, StandIn):
            y = self.weight.of(product, inputs, whole)
        elif whole:
            return product(inputs, self.value)
        else:
            y = product(inputs, self.weight.value)
        if whole:
            return ops.add(y, product(inputs, self._added()))
        return ops.add(y, ops.matmul(product(inputs, self.a.value), self.b.value * self.scale))

    def kept(self, value: np.ndarray) -> dict[Variable, np.ndarray]:
        """`value` for the weight alone."""
        weight = self.weight
        return weight.kept(value) if isinstance(weight, StandIn) else {weight: value}


class LoraLayer(WeightedLayer):
    """A layer that `enable_lora` can be called on; `lora_rank` and `lora_alpha` do so in `build`.

    Subclasses call `_adapt()` at the end of their `build`.

    Attributes:
        adapted: the name of the weight, and of the attribute that holds it; a `LowRank` then.
        lora: the adapted weight, once there is one.
    """

    adapted: ClassVar[str] = "kernel"
    live: ClassVar[Mapping[str, str]] = {
        **WeightedLayer.live, "lora_rank": "lora_rank", "lora_alpha": "lora_alpha"
    }  # fmt: skip
    lora: LowRank | None = None

    def __init__(
        self, *, lora_rank: int | None = None, lora_alpha: float | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if lora_rank is not None:
            self.lora_rank = positive(self, "lora_rank", lora_rank)
            self.lora_alpha = lora_rank if lora_alpha is None else lora_alpha

    @property
    def lora_enabled(self) -> bool:
        """Whether `enable_lora` was called."""
        return self.lora is not None

    def _adapt(self) -> None:
        if hasattr(self, "lora_rank"):
            self.enable_lora(self.lora_rank, self.lora_alpha)

    def enable_lora(
        self,
        rank: int,
        lora_alpha: float | None = None,
        a_initializer: Any = "he_uniform",
        b_initializer: Any = "zeros",
    ) -> None:
        """Train a product of two small matrices instead of the kernel: `kernel + scale * a · b`.

        Args:
            rank: the size between the two.
            lora_alpha: `scale` times `rank`; None for `rank`.
            a_initializer: of `lora_kernel_a`, `(*kernel.shape[:-1], rank)`.
            b_initializer: of `lora_kernel_b`, `(rank, kernel.shape[-1])`.

        Raises:
            ValueError: it is not built, or was called before, or the kernel has a constraint.
        """
        name, text = self.adapted, f"{type(self).__name__} {self.name!r}: enable_lora"
        if not self.built and not self._building:
            raise ValueError(f"{text} needs a built layer: call it on data, or build(input_shape)")
        if self.lora is not None:
            raise ValueError(f"{text} was called before; a layer takes it once")
        if getattr(self, f"{name}_constraint") is not None:
            raise ValueError(f"{text} can't keep {name}_constraint; make the layer without it")
        self.lora_rank = positive(self, "rank", rank)
        self.lora_alpha = rank if lora_alpha is None else lora_alpha
        weight = getattr(self, name)
        more = {
            "dtype": weight.dtype,
            "autocast": weight._autocast,
            "regularizer": getattr(self, f"{name}_regularizer"),
        }
        a, b = f"lora_{name}_a", f"lora_{name}_b"
        first = self.add_weight((*weight.shape[:-1], rank), a_initializer, name=a, **more)
        second = self.add_weight((rank, weight.shape[-1]), b_initializer, name=b, **more)
        setattr(self, a, first)
        setattr(self, b, second)
        weight.trainable = False
        self.lora = LowRank(weight, first, second, self.lora_alpha / rank)
        setattr(self, name, self.lora)

    def get_config(self) -> dict[str, Any]:
        """The arguments; those of LoRA only where it is used."""
        config = super().get_config()
        return {k: v for k, v in config.items() if not k.startswith("lora_") or v is not None}

    @property
    def trainable(self) -> bool:
        """Whether its weights are trained; the one that LoRA keeps as it is never is."""
        return self._trainable

    @trainable.setter
    def trainable(self, value: bool) -> None:
        LayerState.trainable.fset(self, value)  # type: ignore[attr-defined]
        if self.lora is not None:
            self.lora.weight.trainable = False

    def _product(self, product: Callable[..., Tensor], inputs: Any, whole: bool = False) -> Tensor:
        """`product(inputs, weight)`, with LoRA and quantization; see `StandIn.of`."""
        weight = getattr(self, self.adapted)
        if isinstance(weight, Variable):
            return product(inputs, weight.value)
        found: Tensor = weight.of(product, inputs, whole)
        return found

    def save_own_variables(self, store: Any) -> None:
        """Save its variables as if it had no LoRA: the sum in place of the weight."""
        merged = {} if self.lora is None else self.lora.kept(self.lora.numpy())
        for i, variable in enumerate(self._saved()):
            store[str(i)] = merged[variable] if variable in merged else variable.numpy()

    def _loaded(self) -> None:
        if self.lora is not None:  # files hold the sum, so the product begins at 0
            for variable in (self.lora.a, self.lora.b):
                variable.assign(np.zeros(variable.shape))

    def _saved(self) -> list[Variable]:
        added = () if self.lora is None else (self.lora.a, self.lora.b)
        return [v for v in self._own() if not any(v is a for a in added)]


def enable_lora(
    layer: Layer,
    rank: int,
    lora_alpha: float | None = None,
    where: str | Callable[[str], bool] | None = None,
) -> list[LoraLayer]:
    """Call `enable_lora` on the layers in a model (or layer), and freeze all others.

    Args:
        layer: a built model or layer.
        rank: the size between the two matrices.
        lora_alpha: the factor of their product, times `rank`; None for `rank`.
        where: which layers: a regular expression that their path must match somewhere, or a
            function of the path; None for all that can.

    Returns:
        The layers that have it now.

    Raises:
        ValueError: no layer matches.
    """
    matches = re.compile(where).search if isinstance(where, str) else where
    found = [
        each
        for each in layer._flatten_layers()
        if isinstance(each, LoraLayer) and (matches is None or matches(each.path))
    ]
    if not found:
        raise ValueError(f"enable_lora: no layer in {layer.name!r} matches where={where!r}")
    layer.trainable = False
    for each in found:
        each.enable_lora(rank, lora_alpha)
    _open(layer, found)
    return found


def _open(layer: Any, adapted: list[LoraLayer]) -> bool:
    """Set `trainable` of the layers that hold one of `adapted`, for only its LoRA to be trained."""
    holds = [_open(each, adapted) for each in layer._layers()]
    own = any(layer is each for each in adapted)
    if own or any(holds):
        layer._trainable = True
    if own:
        layer.lora.a.trainable = layer.lora.b.trainable = True
    return own or any(holds)
