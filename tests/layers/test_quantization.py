"""Quantized layers: against Keras, on every backend, trained, saved, with LoRA."""

import json
from unittest import mock

import numpy as np
import pytest

import kerata
from kerata import layers, ops, quantizers
from kerata.backends.registry import use_backend

EINSUM = {
    "EinsumDense": ("abc,cde->abde", (None, 2, 3), (2, 3, 4), "de"),
    "EinsumDense-two": ("btnh,nhd->btd", (None, 6), (2, 3, 2, 4), None),
    "EinsumDense-turned": ("btnh,dnh->btd", (None, 6), (2, 3, 2, 4), None),
    "EinsumDense-swapped": ("abc,cde->abed", (None, 3, 2), (2, 3, 4), None),
    "EinsumDense-apart": ("abc,dce->adeb", (3, 5, None), (2, 3, 4), None),
}
LAYERS = {
    "Dense": (lambda L, **more: L.Dense(5, "tanh", **more), (3, 6), 0),
    "Dense-3D": (lambda L, **more: L.Dense(7, use_bias=False, **more), (3, 2, 6), 0),
    **{
        name: (
            lambda L, e=equation, s=shape, b=bias, **more: L.EinsumDense(e, s, bias_axes=b, **more),
            inputs, 0,
        )
        for name, (equation, shape, inputs, bias) in EINSUM.items()
    },
    "Embedding": (lambda L, **more: L.Embedding(7, 5, **more), (2, 3), 7),
    "ReversibleEmbedding": (lambda L, **more: L.ReversibleEmbedding(7, 4, **more), (2, 3), 7),
    "ReversibleEmbedding-untied": (
        lambda L, **more: L.ReversibleEmbedding(7, 4, tie_weights=False, **more), (2, 3), 7
    ),
}  # fmt: skip
MODES = {
    "int8": lambda q: q.Int8QuantizationConfig(),
    "int8-weights": lambda q: q.Int8QuantizationConfig(activation_quantizer=None),
    "int4": lambda q: q.Int4QuantizationConfig(),
    "int4-blocks": lambda q: q.Int4QuantizationConfig(block_size=3),
    "int4-columns": lambda q: q.Int4QuantizationConfig(block_size=None),
    "int4-inputs": lambda q: q.Int4QuantizationConfig(
        activation_quantizer=q.AbsMaxQuantizer(), block_size=-1
    ),
    "float8": lambda q: q.Float8QuantizationConfig(),
}
FEW = ("Dense-3D", "EinsumDense-two", "EinsumDense-swapped", "EinsumDense-apart", "Embedding")
CASES = [
    (name, mode)
    for name in LAYERS
    for mode in (("int8", "int4-blocks", "int4-columns") if name in FEW else MODES)
    if mode != "float8" or name == "EinsumDense-turned"
] + [("Dense-3D", "float8")]
LORA = ("Dense", "EinsumDense-two", "EinsumDense-turned", "Embedding")


def drawn(shape, top=0, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, top, shape) if top else rng.normal(size=shape).astype("float32")


def filled(layer):
    layer.set_weights([drawn(w.shape, seed=i) for i, w in enumerate(layer.weights)])
    return layer


def quantized(library, name, mode, lora=None):
    make, shape, top = LAYERS[name]
    layer = make(library.layers)
    layer(drawn(shape, top))
    if lora:
        layer.enable_lora(lora, 3.0)
    filled(layer).quantize(config=MODES[mode](library.quantizers))
    return layer


def outputs(layer, name):
    _, shape, top = LAYERS[name]
    # OpenVINO rounds some numbers to a neighbouring float8.
    run = layer if layer.quantization_mode == "float8" else kerata.jit(layer)
    found = [run(drawn(shape, top))]
    if name.startswith("Rev"):
        found.append(kerata.jit(lambda x: layer(x, reverse=True))(drawn((2, 3, 4))))
    return [np.asarray(ops.convert_to_numpy(y)) for y in found]


def described(layer):
    return [
        ("/".join(w.path.split("/")[1:]), tuple(w.shape), str(w.dtype), w.trainable)
        for w in layer.weights
    ]


def stored(layer):
    store = {}
    layer.save_own_variables(store)
    return {k: np.asarray(v) for k, v in store.items()}


def close(found, expected, tolerance=1e-5):
    for a, b in zip(found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


@pytest.fixture(scope="module")
def peers():
    """Keras' layers, what they compute and keep, made once."""
    keras = pytest.importorskip("keras")
    found = {}

    def peer(name, mode):
        if (name, mode) not in found:
            with mock.patch("gc.collect"):  # takes a second in a process that holds so much
                layer = quantized(keras, name, mode)
            with use_backend("numpy"):
                y = outputs(layer, name)
            found[name, mode] = (
                described(layer), y, stored(layer), layer.get_config(), layer.dtype_policy.name
            )  # fmt: skip
        return found[name, mode]

    return peer


@pytest.mark.oracle
@pytest.mark.filterwarnings("ignore:.custom_gradient. for the numpy backend")
@pytest.mark.parametrize(("name", "mode"), CASES)
def test_equals_keras(name, mode, backend, peers):
    """Variables, files, config and outputs; and a layer made of Keras' config and file."""
    variables, expected, store, config, policy = peers(name, mode)
    layer = quantized(kerata, name, mode)
    assert described(layer) == variables
    assert layer.dtype_policy.name == policy
    assert layer.quantization_mode == mode.split("-")[0]
    own = layer.get_config()
    for key in ("dtype", "quantization_config"):
        assert json.dumps(own[key]).replace("kerata.", "keras.") == json.dumps(config[key])
    found = stored(layer)
    assert {k: (v.shape, v.dtype) for k, v in found.items()} == {
        k: (v.shape, v.dtype) for k, v in store.items()
    }
    close(found.values(), store.values())
    close(outputs(layer, name), expected)
    again = type(layer).from_config(config)
    again.build(LAYERS[name][1])
    again.load_own_variables(store)
    close(outputs(again, name), expected)


@pytest.mark.parametrize(("name", "mode"), [c for c in CASES if c[0] in LORA])
def test_lora_on_top(name, mode, backend):
    """It adds its product, keeps the rest, and is quantized with the weight in files."""
    layer = quantized(kerata, name, mode)
    before = outputs(layer, name)
    layer.enable_lora(2, 3.0)
    a, b = layer.lora.a, layer.lora.b
    close(outputs(layer, name), before)
    b.assign(drawn(b.shape))
    weight = np.asarray(layer.lora)
    expected = layer.lora.weight.numpy() + 1.5 * (a.numpy() @ b.numpy())
    np.testing.assert_allclose(weight, expected, rtol=1e-5, atol=1e-5)
    assert [v.name for v in layer.trainable_variables if v.shape in (a.shape, b.shape)]
    # One made with LoRA and then quantized computes the same.
    other = quantized(kerata, name, mode, lora=2)
    other.load_own_variables(stored(quantized(kerata, name, mode)))
    other.lora.a.assign(a.numpy())
    other.lora.b.assign(b.numpy())
    close(outputs(other, name), outputs(layer, name))
    merged = quantized(kerata, name, mode)
    merged.load_own_variables(stored(layer))
    step = np.abs(weight).max() / (7 if "int4" in mode else 60)
    kept = np.asarray(getattr(merged, merged.adapted))
    # The zero points of small blocks are cut off where all values have one sign.
    assert np.abs(kept - weight).max() < (1 if "blocks" not in mode else 7) * step


@pytest.mark.parametrize("mode", [m for m in MODES if m != "float8"])
@pytest.mark.parametrize("name", ["Dense", "EinsumDense-two", "EinsumDense-turned"])
def test_gradients_are_those_of_the_weight_as_it_stands(name, mode, training_backend):
    layer = quantized(kerata, name, mode)
    layer.activation = kerata.activations.linear
    x = kerata.Variable(drawn(LAYERS[name][1]))
    plain = LAYERS[name][0](layers)
    plain.activation = kerata.activations.linear
    plain.build(x.shape)
    plain.kernel.assign(np.asarray(layer.kernel))
    weight = drawn(tuple(plain(x).shape), seed=9)

    def gradient(of):
        def loss():
            return ops.sum(of(x.value) * ops.convert_to_tensor(weight))

        return ops.convert_to_numpy(kerata.grad(loss, [x])()[0])

    np.testing.assert_allclose(gradient(layer), gradient(plain), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_open_sizes_and_compiled(mode, backend):
    inputs = kerata.Input((None, 6))
    model = kerata.Model(
        inputs, layers.Dense(4)(layers.EinsumDense("abc,cd->abd", (None, 3))(inputs))
    )
    model.quantize(config=MODES[mode](quantizers))
    x = drawn((2, 5, 6))
    assert model.output_shape == (None, None, 4)
    compiled = kerata.jit(lambda x: model(x))
    # Between two numbers of 8 bits, the last bit of a float decides.
    tolerance = 0.05 if mode == "float8" else 1e-5
    np.testing.assert_allclose(
        ops.convert_to_numpy(compiled(x)),
        ops.convert_to_numpy(model(x)),
        rtol=tolerance,
        atol=tolerance,
    )


@pytest.mark.parametrize(("mode", "tolerance"), [("int8", 0.05), ("int4", 0.5), ("float8", 0.2)])
@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_stays_near_the_floats(mode, tolerance, dtype, backend):
    layer = layers.Dense(8, dtype=dtype)
    x = drawn((4, 32))
    before = ops.convert_to_numpy(layer(x)).astype("float32")
    layer.quantize(mode)
    y = ops.convert_to_numpy(layer(x))
    assert y.dtype == before.astype(layer.compute_dtype).dtype
    assert 0 < np.abs(y.astype("float32") - before).max() < tolerance


def small_model():
    return kerata.Sequential(
        [
            layers.Input((8,)),
            layers.Dense(16, "relu", name="first"),
            layers.BatchNormalization(),
            layers.Dense(2, name="last"),
        ]
    )


def test_training_in_float8(training_backend):
    """Scales follow from the largest values of the steps before."""
    model = small_model()
    model.quantize("float8")
    model.compile(kerata.optimizers.SGD(0.05), "mse")
    x = drawn((64, 8))
    history = model.fit(x, x[:, :2], epochs=6, batch_size=32, verbose=0).history["loss"]
    assert history[-1] < history[0]
    first = model.get_layer("first")
    largest = first.inputs_amax_history.numpy().max()
    assert float(first.inputs_scale) == pytest.approx(largest / 448)
    assert 0 < float(first.outputs_grad_scale) < 1


@pytest.mark.slow
@pytest.mark.oracle
def test_training_in_float8_is_that_of_keras(training_backend):
    """Three steps, as Keras 3.15.1 made them on JAX: losses and weights."""
    rng = np.random.default_rng(0)
    x, y = (rng.normal(size=(8, n)).astype("float32") for n in (4, 2))
    model = kerata.Sequential(
        [layers.Input((4,)), layers.Dense(2, use_bias=False, kernel_initializer="ones")]
    )
    model.quantize("float8")
    model.compile(kerata.optimizers.SGD(0.1), "mse")
    losses = [
        model.fit(x, y, batch_size=8, verbose=0, shuffle=False).history["loss"][0] for _ in range(3)
    ]
    np.testing.assert_allclose(losses, [6.54243278, 5.15946293, 4.04239178], rtol=1e-6)
    kernel = model.layers[0].kernel.numpy().ravel()[:4]
    np.testing.assert_allclose(kernel, [0.598784, 0.482263, 0.933118, 0.849239], rtol=1e-5)


@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_only_lora_is_trained(mode, training_backend):
    model = small_model()
    model.quantize(mode)
    layers.enable_lora(model, 2)
    kept = [v.numpy() for v in model.non_trainable_variables if v.dtype == "int8"]
    model.compile("sgd", "mse")
    x = drawn((32, 8))
    history = model.fit(x, x[:, :2], epochs=4, verbose=0).history["loss"]
    assert history[-1] < history[0]
    now = [v.numpy() for v in model.non_trainable_variables if v.dtype == "int8"]
    for a, b in zip(kept, now, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("mode", ["int8", "int4", "int4-blocks", "int4-columns", "float8"])
def test_models_are_saved(mode, tmp_path, backend):
    """Also those whose layers make the quantized ones, such as attention."""
    inputs = layers.Input((5,), dtype="int32")
    x = layers.Embedding(11, 6)(inputs)
    x = layers.MultiHeadAttention(2, 3)(x, x)
    x = layers.TimeDistributed(layers.Dense(4))(x)
    model = kerata.Model(inputs, layers.Dense(3)(x))
    ids = drawn((2, 5), 11)
    before = model.predict(ids, verbose=0)
    model.quantize(config=MODES[mode](quantizers))
    expected = model.predict(ids, verbose=0)
    assert np.abs(expected - before).max() > 0
    model.save(tmp_path / "model.keras")
    model.save_weights(tmp_path / "model.weights.h5")
    again = kerata.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.predict(ids, verbose=0), expected, rtol=1e-5, atol=1e-6)
    assert [v.dtype for v in again.weights] == [v.dtype for v in model.weights]
    again.load_weights(tmp_path / "model.weights.h5")
    np.testing.assert_allclose(again.predict(ids, verbose=0), expected, rtol=1e-5, atol=1e-6)


def test_quantizers_that_files_do_not_keep():
    inputs = layers.Input((5, 4))
    model = kerata.Model(inputs, layers.MultiHeadAttention(2, 3)(inputs, inputs))
    with pytest.warns(UserWarning, match="makes query, .* itself"):
        model.quantize(config=MODES["int8-weights"](quantizers))
    wrapped = kerata.Model(inputs, layers.TimeDistributed(layers.Dense(3))(inputs))
    wrapped.quantize(config=MODES["int8-weights"](quantizers))
    again = type(wrapped).from_config(wrapped.get_config())
    assert again.layers[-1].layer.quantization_config.activation_quantizer is None


@pytest.mark.oracle
@pytest.mark.parametrize("mode", ["int8", "int4"])
def test_files_are_exchanged_with_keras(mode, tmp_path, keras):
    def model(library):
        return filled(
            library.Sequential(
                [
                    library.layers.Input((5,)),
                    library.layers.Embedding(11, 6),
                    library.layers.Dense(4, "relu"),
                    library.layers.EinsumDense("abc,cd->abd", (None, 3), bias_axes="d"),
                ]
            )
        )

    ids = drawn((2, 5), 11)
    with use_backend("numpy"):
        ours, theirs = model(kerata), model(keras)
        for each in (ours, theirs):
            each.quantize(mode)
        expected = np.asarray(theirs.predict(ids, verbose=0))
        theirs.save(tmp_path / "theirs.keras")
        read = kerata.saving.load_model(tmp_path / "theirs.keras")
        np.testing.assert_allclose(read.predict(ids, verbose=0), expected, rtol=1e-5, atol=1e-5)
        ours.layers[1].kernel.assign(drawn((6, 4), seed=7))
        expected = ours.predict(ids, verbose=0)
        ours.save_weights(tmp_path / "ours.weights.h5")
        theirs.load_weights(tmp_path / "ours.weights.h5")
        found = np.asarray(theirs.predict(ids, verbose=0))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)


def test_which_layers():
    with use_backend("numpy"):
        model = small_model()
        model.quantize("int8", filters=["^fi", "nothing"])
        assert [x.quantization_mode for x in model.layers] == ["int8", None, None]
        model.quantize("int4", filters=lambda layer: layer.name == "last")
        assert [x.quantization_mode for x in model.layers] == ["int8", None, "int4"]
        model = small_model()
        (found,) = quantizers.quantize_model(model, "int8", where="last$")
        assert found is model.layers[-1]
        assert not quantizers.quantize_model(model, "int4", where=lambda path: False)
        assert model.quantization_mode is None
        assert model.count_params() == small_model().count_params() + 2


def test_what_a_policy_builds():
    with use_backend("numpy"):
        for name in ("int8_from_float32", "int4/2_from_float32", "int4_from_float32"):
            layer = layers.Dense(5, dtype=name)
            y = layer(drawn((3, 4)))
            assert y.shape == (3, 5) and not np.asarray(y).any()
            layer.kernel.assign(kernel := drawn((4, 5)))
            assert np.abs(layer.kernel.numpy() - kernel).max() < 2
        layer = layers.Dense(5, dtype="int4/3_from_float32")
        assert layer(kerata.Input((4,))).shape == (None, 5)
        assert layer.g_idx.numpy().tolist() == [0, 0, 0, 1]
        layer = layers.Dense(5)
        layer.quantized_build((3, 4), "int8")
        assert [w.name for w in layer.weights] == ["bias", "kernel", "kernel_scale"]
        assert layer.quantized_call(drawn((3, 4))).shape == (3, 5)


def test_a_users_subclass():
    class Own(layers.Dense):
        pass

    with use_backend("numpy"):
        layer = Own(3)
        layer.build((None, 4))
        with pytest.raises(NotImplementedError, match="type_check=False"):
            layer.quantize("int8")
        model = kerata.Sequential([layers.Input((4,)), layer])
        model.quantize("int8")
        assert layer.quantization_mode is None
        layer.quantize("int8", type_check=False)
        assert layer.quantization_mode == "int8"


def built(dtype=None):
    layer = layers.Dense(3, dtype=dtype)
    layer.build((None, 4))
    return layer


REFUSED = {
    "mode must be one of int8, int4, float8; got 'gptq'": lambda: built().quantize("gptq"),
    "mode must be one of int8, int4, float8; got 'awq'": lambda: layers.Conv2D(1, 1).quantize("awq"),
    "give a mode or a config": lambda: built().quantize(),
    "must be built to be quantized": lambda: layers.Dense(3).quantize("int8"),
    r"Conv2D\) has no weights to quantize": lambda: layers.Conv2D(1, 1).quantize("int8"),
    r"Conv2D\) has no quantized weights": lambda: layers.Conv2D(1, 1).quantized_call(1),
    r"Dense\) has no quantized weights": lambda: built().quantized_call(1),
    "has the modes int8, int4; got 'float8'": lambda: layers.Embedding(2, 3).quantize("float8"),
    "quantized already: 'int8_from_float32'": lambda: built("int8_from_float32").quantize("int4"),
    "mode is 'int8', and that of config 'int4'": lambda: built().quantize(
        "int8", config=quantizers.Int4QuantizationConfig()
    ),
    "config must be a QuantizationConfig; got 3": lambda: built().quantize("int8", config=3),
    "can't be computed with in float16": lambda: built("float16").quantize("int8"),
    "under the dtype policy 'gptq/4/2_from_float32'": lambda: layers.Dense(
        3, dtype="gptq/4/2_from_float32"
    )(drawn((2, 4))),
}  # fmt: skip


@pytest.mark.parametrize("message", REFUSED)
def test_refusals(message):
    with use_backend("numpy"), pytest.raises((ValueError, NotImplementedError), match=message):
        REFUSED[message]()
