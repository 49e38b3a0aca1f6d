"""Several augmentations one after the other."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata import ops, random
from kerata.core.serialization import deserialize_object
from kerata.layers.arguments import positive
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.image import color, filters, geometry, histogram, tone
from kerata.layers.preprocessing.image.base import Draws, ImageLayer
from kerata.ops.dispatch import Tensor

_APART = 0x5851F42D  # added to a seed it gives one for other draws


class Pipeline(DataLayer):
    """Calls layers one after the other, on data of any kind.

    Args:
        layers: the layers.
        name: its name.
    """

    def __init__(self, layers: Sequence[Any], name: str | None = None) -> None:
        super().__init__(name=name)
        self.autocast = False
        self.layers = list(layers)
        for layer in self.layers:
            if not callable(layer):
                raise ValueError(f"Pipeline: layers must be layers; got {layer!r}")

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        """What the last layer gives."""
        for layer in self.layers:
            inputs = layer(inputs, training=training)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The layers' configs, and the name."""
        config = super().get_config()
        return {n: config[n] for n in ("name", "layers")}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Pipeline:
        """A pipeline of the layers from `get_config`, built where those were."""
        return cls([deserialize_object(c) for c in config["layers"]], config.get("name"))


class _PolicyLayer(ImageLayer):
    """Layers that choose among others at random, the same for all images of a batch."""

    bounds = (0.0, 1.0)

    def _keep_layers(self, interpolation: str, without: Sequence[str] = ()) -> None:
        pair = self.factor
        plain: dict[str, Any] = {
            "data_format": self.data_format, "dtype": self.dtype_policy,
            "bounding_box_format": self.bounding_box_format,
        }  # fmt: skip
        moving = {**plain, "seed": self.seed, "interpolation": interpolation}
        plain["value_range"] = self.value_range
        ranged = {**plain, "seed": self.seed}
        low, high = (max(1, int(8 * f)) for f in pair)
        layers = {
            "random_shear": geometry.RandomShear(pair, pair, **moving),
            "random_translation": geometry.RandomTranslation(pair, pair, **moving),
            "random_rotation": geometry.RandomRotation(pair, **moving),
            "random_brightness": color.RandomBrightness(pair, **ranged),
            "random_color_degeneration": color.RandomColorDegeneration(pair, **ranged),
            "random_contrast": color.RandomContrast(pair, **ranged),
            "random_sharpness": filters.RandomSharpness(pair, **ranged),
            "random_posterization": tone.RandomPosterization((low, high), **ranged),
            "solarization": tone.Solarization(pair, pair, **ranged),
            "auto_contrast": tone.AutoContrast(**plain),
            "equalization": histogram.Equalization(**plain),
        }
        self._names = [name for name in layers if name not in without]
        for name in self._names:
            setattr(self, name, layers[name])

    def _indices(self, draws: Draws, count: int) -> Tensor:
        """Which layers are chosen, one after the other."""
        shares = ops.stack([u[0] for u in draws(count)])
        return ops.cast(ops.floor(shares * float(len(self._names))), "int32")

    def _chosen(self, index: Tensor, use: Callable[..., Any], *values: Any) -> Any:
        """`use` of the name of the layer with this index, and of values."""
        return ops.switch(index, [functools.partial(use, n) for n in self._names], *values)


class RandAugment(_PolicyLayer):
    """Applies a few augmentations, chosen for each batch, one after the other (Cubuk et al., 2020).

    Args:
        value_range: see `ImageLayer`.
        num_ops: how many.
        factor: how strong they are, a pair from 0 to 1, or one number `f` for `(0, f)`.
        interpolation: "nearest" or "bilinear".
        seed, data_format: see `ImageLayer`.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_ops: int = 2,
        factor: Any = 0.5,
        interpolation: str = "bilinear",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, value_range, seed)
        self.num_ops = positive(self, "num_ops", num_ops)
        self.interpolation = interpolation
        self._keep_layers(interpolation)

    def drawn(self, draws: Draws) -> dict[str, Any]:
        return {
            "layer_idxes": self._indices(draws, self.num_ops),
            "transforms": {n: draws.transformation_of(getattr(self, n)) for n in self._names},
        }

    def _applied(self, method: str, value: Any, transformation: Any) -> Any:
        """`method` of the chosen layers, one after the other."""

        def use(name: str, x: Any) -> Any:
            return getattr(getattr(self, name), method)(x, transformation["transforms"][name])

        for index in ops.unstack(transformation["layer_idxes"], self.num_ops):
            value = self._chosen(index, use, value)
        return value

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        return self._applied("changed", images, transformation)

    def changed_masks(self, masks: Tensor, transformation: Any) -> Tensor:
        return self._applied("changed_masks", masks, transformation)

    def transform_bounding_boxes(
        self, bounding_boxes: dict[str, Any], transformation: Any, training: bool = True
    ) -> dict[str, Any]:
        """The boxes, moved along."""
        boxes = {
            "boxes": ops.cast(bounding_boxes["boxes"], "float32"),
            "labels": ops.convert_to_tensor(bounding_boxes["labels"]),
        }
        found: dict[str, Any] = self._applied("transform_bounding_boxes", boxes, transformation)
        return found


class AugMix(_PolicyLayer):
    """Mixes images with a mixture of chains of augmentations (Hendrycks et al., 2020).

    `s x + (1 - s) Σ wᵢ chainᵢ(x)`: s from a beta, w from a Dirichlet distribution.

    Args:
        value_range: see `ImageLayer`.
        num_chains: how many chains.
        chain_depth: how many augmentations each of them has, chosen for each batch.
        factor: how strong they are, a pair from 0 to 1, or one number `f` for `(0, f)`.
        alpha: the parameter of both distributions.
        all_ops: False leaves out those that the benchmarks of corrupted images overlap with:
            brightness, colours, contrast and sharpness.
        interpolation: "nearest" or "bilinear".
        seed, data_format: see `ImageLayer`.

    Masks, boxes and labels stay as they are.
    """

    def __init__(
        self,
        value_range: Any = (0, 255),
        num_chains: int = 3,
        chain_depth: int = 3,
        factor: Any = 0.3,
        alpha: float = 1.0,
        all_ops: bool = True,
        interpolation: str = "bilinear",
        seed: Any = None,
        data_format: str | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(data_format=data_format, **kwargs)
        self._keep(factor, value_range, seed)
        self.num_chains = positive(self, "num_chains", num_chains)
        self.chain_depth = positive(self, "chain_depth", chain_depth)
        self.alpha = alpha
        self.all_ops = all_ops
        self.interpolation = interpolation
        overlapping = ("brightness", "color_degeneration", "contrast", "sharpness")
        self._keep_layers(interpolation, () if all_ops else [f"random_{n}" for n in overlapping])

    def drawn(self, draws: Draws) -> dict[str, Any]:
        count = self.num_chains * self.chain_depth
        gammas = random.gamma((self.num_chains,), self.alpha, "float32", seed=draws.seed())
        share = random.beta((), self.alpha, self.alpha, "float32", seed=draws.seed())
        apart = np.zeros((count, 2), np.uint32)
        apart[:, 0] = np.arange(count, dtype=np.uint32) * np.uint32(_APART)
        return {
            "chain_mixing_weights": gammas / ops.maximum(ops.sum(gammas), 1e-7),
            "weight_sample": share,
            "layer_idxes": self._indices(draws, count),
            "seeds": ops.add(ops.expand_dims(draws.seed(), 0), apart.view(np.int32)),
        }

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        ends = np.zeros((self.num_chains, self.chain_depth), "float32")
        ends[:, -1] = 1.0
        weights = ops.multiply(ops.expand_dims(transformation["chain_mixing_weights"], 1), ends)
        weights = ops.cast(ops.reshape(weights, (-1,)), images.dtype)
        begins = np.zeros((self.num_chains, self.chain_depth), bool)
        begins[:, 0] = True

        def use(name: str, x: Tensor, seed: Tensor) -> Tensor:
            layer = getattr(self, name)
            return layer.changed(x, layer.get_random_transformation(x, True, seed))

        def step(state: Any, now: Any) -> tuple[Any, None]:
            index, seed, weight, begin = now
            x = self._chosen(index, use, ops.where(begin, images, state[0]), seed)
            return (x, state[1] + x * weight), None

        steps = (
            transformation["layer_idxes"], transformation["seeds"], weights,
            ops.convert_to_tensor(begins.reshape(-1)),
        )  # fmt: skip
        (_, total), _ = ops.scan(step, (images, ops.zeros_like(images)), steps)
        share = ops.cast(transformation["weight_sample"], images.dtype)
        return images * share + total * (1.0 - share)


class MaxNumBoundingBoxes(ImageLayer):
    """Gives every image the same number of bounding boxes, in training and outside of it.

    Args:
        max_number: how many: further ones are dropped, missing ones filled up.
        fill_value: the label and the numbers of boxes that are added.
    """

    always = True
    keeps_integers = True

    def __init__(self, max_number: int, fill_value: int = -1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_number = positive(self, "max_number", max_number)
        self.fill_value = fill_value

    def changed(self, images: Tensor, transformation: Any) -> Tensor:
        return images

    def transform_bounding_boxes(
        self, bounding_boxes: dict[str, Any], transformation: Any, training: bool = True
    ) -> dict[str, Any]:
        """That many boxes."""

        def sized(x: Any) -> Tensor:
            x = ops.convert_to_tensor(x)
            pads = [(0, 0)] * len(ops.shape(x))
            pads[1] = (0, self.max_number)
            return ops.pad(x, pads, "constant", self.fill_value)[:, : self.max_number]

        return {name: sized(value) for name, value in bounding_boxes.items()}
