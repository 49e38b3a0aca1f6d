"""What the tests of layers share: weights, runs and comparisons."""

import contextlib

import numpy as np
import optree

from kerata import config, layers
from kerata.backends.registry import use_backend


def fill(layer) -> None:
    """Give every weight random values, the same for the same shapes in order."""
    rng = np.random.default_rng(3)
    layer.set_weights([rng.uniform(0.1, 0.9, w.shape).astype("float32") for w in layer.weights])


def made(case):
    """The case's layer, built, with random weights."""
    layer = case.make(layers)
    with use_backend("numpy"):
        case.run(layer, case.inputs())
        fill(layer)
        reset(layer)
    return layer


@contextlib.contextmanager
def policy(name):
    """Make layers under this dtype policy, those in others included."""
    before = config.dtype_policy()
    config.set_dtype_policy(name)
    try:
        yield
    finally:
        config.set_dtype_policy(before)


def reset(layer) -> None:
    """Forget the states of a stateful layer."""
    if getattr(layer, "stateful", False):
        layer.reset_state()


def arrays(active, tree) -> list[np.ndarray]:
    """The tensors of a nesting, on the host."""
    return [active.to_numpy(x) for x in optree.tree_leaves(tree)]


def result(case, layer, active, **more):
    """What the case's call gives under a backend, as arrays."""
    inputs = [active.convert(x) for x in case.inputs()]
    found = arrays(active, case.run(layer, inputs, **more))
    reset(layer)
    return found


def close(found, expected, tolerance: float = 1e-5) -> None:
    """Compare lists of arrays: shapes, dtypes and values."""
    assert len(found) == len(expected)
    for a, b in zip(found, expected, strict=True):
        assert a.shape == b.shape
        assert a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def open_shape(case, shape) -> tuple[int | None, ...]:
    """The shape of an input with the batch and the case's other open axes as None."""
    return tuple(None if i == 0 or i in case.open_axes else s for i, s in enumerate(shape))
