"""In which dtype a layer computes, and in which it keeps its weights."""

from __future__ import annotations

from typing import Any

from kerata import config
from kerata.backends import dtypes
from kerata.backends.registry import ensure
from kerata.backends.state import state
from kerata.core.config_object import Configurable
from kerata.ops.dispatch import is_symbolic
from kerata.ops.elementwise import cast
from kerata.ops.shaping import convert_to_tensor

_MIXED = {"mixed_float16": "float16", "mixed_bfloat16": "bfloat16"}


class _Global:
    policy: Any = None


class DTypePolicy(Configurable):
    """The dtypes of a layer.

    Args:
        name: a dtype, for computing and for weights; "mixed_float16" or "mixed_bfloat16" to
            compute in half precision and keep weights in float32; None for the global one.

    Raises:
        ValueError: `name` is none of these.

    >>> policy = DTypePolicy("mixed_bfloat16")
    >>> policy.compute_dtype, policy.variable_dtype
    ('bfloat16', 'float32')
    """

    def __init__(self, name: str | None = None) -> None:
        if name is None:
            name = dtype_policy().source_name
        if not isinstance(name, str):
            raise TypeError(f"DTypePolicy: name must be a string; got {name!r}")
        if name not in _MIXED and name not in (*dtypes.ALL, *dtypes.STRINGS):
            raise ValueError(
                f"Unknown dtype policy {name!r}: it must be 'mixed_float16', 'mixed_bfloat16', or "
                "a dtype such as 'float32'"
            )
        self._name = name
        self._compute_dtype = _MIXED.get(name, name)
        self._variable_dtype = "float32" if name in _MIXED else name

    @property
    def name(self) -> str:
        """Its name, which says everything about it."""
        return self._name

    @property
    def source_name(self) -> str:
        """The name of the policy without quantization."""
        return self.name

    def at(self, path: str) -> DTypePolicy:
        """The policy of the layer of this path."""
        return self

    @property
    def compute_dtype(self) -> str:
        """The dtype that inputs and weights are cast to for computing."""
        return self._compute_dtype

    @property
    def variable_dtype(self) -> str:
        """The dtype of weights."""
        return self._variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """How weights are quantized; None for not at all."""
        return None

    def convert_input(self, x: Any, autocast: bool, dtype: Any) -> Any:
        """`x` in `dtype` where it is a tensor or array of floats and `autocast` holds."""
        if not is_symbolic(x) and not isinstance(x, (state.backend or ensure()).tensor_types):
            if not hasattr(x, "__array__"):
                return x
            x = convert_to_tensor(x)
        found, wanted = dtypes.standardize_dtype(x.dtype), dtypes.standardize_dtype(dtype)
        return cast(x, wanted) if autocast and found != wanted and dtypes.is_float(found) else x

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.name == other.name

    def __hash__(self) -> int:
        return hash((type(self), self.name))

    def __repr__(self) -> str:
        return f'<DTypePolicy "{self.name}">'


def dtype_policy() -> DTypePolicy:
    """The policy of layers that get none: that of `set_dtype_policy`, else `config.floatx()`."""
    return _Global.policy or DTypePolicy(config.floatx())


def set_dtype_policy(policy: Any) -> None:
    """Set the policy of layers made from now on that get none.

    Args:
        policy: a name or a `DTypePolicy`; None for `config.floatx()` again.
    """
    if isinstance(policy, str):
        from kerata.dtype_policies import get

        policy = get(policy)
    if policy is not None and not isinstance(policy, DTypePolicy):
        raise ValueError(
            f"set_dtype_policy: policy must be a name or a DTypePolicy; got {policy!r}"
        )
    _Global.policy = policy
