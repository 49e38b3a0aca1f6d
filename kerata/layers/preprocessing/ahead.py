"""What a model's host layers give for a batch, computed before its compiled step.

`prepared` runs the model with shapes instead of numbers up to its last host layer (text look-ups,
hashes); only those layers, and the layers of data that they depend on, compute, on NumPy arrays.
Their results go into the step beside the batch, where the layers return them instead of computing.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
import optree

from kerata.backends import dtypes
from kerata.backends.abstract.tensor import AbstractTensor
from kerata.backends.registry import ensure, load, using
from kerata.backends.scope import Recorder
from kerata.backends.state import state
from kerata.core.text import Text, is_text


class Calls(threading.local):
    """What calls of data layers are for in this thread.

    Attributes:
        run: what they go to, a `Collecting` or a `Replaying`; None where they are nothing special.
        piped: whether they are made in an input pipeline.
    """

    run: Collecting | Replaying | None = None
    piped = False


calls = Calls()


@contextlib.contextmanager
def calling(run: Any = None, piped: bool = False) -> Iterator[Any]:
    """A context in which calls of data layers are for this."""
    previous = calls.run, calls.piped
    calls.run, calls.piped = run, piped
    try:
        yield run
    finally:
        calls.run, calls.piped = previous


class Known(AbstractTensor):
    """A tensor that gives only a shape and a dtype to what computes with it; its value is known.

    Attributes:
        value: computes it, a NumPy array.
    """

    __slots__ = ("value",)

    def __init__(self, shape: Any, dtype: str, value: Callable[[], np.ndarray]) -> None:
        super().__init__(tuple(shape), dtype)
        self.value = value


@dataclass(frozen=True)
class Placeholder:
    """Stands for text inside of a compiled step, which has no use for it."""

    shape: tuple[int, ...]
    dtype: ClassVar[str] = "string"

    def with_axis(self) -> Placeholder:
        """The same with a last axis of size 1."""
        return Placeholder((*self.shape, 1))


class Prepared(NamedTuple):
    """A batch of a model with host layers.

    Attributes:
        results: what each call of a host layer gave, in order; None where it could not be computed.
        inputs: the inputs, placeholders in the place of text.
    """

    results: list[Any]
    inputs: Any


class _Enough(BaseException):
    """All host layers have run."""


class Collecting:
    """Runs host layers and keeps their results, while everything else gives shapes.

    Args:
        total: how many calls of them there are, where that is known.
    """

    def __init__(self, total: int | None) -> None:
        self.results: list[Any] = []
        self._total = total

    def call(self, layer: Any, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """What a call of a data layer returns; `call` is the call itself."""
        values = _values((args, kwargs))
        if values is None:
            if layer.on_host:
                self._keep(None)
            return call(*args, **kwargs)
        if not layer.on_host:
            found = call(*args, **kwargs)
            if not isinstance(found, AbstractTensor):
                return found
            return Known(found.shape, found.dtype, lambda: _on_numpy(call, values()))
        result = _on_numpy(call, values())
        self._keep(result)
        return optree.tree_map(as_known, result)

    def _keep(self, result: Any) -> None:
        self.results.append(result)
        if len(self.results) == self._total:
            raise _Enough


class Replaying:
    """Returns what host layers gave before."""

    def __init__(self, results: list[Any]) -> None:
        self._results = iter(results)

    def call(self, layer: Any, call: Callable[..., Any], args: Any, kwargs: Any) -> Any:
        """What a call of a data layer returns; `call` is the call itself."""
        result = next(self._results, None) if layer.on_host else None
        return call(*args, **kwargs) if result is None else result


def as_known(x: Any) -> Any:
    """An array as a tensor whose value is known, or text."""
    if is_text(x):
        return x if isinstance(x, Text) else Text(np.asarray(x, object))
    array = np.asarray(ensure().to_numpy(x) if isinstance(x, ensure().tensor_types) else x)
    return Known(array.shape, dtypes.standardize_dtype(array.dtype), lambda: array)


def _values(tree: Any) -> Callable[[], Any] | None:
    """What gives the values of all tensors in a tree; None where there are others."""
    leaves = optree.tree_leaves(tree)
    if any(isinstance(x, AbstractTensor) and not isinstance(x, Known) for x in leaves):
        return None
    return lambda: optree.tree_map(lambda x: x.value() if isinstance(x, Known) else x, tree)


def _on_numpy(call: Callable[..., Any], values: Any) -> Any:
    """A call of a data layer on arrays, as in an input pipeline."""
    args, kwargs = values
    scope, state.scope = state.scope, None
    try:
        with calling(piped=True), using(load("numpy")):
            return call(*args, **kwargs)
    finally:
        state.scope = scope


def ahead_of(model: Any) -> Callable[[Any], Prepared] | None:
    """What prepares batches for a model with host layers; None for one without."""
    on_host = any(getattr(layer, "on_host", False) for layer in model._flatten_layers())
    return functools.partial(prepared, model) if on_host else None


def prepared(model: Any, inputs: Any) -> Prepared:
    """A batch's inputs together with what the model's host layers give for them.

    Args:
        model: a built model.
        inputs: arrays, text among them, as the model takes them.
    """
    known = optree.tree_map(as_known, inputs)
    run = Collecting(getattr(model, "_host_calls", None))
    saved = dict(vars(state))
    try:
        with using(load("abstract")), Recorder(), calling(run), contextlib.suppress(_Enough):
            state.depth, state.names, state.masks = 0, [], []
            model(known, training=False)
    finally:
        vars(state).update(saved)
    model._host_calls = len(run.results)
    return Prepared(run.results, optree.tree_map(_without_text, inputs))


def _without_text(x: Any) -> Any:
    return Placeholder(tuple(np.shape(x))) if is_text(x) else x


def replaying(batch: Prepared) -> contextlib.AbstractContextManager[Any]:
    """A context in which host layers return what a batch was prepared with."""
    return calling(Replaying(batch.results))
