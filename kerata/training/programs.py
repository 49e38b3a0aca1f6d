"""`Programs`: a model's steps, compiled for the forms in which batches come."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import optree

from kerata import ops
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.transforms import jit
from kerata.training.steps import Pace

if TYPE_CHECKING:
    from kerata.layers.layer import Layer as _Mixed
else:
    _Mixed = object

_MANY_PROGRAMS = 4


class Programs(_Mixed):
    """The part of `Trainer` that compiles steps and counts what was compiled."""

    _compiled: bool

    def __init__(self) -> None:
        self._functions: dict[str, jit] = {}
        self._paces: dict[Any, Pace] = {}
        self._warned_programs = 0
        self._run_eagerly = False
        self._jit_compile: bool | str = "auto"

    @property
    def run_eagerly(self) -> bool:
        """Whether steps run as Python, without being compiled; set it at any time."""
        return self._run_eagerly

    @run_eagerly.setter
    def run_eagerly(self, value: bool) -> None:
        self._run_eagerly = bool(value)

    @property
    def jit_compile(self) -> bool | str:
        """What `compile` was told, True, False or "auto"; setting it compiles anew."""
        return self._jit_compile

    @jit_compile.setter
    def jit_compile(self, value: bool | str) -> None:
        if value not in (True, False, "auto"):
            raise ValueError(f"jit_compile must be True, False or 'auto'; got {value!r}")
        self._jit_compile = value
        self._functions = {}
        self._paces = {}

    def _step(self, kind: str) -> Callable[[Any], Any]:
        raise NotImplementedError

    def _function(self, kind: str, form: str) -> Callable[..., Any]:
        """The compiled step: `form` "batch" takes a batch, "rows" arrays and indices of rows,
        "many" arrays and an index matrix, one row a step."""
        name = f"{kind}_{form}"
        if not self._run_eagerly and name in self._functions:
            return self._functions[name]
        step = self._step(kind)

        def rows(arrays: Any, index: Any) -> Any:
            return step(optree.tree_map(lambda a: ops.take(a, index, 0), arrays))

        def many(arrays: Any, indices: Any) -> Any:
            backend = state.backend or ensure()
            return backend.repeat(lambda index: rows(arrays, index), indices)

        function: Any = {"batch": step, "rows": rows, "many": many}[form]
        if self._run_eagerly:
            return function
        self._functions[name] = jit(function, jit_compile=self._jit_compile)
        return self._functions[name]

    def make_train_function(self, force: bool = False) -> Callable[[Any], Any]:
        """The compiled training step of a batch; `force` compiles anew."""
        return self._compiled_step("train", force)

    def make_test_function(self, force: bool = False) -> Callable[[Any], Any]:
        """The compiled evaluation step of a batch; `force` compiles anew."""
        return self._compiled_step("test", force)

    def make_predict_function(self, force: bool = False) -> Callable[[Any], Any]:
        """The compiled prediction step of a batch; `force` compiles anew."""
        return self._compiled_step("predict", force)

    def _compiled_step(self, kind: str, force: bool) -> Callable[[Any], Any]:
        if force:
            self._functions = {n: f for n, f in self._functions.items() if not n.startswith(kind)}
        return self._function(kind, "batch")

    @property
    def compilations(self) -> dict[str, dict[str, list[str]]]:
        """For each program and backend the shapes that it was compiled for."""
        found: dict[str, dict[str, list[str]]] = {}
        for name, function in self._functions.items():
            for backend, shapes in function.compilations.items():
                if shapes:
                    by = found.setdefault(name.split("_")[0], {})
                    by[backend] = by.get(backend, []) + shapes
        return found

    @property
    def compile_seconds(self) -> float:
        """How long the calls took in which a program was compiled."""
        return sum(f.compile_seconds for f in self._functions.values())

    def _warn_of_programs(self) -> None:
        for program, by in self.compilations.items():
            for backend, shapes in by.items():
                if len(set(shapes)) > max(_MANY_PROGRAMS, self._warned_programs):
                    self._warned_programs = 2 * len(set(shapes))
                    last = "; ".join(list(dict.fromkeys(shapes))[-3:])
                    warnings.warn(
                        f"The {program} step was compiled {len(shapes)} times on {backend}, as "
                        f"the shapes of the batches differ, the last ones: {last}. Batches of one "
                        "shape (padding, or a fixed batch_size) are compiled once.",
                        stacklevel=3,
                    )
