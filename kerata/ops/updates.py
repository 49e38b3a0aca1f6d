"""The optimizers' update rules, each over lists of variables, gradients and slots.

A rule is a composite like any other: its body reads and assigns the variables one by one, and a
backend may have a fused kernel that does all of them in one call.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from kerata.ops import elementwise as ew
from kerata.ops.dispatch import Tensor, composite


@composite()
def sgd_update(
    variables: Sequence[Any],
    gradients: Sequence[Any],
    momentums: Sequence[Any],
    learning_rate: Tensor,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> None:
    """Gradient descent: `m = momentum * m - rate * g`; `w += m`, or with `nesterov`
    `w += momentum * m - rate * g`. Without momentum `momentums` is empty."""
    for i, (w, g) in enumerate(zip(variables, gradients, strict=True)):
        rate = ew.cast(learning_rate, w.dtype)
        if not momentum:
            w.assign(w.value - rate * g)
            continue
        m = momentums[i].value * momentum - rate * g
        momentums[i].assign(m)
        w.assign(w.value + (m * momentum - rate * g if nesterov else m))


@composite()
def adam_update(
    variables: Sequence[Any],
    gradients: Sequence[Any],
    momentums: Sequence[Any],
    velocities: Sequence[Any],
    peaks: Sequence[Any],
    step: Tensor,
    learning_rate: Tensor,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    """Adam (Kingma & Ba, 2014), `step` counting from 1; with `peaks`, AMSGrad (Reddi et al., 2018).

    `w -= rate * sqrt(1 - beta_2^t) / (1 - beta_1^t) * m / (sqrt(v) + epsilon)`.
    """
    t = ew.cast(step, "float32")
    correction = ew.sqrt(1.0 - ew.power(beta_2, t)) / (1.0 - ew.power(beta_1, t))
    rate = ew.cast(learning_rate, "float32") * correction
    for i, (w, g) in enumerate(zip(variables, gradients, strict=True)):
        m = momentums[i].value * beta_1 + g * (1.0 - beta_1)
        v = velocities[i].value * beta_2 + g * g * (1.0 - beta_2)
        momentums[i].assign(m)
        velocities[i].assign(v)
        if peaks:
            v = ew.maximum(peaks[i].value, v)
            peaks[i].assign(v)
        w.assign(w.value - ew.cast(rate, w.dtype) * m / (ew.sqrt(v) + epsilon))


@composite()
def decay_update(variables: Sequence[Any], factor: Tensor) -> None:
    """Decoupled weight decay: `w *= factor` (Loshchilov & Hutter, 2019)."""
    for w in variables:
        w.assign(w.value * ew.cast(factor, w.dtype))
