"""Every kind of data, on every training backend: the same weights as from NumPy arrays."""

import gc
import threading
import warnings

import numpy as np
import optree
import pytest

import kerata
from kerata import layers
from kerata.training.data import make_data
from kerata.utils import PyDataset, register_data_source

BATCH = 16
COLUMNS = list("abcd")
_RNG = np.random.default_rng(0)
X = _RNG.standard_normal((70, 4)).astype("float32")
Y = (X @ _RNG.standard_normal((4, 1))).astype("float32")
BATCHES = [(X[i : i + BATCH], Y[i : i + BATCH]) for i in range(0, len(X), BATCH)]


def network(features=4):
    kerata.utils.set_random_seed(1)
    model = kerata.Sequential([kerata.Input((features,)), layers.Dense(1)])
    model.compile(kerata.optimizers.Adam(0.01), "mse")
    return model


def weights(model):
    return np.concatenate([w.ravel() for w in model.get_weights()])


def trained(*data, epochs=2, **arguments):
    model = network()
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.fit(*data, batch_size=BATCH, epochs=epochs, shuffle=False, verbose=0, **arguments)
    return weights(model)


@pytest.fixture
def expected(training_backend):
    return trained(X, Y)


def forever():
    while True:
        yield from BATCHES


class Numbered(PyDataset):
    def __len__(self):
        return len(BATCHES)

    def __getitem__(self, index):
        return BATCHES[index]


def torch_arrays():
    torch = pytest.importorskip("torch")
    return torch.tensor(X, requires_grad=True), torch.tensor(Y)


def jax_arrays():
    numpy = pytest.importorskip("jax.numpy")
    return numpy.asarray(X), numpy.asarray(Y)


def tensorflow_arrays():
    tf = pytest.importorskip("tensorflow")
    return tf.constant(X), tf.constant(Y)


def pandas_frames():
    pd = pytest.importorskip("pandas")
    return pd.DataFrame(X, columns=COLUMNS), pd.Series(Y[:, 0])


def polars_frames():
    pl = pytest.importorskip("polars")
    return pl.DataFrame(X, schema=COLUMNS), pl.Series(Y[:, 0])


def sparse_matrix():
    sparse = pytest.importorskip("scipy.sparse")
    return sparse.coo_matrix(X), Y


def tensorflow_dataset(repeated=False):
    tf = pytest.importorskip("tensorflow")
    found = tf.data.Dataset.from_tensor_slices((X, Y)).batch(BATCH)
    return (found.repeat() if repeated else found,)


def torch_loader():
    data = pytest.importorskip("torch.utils.data")
    return (data.DataLoader(data.TensorDataset(*torch_arrays()), batch_size=BATCH),)


def grain_map(repeated=False):
    grain = pytest.importorskip("grain")
    found = grain.MapDataset.source([(X[i], Y[i]) for i in range(len(X))]).batch(BATCH)
    return (found.repeat() if repeated else found,)


def grain_iterated():
    return (grain_map()[0].to_iter_dataset(),)


def grain_loader():
    grain = pytest.importorskip("grain")
    rows = [(X[i], Y[i]) for i in range(len(X))]
    loader = grain.DataLoader(
        data_source=rows,
        sampler=grain.samplers.SequentialSampler(len(rows)),
        operations=[grain.transforms.Batch(BATCH)],
    )
    return (loader,)


SOURCES = {
    "lists": lambda: (X.tolist(), Y.tolist()),
    "torch arrays": torch_arrays,
    "jax arrays": jax_arrays,
    "tensorflow arrays": tensorflow_arrays,
    "pandas": pandas_frames,
    "polars": polars_frames,
    "sparse": sparse_matrix,
    "batches": lambda: (BATCHES,),
    "PyDataset": lambda: (Numbered(),),
    "PyDataset, threads": lambda: (Numbered(workers=2),),
    "tf.data": tensorflow_dataset,
    "DataLoader": torch_loader,
    "grain map": grain_map,
    "grain iterated": grain_iterated,
    "grain loader": grain_loader,
}
ENDLESS = {
    "generator": lambda: (forever(),),
    "tf.data": lambda: tensorflow_dataset(True),
    "grain": lambda: grain_map(True),
}


@pytest.mark.parametrize("source", SOURCES)
def test_a_source_trains_as_arrays_do(expected, source):
    data = SOURCES[source]()
    np.testing.assert_allclose(trained(*data), expected, atol=1e-6)


@pytest.mark.parametrize("source", ENDLESS)
def test_what_has_no_end_trains_by_steps(expected, source):
    data = ENDLESS[source]()
    np.testing.assert_allclose(trained(*data, steps_per_epoch=5), expected, atol=1e-6)
    model = network()
    if source != "generator":
        with pytest.raises(ValueError, match=r"has no end: give .*steps_per_epoch"):
            model.fit(*data, verbose=0)


@pytest.mark.parametrize("ahead", [0, 2])
def test_reading_ahead_changes_no_weights(expected, ahead, monkeypatch):
    monkeypatch.setattr("kerata.training.data.iterated._PAYS", 0.0)
    monkeypatch.setitem(kerata.config._settings, "read_ahead", ahead)
    np.testing.assert_allclose(trained(BATCHES, epochs=2), expected, atol=1e-6)


def test_a_reused_buffer_is_copied_before_the_next_batch(expected, monkeypatch):
    monkeypatch.setattr("kerata.training.data.iterated._PAYS", 0.0)

    def refilled():
        while True:
            x, y = np.empty((BATCH, 4), "float32"), np.empty((BATCH, 1), "float32")
            for new_x, new_y in BATCHES:
                x[: len(new_x)], y[: len(new_y)] = new_x, new_y
                yield x[: len(new_x)], y[: len(new_y)]

    np.testing.assert_allclose(trained(refilled(), steps_per_epoch=5), expected, atol=1e-6)


def test_evaluate_and_predict_take_them_all(backend):
    model = network()
    whole = model.evaluate(X, Y, verbose=0)
    predicted = model.predict(X, verbose=0)
    for make in SOURCES.values():
        data = make()
        assert model.evaluate(*data, batch_size=BATCH, verbose=0) == pytest.approx(whole, rel=1e-5)
        found = model.predict(data[0], batch_size=BATCH, verbose=0)
        np.testing.assert_allclose(found, predicted, rtol=1e-5, atol=1e-6)


def test_validation_data_of_any_source(training_backend):
    model = network()
    for data in ((X, Y), *tensorflow_dataset(), *torch_loader(), BATCHES):
        history = model.fit(X, Y, verbose=0, validation_data=data).history
        assert history["val_loss"][-1] == pytest.approx(model.evaluate(X, Y, verbose=0), rel=1e-5)


def test_validation_split_of_frames_and_sparse_matrices(training_backend):
    model = network()
    for data in (pandas_frames(), polars_frames(), sparse_matrix()):
        history = model.fit(*data, validation_split=0.2, verbose=0).history
        expected = model.evaluate(X[56:], Y[56:], verbose=0)
        assert history["val_loss"][0] == pytest.approx(expected, rel=1e-5)


def test_weights_of_classes_and_samples(training_backend):
    labels = (X[:, 0] > 0).astype("int32")
    by_class = np.where(labels == 1, 3.0, 1.0).astype("float32")

    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(2, activation="softmax")])
    model.compile(kerata.optimizers.SGD(0.0), "sparse_categorical_crossentropy")

    def loss(*data, **arguments):
        return model.fit(*data, batch_size=70, verbose=0, **arguments).history["loss"][0]

    tf, pd = pytest.importorskip("tensorflow"), pytest.importorskip("pandas")
    expected = loss(X, labels, sample_weight=by_class)
    for found in (
        loss(X, labels, class_weight={1: 3.0}),
        loss(X, pd.Series(labels), class_weight={0: 1.0, 1: 3.0}),
        loss(X, labels, sample_weight=pd.Series(by_class)),
        loss([(X, labels)], class_weight={1: 3}),
        loss([(X, np.eye(2)[labels].argmax(1))], class_weight={1: 3}),
        loss([(X, labels, by_class)]),
        loss(tf.data.Dataset.from_tensors((X, labels)), class_weight={1: 3.0}),
        loss(tf.data.Dataset.from_tensors((X, labels, by_class))),
    ):
        assert found == pytest.approx(expected, rel=1e-5)
    with pytest.raises(ValueError, match="class_weight can't be used beside sample_weight"):
        loss([(X, labels, by_class)], class_weight={1: 3.0})


def by_name():
    inputs = {name: kerata.Input((1,), name=name) for name in COLUMNS[:2]}
    model = kerata.Model(inputs, layers.Dense(1)(layers.concatenate(list(inputs.values()))))
    model.compile("sgd", "mse")
    return model


def test_a_data_frame_feeds_inputs_by_name(training_backend):
    frame, y = pandas_frames()
    model = by_name()
    for table in (frame, polars_frames()[0]):
        model.fit(table, y, verbose=0, validation_data=(table, y))
        columns = {"a": X[:, 0], "b": X[:, 1]}
        np.testing.assert_allclose(
            model.predict(table, verbose=0), model.predict(columns, verbose=0), atol=1e-6
        )
        assert model.predict_on_batch(table).shape == (70, 1)
    with pytest.raises(ValueError, match=r"inputs are the columns 'a', 'b'.*lacks 'b'"):
        model.fit(frame[["a", "c"]], y, verbose=0)


def test_missing_values_of_a_frame_are_nan():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    tables = [
        pd.DataFrame({"n": pd.Series([1, None, 3], dtype="Int64"), "f": [0.5, 1.5, 2.5]}),
        pd.DataFrame({"n": [1, None, 3], "f": [0.5, 1.5, 2.5]}),
        pl.DataFrame({"n": [1, None, 3], "f": [0.5, 1.5, 2.5]}),
    ]
    with kerata.use_backend("numpy"):
        for table in tables:
            found = make_data(table).parts[0]
            assert found.dtype == np.float32
            np.testing.assert_array_equal(found, [[1, 0.5], [np.nan, 1.5], [3, 2.5]])
        flags = pd.DataFrame({"b": pd.Series([True, False, True], dtype="boolean"), "n": [4, 5, 6]})
        np.testing.assert_array_equal(make_data(flags).parts[0], [[1, 4], [0, 5], [1, 6]])


def test_columns_that_are_no_numbers_are_named():
    pd, pl = pytest.importorskip("pandas"), pytest.importorskip("polars")
    for table in (
        pd.DataFrame({"n": [1, 2], "city": ["Oslo", "Rome"]}),
        pd.DataFrame({"n": [1, 2], "city": pd.Categorical(["Oslo", "Rome"])}),
        pd.DataFrame({"n": [1, 2], "city": pd.to_datetime(["2020-01-01", "2021-01-01"])}),
        pl.DataFrame({"n": [1, 2], "city": ["Oslo", "Rome"]}),
        pl.DataFrame({"n": [1, 2], "city": pl.Series(["Oslo", "Rome"], dtype=pl.Categorical)}),
    ):
        with pytest.raises(ValueError, match=r"x must hold numbers; column 'city' has dtype"):
            make_data(table)


def test_a_sparse_matrix_is_made_dense_by_batch(training_backend):
    """A matrix whose dense form (80 GB) no memory here holds."""
    sparse = pytest.importorskip("scipy.sparse")
    wide = sparse.random(200_000, 100_000, density=1e-7, format="csr", dtype="float32", rng=0)
    data = make_data(wide, np.zeros((200_000, 1), "float32"), batch_size=4, shuffle=True)
    data.order(np.random.default_rng(0))
    batches = data.batches()
    assert next(batches)[0].shape == (4, 100_000)
    batches.close()


def test_arrays_on_disk_are_read_by_batch(expected, tmp_path):
    import h5py

    mapped = np.memmap(tmp_path / "x", "float32", "w+", shape=X.shape)
    mapped[:] = X
    np.testing.assert_allclose(trained(mapped, Y), expected, atol=1e-6)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"], file["y"] = X, Y
        np.testing.assert_allclose(trained(file["x"], file["y"]), expected, atol=1e-6)
        network().fit(file["x"], Y, verbose=0, shuffle=True)


def test_shuffle_batch_keeps_rows_together():
    data = make_data(X, Y, batch_size=BATCH, shuffle="batch")
    order = data.order(np.random.default_rng(0))
    assert sorted(order) == list(range(70))
    starts = order[:64].reshape(4, 16)
    np.testing.assert_array_equal(starts - starts[:, :1], np.tile(np.arange(16), (4, 1)))
    assert list(starts[:, 0]) != sorted(starts[:, 0])
    assert list(order[64:]) == list(range(64, 70))


def test_steps_per_epoch_goes_on_where_the_last_epoch_stopped(training_backend):
    """Two epochs of two batches and one short one are a pass over the five, as in Keras."""
    expected = trained(X, Y, epochs=1)
    for data in ((X, Y), tensorflow_dataset()):
        model = network()
        with pytest.warns(UserWarning, match="ran out of data after 1 of the 2 batches"):
            model.fit(
                *data, batch_size=BATCH, steps_per_epoch=2, epochs=3, shuffle=False, verbose=0
            )
        np.testing.assert_allclose(weights(model), expected, atol=1e-6)


def test_a_generator_gives_no_more_than_training_uses(training_backend, monkeypatch):
    monkeypatch.setattr("kerata.training.data.iterated._PAYS", 0.0)
    given = []

    def counted():
        for i, batch in enumerate(forever()):
            given.append(i)
            yield batch

    class Stop(kerata.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            self.model.stop_training = batch == 0

    model, batches = network(), counted()
    model.fit(batches, steps_per_epoch=3, epochs=2, verbose=0)
    assert len(given) == 6
    model.evaluate(batches, steps=2, verbose=0)
    assert len(given) == 8
    model.fit(batches, steps_per_epoch=6, verbose=0, callbacks=[Stop()])  # trains on number 8
    read = [batch[0] for batch in make_data(batches, steps=2).batches()]
    for number, found in zip((9, 10), read, strict=True):
        np.testing.assert_array_equal(kerata.ops.convert_to_numpy(found), BATCHES[number % 5][0])


def test_a_generator_that_ends_early_is_warned_about(training_backend):
    model = network()
    with pytest.warns(UserWarning, match=r"ran out of data after 2 of the 3 batches"):
        history = model.fit(iter(BATCHES), steps_per_epoch=3, epochs=2, verbose=0)
    assert history.epoch == [0, 1]
    with pytest.warns(UserWarning, match=r"no more batches, so training ends here"):
        history = model.fit(iter(BATCHES), epochs=3, verbose=0)
    assert history.epoch == [0]
    with pytest.raises(ValueError, match="yields no batch"):
        model.fit(iter([]), verbose=0)


def test_an_exception_in_a_generator_arrives_with_its_traceback(training_backend, monkeypatch):
    for pays in (1.0, 0.0):
        monkeypatch.setattr("kerata.training.data.iterated._PAYS", pays)

        def failing():
            yield from BATCHES[:3]
            raise KeyError("lost")

        with pytest.raises(KeyError, match="lost") as caught:
            network().fit(failing(), steps_per_epoch=5, verbose=0)
        assert any(entry.name == "failing" for entry in caught.traceback)
        assert not readers()


def readers():
    return [t for t in threading.enumerate() if t.name.startswith("kerata-reader")]


def test_the_reading_thread_ends_with_training(training_backend, monkeypatch):
    monkeypatch.setattr("kerata.training.data.iterated._PAYS", 0.0)

    class Interrupt(kerata.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 2:
                assert readers()
                raise KeyboardInterrupt

    model = network()
    with pytest.raises(KeyboardInterrupt):
        model.fit(forever(), steps_per_epoch=20, verbose=0, callbacks=[Interrupt()])
    assert not readers()
    batches = make_data(BATCHES * 3).batches()
    for _ in range(4):
        next(batches)
    assert readers()
    del batches
    gc.collect()
    assert not readers()


def test_a_generator_that_hangs_does_not_hold_training_up(training_backend, monkeypatch):
    monkeypatch.setattr("kerata.training.data.iterated._PAYS", 0.0)
    monkeypatch.setattr("kerata.training.data.reader._PATIENCE", 0.1)
    go_on, hangs = threading.Event(), threading.Event()

    def hanging():
        yield from BATCHES[:4]
        hangs.set()
        go_on.wait()
        yield BATCHES[4]

    class Interrupt(kerata.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            if batch == 3:
                assert hangs.wait(60)
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        network().fit(hanging(), steps_per_epoch=5, verbose=0, callbacks=[Interrupt()])
    (thread,) = readers()
    go_on.set()
    thread.join(5)
    assert not readers()


def test_the_wait_for_batches_is_counted(training_backend):
    def slow():
        import time

        for batch in forever():
            time.sleep(0.01)
            yield batch

    history = network().fit(slow(), steps_per_epoch=10, epochs=2, verbose=0)
    assert all(0.05 < wait < 5 for wait in history.input_wait)
    assert network().fit(X, Y, verbose=0).input_wait == [0.0]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((forever, None), TypeError, r"got function; call the function"),
        ((3, Y), TypeError, r"x must be arrays, or yield batches.*got int"),
        (("text", Y), TypeError, r"got str"),
        ((BATCHES, Y), ValueError, r"y must not be given where x is an iterable \(list\)"),
        ((X, Y, np.ones(3)), ValueError, r"one number of samples: sample_weight has 3"),
        ((X[:0], Y[:0]), ValueError, r"x holds no samples"),
        (([[1, 2], [1]], [1, 2]), ValueError, r"row 0 has 2 entries, row 1 1.*pad_sequences"),
        ((X.astype(object), Y), ValueError, r"x has dtype object \(its first value is"),
        ((X, X.astype("M8[s]")), ValueError, r"y holds dates"),
        (({"a": X, "b": object()}, Y), TypeError, r"x\['b'\] must hold arrays; got object"),
        (([(1, 2, 3, X)],), ValueError, r"\(x, y\) or \(x, y, sample_weight\); got a tuple of 4"),
    ],
)  # fmt: skip
def test_what_can_not_be_used_is_named(arguments, error, message):
    with kerata.use_backend("numpy"), pytest.raises(error, match=message):
        make_data(*arguments).first()


def test_validation_split_needs_arrays(training_backend):
    with pytest.raises(ValueError, match=r"validation_split=0.5 needs arrays; x is a generator"):
        network().fit(forever(), validation_split=0.5, steps_per_epoch=2, verbose=0)


def test_read_ahead_is_checked():
    assert kerata.config.read_ahead() == 2
    with pytest.raises(ValueError, match="batches must be an int of 0 or more; got -1"):
        kerata.config.set_read_ahead(-1)


def test_text_stays_on_the_host(backend):
    data = make_data([(np.array(["a", "b"]), np.array([1.0, 2.0]))])
    x, y, _ = next(data.batches())
    assert x.tolist() == ["a", "b"] and not isinstance(y, str)


def test_a_kind_of_source_can_be_added():
    class Shards:
        def __init__(self, parts):
            self.parts = parts

    remove = register_data_source(lambda x: isinstance(x, Shards), lambda x: x.parts)
    try:
        with kerata.use_backend("numpy"):
            batches = list(make_data(Shards(BATCHES)).batches())
    finally:
        remove()
    assert optree.tree_all(optree.tree_map(np.array_equal, [b[:2] for b in batches], BATCHES))
    with pytest.raises(TypeError, match="got Shards"):
        make_data(Shards(BATCHES))
