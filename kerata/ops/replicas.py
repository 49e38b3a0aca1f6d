"""Sums over the replicas of a distributed step."""

from __future__ import annotations

from kerata.ops.dispatch import Tensor, composite


@composite()
def sum_over_replicas(x: Tensor) -> Tensor:
    """The sum of `x` over all replicas that run the same step, each on its part of the batch.

    Those of the named axes that JAX maps over here (`pmap`, `shard_map`, `vmap`), of
    `torch.distributed`, of TensorFlow's `tf.distribute`; `x` where nothing is distributed.
    """
    return x
