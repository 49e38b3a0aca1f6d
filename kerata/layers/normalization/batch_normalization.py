"""`BatchNormalization`: over the batch, by running averages at inference."""

from __future__ import annotations

from typing import Any

from kerata import config, ops
from kerata.core.variable import Variable
from kerata.layers.arguments import WeightedLayer
from kerata.layers.input_spec import InputSpec
from kerata.ops.dispatch import Tensor
from kerata.ops.normalization import batch_normalization_training


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
        synchronized: accepted for compatibility; one process holds the whole batch.

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
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self._keep(
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            moving_mean_initializer=moving_mean_initializer,
            moving_variance_initializer=moving_variance_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        if not isinstance(axis, int):
            raise ValueError(f"BatchNormalization: axis must be an int; got {axis!r}")
        self.axis = axis
        self.momentum = momentum
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.synchronized = synchronized

    def build(self, input_shape: Any) -> None:
        """Make gamma, beta and the running averages."""
        rank = len(input_shape)
        if not -rank <= self.axis < rank:
            raise ValueError(
                f"BatchNormalization: axis {self.axis} is out of range for an input of {rank} axes"
            )
        shape = (input_shape[self.axis],)
        self.gamma = self._make("gamma", shape) if self.scale else None
        self.beta = self._make("beta", shape) if self.center else None
        self.moving_mean = self._make("moving_mean", shape, trainable=False)
        self.moving_variance = self._make("moving_variance", shape, trainable=False)
        self.input_spec = InputSpec(ndim=rank, axes={self.axis: shape[0]})

    def _make(self, name: str, shape: tuple[Any, ...], trainable: bool = True) -> Variable:
        return self._weight(name, shape, trainable=trainable, autocast=False)

    def call(self, inputs: Tensor, training: bool = False, mask: Any = None) -> Tensor:
        """The normalized inputs."""
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        if not training or not self.trainable:
            mean, variance = self.moving_mean.value, self.moving_variance.value
        elif mask is None:
            y, mean, variance = batch_normalization_training(
                inputs, self.axis, beta, gamma, self.epsilon
            )
            self._average(mean, variance)
            return y if self._reads is None else ops.cast(y, self.compute_dtype)
        else:
            mean, variance = self._masked_moments(inputs, mask)
            self._average(mean, variance)
        y = ops.batch_normalization(inputs, mean, variance, self.axis, beta, gamma, self.epsilon)
        return y if self._reads is None else ops.cast(y, self.compute_dtype)

    def _average(self, mean: Tensor, variance: Tensor) -> None:
        """Let the moments of a batch enter the running averages."""
        for moving, new in ((self.moving_mean, mean), (self.moving_variance, variance)):
            new = ops.stop_gradient(new)
            if self._reads is not None:
                new = ops.cast(new, moving.dtype)
            moving.assign(moving.value * self.momentum + new * (1.0 - self.momentum))

    def _masked_moments(self, inputs: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Mean and variance over the places where the mask holds."""
        rank = len(inputs.shape)
        if len(mask.shape) != rank - 1:
            raise ValueError(
                f"BatchNormalization: mask must have one axis less than the input {inputs.shape}; "
                f"got {mask.shape}"
            )
        others = tuple(a for a in range(rank) if a != self.axis % rank)
        x = ops.cast(inputs, self.variable_dtype)
        weights = ops.broadcast_to(
            ops.expand_dims(ops.cast(mask, self.variable_dtype), -1), ops.shape(x)
        )
        total = ops.sum(weights, others, True) + config.epsilon()
        mean = ops.sum(x * weights, others, True) / total
        variance = ops.sum(weights * ops.square(x - mean), others, True) / total
        return ops.squeeze(mean, others), ops.squeeze(variance, others)
