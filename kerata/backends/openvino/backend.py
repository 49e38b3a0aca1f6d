"""`openvino`: NumPy's kernels for what runs at once, compiled ONNX graphs for what is under `jit`.

A compiled function computes in float32 where its tensors are of half precision. Its integers have
32 bits, of which some operations (sums, powers, products of matrices) keep 24: arguments beyond
those are left to NumPy, and so are functions that compute in float64. Of a number and NaN, the
larger or smaller may be the number.
"""

from __future__ import annotations

import functools
import threading
import warnings
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
import openvino
import optree

from kerata.backends.dtypes import numpy_dtype, standardize_dtype
from kerata.backends.numpy.backend import NumpyBackend, to_array
from kerata.backends.onnx.backend import trace
from kerata.backends.onnx.graph import Graph, OnnxValue, Unsupported, to_model
from kerata.backends.registry import load, using
from kerata.backends.state import state

_OPTIONS = {"INFERENCE_PRECISION_HINT": "f32"}  # bfloat16 is the default where the processor has it
_BFLOAT16 = numpy_dtype("bfloat16")
_TENSOR = object()  # what stands for a tensor in the structure of a result


@functools.cache
def _core() -> Any:
    return openvino.Core()


def _is_array(x: Any) -> bool:
    """Whether an argument is data: an array, a NumPy number or another engine's tensor."""
    return hasattr(x, "shape") and hasattr(x, "dtype") and not hasattr(type(x), "__kerata_value__")


def _fits(array: np.ndarray) -> bool:
    """Whether OpenVINO computes with an argument as NumPy does: its integers are partly floats."""
    if array.size == 0 or (array.dtype.kind not in "biuf" and array.dtype != _BFLOAT16):
        return False
    wide = array.dtype.kind in "iu" and array.dtype.itemsize >= 4
    return not wide or bool(array.min() > -(2**24) and array.max() < 2**24)


def _check(graph: Graph) -> None:
    """Refuse what OpenVINO's processor plug-in would compute with less precision than NumPy."""
    for node in graph.nodes:
        for inner in node.graphs():
            _check(inner)
        if node.op != "Cast" and any(v.dtype == "float64" for v in node.outputs):
            raise Unsupported(f"{node.op}: OpenVINO computes float64 in 32 bits")


class Program:
    """A function compiled for arguments of one structure.

    Args:
        backend: the `openvino` backend.
        function: what to compile.
        tree: the structure of its arguments, `(args, kwargs)`.
        leaves: of that structure; what is no array stays as it is.
        opened: whether the first axis of the arrays may change from call to call.
    """

    def __init__(
        self, backend: Any, function: Callable[..., Any], tree: Any, leaves: Any, opened: bool
    ) -> None:
        self._local = threading.local()

        def call(*tensors: Any) -> Any:
            given = iter(tensors)
            filled = [next(given) if isinstance(v, np.ndarray) else v for v in leaves]
            args, kwargs = optree.tree_unflatten(tree, filled)
            return function(*args, **kwargs)

        def at_home(variable: Any) -> np.ndarray:
            with using(backend):
                return variable.tensor()

        specs = [_spec(v, opened) for v in leaves if isinstance(v, np.ndarray)]
        found = trace(call, specs, value_of=at_home, feeds=lambda variable: not variable.shape)
        _check(found.graph)
        self._names = [v.name for v in found.graph.inputs]
        self._fed, self._written = found.fed, found.written
        self._versions = [(v, v.version) for v in found.constants]
        outputs, self._tree = optree.tree_flatten(found.outputs)
        self._outputs = [_TENSOR if isinstance(o, OnnxValue) else o for o in outputs]
        model = _core().read_model(to_model(found.graph, "kerata").SerializeToString())
        for node in model.get_ops():
            if node.get_type_name() == "TopK":  # ONNX takes the first of equal elements
                node.set_attribute("stable", True)
        self._compiled = _core().compile_model(model, "CPU", _OPTIONS)
        self._used = {name for port in self._compiled.inputs for name in port.names}

    def current(self) -> bool:
        """Whether the variables whose values it holds still have them."""
        for variable, version in self._versions:
            variable.tensor()
            if variable.version != version:
                return False
        return True

    def run(self, arrays: Sequence[np.ndarray]) -> Any:
        """The function's result; its written variables are assigned."""
        request = getattr(self._local, "request", None)
        if request is None:
            request = self._local.request = self._compiled.create_infer_request()
        given = dict(zip(self._names, [*arrays, *(v.tensor() for v in self._fed)], strict=True))
        fed = {k: _to_engine(v) for k, v in given.items() if k in self._used}
        request.infer(fed, share_inputs=True, share_outputs=True)
        values = iter([_from_engine(t) for t in request.output_tensors])
        results = [next(values) if o is _TENSOR else o for o in self._outputs]
        for variable, value in zip(self._written, values, strict=True):
            variable.assign(value)
        return optree.tree_unflatten(self._tree, results)


def _spec(array: np.ndarray, opened: bool) -> tuple[tuple[Any, ...], str]:
    shape: tuple[Any, ...] = array.shape
    return ("batch", *shape[1:]) if opened and shape else shape, standardize_dtype(array.dtype)


def _to_engine(array: np.ndarray) -> Any:
    if array.dtype == _BFLOAT16:
        raw = np.ascontiguousarray(array).view(np.uint16)
        return openvino.Tensor(raw, array.shape, openvino.Type.bf16)
    return array


def _from_engine(tensor: Any) -> np.ndarray:
    data = tensor.data
    return np.array(data.view(_BFLOAT16) if tensor.element_type == openvino.Type.bf16 else data)


class Compiled:
    """A function that OpenVINO runs; it is compiled when it meets a new kind of arguments.

    Arrays are its inputs, their first axis open where they share it; other arguments are constants.

    Attributes:
        compilations: the arguments of every compiled program, in order: `float32[?,784]`.
    """

    def __init__(self, backend: Any, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.compilations: list[str] = []
        self._backend = backend
        self._function = function
        self._programs: dict[Any, Program | str] = {}  # or why there is none
        self._said: set[str] = set()
        self._lock = threading.RLock()

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if state.backend is not self._backend or state.scope is not None:
            return self._function(*args, **kwargs)
        leaves, tree = optree.tree_flatten((args, kwargs))
        leaves = [to_array(leaf) if _is_array(leaf) else leaf for leaf in leaves]
        arrays = [leaf for leaf in leaves if isinstance(leaf, np.ndarray)]
        reason = ""
        if all(map(_fits, arrays)):
            shared = len({a.shape[0] for a in arrays if a.ndim}) == 1
            for opened in (True, False) if shared else (False,):
                program = self._program(tree, leaves, opened)
                if isinstance(program, str):
                    reason = program
                    continue
                try:
                    return program.run(arrays)
                except RuntimeError as error:
                    reason = str(error)
        result = self._function(*args, **kwargs)  # raises what is the function's own error
        if reason and reason not in self._said:
            self._said.add(reason)
            name = getattr(self._function, "__qualname__", repr(self._function))
            message = f"NumPy ran {name}, as OpenVINO can't: {reason}"
            warnings.warn(message, RuntimeWarning, stacklevel=2)
        return result

    def _program(self, tree: Any, leaves: list[Any], opened: bool) -> Program | str:
        """The program for these arguments, or why there can be none."""
        mode = opened, state.autocast, state.training
        key = tree, mode, *(_key(leaf, opened) for leaf in leaves)
        with self._lock:
            program = self._programs.get(key)
            if program is None or (isinstance(program, Program) and not program.current()):
                try:
                    program = Program(self._backend, self._function, tree, leaves, opened)
                    self.compilations.append(_described(leaves, opened))
                except Exception as error:
                    program = str(error) or repr(error)
                self._programs[key] = program
            return program


def _key(leaf: Any, opened: bool) -> Any:
    if isinstance(leaf, np.ndarray):
        return "array", leaf.dtype, *_spec(leaf, opened)[0]
    if not isinstance(leaf, Hashable):
        raise TypeError(
            "A compiled function takes tensors, numbers, and values that can be hashed; "
            f"got {type(leaf).__name__}"
        )
    return type(leaf), leaf


def _described(leaves: Sequence[Any], opened: bool) -> str:
    texts = []
    for leaf in leaves:
        if isinstance(leaf, np.ndarray):
            shape, dtype = _spec(leaf, opened)
            texts.append(f"{dtype}[{','.join('?' if s == 'batch' else str(s) for s in shape)}]")
    return " ".join(texts)


class OpenvinoBackend(NumpyBackend):
    """Inference by OpenVINO on the processor."""

    name = "openvino"

    def __init__(self) -> None:
        super().__init__()
        self._numpy = load("numpy")

    @property
    def home(self) -> Any:
        return self._numpy

    def jit(self, function: Callable[..., Any], **options: Any) -> Compiled:
        return Compiled(self, function)


def create() -> OpenvinoBackend:
    """The backend; called once, by the registry."""
    return OpenvinoBackend()
