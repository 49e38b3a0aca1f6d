"""Different dtype policies for the layers of one model."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any

from kerata.core.serialization import deserialize_object, serialize_object
from kerata.dtype_policies.policy import DTypePolicy, dtype_policy
from kerata.dtype_policies.quantized import from_name


class DTypePolicyMap(DTypePolicy, MutableMapping[str, Any]):
    """Policies by the paths of layers.

    Args:
        default_policy: for layers whose path no key matches; None for the global policy.
        policy_map: policies by path, or by a regular expression that a whole path matches.

    >>> policies = DTypePolicyMap("mixed_bfloat16", {"head/.*": "float32"})
    >>> policies["head/dense"].name, policies["body/dense"].name
    ('float32', 'mixed_bfloat16')
    """

    def __init__(
        self, default_policy: Any = None, policy_map: Mapping[str, Any] | None = None
    ) -> None:
        if isinstance(default_policy, DTypePolicyMap):
            raise ValueError("DTypePolicyMap: default_policy can't be a DTypePolicyMap itself")
        if policy_map is not None and not isinstance(policy_map, Mapping):
            raise TypeError(f"DTypePolicyMap: policy_map must be a dict; got {policy_map!r}")
        self._default = _policy(default_policy)
        self._policies = {k: _policy(v) for k, v in (policy_map or {}).items()}

    @property
    def default_policy(self) -> DTypePolicy:
        """The policy of layers whose path no key matches."""
        return self._default or dtype_policy()

    @property
    def name(self) -> str:
        """`map_` and the name of the default policy."""
        return f"map_{self.default_policy.name}"

    @property
    def source_name(self) -> str:
        """That of the default policy."""
        return self.default_policy.source_name

    def at(self, path: str) -> DTypePolicy:
        return self[path]

    @property
    def compute_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.compute_dtype

    @property
    def variable_dtype(self) -> str:
        """That of the default policy."""
        return self.default_policy.variable_dtype

    @property
    def quantization_mode(self) -> str | None:
        """That of the default policy."""
        return self.default_policy.quantization_mode

    def __getitem__(self, key: str) -> DTypePolicy:
        if key in self._policies:
            return self._policies[key]
        found = [k for k in self._policies if re.fullmatch(k, key)]
        if len(found) > 1:
            raise ValueError(
                f"The path {key!r} matches several keys of the DTypePolicyMap: {found}"
            )
        return self._policies[found[0]] if found else self.default_policy

    def __setitem__(self, key: str, policy: Any) -> None:
        if key in self._policies:
            raise ValueError(f"{key!r} is in the DTypePolicyMap already: {self._policies[key]}")
        self._policies[key] = _policy(policy)

    def __delitem__(self, key: str) -> None:
        del self._policies[key]

    def __contains__(self, key: object) -> bool:
        return key in self._policies

    def __len__(self) -> int:
        return len(self._policies)

    def __iter__(self) -> Iterator[str]:
        return iter(self._policies)

    def get_config(self) -> dict[str, Any]:
        default = self._default
        if default is not None:
            named = _policy(default.name) == default
            default = default.name if named else serialize_object(default)
        return {"default_policy": default, "policy_map": serialize_object(dict(self._policies))}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DTypePolicyMap) and self.get_config() == other.get_config()

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        kept = {k: p.name for k, p in self._policies.items()}
        return f"<DTypePolicyMap default_policy={self.default_policy.name}, {kept}>"


def _policy(value: Any) -> Any:
    """A policy from a name, a config or a policy; None stays None."""
    value = deserialize_object(value)
    if value is None or isinstance(value, DTypePolicy):
        return value
    return (isinstance(value, str) and from_name(value)) or DTypePolicy(value)
