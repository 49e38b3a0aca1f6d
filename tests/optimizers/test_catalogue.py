"""Optimizers that Keras is no oracle for, or not the whole of one."""

from __future__ import annotations

import numpy as np
import pytest

import kerata
from kerata import ops, optimizers
from kerata.optimizers import MultiOptimizer, OptimizerMap, schedules

RNG = np.random.default_rng(6)


def variables(*shapes, names=None):
    made = [RNG.standard_normal(s).astype("float32") for s in shapes]
    names = names or [f"w{i}" for i in range(len(shapes))]
    return [kerata.Variable(x, name=n) for x, n in zip(made, names, strict=True)]


def test_schedule_free_follows_the_paper(backend):
    """Defazio et al., 2024: z moves, x is its mean, gradients are taken between the two."""
    (w,) = variables((3,))
    optimizer = optimizers.ScheduleFreeAdamW(
        0.1, beta_1=0.8, beta_2=0.9, warmup_steps=3, weight_decay=0.05
    )
    z = x = y = w.numpy().astype(float)
    v = np.zeros(3)
    for t in range(1, 9):
        g = RNG.standard_normal(3)
        optimizer.apply([ops.convert_to_tensor(g.astype("float32"))], [w])
        rate = 0.1 * min(t / 3, 1)
        v = 0.9 * v + 0.1 * g**2
        z = z - rate * g / (np.sqrt(v / (1 - 0.9**t)) + 1e-8) - rate * 0.05 * y
        x = x + (z - x) / t
        y = 0.2 * z + 0.8 * x
        np.testing.assert_allclose(w.numpy(), y, rtol=2e-5, atol=1e-6)
    optimizer.finalize_variable_values([w])
    np.testing.assert_allclose(w.numpy(), x, rtol=2e-5, atol=1e-6)


def test_muon_steps_are_nearly_orthogonal(backend):
    (w,) = variables((6, 4), names=["kernel"])
    before = w.numpy()
    optimizer = optimizers.Muon(1.0, weight_decay=None, rms_rate=None)
    optimizer.apply([ops.convert_to_tensor(RNG.standard_normal((6, 4)).astype("float32"))], [w])
    values = np.linalg.svd(before - w.numpy(), compute_uv=False)
    assert values.min() > 0.6 and values.max() < 1.3


def test_several_optimizers(backend):
    made = variables((2,), (2,), (2,), names=["encoder_a", "encoder_b", "head"])
    first, rest = optimizers.SGD(0.5), optimizers.SGD(0.1)
    optimizer = MultiOptimizer(OptimizerMap(rest, {"encoder.*": first}))
    before = [v.numpy() for v in made]
    for _ in range(2):
        optimizer.apply([ops.ones(2)] * 3, made)
    moved = [b - v.numpy() for b, v in zip(before, made, strict=True)]
    np.testing.assert_allclose(moved, [[1.0, 1.0], [1.0, 1.0], [0.2, 0.2]], rtol=1e-5)
    assert optimizer.optimizers == [first, rest]
    assert [int(o.iterations.numpy()) for o in (optimizer, first, rest)] == [2, 2, 2]
    assert {v.path for v in first.variables} < {v.path for v in optimizer.variables}


def test_several_optimizers_under_fit(training_backend):
    model = kerata.Sequential(
        [kerata.layers.Dense(8, "relu", name="encoder"), kerata.layers.Dense(1, name="head")]
    )
    chosen = OptimizerMap(optimizers.Adam(0.01), {".*head.*": optimizers.SGD(0.0)})
    model.compile(optimizer=MultiOptimizer(chosen), loss="mse")
    x = RNG.standard_normal((64, 4)).astype("float32")
    model.build((None, 4))
    before = [w.copy() for w in model.get_weights()]
    history = model.fit(x, x[:, :1], epochs=5, batch_size=16, verbose=0)
    assert history.history["loss"][-1] < history.history["loss"][0]
    changed = [not np.array_equal(a, b) for a, b in zip(before, model.get_weights(), strict=True)]
    assert changed == [True, True, False, False]


def test_several_optimizers_are_described_by_their_config():
    optimizer = MultiOptimizer(OptimizerMap(optimizers.SGD(0.5), {"a.*": optimizers.Adam(0.25)}))
    again = optimizers.deserialize(optimizers.serialize(optimizer))
    assert float(again.optimizer_map["abc"].learning_rate.numpy()) == 0.25
    assert float(again.optimizer_map["b"].learning_rate.numpy()) == 0.5
    assert dict(again.optimizer_map).keys() == {"a.*"}


@pytest.mark.parametrize(
    ("make", "kind", "text"),
    [
        (lambda: MultiOptimizer(3), TypeError, "optimizer_map must be an OptimizerMap or a function"),
        (lambda: OptimizerMap(3), TypeError, "default_optimizer must be an Optimizer; got 3"),
        (lambda: OptimizerMap(optimizers.SGD(), {"a": 1}), TypeError, "the optimizer of 'a' must be"),
        (lambda: MultiOptimizer(OptimizerMap(optimizers.SGD())).learning_rate, AttributeError,
         "has no learning rate of its own"),
        (lambda: MultiOptimizer(lambda v: None).build(variables((1,))), TypeError,
         "must return an Optimizer for 'w0'; got None"),
        (lambda: optimizers.Lion(beta_1=0.0), ValueError, "beta_1 must be above 0"),
        (lambda: optimizers.Ftrl(learning_rate_power=0.5), ValueError, "must not be positive; got 0.5"),
        (lambda: schedules.InverseTimeDecay(0.1, 0, 1.0), ValueError, "decay_steps must be positive"),
        (lambda: schedules.CosineDecayRestarts(0.1, 0), ValueError, "first_decay_steps must be positive"),
    ],
)  # fmt: skip
def test_errors(make, kind, text):
    with kerata.use_backend("numpy"), pytest.raises(kind, match=text):
        make()


CYCLES = [
    {"total_steps": 40},
    {"total_steps": 7},
    {"total_steps": 40, "pct_start": 0.1, "div_factor": 10.0, "final_div_factor": 100.0},
    {"total_steps": 40, "three_phase": True},
    {"total_steps": 41, "anneal_strategy": "linear", "three_phase": True, "pct_start": 0.4},
    {"total_steps": 40, "anneal_strategy": "linear", "pct_start": 0.0},
]


@pytest.mark.oracle
@pytest.mark.parametrize("arguments", CYCLES)
def test_one_cycle_follows_torch(backend, arguments):
    torch = pytest.importorskip("torch")
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], 0.1)
    theirs = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.5, cycle_momentum=False, **arguments
    )
    names = {
        "pct_start": "warmup_share", "div_factor": "initial_divisor",
        "final_div_factor": "final_divisor", "three_phase": "three_phases",
        "total_steps": "total_steps", "anneal_strategy": "annealing",
    }  # fmt: skip
    ours = schedules.OneCycle(0.5, **{names[n]: v for n, v in arguments.items()})
    for step in range(arguments["total_steps"]):
        expected = theirs.get_last_lr()[0]
        assert float(ours(step)) == pytest.approx(expected, rel=1e-5, abs=1e-7)
        optimizer.step()
        if step + 1 < arguments["total_steps"]:
            theirs.step()
    assert float(ours(1000)) == pytest.approx(expected, rel=1e-5, abs=1e-7)
    assert schedules.deserialize(schedules.serialize(ours)).get_config() == ours.get_config()


@pytest.mark.parametrize(
    ("decay", "end", "shape"),
    [
        ("linear", 0.0, lambda p: 1 - p),
        ("cosine", 0.0, lambda p: (1 + np.cos(np.pi * p)) / 2),
        ("sqrt", 0.0, lambda p: 1 - np.sqrt(p)),
        ("exponential", 0.01, lambda p: 0.02**p),
    ],
)
def test_warmup_stable_decay(backend, decay, end, shape):
    schedule = schedules.WarmupStableDecay(0.5, 4, 6, 10, end, decay)
    share = np.clip((np.arange(24) - 10) / 10, 0, 1)
    fallen = shape(share)
    expected = np.minimum(np.arange(24) / 4, 1) * 0.5 * fallen
    found = [float(schedule(step)) for step in range(24)]
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-7)
    assert (
        schedules.deserialize(schedules.serialize(schedule)).get_config() == schedule.get_config()
    )


def test_phases_may_be_missing(backend):
    assert float(schedules.WarmupStableDecay(0.5, 0, 2, 2, 0.1)(0)) == 0.5
    sudden = schedules.WarmupStableDecay(0.5, 0, 2, 0, 0.125)
    assert [float(sudden(step)) for step in (0, 1, 2)] == [0.5, 0.5, 0.125]


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda: schedules.OneCycle(0.1, 1), "total_steps must be at least 2; got 1"),
        (lambda: schedules.OneCycle(0.1, 9, 1.5), "warmup_share must be from 0 to 1; got 1.5"),
        (lambda: schedules.OneCycle(0.1, 9, 0.6, three_phases=True), "from 0 to 0.5; got 0.6"),
        (lambda: schedules.OneCycle(0.1, 9, annealing="steps"), "one of .*'linear'.*; got 'steps'"),
        (lambda: schedules.WarmupStableDecay(0.1, -1, 1, 1), "warmup_steps must not be negative; got -1"),
        (lambda: schedules.WarmupStableDecay(0.1, 1, 1, 1, decay="cubic"), "got 'cubic'"),
        (lambda: schedules.WarmupStableDecay(0.1, 1, 1, 1, decay="exponential"), "end_learning_rate above 0"),
    ],
)  # fmt: skip
def test_bad_schedules(make, text):
    with pytest.raises(ValueError, match=text):
        make()
