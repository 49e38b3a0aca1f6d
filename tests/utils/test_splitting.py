"""Data sets of every kind in two."""

import sys

import numpy as np
import optree
import pytest

import kerata
from kerata import layers
from kerata.utils import split_dataset

pytest.importorskip("grain")
NUMBERS = np.arange(10)


def plain(x):
    return optree.tree_map(lambda v: np.asarray(v).tolist(), x)


def halves(found):
    return [[plain(sample) for sample in part] for part in found]


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize(
    "sizes",
    [{"left_size": 0.33}, {"right_size": 0.25}, {"left_size": 3, "right_size": 0.5}],
    ids=str,
)
@pytest.mark.parametrize("order", [{}, {"shuffle": True, "seed": 3}], ids=str)
@pytest.mark.parametrize("data", [NUMBERS, (NUMBERS, NUMBERS * 2.0)], ids=["array", "tuple"])
def test_arrays_are_split_as_in_keras(keras, data, sizes, order):
    pytest.importorskip("tensorflow")
    wanted = halves(keras.utils.split_dataset(data, **sizes, **order))
    for name in ("numpy", "tensorflow", "torch"):
        found = split_dataset(data, **sizes, **order, preferred_backend=name)
        assert [len(part) for part in found] == [len(part) for part in wanted]
        assert halves(found) == wanted


@pytest.mark.oracle
@pytest.mark.slow
def test_shares_are_rounded_as_in_keras(keras):
    pytest.importorskip("tensorflow")
    for count in (3, 7, 10, 11):
        for share in (0.25, 0.33, 0.5, 0.75):
            data = np.arange(count)
            wanted = [len(p) for p in keras.utils.split_dataset(data, left_size=share)]
            found = split_dataset(data, left_size=share, preferred_backend="numpy")
            assert [len(p) for p in found] == wanted
    odd = split_dataset(np.arange(3), 0.5, 0.5, preferred_backend="numpy")
    assert [len(p) for p in odd] == [2, 1]


def test_arrays_become_what_users_of_the_backend_have(backend):
    data = {"x": kerata.ops.convert_to_tensor(NUMBERS), "y": [NUMBERS * 2, NUMBERS]}
    left, right = split_dataset(data, right_size=3)
    assert halves((left, right))[1] == [{"x": n, "y": (2 * n, n)} for n in (7, 8, 9)]
    library = type(left).__module__.split(".")[0]
    assert library == (backend.name if backend.name in ("torch", "tensorflow") else "grain")


def test_dtypes_stay():
    left, _ = split_dataset(np.arange(4.0), 2, preferred_backend="numpy")
    assert left[0].dtype == "float64"


def test_training_on_a_part(training_backend):
    x = np.random.default_rng(0).standard_normal((40, 3)).astype("float32")
    left, right = split_dataset((x, x.sum(1, keepdims=True)), 0.75)
    if training_backend == "torch":
        from torch.utils.data import DataLoader

        left, right = DataLoader(left, 10), DataLoader(right, 5)
    else:
        left, right = left.batch(10), right.batch(5)
    model = kerata.Sequential([kerata.Input((3,)), layers.Dense(1)])
    model.compile(kerata.optimizers.SGD(0.1), "mse")
    history = model.fit(left, validation_data=right, epochs=10, verbose=0).history
    assert history["val_loss"][-1] < 0.1 * history["val_loss"][0]


# Kinds


def pairs():
    return [(n, n / 2) for n in range(10)]


EXPECTED = [pairs()[:4], pairs()[4:]]


def test_torch():
    data = pytest.importorskip("torch.utils.data")

    class Pairs(data.Dataset):
        def __len__(self):
            return 10

        def __getitem__(self, number):
            return pairs()[number]

    found = split_dataset(Pairs(), 4)
    assert halves(found) == EXPECTED and isinstance(found[0], data.Subset)
    batches = split_dataset(data.DataLoader(Pairs(), 5), 0.5)
    assert [plain(b[0]) for part in batches for b in part] == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert halves(split_dataset(Pairs(), 4, preferred_backend="numpy")) == EXPECTED


@pytest.mark.slow
def test_tensorflow():
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.range(10).map(lambda n: (n, tf.cast(n, tf.float32) / 2))
    left, right = split_dataset(data, 4)
    assert left.element_spec == data.element_spec
    assert (len(left), len(right)) == (4, 6)
    assert halves((left, right)) == EXPECTED
    assert halves(split_dataset(data, 4, preferred_backend="jax")) == EXPECTED
    ragged = tf.data.Dataset.from_tensor_slices(tf.ragged.constant([[1], [2, 3], [4]]))
    _, right = split_dataset(ragged.ragged_batch(1), 1)
    assert [batch.to_list() for batch in right] == [[[2, 3]], [[4]]]


def test_a_tf_data_set_that_shuffles_is_split_once():
    tf = pytest.importorskip("tensorflow")
    left, right = split_dataset(tf.data.Dataset.range(100).shuffle(100), 0.5)
    assert set(map(int, left)) == set(map(int, left))
    assert not set(map(int, left)) & set(map(int, right))


def test_grain():
    grain = pytest.importorskip("grain")
    data = grain.MapDataset.range(10).map(lambda n: (n, n / 2))
    assert halves(split_dataset(data, 4)) == EXPECTED
    assert halves(split_dataset(data.to_iter_dataset(), 4)) == EXPECTED


def test_numbered_batches():
    class Batches(kerata.utils.PyDataset):
        def __len__(self):
            return 4

        def __getitem__(self, index):
            return np.full((2, 1), index)

    left, right = split_dataset(Batches(), 0.75, shuffle=True, seed=1)
    numbers = [int(b[0, 0]) for part in (left, right) for b in part]
    assert (len(left), len(right)) == (3, 1) and sorted(numbers) == [0, 1, 2, 3] != numbers


def test_iterables_and_frames():
    chosen = {"left_size": 2, "preferred_backend": "numpy"}
    assert halves(split_dataset(({"a": n} for n in range(3)), **chosen))[1] == [{"a": 2}]
    texts = split_dataset([("a", 1), ("b", 2), ("c", 3)], **chosen)
    assert [len(part) for part in texts] == [2, 1]
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame({"a": [1, 2, 3], "b": [4, 5, 6]})
    assert halves(split_dataset(frame, **chosen)) == [[[1, 4], [2, 5]], [[3, 6]]]


def test_without_a_seed_the_order_follows_from_that_of_the_process():
    orders = []
    for _ in range(2):
        kerata.utils.set_random_seed(3)
        orders += halves(split_dataset(NUMBERS, 5, shuffle=True, preferred_backend="numpy"))
    assert orders[:2] == orders[2:]


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ({}, "give left_size or right_size"),
        ({"left_size": 10}, "left_size must be an int below the 10 samples.*got 10"),
        ({"left_size": 1.1}, r"or a share from 0 to 1; got 1\.1"),
        ({"left_size": 0}, "left_size must be an int below"),
        ({"right_size": -1}, "right_size must be an int below"),
        ({"left_size": 8, "right_size": 5}, "are more than the 10 samples"),
        ({"left_size": 0.8, "right_size": 0.5}, "are more than the 10 samples"),
        ({"left_size": 0.01}, "leave the left side empty"),
        ({"left_size": 0.99}, "leave the right side empty"),
    ],
    ids=str,
)
def test_bad_sizes(sizes, message):
    with pytest.raises(ValueError, match=f"split_dataset: .*{message}"):
        split_dataset(NUMBERS, **sizes)


def test_bad_data():
    with pytest.raises(TypeError, match="left_size must be an int, a float or None; got 'x'"):
        split_dataset(NUMBERS, "x")
    with pytest.raises(TypeError, match=r"dataset must be arrays, a data set, or .* got int"):
        split_dataset(3, 0.5)
    with pytest.raises(ValueError, match=r"arrays must have one length; there are \[3, 10\]"):
        split_dataset((NUMBERS, NUMBERS[:3]), 0.5)


def test_without_grain_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "grain", None)
    with pytest.raises(ImportError, match=r"split_dataset needs grain.*'kerata\[data\]'"):
        split_dataset(NUMBERS, 0.5, preferred_backend="numpy")
