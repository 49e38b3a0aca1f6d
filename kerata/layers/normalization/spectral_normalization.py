"""`SpectralNormalization`: a layer whose kernel has the spectral norm 1."""

from __future__ import annotations

from typing import Any

from kerata import ops
from kerata.backends.scope import Scope
from kerata.backends.state import state
from kerata.layers.arguments import positive
from kerata.layers.core.wrapper import Wrapper
from kerata.layers.layer import Layer
from kerata.ops.dispatch import Tensor
from kerata.ops.normalization import l2_normalization


class SpectralNormalization(Wrapper):
    """The layer inside, its kernel divided by its largest singular value at each training step.

    That value is followed by power iteration, `power_iterations` steps a call. The divided kernel
    takes the kernel's place; outside of training the kernel is used as it is. Miyato et al., 2018.

    Args:
        layer: a layer with a `kernel`, or with `embeddings`.
        power_iterations: steps a call, at least 1.

    Input and output: those of `layer`.

    >>> SpectralNormalization(kerata.layers.Dense(10)).compute_output_shape((None, 4))
    (None, 10)
    """

    kernel: Any

    def __init__(self, layer: Layer, power_iterations: int = 1, **kwargs: Any) -> None:
        super().__init__(layer, **kwargs)
        self.power_iterations = positive(self, "power_iterations", power_iterations)

    def build(self, input_shape: Any = None) -> None:
        """Build the layer inside, and make the vector that is iterated."""
        super().build(input_shape)
        layer = self.layer
        kernel = getattr(layer, "kernel", None)
        self.kernel = getattr(layer, "embeddings", None) if kernel is None else kernel
        if self.kernel is None:
            raise ValueError(
                "SpectralNormalization: layer must have a `kernel` or `embeddings`; "
                f"{type(layer).__name__} {layer.name!r} has neither"
            )
        self._made.append((self.kernel, self.kernel.trainable))
        self.vector_u = self.add_weight(
            (1, self.kernel.shape[-1]), "truncated_normal", trainable=False, name="vector_u"
        )

    def call(self, inputs: Tensor, training: bool = False) -> Tensor:
        """What the layer makes of the inputs."""
        if not training:
            return self.layer(inputs)
        normalized = self.normalized_weights()
        # The layer reads the normalized kernel here, so that gradients go through the division.
        with Scope([(self.kernel, normalized)]) as scope:
            y = self.layer(inputs)
        for variable, value in scope.writes():
            variable.assign(value)
        self.kernel.assign(normalized)
        return y

    def normalized_weights(self) -> Tensor:
        """The kernel divided by its largest singular value, as `vector_u` says after its steps."""
        casts, state.autocast = state.autocast, None  # what is assigned must not be rounded
        try:
            kernel, u = self.kernel.value, self.vector_u.value
        finally:
            state.autocast = casts
        kernel = ops.multiply(kernel, 1.0)  # its memory may be written before the gradients come
        matrix = ops.reshape(kernel, (-1, self.kernel.shape[-1]))
        held = ops.stop_gradient(matrix)
        for _ in range(self.power_iterations):
            v = l2_normalization(ops.matmul(u, ops.transpose(held)))
            u = l2_normalization(ops.matmul(v, held))
        sigma = ops.matmul(ops.matmul(v, matrix), ops.transpose(u))
        self.vector_u.assign(u)
        return ops.reshape(ops.divide(matrix, sigma), self.kernel.shape)
