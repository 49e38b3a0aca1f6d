"""`jit`, `grad`, `value_and_grad` and `checkpoint`: the same on every backend.

They take functions that read and write `Variable`s.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import optree

from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core import masks


def value_and_grad(
    function: Callable[..., Any],
    variables: Sequence[Any] | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """A function that returns `(value, gradients)` of `function`.

    Args:
        function: returns a scalar, or with `has_aux` a pair of a scalar and anything.
        variables: the variables to differentiate with respect to, gradients coming as a list in
            their order; None to differentiate with respect to arguments.
        argnums: which argument(s), where `variables` is None.
        has_aux: whether `function` returns `(scalar, aux)`; the value then is that pair.

    `function` is differentiated as if it were pure: what it writes to a variable and reads again
    carries its gradient along.

    Raises:
        RuntimeError: the active backend does not differentiate (numpy, openvino).
        ValueError: the value is no scalar.

    >>> value_and_grad(lambda x: x * x)(ops.convert_to_tensor(3.0))[1].item()
    6.0
    """
    listed = None if variables is None else list(variables)

    def with_aux(*args: Any, **kwargs: Any) -> Any:
        result = function(*args, **kwargs)
        value, aux = result if has_aux else (result, None)
        if tuple(getattr(value, "shape", ())):
            raise ValueError(
                f"Only a scalar can be differentiated; the function returned the shape "
                f"{tuple(value.shape)}"
            )
        return value, _with_masks(aux)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        backend = state.backend or ensure()
        args, kwargs = _with_tensors(args, kwargs, backend)
        if listed is None:
            args = _as_tensors(args, argnums, backend)
        state.differentiating += 1
        try:
            run = backend.value_and_grad(with_aux, listed, argnums)
            (value, aux), gradients = run(*args, **kwargs)
        finally:
            state.differentiating -= 1
        aux = _masked(*aux)
        return ((value, aux) if has_aux else value), gradients

    return call


def _with_masks(result: Any) -> tuple[Any, Any]:
    """A result and the masks of its tensors, which a transformation gives back as other tensors."""
    if not masks.any_masks():
        return result, None
    return result, [masks.get_mask(x) for x in optree.tree_leaves(result, none_is_leaf=True)]


def _masked(result: Any, found: list[Any] | None) -> Any:
    """The result, its tensors with these masks."""
    if found is not None:
        for x, mask in zip(optree.tree_leaves(result, none_is_leaf=True), found, strict=True):
            if mask is not None:
                masks.set_mask(x, mask)
    return result


def _with_tensors(args: Any, kwargs: Any, backend: Any) -> tuple[Any, Any]:
    """The arguments, NumPy arrays as tensors, so that operators mean the same everywhere."""
    if any(isinstance(x, (np.ndarray, list, tuple, dict)) for x in (*args, *kwargs.values())):
        own = backend.tensor_types
        return optree.tree_map(
            lambda x: backend.convert(x) if _is_foreign_array(x, own) else x,
            (tuple(args), kwargs),
            none_is_leaf=True,
        )
    return args, kwargs


def _is_foreign_array(x: Any, own: Any) -> bool:
    return isinstance(x, np.ndarray) and not isinstance(x, own)


def _as_tensors(args: tuple[Any, ...], argnums: Any, backend: Any) -> tuple[Any, ...]:
    from kerata.ops.dispatch import to_tensor

    places = (argnums,) if isinstance(argnums, int) else argnums
    return tuple(
        optree.tree_map(lambda x: to_tensor(x, backend), a) if i in places else a
        for i, a in enumerate(args)
    )


def grad(
    function: Callable[..., Any],
    variables: Sequence[Any] | None = None,
    argnums: int | tuple[int, ...] = 0,
    has_aux: bool = False,
) -> Callable[..., Any]:
    """A function that returns the gradients of `function`; arguments as in `value_and_grad`.

    With `has_aux` it returns `(gradients, aux)`.
    """
    both = value_and_grad(function, variables, argnums, has_aux)

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        value, gradients = both(*args, **kwargs)
        return (gradients, value[1]) if has_aux else gradients

    return call


class jit:
    """Compile a function of tensors that may read and write variables.

    It is compiled for each backend it is called under, and for each kind of arguments: tensors by
    shape and dtype, everything but tensors and numbers by value. On torch it runs eagerly on a CPU,
    where compiling does not pay.

    Args:
        function: what to compile; None to use `jit(option=...)` as a decorator.
        options: of a backend: `jit_compile=True` asks for XLA on TensorFlow and for `torch.compile`
            on torch.

    Attributes:
        compile_seconds: the time of the calls in which a program was compiled.

    Example:
        >>> @jit
        ... def step(x):
        ...     counter.assign_add(1)
        ...     return x * 2
    """

    def __new__(cls, function: Callable[..., Any] | None = None, **options: Any) -> Any:
        if function is None:
            return functools.partial(cls, **options)
        return super().__new__(cls)

    def __init__(self, function: Callable[..., Any] | None = None, **options: Any) -> None:
        assert function is not None
        self.function = function
        self.options = options
        self.compile_seconds = 0.0
        self._compiled: dict[str, Callable[..., Any]] = {}
        functools.update_wrapper(self, function)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        backend = state.backend or ensure()
        compiled = self._compiled.get(backend.name)
        if compiled is None:
            compiled = self._compiled[backend.name] = backend.jit(self.function, **self.options)
        if state.scope is not None or not getattr(compiled, "takes_arrays", False):
            args, kwargs = _with_tensors(args, kwargs, backend)
        programs = getattr(compiled, "compilations", ())
        count, start = len(programs), time.perf_counter()
        result = compiled(*args, **kwargs)
        if len(programs) > count:
            self.compile_seconds += time.perf_counter() - start
        return result

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    @property
    def compilations(self) -> dict[str, list[str]]:
        """For each backend the shapes for which it compiled a program, in order."""
        return {n: list(getattr(c, "compilations", ())) for n, c in self._compiled.items()}


def checkpoint(function: Callable[..., Any]) -> Callable[..., Any]:
    """`function`, its intermediate values computed again in the backward pass to save memory."""

    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        from kerata.ops.dispatch import is_symbolic

        backend = state.backend or ensure()
        args, kwargs = _with_tensors(args, kwargs, backend)
        leaves, tree = optree.tree_flatten((args, kwargs), none_is_leaf=True)
        if any(map(is_symbolic, leaves)):
            return function(*args, **kwargs)
        places = [i for i, x in enumerate(leaves) if isinstance(x, backend.tensor_types)]

        def of_tensors(*tensors: Any) -> Any:
            given = dict(zip(places, tensors))
            new = [given.get(i, x) for i, x in enumerate(leaves)]
            args, kwargs = optree.tree_unflatten(tree, new)
            return _with_masks(function(*args, **kwargs))

        return _masked(*backend.checkpoint(of_tensors)(*(leaves[i] for i in places)))

    return call
