"""PyTorch's kernels of loops and branches: Python's, and `torch.func.vmap`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import optree
import torch
from torch import Tensor

from kerata.backends.loops import as_tensors, cond, flat_gradients, scan_with, unwritten, while_loop
from kerata.backends.state import body_of
from kerata.backends.torch.kernels import FLOATS


def _rows(x: Tensor) -> Any:
    return x.unbind(0)


def vectorized_map(function: Callable[[Any], Any], elements: Any) -> Any:
    """By `vmap`, or by a loop where the function needs the values of its rows."""
    body = body_of("vectorized_map")
    leaves, tree = optree.tree_flatten(elements)
    if not leaves or not all(x.ndim and x.shape[0] for x in leaves):
        return body(function, elements)
    structures: list[Any] = []
    mapped = unwritten(function, "vectorized_map")

    def flat(*row: Tensor) -> Any:
        results, structure = optree.tree_flatten(
            as_tensors(mapped(optree.tree_unflatten(tree, row)))
        )
        structures.append(structure)
        return tuple(results)

    try:
        found = torch.func.vmap(flat, randomness="same")(*leaves)
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return body(function, elements)
    return optree.tree_unflatten(structures[0], found)


class _WithGradient(torch.autograd.Function):
    """`run(*tensors)` gives tensors and a function from their gradients to those by the inputs."""

    @staticmethod
    def forward(ctx: Any, run: Callable[..., Any], *tensors: Tensor) -> Any:
        outputs, ctx.gradient = run(*tensors)
        ctx.run = run
        ctx.save_for_backward(*tensors)
        return tuple(y.detach() for y in outputs)

    @staticmethod
    def backward(ctx: Any, *upstream: Tensor) -> Any:
        gradient = ctx.gradient
        if torch.is_grad_enabled():  # to be differentiated again: by what has a graph
            gradient = ctx.run(*ctx.saved_tensors)[1]
        return None, *gradient(*upstream)


def call_with_gradient(f: Callable[..., Any], args: Any) -> Any:
    leaves, tree = optree.tree_flatten(args)
    structures: list[Any] = []

    def run(*tensors: Tensor) -> Any:
        given = optree.tree_unflatten(tree, tensors)
        output, gradient = f(*given)
        outputs, structure = optree.tree_flatten(as_tensors(output))
        structures.append(structure)

        def backward(*upstream: Tensor) -> list[Tensor | None]:
            found = flat_gradients(gradient(optree.tree_unflatten(structure, upstream)), args)
            return [
                g if x.dtype in FLOATS or x.is_complex() else None
                for g, x in zip(found, tensors, strict=True)
            ]

        return outputs, backward

    found = _WithGradient.apply(unwritten(run, "custom_gradient"), *leaves)
    return optree.tree_unflatten(structures[0], found)


KERNELS: dict[str, Callable[..., Any]] = {
    "scan": scan_with(_rows, torch.stack), "while_loop": while_loop, "cond": cond,
    "vectorized_map": vectorized_map, "call_with_gradient": call_with_gradient,
}  # fmt: skip
