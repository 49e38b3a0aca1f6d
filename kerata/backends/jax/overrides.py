"""Composites that JAX compiles whole where they are called eagerly.

Its eager calls are programs of one operation each, with all results in between written to memory.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
from jax._src.core import get_axis_env

from kerata import config
from kerata.backends.state import body_of, operations

_WHOLE = (
    "batch_normalization", "batch_normalization_training", "binary_crossentropy",
    "categorical_crossentropy", "celu", "elu", "gelu", "group_normalization",
    "l2_normalization", "layer_normalization", "log_sigmoid", "logsumexp", "masked_softmax",
    "moments", "norm", "normalize", "one_hot", "resize", "rms_normalization", "selu", "silu",
    "softplus", "sparse_categorical_crossentropy", "std", "var",
)  # fmt: skip


def whole(name: str) -> Callable[..., Any]:
    """The composite `name` as one program for each kind of arguments."""

    @functools.lru_cache(1024, typed=True)
    def program(places: tuple[int, ...], settings: tuple[Any, ...], *rest: Any) -> Any:
        def run(tensors: list[Any]) -> Any:
            values = list(rest)
            for place, tensor in zip(places, tensors, strict=True):
                values[place] = tensor
            return body_of(name)(*values)

        return jax.jit(run)

    def kernel(*args: Any, **kwargs: Any) -> Any:
        op = operations[name].op
        values = op.bind(args, kwargs)
        tensors = [v for v in values if isinstance(v, jax.Array)]
        if any(isinstance(v, jax.core.Tracer) for v in tensors):  # part of a larger program
            return op.body(*values)
        places = tuple(i for i, v in enumerate(values) if isinstance(v, jax.Array))
        rest = [None if i in places else v for i, v in enumerate(values)]
        settings = (config.floatx(), config.epsilon(), config.image_data_format())
        try:
            found = program(places, settings, *rest)
        except TypeError:  # an argument that can't be hashed
            return op.body(*values)
        return found(tensors)

    kernel.__name__ = name
    return kernel


def segment_sum(
    data: Any, segment_ids: Any, num_segments: int | None = None, sorted: bool = False
) -> Any:
    if num_segments is None or segment_ids.ndim != 1 or data.dtype == bool:
        return body_of("segment_sum")(data, segment_ids, num_segments, sorted)
    return jax.ops.segment_sum(data, segment_ids, num_segments, sorted)


def sum_over_replicas(x: Any) -> Any:
    axes = tuple(get_axis_env().axis_sizes)
    return jax.lax.psum(x, axes) if axes else x


def int8_matmul(x: Any, y: Any) -> Any:
    axes = (((x.ndim - 1,), (0,)), ((), ()))
    return jax.lax.dot_general(x, y, axes, preferred_element_type=jax.numpy.int32).astype("float32")


KERNELS: dict[str, Callable[..., Any]] = {name: whole(name) for name in _WHOLE}
_OWN = (int8_matmul, segment_sum, sum_over_replicas)
KERNELS |= {function.__name__: function for function in _OWN}
