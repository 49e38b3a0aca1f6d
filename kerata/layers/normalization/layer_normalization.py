"""`LayerNormalization`: over the features of each example."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.layers.arguments import WeightedLayer
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

    Input and output: any shape. Half precision is normalized in float32.

    >>> LayerNormalization(epsilon=0.0)(ops.convert_to_tensor([[1.0, 3.0]])).tolist()
    [[-1.0, 1.0]]
    """

    supports_masking = True

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
        super().__init__(**kwargs)
        self._keep(
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
        )
        axes = (axis,) if isinstance(axis, int) else tuple(axis)
        if not axes or any(not isinstance(a, int) for a in axes):
            raise ValueError(f"LayerNormalization: axis must be an int or several; got {axis!r}")
        self.axis = sorted(axes)
        self.epsilon = epsilon
        self.center = center
        self.scale = scale

    def build(self, input_shape: Any) -> None:
        """Make gamma and beta."""
        rank = len(input_shape)
        if any(not -rank <= a < rank for a in self.axis):
            raise ValueError(
                f"LayerNormalization: axis {self.axis} is out of range for an input of {rank} axes"
            )
        shape = tuple(input_shape[a] for a in self.axis)
        self.gamma = self._weight("gamma", shape) if self.scale else None
        self.beta = self._weight("beta", shape) if self.center else None
        # Where -1 stands before 1 the weights keep Keras' shape, and are read in the input's order.
        self._sizes = tuple(input_shape[a] for a in sorted(a % rank for a in self.axis))
        self._reorder = self._sizes != shape

    def call(self, inputs: Tensor) -> Tensor:
        """The normalized inputs."""
        gamma = None if self.gamma is None else self.gamma.value
        beta = None if self.beta is None else self.beta.value
        if self._reorder:
            gamma = None if gamma is None else ops.reshape(gamma, self._sizes)
            beta = None if beta is None else ops.reshape(beta, self._sizes)
        return ops.layer_normalization(inputs, gamma, beta, self.axis, self.epsilon)
