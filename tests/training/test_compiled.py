"""Compiled steps: whole programs on torch, their number on each backend, several steps in a call."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from tests.conftest import TRAINING

NEVER = 1e-9  # a share to drop at which the code for dropout runs and drops nothing
rng = np.random.default_rng(0)
X, IMAGES = rng.random((16, 8), "float32"), rng.random((16, 8, 8, 3), "float32")
IDS, Y = rng.integers(0, 7, (16, 6)).astype("int32"), np.arange(16, dtype="int32") % 3


def mlp():
    hidden = [layers.Dense(8, activation="relu"), layers.Dropout(NEVER)]
    return kerata.Sequential([kerata.Input((8,)), *hidden, layers.Dense(3, activation="softmax")])


def regression():
    return kerata.Sequential([kerata.Input((8,)), layers.Dense(3, activation="softmax")])


def convnet():
    return kerata.Sequential(
        [
            kerata.Input((8, 8, 3)),
            layers.Conv2D(4, 3, activation="relu"),
            layers.BatchNormalization(),
            layers.MaxPooling2D(),
            layers.Flatten(),
            layers.Dropout(NEVER),
            layers.Dense(3, activation="softmax"),
        ]
    )


def lstm():
    return kerata.Sequential(
        [
            kerata.Input((6,), dtype="int32"),
            layers.Embedding(7, 4, mask_zero=True),
            layers.LSTM(4),
            layers.Dense(3, activation="softmax"),
        ]
    )


def transformer():
    ids = kerata.Input((6,), dtype="int32")
    x = layers.Embedding(7, 4)(ids)
    attended = layers.MultiHeadAttention(2, 2, dropout=NEVER)(x, x)
    x = layers.LayerNormalization()(layers.Add()([x, attended]))
    x = layers.Dropout(NEVER)(layers.Flatten()(x))
    return kerata.Model(ids, layers.Dense(3, activation="softmax")(x))


def trained(make, x, optimizer, jit_compile):
    """The logs of four steps, the prediction after them, and the programs."""
    kerata.utils.set_random_seed(3)
    model = make()
    model.compile(
        optimizer(), "sparse_categorical_crossentropy", metrics=["accuracy"],
        weighted_metrics=["accuracy"], jit_compile=jit_compile,
    )  # fmt: skip
    logs = [model.train_on_batch(x, Y) for _ in range(4)]
    predicted = [model.predict(x, verbose=0) for _ in range(2)][-1]
    return logs, predicted, model.compilations


@pytest.fixture
def traced(monkeypatch):
    """Torch as the active backend; what is compiled is traced whole and not optimized."""
    if "torch" not in TRAINING:
        pytest.skip("torch is not among the tested backends")
    with kerata.use_backend("torch"), warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        from kerata.backends.torch import compiled

        warnings.filterwarnings("ignore", "Dynamo detected a call to a `functools.lru_cache`")
        monkeypatch.setattr(compiled, "COMPILER", "eager")
        yield compiled


@pytest.mark.slow
@pytest.mark.parametrize(
    ("make", "x"), [(mlp, X), (convnet, IMAGES), (lstm, IDS), (transformer, IDS)]
)
def test_the_train_step_is_one_graph_on_torch(traced, make, x):
    """Forward, backward, optimizer and metrics, without a break, with the eager step's results."""

    def momentum():
        return kerata.optimizers.SGD(0.05, momentum=0.9)

    logs, predicted, programs = trained(make, x, momentum, True)
    expected, eager, none = trained(make, x, momentum, False)
    np.testing.assert_allclose(logs, expected, rtol=1e-5)
    np.testing.assert_allclose(predicted, eager, rtol=1e-4, atol=1e-6)
    assert {k: len(v["torch"]) for k, v in programs.items()} == {"train": 1, "predict": 1}
    assert none == {}


@pytest.mark.slow
def test_differentiated_programs_are_whole_with_their_backward_pass(traced, monkeypatch):
    monkeypatch.setattr(traced, "COMPILER", "aot_eager")
    logs, _, _ = trained(mlp, X, kerata.optimizers.AdamW, True)
    expected, _, _ = trained(mlp, X, kerata.optimizers.AdamW, False)
    np.testing.assert_allclose(logs, expected, rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize(
    "optimizer",
    [
        lambda: kerata.optimizers.Adam(0.01, gradient_accumulation_steps=2, global_clipnorm=1.0),
        lambda: kerata.optimizers.LossScaleOptimizer(kerata.optimizers.SGD(0.01)),
    ],
    ids=["accumulation", "loss scale"],
)
def test_updates_under_a_condition_are_in_the_graph(traced, optimizer):
    logs, _, programs = trained(regression, X, optimizer, True)
    np.testing.assert_allclose(logs, trained(regression, X, optimizer, False)[0], rtol=1e-5)
    assert len(programs["train"]["torch"]) == 1


def test_operators_of_tensors_and_variables_are_in_the_graph(traced):
    import torch

    v = kerata.Variable([1.0, 2.0])
    cases = (lambda x: x * v, lambda x: v * x, lambda x: x > v, lambda x: torch.cat([x, v]))
    x = torch.tensor([3.0, 4.0])
    for case in cases:
        compiled = kerata.jit(case, jit_compile=True)
        for _ in range(2):
            np.testing.assert_array_equal(
                ops.convert_to_numpy(compiled(x)), ops.convert_to_numpy(case(x))
            )
        assert len(compiled.compilations["torch"]) == 1


def test_what_torch_cannot_compile_runs_with_one_warning(traced):
    count = kerata.Variable(0, trainable=False)

    def branches(x):
        count.assign_add(1)
        return x + 1.0 if float(ops.convert_to_numpy(ops.sum(x))) > 0 else -x

    compiled = kerata.jit(branches, jit_compile=True)
    x = np.float32([1, 2])
    compiled(x)
    with pytest.warns(UserWarning, match="torch can't compile .*branches, which runs as it is"):
        assert ops.convert_to_numpy(compiled(x)).tolist() == [2.0, 3.0]
    assert ops.convert_to_numpy(compiled(-x)).tolist() == [1.0, 2.0]  # warnings are errors here
    assert ops.convert_to_numpy(compiled(x[:1])).tolist() == [2.0]
    assert int(count) == 4


def test_auto_compiles_nothing_on_the_processor(traced):
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is a GPU, for which auto compiles")
    assert trained(mlp, X, kerata.optimizers.SGD, "auto")[2] == {}


def test_programs_are_counted_in_history(training_backend):
    """A short last batch is a second program; validation, evaluation and prediction have theirs."""
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(2)])
    model.compile("sgd", "mse", steps_per_execution=1)
    x, y = np.ones((20, 4), "float32"), np.ones((20, 2), "float32")
    compiles = training_backend != "torch" or kerata.backends.load("torch").gathers

    def counts():
        programs = model.history.compilations
        return {kind: len(by[training_backend]) for kind, by in programs.items()}

    model.fit(x[:16], y[:16], batch_size=8, epochs=2, verbose=0)
    assert counts() == ({"train": 1} if compiles else {})
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, validation_data=(x[:4], y[:4]))
    # JAX's and TensorFlow's steps gather from the whole array, whose length is 20 now.
    assert counts() == ({"train": 3, "test": 1} if compiles else {})
    model.predict(x, batch_size=8, verbose=0)
    model.fit(x, y, batch_size=8, epochs=1, verbose=0)
    assert counts() == ({"train": 3, "test": 1, "predict": 2} if compiles else {})


@pytest.mark.parametrize("steps", [3, "auto"])
def test_several_steps_in_a_call_equal_single_ones(training_backend, steps):
    """Weights, moving statistics and the optimizer's state, with a short last batch."""

    def states(steps_per_execution):
        kerata.utils.set_random_seed(5)
        norm = layers.BatchNormalization()
        model = kerata.Sequential([kerata.Input((8,)), layers.Dense(4), norm, layers.Dropout(0.3)])
        optimizer = kerata.optimizers.SGD(0.05, momentum=0.9)
        model.compile(optimizer, "mse", steps_per_execution=steps_per_execution)
        model.fit(X, np.tile(X[:, :1], 4), batch_size=3, epochs=2, verbose=0)
        return [v.numpy() for v in (*model.variables, *model.optimizer.variables)]

    for found, expected in zip(states(steps), states(1), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-6)
