"""JAX: state threaded through pure functions, compiled by XLA."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optree
from jax._src.array import ArrayImpl

from kerata.backends import dtypes
from kerata.backends.abstract.backend import AbstractTensor
from kerata.backends.base import Backend
from kerata.backends.calls import Arguments, Packed, shapes_text
from kerata.backends.jax.arrays import KERNELS as ARRAYS
from kerata.backends.jax.attention import KERNELS as ATTENTION
from kerata.backends.jax.control import KERNELS as CONTROL
from kerata.backends.jax.elements import KERNELS as ELEMENTS
from kerata.backends.jax.fourier import KERNELS as FOURIER
from kerata.backends.jax.indexing import KERNELS as INDEXING
from kerata.backends.jax.kernels import KERNELS, inside_loop, native
from kerata.backends.jax.linalg import KERNELS as LINALG
from kerata.backends.jax.overrides import KERNELS as OVERRIDES
from kerata.backends.jax.pooling import KERNELS as POOLING
from kerata.backends.jax.random import KERNELS as RANDOM
from kerata.backends.jax.recurrent import KERNELS as RECURRENT
from kerata.backends.jax.spatial import KERNELS as SPATIAL
from kerata.backends.numpy.backend import to_array
from kerata.backends.registry import using
from kerata.backends.scope import Observer, Scope, Touched, recorded, touched
from kerata.backends.sparse import entries
from kerata.backends.state import state

# Numbers that are arguments of a compiled function are tensors in it, and stay weak.
_WEAK = {"float32": "float", "float64": "float", "int32": "int", "int64": "int"}


class JaxBackend(Backend):
    """Arrays and tracers of JAX."""

    name = "jax"
    tensor_types = (ArrayImpl, jax.core.Tracer)
    floats = frozenset(dtypes.numpy_dtype(n) for n in dtypes.FLOATS)
    trains = True
    repeats = True
    gathers = True
    call_overhead = 2e-4

    def __init__(self) -> None:
        super().__init__()
        self.kernels = {
            **KERNELS,
            **OVERRIDES,
            **ATTENTION,
            **CONTROL,
            **RANDOM,
            **ELEMENTS,
            **INDEXING,
            **ARRAYS,
            **SPATIAL,
            **RECURRENT,
            **POOLING,
            **FOURIER,
            **LINALG,
        }
        self._dtype_names = {dtypes.numpy_dtype(n): n for n in dtypes.ALL}

    def convert(self, x: Any, dtype: str | None = None) -> Any:
        array = _owned(to_array(x, dtype), x)
        kind = native(array.dtype)  # asking for the dtype that it has would take twice as long
        return jnp.asarray(array) if kind == array.dtype else jnp.asarray(array, kind)

    def argument(self, x: Any) -> Any:
        array = _owned(to_array(x), x)  # which a compiled call takes in less time than `convert`
        return array.astype(native(array.dtype), copy=False)

    def to_numpy(self, x: Any) -> np.ndarray:
        if isinstance(x, jax.core.Tracer):
            raise TypeError(
                "The values of a tensor were asked for inside a compiled function. Keep values in "
                "tensors, or convert them outside of kerata.jit (run_eagerly=True lets you look)."
            )
        return np.array(x)

    def dtype_of(self, x: Any) -> str:
        return self._dtype_names[x.dtype]

    def promotes_as(self, x: Any) -> str:
        name = self._dtype_names[x.dtype]
        return _WEAK.get(name, name) if x.weak_type else name

    def shape_of(self, x: Any) -> tuple[Any, ...]:
        return x.shape

    def store(self, value: np.ndarray, trainable: bool, on_host: bool = False) -> Any:
        with jax.ensure_compile_time_eval():  # also where a variable is first read in a trace
            return jnp.array(np.array(value), native(value.dtype), copy=True)

    def write(self, storage: Any, value: Any) -> Any:
        # A compiled step donates what variables hold, so no two may hold one array.
        return value if isinstance(value, jax.core.Tracer) else jnp.array(value, copy=True)

    def knows(self, x: Any) -> bool:
        return not isinstance(x, jax.core.Tracer)

    def wait(self, x: Any) -> None:
        jax.block_until_ready(x)

    def clear(self) -> None:
        jax.clear_caches()

    def profile(self, directory: str) -> contextlib.AbstractContextManager[Any]:
        return jax.profiler.trace(directory)

    def out_of_memory(self, error: BaseException) -> bool:
        engine = isinstance(error, jax.errors.JaxRuntimeError)
        return (engine and "RESOURCE_EXHAUSTED" in str(error)) or super().out_of_memory(error)

    def value_and_grad(
        self, function: Callable[..., Any], variables: Sequence[Any] | None, argnums: Any
    ) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            packed = Packed(self)

            def pure(values: Any) -> Any:
                if variables is None:
                    pairs: Any = ()
                    given = list(args)
                    for place, value in zip(_places(argnums), values, strict=True):
                        given[place] = value
                else:
                    pairs, given = zip(variables, values, strict=True), list(args)
                with Scope(pairs) as scope:
                    loss, aux = function(*given, **kwargs)
                    return jnp.asarray(loss), packed.pack(aux, scope)

            if variables is None:
                values: Any = [args[i] for i in _places(argnums)]
            else:
                values = [_raw(v) for v in variables]
            (loss, arrays), gradients = jax.value_and_grad(pure, has_aux=True)(values)
            aux = packed.unpack(arrays)
            if variables is None and isinstance(argnums, int):
                gradients = gradients[0]
            return (loss, aux), gradients if variables is not None else _as_given(
                gradients, argnums
            )

        return call

    def checkpoint(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            packed = Packed(self)

            def pure(given: Any) -> Any:
                with Scope() as scope:
                    return packed.pack(function(*given, **kwargs), scope)

            return packed.unpack(jax.checkpoint(pure)(args))

        return call

    def repeat(self, step: Callable[[Any], Any], rows: Any) -> Any:
        scope = state.scope
        if not isinstance(scope, Threaded):
            return super().repeat(step, rows)
        carried = scope.carried
        packed = Packed(self)

        def once(values: Any, row: Any) -> Any:
            with Threaded(zip(carried, values, strict=True), carried) as inner:
                arrays = packed.pack(step(row), Scope())
                return [inner.read(v) for v in carried], arrays

        start = [scope.read(v) for v in carried]
        with inside_loop():
            values, stacked = jax.lax.scan(once, start, rows)
        for variable, value in zip(carried, values, strict=True):
            scope.write(variable, value)
        return packed.unpack([x[-1] for x in stacked])

    def jit(self, function: Callable[..., Any], **options: Any) -> Callable[..., Any]:
        return Compiled(self, function)

    def to_sparse(self, x: Any) -> Any:
        from jax.experimental.sparse import BCOO

        return BCOO.fromdense(x)

    def sparse_product(self, x: Any, y: Any) -> Any:
        from jax.experimental.sparse import BCOO

        if not isinstance(x, BCOO):
            places, values, shape = entries(x)
            x = BCOO((jnp.asarray(values, y.dtype), jnp.asarray(places, "int32")), shape=shape)
        return x.astype(y.dtype) @ y

    def host_call(
        self, function: Callable[..., Any], args: Sequence[Any], shape: Any, dtype: str
    ) -> Any:
        if not any(isinstance(x, jax.core.Tracer) for x in args):
            return super().host_call(function, args, shape, dtype)
        if None in shape or dtype == "string":
            raise TypeError(
                "A compiled program has no text and no sizes that follow from values: call the "
                "layer outside of kerata.jit, or as one of the first of a model"
            )
        kind = native(dtype)
        return jax.pure_callback(
            lambda *x: np.asarray(function(*map(np.asarray, x))).astype(kind),
            jax.ShapeDtypeStruct(tuple(shape), kind),
            *args,
            vmap_method="sequential",
        )

    def fallback_shape(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        packed = Packed(self)
        leaves, tree = optree.tree_flatten((args, kwargs), none_is_leaf=True)
        where = [i for i, x in enumerate(leaves) if isinstance(x, AbstractTensor)]
        specs = [jax.ShapeDtypeStruct(leaves[i].shape, native(leaves[i].dtype)) for i in where]

        def pure(values: Any) -> Any:
            given = list(leaves)
            for i, value in zip(where, values, strict=True):
                given[i] = value
            new_args, new_kwargs = optree.tree_unflatten(tree, given)
            with Scope() as scope:
                return packed.pack(function(*new_args, **new_kwargs), scope, writes=False)

        found = jax.eval_shape(pure, specs)
        return packed.unpack([AbstractTensor(tuple(s.shape), str(s.dtype)) for s in found])


def _owned(array: np.ndarray, x: Any) -> np.ndarray:
    """`array`, copied if it may be `x`'s memory: JAX reads it later, when `x` may have changed."""
    return np.array(array) if array is x or array.base is not None else array


def _places(argnums: Any) -> tuple[int, ...]:
    return (argnums,) if isinstance(argnums, int) else tuple(argnums)


def _as_given(gradients: Any, argnums: Any) -> Any:
    return gradients if isinstance(argnums, int) else tuple(gradients)


def _raw(variable: Any) -> Any:
    """A variable's value in its stored dtype."""
    return state.scope.read(variable) if state.scope is not None else variable.tensor()


class Threaded(Scope):
    """The scope of a compiled function: its state comes in and goes out by `carried`."""

    def __init__(self, pairs: Any, carried: Sequence[Any]) -> None:
        super().__init__(pairs)
        self.carried = list(carried)
        self.missed: list[Any] = []

    def missing(self, variable: Any) -> Any:
        if self._outer is None:
            self.missed.append(variable)
        return super().missing(variable)


class Compiled:
    """A function that reads and writes variables, compiled once for each kind of arguments.

    Attributes:
        compilations: the shapes of the arguments of each program, in order.
    """

    takes_arrays = True  # NumPy's too, where no scope is active

    def __init__(self, backend: JaxBackend, function: Callable[..., Any]) -> None:
        self.function = function
        self.backend = backend
        self.compilations: list[str] = []
        self._programs: dict[Any, Any] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if state.scope is not None:
            return self.function(*args, **kwargs)
        arguments = Arguments(self.backend, args, kwargs)
        key = (arguments.key, state.training, state.autocast)
        program = self._programs.get(key)
        if program is None:
            if arguments.holds(jax.core.Tracer):
                return self._inline(arguments)
            program = self._programs[key] = self._compile(arguments)
            self.compilations.append(shapes_text(arguments))
        run, written, read_only, packed = program
        held, kept = self._storages(written), self._storages(read_only)
        dynamic = arguments.dynamic
        if not set(map(id, held)).isdisjoint(map(id, dynamic)):  # `held` is donated
            dynamic = [jnp.array(x, copy=True) for x in dynamic]
        try:
            new, arrays = run(held, kept, dynamic)
        except TypeError:
            if arguments.holds(jax.core.Tracer):  # inside of a transformation of JAX's own
                return self._inline(arguments)
            raise
        for variable, value in zip(written, new):
            variable._storage = value
            variable.version += 1
        return packed.unpack(arrays)

    def _inline(self, arguments: Arguments) -> Any:
        """The function's result without a program of its own."""
        tensors = [jnp.asarray(x) if hasattr(x, "shape") else x for x in arguments.dynamic]
        args, kwargs = arguments.rebuild(tensors)
        return self.function(*args, **kwargs)

    def _storages(self, variables: Sequence[Any]) -> list[Any]:
        """What the variables hold, which move here first if they are elsewhere."""
        home = self.backend
        return [v._storage if v._home is home else v.storage() for v in variables]

    def _compile(self, arguments: Arguments) -> Any:
        """A program, the variables that it writes, those that it only reads, and its results' form.

        What the search for its state did not see shows in the trace, which is then done again.
        """
        read_only, written, _ = self._touched(arguments)
        while True:
            packed = Packed(self.backend)
            scopes: list[Threaded] = []

            def pure(
                new: Any,
                held: Any,
                dynamic: Any,
                written: Any = written,
                read_only: Any = read_only,
                packed: Any = packed,
                scopes: Any = scopes,
            ) -> Any:
                args, kwargs = arguments.rebuild(dynamic)
                pairs = [*zip(written, new, strict=True), *zip(read_only, held, strict=True)]
                with Threaded(pairs, written) as scope:
                    arrays = packed.pack(self.function(*args, **kwargs), Scope())
                scopes.append(scope)
                return [scope.get(v) for v in written], arrays

            given = [v.storage() for v in written], [v.storage() for v in read_only]
            traced = jax.jit(pure, donate_argnums=0).trace(*given, arguments.dynamic)
            known, scope = _Identities(written), scopes[-1]
            missed = [v for v in scope.written.values() if v not in known]
            if not missed and not scope.missed:
                return traced.lower().compile(), written, read_only, packed
            written = [*written, *missed]
            known = _Identities(written)
            read = {id(v): v for v in (*read_only, *scope.missed)}
            read_only = [v for v in read.values() if v not in known]

    def _touched(self, arguments: Arguments) -> Touched:
        specs = [AbstractTensor(tuple(x.shape), dtypes.standardize_dtype(x.dtype))
                 if hasattr(x, "shape") else x for x in arguments.dynamic]  # fmt: skip
        args, kwargs = arguments.rebuild(specs)
        try:
            return recorded(self.function, args, kwargs)
        except Exception:
            return self._observed(arguments)

    def _observed(self, arguments: Arguments) -> Touched:
        """For functions with JAX's own calls: trace once with the variables' values."""
        found: list[Touched] = []

        def pure(dynamic: Any) -> None:
            args, kwargs = arguments.rebuild(dynamic)
            with Observer() as scope, using(self.backend):
                self.function(*args, **kwargs)
            found.append(touched(scope, None))

        jax.eval_shape(pure, arguments.dynamic)
        return found[0]


class _Identities:
    """Membership by identity: `==` of variables is an operation."""

    def __init__(self, values: Sequence[Any]) -> None:
        self._ids = {id(v) for v in values}

    def __contains__(self, value: Any) -> bool:
        return id(value) in self._ids


def create() -> JaxBackend:
    """The backend; called once, by the registry."""
    return JaxBackend()
