"""`BatchNormalization`: over the batch, by running averages at inference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from kerata import config, ops
from kerata.core.variable import Variable
from kerata.layers.arguments import WeightedLayer, integer, number
from kerata.layers.input_spec import InputSpec
from kerata.layers.normalization.axes import sizes_along
from kerata.ops.dispatch import Tensor
from kerata.ops.normalization import batch_normalization_training
from kerata.ops.replicas import sum_over_replicas


class BatchNormalization(WeightedLayer):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, channel by channel.

    In training the moments are the batch's, of the places that a mask leaves, and enter the running
    averages: `moving_mean = moving_mean * momentum + mean * (1 - momentum)`. Otherwise, and always
    where `trainable` is False, they are the running averages. Ioffe & Szegedy, 2015.

    Args:
        axis: the axis of channels.
        momentum: of the running averages.
        epsilon: added to the variance.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer: of `beta`, `(channels,)`.
        gamma_initializer: of `gamma`, `(channels,)`.
        moving_mean_initializer: of `moving_mean`, `(channels,)`.
        moving_variance_initializer: of `moving_variance`, `(channels,)`.
        beta_regularizer: adds to `losses`.
        gamma_regularizer: adds to `losses`.
        beta_constraint: applied to `beta` after each update.
        gamma_constraint: applied to `gamma` after each update.
        renorm: normalize by the running averages in training too, up to a factor r and a shift d
            without gradient: `(x - mean) / stddev * r + d`. Ioffe, 2017.
        renorm_clipping: bounds of r and d, of the keys "rmin", "rmax" and "dmax".
        renorm_momentum: of the averages that r and d come from.
        synchronized: whether the batch is that of all replicas of a distributed step: under JAX's
            `pmap` and `shard_map`, `torch.distributed`, `tf.distribute`.

    Input and output: any shape. Half precision is normalized in float32.

    >>> x = ops.convert_to_tensor([[1.0], [3.0]])
    >>> BatchNormalization(epsilon=0.0)(x, training=True).tolist()
    [[-1.0], [1.0]]
    """

    supports_masking = True

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        moving_mean_initializer: Any = "zeros",
        moving_variance_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        renorm: bool = False,
        renorm_clipping: Any = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._keep(locals())
        self.axis = integer(self, "axis", axis)
        self.momentum = number(self, "momentum", momentum, 0, 1)
        self.epsilon = number(self, "epsilon", epsilon, 0)
        self.center = center
        self.scale = scale
        self.synchronized = synchronized
        self.renorm = renorm
        self.renorm_clipping = self._bounds(renorm_clipping)
        self.renorm_momentum = number(self, "renorm_momentum", renorm_momentum, 0, 1)

    def _bounds(self, clipping: Any) -> dict[str, float]:
        clipping = {} if clipping is None else clipping
        if not isinstance(clipping, Mapping) or set(clipping) - {"rmin", "rmax", "dmax"}:
            raise ValueError(
                "BatchNormalization: renorm_clipping takes the keys 'rmin', 'rmax' and 'dmax'; "
                f"got {clipping!r}"
            )
        if clipping.get("rmin", 0.0) > clipping.get("rmax", math.inf):
            raise ValueError(
                f"BatchNormalization: rmin must be less than rmax in renorm_clipping {clipping!r}"
            )
        return dict(clipping)

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the running averages."""
        rank = len(input_shape)
        shape = sizes_along(self, (self.axis,), input_shape)
        self.gamma = self._make("gamma", shape) if self.scale else None
        self.beta = self._make("beta", shape) if self.center else None
        self.moving_mean = self._make("moving_mean", shape, trainable=False)
        self.moving_variance = self._make("moving_variance", shape, trainable=False)
        if self.renorm:
            of_mean, of_stddev = "moving_mean", "moving_variance"
            self.moving_stddev = self._make("moving_stddev", shape, False, of_stddev)
            self.renorm_mean = self._make("renorm_mean", shape, False, of_mean)
            self.renorm_stddev = self._make("renorm_stddev", shape, False, of_stddev)
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: shape[0]})

    def _make(
        self, name: str, shape: Any, trainable: bool = True, prefix: str | None = None
    ) -> Variable:
        return self._weight(name, shape, prefix, trainable=trainable, autocast=False)

    def call(self, inputs: Tensor, training: bool = False, mask: Any = None) -> Tensor:
        """The normalized inputs."""
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        if not training or not self.trainable:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        elif mask is None and not self.synchronized and not self.renorm:
            y, mean, variance = batch_normalization_training(
                inputs, self.axis, beta, gamma, self.epsilon
            )
            self._average(mean, variance)
            return y if self._reads is None else ops.cast(y, self.compute_dtype)
        else:
            mean, variance = self._moments(inputs, mask)
            if self.renorm:
                gamma, beta = self._renormalized(mean, variance, gamma, beta)
            else:
                self._average(mean, variance)
        y = ops.batch_normalization(inputs, mean, variance, self.axis, beta, gamma, self.epsilon)
        return y if self._reads is None else ops.cast(y, self.compute_dtype)

    def _average(self, mean: Tensor, variance: Tensor) -> None:
        """Let the moments of a batch enter the running averages."""
        self._enter(self.moving_mean, mean, self.momentum)
        self._enter(self.moving_variance, variance, self.momentum)

    def _enter(self, moving: Variable, new: Tensor, momentum: float) -> None:
        new = ops.stop_gradient(new)
        if self._reads is not None:
            new = ops.cast(new, moving.dtype)
        moving.assign(moving.value * momentum + new * (1.0 - momentum))

    def _renormalized(
        self, mean: Tensor, variance: Tensor, gamma: Tensor | None, beta: Tensor | None
    ) -> tuple[Tensor, Tensor]:
        """`gamma` and `beta` with r and d in them; the moments enter all running averages."""
        bounds = self.renorm_clipping
        stddev = ops.sqrt(variance + self.epsilon)
        scale, shift = self.renorm_stddev.value, self.renorm_mean.value
        r = ops.stop_gradient(stddev / scale)
        d = ops.stop_gradient((mean - shift) / scale)
        if "rmin" in bounds:
            r = ops.maximum(r, bounds["rmin"])
        if "rmax" in bounds:
            r = ops.minimum(r, bounds["rmax"])
        if "dmax" in bounds:
            d = ops.clip(d, -bounds["dmax"], bounds["dmax"])
        self._enter(self.renorm_mean, mean, self.renorm_momentum)
        self._enter(self.renorm_stddev, stddev, self.renorm_momentum)
        self._enter(self.moving_mean, mean, self.momentum)
        self._enter(self.moving_stddev, stddev, self.momentum)
        self.moving_variance.assign(ops.square(self.moving_stddev.value) - self.epsilon)
        if gamma is not None:
            r, d = r * gamma, d * gamma
        return r, d if beta is None else d + beta

    def _moments(self, inputs: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Mean and variance over the places where the mask holds, of all replicas if asked for."""
        rank = len(inputs.shape)
        others = tuple(a for a in range(rank) if a != self.axis % rank)
        x = ops.cast(inputs, self.variable_dtype)
        if mask is None:
            return ops.moments(x, others, False, self.synchronized)
        if len(mask.shape) != rank - 1:
            raise ValueError(
                f"BatchNormalization: mask must have one axis less than the input {inputs.shape}; "
                f"got {mask.shape}"
            )
        weights = ops.broadcast_to(
            ops.expand_dims(ops.cast(mask, self.variable_dtype), -1), ops.shape(x)
        )

        def average(values: Tensor) -> Tensor:
            pair = [ops.sum(v, others, True) for v in (values * weights, weights)]
            if self.synchronized:
                pair = ops.unstack(sum_over_replicas(ops.stack(pair)))
            return pair[0] / (pair[1] + config.epsilon())

        mean = average(x)
        variance = average(ops.square(x - mean))
        return ops.squeeze(mean, others), ops.squeeze(variance, others)
