"""`TorchModuleWrapper`."""

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend
from tests.layers.wrappers.common import X, Y, check, check_other_backend

torch = pytest.importorskip("torch")


@pytest.fixture(autouse=True)
def active():
    torch.manual_seed(0)
    with use_backend("torch"):
        yield


def module():
    return torch.nn.Sequential(
        torch.nn.Linear(4, 5), torch.nn.BatchNorm1d(5), torch.nn.Dropout(0.1)
    )


def test_trains_saves_and_loads(tmp_path):
    inner = module()
    held, parameters = layers.TorchModuleWrapper(inner), list(inner.parameters())
    check(held, tmp_path, trusted=False)
    assert all(a is b for a, b in zip(inner.parameters(), parameters, strict=True))
    assert all(v.storage() is p for v, p in zip(held.weights, parameters, strict=True))
    assert inner[1].num_batches_tracked == 12
    assert [v.name for v in held.weights] == ["0.weight", "0.bias", "1.weight", "1.bias"]
    assert len(held.variables) == 7


def test_equals_keras_config_and_file(tmp_path):
    """The keys of the config and of the file of weights, as Keras 3.15.1 writes them on torch."""
    h5py = pytest.importorskip("h5py")
    layer = layers.TorchModuleWrapper(module(), name="inner", output_shape=(None, 5))
    assert list(layer.get_config()) == ["name", "trainable", "dtype", "module", "output_shape"]
    model = kerata.Sequential([layers.Input((4,)), layer])
    model.save_weights(tmp_path / "w.weights.h5")
    with h5py.File(tmp_path / "w.weights.h5") as file:
        assert sorted(file["layers/torch_module_wrapper/vars"]) == sorted(module().state_dict())


def test_training_switches_the_module():
    layer = layers.TorchModuleWrapper(module())
    assert not np.array_equal(*(layer(X, training=True).detach().numpy() for _ in range(2)))
    assert layer.module.training
    assert np.array_equal(*(layer(X).detach().numpy() for _ in range(2)))
    assert not layer.module.training


def test_trainable():
    layer = layers.TorchModuleWrapper(module())
    layer.trainable = False
    assert not any(p.requires_grad for p in layer.module.parameters())
    assert layer.trainable_weights == []
    layer.trainable = True
    assert all(p.requires_grad for p in layer.module.parameters())
    assert layer.weights[0].storage() is layer.module[0].weight
    assert not any(
        p.requires_grad
        for p in layers.TorchModuleWrapper(module(), trainable=False).module.parameters()
    )


def test_writes_reach_the_module():
    layer = layers.TorchModuleWrapper(module())
    weight = layer.module[0].weight
    layer.set_weights([np.zeros(w.shape) for w in layer.weights])
    with use_backend("jax"):
        layer.weights[0].assign_add(np.ones((5, 4), "float32"))
    layer(X)
    assert layer.module[0].weight is weight
    assert float(weight.detach().sum()) == 20


def test_stateless_call_changes_nothing():
    layer = layers.TorchModuleWrapper(module())
    x = torch.from_numpy(X)
    before = [v.numpy() for v in layer.variables]
    others = [v.value for v in layer.non_trainable_variables]

    def loss(trained):
        return layer.stateless_call(trained, others, x, training=True)[0].square().sum()

    zeros = [torch.zeros(v.shape) for v in layer.trainable_variables]
    found, new = layer.stateless_call(zeros, others, x, training=True)
    assert float(found.abs().max()) == 0
    assert int(new[-1]) == 1
    slopes = torch.func.grad(loss)([v.value.detach() + 1 for v in layer.trainable_variables])
    assert all(float(g.abs().max()) > 0 for g in slopes[2:])
    for variable, value in zip(layer.variables, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


def test_mixed_precision():
    layer = layers.TorchModuleWrapper(module(), dtype="mixed_bfloat16")
    assert layer(X, training=True).dtype is torch.bfloat16
    assert layer.weights[0].stored_dtype == "float32"
    model = kerata.Sequential([layers.Input((4,)), layer, layers.Dense(3)])
    model.compile("adam", "mse")
    assert np.isfinite(model.fit(X, Y, verbose=0).history["loss"]).all()


def test_modules_as_attributes():
    """They are wrapped, as Keras does on torch."""

    class Block(layers.Layer):
        def __init__(self):
            super().__init__()
            self.inner = torch.nn.Linear(4, 3)
            self.activation = torch.nn.ReLU()

        def call(self, x):
            return self.activation(self.inner(x))

    block = Block()
    assert [v.name for v in block.weights] == ["weight", "bias"]
    assert isinstance(block.inner, layers.TorchModuleWrapper)
    model = kerata.Sequential([block, layers.Dense(3)])
    model.compile(kerata.optimizers.Adam(0.02), "mse")
    losses = model.fit(X, Y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]


def test_modules_in_lists_and_dicts():
    class Stack(layers.Layer):
        def __init__(self):
            super().__init__()
            self.first = [torch.nn.Linear(4, 4), "rest"]
            self.blocks = torch.nn.ModuleList([torch.nn.Linear(4, 4), torch.nn.ReLU()])
            self.heads = torch.nn.ModuleDict({"a": torch.nn.Linear(4, 3)})

        def call(self, x):
            for layer in (self.first[0], *self.blocks):
                x = layer(x)
            return self.heads["a"](x)

    stack = Stack()
    model = kerata.Sequential([layers.Input((4,)), stack])
    assert len(model.trainable_weights) == 6
    assert [type(v) for v in stack.first] == [layers.TorchModuleWrapper, str]
    model.compile(kerata.optimizers.Adam(0.02), "mse")
    losses = model.fit(X, Y, epochs=5, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert len(list(model.parameters())) == 6


def test_one_program():
    """`torch.compile` takes a whole step with a module in it as one graph."""
    model = kerata.Sequential([layers.Input((4,)), layers.TorchModuleWrapper(module())])
    compiled = torch.compile(lambda x: model(x), backend="eager", fullgraph=True)
    torch.testing.assert_close(compiled(torch.from_numpy(X)), model(X))


def test_errors():
    with pytest.raises(TypeError, match=r"must be a torch\.nn\.Module; got 3"):
        layers.TorchModuleWrapper(3)
    with pytest.raises(ValueError, match="weight, bias of the module have no shape yet"):
        layers.TorchModuleWrapper(torch.nn.LazyLinear(3))
    check_other_backend(layers.TorchModuleWrapper(module()), "torch")
