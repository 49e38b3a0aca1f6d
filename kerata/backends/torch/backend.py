"""PyTorch: eager tensors, autograd, and `torch.compile` where it is asked for."""

from __future__ import annotations

import contextlib
import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree
import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint as torch_checkpoint

from kerata import config
from kerata.backends import dtypes
from kerata.backends.abstract.tensor import AbstractTensor
from kerata.backends.base import Backend
from kerata.backends.numpy.backend import to_array
from kerata.backends.registry import using
from kerata.backends.scope import Observer, Scope
from kerata.backends.sparse import entries
from kerata.backends.state import restored, state
from kerata.backends.torch.arrays import KERNELS as ARRAYS
from kerata.backends.torch.attention import KERNELS as ATTENTION
from kerata.backends.torch.control import KERNELS as CONTROL
from kerata.backends.torch.elements import KERNELS as ELEMENTS
from kerata.backends.torch.fourier import KERNELS as FOURIER
from kerata.backends.torch.indexing import KERNELS as INDEXING
from kerata.backends.torch.kernels import (
    DEVICE,
    DTYPES,
    FLOATS,
    NAMES,
    PRIMITIVES,
    as_tensor,
    torch_dtype,
)  # fmt: skip
from kerata.backends.torch.layer_methods import LAYER_METHODS
from kerata.backends.torch.linalg import KERNELS as LINALG
from kerata.backends.torch.overrides import OVERRIDES, nested
from kerata.backends.torch.random import KERNELS as RANDOM
from kerata.backends.torch.recurrent import KERNELS as RECURRENT
from kerata.backends.torch.spatial import KERNELS as SPATIAL
from kerata.backends.torch.windows import WINDOWS

_ON_HOST = DEVICE.type == "cpu"
# Dtypes that NumPy has from `ml_dtypes` alone travel as integers of their size.
_CARRIERS = {
    torch.bfloat16: torch.int16,
    torch.float8_e4m3fn: torch.uint8,
    torch.float8_e5m2: torch.uint8,
}


def from_array(array: np.ndarray) -> Tensor:
    """A tensor on the host that shares the array's memory where torch may write to it."""
    if torch.compiler.is_compiling():
        return torch.from_numpy(array)
    if not (array.flags.writeable and array.flags.c_contiguous):
        array = np.array(array, order="C")
    try:
        return torch.from_numpy(array)
    except TypeError:
        kind = DTYPES.get(dtypes.standardize_dtype(array.dtype))
        if kind is None:
            raise
        return torch.from_numpy(array.view(f"i{array.itemsize}")).view(kind)


def _leaf(x: Tensor) -> Tensor:
    """`x` as something to differentiate by, still part of an outer gradient's graph."""
    if x.requires_grad:
        return x.view_as(x) if nested() else x
    return x.detach().requires_grad_()


def _detached(tree: Any) -> Any:
    if isinstance(tree, Tensor):
        return tree.detach()
    if tree is None or tree.__class__ is tuple:
        return tree and tuple(map(_detached, tree))
    return optree.tree_map(lambda x: x.detach() if isinstance(x, Tensor) else x, tree)


def _differentiated(
    function: Callable[..., Any], sources: Sequence[Tensor], args: Any, kwargs: Any
) -> tuple[Any, list[Tensor]]:
    """What `function` returns, detached, and the gradients of the loss by `sources`."""
    if torch.is_grad_enabled():
        loss, aux = function(*args, **kwargs)
    else:
        with torch.enable_grad():
            loss, aux = function(*args, **kwargs)
    loss, again = as_tensor(loss), nested()
    found: Sequence[Tensor | None] = [None] * len(sources)
    if sources and loss.requires_grad:
        found = torch.autograd.grad(loss, sources, create_graph=again, allow_unused=True)
    gradients = [
        torch.zeros_like(s, requires_grad=False) if g is None else g for g, s in zip(found, sources)
    ]
    return ((loss, aux) if again else (loss.detach(), _detached(aux))), gradients


def _purely(
    function: Callable[..., Any], scope: Scope, sources: Sequence[Tensor], args: Any, kwargs: Any
) -> tuple[Any, list[Tensor]]:
    """`_differentiated` with what `function` writes kept in `scope`, and written after it."""

    def scoped(*args: Any, **kwargs: Any) -> Any:
        with scope:
            return function(*args, **kwargs)

    result = _differentiated(scoped, sources, args, kwargs)
    for variable, value in scope.writes():
        variable.assign(value if nested() else value.detach())
    return result


class _FirstReads(Scope):
    """Passes reads on and notes the value that each variable had at first."""

    def __init__(self) -> None:
        super().__init__()
        self.first: dict[int, tuple[Any, Any]] = {}

    def missing(self, variable: Any) -> Any:
        value = super().missing(variable)
        self.first[id(variable)] = (variable, value)
        return value


class _Fakes(Scope):
    """Answers reads with tensors without memory."""

    def missing(self, variable: Any) -> Any:
        return _fake(AbstractTensor(*variable.spec()))


def _fake(x: Any) -> Any:
    if hasattr(x, "shape") and hasattr(x, "dtype") and not isinstance(x, Tensor):
        return torch.empty(tuple(x.shape), dtype=torch_dtype(x.dtype), device=DEVICE)
    return x


class TorchBackend(Backend):
    """PyTorch's tensors, computed at once, on the first GPU if there is one."""

    name = "torch"
    tensor_types = (Tensor,)
    floats = FLOATS
    layer_methods = LAYER_METHODS
    trains = True
    gathers = not _ON_HOST

    def __init__(self) -> None:
        super().__init__()
        self.kernels = {
            **PRIMITIVES,
            **CONTROL,
            **RANDOM,
            **ELEMENTS,
            **WINDOWS,
            **OVERRIDES,
            **ATTENTION,
            **RECURRENT,
            **INDEXING,
            **ARRAYS,
            **SPATIAL,
            **FOURIER,
            **LINALG,
        }

    # Tensors

    def convert(self, x: Any, dtype: str | None = None) -> Tensor:
        kind = type(x)
        if kind is float:
            return torch.scalar_tensor(x, dtype=DTYPES[dtype or config.floatx()], device=DEVICE)
        if kind is bool or (kind is int and -(2**31) <= x < 2**31):
            wanted = dtype or ("int32" if kind is int else "bool")
            return torch.scalar_tensor(x, dtype=DTYPES[wanted], device=DEVICE)
        if isinstance(x, Tensor):
            tensor = x
        elif isinstance(x, np.ndarray):
            tensor = from_array(x)
        else:
            tensor = self._foreign(x, dtype)
        if not _ON_HOST:
            tensor = tensor.to(DEVICE, non_blocking=True)
        return tensor if dtype is None else tensor.to(DTYPES[dtype])

    def _foreign(self, x: Any, dtype: str | None) -> Tensor:
        if hasattr(x, "__dlpack__"):
            with contextlib.suppress(RuntimeError, BufferError, TypeError, ValueError):
                return torch.from_dlpack(x)
        return from_array(to_array(x, dtype))

    def to_sparse(self, x: Tensor) -> Tensor:
        return x.to_sparse()

    def sparse_product(self, x: Any, y: Tensor) -> Tensor:
        places, values, shape = entries(x)
        matrix = torch.sparse_coo_tensor(
            from_array(places.T.astype("int64")),
            from_array(values).to(y.dtype),
            shape,
            check_invariants=False,
        )
        return torch.sparse.mm(matrix.to(y.device), y)

    def beside(self, x: np.ndarray, tensor: Tensor) -> Tensor:
        return from_array(x).to(tensor.device)

    def to_numpy(self, x: Tensor) -> np.ndarray:
        if hasattr(x, "full_tensor"):  # a part of one that several processes hold
            x = x.full_tensor()
        carrier = _CARRIERS.get(x.dtype)
        if carrier is None:
            return np.array(x.numpy(force=True), order="C")
        carried = x.detach().contiguous().view(carrier).numpy(force=True)
        return np.array(carried).view(dtypes.numpy_dtype(NAMES[x.dtype]))

    def dtype_of(self, x: Tensor) -> str:
        return NAMES[x.dtype]

    def shape_of(self, x: Tensor) -> tuple[Any, ...]:
        return tuple(x.shape)

    # State

    def store(self, value: np.ndarray, trainable: bool, on_host: bool = False) -> Tensor:
        """A leaf of the graph if `trainable`.

        Kernels of two and three spatial axes lie filters first, channels last in memory, which is
        what convolutions read and what their gradients come in; for 512 filters by 512 channels a
        step takes a fifth of the time.
        """
        tensor = from_array(np.array(value, order="C"))
        if not on_host:
            tensor = tensor.to(DEVICE)
        differentiable = trainable and tensor.dtype in FLOATS
        rank = tensor.ndim
        if differentiable and rank in (4, 5):
            filters_first = tensor.permute(rank - 1, *range(rank - 1)).contiguous()
            tensor = filters_first.permute(*range(1, rank), 0)
        return tensor.requires_grad_(differentiable)

    def write(self, storage: Tensor, value: Tensor) -> Tensor:
        """In place for what is trained, whose identity users' optimizers rely on.

        Other state gets new memory: what was read before the write keeps its value, also where
        the backward pass needs it.
        """
        if not storage.requires_grad:
            return torch.empty_like(storage).copy_(value.detach())
        with torch.no_grad():
            return storage.copy_(value)

    def increment(self, storage: Tensor, value: Any) -> Tensor:
        if storage.requires_grad:
            with torch.no_grad():
                return storage.add_(value)
        if isinstance(value, Tensor):
            value = value.detach() if value.requires_grad else value
            value = value if _ON_HOST else value.to(storage.device)
        return torch.add(storage, value)

    # Transformations

    def value_and_grad(
        self, function: Callable[..., Any], variables: Sequence[Any] | None, argnums: Any
    ) -> Callable[..., Any]:
        if variables is None:
            return self._by_arguments(function, argnums)

        def call(*args: Any, **kwargs: Any) -> Any:
            outer = state.scope
            sources = [v.storage() for v in variables] if outer is None else []
            if outer is None and all(s.requires_grad for s in sources):
                return _purely(function, Scope(), sources, args, kwargs)
            sources = [_leaf(v.tensor() if outer is None else outer.read(v)) for v in variables]
            inner = Scope(zip(variables, sources, strict=True))
            return _purely(function, inner, sources, args, kwargs)

        return call

    def _by_arguments(self, function: Callable[..., Any], argnums: Any) -> Callable[..., Any]:
        places = (argnums,) if isinstance(argnums, int) else tuple(argnums)

        def call(*args: Any, **kwargs: Any) -> Any:
            arguments = list(args)
            leaves, tree = optree.tree_flatten([args[i] for i in places])
            sources = [_leaf(as_tensor(leaf)) for leaf in leaves]
            for i, argument in zip(places, optree.tree_unflatten(tree, sources), strict=True):
                arguments[i] = argument
            result, gradients = _purely(function, Scope(), sources, arguments, kwargs)
            found = optree.tree_unflatten(tree, gradients)
            return result, found[0] if isinstance(argnums, int) else tuple(found)

        return call

    def jit(self, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        """`function` as it is, or through `torch.compile`: on a GPU, or with `jit_compile=True`."""
        wanted = options.get("jit_compile", "auto")
        if wanted is True or (wanted == "auto" and not _ON_HOST):
            from kerata.backends.torch.compiled import Compiled

            return Compiled(self, function)

        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            return function(*args, **kwargs)

        return call

    def repeat(self, step: Callable[[Any], Any], rows: Any) -> Any:
        leaves, tree = optree.tree_flatten(rows)
        result = None
        for row in zip(*(leaf.unbind(0) for leaf in leaves), strict=True):
            result = step(optree.tree_unflatten(tree, row))
        return result

    def checkpoint(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The second run sees the variables as the first one found them, and writes none."""

        def call(*args: Any, **kwargs: Any) -> Any:
            if not torch.is_grad_enabled():
                return function(*args, **kwargs)
            saved = dict(vars(state))
            reads: _FirstReads | None = None

            def run(*args: Any, **kwargs: Any) -> Any:
                nonlocal reads
                if reads is not None:
                    with restored(saved), Scope(reads.first.values()):
                        return function(*args, **kwargs)
                first = _FirstReads()
                with first:
                    result = function(*args, **kwargs)
                reads = first
                for variable, value in first.writes():
                    variable.assign(value)
                return result

            return torch_checkpoint(run, *args, use_reentrant=False, **kwargs)

        return call

    # Small hooks

    def inference(self) -> contextlib.AbstractContextManager[Any]:
        """`no_grad`: variables first drawn or written under `inference_mode` could not train."""
        return torch.no_grad()

    def knows(self, x: Any) -> bool:
        """False also where a function is only run to see its state, in all of its branches."""
        scope = state.scope
        while scope is not None and not isinstance(scope, Observer):
            scope = scope._outer
        return scope is None and not torch.compiler.is_compiling()

    def wait(self, x: Any) -> None:
        if not _ON_HOST:
            torch.cuda.synchronize()

    def clear(self) -> None:
        if "torch._dynamo" in sys.modules:
            torch._dynamo.reset()
        torch.cuda.empty_cache()

    def profile(self, directory: str) -> contextlib.AbstractContextManager[Any]:
        profiler: contextlib.AbstractContextManager[Any] = torch.profiler.profile(
            on_trace_ready=torch.profiler.tensorboard_trace_handler(directory)
        )
        return profiler

    def out_of_memory(self, error: BaseException) -> bool:
        if isinstance(error, torch.OutOfMemoryError) or super().out_of_memory(error):
            return True
        return isinstance(error, RuntimeError) and "DefaultCPUAllocator" in str(error)

    def seed(self, seed: int) -> None:
        torch.manual_seed(seed)

    def random_state(self) -> Any:
        states = [torch.get_rng_state()]
        if not _ON_HOST:
            states.append(torch.cuda.get_rng_state())
        return [s.numpy() for s in states]

    def set_random_state(self, value: Any) -> None:
        torch.set_rng_state(torch.from_numpy(np.array(value[0])))
        if not _ON_HOST and len(value) > 1:
            torch.cuda.set_rng_state(torch.from_numpy(np.array(value[1])))

    def fallback_shape(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        from torch._subclasses.fake_tensor import FakeTensorMode

        with using(self), _Fakes(), FakeTensorMode(allow_non_fake_inputs=True), torch.no_grad():
            args, kwargs = optree.tree_map(_fake, (tuple(args), kwargs))
            result = function(*args, **kwargs)
        return optree.tree_map(
            lambda x: (
                AbstractTensor(tuple(x.shape), NAMES[x.dtype]) if isinstance(x, Tensor) else x
            ),
            result,
        )


def _call_with_values(
    cls: Any, function: Callable[..., Any], types: Any, args: Any = (), kwargs: Any = None
) -> Any:
    """How torch's own functions and operators take a variable: as its value."""

    def value(x: Any) -> Any:
        if isinstance(x, (list, tuple)):
            return [value(y) for y in x]
        return x.value if isinstance(x, cls) else x

    return function(*map(value, args), **{k: value(x) for k, x in (kwargs or {}).items()})


def create() -> TorchBackend:
    """The backend; called once, by the registry."""
    from kerata.core.variable import Variable

    Variable.__torch_function__ = classmethod(_call_with_values)  # type: ignore[attr-defined]
    # Slots of weights without gradient fade into denormals, where a step takes forty times as long.
    torch.set_flush_denormal(True)
    return TorchBackend()
