"""Functions that read and write variables, compiled whole by `torch.compile`."""

from __future__ import annotations

import functools
import itertools
import types
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch._dynamo  # takes as long as torch itself, so that this module is imported when needed
from torch import Tensor
from torch._dynamo.backends.registry import lookup_backend

from kerata.backends.base import Backend
from kerata.backends.calls import Arguments, shapes_text
from kerata.backends.scope import Observer, Scope, touched
from kerata.backends.state import state

COMPILER = "inductor"  # of `torch._dynamo.list_backends()`

torch._dynamo.config.trace_autograd_ops = True
# It calls what a cache wraps, which is what our caches are for.
warnings.filterwarnings("ignore", "Dynamo detected a call to a `functools.lru_cache`")

_count = itertools.count()


class Program:
    """`torch.compile` of a function whose variables come in and go out as values.

    Its first call runs as it is, which draws variables and shows what the function reads and
    writes. So torch's compiler sees neither their storage nor their bookkeeping.
    """

    def __init__(self, function: Callable[..., Any], compiler: Callable[..., Any]) -> None:
        self.function = function
        self.variables: list[Any] = []
        self.written: list[Any] = []
        # Torch allows a function so many programs; all that is compiled here would share them.
        code = Program.pure.__code__.replace(co_name=f"pure_{next(_count)}")
        own = types.FunctionType(code, Program.pure.__globals__, code.co_name)
        self.run = torch.compile(types.MethodType(own, self), fullgraph=True, backend=compiler)

    def first(self, args: Any, kwargs: Any) -> Any:
        """Run the function and note its variables."""
        with Observer() as scope:
            result = self.function(*args, **kwargs)
        for variable, value in scope.writes():
            variable.assign(value.detach())
        found = touched(scope, None)
        self.written, self.variables = found.written, [*found.written, *found.read_only]
        return result

    def pure(self, values: list[Tensor], args: Any, kwargs: Any) -> tuple[Any, list[Tensor]]:
        """The result and the new values; what is trained is updated in place."""
        outer, state.masks = state.masks, []
        with Scope(zip(self.variables, values, strict=True)) as scope:
            result = self.function(*args, **kwargs)
        state.masks = outer
        new = []
        with torch.no_grad():
            for variable, old in zip(self.written, values, strict=False):
                value = scope.get(variable).detach()
                new.append(old.copy_(value) if old.requires_grad else value)
        return result, new

    def __call__(self, args: Any, kwargs: Any) -> Any:
        values = [v.storage() for v in self.variables]
        result, new = self.run(values, args, kwargs)
        for variable, old, value in zip(self.written, values, new, strict=False):
            variable.adopt(old if old.requires_grad else value)
        return result


class Compiled:
    """A function with a program for each kind of arguments and each mode of the layers.

    What torch can't compile whole runs as it is from then on, with one warning.

    Attributes:
        compilations: the shapes of the arguments of each program, in order.
    """

    def __init__(self, backend: Backend, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)
        self.function = function
        self.compilations: list[str] = []
        self._backend = backend
        self._programs: dict[Any, Program] = {}
        self._failed = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if state.scope is not None or self._failed:
            return self.function(*args, **kwargs)
        arguments = Arguments(self._backend, args, kwargs)
        given = arguments.rebuild(arguments.dynamic)
        key = (arguments.key, state.training, state.autocast, torch.is_grad_enabled())
        program = self._programs.get(key)
        if program is None:
            program = self._programs[key] = self._made(shapes_text(arguments))
            return program.first(*given)
        try:
            return program(*given)
        except torch._dynamo.exc.TorchDynamoException as error:
            self._failed = True
            self._programs = {}
            name = getattr(self.function, "__qualname__", repr(self.function))
            warnings.warn(
                f"jit_compile: torch can't compile {name}, which runs as it is: "
                f"{type(error).__name__}: {error}",
                stacklevel=3,
            )
            return self.function(*args, **kwargs)

    def _made(self, shapes: str) -> Program:
        def compiler(graph: Any, inputs: Sequence[Any]) -> Any:
            self.compilations.append(shapes)
            return lookup_backend(COMPILER)(graph, inputs)

        return Program(self.function, compiler)
