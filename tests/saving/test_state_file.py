"""Trees of arrays and plain values in a file."""

import ml_dtypes
import numpy as np
import pytest

from kerata.saving.state_file import read_tree, write_tree

TREE = {
    "weights": [np.arange(6, dtype="float32").reshape(2, 3), np.array(7, "uint64")],
    "half": np.array([1.5, -2.0], ml_dtypes.bfloat16),
    "nothing": np.zeros((0, 4), "int32"),
    "flags": np.array([True, False]),
    "logs": {"loss": [0.1, float("inf")], "name": "é", "best": None, "done": True, "dict": {}},
    "scalar": np.float32(0.1),
}


def test_what_is_written_is_read(tmp_path):
    write_tree(tmp_path / "a", TREE)
    found = read_tree(tmp_path / "a")
    assert found["logs"] == TREE["logs"]
    for mine, given in [
        *zip(found["weights"], TREE["weights"], strict=True),
        *((found[n], TREE[n]) for n in ("half", "nothing", "flags", "scalar")),
    ]:
        assert mine.dtype == given.dtype and mine.shape == given.shape
        np.testing.assert_array_equal(mine, given)
        assert mine.flags.writeable
    assert [p.name for p in tmp_path.iterdir()] == ["a"]


def test_tuples_come_back_as_lists(tmp_path):
    write_tree(tmp_path / "a", (1, (2, [3])))
    assert read_tree(tmp_path / "a") == [1, [2, [3]]]


@pytest.mark.parametrize("value", [object(), {1: 2}, {3}, np.array(["a"])])
def test_what_has_no_form_is_refused(tmp_path, value):
    with pytest.raises(TypeError, match=r"A state may hold .* at \['a'\]\[1\]"):
        write_tree(tmp_path / "b", {"a": [0, value]})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-40], lambda b: b"", lambda b: b[:60] + b"x" + b[61:]]
)
def test_damage_is_seen(tmp_path, damage):
    path = tmp_path / "a"
    write_tree(path, TREE)
    path.write_bytes(damage(path.read_bytes()))
    with pytest.raises(OSError, match="is damaged, or is no file of this kind"):
        read_tree(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_tree(tmp_path / "a")
