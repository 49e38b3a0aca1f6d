"""A layer as a `torch.nn.Module`."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend

torch = pytest.importorskip("torch")
from kerata.interop.torch import as_module  # noqa: E402

X = torch.from_numpy(np.random.default_rng(0).random((16, 4)).astype("float32"))
Y = X[:, :3]
PARAMETERS = ["first.kernel", "norm.gamma", "norm.beta", "dense.kernel", "dense.bias"]
BUFFERS = ["norm.moving_mean", "norm.moving_variance", "dropout.seed_generator_state"]


@pytest.fixture(autouse=True)
def active():
    kerata.utils.set_random_seed(0)
    with use_backend("torch"):
        yield


def made(rate=0.2):
    return kerata.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, "relu", use_bias=False, name="first"),
            layers.BatchNormalization(name="norm"),
            layers.Dropout(rate),
            layers.Dense(3),
        ]
    )


def steps(call, parameters, count=8):
    """Losses of a hand-written loop."""
    optimizer = torch.optim.Adam(parameters, 0.02)
    found = []
    for _ in range(count):
        optimizer.zero_grad()
        loss = (call(X) - Y).square().mean()
        loss.backward()
        optimizer.step()
        found.append(loss.item())
    return found


def test_parameters_are_the_variables():
    model = made()
    module = as_module(model)
    assert [n for n, _ in module.named_parameters()] == PARAMETERS
    assert [n for n, _ in module.named_buffers()] == BUFFERS
    for parameter, variable in zip(module.parameters(), model.trainable_variables, strict=True):
        assert isinstance(parameter, torch.nn.Parameter)
        assert parameter is variable.storage()
    assert all(
        p is q for p, q in zip(as_module(model).parameters(), module.parameters(), strict=True)
    )


def test_a_loop_of_torch():
    model = made()
    module = as_module(model)
    losses = steps(module, module.parameters())
    assert losses[-1] < losses[0]
    mean = model.get_layer("norm").moving_mean
    assert module.norm.moving_mean is mean.storage()
    assert np.abs(mean.numpy()).max() > 0
    module.eval()
    torch.testing.assert_close(module(X), model(X, training=False))
    module.train()
    assert not torch.equal(module(X), module(X))


def test_fit_and_loops_of_torch_mix():
    model = made()
    module = as_module(model)
    model.compile(kerata.optimizers.Adam(0.02), "mse")
    model.fit(X.numpy(), Y.numpy(), epochs=2, verbose=0)
    assert module.first.kernel is model.get_layer("first").kernel.storage()
    torch.testing.assert_close(module.eval()(X), model(X, training=False))
    with use_backend("jax"):
        model.get_layer("first").kernel.assign(np.zeros((4, 8), "float32"))
    kernel = module.first.kernel
    module(X)
    assert module.first.kernel is kernel
    assert float(kernel.detach().abs().max()) == 0


def test_state_dict():
    model, other = made(), made()
    steps(as_module(model), model.parameters(), 2)
    kept = {n: x.clone() for n, x in model.state_dict().items()}
    assert sorted(kept) == sorted(PARAMETERS + BUFFERS)
    other.load_state_dict(kept)
    torch.testing.assert_close(other(X), model(X))
    as_module(other).load_state_dict({n: x * 0 for n, x in kept.items()}, assign=True)
    assert float(other(X).detach().abs().max()) == 0
    with pytest.raises(RuntimeError, match="Missing key"):
        other.load_state_dict({})


def test_frozen_variables_are_buffers():
    model = made()
    model.get_layer("first").trainable = False
    module = as_module(model)
    assert [n for n, _ in module.named_parameters()] == PARAMETERS[1:]
    assert "first.kernel" in dict(module.named_buffers())
    before = module.first.kernel.clone()
    steps(module, module.parameters(), 2)
    assert torch.equal(module.first.kernel, before)


def test_hooks():
    model = made()
    module, seen = as_module(model), []
    handle = module.register_forward_hook(lambda *_: seen.append("forward"))
    module.first.kernel.register_hook(lambda g: seen.append("backward"))
    module(X).sum().backward()
    assert seen == ["forward", "backward"]
    handle.remove()
    assert module.first.kernel.grad is not None
    model.zero_grad(set_to_none=False)
    assert float(module.first.kernel.grad.abs().max()) == 0
    model.zero_grad()
    assert module.first.kernel.grad is None


def test_hooks_of_the_layers_in_it():
    model = made()
    module, seen = as_module(model).eval(), {}
    expected = module(X)
    module.first.register_forward_hook(lambda m, args, y: seen.update(first=y))
    module.norm.register_forward_pre_hook(lambda m, args: seen.update(norm=args[0]))
    module.dense.register_full_backward_hook(lambda m, grad, out: seen.update(dense=out[0]))
    found = module(X)
    torch.testing.assert_close(found, expected)
    assert seen["first"] is seen["norm"]
    found.sum().backward()
    assert torch.equal(seen["dense"], torch.ones_like(found))
    assert module.first.kernel.grad is not None
    module.first.register_forward_hook(lambda m, args, y: 0 * y)
    assert module.train()(X).std(0).max().item() == 0
    assert module.norm.moving_mean is model.get_layer("norm").moving_mean.storage()
    assert model(X).std(0).max().item() > 0  # hooks are the module's


def test_layers_replaced_by_modules():
    """As PEFT puts adapters in their place."""

    class Adapted(torch.nn.Module):
        def __init__(self, base):
            super().__init__()
            self.base = base
            self.more = torch.nn.Linear(8, 3)

        def forward(self, *args, **kwargs):
            return self.base(*args, **kwargs) + self.more(args[0])

    module = as_module(made(0.0)).eval()
    alone = module(X)
    assert module.dense(torch.zeros(2, 8)).shape == (2, 3)
    module.dense = Adapted(module.dense)
    assert len(list(module.parameters())) == len(PARAMETERS) + 2
    assert not torch.equal(module(X), alone)
    losses = steps(module, module.dense.more.parameters())
    assert losses[-1] < losses[0]


def test_functional_call():
    module = as_module(made()).eval()
    parameters = {n: p.detach() for n, p in module.named_parameters()}
    buffers = dict(module.named_buffers())

    def loss(parameters, x, y):
        found = torch.func.functional_call(module, (parameters, buffers), (x[None],))
        return (found - y[None]).square().mean()

    each = torch.func.vmap(torch.func.grad(loss), in_dims=(None, 0, 0))(parameters, X, Y)
    assert each["first.kernel"].shape == (16, 4, 8)
    zeros = {n: p * 0 for n, p in parameters.items()}
    assert float(torch.func.functional_call(module, zeros, (X,)).abs().max()) == 0
    assert float(module(X).detach().abs().max()) > 0


def test_functional_call_changes_given_buffers_alone():
    module = as_module(made()).train()
    given = {n: b.clone() for n, b in module.named_buffers()}
    before = {n: b.clone() for n, b in module.named_buffers()}
    torch.func.functional_call(module, given, (X,))
    assert float(given["norm.moving_mean"].abs().max()) > 0
    for name, buffer in module.named_buffers():
        assert torch.equal(buffer, before[name])


def test_replaced_parameters():
    """As FSDP and parametrizations put others in their place."""

    class Doubled(torch.nn.Module):
        def forward(self, x):
            return 2 * x

    model = made()
    module = as_module(model).eval()
    before = module(X).detach()
    torch.nn.utils.parametrize.register_parametrization(module.dense, "kernel", Doubled())
    bias = module.dense.bias.detach()
    torch.testing.assert_close(module(X).detach() - bias, 2 * (before - bias))
    module.norm.register_forward_hook(lambda *_: None)
    module.train()(X)
    assert module.norm.moving_mean is model.get_layer("norm").moving_mean.storage()
    assert module.norm.moving_mean.abs().max() > 0


def test_compile():
    """As one graph, without breaks."""
    module = as_module(made(0.0)).eval()
    expected = module(X)
    compiled = torch.compile(module, backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(X), expected)
    losses = steps(compiled, module.parameters())
    assert losses[-1] < losses[0]
    module.dense.compile(backend="eager", fullgraph=True)
    torch.testing.assert_close(module(X), compiled(X))


@pytest.mark.slow
def test_two_processes(tmp_path):
    """DDP, and FSDP with each layer's parameters split."""
    root, script = Path(__file__).parents[2], Path(__file__).with_name("ranks.py")
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(root)}
    started = [
        subprocess.Popen(
            [sys.executable, str(script), str(rank), str(tmp_path)],
            env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )
        for rank in range(2)
    ]  # fmt: skip
    for process in started:
        out, errors = process.communicate(timeout=300)
        assert out.split() == ["DistributedDataParallel", "sharded"], errors


def test_distributed(tmp_path):
    model, alone = made(0.0), made(0.0)
    alone.set_weights(model.get_weights())
    torch.distributed.init_process_group(
        "gloo", init_method=f"file://{tmp_path}/store", rank=0, world_size=1
    )
    try:
        module = torch.nn.parallel.DistributedDataParallel(as_module(model))
        losses = steps(module, module.parameters(), 3)
    finally:
        torch.distributed.destroy_process_group()
    module = as_module(alone)
    np.testing.assert_allclose(losses, steps(module, module.parameters(), 3), rtol=1e-5)
    for a, b in zip(model.get_weights(), alone.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


def test_methods_of_the_layer():
    model = made()
    assert [n for n, _ in model.named_parameters()] == PARAMETERS
    assert model.train() is model
    losses = steps(model, model.parameters())
    assert losses[-1] < losses[0]
    assert not torch.equal(model(X), model(X))
    assert model.eval() is model
    assert torch.equal(model(X), model(X, training=False))
    assert not torch.equal(model(X, training=True), model(X, training=True))
    assert model.to("cpu") is model
    with pytest.raises(TypeError, match=r"dtype of .* can't be changed through torch"):
        model.to(torch.float16)
    assert model(X).dtype is torch.float32


def test_mode_is_only_a_default():
    """`fit` trains a layer in `eval()` mode, and `predict` does not one in `train()` mode."""
    model = made().eval()
    model.compile("sgd", "mse")
    model.fit(X.numpy(), Y.numpy(), verbose=0)
    assert np.abs(model.get_layer("norm").moving_mean.numpy()).max() > 0
    model.train()
    found = [model.predict(X.numpy(), verbose=0) for _ in range(2)]
    np.testing.assert_array_equal(*found)


def test_names():
    """They don't depend on how many layers were made before."""

    class Net(kerata.Model):
        def __init__(self):
            super().__init__()
            self.encoder = layers.Dense(4)
            self.blocks = [layers.Dense(4), layers.Dense(4, name="own")]
            self.heads = {"a": layers.Dense(1)}

        def call(self, x):
            x = self.blocks[1](self.blocks[0](self.encoder(x)))
            return self.heads["a"](x)

    for _ in range(2):
        net = Net()
        net(X)
        names = [n for n, _ in net.named_parameters() if n.endswith("kernel")]
        assert names == ["encoder.kernel", "blocks_0.kernel", "own.kernel", "heads_a.kernel"]


def test_errors():
    with pytest.raises(ValueError, match=r"Dense.* has no variables yet"):
        as_module(layers.Dense(2))
    with pytest.raises(TypeError, match="layer must be a layer or model; got 3"):
        as_module(3)
    model = made()
    with use_backend("numpy"):
        assert not hasattr(model, "state_dict")
        with pytest.raises(AttributeError, match=r"no method parameters\(\) under the numpy back"):
            model.parameters()
        assert isinstance(as_module(model)(X), torch.Tensor)
