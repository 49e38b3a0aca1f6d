"""Python's operators for the tensors that are Kerata's own (abstract, symbolic, ONNX, Variable)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kerata.backends.state import operations


def _unary(name: str) -> Callable[[Any], Any]:
    return lambda self: operations[name](self)


def _binary(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: operations[name](self, other)


def _reflected(name: str) -> Callable[[Any, Any], Any]:
    return lambda self, other: operations[name](other, self)


class Operators:
    """Mixes in arithmetic, comparison and indexing, each by the operation of the same meaning."""

    __slots__ = ()
    __array_ufunc__ = None  # so that `ndarray * x` asks `x`
    __hash__ = object.__hash__

    __neg__ = _unary("negative")
    __abs__ = _unary("absolute")
    __invert__ = _unary("bitwise_invert")
    __add__, __radd__ = _binary("add"), _reflected("add")
    __sub__, __rsub__ = _binary("subtract"), _reflected("subtract")
    __mul__, __rmul__ = _binary("multiply"), _reflected("multiply")
    __truediv__, __rtruediv__ = _binary("true_divide"), _reflected("true_divide")
    __floordiv__, __rfloordiv__ = _binary("floor_divide"), _reflected("floor_divide")
    __mod__, __rmod__ = _binary("mod"), _reflected("mod")
    __pow__, __rpow__ = _binary("power"), _reflected("power")
    __matmul__, __rmatmul__ = _binary("matmul"), _reflected("matmul")
    __and__, __rand__ = _binary("bitwise_and"), _reflected("bitwise_and")
    __or__, __ror__ = _binary("bitwise_or"), _reflected("bitwise_or")
    __xor__, __rxor__ = _binary("bitwise_xor"), _reflected("bitwise_xor")
    __lshift__, __rlshift__ = _binary("bitwise_left_shift"), _reflected("bitwise_left_shift")
    __rshift__, __rrshift__ = _binary("bitwise_right_shift"), _reflected("bitwise_right_shift")
    __lt__ = _binary("less")
    __le__ = _binary("less_equal")
    __gt__ = _binary("greater")
    __ge__ = _binary("greater_equal")

    def __eq__(self, other: object) -> Any:
        return False if other is None else operations["equal"](self, other)

    def __ne__(self, other: object) -> Any:
        return True if other is None else operations["not_equal"](self, other)

    def __getitem__(self, key: Any) -> Any:
        return operations["getitem"](self, key)
