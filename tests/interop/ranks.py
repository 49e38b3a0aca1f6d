"""One of two processes that train a layer together: `python ranks.py RANK FOLDER`."""

import sys

import numpy as np
import torch
from torch.distributed.fsdp import fully_shard
from torch.nn.parallel import DistributedDataParallel

import kerata
from kerata import layers
from kerata.interop.torch import as_module

X = np.random.default_rng(0).random((16, 4)).astype("float32")
Y = X[:, :3]


def made():
    kerata.utils.set_random_seed(0)
    return kerata.Sequential([layers.Input((4,)), layers.Dense(8, "relu"), layers.Dense(3)])


def trained(module, part=slice(None)):
    """A few steps on a part of each batch."""
    optimizer = torch.optim.Adam(module.parameters(), 0.02)
    x, y = torch.from_numpy(X[part]), torch.from_numpy(Y[part])
    for _ in range(3):
        optimizer.zero_grad()
        loss = (module(x) - y).square().mean()
        loss.backward()
        optimizer.step()


def sharded(module):
    """The module with each layer's parameters split between the processes."""
    for part in (module.dense, module.dense_1):
        fully_shard(part)
    return fully_shard(module)


def check(rank, wrap):
    """Train on halves of the batch; the weights are those of a process with all of it."""
    alone, model = made(), made()
    trained(as_module(alone))
    module = wrap(as_module(model))
    trained(module, slice(8 * rank, 8 * rank + 8))
    if wrap is sharded:
        assert [tuple(p.to_local().shape) for p in module.parameters()][:2] == [(2, 8), (4,)]
        module.write_back()
        assert model.weights[0].storage() is module.dense.kernel
    for a, b in zip(model.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(module(torch.from_numpy(X)), alone(X))


if __name__ == "__main__":
    kerata.set_backend("torch")
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{sys.argv[2]}/store", rank=int(sys.argv[1]), world_size=2
    )
    try:
        for wrap in (DistributedDataParallel, sharded):
            check(int(sys.argv[1]), wrap)
            print(wrap.__name__, flush=True)
    finally:
        torch.distributed.destroy_process_group()
