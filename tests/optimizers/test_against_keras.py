"""Optimizers take the steps that Keras' take."""

import functools

import numpy as np
import pytest

import kerata
from kerata import optimizers
from kerata.ops import convert_to_tensor

pytestmark = pytest.mark.oracle

STEPS = 100
RNG = np.random.default_rng(0)
START = {
    "kernel": RNG.normal(size=(3, 2)).astype("float32"),
    "bias": RNG.normal(size=2).astype("float32"),
}
GRADIENTS = [RNG.normal(size=(STEPS, *x.shape)).astype("float32") for x in START.values()]
DECAY = {"initial_learning_rate": 0.1, "decay_steps": 20, "decay_rate": 0.5}
CASES = [
    ("SGD", {"learning_rate": 0.1}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "nesterov": True}),
    ("SGD", {"learning_rate": 0.1, "weight_decay": 0.05}),
    ("SGD", {"learning_rate": 0.1, "clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "clipvalue": 0.3}),
    ("SGD", {"learning_rate": 0.1, "global_clipnorm": 0.5}),
    ("SGD", {"learning_rate": 0.1, "loss_scale_factor": 8.0}),
    ("SGD", {"learning_rate": 0.1, "momentum": 0.9, "gradient_accumulation_steps": 3}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_momentum": 0.8}),
    ("SGD", {"learning_rate": 0.1, "use_ema": True, "ema_overwrite_frequency": 7}),
    ("RMSprop", {"learning_rate": 0.02}),
    ("RMSprop", {"learning_rate": 0.02, "momentum": 0.8}),
    ("RMSprop", {"learning_rate": 0.02, "centered": True, "momentum": 0.5}),
    ("Adam", {"learning_rate": 0.05}),
    ("Adam", {"learning_rate": 0.05, "beta_1": 0.8, "beta_2": 0.9, "epsilon": 1e-3}),
    ("Adam", {"learning_rate": 0.05, "amsgrad": True}),
    ("Adam", {"learning_rate": 0.05, "weight_decay": 0.1}),
    ("Adam", {"learning_rate": 0.05, "gradient_accumulation_steps": 4, "weight_decay": 0.1}),
    (
        "Adam",
        {
            "learning_rate": 0.05,
            "gradient_accumulation_steps": 4,
            "use_ema": True,
            "ema_overwrite_frequency": 3,
        },
    ),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adadelta", {"learning_rate": 0.5, "rho": 0.8, "weight_decay": 0.01}),
    ("Adagrad", {"learning_rate": 0.1, "initial_accumulator_value": 0.5}),
    ("Adamax", {"learning_rate": 0.05}),
    ("Adamax", {"learning_rate": 0.1, "beta_2": 0.9, "gradient_accumulation_steps": 3}),
    ("Nadam", {"learning_rate": 0.05}),
    ("Nadam", {"learning_rate": 0.02, "beta_1": 0.8, "weight_decay": 0.01}),
    ("Ftrl", {"learning_rate": 0.1}),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.7,
            "l1_regularization_strength": 0.2,
            "l2_regularization_strength": 0.1,
            "l2_shrinkage_regularization_strength": 0.05,
            "beta": 0.2,
        },
    ),
    ("Lion", {"learning_rate": 0.01}),
    ("Lion", {"learning_rate": 0.01, "beta_1": 0.7, "weight_decay": 0.1}),
    ("Lamb", {"learning_rate": 0.01}),
    ("Lamb", {"learning_rate": 0.01, "weight_decay": 0.1}),
    ("Adafactor", {"learning_rate": 0.05}),
    ("Adafactor", {"learning_rate": 0.1, "relative_step": False, "clip_threshold": 0.5}),
    ("Muon", {"learning_rate": 0.02}),
    ("Muon", {"learning_rate": 0.02, "nesterov": False, "rms_rate": None, "adam_lr_ratio": 0.5}),
    ("Muon", {"learning_rate": 0.02, "exclude_layers": ["dense"], "ns_steps": 3}),
    ("AdamW", {"learning_rate": 0.05}),
    ("AdamW", {"learning_rate": 0.05, "weight_decay": 0.2, "amsgrad": True, "clipnorm": 1.0}),
]
# Adafactor keeps no full second moment of a matrix; the scalar of Nadam has a name.
OTHER_STATE = ("Adafactor", "Nadam")


def made(library, name, kwargs, schedule):
    if schedule:
        rate = library.optimizers.schedules.ExponentialDecay(**DECAY)
        kwargs = {**kwargs, "learning_rate": rate}
    return getattr(library.optimizers, name)(**kwargs)


def trained(library, name, kwargs, schedule):
    """Weights after 100 steps, the state, the number of updates, the weights at the end."""
    with library.name_scope("dense"):
        weights = [library.Variable(START[n], name=n) for n in ("kernel", "bias")]
    optimizer = made(library, name, kwargs, schedule)
    if "weight_decay" in kwargs:
        optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.build(weights)
    step = optimizer.apply
    if library is kerata and kerata.config.backend() in kerata.backends.backends(training=True):
        step = kerata.jit(lambda gradients: optimizer.apply(gradients, weights))
    for i in range(STEPS):
        step([library.ops.convert_to_tensor(g[i]) for g in GRADIENTS])
    host = library.ops.convert_to_numpy
    values = [(v.name, host(v)) for v in (*weights, *optimizer.variables)]
    updates = int(host(optimizer.iterations))
    optimizer.finalize_variable_values(weights)
    return values, updates, [host(w) for w in weights]


@functools.cache
def reference(case, schedule):
    """What Keras does."""
    import keras

    return trained(keras, *CASES[case], schedule)


@pytest.mark.parametrize("case", range(len(CASES)), ids=lambda i: f"{CASES[i][0]}{i}")
def test_trajectories(backend, keras, case):
    name, kwargs = CASES[case]
    schedule = case % 3 == 0
    values, updates, last = reference(case, schedule)
    found, done, ended = trained(kerata, name, kwargs, schedule)
    known = 2 if name in OTHER_STATE else len(values)
    for (label, mine), (expected_label, expected) in zip(found[:known], values, strict=False):
        assert label == expected_label
        np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=5e-6, err_msg=label)
    if name not in OTHER_STATE:
        accumulates = "gradient_accumulation_steps" in kwargs
        assert [n for n, _ in found[known:]] == ["accumulated_weight"] * accumulates
    assert done == updates
    for mine, expected in zip(ended, last, strict=True):
        np.testing.assert_allclose(mine, expected, rtol=1e-4, atol=5e-6)


@pytest.mark.parametrize("name, kwargs", CASES)
def test_configs_are_exchanged(backend, keras, name, kwargs):
    ours, theirs = getattr(optimizers, name), getattr(keras.optimizers, name)
    config, reference = ours(**kwargs).get_config(), theirs(**kwargs).get_config()
    assert set(config) == set(reference)
    assert config["learning_rate"] == kwargs["learning_rate"]
    assert theirs.from_config(config).name == config["name"]
    assert ours.from_config(reference).name == reference["name"]


SCHEDULES = [
    ("ExponentialDecay", (0.1, 3, 0.5), {}),
    ("ExponentialDecay", (0.1, 3, 0.5), {"staircase": True}),
    ("CosineDecay", (0.1, 10), {}),
    ("CosineDecay", (0.1, 10), {"alpha": 0.1}),
    ("CosineDecay", (0.1, 10), {"warmup_target": 0.5, "warmup_steps": 4}),
    ("CosineDecay", (0.1, 10), {"warmup_target": 0.5, "warmup_steps": 4, "alpha": 0.2}),
    ("CosineDecay", (0.1, 10), {"warmup_target": 0.5}),
    ("CosineDecay", (0.1, 10), {"warmup_steps": 4}),
    ("CosineDecayRestarts", (0.1, 4), {}),
    ("CosineDecayRestarts", (0.1, 4), {"t_mul": 1.0, "m_mul": 0.5, "alpha": 0.1}),
    ("CosineDecayRestarts", (0.1, 3), {"t_mul": 1.5, "m_mul": 0.9}),
    ("InverseTimeDecay", (0.1, 3, 0.5), {}),
    ("InverseTimeDecay", (0.1, 3, 0.5), {"staircase": True}),
    ("PolynomialDecay", (0.1, 5), {}),
    ("PolynomialDecay", (0.1, 5, 0.01), {"power": 2.0, "cycle": True}),
    ("PiecewiseConstantDecay", ([2, 5], [1.0, 0.5, 0.1]), {}),
]


@pytest.mark.parametrize("name, args, kwargs", SCHEDULES)
def test_schedules(backend, keras, name, args, kwargs):
    ours = getattr(optimizers.schedules, name)(*args, **kwargs)
    theirs = getattr(keras.optimizers.schedules, name)(*args, **kwargs)
    for step in range(16):
        assert float(ours(step)) == pytest.approx(float(theirs(step)), rel=1e-5, abs=1e-7)
    assert ours.get_config() == theirs.get_config()
    assert type(ours).from_config(theirs.get_config()).get_config() == ours.get_config()


def test_loss_scaling(backend, keras):
    theirs_w, ours_w = keras.Variable(np.ones(2, "float32"), name="w"), kerata.Variable([1.0, 1.0])
    theirs = keras.optimizers.LossScaleOptimizer(
        keras.optimizers.SGD(0.1, momentum=0.9), 8.0, dynamic_growth_steps=3
    )
    ours = optimizers.LossScaleOptimizer(optimizers.SGD(0.1, momentum=0.9), 8.0, 3)
    theirs.build([theirs_w])
    ours.build([ours_w])
    assert float(ours.scale_loss(convert_to_tensor(2.0))) == float(theirs.scale_loss(2.0)) == 16.0
    for value in [8, 8, np.inf, 8, 8, 8, np.nan, 8, 8, 8, 8, 8, 8]:
        gradient = np.full(2, value, "float32")
        theirs.apply([gradient.copy()], [theirs_w])
        ours.apply([convert_to_tensor(gradient)], [ours_w])
        for mine, expected in zip(
            [ours_w, *ours.variables], [theirs_w, *theirs.variables], strict=True
        ):
            np.testing.assert_allclose(mine.numpy(), np.asarray(expected), rtol=1e-5)
    assert set(ours.get_config()) == set(theirs.get_config())
    assert (
        type(optimizers.get(keras.optimizers.serialize(theirs)).inner_optimizer) is optimizers.SGD
    )
