"""Every layer in a model that is trained, saved and loaded; those of a folder in one model."""

import numpy as np
import optree
import pytest

import kerata
from kerata import layers
from tests.layers.cases import FAMILIES

SAMPLES = 4


def firsts(family):
    """The first case of each layer that is called on tensors alone."""
    found = {}
    for case in family.CASES:
        arrays = any(callable(v) for v in case.call.values())
        if not arrays and not case.name.endswith(("stateful", "unroll")):
            found.setdefault(case.name.split("-")[0], case)
    return list(found.values())


def samples(case):
    """Inputs of the case with another batch size."""
    return [np.concatenate([x] * SAMPLES)[:SAMPLES] for x in case.inputs()]


def model_of(cases):
    """The cases side by side, each with a number for every sample at its end."""
    inputs, outputs = [], []
    for case in cases:
        own = [layers.Input(x.shape[1:], dtype=str(x.dtype)) for x in samples(case)]
        found = optree.tree_leaves(case.run(case.make(layers), own))
        inputs += own
        outputs += [layers.Dense(1)(layers.Flatten()(y)) for y in found]
    return kerata.Model(inputs, layers.Add()(outputs) if len(outputs) > 1 else outputs[0])


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__.rpartition(".")[2])
def test_fit_save_and_load(family, training_backend, tmp_path):
    cases = firsts(family)
    assert cases
    x, y = [a for case in cases for a in samples(case)], np.ones((SAMPLES, 1), "float32")
    model = model_of(cases)
    before = [v.numpy() for v in model.trainable_variables]
    model.compile(kerata.optimizers.SGD(1e-3), "mse")
    history = model.fit(x, y, batch_size=SAMPLES, epochs=2, verbose=0, shuffle=False).history
    assert np.isfinite(history["loss"]).all()
    changed = [
        v.path
        for v, b in zip(model.trainable_variables, before, strict=True)
        if (v.numpy() != b).any()
    ]
    assert len(changed) > 0.8 * len(before)  # relus may be dead
    model.save(tmp_path / "model.keras")
    again = kerata.saving.load_model(tmp_path / "model.keras")
    for a, b in zip(model.weights, again.weights, strict=True):
        assert a.path == b.path
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    expected = model.predict(x, verbose=0)
    np.testing.assert_allclose(again.predict(x, verbose=0), expected, rtol=1e-5, atol=1e-6)
