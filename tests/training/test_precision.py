"""Mixed precision under `fit`: loss scaling, half-precision layers, float32 sums, files."""

import itertools

import numpy as np
import pytest

import kerata
from kerata import layers, losses, metrics, ops
from kerata.optimizers import SGD, LossScaleOptimizer

RNG = np.random.default_rng(0)


@pytest.fixture
def policy():
    """Sets the policy of the layers made in a test."""
    yield kerata.config.set_dtype_policy
    kerata.config.set_dtype_policy("float32")


def sequences():
    return RNG.standard_normal((32, 6, 4)).astype("float32")


class Attention(layers.Layer):
    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.attention = layers.MultiHeadAttention(2, 4)
        self.norm = layers.LayerNormalization()

    def call(self, x):
        return self.norm(x + self.attention(x, x))


def body():
    return [
        kerata.Input((6, 4)),
        layers.Conv1D(6, 3, padding="same", activation="relu"),
        layers.BatchNormalization(),
        layers.LSTM(8, return_sequences=True),
        Attention(),
        layers.Flatten(),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["mixed_bfloat16", "mixed_float16"])
def test_models_train(training_backend, policy, name):
    x = sequences()
    y = (x[:, 0].sum(1) > 0).astype("int32")
    policy(name)
    model = kerata.Sequential([*body(), layers.Dense(2, activation="softmax", dtype="float32")])
    assert {v.stored_dtype for v in model.trainable_variables} == {"float32"}
    half = name.removeprefix("mixed_")
    assert {x.output.dtype for x in model.layers[:-1]} == {half} and model.output.dtype == "float32"
    model.compile(kerata.optimizers.Adam(0.02), "sparse_categorical_crossentropy")
    found = model.fit(x, y, batch_size=16, epochs=8, verbose=0).history["loss"]
    assert found[-1] < 0.9 * found[0]


def test_the_scale_adapts(training_backend):
    """As Keras does it: the numbers are those of its steps on the same data."""
    x = RNG.standard_normal((5, 4, 3)).astype("float32")
    x[2] *= 1e5  # beyond the range of float16
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1, dtype="mixed_float16")])
    optimizer = LossScaleOptimizer(SGD(0.01, momentum=0.9), 1024.0, dynamic_growth_steps=2)
    model.compile(optimizer, "mse")
    seen, weights = [], [model.get_weights()[0]]
    for batch in x:
        model.train_on_batch(batch, batch[:, :1])
        scale = ops.convert_to_numpy(optimizer.dynamic_scale)
        seen.append((float(scale), int(optimizer.step_counter), int(optimizer.iterations)))
        weights.append(model.get_weights()[0])
    assert seen == [(1024, 1, 1), (2048, 0, 2), (1024, 0, 2), (1024, 1, 3), (2048, 0, 4)]
    moved = [not np.array_equal(a, b) for a, b in itertools.pairwise(weights)]
    assert moved == [True, True, False, True, True]


def test_several_steps_in_one_call_skip_too(training_backend):
    x = RNG.standard_normal((24, 3)).astype("float32")
    x[8:12] *= 1e5
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1, dtype="mixed_float16")])
    optimizer = LossScaleOptimizer(SGD(0.01), 1024.0, dynamic_growth_steps=100)
    model.compile(optimizer, "mse", steps_per_execution=3)
    model.fit(x, x[:, :1], batch_size=4, shuffle=False, verbose=0)
    assert (int(optimizer.iterations), float(optimizer.dynamic_scale)) == (5, 512.0)
    assert np.isfinite(model.get_weights()[0]).all()


def test_scaled_steps_are_the_plain_ones(training_backend):
    """A power of two changes no digit of a gradient."""
    x = RNG.standard_normal((16, 3)).astype("float32")

    def trained(optimizer):
        kerata.core.seeds.set_random_seed(0)
        model = kerata.Sequential([kerata.Input((3,)), layers.Dense(4), layers.Dense(1)])
        model.compile(optimizer, "mse")
        model.fit(x, x[:, :1], batch_size=4, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()

    plain, scaled = trained(SGD(0.1)), trained(LossScaleOptimizer(SGD(0.1)))
    for found, expected in zip(scaled, plain, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_when_the_loss_is_scaled(policy):
    policy("mixed_float16")
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert isinstance(model.optimizer, LossScaleOptimizer)
    model.compile("sgd", "mse", auto_scale_loss=False)
    assert isinstance(model.optimizer, SGD)
    policy("mixed_bfloat16")
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1)])
    model.compile("sgd", "mse")
    assert isinstance(model.optimizer, SGD)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_sums_are_float32(backend, policy, dtype):
    policy(f"mixed_{dtype}")
    values = ops.cast(np.full(3000, 1.0 + 2**-7), dtype)
    mean = metrics.Mean()
    assert {v.stored_dtype for v in mean.variables} == {"float32"}
    mean.update_state(values)
    mean.update_state(values)
    assert float(mean.result()) == 1.0 + 2**-7
    zeros = ops.zeros(3000, dtype)
    loss = losses.MeanSquaredError()(zeros, values)
    assert backend.dtype_of(loss) == "float32"
    assert float(loss) == pytest.approx((1 + 2**-7) ** 2, rel=1e-6)
    error = metrics.MeanAbsoluteError()
    error.update_state(zeros, values)
    assert float(error.result()) == pytest.approx(1 + 2**-7, rel=1e-6)


def test_files_keep_policies(training_backend, policy, tmp_path):
    x = sequences()
    policy("mixed_bfloat16")
    inner = [layers.Flatten(), layers.Dense(4), layers.Dense(1, dtype="float32")]
    model = kerata.Sequential([kerata.Input((6, 4)), *inner])
    model.compile("adam", "mse")
    model.fit(x, x[:, 0, :1], verbose=0)
    policy("float32")
    model.save(tmp_path / "model.keras")
    again = kerata.saving.load_model(tmp_path / "model.keras")
    assert [x.dtype_policy.name for x in again.layers] == ["mixed_bfloat16"] * 2 + ["float32"]
    assert {v.stored_dtype for v in again.weights} == {"float32"}
    for found, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(again.predict(x, verbose=0), model.predict(x, verbose=0))
