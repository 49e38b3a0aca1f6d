"""LoRA: what it computes, trains, freezes and saves."""

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.backends.registry import use_backend

LAYERS = {
    "Dense": (lambda L, **more: L.Dense(5, **more), (3, 4), 0),
    "EinsumDense": (
        lambda L, **more: L.EinsumDense("abc,cde->abde", (None, 2, 3), bias_axes="de", **more),
        (2, 3, 4), 0,
    ),
    "EinsumDense-turned": (
        lambda L, **more: L.EinsumDense("btnh,dnh->btd", (None, 6), **more), (2, 3, 2, 4), 0
    ),
    "Embedding": (lambda L, **more: L.Embedding(7, 4, **more), (2, 3), 7),
    "Conv2D": (lambda L, **more: L.Conv2D(6, 3, groups=2, **more), (2, 5, 5, 4), 0),
    "Conv1D-first": (
        lambda L, **more: L.Conv1D(6, 2, data_format="channels_first", **more), (2, 4, 9), 0
    ),
}  # fmt: skip


def drawn(shape, top):
    rng = np.random.default_rng(1)
    return rng.integers(0, top, shape) if top else rng.normal(size=shape).astype("float32")


def filled(layer):
    rng = np.random.default_rng(2)
    layer.set_weights([rng.normal(size=w.shape).astype("float32") for w in layer.weights])
    return layer


@pytest.fixture(params=LAYERS)
def case(request):
    make, shape, top = LAYERS[request.param]
    return make, drawn(shape, top)


def test_equals_the_layer_with_the_sum(case, backend):
    make, x = case
    adapted = make(layers, lora_rank=2, lora_alpha=3.0)
    adapted(x)
    filled(adapted)
    store = {}
    adapted.save_own_variables(store)
    plain = make(layers)
    plain(x)
    plain.load_own_variables(store)
    found, expected = ops.convert_to_numpy(adapted(x)), ops.convert_to_numpy(plain(x))
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    kernel = np.asarray(getattr(adapted, adapted.adapted))
    np.testing.assert_array_equal(kernel, store["0"])
    adapted.load_own_variables(store)
    np.testing.assert_allclose(ops.convert_to_numpy(adapted(x)), expected, rtol=1e-5, atol=1e-5)


def test_weights_are_those_of_keras(case, keras):
    make, x = case
    ours, theirs = make(layers), make(keras.layers)
    with use_backend("numpy"):
        for layer in (ours, theirs):
            layer(x)
            layer.enable_lora(2)
        ours_then, theirs_then = filled(ours)(x), filled(theirs)(x)
    listed = [
        [(w.path.split("/")[1:], tuple(w.shape), w.trainable) for w in layer.weights]
        for layer in (ours, theirs)
    ]
    assert listed[0] == listed[1]
    np.testing.assert_allclose(ours_then, np.asarray(theirs_then), rtol=1e-5, atol=1e-5)
    keys = ("lora_rank", "lora_alpha")
    assert [ours.get_config()[k] for k in keys] == [theirs.get_config()[k] for k in keys] == [2, 2]
    again = type(ours).from_config(theirs.get_config())
    assert again.lora_rank == 2 and not again.lora_enabled


def test_only_the_product_is_trained(training_backend):
    model = kerata.Sequential(
        [layers.Input((4,)), layers.Dense(8, "relu", name="a"), layers.Dense(1, name="b")]
    )
    x = drawn((32, 4), 0)
    before = model.predict(x, verbose=0)
    (found,) = layers.enable_lora(model, 2, where="a$")
    assert found is model.layers[0]
    np.testing.assert_array_equal(model.predict(x, verbose=0), before)
    assert [v.name for v in model.trainable_variables] == ["lora_kernel_a", "lora_kernel_b"]
    kept = [v.numpy() for v in model.non_trainable_variables]
    model.compile("sgd", "mse")
    history = model.fit(x, x.sum(1), epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    for a, b in zip(kept, model.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(a, b.numpy())


def test_saved_models_have_the_sum(tmp_path):
    with use_backend("numpy"):
        model = kerata.Sequential([layers.Input((4,)), layers.Dense(3)])
        x = drawn((2, 4), 0)
        model.layers[0].enable_lora(2)
        filled(model)
        model.save(tmp_path / "model.keras")
        again = kerata.saving.load_model(tmp_path / "model.keras")
        assert again.layers[0].lora_enabled
        np.testing.assert_allclose(again.predict(x), model.predict(x), rtol=1e-5)


def test_the_kernel_stays_frozen():
    layer = layers.Dense(3, lora_rank=2)
    layer.build((None, 4))
    layer.trainable = False
    assert not layer.trainable_variables
    layer.trainable = True
    assert [v.name for v in layer.trainable_variables] == ["bias", "lora_kernel_a", "lora_kernel_b"]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: layers.Dense(3).enable_lora(2), "needs a built layer"),
        (lambda: layers.Dense(3, lora_rank=0), "lora_rank must be a positive integer; got 0"),
        (lambda: built(kernel_constraint="non_neg").enable_lora(2), "can't keep kernel_constraint"),
        (lambda: built(lora_rank=2).enable_lora(2), "was called before"),
        (
            lambda: layers.enable_lora(built(), 2, where="none"),
            "no layer in .* matches where='none'",
        ),
    ],
)
def test_refusals(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def built(**options):
    layer = layers.Dense(3, **options)
    layer.build((None, 4))
    return layer
