"""Several augmentations one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata import ops, random
from kerata.layers.arguments import positive
from kerata.layers.preprocessing.data_layer import DataLayer
from kerata.layers.preprocessing.image import color, filters, geometry, histogram, tone
from kerata.layers.preprocessing.image.base import ImageLayer
from kerata.layers.preprocessing.seeds import seed_for
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

    def call(self, inputs: Any, training: bool = True, mask: Any = None) -> Any:
        """What the last layer gives."""
        for layer in self.layers:
            inputs = layer(inputs, training=training)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The layers' configs, and the name."""
        config = super().get_config()
        return {n: config[n] for n in ("name", "layers")}


class _PolicyLayer(ImageLayer):
    """Layers that choose among others at random."""

    bounds = (0.0, 1.0)

    def _keep_layers(self, names: Sequence[str], interpolation: str) -> None:
        low, high = self.factor
        common = {"seed": self.seed, "data_format": self.data_format, "dtype": self.dtype_policy}
        ranged: dict[str, Any] = {**common, "value_range": self.value_range}
        moving: dict[str, Any] = {**common, "interpolation": interpolation}
        plain: dict[str, Any] = {k: v for k, v in ranged.items() if k != "seed"}
        pair = self.factor
        makers: dict[str, Callable[[], Any]] = {
            "random_shear": lambda: geometry.RandomShear(pair, pair, **moving),
            "random_translation": lambda: geometry.RandomTranslation(pair, pair, **moving),
            "random_rotation": lambda: geometry.RandomRotation(pair, **moving),
            "random_brightness": lambda: color.RandomBrightness(pair, **ranged),
            "random_color_degeneration": lambda: color.RandomColorDegeneration(pair, **ranged),
            "random_contrast": lambda: color.RandomContrast(pair, **ranged),
            "random_sharpness": lambda: filters.RandomSharpness(pair, **ranged),
            "random_posterization": lambda: tone.RandomPosterization(
                (max(1, int(8 * low)), max(1, int(8 * high))), **ranged
            ),
            "solarization": lambda: tone.Solarization(pair, pair, **ranged),
            "auto_contrast": lambda: tone.AutoContrast(**plain),
            "equalization": lambda: histogram.Equalization(**plain),
        }
        self._names = list(names)
        for name in names:
            setattr(self, name, makers[name]())

    @property
    def _choices(self) -> list[Any]:
        return [getattr(self, name) for name in self._names]

    def _indices(self, data: Any, count: int, seed: Any) -> list[Tensor]:
        """Which layers are chosen."""
        draws = self.drawn(data, count, seed)
        total = len(self._names)
        return [ops.cast(ops.floor(u[0] * float(total)), "int32") for u in draws]


class RandAugment(_PolicyLayer):
    """Applies a few augmentations, chosen for each batch, one after the other (Cubuk et al., 2020).

    Args:
        value_range: the least and the largest value of images.
        num_ops: how many.
        factor: how strong they are, a pair from 0 to 1, or one number `f` for `(0, f)`.
        interpolation: "nearest" or "bilinear".
        seed: an int, for the same draws in every run.
        data_format: where the channels are.
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
        self._keep_layers(
            (
                "random_shear", "random_translation", "random_rotation", "random_brightness",
                "random_color_degeneration", "random_contrast", "random_sharpness",
                "random_posterization", "solarization", "auto_contrast", "equalization",
            ),
            interpolation,
        )  # fmt: skip
        for name in self._names:
            getattr(self, name).bounding_box_format = self.bounding_box_format

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`layer_idxes`, which augmentations, and their `transforms`."""
        return {
            "layer_idxes": ops.stack(self._indices(data, self.num_ops, seed)),
            "transforms": {
                name: getattr(self, name).get_random_transformation(data, training, seed)
                for name in self._names
            },
        }

    def _chosen(self, index: Tensor, method: str, value: Any, transformations: Any) -> Any:
        """`method` of the layer with this index."""

        def branch(layer: Any, name: str) -> Callable[..., Any]:
            return lambda x: getattr(layer, method)(x, transformations[name], True)

        branches = [branch(*c) for c in zip(self._choices, self._names, strict=True)]
        return ops.switch(index, branches, value)

    def _applied(self, method: str, value: Any, transformation: Any) -> Any:
        for index in ops.unstack(transformation["layer_idxes"], self.num_ops):
            value = self._chosen(index, method, value, transformation["transforms"])
        return value

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The augmented images."""
        return self._applied("transform_images", images, transformation)

    def transform_segmentation_masks(
        self, segmentation_masks: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The masks, moved along."""
        return self._applied("transform_segmentation_masks", segmentation_masks, transformation)

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
        value_range: the least and the largest value of images.
        num_chains: how many chains.
        chain_depth: how many augmentations each of them has, chosen for each batch.
        factor: how strong they are, a pair from 0 to 1, or one number `f` for `(0, f)`.
        alpha: the parameter of both distributions.
        all_ops: False leaves out those that the benchmarks of corrupted images overlap with:
            brightness, colours, contrast and sharpness.
        interpolation: "nearest" or "bilinear".
        seed: an int, for the same draws in every run.
        data_format: where the channels are.

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
        names = [
            "random_shear", "random_translation", "random_rotation", "solarization",
            "random_posterization", "auto_contrast", "equalization",
        ]  # fmt: skip
        if all_ops:
            names += [
                "random_brightness", "random_color_degeneration", "random_contrast",
                "random_sharpness",
            ]  # fmt: skip
        self._keep_layers(names, interpolation)

    def get_random_transformation(
        self, data: Any, training: bool = True, seed: Any = None
    ) -> dict[str, Any]:
        """`chain_mixing_weights`, `weight_sample`; which layers, and the `seeds` of their draws."""
        count = self.num_chains * self.chain_depth
        indices = ops.stack(self._indices(data, count, seed))
        first, second, third = (
            seed_for(self.generator, seed, indices, self.piped) for _ in range(3)
        )
        gammas = random.gamma((self.num_chains,), self.alpha, "float32", seed=first)
        apart = np.zeros((count, 2), np.uint32)
        apart[:, 0] = np.arange(count, dtype=np.uint32) * np.uint32(_APART)
        return {
            "chain_mixing_weights": gammas / ops.maximum(ops.sum(gammas), 1e-7),
            "weight_sample": random.beta((), self.alpha, self.alpha, "float32", seed=second),
            "layer_idxes": indices,
            "seeds": ops.add(ops.expand_dims(third, 0), apart.view(np.int32)),
        }

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images, mixed with augmented ones."""
        ends = np.zeros((self.num_chains, self.chain_depth), "float32")
        ends[:, -1] = 1.0
        weights = ops.multiply(ops.expand_dims(transformation["chain_mixing_weights"], 1), ends)
        weights = ops.cast(ops.reshape(weights, (-1,)), images.dtype)
        begins = np.zeros((self.num_chains, self.chain_depth), bool)
        begins[:, 0] = True

        def step(state: Any, now: Any) -> tuple[Any, None]:
            index, seed, weight, begin = now
            x = self._chosen(index, seed, ops.where(begin, images, state[0]))
            return (x, state[1] + x * weight), None

        steps = (
            transformation["layer_idxes"], transformation["seeds"], weights,
            ops.convert_to_tensor(begins.reshape(-1)),
        )  # fmt: skip
        (_, total), _ = ops.scan(step, (images, ops.zeros_like(images)), steps)
        share = ops.cast(transformation["weight_sample"], images.dtype)
        return images * share + total * (1.0 - share)

    def _chosen(self, index: Tensor, seed: Tensor, images: Tensor) -> Tensor:
        """The images under the augmentation of this index, drawn from `seed`."""

        def branch(layer: Any) -> Callable[..., Any]:
            return lambda x, seed: layer.transform_images(
                x, layer.get_random_transformation({"images": x}, True, seed), True
            )

        return ops.switch(index, [branch(c) for c in self._choices], images, seed)


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

    def transform_images(
        self, images: Tensor, transformation: Any, training: bool = True
    ) -> Tensor:
        """The images as they are."""
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
