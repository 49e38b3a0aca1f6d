"""The digits that come with the package: their contents and how they are split."""

from pathlib import Path

import numpy as np
import pytest

from kerata.datasets import digits

COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]


def rows(x, y):
    """Each image with its label as one row: `(n, 65)`."""
    return np.concatenate([x.reshape(len(x), 64), y[:, None]], axis=1)


def test_shapes_and_dtypes():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    assert x_train.shape == (1437, 8, 8) and y_train.shape == (1437,)
    assert x_test.shape == (360, 8, 8) and y_test.shape == (360,)
    assert {a.dtype for a in (x_train, y_train, x_test, y_test)} == {np.dtype("uint8")}
    assert x_train.min() == 0 and x_train.max() == 16


def test_counts_per_class():
    (_, y_train), (_, y_test) = digits.load_data()
    assert np.bincount(np.concatenate([y_train, y_test])).tolist() == COUNTS


@pytest.mark.oracle
def test_images_are_those_of_scikit_learn():
    reference = pytest.importorskip("sklearn.datasets").load_digits()
    (x, y), _ = digits.load_data(test_split=0)
    expected = rows(reference.images, reference.target)
    assert sorted(map(tuple, rows(x, y))) == sorted(map(tuple, expected.astype("uint8")))


def test_split_is_disjoint_and_complete():
    (x_train, y_train), (x_test, y_test) = digits.load_data()
    (x_all, y_all), (x_none, y_none) = digits.load_data(test_split=0)
    assert x_none.shape == (0, 8, 8) and y_none.shape == (0,)
    # No two of the 1,797 images are equal, so equal rows would be one image on both sides.
    train, test, everything = (
        set(map(tuple, rows(x, y)))
        for x, y in ((x_train, y_train), (x_test, y_test), (x_all, y_all))
    )
    assert len(everything) == 1797
    assert not train & test
    assert train | test == everything


def test_split_follows_from_the_seed():
    (x, y), _ = digits.load_data(seed=7)
    (x_again, y_again), _ = digits.load_data(seed=7)
    (x_other, _), _ = digits.load_data(seed=8)
    assert np.array_equal(x, x_again) and np.array_equal(y, y_again)
    assert not np.array_equal(x, x_other)


def test_split_is_the_same_everywhere():
    (_, y_train), (_, y_test) = digits.load_data()
    assert y_train[:10].tolist() == [8, 1, 6, 5, 5, 9, 5, 4, 1, 9]
    assert y_test[:10].tolist() == [2, 4, 1, 9, 7, 5, 2, 1, 5, 8]


def test_smaller_splits_keep_the_order():
    (x_large, _), _ = digits.load_data(test_split=0.1)
    (x_small, _), _ = digits.load_data(test_split=0.5)
    assert len(x_small) == 898
    assert np.array_equal(x_large[: len(x_small)], x_small)


@pytest.mark.parametrize("test_split", [-0.1, 1, 1.0, 1.5, float("nan"), np.float32(1)])
def test_test_split_out_of_range(test_split):
    with pytest.raises(ValueError, match=r"test_split must be in \[0, 1\)"):
        digits.load_data(test_split=test_split)


@pytest.mark.parametrize("test_split", ["0.2", None, True, [0.2], 0.2j])
def test_test_split_not_a_number(test_split):
    with pytest.raises(TypeError, match="test_split must be a number"):
        digits.load_data(test_split=test_split)


def test_negative_seed():
    with pytest.raises(ValueError):
        digits.load_data(seed=-1)


def test_file_is_small_and_licensed():
    folder = Path(digits.__file__).parent
    assert (folder / "digits.npz").stat().st_size < 200_000
    assert "CC BY 4.0" in (folder / "digits.LICENSE").read_text(encoding="utf-8")
