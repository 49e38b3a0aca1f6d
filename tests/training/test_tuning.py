"""Finding a learning rate and a batch size; the model stays as it was."""

from __future__ import annotations

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.training import tuning
from kerata.training.tuning import LearningRates

RNG = np.random.default_rng(0)
X = RNG.random((320, 8)).astype("float32")
Y = (X @ RNG.random((8, 1))).astype("float32")


def compiled(*extra, optimizer="sgd", **options):
    kerata.utils.set_random_seed(0)
    model = kerata.Sequential(
        [
            kerata.Input((8,)),
            *extra,
            layers.Dense(16, activation="relu"),
            layers.Dropout(0.1),
            layers.Dense(1),
        ]
    )
    model.compile(optimizer, "mse", **options)
    return model


def after(model, **options):
    """What training comes to from here."""
    history = model.fit(X, Y, batch_size=32, epochs=2, verbose=0, **options)
    return history.history["loss"], [v.numpy() for v in model.variables]


def assert_same(first, second):
    assert first[0] == second[0]
    for a, b in zip(first[1], second[1], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_learning_rate_is_found_and_all_is_as_before(training_backend, optimizer):
    plain, model = compiled(optimizer=optimizer), compiled(optimizer=optimizer)
    for each in (plain, model):
        kerata.utils.set_random_seed(4)
        each.fit(X, Y, batch_size=32, verbose=0)
    kerata.utils.set_random_seed(5)
    wanted = after(plain)
    kerata.utils.set_random_seed(5)
    history = model.history
    found = model.find_learning_rate(X, Y, batch_size=32, steps=60)
    assert model.history is history and not model.stop_training
    assert_same(after(model), wanted)
    assert len(found.rates) == len(found.losses) == len(found.smoothed) <= 60
    np.testing.assert_allclose(found.rates[:2], [1e-7, 1e-7 * 1e8 ** (1 / 59)], rtol=1e-6)
    assert f"suggestion={found.suggestion:.3g}" in repr(found)


def test_it_finds_one_that_trains_better(training_backend):
    model = compiled()
    found = model.find_learning_rate(X, Y, steps=80).suggestion
    assert 1e-3 < found < 0.5
    model.optimizer.learning_rate = found
    assert after(model)[0][-1] < 0.5 * after(compiled())[0][0]


def test_losses_that_are_not_finite_end_it(training_backend):
    model = compiled()
    before = [v.numpy() for v in model.variables]
    with np.errstate(all="ignore"):
        found = model.find_learning_rate(X, Y, end=1e30, divergence=1e30, steps=30)
    assert np.isfinite(found.losses).all() and len(found.rates) < 30
    for a, v in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(a, v.numpy())


def test_batches_that_are_yielded_will_do(training_backend):
    def batches():
        while True:
            yield X[:32], Y[:32]

    class Endless:
        def __iter__(self):
            return batches()

    model = compiled()
    model.build((None, 8))
    found = model.find_learning_rate(Endless(), steps=20, end=1e-3)
    assert len(found.rates) == 20


def test_the_suggestion_is_where_the_loss_falls_fastest():
    rates = np.geomspace(1e-6, 1, 61)
    losses = 1 / (1 + np.exp(3 * (np.log10(rates) + 3)))  # steepest at 1e-3
    losses[55:] = 9.0
    found = LearningRates(list(rates), list(losses), list(losses))
    assert found.suggestion == pytest.approx(1e-3, rel=0.3)


def test_the_plot():
    pytest.importorskip("matplotlib")
    found = LearningRates([1e-3, 1e-2, 1e-1], [3.0, 2.0, 9.0], [3.0, 2.5, 6.0])
    axes = found.plot()
    assert axes.get_xscale() == "log"
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), found.losses)
    assert "data:image/png;base64," in found._repr_html_()


def test_wrong_arguments_of_the_learning_rate(training_backend):
    model = compiled()
    with pytest.raises(ValueError, match="0 < start < end; got 1 and 0"):
        model.find_learning_rate(X, Y, start=1, end=0)
    with pytest.raises(ValueError, match="steps must be at least 10; got 3"):
        model.find_learning_rate(X, Y, steps=3)
    with pytest.raises(ValueError, match=r"smoothing must be at least 0 and below 1; got 1\.0"):
        model.find_learning_rate(X, Y, smoothing=1.0)
    schedule = kerata.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    scheduled = compiled(optimizer=kerata.optimizers.SGD(schedule))
    before = [v.numpy() for v in scheduled.variables]
    with pytest.raises(TypeError, match="can't be set to a number"):
        scheduled.find_learning_rate(X, Y)
    np.testing.assert_array_equal(before[0], scheduled.variables[0].numpy())
    parts = compiled()
    names = [x.name for x in parts.layers if isinstance(x, layers.Dense)]
    parts.compile({names[0]: "sgd", names[1]: "adam"}, "mse")
    with pytest.raises(ValueError, match="needs a model compiled with one optimizer"):
        parts.find_learning_rate(X, Y)
    with pytest.raises(ValueError, match=r"Call compile\(optimizer, loss\) before"):
        kerata.Sequential([kerata.Input((8,)), layers.Dense(1)]).find_learning_rate(X, Y)


def is_run():
    """Whether layers are run or compiled, and it is not shapes that are found out."""
    return kerata.backend.backend() != "abstract"


class Limited(layers.Layer):
    """Says that memory ran out where a batch has more rows than fit."""

    def __init__(self, most):
        super().__init__()
        self.most = most
        self.seen = []

    def call(self, x):
        rows = ops.shape(x)[0]
        if is_run():
            self.seen.append(rows)
            if rows > self.most:
                raise MemoryError(f"{rows} rows")
        return x


def test_a_batch_size_is_found_and_all_is_as_before(training_backend):
    wanted = after(compiled(optimizer="adam"))
    layer = Limited(70)
    model = compiled(layer, optimizer="adam")
    assert model.find_batch_size(X, Y, start=64, most=80) == 68
    assert list(dict.fromkeys(layer.seen)) == [64, 80, 72, 68]
    assert_same(after(model), wanted)


@pytest.mark.parametrize("limit", [1, 2, 31, 33, 70, 255, 319, 320, 1000])
@pytest.mark.parametrize("start", [1, 32, 320])
def test_sizes_are_doubled_and_halved(monkeypatch, limit, start):
    tried = []
    monkeypatch.setattr(tuning, "_fits", lambda *given: tried.append(given[4]) or given[4] <= limit)
    with kerata.use_backend("numpy"):
        model = compiled()
        model.build((None, 8))
        model.optimizer.build(model.trainable_variables)
        found = model.find_batch_size(X, Y, start=start)
    assert found <= min(limit, 320) <= found + max(found // 16, 1)
    assert len(set(tried)) == len(tried) < 16


def test_other_errors_are_passed_on(training_backend):
    class Wrong(layers.Layer):
        def call(self, x):
            if ops.shape(x)[0] == 64:
                raise OSError("disk")
            return x

    with pytest.raises(OSError, match="disk"):
        compiled(Wrong()).find_batch_size(X, Y, start=64)


def test_wrong_arguments_of_the_batch_size(training_backend):
    with pytest.raises(MemoryError, match="Not even one sample fits"):
        compiled(Limited(0)).find_batch_size(X, Y, start=1)
    with pytest.raises(ValueError, match="x must be arrays"):
        compiled().find_batch_size([(X[:8], Y[:8])])
    with pytest.raises(ValueError, match="start, most and steps must be at least 1; got 0, 320, 2"):
        compiled().find_batch_size(X, Y, start=0)


class Hungry(layers.Layer):
    """Asks for 64 TiB (4 bytes each of 2⁴⁴) where a batch has more than 40 rows."""

    def call(self, x):
        rows = ops.shape(x)[0]
        side = 2**22 if is_run() and rows > 40 else 4
        row = ops.arange(side, dtype="float32") * ops.stop_gradient(ops.sum(x))
        values = ops.sort(ops.reshape(ops.outer(row, row), (-1,)))
        return x + 1e-30 * values[side // 2]


@pytest.mark.slow
def test_memory_that_really_runs_out(training_backend):
    model = compiled(Hungry())
    before = [v.numpy() for v in model.variables]
    assert model.find_batch_size(X, Y, start=40, most=42) == 40
    for a, v in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(a, v.numpy())
    after(model)


def test_each_backend_knows_its_errors(backend):
    assert backend.out_of_memory(MemoryError())
    assert not backend.out_of_memory(ValueError("memory"))
