"""Batch normalization synchronized over two replicas equals that of the whole batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from kerata import layers, ops
from kerata.core.transforms import grad
from tests.layers.normalization import replicas
from tests.layers.normalization.replicas import FACTORS, X, options

ROOT = Path(__file__).parents[3]


def alone(masked):
    """What a replica reports, of one process with the whole batch and plain normalization."""
    layer = layers.BatchNormalization(momentum=0.5)
    layer.build((None, 5, 4))

    def loss(x=X):
        return ops.sum(ops.multiply(layer(x, **options(X, masked)), FACTORS))

    found = {"gradient": grad(loss)(X), "gamma": grad(loss, [layer.gamma])()[0]}
    layer.moving_mean.assign(np.zeros(4))
    layer.moving_variance.assign(np.ones(4))
    found["y"] = layer(X, **options(X, masked))
    found["averages"] = ops.stack([layer.moving_mean, layer.moving_variance])
    return {k: ops.convert_to_numpy(v) for k, v in found.items()}


@pytest.mark.slow
def test_two_replicas(training_backend):
    program = [sys.executable, replicas.__file__, training_backend]
    kept = {k: v for k, v in os.environ.items() if k != "XLA_FLAGS"}
    env = kept | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    run = subprocess.run(program, env=env, capture_output=True, text=True, timeout=300)
    assert run.returncode == 0, run.stderr[-2000:]
    reports = [json.loads(line) for line in run.stdout.splitlines() if line.startswith("{")]
    each = 2 if training_backend == "jax" else 1
    assert len(reports) == 2 * each
    for masked, found in zip([False] * each + [True] * each, reports, strict=True):
        for key, value in alone(masked).items():
            np.testing.assert_allclose(found[key], value, 1e-4, 2e-5, err_msg=f"{key} {masked}")


def test_one_replica(backend):
    """Where nothing is distributed it is the plain layer."""
    outputs = []
    for synchronized in (False, True):
        layer = layers.BatchNormalization(synchronized=synchronized)
        y = layer(backend.convert(X), training=True)
        outputs.append([backend.to_numpy(y), *layer.get_weights()])
    for plain, other in zip(*outputs, strict=True):
        np.testing.assert_allclose(plain, other, 1e-5, 1e-5)
