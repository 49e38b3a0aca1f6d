"""`compile(optimizer={...})`: an optimizer for each part of a model."""

import numpy as np
import pytest

import kerata
from kerata import callbacks, layers
from kerata.optimizers import SGD, Adam

RNG = np.random.default_rng(5)
X = RNG.standard_normal((48, 4)).astype("float32")
Y = {"first": X[:, :1], "second": X[:, 1:2]}


@kerata.saving.register_keras_serializable("test_parts")
class Headed(kerata.Model):
    """A body whose name is not its attribute's, and two heads in a list."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.body = kerata.Sequential([layers.Dense(8, "relu"), layers.Dense(4)], name="trunk")
        self.heads = [layers.Dense(1, name="left"), layers.Dense(1, name="right")]

    def call(self, x):
        h = self.body(x)
        return {"first": self.heads[0](h), "second": self.heads[1](h)}


def fitted(optimizer, model=None, **arguments):
    """The model after an epoch, and which of its variables moved."""
    model = model or Headed()
    model.build((None, 4))
    before = model.get_weights()
    model.compile(optimizer, {"first": "mse", "second": "mae"})
    model.fit(X, Y, batch_size=16, verbose=0, **arguments)
    pairs = zip(before, model.get_weights(), strict=True)
    return model, [not np.array_equal(a, b) for a, b in pairs]


@pytest.mark.parametrize(
    ("keys", "moved"),
    [
        (("body", "heads"), [True] * 4 + [False] * 4),  # attributes
        (("left", "*"), [False] * 4 + [True, True, False, False]),  # a layer, and the rest
        (("dense", "dense_1|named"), [True, True, False, False] + [False] * 4),  # paths
        ((".*kernel", ".*bias"), [True, False] * 4),  # expressions
    ],
)
def test_each_part_has_its_own(training_backend, keys, moved):
    kerata.utils.clear_session()
    _, found = fitted({keys[0]: "sgd", keys[1]: SGD(0.0)}, Headed(name="named"))
    assert found == moved


def test_as_with_one_optimizer_where_they_are_equal(training_backend):
    def trained(optimizer):
        kerata.utils.set_random_seed(1)
        return fitted(optimizer, epochs=3)[0].get_weights()

    single = trained(Adam(0.01))
    for one, other in zip(single, trained({"body": Adam(0.01), "heads": Adam(0.01)}), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6, atol=1e-6)


def test_saved_and_loaded(training_backend, tmp_path):
    model, _ = fitted({"body": "adam", "heads": SGD(0.1, 0.9, gradient_accumulation_steps=2)})
    model.optimizer["heads"].learning_rate = 0.05
    model.save(tmp_path / "model.keras")
    again = kerata.models.load_model(tmp_path / "model.keras")
    assert set(again.optimizer.parts) == {"body", "heads"}
    assert type(again.optimizer["body"]) is Adam
    assert float(again.optimizer["heads"].learning_rate.numpy()) == pytest.approx(0.05)
    histories = [
        m.fit(X, Y, batch_size=16, shuffle=False, verbose=0).history for m in (model, again)
    ]
    assert histories[0] == histories[1]


def test_in_half_precision(training_backend):
    model = kerata.Sequential(
        [layers.Dense(4, name="a", dtype="mixed_float16"), layers.Dense(1, name="b")],
    )
    model.dtype_policy = "mixed_float16"
    model.compile({"a": Adam(0.01), "b": SGD(0.01)}, "mse")
    losses = model.fit(X, X[:, :1], epochs=3, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    assert set(model.get_compile_config()["optimizer"]) == {"a", "b"}


def test_callbacks_change_every_rate(training_backend):
    rates = {"body": SGD(0.1), "heads": SGD(0.01)}
    halve = callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model, _ = fitted(rates, epochs=2, callbacks=[halve])
    history = model.history.history
    np.testing.assert_allclose(history["learning_rate_body"], [0.05, 0.025], rtol=1e-6)
    np.testing.assert_allclose(history["learning_rate_heads"], [0.005, 0.0025], rtol=1e-6)
    lower = callbacks.ReduceLROnPlateau("loss", 0.1, patience=1, min_delta=1e9)
    model.fit(X, Y, verbose=0, epochs=2, callbacks=[lower])
    assert float(rates["body"].learning_rate.numpy()) == pytest.approx(0.0025)
    assert float(rates["heads"].learning_rate.numpy()) == pytest.approx(0.00025)


def test_averages_of_one_part(training_backend):
    model, _ = fitted({"body": SGD(0.1, use_ema=True), "heads": SGD(0.1)})
    swap = callbacks.SwapEMAWeights()
    model.fit(X, Y, verbose=0, validation_data=(X, Y), callbacks=[swap])
    slots = model.optimizer["body"].variables[2:]
    for variable, average in zip(model.body.trainable_variables, slots, strict=True):
        np.testing.assert_array_equal(variable.numpy(), average.numpy())


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        (["body"], r"has none for '.*kernel', .*its keys are 'body'\. The key '\*' stands for"),
        (["body", "heads", "hands"], "key 'hands' of optimizer is no attribute or layer of model.*'trunk'"),
        (["body", "heads", "left"], "both 'heads' and 'left' for '.*left/kernel'"),
        (["body", "heads", "("], r"key '\(' of optimizer is no expression"),
    ],
)  # fmt: skip
def test_errors(training_backend, keys, text):
    with pytest.raises(ValueError, match=text):
        fitted(dict.fromkeys(keys, "sgd"))


def test_there_is_no_such_part(training_backend):
    model, _ = fitted({"body": "sgd", "heads": "adam"})
    with pytest.raises(KeyError, match="no optimizer of 'tail'; there are body, heads"):
        model.optimizer["tail"]
