"""Synchronized batch normalization on two replicas, run by `test_synchronized.py` by itself.

Each replica takes its part of a batch, the first one fewer examples than the second where the
engine allows that. What comes out is printed as JSON: without masks first, then with them.

    python replicas.py jax|torch|tensorflow
"""

import json
import os
import sys

import numpy as np

X = np.random.default_rng(0).normal(2.0, 3.0, size=(6, 5, 4)).astype("float32")
FACTORS = np.cos(np.arange(X.size)).reshape(X.shape).astype("float32")


def layer():
    """The layer."""
    from kerata import layers

    made = layers.BatchNormalization(synchronized=True, momentum=0.5)
    made.build((None, 5, 4))
    return made


def options(x, masked):
    """The arguments of a call on `x`."""
    return {"training": True} | ({"mask": x[..., 0] > 2.0} if masked else {})


def report(y, gradient, gamma, averages):
    """Print the outputs, the loss's gradients and the running averages."""
    found = {"y": y, "gradient": gradient, "gamma": gamma, "averages": averages}
    print(json.dumps({k: np.asarray(v).tolist() for k, v in found.items()}))


def run_jax(masked):
    """Under `pmap` and `shard_map`: both print."""
    os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=2"
    import jax
    from jax.sharding import Mesh, PartitionSpec

    made = layer()
    trained = [v.value for v in made.trainable_variables]
    others = [v.value for v in made.non_trainable_variables]

    def step(x, factors):
        def loss(x, trained):
            y, new = made.stateless_call(trained, others, x, **options(x, masked))
            return (y * factors).sum(), (y, new)

        (_, (y, new)), (gx, gw) = jax.value_and_grad(loss, (0, 1), has_aux=True)(x, trained)
        return y, gx, jax.lax.psum(gw[0], "replicas"), new

    x, factors = (v.reshape(2, 3, 5, 4) for v in (X, FACTORS))
    y, gx, gw, new = jax.pmap(step, axis_name="replicas")(x, factors)
    report(y.reshape(X.shape), gx.reshape(X.shape), gw[0], [v[1] for v in new])
    mesh = Mesh(np.array(jax.devices()), ("replicas",))
    cut, whole = PartitionSpec("replicas"), PartitionSpec()
    specs = {"mesh": mesh, "in_specs": cut, "out_specs": (cut, cut, whole, whole)}
    report(*jax.jit(jax.shard_map(step, check_vma=False, **specs))(X, FACTORS))


def run_torch(masked):
    """In two processes."""
    import multiprocessing

    context = multiprocessing.get_context("spawn")
    pipe, port = context.Queue(), _free_port()
    replicas = [
        context.Process(target=_torch_replica, args=(i, port, pipe, masked)) for i in (0, 1)
    ]
    for replica in replicas:
        replica.start()
    parts = dict(pipe.get(timeout=120) for _ in replicas)
    for replica in replicas:
        replica.join()
    (y0, g0, w0, averages), (y1, g1, w1, _) = parts[0], parts[1]
    report(np.concatenate([y0, y1]), np.concatenate([g0, g1]), w0 + w1, averages)


def _free_port():
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def _torch_replica(rank, port, pipe, masked):
    import torch
    import torch.distributed as dist

    dist.init_process_group("gloo", f"tcp://127.0.0.1:{port}", rank=rank, world_size=2)
    made = layer()
    rows = slice(0, 2) if rank == 0 else slice(2, 6)
    x = torch.tensor(X[rows], requires_grad=True)
    y = made(x, **options(x.detach(), masked))
    (y * torch.tensor(FACTORS[rows])).sum().backward()
    averages = np.stack([made.moving_mean.numpy(), made.moving_variance.numpy()])
    gamma = made.gamma.storage().grad.numpy()
    pipe.put((rank, (y.detach().numpy(), x.grad.numpy(), gamma, averages)))
    dist.barrier()
    dist.destroy_process_group()


def run_tensorflow(masked):
    """Under a `MirroredStrategy` of two devices on one CPU."""
    import tensorflow as tf

    cpu = tf.config.list_physical_devices("CPU")[0]
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    if tf.config.get_logical_device_configuration(cpu) != two:
        tf.config.set_logical_device_configuration(cpu, two)
    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    made = layer()
    trained = [v.value for v in made.trainable_variables]
    others = [v.value for v in made.non_trainable_variables]

    @tf.function
    def step(x, factors):
        with tf.GradientTape() as tape:
            tape.watch([x, trained[0]])
            y, new = made.stateless_call(trained, others, x, **options(x, masked))
            loss = tf.reduce_sum(y * factors)
        gx, gw = tape.gradient(loss, [x, trained[0]])
        return y, gx, gw, new

    def part(values):
        rows = [values[:2], values[2:]]
        return strategy.experimental_distribute_values_from_function(
            lambda context: tf.constant(rows[context.replica_id_in_sync_group])
        )

    y, gx, gw, new = strategy.run(step, (part(X), part(FACTORS)))
    y, gx = (np.concatenate([v.numpy() for v in strategy.experimental_local_results(t)])
             for t in (y, gx))  # fmt: skip
    gamma = sum(v.numpy() for v in strategy.experimental_local_results(gw))
    averages = [strategy.experimental_local_results(v)[1].numpy() for v in new]
    report(y, gx, gamma, averages)


if __name__ == "__main__":
    os.environ["KERATA_BACKEND"] = sys.argv[1]
    run = {"jax": run_jax, "torch": run_torch, "tensorflow": run_tensorflow}[sys.argv[1]]
    run(masked=False)
    run(masked=True)
