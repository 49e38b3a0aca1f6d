"""Mixed precision: the dtype policies under their older names, and loss scaling."""

from __future__ import annotations

from kerata.dtype_policies import DTypePolicy, dtype_policy, set_dtype_policy
from kerata.optimizers.loss_scale_optimizer import LossScaleOptimizer

Policy = DTypePolicy
global_policy = dtype_policy
set_global_policy = set_dtype_policy
