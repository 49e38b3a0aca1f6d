"""What the table can't say of picking and placing: sizes that follow from values, ties, errors."""

from __future__ import annotations

import numpy as np
import pytest

from kerata import ops
from kerata.core.symbolic import KerasTensor
from kerata.core.transforms import grad, jit
from kerata.core.variable import Variable

GRID = np.array([[0, 3, 0], [5, 0, 3]], "int32")
CUBE = np.arange(3 * 4 * 5, dtype="float32").reshape(3, 4, 5)


def host(tree):
    if isinstance(tree, (list, tuple)):
        return [host(x) for x in tree]
    return ops.convert_to_numpy(tree)


# Sizes that follow from values


@pytest.mark.parametrize("find", [ops.nonzero, ops.where])
def test_places(backend, find):
    found = find(backend.convert(GRID))
    assert isinstance(found, tuple) and all(backend.dtype_of(x) == "int32" for x in found)
    np.testing.assert_array_equal(host(found), np.nonzero(GRID))
    np.testing.assert_array_equal(host(find(GRID[0] > 9)), np.nonzero(GRID[0] > 9))


def test_unique_without_a_size(backend):
    found = host(ops.unique(GRID, return_index=True, return_inverse=True, return_counts=True))
    for y, wanted in zip(found, np.unique(GRID, True, True, True), strict=True):
        np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(host(ops.unique(GRID, axis=1)), np.unique(GRID, axis=1))
    np.testing.assert_array_equal(
        host(ops.unique(np.float32([np.nan, 1, np.nan]))), [1, np.nan, np.nan]
    )
    assert host(ops.unique(np.zeros((0,), "float32"))).shape == (0,)


def test_bincount(backend):
    found = ops.bincount(backend.convert(GRID))
    assert backend.dtype_of(found) == "int32"
    np.testing.assert_array_equal(host(found), [[2, 0, 0, 1, 0, 0], [1, 0, 0, 1, 0, 1]])
    weights = np.float32([0.5, 2, 1])
    found = host(ops.bincount(np.array([1, 0, 1], "uint8"), weights=weights, minlength=4))
    np.testing.assert_array_equal(found, np.float32([2, 1.5, 0, 0]))
    assert found.dtype == np.float32
    np.testing.assert_array_equal(host(ops.bincount([], minlength=2)), [0, 0])
    with pytest.raises(ValueError, match=r"^bincount: x must not have negative numbers; got -1"):
        ops.bincount([2, -1])


def test_segments_without_a_number(backend):
    np.testing.assert_array_equal(host(ops.segment_sum([1.0, 2.0, 4.0], [2, 0, 2])), [2, 0, 5])
    assert host(ops.segment_max(np.zeros((0, 2)), np.zeros((0,), "int32"))).shape == (0, 2)


def test_masks_and_values_as_keys(backend):
    x = backend.convert(CUBE)
    mask = CUBE[:, :, 1] > 20
    for key in (mask, backend.convert(mask), mask.tolist()):
        np.testing.assert_array_equal(host(ops.getitem(x, key)), CUBE[mask])
    one = ops.convert_to_tensor(1)
    index = Variable([2, 0], dtype="int32", trainable=False)
    np.testing.assert_array_equal(host(ops.getitem(x, index)), CUBE[[2, 0]])
    np.testing.assert_array_equal(host(ops.getitem(x, (..., one))), CUBE[..., 1])
    np.testing.assert_array_equal(host(ops.getitem(x, [one, 2])), CUBE[[1, 2]])
    np.testing.assert_array_equal(host(ops.getitem(x, slice(one, index[0] + one))), CUBE[1:3])
    np.testing.assert_array_equal(
        host(ops.getitem(x, (slice(None), slice(None, None, -one)))), CUBE[:, ::-1]
    )


UNKNOWN = {
    "nonzero": lambda x: ops.nonzero(x),
    "where": lambda x: ops.where(x),
    "unique": lambda x: ops.unique(x),
    "bincount": lambda x: ops.bincount(x),
    "segment_sum": lambda x: ops.segment_sum(x, x[0]),
    "getitem": lambda x: ops.getitem(x, ops.greater(x, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_sizes_are_told(name):
    text = f"^{name}: the size of the result follows from the values"
    with pytest.raises(ValueError, match=text):
        UNKNOWN[name](KerasTensor((2, 3), "int32"))


@pytest.mark.parametrize("name", UNKNOWN)
def test_unknown_sizes_in_a_compiled_function(training_backend, name):
    if training_backend != "jax":  # others know sizes later, or compile nothing
        return
    with pytest.raises(ValueError, match="the size of the result follows from the values"):
        jit(UNKNOWN[name])(ops.convert_to_tensor(GRID))


# Keys


def _keys():
    draw = np.random.default_rng(5)
    index = lambda *s: draw.integers(-3, 3, s).astype("int32")  # noqa: E731
    return [
        (0, slice(None), index(2)), (slice(None), 1, index(3)), (index(2), slice(None), -1),
        (slice(None), index(2), ..., 1), (..., index(2), 0), (None, index(2, 1), slice(None), index(3)),
        (slice(None), index(2), None, 1), (slice(None, None, -2), index(2), index(2)),
        (index(), slice(None), index(2)), (slice(None), CUBE[0] > 7),
        (CUBE[:, 0, 0] > 7, slice(2, 0, -1)), (CUBE[..., 0] > 7, ..., None), (index(2), 0, 0),
    ]  # fmt: skip


@pytest.mark.parametrize("key", _keys(), ids=str)
def test_mixed_keys(backend, key):
    wanted = CUBE[key]
    x = backend.convert(CUBE)
    converted = tuple(backend.convert(k) if isinstance(k, np.ndarray) else k for k in key)
    for given in (key, converted):
        np.testing.assert_array_equal(host(ops.getitem(x, given)), wanted)
    assert ops.getitem(KerasTensor(CUBE.shape), key).shape == wanted.shape


def test_indices_out_of_range_are_clipped(backend):
    far = np.array([9, -9, 1])
    np.testing.assert_array_equal(
        host(ops.getitem(CUBE, (far, slice(None), far))), CUBE[[2, 0, 1], :, [4, 0, 1]]
    )


@pytest.mark.parametrize(
    "key", [3, -4, (0, 4), (slice(None), 0, 5), (np.array([0]), 4), (..., -6)], ids=str
)
def test_ints_out_of_range_are_errors(backend, key):
    with pytest.raises(IndexError, match=r"^getitem: index -?\d is out of range for an axis of \d"):
        ops.getitem(backend.convert(CUBE), key)
    with pytest.raises(IndexError, match=r"^getitem: index -?\d is out of range for an axis of \d"):
        ops.getitem(KerasTensor(CUBE.shape), key)


def test_too_many_indices(backend):
    with pytest.raises(IndexError, match=r"^getitem: 4 indices for a tensor of 3 axes"):
        ops.getitem(backend.convert(CUBE), (0, 0, 0, 0))


# Gradients where differences don't tell


def test_equal_extremes_share_the_gradient(training_backend):
    x = ops.convert_to_tensor(np.float32([2, 2, 1, 5, 5, 5]))
    weights = np.float32([1, 6, 10])
    for find, sign in ((ops.segment_max, 1), (ops.segment_min, -1)):
        loss = lambda x, f=find: ops.sum(ops.multiply(f(x, [0, 0, 0, 1, 1, 1], 2), weights[:2]))  # noqa: E731
        np.testing.assert_allclose(host(grad(loss)(sign * x)), [0.5, 0.5, 0, 2, 2, 2], rtol=1e-6)
    update = lambda x, y: ops.sum(  # noqa: E731
        ops.multiply(ops.scatter_update(x, [[0], [0], [2]], y, "max"), weights)
    )
    given = (ops.convert_to_tensor(v) for v in (np.float32([3, 1, 0]), np.float32([3, 3, 1])))
    found = grad(update, argnums=(0, 1))(*given)
    np.testing.assert_allclose(host(found[0]), [1 / 3, 6, 0], rtol=1e-6)
    np.testing.assert_allclose(host(found[1]), [1 / 3, 1 / 3, 10], rtol=1e-6)


def test_products_with_zeros_have_gradients(training_backend):
    x = ops.convert_to_tensor(np.float32([2, 0, 3, 0, 0, 5]))
    loss = lambda x: ops.sum(ops.segment_prod(x, [0, 0, 0, 1, 1, 2], 3))  # noqa: E731
    np.testing.assert_array_equal(host(grad(loss)(x)), [0, 6, 0, 0, 0, 1])


def test_the_last_of_several_updates_holds_and_has_the_gradient(training_backend):
    y = ops.convert_to_tensor(np.float32([1, 2, 3, 4]))
    place = lambda y: ops.scatter_update(ops.zeros(3), [[1], [0], [1], [9]], y)  # noqa: E731
    np.testing.assert_array_equal(host(place(y)), [2, 3, 0])
    np.testing.assert_array_equal(host(grad(lambda y: ops.sum(place(y)))(y)), [0, 1, 1, 0])


def test_repeated_indices_add_their_gradients(training_backend):
    x = ops.convert_to_tensor(np.float32([1, 2, 3]))
    for pick in (lambda x: ops.take(x, [0, 0, -1]), lambda x: ops.getitem(x, np.array([0, 0, 2]))):
        found = grad(lambda x, f=pick: ops.sum(ops.multiply(f(x), np.float32([1, 2, 4]))))(x)
        np.testing.assert_array_equal(host(found), [3, 0, 4])


def test_top_k_and_sort_have_the_gradient_of_what_they_pick(training_backend):
    x = ops.convert_to_tensor(np.float32([0, 5, 5, -1]))
    weights = np.float32([1, 2, 4, 8])
    found = grad(lambda x: ops.sum(ops.multiply(ops.top_k(x, 2)[0], weights[:2])))(x)
    np.testing.assert_array_equal(host(found), [0, 1, 2, 0])
    found = grad(lambda x: ops.sum(ops.multiply(ops.sort(x), weights)))(x)
    np.testing.assert_array_equal(host(found), [2, 4, 8, 1])


# Errors

ROW = np.float32([1, 2, 3])
ERRORS = {
    "top_k: k must be from 0": lambda: ops.top_k(ROW, 4),
    "argsort: axis 1 is out of range": lambda: ops.argsort(ROW, 1),
    "searchsorted: sorted_sequence must have one axis": lambda: ops.searchsorted(GRID, 1),
    "searchsorted: side must be": lambda: ops.searchsorted(ROW, ROW, "middle"),
    "select: condlist and choicelist": lambda: ops.select([ROW > 1], [ROW, ROW]),
    "slice: the slice must have one start": lambda: ops.slice(GRID, (0,), (1,)),
    "slice: a slice of 4 elements along axis 1": lambda: ops.slice(GRID, (0, 0), (1, 4)),
    "slice_update: a slice of 4": lambda: ops.slice_update(GRID, (0, 0), np.ones((1, 4), "int32")),
    "scatter_update: reduction must be": lambda: ops.scatter_update(ROW, [[0]], [1.0], "sum"),
    "scatter_update: updates must have": lambda: ops.scatter_update(ROW, [[0], [1]], [1.0]),
    "scatter_update: the last axis of indices": lambda: ops.scatter_update(ROW, [[0, 1]], [1.0]),
    "segment_max: segment_ids must have one": lambda: ops.segment_max(ROW, GRID, 3),
    "nonzero: to find places": lambda: ops.nonzero(np.float32(1)),
    "where: x1 and x2 come together": lambda: ops.where(ROW > 1, ROW),
}


@pytest.mark.parametrize("text", ERRORS)
def test_errors_name_the_operation(backend, text):
    with pytest.raises(ValueError, match=f"^{text}"):
        ERRORS[text]()
