"""What users get for bad input: an error that names what is wrong, and nothing half done."""

import os
import signal
import threading

import numpy as np
import pytest

import kerata
from kerata import layers


def classifier(classes=3, features=4):
    model = kerata.Sequential(
        [
            kerata.Input((features,)),
            layers.Dense(8, activation="relu", name="hidden"),
            layers.Dense(classes, activation="softmax", name="head"),
        ]
    )
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model


def data(rows=16, features=4, classes=3):
    rng = np.random.default_rng(0)
    return rng.random((rows, features), "float32"), rng.integers(0, classes, rows).astype("int32")


def test_labels_out_of_range_are_named_with_their_row(training_backend):
    model, (x, y) = classifier(), data()
    y[11] = 3
    with pytest.raises(ValueError, match=r"label 3 \(row 11\).*3 classes: labels must be 0 to 2"):
        model.fit(x, y, verbose=0)
    y[11] = -1
    with pytest.raises(ValueError, match=r"label -1 \(row 11\)"):
        model.evaluate(x, y, verbose=0)


def test_wrong_feature_count_names_the_layer(backend):
    model = classifier()
    with pytest.raises(ValueError, match=r"'hidden'.*axis -1.*4 entries, found 5"):
        model.predict(np.ones((2, 5), "float32"), verbose=0)


def test_wrong_rank_names_the_layer(backend):
    model = kerata.Sequential([kerata.Input((8, 8, 1)), layers.Conv2D(4, 3, name="first")])
    with pytest.raises(ValueError, match=r"'first'.*expected 4 axes, found 3"):
        model.predict(np.ones((2, 8, 8), "float32"), verbose=0)


def test_x_and_y_of_different_length(training_backend):
    x, y = data()
    with pytest.raises(ValueError, match=r"one number of samples: y has 15, x has 16"):
        classifier().fit(x, y[:-1], verbose=0)


def test_nan_in_the_first_batch_tells_where_and_leaves_the_weights(training_backend):
    model, (x, y) = classifier(), data()
    before = model.get_weights()
    x[5, 2] = np.nan
    with pytest.raises(ValueError, match=r"not a number: x holds 1 values.*\(5, 2\)"):
        model.fit(x, y, verbose=0)
    for old, new in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(old, new)
    assert int(model.optimizer.iterations.numpy()) == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"optimizer": "sdg", "loss": "mse"}, r"optimizer 'sdg'.*'sgd'"),
        ({"optimizer": "adam", "loss": "mean_squard_error"}, r"'mean_squared_error'"),
        ({"optimizer": "adam", "loss": "mse", "metrics": ["acuracy"]}, r"'accuracy'"),
    ],
)
def test_unknown_names_suggest_the_nearest(arguments, message):
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(1)])
    with pytest.raises(ValueError, match=message):
        model.compile(**arguments)


def test_unknown_backend_suggests_the_nearest():
    with pytest.raises(ValueError, match="Did you mean 'torch'"):
        kerata.set_backend("pytorch")


def test_a_backend_that_is_not_installed_says_what_to_install():
    kerata.backends.register("ghost", lambda: None, ("no_such_engine",), "kerata[ghost]")
    try:
        with pytest.raises(ImportError, match=r"no_such_engine.*pip install 'kerata\[ghost\]'"):
            kerata.set_backend("ghost")
    finally:
        kerata.backends.unregister("ghost")


def test_an_unbuilt_model_says_what_to_do():
    class Mine(kerata.Model):
        def __init__(self):
            super().__init__()
            self.dense = layers.Dense(2)

        def call(self, x):
            return self.dense(x)

    with pytest.raises(ValueError, match="build"):
        Mine().summary()
    with pytest.raises(ValueError, match="build"):
        Mine().count_params()


def test_an_uncompiled_model_says_to_compile(training_backend):
    model = kerata.Sequential([kerata.Input((4,)), layers.Dense(1)])
    x = np.ones((4, 4), "float32")
    for method in ("fit", "evaluate", "train_on_batch", "test_on_batch"):
        with pytest.raises(ValueError, match="compile"):
            getattr(model, method)(x, x[:, :1])


def test_duplicate_layer_names():
    with pytest.raises(ValueError, match="two layers are named 'a'"):
        kerata.Sequential([layers.Dense(1, name="a"), layers.Dense(1, name="a")])
    i = kerata.Input((4,))
    o = layers.Dense(1, name="a")(layers.Dense(2, name="a")(i))
    with pytest.raises(ValueError, match="named 'a'"):
        kerata.Model(i, o)


def test_a_disconnected_graph_names_the_input():
    a, b = kerata.Input((4,), name="a"), kerata.Input((4,), name="b")
    o = layers.Add()([a, b])
    with pytest.raises(ValueError, match=r"disconnected.*'b'.*\(a\)"):
        kerata.Model(a, o)


def test_shape_mistakes_are_found_when_the_model_is_built():
    i = kerata.Input((4,))
    with pytest.raises(ValueError, match=r"4.*5|5.*4"):
        kerata.ops.matmul(i, np.ones((5, 2), "float32"))
    with pytest.raises(ValueError, match="no output is left"):
        layers.Conv2D(2, 9)(kerata.Input((8, 8, 1)))


def test_an_error_in_a_layer_tells_path_inputs_and_the_users_line(backend):
    class Wrong(layers.Layer):
        def call(self, x):
            raise RuntimeError("wrong")

    class Outer(layers.Layer):
        def __init__(self):
            super().__init__(name="outer")
            self.inner = Wrong(name="inner")

        def call(self, x):
            return self.inner(x)

    with pytest.raises(RuntimeError, match="wrong") as caught:
        Outer()(np.ones((2, 3), "float32"))
    notes = "\n".join(caught.value.__notes__)
    assert "'outer/inner' (Wrong)" in notes
    assert "(2, 3) float32" in notes
    assert "test_bad_input.py:" in notes
    files = []
    trace = caught.value.__traceback__
    while trace is not None:
        files.append(trace.tb_frame.f_code.co_filename)
        trace = trace.tb_next
    assert not any(f.endswith("layers/layer.py") for f in files)


@pytest.fixture
def interruptible():
    """SIGINT as in a terminal; a job that runs in the background inherits that it is ignored."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, previous)


def test_an_interrupt_leaves_the_weights_of_a_finished_step(training_backend, interruptible):
    """Ctrl-C at any moment: all weights and the step count belong to one step."""
    model, (x, y) = classifier(), data(512)
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(x, y, epochs=1, verbose=0)
    timer = threading.Timer(0.3, lambda: os.kill(os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(KeyboardInterrupt):
        model.fit(x, y, epochs=10**6, verbose=0)
    timer.join()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert int(model.optimizer.iterations.numpy()) > 16
    assert all(np.isfinite(w).all() for w in model.get_weights())
    model.fit(x, y, epochs=1, verbose=0)


def test_a_batch_of_the_wrong_structure(training_backend):
    model = classifier()
    with pytest.raises(ValueError, match="tuple of 4"):
        model.fit(iter([(1, 2, 3, 4)]), verbose=0)


@pytest.mark.parametrize("batch_size", [0, -1, 2.5])
def test_a_wrong_batch_size_is_named(training_backend, batch_size):
    x, y = data()
    with pytest.raises(ValueError, match="batch_size must be a positive int"):
        classifier().fit(x, y, batch_size=batch_size, verbose=0)


def test_numpy_and_openvino_say_that_they_do_not_train():
    x, y = data()
    for name in [n for n in ("numpy", "openvino") if kerata.backends.installed(n)]:
        with (
            kerata.use_backend(name),
            pytest.raises(RuntimeError, match=r"does not differentiate.*jax"),
        ):
            classifier().fit(x, y, verbose=0)
