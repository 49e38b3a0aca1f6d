"""Hand-written steps as functions of the state, inside the engines' own transformations."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.backends.registry import use_backend


class Parts:
    """A model with all kinds of state, what trains it, its state and data."""

    def __init__(self, rate=0.1):
        self.model = kerata.Sequential(
            [
                layers.Input((4,)),
                layers.Dense(8, "relu", use_bias=False),
                layers.BatchNormalization(),
                layers.Dropout(rate),
                layers.Dense(3),
            ]
        )
        self.optimizer = kerata.optimizers.Adam(0.01)
        self.optimizer.build(self.model.trainable_variables)
        self.metric = kerata.metrics.MeanSquaredError()
        self.loss = kerata.losses.MeanSquaredError()
        self.x = np.random.default_rng(0).random((16, 4)).astype("float32")
        self.y = self.x[:, :3]

    def groups(self):
        model = self.model
        return (
            model.trainable_variables,
            model.non_trainable_variables,
            self.optimizer.variables,
            self.metric.variables,
        )

    def values(self):
        return tuple([kerata.ops.convert_to_tensor(v.numpy()) for v in g] for g in self.groups())

    def arrays(self):
        return [v.numpy() for group in self.groups() for v in group]

    def loss_of(self, trained, others, x, y):
        found, others = self.model.stateless_call(trained, others, x, training=True)
        return self.loss(y, found), (found, others)

    def step(self, gradients):
        """A step of training as a function of the state and a batch."""

        def step(state, batch):
            (trained, others, slots, sums), (x, y) = state, batch
            slopes, (found, others) = gradients(trained, others, x, y)
            trained, slots = self.optimizer.stateless_apply(slots, slopes, trained)
            sums = self.metric.stateless_update_state(sums, y, found)
            return (trained, others, slots, sums), self.metric.stateless_result(sums)

        return step


def run(parts, step, batch, steps=4):
    """The metric after each step; the model's own variables stay as they are."""
    before, state, found = parts.arrays(), parts.values(), []
    for _ in range(steps):
        state, value = step(state, batch)
        found.append(float(value))
    for a, b in zip(parts.arrays(), before, strict=True):
        np.testing.assert_array_equal(a, b)
    return found, state


@pytest.fixture
def jax():
    found = pytest.importorskip("jax")
    with use_backend("jax"):
        yield found


@pytest.fixture
def torch():
    found = pytest.importorskip("torch")
    with use_backend("torch"):
        yield found


def test_engines_agree(jax):
    torch = pytest.importorskip("torch")
    kerata.utils.set_random_seed(1)
    parts = Parts(rate=0.0)
    step = jax.jit(parts.step(jax.grad(parts.loss_of, has_aux=True)))
    expected, _ = run(parts, step, (parts.x, parts.y))
    assert expected[-1] < expected[0]
    with use_backend("torch"):
        step = parts.step(torch.func.grad(parts.loss_of, has_aux=True))
        batch = torch.from_numpy(parts.x), torch.from_numpy(parts.y)
        np.testing.assert_allclose(run(parts, step, batch)[0], expected, rtol=1e-4)


def test_steps_equal_those_of_fit(training_backend):
    engine = {"jax": _by_jax, "torch": _by_torch, "tensorflow": _by_tape}[training_backend]
    parts = Parts(rate=0.0)
    trained, others, *_ = run(parts, parts.step(engine(parts)), _batch(parts))[1]
    parts.model.compile(parts.optimizer, "mse", run_eagerly=True)
    parts.model.fit(parts.x, parts.y, epochs=4, batch_size=16, shuffle=False, verbose=0)
    for group, values in zip(parts.groups(), (trained, others), strict=False):
        for variable, value in zip(group, values, strict=True):
            if variable.dtype == "float32":
                found = kerata.ops.convert_to_numpy(value)
                np.testing.assert_allclose(variable.numpy(), found, rtol=1e-4, atol=1e-5)


def _batch(parts):
    return kerata.ops.convert_to_tensor(parts.x), kerata.ops.convert_to_tensor(parts.y)


def _by_jax(parts):
    import jax

    return jax.grad(parts.loss_of, has_aux=True)


def _by_torch(parts):
    import torch

    return torch.func.grad(parts.loss_of, has_aux=True)


def _by_tape(parts):
    import tensorflow as tf

    def gradients(trained, others, x, y):
        with tf.GradientTape() as tape:
            tape.watch(trained)
            loss, aux = parts.loss_of(trained, others, x, y)
        return tape.gradient(loss, trained), aux

    return gradients


def test_jax_maps_and_scans(jax):
    parts = Parts()
    step = jax.jit(parts.step(jax.grad(parts.loss_of, has_aux=True)))
    state, batch = parts.values(), (parts.x, parts.y)
    expected = float(step(state, batch)[1])
    alone = jax.tree.map(lambda v: v[None], (state, batch))
    assert float(jax.pmap(step)(*alone)[1][0]) == pytest.approx(expected, rel=1e-5)
    twice = jax.tree.map(lambda v: jax.numpy.stack([v, v]), state)
    ensemble = jax.vmap(step, in_axes=(0, None))(twice, batch)[1]
    np.testing.assert_allclose(ensemble, [expected, expected], rtol=1e-5)
    _, losses = jax.lax.scan(lambda s, _: step(s, batch), state, None, length=3)
    np.testing.assert_allclose(losses, run(parts, step, batch, 3)[0], rtol=1e-5)


_ON_TWO_DEVICES = """
import jax
from kerata.backends.registry import use_backend
from tests.layers.test_stateless import Parts

with use_backend("jax"):
    parts = Parts()
    step = parts.step(jax.grad(parts.loss_of, has_aux=True))
    state, batch = parts.values(), (parts.x, parts.y)
    split = jax.tree.map(lambda v: v.reshape(2, 8, *v.shape[1:]), batch)
    (trained, *_), found = jax.pmap(step, in_axes=(None, 0))(state, split)
    assert len(found.devices()) == 2
    for device in range(2):
        half = jax.tree.map(lambda v: v[device], split)
        (alone, *_), value = jax.jit(step)(state, half)
        for a, b in zip((found[device], trained[0][device]), (value, alone[0])):
            assert abs(a - b).max() < 1e-5
    print("same")
"""


@pytest.mark.slow
def test_jax_on_two_devices(jax):
    root = Path(__file__).parents[2]
    flags = "--xla_force_host_platform_device_count=2"
    done = subprocess.run(
        [sys.executable, "-c", _ON_TWO_DEVICES],
        cwd=root,
        env={**os.environ, "XLA_FLAGS": flags, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout == "same\n", done.stderr


@pytest.mark.parametrize("engine", ["jax", "torch"])
def test_gradients_of_each_sample(engine, request):
    found = request.getfixturevalue(engine)
    func = found if engine == "jax" else found.func
    parts = Parts(rate=0.0)
    trained, others, *_ = parts.values()

    def loss(trained, x, y):
        y_pred, _ = parts.model.stateless_call(trained, others, x[None], training=False)
        return parts.loss(y[None], y_pred)

    x, y = _batch(parts)
    each = func.vmap(func.grad(loss), in_dims=(None, 0, 0)) if engine == "torch" else None
    each = each or func.vmap(func.grad(loss), in_axes=(None, 0, 0))
    slopes = [kerata.ops.convert_to_numpy(g) for g in each(trained, x, y)]
    assert [g.shape for g in slopes] == [(16, *v.shape) for v in parts.model.trainable_variables]
    for a, b in zip(slopes, func.grad(loss)(trained, x[3], y[3]), strict=True):
        np.testing.assert_allclose(a[3], kerata.ops.convert_to_numpy(b), rtol=1e-4, atol=1e-6)


def test_ensemble_in_torch(torch):
    parts = Parts(rate=0.0)
    trained, others, *_ = parts.values()
    x, y = _batch(parts)
    gradients = torch.func.grad(parts.loss_of, has_aux=True)
    twice = [torch.stack([v, 2 * v]) for v in trained]
    slopes, (found, state) = torch.func.vmap(gradients, in_dims=(0, None, None, None))(
        twice, others, x, y
    )
    alone, (y_pred, _) = gradients(trained, others, x, y)
    assert found.shape == (2, 16, 3)
    assert state[0].shape == (2, 8)
    torch.testing.assert_close(found[0], y_pred, rtol=1e-4, atol=1e-5)
    torch.testing.assert_close(slopes[0][0], alone[0], rtol=1e-4, atol=1e-5)


def test_wrong_counts(backend):
    parts = Parts()
    trained, others, slots, sums = parts.values()
    with pytest.raises(ValueError, match=r"5 trainable and 3 other .* 4 and 3 values"):
        parts.model.stateless_call(trained[1:], others, parts.x)
    with pytest.raises(ValueError, match="12 variables and was built for 5; 11 and 5"):
        parts.optimizer.stateless_apply(slots[1:], trained, trained)
    with pytest.raises(ValueError, match="2 variables, and 1 values"):
        parts.metric.stateless_update_state(sums[1:], parts.y, parts.y)
    with pytest.raises(ValueError, match=r"Dense.* has no variables yet"):
        layers.Dense(2).stateless_call([], [], parts.x)
