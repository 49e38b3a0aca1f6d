"""`GroupNormalization`: over groups of channels of each example."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from kerata.layers.arguments import WeightedLayer, integer, number
from kerata.layers.input_spec import InputSpec
from kerata.layers.normalization.axes import sizes_along
from kerata.ops.dispatch import Tensor
from kerata.ops.normalization import group_normalization


class GroupNormalization(WeightedLayer):
    """`(x - mean) / sqrt(variance + epsilon) * gamma + beta`, the moments over groups of channels.

    Each example has its own. One group is `LayerNormalization` over all axes, as many groups as
    channels "instance normalization". Wu & He, 2018.

    Args:
        groups: the number of groups, which divides the channels; -1 for one a channel.
        axis: the axis of channels.
        epsilon: added to the variance.
        center: whether there is a `beta`.
        scale: whether there is a `gamma`.
        beta_initializer: of `beta`, `(channels,)`.
        gamma_initializer: of `gamma`, `(channels,)`.
        beta_regularizer: adds to `losses`.
        gamma_regularizer: adds to `losses`.
        beta_constraint: applied to `beta` after each update.
        gamma_constraint: applied to `gamma` after each update.

    Input and output: any shape. Half precision is normalized in float32.

    >>> x = ops.convert_to_tensor([[1.0, 3.0, 5.0, 9.0]])
    >>> GroupNormalization(2, epsilon=0.0)(x).tolist()
    [[-1.0, 1.0, -1.0, 1.0]]
    """

    supports_masking = True
    live: ClassVar[Mapping[str, str]] = {**WeightedLayer.live, "groups": "groups"}

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
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
        super().__init__(**kwargs)
        self._keep(locals())
        if type(groups) is not int or groups < -1 or groups == 0:
            raise ValueError(
                f"GroupNormalization: groups must be a positive int or -1; got {groups!r}"
            )
        self.groups = groups
        self.axis = integer(self, "axis", axis)
        self.epsilon = number(self, "epsilon", epsilon, 0)
        self.center = center
        self.scale = scale

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        (channels,) = shape = sizes_along(self, (self.axis,), input_shape)
        if channels is None:
            raise ValueError(
                f"GroupNormalization: the channels must be known; the input is {input_shape}"
            )
        if self.groups == -1:
            self.groups = channels
        if channels % self.groups:
            raise ValueError(
                f"GroupNormalization: the {self.groups} groups must divide the {channels} channels "
                f"of an input of shape {input_shape}"
            )
        self.gamma = self._weight("gamma", shape) if self.scale else None
        self.beta = self._weight("beta", shape) if self.center else None
        self.input_spec = InputSpec(ndim=len(input_shape), axes={self.axis: channels})

    def call(self, inputs: Tensor) -> Tensor:
        """The normalized inputs."""
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        return group_normalization(inputs, self.groups, gamma, beta, self.axis, self.epsilon)
