"""`save_weights` and `load_weights`: what fits is loaded, what does not is named."""

import json
import subprocess
import sys

import h5py
import numpy as np
import pytest

import kerata
from kerata import Input, Model, Sequential, Variable, layers
from tests.saving.models import FEATURES, WAYS, data, filled, functional, stacked, subclassed


def same_weights(one, other):
    for a, b in zip(one.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


def dense(*units, names=None):
    found = [layers.Dense(u, name=n) for u, n in zip(units, names or [None] * 9, strict=False)]
    return Sequential([Input((FEATURES,)), *found])


@pytest.mark.parametrize("way", WAYS)
def test_round_trip(way, backend, tmp_path):
    model, other = filled(way()), way()
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    same_weights(model, other)
    np.testing.assert_array_equal(
        other.predict(data(way), verbose=0), model.predict(data(way), verbose=0)
    )


@pytest.mark.parametrize("zipped", [True, False])
def test_out_of_a_whole_model(zipped, tmp_path):
    path = tmp_path / ("model.keras" if zipped else "model")
    model, other = filled(functional()), functional()
    model.save(path, zipped=zipped)
    other.load_weights(path)
    same_weights(model, other)


@pytest.mark.parametrize("way", WAYS)
def test_shards(way, tmp_path):
    model, other = filled(way()), way()
    model.save_weights(tmp_path / "model.weights.json", max_shard_size=2e-7)
    shards = sorted(p.name for p in tmp_path.glob("*.h5"))
    assert len(shards) > 1 and shards[0] == "model_00000.weights.h5"
    other.load_weights(tmp_path / "model.weights.json")
    same_weights(model, other)


def test_shards_beside_the_list_only(tmp_path):
    listed = {"metadata": {}, "weight_map": {"/layers": ["../other.weights.h5"]}}
    (tmp_path / "model.weights.json").write_text(json.dumps(listed))
    with pytest.raises(ValueError, match="must stand beside it"):
        stacked().load_weights(tmp_path / "model.weights.json")
    (tmp_path / "model.weights.json").write_text("[]")
    with pytest.raises(ValueError, match="no list of files of weights"):
        stacked().load_weights(tmp_path / "model.weights.json")
    with pytest.raises(ValueError, match="positive number"):
        stacked().save_weights(tmp_path / "model.weights.json", max_shard_size=0)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "float8_e4m3fn", "float8_e5m2", "bool"])
def test_dtypes(dtype, tmp_path):
    class Holder(layers.Layer):
        def __init__(self, value, **kwargs):
            super().__init__(**kwargs)
            self.held = Variable(value, dtype=dtype, trainable=False)

        def call(self, x):
            return x

    values = np.array([0, 1, 1.5, -2]) if dtype != "bool" else np.array([True, False, True, True])
    model = Sequential([Input((2,)), Holder(values)])
    other = Sequential([Input((2,)), Holder(np.zeros(4))])
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    held = other.layers[0].held
    assert held.dtype == dtype
    np.testing.assert_array_equal(held.numpy().astype("float32"), values.astype("float32"))


def test_half_precision_policies(backend, tmp_path):
    def make():
        return Sequential(
            [
                Input((FEATURES,)),
                layers.Dense(3, dtype="bfloat16"),
                layers.Dense(2, dtype="float16"),
            ]
        )

    model, other = make(), make()
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert [w.stored_dtype for w in other.weights] == ["bfloat16"] * 2 + ["float16"] * 2
    same_weights(model, other)


def test_seeds_come_back(tmp_path):
    model, other = subclassed(), subclassed()
    generator = model.blocks[0].pair[1].seed_generator
    generator.next()
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    restored = other.blocks[0].pair[1].seed_generator
    np.testing.assert_array_equal(restored.state.numpy(), generator.state.numpy())


def test_own_save_and_load(tmp_path):
    class Own(layers.Layer):
        def __init__(self, count, **kwargs):
            super().__init__(**kwargs)
            self.table = {str(i): float(i) for i in range(count)}

        def save_own_variables(self, store):
            store["keys"] = np.array([int(k) for k in self.table])

        def load_own_variables(self, store):
            self.table = {str(k): float(k) for k in store["keys"]}

        def call(self, x):
            return x

    model, other = (Sequential([Input((2,)), Own(n)]) for n in (3, 0))
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert other.layers[0].table == model.layers[0].table


def test_objects_that_are_no_layers(tmp_path):
    class Table:
        def __init__(self, rows):
            self.rows = rows

        def save_own_variables(self, store):
            store["rows"] = np.array(self.rows)

        def load_own_variables(self, store):
            self.rows = store["rows"].tolist()

    model, other = dense(3), dense(3)
    model.layers[0].table, other.layers[0].table = Table([1, 2]), Table([])
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    assert other.layers[0].table.rows == [1, 2]


def test_optimizer_state(training_backend, tmp_path):
    x, y = data(), np.ones((8, 2), "float32")
    model, other, plain = stacked(), stacked(), stacked()
    for one in (model, other):
        one.compile("adam", "mse")
    model.fit(x, y, verbose=0)
    model.save_weights(tmp_path / "model.weights.h5")
    other.load_weights(tmp_path / "model.weights.h5")
    for a, b in zip(other.optimizer.variables, model.optimizer.variables, strict=True):
        np.testing.assert_array_equal(a.numpy(), b.numpy())
    plain.load_weights(tmp_path / "model.weights.h5")
    other.compile("sgd", "mse")
    with pytest.warns(UserWarning, match="its state is not loaded"):
        other.load_weights(tmp_path / "model.weights.h5")
    same_weights(model, other)


# What does not fit


def test_shapes_that_differ(backend, tmp_path):
    dense(3, 2, names=["first", "last"]).save_weights(tmp_path / "model.weights.h5")
    model = dense(5, 2, names=["first", "last"])
    before = model.get_weights()
    with pytest.raises(ValueError) as caught:
        model.load_weights(tmp_path / "model.weights.h5")
    message = str(caught.value)
    assert "'first' (Dense" in message and "(4, 5)" in message and "(4, 3)" in message
    assert "skip_mismatch=True" in message
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_skip_mismatch(backend, tmp_path):
    saved = filled(dense(3, 3, 2))
    saved.save_weights(tmp_path / "model.weights.h5")
    model = dense(3, 3, 5)
    before = model.layers[2].get_weights()
    with pytest.warns(UserWarning, match=r"skipped(.|\n)*dense.*\(3, 5\).*\(3, 2\)"):
        model.load_weights(tmp_path / "model.weights.h5", skip_mismatch=True)
    for a, b in zip(model.layers[:2], saved.layers[:2], strict=True):
        same_weights(a, b)
    np.testing.assert_array_equal(model.layers[2].get_weights()[0], before[0])


@pytest.mark.parametrize("units", [(3,), (3, 2, 2)])
def test_another_number_of_layers(units, tmp_path):
    dense(3, 2).save_weights(tmp_path / "model.weights.h5")
    model = dense(*units)
    with pytest.raises(ValueError, match=f"{len(units)} layers with weights and the file 2"):
        model.load_weights(tmp_path / "model.weights.h5")
    with pytest.warns(UserWarning, match="skipped"):
        model.load_weights(tmp_path / "model.weights.h5", skip_mismatch=True)


def test_models_that_are_not_built(tmp_path):
    dense(3).save_weights(tmp_path / "model.weights.h5")
    model = Sequential([layers.Dense(3)])
    with pytest.raises(ValueError, match="not built"):
        model.load_weights(tmp_path / "model.weights.h5")
    with pytest.raises(ValueError, match="not built"):
        model.save_weights(tmp_path / "other.weights.h5")


# Damaged and hostile files


def test_no_hdf5(tmp_path):
    path = tmp_path / "model.weights.h5"
    stacked().save_weights(path)
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match="no readable HDF5"):
        stacked().load_weights(path)


def test_keras_2_file(tmp_path):
    with h5py.File(tmp_path / "old.weights.h5", "w") as file:
        file.attrs["layer_names"] = ["dense"]
    with pytest.raises(ValueError, match="Keras 2"):
        stacked().load_weights(tmp_path / "old.weights.h5")


def linked(path, link):
    """A model's file in which a variable is a link."""
    model = dense(3)
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars/0"] = link
    return model


@pytest.mark.parametrize("kind", ["external", "soft"])
def test_links_are_refused(kind, tmp_path):
    with h5py.File(tmp_path / "secret.h5", "w") as file:
        file["data"] = np.zeros((FEATURES, 3), "float32")
    link = {
        "external": h5py.ExternalLink(str(tmp_path / "secret.h5"), "data"),
        "soft": h5py.SoftLink("/layers/dense/vars/1"),
    }[kind]
    model = linked(tmp_path / "model.weights.h5", link)
    with pytest.raises(ValueError, match="never followed"):
        model.load_weights(tmp_path / "model.weights.h5")


def replaced(path, make):
    """A model's file in which `make(group)` puts another variable 0."""
    model = dense(3)
    model.save_weights(path)
    with h5py.File(path, "a") as file:
        group = file["layers/dense/vars"]
        del group["0"]
        make(group)
    return model


def elsewhere(group):
    group.create_dataset("0", (FEATURES, 3), "float32", external=[("/etc/hostname", 0, 48)])


def virtual(group):
    layout = h5py.VirtualLayout((FEATURES, 3), "float32")
    layout[:] = h5py.VirtualSource("other.h5", "data", (FEATURES, 3))
    group.create_virtual_dataset("0", layout)


def empty(group):
    group.create_dataset("0", (FEATURES, 3), "float32", chunks=(1, 1))


def text(group):
    group.create_dataset("0", data=np.array(["a"] * 3, dtype="S1"))


def nested(group):
    group.create_group("0/deeper")


@pytest.mark.parametrize("make", [elsewhere, virtual, empty, text, nested])
def test_what_is_no_plain_array_is_refused(make, tmp_path):
    model = replaced(tmp_path / "model.weights.h5", make)
    before = model.get_weights()
    with pytest.raises(ValueError, match="vars/0"):
        model.load_weights(tmp_path / "model.weights.h5")
    for a, b in zip(model.get_weights(), before, strict=True):
        np.testing.assert_array_equal(a, b)


def test_compressed_files_are_read(tmp_path):
    saved = filled(dense(3))
    saved.save_weights(tmp_path / "model.weights.h5")
    kernel = saved.get_weights()[0]
    with h5py.File(tmp_path / "model.weights.h5", "a") as file:
        del file["layers/dense/vars/0"]
        file["layers/dense/vars"].create_dataset("0", data=kernel, compression="gzip")
    model = dense(3)
    model.load_weights(tmp_path / "model.weights.h5")
    same_weights(model, saved)


def test_a_layer_that_stands_in_two_places_is_saved_once(tmp_path):
    class Tied(Model):
        def __init__(self):
            super().__init__()
            self.a = self.b = layers.Dense(FEATURES)
            self.c = [self.a, layers.Dense(2)]

        def call(self, x):
            return self.c[1](self.b(self.a(x)))

    model, other = Tied(), Tied()
    for one in (model, other):
        one.build((None, FEATURES))
    filled(model).save_weights(tmp_path / "model.weights.h5")
    with h5py.File(tmp_path / "model.weights.h5") as file:
        assert sorted(file) == ["a", "c", "vars"]
        assert list(file["c"]) == ["dense_1"]
    other.load_weights(tmp_path / "model.weights.h5")
    same_weights(model, other)


def test_hdf5_is_imported_where_it_is_used():
    code = "import sys, kerata; assert 'h5py' not in sys.modules; print(kerata.version())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == kerata.version(), done.stderr
