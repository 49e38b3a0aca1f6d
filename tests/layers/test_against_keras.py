"""Layers and Keras' with the same weights: outputs, gradients, shapes, masks, configs, names."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import optree
import pytest

from kerata import layers
from kerata.backends.registry import use_backend
from kerata.core.masks import get_mask
from tests.conftest import BACKENDS
from tests.layers.cases import CASES
from tests.layers.common import close, made, open_shape, result

pytestmark = pytest.mark.oracle
ORACLE = [c for c in CASES if c.oracle]
# Keras' constructors know these too, but its configs leave them out.
MORE = {
    "activity_regularizer",
    "seed",
    "autocast",
    "use_cudnn",
    "weights",
    "flash_attention",
    "fill_value",
}
# What only Keras has.
LEFT_OUT = {
    "zero_output_for_mask", "activity_regularizer",
}  # fmt: skip


def each(cases):
    return pytest.mark.parametrize("case", cases, ids=lambda c: c.name)


def _last(path):
    """A weight's path without the layer's own name, and what counts up in others."""
    return [re.sub(r"_\d+$", "", part) for part in path.split("/")[1:]]


def _peer(case, layer, keras):
    """Keras' layer with the weights of ours."""
    peer = case.make(keras.layers)
    case.run(peer, case.inputs())
    assert [_last(w.path) for w in layer.weights] == [_last(w.path) for w in peer.weights]
    assert [w.shape for w in layer.weights] == [tuple(w.shape) for w in peer.weights]
    assert [w.trainable for w in layer.weights] == [w.trainable for w in peer.weights]
    peer.set_weights(layer.get_weights())
    if getattr(peer, "stateful", False):
        peer.reset_state()
    return peer


@each(ORACLE)
def test_outputs(case, keras):
    layer = made(case)
    peer = _peer(case, layer, keras)
    with use_backend("numpy") as active:
        found = result(case, layer, active)
    expected = [np.asarray(x) for x in optree.tree_leaves(case.run(peer, case.inputs()))]
    close(found, expected)
    close(layer.get_weights(), [np.asarray(w) for w in peer.get_weights()])


@pytest.mark.slow
@pytest.mark.skipif("torch" not in BACKENDS, reason="PyTorch is not among the tested backends")
def test_gradients():
    """Of every row, on PyTorch; test_all.py compares those of the others with quotients.

    Keras' come from JAX, in a process of its own: here Keras runs on NumPy.
    """
    pytest.importorskip("jax")
    tool = Path(__file__).with_name("keras_agreement.py")
    command = [sys.executable, str(tool), "--backends", "torch"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert not done.returncode, done.stdout + done.stderr


@each([c for c in ORACLE if not c.name.endswith(("stateful", "unroll", "Cell")) and not c.call])
def test_open_shapes(case, keras):
    layer, peer = case.make(layers), case.make(keras.layers)
    dtype = "int32" if case.top else "float32"
    shapes = [open_shape(case, s) for s in case.shapes]
    with use_backend("numpy"):
        ours = case.run(layer, [layers.Input(batch_shape=s, dtype=dtype) for s in shapes])
    theirs = case.run(peer, [keras.Input(batch_shape=s, dtype=dtype) for s in shapes])
    for x, y in zip(optree.tree_leaves(ours), keras.tree.flatten(theirs), strict=True):
        # Where Keras does not see that a size is known we may.
        assert tuple(s if t is not None else None for s, t in zip(x.shape, y.shape)) == y.shape
    if len(shapes) == 1:
        with use_backend("numpy"):
            found = optree.tree_map(lambda x: x.shape, ours)
            assert layer.compute_output_shape(shapes[0]) == found


@each(ORACLE)
def test_config_keys(case, keras):
    ours, theirs = case.make(layers).get_config(), case.make(keras.layers).get_config()
    assert set(theirs) - LEFT_OUT <= set(ours)
    assert set(ours) - set(theirs) <= MORE


@each(ORACLE)
def test_reads_the_config_of_keras(case, keras):
    theirs = case.make(keras.layers)
    layer = type(case.make(layers)).from_config(theirs.get_config())
    assert layer.name == theirs.name
    with use_backend("numpy") as active:
        result(case, layer, active)
    case.run(theirs, case.inputs())
    assert [w.path for w in layer.weights] == [w.path for w in theirs.weights]


@pytest.mark.parametrize("name", ["Dense", "LSTM", "Add", "Concatenate", "Conv2D"])
def test_build_config(name, keras):
    case = next(c for c in ORACLE if c.name == name)
    layer = made(case)
    assert layer.get_build_config() == _peer(case, layer, keras).get_build_config()


def _masked_graph(L, Input, merge):
    a, b = Input((None,), dtype="int32"), Input((None,), dtype="int32")
    embed = L.Embedding(6, 3, mask_zero=True)
    x = merge(L)([embed(a), embed(b)])
    return a, b, x


@pytest.mark.parametrize("merge", [
    lambda L: L.Add(), lambda L: L.Maximum(), lambda L: L.Concatenate(),
    lambda L: L.Concatenate(axis=1),
])  # fmt: skip
def test_masks_of_merged_tensors(merge, backend, keras):
    ids = np.array([[1, 2, 0, 0], [3, 0, 1, 0]]), np.array([[1, 2, 1, 0], [0, 0, 0, 1]])
    ours = layers.Embedding(6, 3, mask_zero=True)
    theirs = keras.layers.Embedding(6, 3, mask_zero=True)
    found = merge(layers)([ours(i) for i in ids])
    expected = merge(keras.layers)([theirs(keras.ops.convert_to_tensor(i)) for i in ids])
    mask = keras.src.backend.get_keras_mask(expected)
    assert np.array_equal(backend.to_numpy(get_mask(found)), np.asarray(mask))
