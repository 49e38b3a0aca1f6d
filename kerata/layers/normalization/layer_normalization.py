"""`LayerNormalization`: over the features of each example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata import ops
from kerata.layers.arguments import WeightedLayer, integers, number
from kerata.layers.normalization.axes import ordered, sizes_along
from kerata.ops.dispatch import Tensor


class LayerNormalization(WeightedLayer):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, the moments over `axis`.

    Ba et al., 2016.

    Args:
        axis: the axis or axes of features.
        epsilon: added to the variance.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer: of `beta`, which has the sizes of `axis`.
        gamma_initializer: of `gamma`, likewise.
        beta_regularizer: adds to `losses`.
        gamma_regularizer: adds to `losses`.
        beta_constraint: applied to `beta` after each update.
        gamma_constraint: applied to `gamma` after each update.
        rms_scaling: divide by the standard deviation alone, `x / sqrt(variance + epsilon) * gamma`;
            for models that were made so. `RMSNormalization` is what the name promises.

    Input and output: any shape. Half precision is normalized in float32.

    >>> LayerNormalization(epsilon=0.0)(ops.convert_to_tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking = True
    live: ClassVar[Mapping[str, str]] = {**WeightedLayer.live, "rms_scaling": "rms_scaling"}

    def __init__(
        self,
        axis: Any = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Any = "zeros",
        gamma_initializer: Any = "ones",
        beta_regularizer: Any = None,
        gamma_regularizer: Any = None,
        beta_constraint: Any = None,
        gamma_constraint: Any = None,
        **kwargs: Any,
    ) -> None:
        rms_scaling = kwargs.pop("rms_scaling", False)
        super().__init__(**kwargs)
        self._keep(locals())
        self.axis = sorted(integers(self, "axis", axis))
        self.epsilon = None if epsilon is None else number(self, "epsilon", epsilon, 0)
        self.center = center
        self.scale = scale
        self.rms_scaling = rms_scaling

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        shape = sizes_along(self, self.axis, input_shape)
        self.gamma = self._weight("gamma", shape) if self.scale or self.rms_scaling else None
        shifts = self.center and not self.rms_scaling
        self.beta = self._weight("beta", shape) if shifts else None
        self._sizes = ordered(self.axis, input_shape)
        lie = {a % len(input_shape) for a in self.axis}
        self._broadcast = tuple(s if a in lie else 1 for a, s in enumerate(input_shape))
        self._reorder = self._sizes != shape

    def call(self, inputs: Tensor) -> Tensor:
        """The normalized inputs."""
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        if self._reorder:
            gamma = None if gamma is None else ops.reshape(gamma, self._sizes)
            beta = None if beta is None else ops.reshape(beta, self._sizes)
        if self.rms_scaling:
            variance = ops.moments(inputs, self.axis, True)[1]
            factor = ops.reshape(gamma, self._broadcast) * ops.rsqrt(variance + self.epsilon)
            return inputs * factor
        return ops.layer_normalization(inputs, gamma, beta, self.axis, self.epsilon)
