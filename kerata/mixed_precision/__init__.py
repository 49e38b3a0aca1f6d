"""Mixed precision: the dtype policies under their older names."""

from __future__ import annotations

from kerata.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
