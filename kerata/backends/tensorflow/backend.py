"""TensorFlow: variables changed in place, gradients by tape, programs by `tf.function`."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree
import tensorflow as tf
from tensorflow.python.eager import context

from kerata import config
from kerata.backends import dtypes
from kerata.backends.abstract.tensor import AbstractTensor
from kerata.backends.base import Backend
from kerata.backends.calls import Arguments, Packed
from kerata.backends.numpy.backend import to_array
from kerata.backends.scope import Observer, Scope
from kerata.backends.sparse import entries
from kerata.backends.state import body_of, restored, state
from kerata.backends.tensorflow.arrays import KERNELS as ARRAYS
from kerata.backends.tensorflow.control import KERNELS as CONTROL
from kerata.backends.tensorflow.control import aside
from kerata.backends.tensorflow.elements import KERNELS as ELEMENTS
from kerata.backends.tensorflow.fourier import KERNELS as FOURIER
from kerata.backends.tensorflow.indexing import KERNELS as INDEXING
from kerata.backends.tensorflow.kernels import KERNELS, NAMES, raw, shape_of
from kerata.backends.tensorflow.linalg import KERNELS as LINALG
from kerata.backends.tensorflow.linalg import NOT_IN_XLA
from kerata.backends.tensorflow.nn import KERNELS as NN
from kerata.backends.tensorflow.random import KERNELS as RANDOM
from kerata.backends.tensorflow.recurrent import KERNELS as RECURRENT
from kerata.backends.tensorflow.spatial import KERNELS as SPATIAL


def _symbolic_type() -> type:
    with tf.Graph().as_default():
        return type(tf.constant(0))


class TensorFlowBackend(Backend):
    """Eager and symbolic tensors of TensorFlow."""

    name = "tensorflow"
    tensor_types = (type(tf.constant(0)), tf.Tensor)
    graph_types = (_symbolic_type(),)
    irregular_types = (tf.RaggedTensor, tf.SparseTensor)
    floats = frozenset(tf.as_dtype(dtypes.numpy_dtype(n)) for n in dtypes.FLOATS)
    trains = True
    repeats = True
    gathers = True
    call_overhead = 7e-4

    def __init__(self) -> None:
        super().__init__()
        self.kernels = KERNELS | ELEMENTS | CONTROL | RANDOM | NN | INDEXING | ARRAYS | SPATIAL
        self.kernels |= FOURIER | LINALG | RECURRENT
        self.kernels |= {"adam_update": adam_update, "sgd_update": sgd_update}

    def convert(self, x: Any, dtype: str | None = None) -> Any:
        if isinstance(x, (tf.Tensor, tf.Variable)):
            return tf.convert_to_tensor(x) if dtype is None else tf.cast(x, dtype)
        if isinstance(x, tf.SparseTensor):
            return self.convert(tf.sparse.to_dense(x), dtype)
        if type(x) is float and (dtype is None or dtype in dtypes.FLOATS):
            return tf.constant(x, dtype or config.floatx())
        return tf.constant(to_array(x, dtype))

    def to_numpy(self, x: Any) -> np.ndarray:
        if not hasattr(x, "numpy"):
            raise TypeError(
                "The values of a tensor were asked for inside a compiled function. Keep values in "
                "tensors, or convert them outside of kerata.jit (run_eagerly=True lets you look)."
            )
        return np.asarray(x.numpy())

    def dtype_of(self, x: Any) -> str:
        return NAMES[x.dtype]

    def promotes_as(self, x: Any) -> str:
        scope = state.scope
        while scope is not None:
            if isinstance(scope, InPlace) and id(x) in scope.numbers:
                return "int" if x.dtype.is_integer else "float"
            scope = scope._outer
        return NAMES[x.dtype]

    def shape_of(self, x: Any) -> tuple[Any, ...]:
        return shape_of(x)

    def store(self, value: np.ndarray, trainable: bool, on_host: bool = False) -> Any:
        place = tf.device("CPU:0") if on_host else contextlib.nullcontext()
        with tf.init_scope(), place:
            return tf.Variable(value, trainable=trainable)

    def read(self, storage: Any) -> Any:
        return storage.value()

    def write(self, storage: Any, value: Any) -> Any:
        if isinstance(value, tf.Variable):  # what `store` made of an array
            with tf.init_scope():
                value = value.value()
        raw.AssignVariableOp(resource=storage.handle, value=value)
        return storage

    def increment(self, storage: Any, value: Any) -> Any:
        value = tf.convert_to_tensor(value, storage.dtype)
        if value.shape != storage.shape:
            value = tf.broadcast_to(value, storage.shape)
        raw.AssignAddVariableOp(resource=storage.handle, value=value)
        return storage

    def value_and_grad(
        self, function: Callable[..., Any], variables: Sequence[Any] | None, argnums: Any
    ) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            given = list(args)
            if variables is None:
                places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
                leaves, tree = optree.tree_flatten(tuple(args[i] for i in places))
                leaves = [tf.identity(self.convert(x)) for x in leaves]
                for place, value in zip(places, optree.tree_unflatten(tree, leaves), strict=True):
                    given[place] = value
            else:
                leaves = [_value(v) for v in variables]
            floats = [x for x in leaves if _differentiable(x)]
            with (
                tf.GradientTape(watch_accessed_variables=False) as tape,
                Scope(zip(variables or (), leaves)) as scope,
            ):
                tape.watch(floats)
                loss, aux = function(*given, **kwargs)
            for variable, value in scope.writes():
                _write(variable, value)
            found = iter(tape.gradient(loss, floats, unconnected_gradients="zero"))
            gradients = [
                tf.convert_to_tensor(next(found)) if _differentiable(x) else tf.zeros_like(x)
                for x in leaves
            ]
            if variables is not None:
                return (loss, aux), gradients
            parts = optree.tree_unflatten(tree, gradients)
            return (loss, aux), parts[0] if isinstance(argnums, int) else parts

        return call

    def checkpoint(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            arguments, packed = Arguments(self, args, kwargs), Packed(self)
            count = len(arguments.dynamic)
            seen = Observer()
            with tf.__internal__.FuncGraph("aside").as_default(), seen:
                function(*args, **kwargs)
            variables = list(seen.reads.values())
            saved = dict(vars(state))

            def run(*values: Any) -> Any:
                args, kwargs = arguments.rebuild(values[:count])
                with Scope(zip(variables, values[count:], strict=True)) as scope:
                    return packed.pack(function(*args, **kwargs), scope)

            @tf.custom_gradient
            def kept(*values: Any) -> Any:
                def backward(*upstream: Any) -> Any:
                    # An identity that waits, so that no optimizer joins the two computations.
                    with tf.control_dependencies(upstream), tf.GradientTape() as tape:
                        again = [tf.identity(x) for x in values]
                        tape.watch([x for x in again if _differentiable(x)])
                        with restored(saved):
                            results = run(*again)
                    smooth = [i for i, x in enumerate(results) if _differentiable(x)]
                    targets, slopes = ([x[i] for i in smooth] for x in (results, upstream))
                    return tape.gradient(targets, again, slopes)

                return run(*values), backward

            values = [self.convert(x) for x in arguments.dynamic] + [_value(v) for v in variables]
            return packed.unpack(kept(*values))

        return call

    def to_sparse(self, x: Any) -> Any:
        return tf.sparse.from_dense(x)

    def to_ragged(self, x: Any, padding: int) -> Any:
        return tf.RaggedTensor.from_tensor(x, padding=padding)

    def sparse_product(self, x: Any, y: Any) -> Any:
        if not isinstance(x, tf.SparseTensor):
            x = tf.sparse.reorder(tf.SparseTensor(*entries(x)))
        return tf.sparse.sparse_dense_matmul(tf.cast(x, y.dtype), y)

    def host_call(
        self, function: Callable[..., Any], args: Sequence[Any], shape: Any, dtype: str
    ) -> Any:
        if not any(isinstance(x, self.graph_types) for x in args):
            return super().host_call(function, args, shape, dtype)
        kind = tf.as_dtype(dtype if dtype == "string" else dtypes.numpy_dtype(dtype))

        def run(*values: Any) -> Any:
            return np.asarray(function(*values)).astype(kind.as_numpy_dtype, copy=False)

        found = tf.numpy_function(run, list(args), kind)
        found.set_shape([s if isinstance(s, int) else None for s in shape])
        return found

    def jit(
        self, function: Callable[..., Any], jit_compile: Any = "auto", **options: Any
    ) -> Callable[..., Any]:
        return Compiled(self, function, jit_compile)

    def repeat(self, step: Callable[[Any], Any], rows: Any) -> Any:
        leaves, tree = optree.tree_flatten(rows)
        count = leaves[0].shape[0]

        def row(i: Any) -> Any:
            return step(optree.tree_unflatten(tree, [x[i] for x in leaves]))

        def body(i: Any) -> Any:
            row(i)
            return i + 1

        if tf.executing_eagerly():
            for i in range(count - 1):
                row(i)
        elif count > 1:
            tf.while_loop(lambda i: i < count - 1, body, (tf.constant(0),))
        return row(count - 1)

    def knows(self, x: Any) -> bool:
        return not isinstance(x, self.graph_types)

    def wait(self, x: Any) -> None:
        tf.test.experimental.sync_devices()

    def clear(self) -> None:
        tf.compat.v1.reset_default_graph()
        context.context().clear_kernel_cache()

    def profile(self, directory: str) -> contextlib.AbstractContextManager[Any]:
        profile: Any = tf.profiler.experimental.Profile(directory)
        return profile

    def out_of_memory(self, error: BaseException) -> bool:
        return isinstance(error, tf.errors.ResourceExhaustedError) or super().out_of_memory(error)

    def seed(self, seed: int) -> None:
        tf.random.set_seed(seed)

    def fallback_shape(self, function: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        def described(x: Any) -> Any:
            return AbstractTensor(tuple(x.shape), NAMES[x.dtype]) if isinstance(x, tf.Tensor) else x

        return optree.tree_map(described, aside(function, args, kwargs))


def _differentiable(x: Any) -> bool:
    return bool(x.dtype.is_floating or x.dtype.is_complex)


# Scopes


def _value(variable: Any) -> Any:
    """A variable's value in its stored dtype."""
    return state.scope.read(variable) if state.scope is not None else variable.tensor()


def _storage(variable: Any) -> Any:
    """The `tf.Variable` of a variable, which moves here first if it is elsewhere."""
    held = variable._storage
    return held if isinstance(held, tf.Variable) else variable.storage()


def _write(variable: Any, value: Any) -> None:
    if state.scope is not None:
        state.scope.write(variable, value)
    else:
        variable.adopt(state.backend.write(_storage(variable), value))


class InPlace(Observer):
    """The scope of a function being traced: notes variables, and changes them in place.

    Attributes:
        numbers: ids of the tensors that stand for Python's numbers, which stay weak.
    """

    def __init__(self) -> None:
        super().__init__()
        self.numbers: set[int] = set()

    def write(self, variable: Any, value: Any) -> None:
        state.backend.write(self.storage(variable), value)

    def storage(self, variable: Any) -> Any:
        """What holds `variable`, in order to change it."""
        self.written[id(variable)] = variable
        return _storage(variable)


# Compiled functions


class Compiled:
    """A function that reads and writes variables, traced once for each kind of arguments.

    Attributes:
        compilations: the shapes of the arguments of each program, in order.
    """

    def __init__(self, backend: Backend, function: Callable[..., Any], jit_compile: Any) -> None:
        self.function = function
        self.compilations: list[str] = []
        self._backend = backend
        self._jit_compile = jit_compile
        self._programs: dict[Any, Program] = {}

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if state.scope is not None or not tf.executing_eagerly():
            return self.function(*args, **kwargs)
        arguments = Arguments(self._backend, args, kwargs)
        dynamic = arguments.dynamic
        key = (arguments.key, state.autocast, state.training)
        program = self._programs.get(key)
        if program is None:
            program = Program(self._backend, self.function, arguments, self._jit_compile)
            self._programs[key] = program
            self.compilations.append(program.shapes)
        return program(dynamic)


class Program:
    """One trace of a function, and the variables that it reads and writes."""

    def __init__(
        self, backend: Backend, function: Any, arguments: Arguments, jit_compile: Any
    ) -> None:
        self._packed = Packed(backend)
        self._convert = backend.convert
        scope = InPlace()

        def traced(*values: Any) -> Any:
            args, kwargs = arguments.rebuild(values)
            scope.numbers = {id(values[i]) for i in numbers}
            with scope:
                return self._packed.pack(function(*args, **kwargs), Scope())

        numbers = [i for i, x in enumerate(arguments.dynamic) if type(x) in (int, float)]
        given = self._tensors(arguments.dynamic)
        specs = [tf.TensorSpec(x.shape, x.dtype) for x in given]

        def concrete(xla: bool | None) -> Any:
            return tf.function(traced, autograph=False, jit_compile=xla).get_concrete_function(
                *specs
            )

        self._function = concrete(True if jit_compile is True else None)
        self._without_xla: Any = None
        if jit_compile == "auto" and _gains_by_xla(self._function.graph):
            self._without_xla, self._function = self._function, concrete(True)
        self.shapes = ", ".join(f"{tuple(x.shape)} {NAMES[x.dtype]}" for x in given)
        self._captured = self._function.captured_inputs
        self._written = list(scope.written.values())
        self._held = [(v, v._storage) for v in {**scope.reads, **scope.written}.values()]
        arguments.dynamic = []  # the trace keeps `arguments`, and need not keep the first batch

    def _tensors(self, dynamic: list[Any]) -> list[Any]:
        return [x if isinstance(x, tf.Tensor) else self._convert(x) for x in dynamic]

    def __call__(self, dynamic: list[Any]) -> Any:
        if any(v._storage is not storage for v, storage in self._held):
            self._hold_again()
        # Flat tensors, without the checks of the public call, whose cost grows with their number.
        try:
            found = self._function._call_flat(self._tensors(dynamic), self._captured)
        except tf.errors.InvalidArgumentError as error:
            if self._without_xla is None or "unsupported operations" not in str(error):
                raise
            self._function, self._without_xla = self._without_xla, None
            self._captured = self._function.captured_inputs
            return self(dynamic)
        for variable in self._written:
            variable.version += 1
        return self._packed.unpack(found)

    def _hold_again(self) -> None:
        """Take variables that came back from another backend in the place of the traced ones."""
        held = [(v, _storage(v)) for v, _ in self._held]
        new = {id(a.handle): b.handle for (_, a), (_, b) in zip(self._held, held, strict=True)}
        self._captured = [new.get(id(x), x) for x in self._captured]
        self._held = held


def _gains_by_xla(graph: Any) -> bool:
    """Whether a program repeats a step, with nothing that XLA makes slower on a CPU.

    Those are convolutions, and products in a scan (which alone keeps lists of tensors).
    """
    definition = graph.as_graph_def()
    nodes = [*definition.node, *(n for f in definition.library.function for n in f.node_def)]
    kinds = {n.op for n in nodes}
    if kinds & NOT_IN_XLA or ("TensorListReserve" in kinds and kinds & {"MatMul", "Einsum"}):
        return False
    return bool(kinds & {"While", "StatelessWhile"}) and not any(
        "Conv" in kind or "Pool" in kind for kind in kinds
    )


# Update rules


def _resources(gradients: Sequence[Any], *groups: Sequence[Any]) -> list[list[Any]] | None:
    """The handles of the groups' variables, or None where the fused kernels don't serve."""
    scope = state.scope
    if not (scope is None or isinstance(scope, InPlace)):
        return None
    if not all(isinstance(g, tf.Tensor) for g in gradients):
        return None
    kinds = {NAMES[g.dtype] for g in gradients}
    kinds.update(v.stored_dtype for group in groups for v in group)
    if len(kinds) != 1 or not kinds <= {"float32", "float64"}:
        return None
    found = []
    for group in groups:
        storages = [_storage(v) if scope is None else scope.storage(v) for v in group]
        for variable, storage in zip(group, storages, strict=True):
            variable.adopt(storage)
        found.append([s.handle for s in storages])
    return found


def _like_first(gradients: Sequence[Any], x: Any) -> Any:
    return tf.cast(x, gradients[0].dtype)


def sgd_update(
    variables: Sequence[Any],
    gradients: Sequence[Any],
    momentums: Sequence[Any],
    learning_rate: Any,
    momentum: float = 0.0,
    nesterov: bool = False,
) -> None:
    found = _resources(gradients, variables, momentums if momentum else ())
    if found is None:
        body = body_of("sgd_update")
        return body(variables, gradients, momentums, learning_rate, momentum, nesterov)
    handles, slots = found
    rate = _like_first(gradients, learning_rate)
    if not momentum:
        for w, g in zip(handles, gradients, strict=True):
            raw.ResourceApplyGradientDescent(var=w, alpha=rate, delta=g)
        return None
    factor = _like_first(gradients, momentum)
    for w, g, m in zip(handles, gradients, slots, strict=True):
        raw.ResourceApplyKerasMomentum(
            var=w, accum=m, lr=rate, grad=g, momentum=factor, use_nesterov=nesterov
        )
    return None


def adam_update(
    variables: Sequence[Any],
    gradients: Sequence[Any],
    momentums: Sequence[Any],
    velocities: Sequence[Any],
    peaks: Sequence[Any],
    step: Any,
    learning_rate: Any,
    beta_1: float,
    beta_2: float,
    epsilon: float,
) -> None:
    found = None if peaks else _resources(gradients, variables, momentums, velocities)
    if found is None:
        body = body_of("adam_update")
        return body(
            variables, gradients, momentums, velocities, peaks, step, learning_rate,
            beta_1, beta_2, epsilon,
        )  # fmt: skip
    count = tf.cast(step, tf.float32)
    numbers = {
        "beta1_power": tf.pow(beta_1, count), "beta2_power": tf.pow(beta_2, count),
        "lr": learning_rate, "beta1": beta_1, "beta2": beta_2, "epsilon": epsilon,
    }  # fmt: skip
    numbers = {name: _like_first(gradients, x) for name, x in numbers.items()}
    for w, g, m, v in zip(found[0], gradients, found[1], found[2], strict=True):
        raw.ResourceApplyAdam(var=w, m=m, v=v, grad=g, **numbers)
    return None


def _as_tensor(variable: Any, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Any:
    """How TensorFlow's own functions and operators take a variable."""
    value = variable.value
    if dtype is not None and value.dtype != dtype:
        raise TypeError(f"{variable.path} is {value.dtype.name} where {dtype.name} is needed")
    return value


def create() -> TensorFlowBackend:
    """The backend; called once, by the registry."""
    from kerata.core.variable import Variable

    tf.register_tensor_conversion_function(Variable, _as_tensor)
    # What `tf.GradientTape.gradient` asks of a variable.
    Variable.handle = property(lambda variable: variable.storage().handle)  # type: ignore[attr-defined]
    Variable._should_act_as_resource_variable = True  # type: ignore[attr-defined]
    return TensorFlowBackend()
