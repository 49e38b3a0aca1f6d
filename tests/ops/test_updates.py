"""The optimizers' update rules against their formulas, by bodies and by the backends' own kernels."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

from kerata import ops
from kerata.backends import registry
from kerata.backends.state import operations
from kerata.core.transforms import jit
from kerata.core.variable import Variable

SHAPES = ((3, 4), (5,), ())
_draw = np.random.default_rng(9)


def _some(positive: bool = False) -> list[np.ndarray]:
    values = [np.asarray(_draw.standard_normal(s)).astype("float32") for s in SHAPES]
    return [np.abs(v) for v in values] if positive else values


W, G, M, V, P = _some(), _some(), _some(), _some(True), _some(True)


def variables(values: list[np.ndarray], trainable: bool = False) -> list[Variable]:
    return [Variable(v, trainable=trainable) for v in values]


def close(found: list[Variable], wanted: list[np.ndarray]) -> None:
    for v, value in zip(found, wanted, strict=True):
        np.testing.assert_allclose(v.numpy(), value, rtol=1e-6, atol=1e-6)


def sgd(w: Any, g: Any, m: Any, rate: float, momentum: float, nesterov: bool) -> tuple[Any, Any]:
    if not momentum:
        return w - rate * g, m
    m = momentum * m - rate * g
    return (w + momentum * m - rate * g if nesterov else w + m), m


def adam(w: Any, g: Any, m: Any, v: Any, peak: Any, t: int, rate: float) -> tuple[Any, ...]:
    m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
    peak = None if peak is None else np.maximum(peak, v)
    correction = np.sqrt(1 - 0.99**t) / (1 - 0.9**t)
    return w - rate * correction * m / (np.sqrt(v if peak is None else peak) + 1e-5), m, v, peak


def in_float64(values: list[np.ndarray]) -> list[np.ndarray]:
    return [v.astype(float) for v in values]


@pytest.fixture(params=["kernel", "body", "compiled"])
def run(request, backend):
    """How a rule is run: as the backend does, by its body, and compiled where that trains."""
    if request.param == "compiled":
        return lambda name, *args: jit(lambda: operations[name](*args))()
    context = ops.without_overrides() if request.param == "body" else contextlib.nullcontext()

    def call(name: str, *args: Any) -> None:
        with context:
            operations[name](*args)

    return call


@pytest.mark.parametrize(("momentum", "nesterov"), [(0.0, False), (0.9, False), (0.9, True)])
def test_sgd(backend, run, momentum, nesterov):
    w, m = variables(W, True), variables(M) if momentum else []
    g = [backend.convert(x) for x in G]
    run("sgd_update", w, g, m, 0.1, momentum, nesterov)
    rows = zip(*map(in_float64, (W, G, M)), strict=True)
    wanted = [sgd(*row, 0.1, momentum, nesterov) for row in rows]
    close(w, [x for x, _ in wanted])
    close(m, [x for _, x in wanted] if momentum else [])


@pytest.mark.parametrize("amsgrad", [False, True])
@pytest.mark.parametrize("step", [1, 7])
def test_adam(backend, run, amsgrad, step):
    w, m, v = variables(W, True), variables(M), variables(V)
    peaks = variables(P) if amsgrad else []
    g = [backend.convert(x) for x in G]
    t = ops.convert_to_tensor(step, "int32")
    run("adam_update", w, g, m, v, peaks, t, 0.01, 0.9, 0.99, 1e-5)
    wide = [in_float64(x) for x in (W, G, M, V)]
    rows = zip(*wide, in_float64(P) if amsgrad else [None] * 3, strict=True)
    wanted = list(zip(*(adam(*row, step, 0.01) for row in rows), strict=True))
    for found, values in zip((w, m, v, peaks), wanted, strict=True):
        close(found, list(values) if found else [])


def test_decay(backend, run):
    w = variables(W, True)
    run("decay_update", w, ops.convert_to_tensor(0.75))
    close(w, [0.75 * x for x in W])


def test_learning_rate_as_a_tensor_or_variable(backend):
    for rate in (ops.convert_to_tensor(0.1), Variable(0.1, trainable=False)):
        w = variables(W, True)
        operations["sgd_update"](w, [backend.convert(x) for x in G], [], rate)
        close(w, [x - 0.1 * g for x, g in zip(W, G, strict=True)])


def test_gradients_may_be_arrays(backend):
    w = variables(W, True)
    operations["sgd_update"](w, G, [], 0.5)
    close(w, [x - 0.5 * g for x, g in zip(W, G, strict=True)])


def test_half_precision_variables(backend):
    w = [Variable(x, dtype="bfloat16") for x in W]
    g = [ops.cast(backend.convert(x), "bfloat16") for x in G]
    operations["sgd_update"](w, g, [], 0.1)
    for v, x, y in zip(w, W, G, strict=True):
        assert v.dtype == "bfloat16"
        np.testing.assert_allclose(v.numpy().astype(float), x - 0.1 * y, atol=2e-2)


def test_kernels_are_the_registry_s():
    """Some backend overrides a rule: otherwise the comparison above compares nothing."""
    names = [n for n in registry.backends() if "adam_update" in registry.load(n).kernels]
    assert names
