"""The tensor of `abstract`, the stand-ins for open sizes, and strict sizes."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NoReturn

from kerata.backends.operators import Operators

# Two sizes that stand for None; a size that comes out different in the two runs is open. Both are
# divisible by many numbers, so that `x.shape[1] // 4` has to be exact for neither by chance.
STAND_INS = (2**10 * 3**2 * 5 * 7, 2**11 * 3**2 * 5 * 7)


class AbstractTensor(Operators):
    """A shape and a dtype."""

    __slots__ = ("__weakref__", "dtype", "shape")

    def __init__(self, shape: tuple[Any, ...], dtype: str) -> None:
        self.shape = shape
        self.dtype = dtype

    @property
    def ndim(self) -> int:
        """How many axes it has."""
        return len(self.shape)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a tensor without axes")
        return self.shape[0]

    def __bool__(self) -> NoReturn:
        raise TypeError(
            "A branch on the value of a tensor, which is not known while the program is built or "
            "compiled. Use kerata.ops.where or kerata.ops.cond."
        )

    __float__ = __int__ = __index__ = __bool__
    __iter__ = None

    def __repr__(self) -> str:
        return f"<abstract {self.dtype} {self.shape}>"


def _calculation(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def run(self: Size, other: Any) -> Any:
        if not isinstance(other, (int, Size)):
            return NotImplemented
        others = other.values if isinstance(other, Size) else (other, other)
        return size_of(*(function(a, b) for a, b in zip(self.values, others, strict=True)))

    return run


def _reflected(function: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return _calculation(lambda a, b: function(b, a))


class Size:
    """An open size, in strict mode: to be calculated with, not compared."""

    __slots__ = ("values",)

    def __init__(self, first: int, second: int) -> None:
        self.values = (first, second)

    def _refuse(self, *other: Any) -> NoReturn:
        raise TypeError(
            "A branch on a size that must stay open (it is None in the symbolic shape): the "
            "program would hold only for the sizes it was built with."
        )

    __add__, __radd__ = _calculation(operator.add), _reflected(operator.add)
    __sub__, __rsub__ = _calculation(operator.sub), _reflected(operator.sub)
    __mul__, __rmul__ = _calculation(operator.mul), _reflected(operator.mul)
    __floordiv__, __rfloordiv__ = _calculation(operator.floordiv), _reflected(operator.floordiv)
    __mod__, __rmod__ = _calculation(operator.mod), _reflected(operator.mod)
    __eq__ = __ne__ = __lt__ = __le__ = __gt__ = __ge__ = _refuse
    __bool__ = __int__ = __index__ = __float__ = __hash__ = _refuse

    def __neg__(self) -> Any:
        return size_of(-self.values[0], -self.values[1])

    def __repr__(self) -> str:
        return "Size(?)"


def size_of(first: int, second: int) -> Any:
    """The size that is `first` in one run and `second` in the other."""
    return first if first == second else Size(first, second)
