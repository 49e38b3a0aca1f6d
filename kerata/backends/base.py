"""The contract of a backend: a tensor type, a table of kernels, and a few hooks.

A backend is an interpretation of Kerata's primitive operations. To add one, subclass `Backend`,
fill `kernels` with one function for each primitive (`kerata.ops.primitives()` lists them with their
signatures) and hand what makes one to `kerata.backends.register`. The rest (layers, training,
saving) is written over the primitives and needs no change.

What a kernel may rely on, because the dispatch did it before:

- tensor arguments are of this backend's own type; Python scalars only where the operation is
  declared with `scalars=True`, and then only beside a tensor whose dtype they do not change;
- the operands of an operation declared `promote="common"` have one dtype already, those of one
  declared `promote="float"` a floating one;
- arguments come as the caller wrote them, so a kernel has the operation's own parameters and
  defaults; axes may be negative; shapes may hold the backend's own dynamic sizes.

What it must return: a tensor of the dtype NumPy's semantics give for the (promoted) operands.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np

from kerata.backends.sparse import densified


class Backend:
    """One interpretation of the primitives.

    Attributes:
        name: what `kerata.set_backend` takes.
        tensor_types: the classes of its tensors.
        graph_types: the classes among these whose tensors live as long as their graph.
        irregular_types: the classes of the engine's ragged and sparse tensors, where layers return
            such as they are given.
        floats: the floating dtypes that its tensors keep when they meet Python's numbers.
        kernels: name of an operation to its kernel; primitives must be there, composites may.
        layer_methods: methods that layers have under this backend alone; the layer comes first.
        trains: whether it can differentiate.
        computes: whether its tensors hold values (`abstract` and `onnx` only reason and write).
        repeats: whether running several steps in one call may pay (see `repeat`).
        gathers: whether in-memory data is put on the device whole and gathered there.
        call_overhead: seconds that calling a compiled function takes beside its work, about.
    """

    name: str = ""
    tensor_types: tuple[Any, ...] = ()
    graph_types: tuple[Any, ...] = ()
    irregular_types: tuple[Any, ...] = ()
    floats: frozenset[Any] = frozenset()
    layer_methods: Mapping[str, Callable[..., Any]] = MappingProxyType({})
    trains: bool = False
    computes: bool = True
    repeats: bool = False
    gathers: bool = False
    call_overhead: float = 0.0

    def __init__(self) -> None:
        self.kernels: dict[str, Callable[..., Any]] = {}

    def __repr__(self) -> str:
        return f"<kerata backend {self.name}, {len(self.kernels)} kernels>"

    # Tensors

    def convert(self, x: Any, dtype: str | None = None) -> Any:
        """A tensor of this backend from a scalar, list, NumPy array or foreign tensor.

        `dtype` None keeps the dtype of arrays; Python floats take `config.floatx()`, ints int32.
        """
        raise NotImplementedError(f"{type(self).__name__} must define convert")

    def beside(self, x: np.ndarray, tensor: Any) -> Any:
        """The array `x` as a tensor that lies where `tensor` does."""
        return self.convert(x)

    def argument(self, x: Any) -> Any:
        """What a compiled function is handed for the array `x`: a tensor, or what is as good."""
        return self.convert(x)

    def to_numpy(self, x: Any) -> np.ndarray:
        """The values on the host, as an array that later steps don't change."""
        raise NotImplementedError(f"{type(self).__name__} must define to_numpy")

    def dtype_of(self, x: Any) -> str:
        """The name of a tensor's dtype."""
        raise NotImplementedError(f"{type(self).__name__} must define dtype_of")

    def promotes_as(self, x: Any) -> str:
        """What type promotion takes a tensor for: its dtype, or a weak kind ("int", "float")."""
        return self.dtype_of(x)

    def shape_of(self, x: Any) -> tuple[Any, ...]:
        """The sizes: ints where they are known, otherwise dynamic sizes to calculate with."""
        return tuple(x.shape)

    def body(self, op: Any) -> Callable[..., Any] | None:
        """What runs the operation `op` where `kernels` has nothing of its name."""
        return op.body

    # State. Where tensors are immutable these three defaults do.

    @property
    def home(self) -> Backend:
        """The backend whose arrays variables hold while this one is active."""
        return self

    def store(self, value: np.ndarray, trainable: bool, on_host: bool = False) -> Any:
        """What a variable holds: `value` copied into this backend's memory.

        `on_host` asks for the processor's own memory (counters that Python reads every step).
        """
        return self.convert(value)

    def read(self, storage: Any) -> Any:
        """The tensor that stands in `storage`."""
        return storage

    def write(self, storage: Any, value: Any) -> Any:
        """Put `value` (a tensor of the right shape and dtype) into `storage`; return that."""
        return value

    def increment(self, storage: Any, value: Any) -> Any:
        """Add `value`, a tensor or a number, to what stands in `storage`; return the storage."""
        return self.write(storage, self.kernels["add"](self.read(storage), value))

    # Transformations

    def value_and_grad(
        self, function: Callable[..., Any], variables: Sequence[Any] | None, argnums: Any
    ) -> Callable[..., Any]:
        """`function` (returning `(loss, aux)`) as one returning `((loss, aux), gradients)`.

        With `variables` None the gradient is with respect to the arguments `argnums`.
        """
        raise RuntimeError(
            f"The {self.name} backend does not differentiate. Train under one that does: "
            "with kerata.use_backend('jax'), 'torch' or 'tensorflow'."
        )

    def jit(self, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        """`function` compiled, if that pays here; it may read and write variables."""
        return function

    def repeat(self, step: Callable[[Any], Any], rows: Any) -> Any:
        """Run `step(row)` for every row of the tensors in `rows`; returns the last one's result."""
        result = None
        for i in range(len(rows)):
            result = step(rows[i])
        return result

    def checkpoint(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """`function`, its intermediate values computed again in the backward pass."""
        return function

    def host_call(
        self, function: Callable[..., Any], args: Sequence[Any], shape: Any, dtype: str
    ) -> Any:
        """`function` of the arguments' values, which runs on the host; no gradient passes it.

        Args:
            function: takes NumPy arrays and returns one of `shape` and `dtype`.
            args: tensors, and NumPy arrays of text.
            shape: the result's sizes, None where one follows from the values.
            dtype: the result's, "string" for an array of strings.

        Returns:
            a tensor of this backend, and for "string" a NumPy array where it has no such tensors.
        """
        if not self.computes:
            raise RuntimeError(f"{self.name}: what runs on the host can't be part of the program")
        own = self.tensor_types
        found = function(*(self.to_numpy(x) if isinstance(x, own) else x for x in args))
        return found if dtype == "string" else self.convert(found, dtype)

    def to_sparse(self, x: Any) -> Any:
        """A dense tensor as a sparse one of the engine's; dense where tensors hold no values."""
        if not self.computes:
            return x
        raise TypeError(f"The {self.name} backend has no sparse tensors: use sparse=False")

    def to_ragged(self, x: Any, padding: int) -> Any:
        """Rows without the `padding` at their ends; dense where tensors hold no values."""
        if not self.computes:
            return x
        raise TypeError(f"The {self.name} backend has no ragged tensors: use ragged=False")

    def sparse_product(self, x: Any, y: Any) -> Any:
        """The product of a sparse matrix of any library and a dense one of this backend."""
        return self.kernels["matmul"](self.convert(densified(x), self.dtype_of(y)), y)

    # Small hooks

    def inference(self) -> contextlib.AbstractContextManager[Any]:
        """A context in which nothing is recorded for a backward pass."""
        return contextlib.nullcontext()

    def knows(self, x: Any) -> bool:
        """Whether the values of a tensor can be read now, and not only once a program runs."""
        return self.computes

    def wait(self, x: Any) -> None:
        """Return once the tensors of the tree `x` are computed."""

    def profile(self, directory: str) -> contextlib.AbstractContextManager[Any]:
        """A context whose operations the engine's own profiler writes to `directory`.

        TensorBoard's profile plug-in reads what it writes. Where an engine has no profiler, nothing
        is written.
        """
        return contextlib.nullcontext()

    def out_of_memory(self, error: BaseException) -> bool:
        """Whether `error` says that memory ran out."""
        return isinstance(error, MemoryError)

    def clear(self) -> None:
        """Free what the engine keeps of programs and memory that nothing uses."""

    def seed(self, seed: int) -> None:
        """Follow `kerata.utils.set_random_seed`."""

    def random_state(self) -> Any:
        """Where the engine's own generator is, as arrays; None where that can't be told."""
        return None

    def set_random_state(self, value: Any) -> None:
        """Put the engine's own generator where `random_state` said that it was."""

    def fallback_shape(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """Abstract evaluation of a function that uses this engine's own calls.

        `args` and `kwargs` hold `AbstractTensor`s (all sizes known), and so must the result. None
        where the engine has no abstract evaluation.
        """
        return None
