"""Over 100 steps optimizers take the steps of `torch.optim` and of optax.

The peers add `epsilon` elsewhere than Keras does, so it is next to nothing here. In float32 the
weights then agree to 2e-5, those of Muon, which torch makes orthogonal in bfloat16, to 2e-2.
"""

import functools

import numpy as np
import pytest

import kerata
from kerata import ops, optimizers

pytestmark = pytest.mark.oracle

STEPS = 100
TINY = 1e-12
RNG = np.random.default_rng(1)
START = [RNG.normal(size=s).astype("float32") for s in ((3, 2), (4,))]
GRADIENTS = [RNG.normal(size=(STEPS, *x.shape)).astype("float32") for x in START]


def rate_of(step):
    """A rate that falls, so that the place of a rate in a rule shows."""
    return 0.1 / (1 + 0.05 * step)


class Falling(optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return ops.divide(0.1, ops.add(1.0, ops.multiply(ops.cast(step, "float32"), 0.05)))


TORCH = {
    "sgd": ("SGD", {}, lambda r: optimizers.SGD(r)),
    "momentum": ("SGD", {"momentum": 0.9}, lambda r: optimizers.SGD(r, 0.9)),
    "nesterov": (
        "SGD", {"momentum": 0.9, "nesterov": True}, lambda r: optimizers.SGD(r, 0.9, True),
    ),
    "rmsprop": ("RMSprop", {"alpha": 0.9, "eps": TINY}, lambda r: optimizers.RMSprop(r, 0.9, epsilon=TINY)),
    "rmsprop centered": (
        "RMSprop", {"alpha": 0.9, "eps": TINY, "centered": True, "momentum": 0.5},
        lambda r: optimizers.RMSprop(r, 0.9, 0.5, TINY, True),
    ),
    "adam": ("Adam", {"eps": TINY}, lambda r: optimizers.Adam(r, epsilon=TINY)),
    "amsgrad": (
        "Adam", {"eps": TINY, "amsgrad": True, "betas": (0.8, 0.9)},
        lambda r: optimizers.Adam(r, 0.8, 0.9, TINY, True),
    ),
    "adamw": (
        "AdamW", {"eps": TINY, "weight_decay": 0.1}, lambda r: optimizers.AdamW(r, 0.1, epsilon=TINY),
    ),
    "adagrad": (
        "Adagrad", {"eps": TINY, "initial_accumulator_value": 0.5},
        lambda r: optimizers.Adagrad(r, 0.5, TINY),
    ),
    "adadelta": ("Adadelta", {"rho": 0.8, "eps": 1e-6}, lambda r: optimizers.Adadelta(r, 0.8, 1e-6)),
    "adamax": (
        "Adamax", {"betas": (0.9, 0.9), "eps": TINY}, lambda r: optimizers.Adamax(r, 0.9, 0.9, TINY),
    ),
    "nadam": (
        "NAdam", {"eps": TINY, "momentum_decay": 1.0}, lambda r: optimizers.Nadam(r, epsilon=TINY),
    ),
    "adafactor": (
        "Adafactor", {"eps": (1e-15, 1e-3)}, lambda r: optimizers.Adafactor(r, epsilon_1=1e-30),
    ),
}  # fmt: skip
# Their momentum holds steps that rates of the past scaled, where ours scales the sum.
CONSTANT = ("momentum", "nesterov", "rmsprop centered")


@functools.cache
def by_torch(name, decays):
    """The weights after 100 steps, in the rows of the matrix and the vector."""
    import torch

    kind, arguments, _ = TORCH[name]
    weights = [torch.nn.Parameter(torch.tensor(x)) for x in START]
    optimizer = getattr(torch.optim, kind)(weights, lr=0.1, **arguments)
    for i in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = rate_of(i) if decays else 0.1
        for weight, gradient in zip(weights, GRADIENTS, strict=True):
            weight.grad = torch.tensor(gradient[i])
        optimizer.step()
    return [w.detach().numpy() for w in weights]


def trained(optimizer, start=START, gradients=GRADIENTS):
    """The weights after 100 steps of ours."""
    weights = [kerata.Variable(x, name=f"w{i}") for i, x in enumerate(start)]
    optimizer.build(weights)
    step = kerata.jit(lambda gradients: optimizer.apply(gradients, weights))
    for i in range(STEPS):
        step([ops.convert_to_tensor(g[i]) for g in gradients])
    optimizer.finalize_variable_values(weights)
    return [w.numpy() for w in weights]


def agree(found, expected, tolerance=2e-5):
    for mine, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("name", TORCH)
def test_torch(training_backend, name):
    pytest.importorskip("torch")
    decays = name not in CONSTANT
    made = TORCH[name][2](Falling() if decays else 0.1)
    agree(trained(made), by_torch(name, decays))


OPTAX = {
    "momentum": (lambda o: o.sgd(0.1, 0.9, nesterov=True), lambda: optimizers.SGD(0.1, 0.9, True)),
    "adam": (lambda o: o.adam(rate_of, eps=TINY), lambda: optimizers.Adam(Falling(), epsilon=TINY)),
    "adagrad": (
        lambda o: o.adagrad(0.1, 0.5, eps=TINY), lambda: optimizers.Adagrad(0.1, 0.5, TINY),
    ),
    "adamax": (lambda o: o.adamax(0.1, eps=TINY), lambda: optimizers.Adamax(0.1, epsilon=TINY)),
    "lion": (
        lambda o: o.lion(0.01, weight_decay=0.1), lambda: optimizers.Lion(0.01, weight_decay=0.1),
    ),
    "lamb": (lambda o: o.lamb(0.01, eps=TINY), lambda: optimizers.Lamb(0.01, epsilon=TINY)),
    "adafactor": (
        lambda o: o.adafactor(0.1, min_dim_size_to_factor=1),
        lambda: optimizers.Adafactor(0.1, relative_step=False),
    ),
    "value clipping": (
        lambda o: o.chain(o.clip(0.5), o.sgd(0.1)), lambda: optimizers.SGD(0.1, clipvalue=0.5),
    ),
    "norm clipping": (
        lambda o: o.chain(o.clip_by_global_norm(1.0), o.adam(0.1, eps=TINY)),
        lambda: optimizers.Adam(0.1, epsilon=TINY, global_clipnorm=1.0),
    ),
    "accumulation": (
        lambda o: o.MultiSteps(o.adam(0.1, eps=TINY), 4),
        lambda: optimizers.Adam(0.1, epsilon=TINY, gradient_accumulation_steps=4),
    ),
    "excluded from decay": (
        lambda o: o.adamw(0.1, eps=TINY, weight_decay=0.1, mask=[True, False]),
        lambda: excluding(optimizers.AdamW(0.1, 0.1, epsilon=TINY), "w1"),
    ),
}  # fmt: skip


def excluding(optimizer, name):
    optimizer.exclude_from_weight_decay(var_names=[name])
    return optimizer


@functools.cache
def by_optax(name):
    import jax
    import optax

    return optax_weights(jax, optax, OPTAX[name][0](optax))


def optax_weights(jax, optax, transformation, read=lambda state, weights: weights):
    @jax.jit
    def step(weights, state, gradients):
        updates, state = transformation.update(gradients, state, weights)
        return optax.apply_updates(weights, updates), state

    weights = [jax.numpy.asarray(x) for x in START]
    state = transformation.init(weights)
    for i in range(STEPS):
        weights, state = step(weights, state, [g[i] for g in GRADIENTS])
    return [np.asarray(w) for w in read(state, weights)]


@pytest.mark.parametrize("name", OPTAX)
def test_optax(training_backend, name):
    pytest.importorskip("optax")
    agree(trained(OPTAX[name][1]()), by_optax(name))


def test_averages(training_backend):
    """The average that replaces the weights at the end is optax's, `incremental_update`."""
    found = trained(optimizers.SGD(0.1, use_ema=True, ema_momentum=0.9))
    for mine, start, gradients in zip(found, START, GRADIENTS, strict=True):
        weights = start - 0.1 * np.cumsum(gradients.astype(float), 0)
        mean = weights[0]
        for w in weights[1:]:
            mean = 0.9 * mean + 0.1 * w
        np.testing.assert_allclose(mine, mean, rtol=2e-5, atol=2e-5)


def test_schedule_free(training_backend):
    optax = pytest.importorskip("optax")
    import jax

    expected = optax_weights(
        jax, optax, optax.contrib.schedule_free_adamw(0.1, b1=0.8, b2=0.9, eps=TINY),
        optax.contrib.schedule_free_eval_params,
    )  # fmt: skip
    made = optimizers.ScheduleFreeAdamW(
        0.1, beta_1=0.8, beta_2=0.9, epsilon=TINY, warmup_steps=0, weight_decay=None
    )
    agree(trained(made), expected)


def test_muon(training_backend):
    """The matrix alone: optax in float32, torch in bfloat16."""
    optax = pytest.importorskip("optax")
    torch = pytest.importorskip("torch")
    import jax

    arguments = {"nesterov": False, "weight_decay": None, "momentum": 0.95}
    mine = trained(optimizers.Muon(0.02, adam_weight_decay=0.0, **arguments))[0]
    made = optax.contrib.muon(0.02, beta=0.95, nesterov=False, consistent_rms=0.2)
    np.testing.assert_allclose(mine, optax_weights(jax, optax, made)[0], rtol=2e-5, atol=2e-5)
    weight = torch.nn.Parameter(torch.tensor(START[0]))
    optimizer = torch.optim.Muon(
        [weight], lr=0.02, weight_decay=0.0, nesterov=False, adjust_lr_fn="match_rms_adamw"
    )
    for gradient in GRADIENTS[0]:
        weight.grad = torch.tensor(gradient)
        optimizer.step()
    np.testing.assert_allclose(mine, weight.detach().numpy(), rtol=2e-2, atol=2e-2)
