"""Composites that torch computes faster, or more exactly, than their bodies do."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from kerata import config
from kerata.backends.geometry import axes_tuple
from kerata.backends.state import body_of, state
from kerata.backends.torch.kernels import (
    CHECKED,
    DEVICE,
    FLOATS,
    PRIMITIVES,
    as_tensor,
    squeeze,
    take_along_axis,
    widening,
)  # fmt: skip
from kerata.backends.torch.kernels import torch_dtype as _dtype
from kerata.backends.torch.random import draw_mask

_NO_CLASS = -(2**62)  # torch leaves out a class of this number


def nested() -> bool:
    """Whether gradients are differentiated again, which some fused kernels can't be."""
    return state.differentiating > 1


# Making and moving


def zeros(shape: Any, dtype: Any = None) -> Tensor:
    return torch.zeros(shape, dtype=_dtype(dtype), device=DEVICE)


def ones(shape: Any, dtype: Any = None) -> Tensor:
    return torch.ones(shape, dtype=_dtype(dtype), device=DEVICE)


def zeros_like(x: Tensor, dtype: Any = None) -> Tensor:
    return torch.zeros_like(x) if dtype is None else torch.zeros_like(x, dtype=_dtype(dtype))


def ones_like(x: Tensor, dtype: Any = None) -> Tensor:
    return torch.ones_like(x) if dtype is None else torch.ones_like(x, dtype=_dtype(dtype))


def ravel(x: Tensor) -> Tensor:
    return x.reshape(-1)


def swapaxes(x: Tensor, axis1: int, axis2: int) -> Tensor:
    return x.transpose(axis1, axis2)


def moveaxis(x: Tensor, source: Any, destination: Any) -> Tensor:
    return torch.movedim(x, source, destination)


def clip(x: Tensor, x_min: Any, x_max: Any) -> Tensor:
    numbers = isinstance(x_min, (int, float)) and isinstance(x_max, (int, float))
    if not numbers or x.dtype is torch.bool or x.is_complex():
        found: Tensor = body_of("clip")(x, x_min, x_max)
        return found
    if x.dtype not in FLOATS:
        x_min, x_max = int(x_min), int(x_max)
    return torch.clamp(x, x_min, x_max)


def square(x: Tensor) -> Tensor:
    return torch.square(x.to(torch.int32) if x.dtype is torch.bool else x)


def divide_no_nan(x1: Tensor, x2: Tensor) -> Tensor:
    zero = x2 == 0
    return (x1 / x2.masked_fill(zero, 1.0)).masked_fill(zero, 0.0)


def one_hot(
    x: Tensor, num_classes: int, axis: int = -1, dtype: Any = None, sparse: bool = False
) -> Tensor:
    kind = x.dtype if x.dtype is torch.int64 else torch.int32
    hit = x.unsqueeze(-1).to(kind) == torch.arange(num_classes, dtype=kind, device=x.device)
    return (hit if axis == -1 else hit.movedim(-1, axis)).to(_dtype(dtype))


def linear(x: Tensor, kernel: Tensor, bias: Tensor) -> Tensor:
    if kernel.ndim != 2 or bias.ndim != 1 or x.ndim < 2 or x.dtype not in FLOATS:
        found: Tensor = body_of("linear")(x, kernel, bias)
        return found
    if x.ndim == 2:
        return torch.addmm(bias, x, kernel)
    return F.linear(x, kernel.t(), bias)


def int8_matmul(x: Tensor, y: Tensor) -> Tensor:
    rows = x.reshape(-1, x.shape[-1])
    fits = not x.is_cuda or (rows.shape[0] > 16 and y.shape[0] % 8 == y.shape[1] % 8 == 0)
    if x.device.type not in ("cpu", "cuda") or not fits:
        found: Tensor = body_of("int8_matmul")(x, y)
        return found
    return torch._int_mm(rows, y).float().reshape(*x.shape[:-1], y.shape[1])


def random_dropout(x: Tensor, rate: float, noise_shape: Any, seed: Tensor) -> Tensor:
    sizes: Any = x.shape
    if noise_shape is not None:
        sizes = tuple(s if n is None else n for n, s in zip(noise_shape, sizes, strict=True))
    return x * draw_mask(sizes, 1.0 - rate, seed, x.dtype).mul_(1.0 / (1.0 - rate))


# Activations


def leaky_relu(x: Tensor, negative_slope: float = 0.2) -> Tensor:
    return F.leaky_relu(x, negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    return F.elu(x, alpha)


def softplus(x: Tensor) -> Tensor:
    return F.softplus(x, 1.0, 40.0)  # torch's threshold of 20 costs digits in float64


def gelu(x: Tensor, approximate: bool = True) -> Tensor:
    return F.gelu(x, approximate="tanh" if approximate else "none")


def softmax(x: Tensor, axis: Any = -1) -> Tensor:
    return torch.softmax(x, axis) if isinstance(axis, int) else body_of("softmax")(x, axis)


def log_softmax(x: Tensor, axis: Any = -1) -> Tensor:
    return torch.log_softmax(x, axis) if isinstance(axis, int) else body_of("log_softmax")(x, axis)


def logsumexp(x: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    axes = axes_tuple(axis, x.ndim)
    return torch.logsumexp(x, axes, keepdims) if axes else x


# Normalization


def layer_normalization(
    x: Tensor,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: Any = -1,
    epsilon: float | None = None,
) -> Tensor:
    axes = sorted(axes_tuple(axis, x.ndim))
    sizes = x.shape[x.ndim - len(axes) :]
    trailing = axes[0] == x.ndim - len(axes)
    if not trailing or any(p is not None and p.shape != sizes for p in (gamma, beta)):
        found: Tensor = body_of("layer_normalization")(x, gamma, beta, axis, epsilon)
        return found
    return torch.layer_norm(x, sizes, gamma, beta, config.epsilon() if epsilon is None else epsilon)


def rms_normalization(
    x: Tensor, scale: Tensor | None = None, axis: Any = -1, epsilon: float | None = None
) -> Tensor:
    axes = sorted(axes_tuple(axis, x.ndim))
    sizes = x.shape[x.ndim - len(axes) :]
    plain = axes[0] == x.ndim - len(axes) and (scale is None or scale.shape == sizes)
    if not plain or x.dtype.itemsize < 4:
        found: Tensor = body_of("rms_normalization")(x, scale, axis, epsilon)
        return found
    return torch.rms_norm(x, sizes, scale, config.epsilon() if epsilon is None else epsilon)


def group_normalization(
    x: Tensor,
    groups: int,
    gamma: Tensor | None = None,
    beta: Tensor | None = None,
    axis: int = -1,
    epsilon: float = 1e-3,
) -> Tensor:
    if any(p is not None and p.dtype is not x.dtype for p in (gamma, beta)) or axis % x.ndim == 0:
        found: Tensor = body_of("group_normalization")(x, groups, gamma, beta, axis, epsilon)
        return found
    rows = x.movedim(axis, 1)
    if not x.requires_grad:  # torch crashes where channels come last and only weights are trained
        rows = rows.contiguous()
    if gamma is None and beta is not None:  # nor does it differentiate this alone
        gamma = torch.ones_like(beta)
    return F.group_norm(rows, groups, gamma, beta, epsilon).movedim(1, axis)


def _channels_second(x: Tensor, axis: int) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """`x` with its channels on the second axis, and the way back."""
    place = axis % x.ndim
    if place == 1:
        return x, lambda y: y
    if place == x.ndim - 1:  # rows of channels: torch has a kernel for them
        return x.reshape(-1, x.shape[-1]), lambda y: y.view(x.shape)
    return x.movedim(place, 1), lambda y: y.movedim(1, place)


def batch_normalization(
    x: Tensor,
    mean: Tensor,
    variance: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> Tensor:
    if mean.requires_grad or variance.requires_grad:
        found: Tensor = body_of("batch_normalization")(
            x, mean, variance, axis, offset, scale, epsilon
        )
        return found
    rows, back = _channels_second(x, axis)
    return back(torch.batch_norm(rows, scale, offset, mean, variance, False, 0.0, epsilon, True))


def batch_normalization_training(
    x: Tensor,
    axis: int,
    offset: Tensor | None = None,
    scale: Tensor | None = None,
    epsilon: float = 1e-3,
) -> tuple[Tensor, Tensor, Tensor]:
    """The moments come without a gradient of their own: they are for the moving averages."""
    channels = x.shape[axis]
    count = x.numel() // max(channels, 1)
    if count < 2:
        found: tuple[Tensor, Tensor, Tensor] = body_of("batch_normalization_training")(
            x, axis, offset, scale, epsilon
        )
        return found
    rows, back = _channels_second(x, axis)
    kind = torch.float64 if x.dtype is torch.float64 else torch.float32
    if x.dtype is not kind:
        offset = None if offset is None else offset.to(kind)
        scale = None if scale is None else scale.to(kind)
    moments = rows.new_zeros((2, channels), dtype=kind)  # batched where `x` is, under vmap
    mean, variance = moments.unbind(0)
    y = torch.batch_norm(rows, scale, offset, mean, variance, True, 1.0, epsilon, True)
    variance = variance * ((count - 1) / count)  # torch's is the unbiased one
    if x.dtype is not kind:
        mean, variance = mean.to(x.dtype), variance.to(x.dtype)
    return back(y), mean, variance


def sum_over_replicas(x: Tensor) -> Tensor:
    together = torch.distributed.is_available() and torch.distributed.is_initialized()
    if not together or torch.distributed.get_world_size() == 1:
        return x
    found: Tensor = _Summed.apply(x)
    return found


class _Summed(torch.autograd.Function):
    """The sum over all processes, whose gradient is the sum of their gradients."""

    @staticmethod
    def forward(_: Any, x: Tensor) -> Tensor:
        total = x.clone(memory_format=torch.contiguous_format)
        torch.distributed.all_reduce(total)
        return total

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Any:
        return _Summed.apply(gradient)


# Losses


def _negative_logs(target: Tensor, logits: Tensor) -> Tensor:
    if logits.ndim == 2:
        return F.cross_entropy(logits, target, reduction="none", ignore_index=_NO_CLASS)
    rows = logits.reshape(-1, logits.shape[-1])
    losses = F.cross_entropy(rows, target.reshape(-1), reduction="none", ignore_index=_NO_CLASS)
    return losses.view(target.shape)


def sparse_categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    if target.ndim == output.ndim:
        target = squeeze(target, axis)
    target = target.to(torch.int64)
    if from_logits and axis in (-1, output.ndim - 1) and CHECKED:
        try:
            return _negative_logs(target, output)
        except IndexError:  # a class out of range
            pass
    index = target.unsqueeze(axis)
    if from_logits:
        logs = torch.log_softmax(output, axis)
        return -take_along_axis(logs, index, axis).squeeze(axis)
    # Divided, limited and logarithmized for the true class alone.
    true = take_along_axis(output, index, axis).squeeze(axis) / output.sum(axis)
    return -torch.log(torch.clamp(true, config.epsilon(), 1.0 - config.epsilon()))


def categorical_crossentropy(
    target: Tensor, output: Tensor, from_logits: bool = False, axis: int = -1
) -> Tensor:
    if from_logits:
        logs = torch.log_softmax(output, axis)
    else:
        output = output / output.sum(axis, True)
        logs = torch.log(torch.clamp(output, config.epsilon(), 1.0 - config.epsilon()))
    return -(target * logs).sum(axis)


def binary_crossentropy(target: Tensor, output: Tensor, from_logits: bool = False) -> Tensor:
    if not from_logits:
        output = torch.clamp(output, config.epsilon(), 1.0 - config.epsilon())
        against = torch.log(1.0 - output) * (target - 1.0)
        return torch.addcmul(against, target, torch.log(output), value=-1)
    if target.shape != output.shape:
        target, output = torch.broadcast_tensors(target, output)
    return F.binary_cross_entropy_with_logits(output, target, reduction="none")


# Update rules


def _tensors(values: Sequence[Any]) -> list[Tensor]:
    return [v if isinstance(v, Tensor) else as_tensor(v) for v in values]


def _held(variables: Sequence[Any]) -> list[Tensor]:
    return [v.storage() for v in variables]


def _apart(*groups: list[Tensor]) -> bool:
    """Whether no fused update takes these tensors: state in a scope, dtypes or devices that mix."""
    if state.scope is not None or torch.compiler.is_compiling():
        return True
    tensors = [t for group in groups for t in group]
    return len({t.dtype for t in tensors}) != 1 or (
        DEVICE.type != "cpu" and len({t.device for t in tensors}) != 1
    )


def _laid_out(held: list[Tensor], others: list[Tensor], slots: Sequence[Any] = ()) -> list[Tensor]:
    """`others` as `held` lies in memory, by which fused kernels go; `slots` stay so.

    What is permuted (see `TorchBackend.store`) comes flat: such kernels copy it otherwise.
    """
    if not others or all(map(Tensor.is_contiguous, [*held, *others])):
        return others
    found = list(others)
    for i, (w, x) in enumerate(zip(held, others, strict=True)):
        order = sorted(range(w.ndim), key=w.stride, reverse=True)
        found[i] = x.permute(order)
        if not found[i].is_contiguous():
            copied = torch.empty_like(w, requires_grad=False).copy_(x)
            if slots:
                slots[i].adopt(copied)
            found[i] = copied.permute(order)
        found[i] = found[i].view(-1)
    return found


def _changed(*groups: Sequence[Any]) -> None:
    for group in groups:
        for variable in group:
            variable.version += 1


def sgd_update(
    variables: Sequence[Any],
    gradients: Sequence[Any],
    momentums: Sequence[Any],
    learning_rate: Tensor,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> None:
    w, m, g = _held(variables), _held(momentums) if momentum else [], _tensors(gradients)
    if _apart(w, m, g):
        body_of("sgd_update")(variables, g, momentums, learning_rate, momentum, nesterov)
        return
    rate = learning_rate.item()
    with torch.no_grad():
        if not momentum:
            torch._foreach_add_(w, g, alpha=-rate)
        else:
            w, m, g = _laid_out(w, w), _laid_out(w, m, momentums), _laid_out(w, g)
            torch._foreach_mul_(m, momentum)
            torch._foreach_add_(m, g, alpha=-rate)
            torch._foreach_add_(w, m, alpha=momentum if nesterov else 1.0)
            if nesterov:
                torch._foreach_add_(w, g, alpha=-rate)
            _changed(momentums)
    _changed(variables)


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
    """Torch adds epsilon to `sqrt(v / (1 - beta_2^t))`: ours is divided by that root too."""
    slots = (momentums, velocities, peaks)
    w, (m, v, p), g = _held(variables), map(_held, slots), _tensors(gradients)
    if _apart(w, m, v, p, g):
        body_of("adam_update")(variables, g, *slots, step, learning_rate, beta_1, beta_2, epsilon)
        return
    count = step.item()
    with torch.no_grad():
        torch._fused_adam_(
            _laid_out(w, w), _laid_out(w, g), _laid_out(w, m, momentums),
            _laid_out(w, v, velocities), _laid_out(w, p, peaks),
            [step.to(w[0].device, torch.float32)] * len(w),
            lr=learning_rate.item(), beta1=beta_1, beta2=beta_2, weight_decay=0.0,
            eps=epsilon / math.sqrt(1.0 - beta_2**count), amsgrad=bool(peaks), maximize=False,
        )  # fmt: skip
    _changed(variables, *slots)


def decay_update(variables: Sequence[Any], factor: Tensor) -> None:
    w = _held(variables)
    if _apart(w):
        body_of("decay_update")(variables, factor)
        return
    with torch.no_grad():
        torch._foreach_mul_(w, factor.item())
    _changed(variables)


_OWN = (
    zeros, ones, zeros_like, ones_like, ravel, swapaxes, moveaxis, one_hot, linear, int8_matmul,
    random_dropout,
    leaky_relu, elu, softplus, gelu, softmax, log_softmax, logsumexp, layer_normalization,
    rms_normalization, group_normalization, sum_over_replicas,
    batch_normalization, batch_normalization_training,
    sparse_categorical_crossentropy, categorical_crossentropy, binary_crossentropy,
    sgd_update, adam_update, decay_update,
)  # fmt: skip
OVERRIDES: dict[str, Callable[..., Any]] = {
    **{function.__name__: function for function in _OWN},
    "abs": PRIMITIVES["absolute"], "clip": widening(clip), "square": widening(square),
    "divide_no_nan": widening(divide_no_nan),
    "relu": widening(torch.relu), "divide": torch.true_divide, "reciprocal": torch.reciprocal,
    "isfinite": torch.isfinite, "isinf": torch.isinf, "relu6": F.relu6, "sigmoid": torch.sigmoid,
    "hard_sigmoid": F.hardsigmoid, "silu": F.silu, "selu": torch.selu,
}  # fmt: skip
