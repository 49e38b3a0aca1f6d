"""Functions of slices as functions of whole tensors, by NumPy's rules of broadcasting."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Collection, Sequence
from typing import Any

import optree

from kerata.ops import shaping as sh
from kerata.ops.control import vectorized_map
from kerata.ops.dispatch import Tree, composite

__all__ = ("vectorize",)

Names = tuple[str, ...]

_DIMS = r"\(\s*(?:\w+\s*(?:,\s*\w+\s*)*)?\)"
_SIGNATURE = re.compile(
    rf"\s*(?:{_DIMS}\s*(?:,\s*{_DIMS}\s*)*)?->\s*{_DIMS}\s*(?:,\s*{_DIMS}\s*)*$"
)


def vectorize(
    pyfunc: Callable[..., Any],
    *,
    excluded: Collection[int | str] | None = None,
    signature: str | None = None,
) -> Callable[..., Any]:
    """`pyfunc`, a function of scalars or small tensors, as one that broadcasts as NumPy does.

    Args:
        pyfunc: returns a tensor or a tuple of tensors.
        excluded: positions and names of arguments that are handed on as they are.
        signature: the axes that `pyfunc` itself takes and gives, such as `"(m,n),(n)->(m)"`; None
            for scalars.

    Returns:
        The function; all calls of `pyfunc` run at once (`vectorized_map`).

    Raises:
        TypeError: `pyfunc` can't be called, or `excluded` holds anything but ints and strings.
        ValueError: `signature` can't be read.

    >>> plus = vectorize(lambda a, b: a + b)
    >>> ops.convert_to_numpy(plus([1, 2], [[10], [20]])).tolist()
    [[11, 12], [21, 22]]
    """
    if not callable(pyfunc):
        raise TypeError(f"vectorize: pyfunc must be a function; got {pyfunc!r}")
    kept = frozenset(excluded or ())
    if not all(isinstance(k, (int, str)) for k in kept):
        raise TypeError(f"vectorize: excluded must hold ints and strings; got {excluded!r}")
    axes = None if signature is None else _parsed(signature)

    @functools.wraps(pyfunc)
    def call(*args: Any, **kwargs: Any) -> Any:
        spots = [i for i in range(len(args)) if i not in kept]
        names = [n for n in kwargs if n not in kept]
        given = [args[i] for i in spots] + [kwargs[n] for n in names]
        if axes is not None and len(given) != len(axes[0]):
            raise TypeError(
                f"vectorize: the signature {signature!r} names {len(axes[0])} arguments; "
                f"got {len(given)}"
            )

        def rebuilt(values: Sequence[Any]) -> Any:
            positional, named = list(args), dict(kwargs)
            for spot, value in zip(spots, values[: len(spots)], strict=True):
                positional[spot] = value
            named.update(zip(names, values[len(spots) :], strict=True))
            return pyfunc(*positional, **named)

        tensors = [sh.convert_to_tensor(x) for x in given]
        return broadcast_call(rebuilt, tensors, axes) if given else pyfunc(*args, **kwargs)

    return call


def _parsed(signature: str) -> tuple[list[Names], list[Names]]:
    """The names of the axes of the arguments, and those of the results."""
    if not _SIGNATURE.match(signature):
        raise ValueError(
            f"vectorize: signature must be of the form '(m,n),(n)->(m)'; got {signature!r}"
        )
    left, right = (
        [tuple(re.findall(r"\w+", dims)) for dims in re.findall(_DIMS, side)]
        for side in signature.split("->")
    )
    return left, right


@composite()
def broadcast_call(
    function: Callable[[Sequence[Any]], Any],
    args: Tree,
    axes: tuple[list[Names], list[Names]] | None = None,
) -> Any:
    """`function` of the list of slices of the list `args`, all along their broadcast outer axes.

    `axes` names the inner axes of the arguments and of the results; None for scalars.
    """
    inner = axes[0] if axes is not None else [()] * len(args)
    shapes = [tuple(sh.shape(x)) for x in args]
    sizes = _named_sizes(inner, shapes, "argument")
    outer = _broadcast([s[: len(s) - len(n)] for s, n in zip(shapes, inner, strict=True)])
    if not outer:
        return _checked(function(args), axes, sizes)
    count = functools.reduce(lambda a, b: a * b, outer)
    flat = []
    for x, shape, names in zip(args, shapes, inner, strict=True):
        core = shape[len(shape) - len(names) :]
        flat.append(sh.reshape(sh.broadcast_to(x, (*outer, *core)), (count, *core)))
    found = vectorized_map(lambda row: _checked(function(row), axes, sizes), flat)
    return optree.tree_map(lambda y: sh.reshape(y, (*outer, *sh.shape(y)[1:])), found)


def _broadcast(shapes: Sequence[tuple[Any, ...]]) -> tuple[Any, ...]:
    """What the shapes broadcast to; sizes that are open are taken to agree."""
    rank = max(map(len, shapes))
    result = []
    for i in range(-rank, 0):
        found = [s[i] for s in shapes if len(s) >= -i]
        known = [n for n in found if isinstance(n, int) and n != 1]
        if len(set(known)) > 1:
            raise ValueError(f"vectorize: the outer shapes {list(shapes)} don't broadcast")
        still_open = [n for n in found if not isinstance(n, int)]
        result.append((known or still_open or [1])[0])
    return tuple(result)


def _named_sizes(
    axes: Sequence[Names], shapes: Sequence[tuple[Any, ...]], what: str
) -> dict[str, int]:
    """The size of each inner axis, by name, where it is known."""
    sizes: dict[str, int] = {}
    for names, shape in zip(axes, shapes, strict=True):
        if len(shape) < len(names):
            raise ValueError(
                f"vectorize: an {what} of the shape {shape} lacks axes of {names} (signature)"
            )
        for name, size in zip(names, shape[len(shape) - len(names) :], strict=True):
            fixed = int(name) if name.isdigit() else size
            if isinstance(size, int) and sizes.setdefault(name, fixed) != size:
                raise ValueError(
                    f"vectorize: axis {name!r} of the signature is {sizes[name]} and {size} "
                    f"({what}s of the shapes {list(shapes)})"
                )
    return sizes


def _checked(result: Any, axes: Any, sizes: dict[str, int]) -> Any:
    """`result`, held to the results that a signature names."""
    if axes is None:
        return result
    results = list(result) if isinstance(result, (tuple, list)) else [result]
    shapes = [tuple(sh.shape(y)) for y in results]
    if [len(s) for s in shapes] != [len(names) for names in axes[1]]:
        raise ValueError(
            f"vectorize: the signature names results of the axes {axes[1]}; pyfunc returned the "
            f"shapes {shapes}"
        )
    found = _named_sizes(axes[1], shapes, "result")
    wrong = {n: (size, sizes[n]) for n, size in found.items() if sizes.get(n, size) != size}
    if wrong:
        raise ValueError(f"vectorize: sizes of results and arguments differ: {wrong}")
    return result
