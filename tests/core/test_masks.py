"""The table of masks: weak, by identity."""

from __future__ import annotations

import gc

import numpy as np
import pytest

import kerata
from kerata import layers, ops
from kerata.core import masks
from kerata.core.masks import any_masks, get_mask, set_mask
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import checkpoint, value_and_grad
from kerata.core.variable import Variable


def test_a_mask_stays_with_its_tensor(backend):
    x, y = ops.zeros((2, 3)), ops.zeros((2, 3))
    mask = ops.ones((2,), "bool")
    assert get_mask(x) is None
    set_mask(x, mask)
    assert get_mask(x) is mask and get_mask(y) is None and any_masks()
    set_mask(x, None)
    assert get_mask(x) is None


def test_entries_vanish_with_their_tensors(backend):
    gc.collect()
    before = len(masks._table)
    kept = ops.zeros((2,))
    set_mask(kept, 1)
    for _ in range(50):
        set_mask(ops.add(kept, 1.0), 2)
    gc.collect()
    assert len(masks._table) == before + 1
    del kept
    gc.collect()
    assert len(masks._table) == before


def test_a_mask_is_replaced(backend):
    x = ops.zeros((2,))
    set_mask(x, 1)
    set_mask(x, 2)
    assert get_mask(x) == 2
    before = len(masks._table)
    set_mask(x, 3)
    assert len(masks._table) == before and get_mask(x) == 3


def test_equal_arrays_have_their_own_masks():
    x, y = np.zeros(3), np.zeros(3)
    set_mask(x, 1)
    assert get_mask(y) is None


def test_symbolic_tensors_have_masks():
    x = KerasTensor((None, 3))
    mask = KerasTensor((None,), "bool")
    set_mask(x, mask)
    assert get_mask(x) is mask
    before = len(masks._table)
    del x
    gc.collect()
    assert len(masks._table) == before - 1


def test_what_takes_no_weak_reference_has_no_mask():
    """NumPy's scalars, which its operators give where no axis is left."""
    set_mask(np.float32(1), None)
    assert get_mask(np.float32(1)) is None


def test_masks_come_out_of_transformations(training_backend):
    """So metrics in a train step weigh by the mask that the model gave its outputs."""
    v, mask = Variable([1.0, 2.0]), np.array([True, False])

    def doubled():
        y = v * 2.0
        set_mask(y, ops.convert_to_tensor(mask))
        return y

    def loss():
        y = doubled()
        return ops.sum(y), {"y": y, "none": None}

    (_, aux), _ = value_and_grad(loss, [v], has_aux=True)()
    for y in (aux["y"], checkpoint(doubled)()):
        assert ops.convert_to_numpy(get_mask(y)).tolist() == [True, False]


def test_masks_reach_metrics_in_training(training_backend):
    ids, y = np.array([[1, 2, 0], [3, 0, 0]], "int32"), np.ones((2, 3, 1), "float32")
    embedding = layers.Embedding(4, 1, mask_zero=True, embeddings_initializer="ones")
    model = kerata.Sequential([kerata.Input((3,), dtype="int32"), embedding])
    model.compile(kerata.optimizers.SGD(0.0), "mse", weighted_metrics=["mae"])
    model.layers[0].embeddings.assign([[9.0], [2.0], [3.0], [4.0]])  # row 0 is masked
    found = model.fit(ids, y, verbose=0).history
    assert found == {"loss": [pytest.approx(14 / 3)], "mae": [pytest.approx(2.0)]}
