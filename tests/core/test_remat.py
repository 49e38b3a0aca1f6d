"""`remat` and `RematScope`: equal gradients, less kept for the backward pass, which layers."""

import contextlib
import io
import re

import numpy as np
import pytest

import kerata
from kerata import RematScope, layers, ops, remat
from kerata.backends.state import state
from kerata.core import masks
from kerata.core.seeds import set_random_seed

X = np.random.default_rng(0).standard_normal((8, 16)).astype("float32")


def bumpy(x):
    return x * ops.sin(ops.exp(-x * x))


class Block(layers.Layer):
    """Much inside, little outside: random numbers, moving averages and added losses too."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.wide = layers.Dense(256, activation=bumpy, activity_regularizer="l2")
        self.drop = layers.Dropout(0.5, seed=1)
        self.norm = layers.BatchNormalization()
        self.narrow = layers.Dense(16)
        self.runs = 0

    def call(self, x, training=False):
        self.runs += 1
        self.add_loss(1e-3 * ops.sum(x * x))
        y = self.drop(self.wide(x), training=training)
        return x + self.narrow(self.norm(y, training=training))


def model_of(mode, **options):
    set_random_seed(0)
    with RematScope(mode, **options):
        inputs = kerata.Input((16,))
        return kerata.Model(inputs, layers.Dense(1)(Block(name="b")(Block(name="a")(inputs))))


MODES = [
    ("full", {}),
    ("larger_than", {"output_size_threshold": 100}),
    ("activations", {}),
    ("list_of_layers", {"layer_names": ["a", "b"]}),
]


@pytest.mark.slow
def test_training_is_the_same(training_backend):
    def trained(*arguments, **options):
        model = model_of(*arguments, **options)
        model.compile(kerata.optimizers.SGD(1e-3), "mse")
        model.fit(X, X[:, :1], batch_size=4, epochs=2, shuffle=False, verbose=0)
        return model.get_weights()

    expected = trained(None)
    for mode, options in MODES:
        for found, wanted in zip(trained(mode, **options), expected, strict=True):
            np.testing.assert_allclose(found, wanted, rtol=1e-4, atol=1e-5)


def kept_numbers(model, backend):
    """How many numbers stay in memory from the forward pass for the backward pass."""
    if backend == "torch":
        import torch

        sizes = {}
        weights = {v.value.data_ptr() for v in model.variables}

        def pack(x):
            sizes[x.data_ptr()] = 0 if x.data_ptr() in weights else x.numel()
            return x

        with torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
            y = model(X, training=True)  # noqa: F841
        return sum(sizes.values())
    import jax

    values = [
        [v.value for v in vs] for vs in (model.trainable_variables, model.non_trainable_variables)
    ]

    def loss(trainable, x):
        return model.stateless_call(trainable, values[1], x, training=True)[0].sum()

    with contextlib.redirect_stdout(io.StringIO()) as text:
        jax.ad_checkpoint.print_saved_residuals(loss, values[0], X)
    shapes = re.findall(r"^\w+\[([\d,]*)\](?! from the argument)", text.getvalue(), re.M)
    return sum(int(np.prod([int(n) for n in s.split(",") if n])) for s in shapes)


@pytest.mark.parametrize("name", ["jax", "torch"])
def test_less_is_kept(name):
    if name not in kerata.backends.registry.backends(training=True):
        pytest.skip(f"{name} is not installed")
    with kerata.use_backend(name):
        plain, full, some, activations = (
            kept_numbers(model_of(mode, **options), name)
            for mode, options in [
                (None, {}),
                MODES[0],
                ("list_of_layers", {"layer_names": "a"}),
                MODES[2],
            ]
        )
    assert full < plain / 5
    assert full < some < plain
    assert activations < plain


def test_the_inside_runs_again(training_backend):
    model = model_of("full")
    layer = model.get_layer("a")
    assert model._remat is None  # a model as a whole would keep nothing back
    before = layer.runs
    gradients = kerata.grad(lambda: ops.sum(model(X) ** 2), model.trainable_variables)()
    # JAX calls a function once, and runs twice what it recorded of it.
    assert layer.runs - before >= (1 if training_backend == "jax" else 2)
    plain = model_of(None)
    expected = kerata.grad(lambda: ops.sum(plain(X) ** 2), plain.trainable_variables)()
    for found, wanted in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(
            ops.convert_to_numpy(found), ops.convert_to_numpy(wanted), rtol=1e-4, atol=1e-4
        )


def test_which_layers():
    with RematScope("full"):
        outer = layers.Dense(2)
        with RematScope(None):
            none = layers.Dense(2)
        with RematScope("larger_than", 5):
            larger = layers.Dense(2)
    after = layers.Dense(2)
    assert outer._remat.mode == "full" and larger._remat.mode == "larger_than"
    assert none._remat.mode is None and after._remat is None and state.remat is None

    model = model_of(None)
    RematScope("list_of_layers", layer_names=["b"]).apply(model)
    a, b = (model.get_layer(n) for n in "ab")
    call = a.call
    assert a.rematerialized_call(call) is call
    assert b.rematerialized_call(call) is not call and model._remat is None


def test_masks_pass_through(training_backend):
    class Embedded(layers.Layer):
        def __init__(self):
            super().__init__()
            self.embedding = layers.Embedding(5, 3, mask_zero=True)

        def call(self, x):
            return self.embedding(x)

    class Last(layers.Layer):
        supports_masking = True

        def __init__(self):
            super().__init__()
            self.lstm = layers.LSTM(2)

        def call(self, x):
            return self.lstm(x)

    ids = np.array([[1, 2, 0, 0]])
    with RematScope("full"):
        first, second = Embedded(), Last()
    x = first(ids)
    assert ops.convert_to_numpy(masks.get_mask(x)).tolist() == [[True, True, False, False]]
    expected = second.lstm(first.embedding(ids[:, :2]))
    np.testing.assert_allclose(
        ops.convert_to_numpy(second(x)), ops.convert_to_numpy(expected), rtol=1e-5
    )


def test_functions(training_backend):
    weight = kerata.Variable(X[:, :4])

    @remat
    def scaled(x, factor, training=False, extra=None):
        assert extra == {"a": "text"}
        return ops.sin(x * weight) * factor if training else x

    def loss(x):
        return ops.sum(scaled(x, 2.0, training=True, extra={"a": "text"}))

    value, (gradient,) = kerata.jit(kerata.value_and_grad(loss, [weight]))(X[:, :4])
    np.testing.assert_allclose(float(value), 2 * np.sin(X[:, :4] ** 2).sum(), rtol=1e-4)
    expected = 2 * np.cos(X[:, :4] ** 2) * X[:, :4]
    np.testing.assert_allclose(ops.convert_to_numpy(gradient), expected, rtol=1e-4, atol=1e-6)
    symbolic = scaled(kerata.Input((4,)), 1.0, extra={"a": "text"})
    assert symbolic.shape == (None, 4)


def test_half_precision_inside(training_backend):
    with RematScope("full"):
        layer = layers.Dense(4, dtype="mixed_bfloat16")
    layer.build((None, 16))
    (kernel, bias) = kerata.grad(
        lambda: ops.sum(ops.cast(layer(X), "float32")), layer.trainable_variables
    )()
    assert tuple(kernel.shape) == (16, 4) and "float32" in str(kernel.dtype)
    np.testing.assert_allclose(ops.convert_to_numpy(bias), np.full(4, 8.0))


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["foo", 1])
def test_wrong_modes(keras, mode):
    for lib in (keras, kerata):
        with pytest.raises(ValueError, match=str(mode)):
            lib.RematScope(mode)
    with pytest.raises(TypeError, match="output_size_threshold"):
        RematScope("larger_than", "a")
    with pytest.raises(TypeError, match="layer_names"):
        RematScope("list_of_layers", layer_names=["a", 3])
