"""`TensorBoard`: what it writes, as TensorBoard's own reader gives it back."""

from __future__ import annotations

import pathlib
import sys

import numpy as np
import pytest

import kerata
from kerata import layers
from kerata.callbacks.event_file import as_image, graph_of

pytest.importorskip("tensorboardX")
accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
X = np.arange(8)[:, None]
Y = np.ones((8, 1), "float32")
EVERYTHING = {"scalars": 0, "histograms": 0, "images": 0, "tensors": 0}


def read(folder):
    found = accumulator.EventAccumulator(str(folder), size_guidance=EVERYTHING)
    return found.Reload()


def trained(folder, epochs=2, fits=1, metrics=("mae",), **options):
    model = kerata.Sequential(
        [
            kerata.Input((1,), dtype="int32"),
            layers.Embedding(8, 3, name="embed"),
            layers.Flatten(name="flat"),
            layers.Dense(1, name="dense"),
        ],
        name="net",
    )
    model.compile("sgd", "mse", metrics=list(metrics))
    for _ in range(fits):
        history = model.fit(
            X, Y, batch_size=2, epochs=epochs, verbose=0, validation_data=(X, Y),
            callbacks=[kerata.callbacks.TensorBoard(folder, **options)],
        )  # fmt: skip
    return model, history.history


def scalars(events, tag):
    return [(e.step, e.value) for e in events.Scalars(tag)]


def test_scalars_of_epochs(training_backend, tmp_path):
    _, history = trained(tmp_path)
    train, validation = read(tmp_path / "train"), read(tmp_path / "validation")
    assert set(train.Tags()["scalars"]) == {"epoch_loss", "epoch_mae", "epoch_learning_rate"}
    assert set(validation.Tags()["scalars"]) == {
        "epoch_loss", "epoch_mae", "evaluation_loss_vs_iterations", "evaluation_mae_vs_iterations",
    }  # fmt: skip
    for events, name, key in ((train, "loss", "loss"), (validation, "mae", "val_mae")):
        steps, values = zip(*scalars(events, f"epoch_{name}"), strict=True)
        assert steps == (0, 1)
        np.testing.assert_allclose(values, history[key], rtol=1e-6)
    steps, values = zip(*scalars(validation, "evaluation_loss_vs_iterations"), strict=True)
    assert steps == (4, 8)
    np.testing.assert_allclose(values, history["val_loss"], rtol=1e-6)
    np.testing.assert_allclose([v for _, v in scalars(train, "epoch_learning_rate")], 0.01)


@pytest.mark.parametrize(("often", "steps"), [("batch", range(1, 17)), (3, (3, 6, 9, 12, 15))])
def test_scalars_of_batches_go_on_in_a_second_fit(training_backend, tmp_path, often, steps):
    trained(tmp_path, fits=2, update_freq=often, write_steps_per_second=True)
    events = read(tmp_path / "train")
    assert [s for s, _ in scalars(events, "batch_loss")] == list(steps)
    rates = scalars(events, "batch_steps_per_second") + scalars(events, "epoch_steps_per_second")
    assert all(v > 0 for _, v in rates)


def test_weights(training_backend, tmp_path):
    model, _ = trained(tmp_path, histogram_freq=2, write_images=True, epochs=3)
    events = read(tmp_path / "train")
    assert set(events.Tags()["histograms"]) == {
        "embed/embeddings/histogram", "dense/kernel/histogram", "dense/bias/histogram",
    }  # fmt: skip
    found = events.Histograms("embed/embeddings/histogram")
    assert [e.step for e in found] == [0, 2]
    value = model.layers[0].embeddings.numpy()
    last = found[-1].histogram_value
    assert last.num == value.size
    np.testing.assert_allclose([last.min, last.max], [value.min(), value.max()], rtol=1e-6)
    images = events.Images("embed/embeddings/image")
    assert (images[0].height, images[0].width) == (3, 8)


def test_images_of_weights():
    assert as_image(np.array([[0.0, 1.0], [2.0, 4.0], [4.0, 4.0]])).tolist() == [
        [0, 128, 255], [64, 255, 255],
    ]  # fmt: skip
    kernel = np.zeros((2, 2, 1, 3))
    kernel[..., 2] = 1.0
    image = as_image(kernel)
    assert image.shape == (6, 6)  # two by two tiles, a line between them
    assert image[3:5, 0:2].tolist() == [[255, 255], [255, 255]]
    assert image.sum() == 4 * 255


def test_the_graph(training_backend, tmp_path):
    trained(tmp_path)
    from tensorboardX.proto.graph_pb2 import GraphDef

    graph = GraphDef.FromString(read(tmp_path / "train").Graph().SerializeToString())
    edges = {n.name: list(n.input) for n in graph.node}
    source = next(n for n, inputs in edges.items() if not inputs)
    assert edges == {
        source: [],
        "net/embed": [source],
        "net/flat": ["net/embed"],
        "net/dense": ["net/flat"],
    }
    assert {n.name: n.op for n in graph.node}["net/dense"] == "Dense"
    sizes = graph.node[-1].attr["_output_shapes"].list.shape[0].dim
    assert [d.size for d in sizes] == [-1, 1]


def test_graphs_of_models_in_models_and_of_operations():
    inner = kerata.Sequential([kerata.Input((2,)), layers.Dense(2, name="a")], name="inner")
    shared = kerata.Input((2,), name="in")
    once = inner(shared)
    model = kerata.Model(shared, layers.Add(name="sum")([inner(once), once * 2.0]), name="outer")
    edges = {n.name: list(n.input) for n in graph_of(model).node}
    product = next(n for n in edges if "multiply" in n)
    assert edges == {
        "outer/in": [],
        "outer/inner/a": ["outer/in"],
        "outer/inner/a_1": ["outer/inner/a"],
        product: ["outer/inner/a"],
        "outer/sum": ["outer/inner/a_1", product],
    }

    class Own(kerata.Model):
        pass

    assert graph_of(Own()) is None


def test_embeddings(training_backend, tmp_path):
    from google.protobuf import text_format
    from tensorboard.plugins.projector.projector_config_pb2 import ProjectorConfig

    model, _ = trained(tmp_path, embeddings_freq=1, embeddings_metadata={"embed": "words.tsv"})
    config = text_format.Parse((tmp_path / "projector_config.pbtxt").read_text(), ProjectorConfig())
    (entry,) = config.embeddings
    assert (entry.tensor_name, entry.metadata_path) == ("embed", "words.tsv")
    assert list(entry.tensor_shape) == [8, 3]
    table = np.loadtxt(tmp_path / entry.tensor_path, delimiter="\t")
    np.testing.assert_allclose(table, model.layers[0].embeddings.numpy(), rtol=1e-5)
    with pytest.raises(ValueError, match="embeddings_metadata names other; the embedding layers"):
        trained(tmp_path, embeddings_freq=1, embeddings_metadata={"other": "x"})


@pytest.mark.slow
def test_the_engines_own_profile(training_backend, tmp_path):
    trained(tmp_path, profile_batch=(2, 3))
    names = [p.name for p in (tmp_path / "train").rglob("*") if p.is_file()]
    assert any(n.endswith((".xplane.pb", ".trace.json")) for n in names), names


def test_evaluation_alone(training_backend, tmp_path):
    model, _ = trained(tmp_path / "first")
    model.evaluate(X, Y, verbose=0, callbacks=[kerata.callbacks.TensorBoard(tmp_path / "second")])
    events = read(tmp_path / "second/validation")
    assert [s for s, _ in scalars(events, "evaluation_loss_vs_iterations")] == [8]


def test_metrics_of_several_values_are_left_out(training_backend, tmp_path):
    class Pair(kerata.metrics.Mean):
        def result(self):
            return kerata.ops.stack([self.total.value, self.count.value])

        def update_state(self, y_true, y_pred, sample_weight=None):
            super().update_state(y_pred)

    trained(tmp_path, metrics=[Pair(name="pair")])
    assert "epoch_pair" not in read(tmp_path / "train").Tags()["scalars"]


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"update_freq": "never"}, "update_freq must be 'epoch', 'batch' or a number .* 'never'"),
        ({"update_freq": 0}, "update_freq must be"),
        ({"profile_batch": (3, 2)}, "profile_batch must be a number of a batch.*got \\(3, 2\\)"),
        ({"profile_batch": "x"}, "profile_batch must be"),
    ],
)
def test_wrong_arguments(options, text):
    with pytest.raises(ValueError, match=text):
        kerata.callbacks.TensorBoard("logs", **options)


def test_what_is_missing_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'kerata\[tensorboard\]'"):
        kerata.callbacks.TensorBoard("logs")


def test_steps_run_several_at_a_time_unless_batches_are_watched(tmp_path):
    several = kerata.callbacks.CallbackList(kerata.callbacks.TensorBoard(tmp_path))
    each = kerata.callbacks.CallbackList(kerata.callbacks.TensorBoard(tmp_path, update_freq=5))
    assert not several.wants_batches("train") and each.wants_batches("train")
    assert not list(pathlib.Path(tmp_path).iterdir())


@pytest.mark.oracle
@pytest.mark.slow
def test_names_against_keras(training_backend, tmp_path):
    """Keras' own callback needs TensorFlow; its files are read by the same reader."""
    import os
    import subprocess

    pytest.importorskip("tensorflow")
    if training_backend != "tensorflow":
        pytest.skip("one backend is enough")
    script = (
        "import keras, numpy as np; x = np.arange(8)[:, None]; y = np.ones((8, 1), 'float32');"
        "m = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, name='dense')]);"
        "m.compile('sgd', 'mse', metrics=['mae']);"
        "m.fit(x, y, batch_size=2, epochs=2, verbose=0, validation_data=(x, y),"
        f"callbacks=[keras.callbacks.TensorBoard({str(tmp_path / 'keras')!r}, update_freq='batch',"
        "write_steps_per_second=True)])"
    )
    subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "KERAS_BACKEND": "tensorflow"},
        check=True,
        capture_output=True,
    )
    trained(tmp_path / "ours", update_freq="batch", write_steps_per_second=True)
    for part in ("train", "validation"):
        theirs = read(tmp_path / "keras" / part)
        ours = read(tmp_path / "ours" / part)
        steps = {t: [e.step for e in ours.Scalars(t)] for t in ours.Tags()["scalars"]}
        for tag in theirs.Tags()["tensors"]:
            if tag != "keras":  # their graph
                assert steps[tag] == [e.step for e in theirs.Tensors(tag)], tag
