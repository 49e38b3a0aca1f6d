"""Data sets of the files in a directory, against Keras where it has the same."""

import os
import struct
import subprocess
import sys
import threading
import wave

import numpy as np
import optree
import pytest

import kerata
from kerata import layers, utils
from kerata.utils.audio import read_wav, resampled

Image = pytest.importorskip("PIL.Image")
pytest.importorskip("grain")

CLASSES = ("b", "a", "c")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """27 images and 12 texts of three classes, in folders, of all kinds."""
    root = tmp_path_factory.mktemp("files")
    rng = np.random.default_rng(0)
    for name in CLASSES:
        (root / name / "sub").mkdir(parents=True)
        for i in range(7):
            pixels = rng.integers(0, 255, (13 + i, 17, 3), "uint8")
            Image.fromarray(pixels).save(root / name / f"{i}.png")
        Image.fromarray(rng.integers(0, 255, (9, 17), "uint8")).save(root / name / "sub" / "g.bmp")
        Image.fromarray(rng.integers(0, 255, (9, 17, 4), "uint8")).save(root / name / "zz.PNG")
        for i, text in enumerate(("good film", "Für Elise\n", "", "x" * 50)):
            (root / name / f"{i}.txt").write_text(f"{name} {text}", encoding="utf-8")
    (root / ".hidden").mkdir()
    return root


def images(folder, **arguments):
    given = {"image_size": (8, 9), "batch_size": 5, "format": "grain", "verbose": False}
    return utils.image_dataset_from_directory(folder, **{**given, **arguments})


def labels_of(dataset):
    return [int(label) for batch in dataset for label in np.ravel(batch[1])]


def arrays_of(dataset):
    return [[np.asarray(part) for part in optree.tree_leaves(batch)] for batch in dataset]


def assert_equal(found, wanted, atol=0.0):
    assert len(found) == len(wanted) > 0
    for batch, other in zip(found, wanted):
        assert [(p.shape, p.dtype) for p in batch] == [(p.shape, p.dtype) for p in other]
        for part, beside in zip(batch, other):
            np.testing.assert_allclose(part, beside, atol=atol)


ARGUMENTS = [
    {"shuffle": False},
    {"shuffle": False, "label_mode": "categorical", "color_mode": "rgba"},
    {"shuffle": False, "label_mode": "binary", "class_names": ["c", "a"]},
    {"shuffle": False, "label_mode": None, "interpolation": "nearest"},
    {"shuffle": False, "batch_size": None, "color_mode": "grayscale"},
    {"shuffle": False, "data_format": "channels_first"},
    {"shuffle": False, "crop_to_aspect_ratio": True, "interpolation": "lanczos3"},
    {"shuffle": False, "pad_to_aspect_ratio": True},
    {"seed": 3},
    {"seed": 3, "batch_size": None},
    {"seed": 3, "validation_split": 0.25, "subset": "training"},
    {"shuffle": False, "validation_split": 0.25, "subset": "validation"},
]


@pytest.mark.oracle
@pytest.mark.parametrize("arguments", ARGUMENTS, ids=str)
def test_images_are_those_of_keras_with_grain(folder, keras, arguments):
    given = {"image_size": (8, 9), "batch_size": 5, "format": "grain", "verbose": False}
    given |= arguments
    wanted = keras.utils.image_dataset_from_directory(str(folder), **given)
    found = images(folder, **arguments)
    assert found.file_paths == wanted.file_paths
    assert found.class_names == wanted.class_names
    assert_equal(arrays_of(found), arrays_of(wanted), 1e-3)


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("arguments", [{"seed": 3}, {"seed": 4, "batch_size": None}], ids=str)
def test_orders_are_those_of_keras_with_tf_data(folder, keras, arguments):
    pytest.importorskip("tensorflow")
    given = {"image_size": (8, 9), "batch_size": 5, "verbose": False} | arguments
    wanted = keras.utils.image_dataset_from_directory(
        str(folder),
        labels=list(range(27)),
        **given,  # Keras shuffles the list that it is given
    )
    found = images(folder, format="tf", labels=range(27), **arguments)
    assert found.element_spec == wanted.element_spec
    for _ in range(2):
        assert labels_of(found) == labels_of(wanted)


@pytest.mark.oracle
def test_both_parts_are_those_of_keras(folder, keras, capsys):
    given = {"validation_split": 0.25, "subset": "both", "seed": 5}
    found = images(folder, verbose=True, **given)
    said = capsys.readouterr().out
    wanted = keras.utils.image_dataset_from_directory(
        str(folder), image_size=(8, 9), batch_size=5, format="grain", **given
    )
    assert said == capsys.readouterr().out
    for part, other in zip(found, wanted):
        assert part.file_paths == other.file_paths
    assert not set(found[0].file_paths) & set(found[1].file_paths)
    assert labels_of(found[0]) == labels_of(wanted[0])
    at = [sorted(CLASSES).index(os.path.relpath(p, folder)[0]) for p in found[1].file_paths]
    assert labels_of(found[1]) == at == labels_of(found[1])  # validation keeps its order


def test_batches_by_number_and_a_new_order_each_pass(folder):
    dataset = images(folder, seed=3, labels=range(27))
    assert len(dataset) == 6
    first = labels_of(dataset)
    np.testing.assert_array_equal(dataset[0][1], first[:5])
    np.testing.assert_array_equal(dataset[-1][1], first[25:])
    assert [int(n) for batch in dataset[1:3] for n in batch[1]] == first[5:15]
    with pytest.raises(IndexError, match="There are 6 elements; got the number -7"):
        dataset[-7]
    second = labels_of(dataset)
    assert first != second and sorted(first) == sorted(second) == list(range(27))
    again = images(folder, seed=3, labels=range(27))
    assert [labels_of(again), labels_of(again)] == [first, second]


def test_without_a_seed_orders_follow_from_that_of_the_process(folder):
    orders = []
    for _ in range(2):
        utils.set_random_seed(7)
        dataset = images(folder, labels=range(27))
        orders.append((dataset.file_paths, labels_of(dataset)))
    assert orders[0] == orders[1]
    assert images(folder, labels=range(27)).file_paths != orders[0][0]


def test_files_are_read_in_the_background(folder, monkeypatch):
    from kerata.utils import images as module

    readers = set()
    original = module.load_img

    def load_img(*args):
        readers.add(threading.current_thread())
        return original(*args)

    monkeypatch.setattr(module, "load_img", load_img)
    assert len(labels_of(images(folder))) == 27
    assert readers and threading.main_thread() not in readers


def test_deep_images_get_the_range_of_the_others(tmp_path):
    pixels = np.array([[0, 65535], [257, 32896]], "uint16")
    Image.fromarray(pixels).save(tmp_path / "deep.png")
    found = images(tmp_path, labels=None, image_size=(2, 2), color_mode="grayscale", shuffle=False)
    np.testing.assert_allclose(found[0][0, ..., 0], [[0, 255], [1, 128]], atol=1e-4)


def test_links_and_order_of_folders(tmp_path):
    for name in ("a/sub/y/1", "a/sub/1", "a/sub-x/1", "a/z", "a/.hid/1", "b/1", "c/10", "c/9"):
        path = tmp_path / f"{name}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    os.symlink(tmp_path / "a" / "sub", tmp_path / "b" / "link")

    def found(**arguments):
        dataset = utils.text_dataset_from_directory(
            tmp_path, shuffle=False, verbose=False, format="grain", **arguments
        )
        return list(dataset[0][0])

    expected = ["a/z", "a/.hid/1", "a/sub/1", "a/sub-x/1", "a/sub/y/1", "b/1", "c/10", "c/9"]
    assert found() == expected
    linked = ["b/1", "a/sub/1", "a/sub/y/1"]
    assert found(follow_links=True, class_names=["c", "b"]) == ["c/10", "c/9", *linked]


# Texts


@pytest.mark.oracle
def test_texts_are_those_of_keras(folder, keras):
    given = {"batch_size": 5, "max_length": 9, "format": "grain", "verbose": False, "seed": 2}
    wanted = keras.utils.text_dataset_from_directory(str(folder), **given)
    found = utils.text_dataset_from_directory(folder, **given)
    assert found.class_names == wanted.class_names
    batches = list(found)
    texts = [text for batch in batches for text in batch[0]]
    assert texts == [str(text) for batch in wanted for text in batch[0]]
    assert all(isinstance(text, str) for text in texts)
    assert labels_of(batches) == labels_of(wanted)


@pytest.mark.slow
def test_texts_in_tf_data(folder):
    pytest.importorskip("tensorflow")
    found = utils.text_dataset_from_directory(folder, shuffle=False, verbose=False, batch_size=4)
    batch = next(iter(found))
    assert batch[0].numpy()[1].decode() == "a Für Elise\n"
    assert batch[0].dtype.name == "string" and batch[1].numpy().tolist() == [0] * 4


def test_text_that_is_no_utf_8(tmp_path):
    (tmp_path / "1.txt").write_bytes(b"\xff\xfe")
    dataset = utils.text_dataset_from_directory(tmp_path, None, format="grain", verbose=False)
    with pytest.raises(ValueError, match=r"1\.txt is not UTF-8 text"):
        dataset[0]


# Sound


def write_wav(path, values, channels=1, rate=8000):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.asarray(values, "<i2").tobytes())


@pytest.fixture(scope="module")
def recordings(tmp_path_factory):
    root = tmp_path_factory.mktemp("sound")
    rng = np.random.default_rng(0)
    for name in "ab":
        (root / name).mkdir()
        for i in range(3):
            write_wav(root / name / f"{i}.wav", rng.integers(-32768, 32767, 10 + 3 * i))
    return root


@pytest.mark.oracle
@pytest.mark.slow
@pytest.mark.parametrize("format", ["grain", "tf"])
@pytest.mark.parametrize(
    "arguments",
    [{}, {"output_sequence_length": 11}, {"batch_size": None}, {"label_mode": None}],
    ids=str,
)
def test_recordings_are_those_of_keras(recordings, keras, arguments, format):
    pytest.importorskip("tensorflow")
    given = {"shuffle": False, "batch_size": 2, "verbose": False} | arguments
    wanted = keras.utils.audio_dataset_from_directory(str(recordings), **given)
    found = utils.audio_dataset_from_directory(recordings, format=format, **given)
    assert found.class_names == wanted.class_names
    assert_equal(arrays_of(found), arrays_of(wanted))


@pytest.mark.slow
def test_ragged_recordings(recordings):
    given = {"shuffle": False, "batch_size": 2, "verbose": False, "ragged": True}
    batch, _ = utils.audio_dataset_from_directory(recordings, format="grain", **given)[0]
    assert [recording.shape for recording in batch] == [(10, 1), (13, 1)]
    pytest.importorskip("tensorflow")
    tensor, _ = next(iter(utils.audio_dataset_from_directory(recordings, **given)))
    assert tensor.row_lengths().numpy().tolist() == [10, 13]
    np.testing.assert_array_equal(tensor[0].numpy(), batch[0])


def chunk(name, content):
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)


def wav(kind, bits, data, channels=1, extended=False):
    size = channels * bits // 8
    described = struct.pack("<HHIIHH", kind, channels, 8000, 8000 * size, size, bits)
    if extended:
        described = (
            struct.pack("<H", 0xFFFE) + described[2:] + struct.pack("<HHIH", 22, bits, 0, kind)
        )
        described += bytes(14)
    parts = chunk(b"LIST", b"odd") + chunk(b"fmt ", described) + chunk(b"data", data)
    return b"RIFF" + struct.pack("<I", 4 + len(parts)) + b"WAVE" + parts


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (wav(1, 8, bytes([0, 128, 255])), [-1, 0, 127 / 128]),
        (wav(1, 16, struct.pack("<3h", -32768, 0, 16384)), [-1, 0, 0.5]),
        (wav(1, 24, b"\0\0\x80" + b"\0\0\0" + b"\0\0\x40"), [-1, 0, 0.5]),
        (wav(1, 32, struct.pack("<3i", -(2**31), 0, 2**30)), [-1, 0, 0.5]),
        (wav(3, 32, struct.pack("<2f", -0.25, 1.5)), [-0.25, 1.5]),
        (wav(3, 64, struct.pack("<2d", -0.25, 1.5)), [-0.25, 1.5]),
        (wav(1, 16, struct.pack("<2h", 16384, -16384), extended=True), [0.5, -0.5]),
    ],
)
def test_kinds_of_wav_files(tmp_path, content, expected):
    (tmp_path / "x.wav").write_bytes(content)
    sound, rate = read_wav(tmp_path / "x.wav")
    assert (sound.dtype, rate) == ("float32", 8000)
    np.testing.assert_allclose(sound, np.array(expected, "float32")[:, None])


def test_channels_of_wav_files(tmp_path):
    content = wav(1, 16, struct.pack("<4h", 16384, 0, -16384, 8192), channels=2)
    (tmp_path / "x.wav").write_bytes(content)
    assert read_wav(tmp_path / "x.wav")[0].tolist() == [[0.5, 0], [-0.5, 0.25]]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no sound at all", "is no WAV file"),
        (wav(2, 4, b"\0\0"), "samples of 4 bits in the format 2 can't be read"),
        (wav(1, 16, b"")[:36], "without a format or without samples"),
    ],
)
def test_wav_files_that_cannot_be_read(tmp_path, content, message):
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(ValueError, match=message):
        read_wav(tmp_path / "x.wav")


@pytest.mark.oracle
@pytest.mark.parametrize(("rate", "wanted"), [(8000, 4000), (8000, 16000), (44100, 16000), (3, 7)])
def test_resampled_tones_are_tones(rate, wanted):
    """What lies below half of both rates stays; what lies above half of the new one goes."""
    limit = min(rate, wanted)
    seconds = 400 / limit
    times = np.arange(int(rate * seconds)) / rate
    new = np.arange(-(-len(times) * wanted // rate)) / wanted
    inner = slice(len(new) // 4, -len(new) // 4)
    low = np.sin(2 * np.pi * 0.3 * limit * times).astype("float32")[:, None]
    found = resampled(low, rate, wanted)
    assert found.shape == (len(new), 1) and found.dtype == "float32"
    np.testing.assert_allclose(
        found[inner, 0], np.sin(2 * np.pi * 0.3 * limit * new)[inner], atol=2e-3
    )
    if wanted < rate:
        high = np.sin(2 * np.pi * 0.7 * wanted * times).astype("float32")[:, None]
        assert np.abs(resampled(high, rate, wanted)[inner]).max() < 2e-3


def test_recordings_at_another_rate(recordings):
    dataset = utils.audio_dataset_from_directory(
        recordings, sampling_rate=4000, batch_size=6, shuffle=False, format="grain", verbose=False
    )
    assert dataset[0][0].shape == (6, 8, 1)


def test_recordings_with_different_channels(tmp_path):
    write_wav(tmp_path / "1.wav", [1, 2])
    write_wav(tmp_path / "2.wav", [1, 2], channels=2)
    dataset = utils.audio_dataset_from_directory(
        tmp_path, None, shuffle=False, format="grain", verbose=False
    )
    with pytest.raises(ValueError, match=r"2\.wav has 2 channels and .*1\.wav 1"):
        dataset[0]


# Training


@pytest.mark.parametrize("format", ["grain", pytest.param("tf", marks=pytest.mark.slow)])
def test_training_on_images(folder, training_backend, format):
    train, validation = images(folder, format=format, seed=1, validation_split=0.25, subset="both")
    model = kerata.Sequential([
        kerata.Input((8, 9, 3)),
        layers.Flatten(),
        layers.Dense(8, "relu"),
        layers.Dense(3, "softmax"),
    ])  # fmt: skip
    model.compile(kerata.optimizers.Adam(1e-3), "sparse_categorical_crossentropy")
    history = model.fit(train, validation_data=validation, epochs=8, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    assert len(history["val_loss"]) == 8
    assert model.predict(validation, verbose=0).shape == (6, 3)


def test_training_on_sound(recordings, training_backend):
    sound = utils.audio_dataset_from_directory(
        recordings, label_mode="binary", output_sequence_length=12, format="grain", verbose=False
    )
    model = kerata.Sequential([kerata.Input((12, 1)), layers.Flatten(), layers.Dense(1)])
    model.compile("adam", kerata.losses.BinaryCrossentropy(from_logits=True))
    assert np.isfinite(model.fit(sound, epochs=2, verbose=0).history["loss"]).all()


@pytest.mark.slow
def test_without_tensorflow(folder):
    """Where TensorFlow is not installed, "tf", the default, is grain too."""
    script = f"""
import sys
sys.modules["tensorflow"] = None
import kerata
data = kerata.utils.image_dataset_from_directory({str(folder)!r}, image_size=(8, 9), batch_size=9)
model = kerata.Sequential([kerata.Input((8, 9, 3)), kerata.layers.Flatten(), kerata.layers.Dense(3)])
assert model.predict(data, verbose=0).shape == (27, 3)
assert data[0][0].shape == (9, 8, 9, 3)
assert not any(name in sys.modules for name in ("torch", "keras"))
"""
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "KERATA_BACKEND": "numpy"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_without_grain_the_extra_is_named(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "grain", None)
    with pytest.raises(ImportError, match=r"needs grain.*pip install 'kerata\[data\]'"):
        images(folder)


# What is refused


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"labels": [1]}, "labels must hold one for each of the 27 files"),
        ({"labels": [1.5] * 27}, "labels must be ints of 0 or more; got float64"),
        ({"labels": "x"}, "labels must be 'inferred'"),
        ({"label_mode": "x"}, "label_mode must be one of"),
        ({"label_mode": "binary"}, "label_mode='binary' goes with two classes"),
        ({"class_names": ["a", "q"]}, r"class_names must be folders.*\['a', 'q'\]"),
        ({"class_names": ["a"], "labels": None}, "class_names goes with labels='inferred' only"),
        ({"validation_split": 0.2}, "validation_split and subset go together"),
        ({"subset": "both"}, "validation_split and subset go together"),
        ({"validation_split": 1.2, "subset": "both"}, "must lie between 0 and 1; got 1.2"),
        ({"validation_split": 0.2, "subset": "x"}, "subset must be one of"),
        ({"validation_split": 0.2, "subset": "both"}, "a shuffled split needs a seed"),
        ({"validation_split": 0.01, "subset": "both", "seed": 1}, "leaves none for validation"),
        ({"color_mode": "x"}, "color_mode must be one of"),
        ({"interpolation": "x"}, "interpolation must be one of"),
        ({"image_size": (8, 0)}, r"image_size must be two positive ints; got \(8, 0\)"),
        ({"batch_size": 0}, "batch_size must be a positive int or None; got 0"),
        ({"format": "x"}, "format must be 'tf' or 'grain'; got 'x'"),
        ({"crop_to_aspect_ratio": True, "pad_to_aspect_ratio": True}, "exclude each other"),
    ],
    ids=str,
)
def test_bad_arguments(folder, arguments, message):
    with pytest.raises(ValueError, match=f"image_dataset_from_directory: .*{message}"):
        images(folder, **arguments)


def test_bad_folders(folder, tmp_path):
    with pytest.raises(ValueError, match=r"no file under .* ends in .bmp, .gif, .jpeg, .jpg, .png"):
        images(tmp_path)
    with pytest.raises(FileNotFoundError, match="directory must be a folder; there is none at"):
        images(tmp_path / "nowhere")
    (tmp_path / "1.png").write_bytes(b"no image")
    with pytest.raises(ValueError, match=r"1\.png can't be read as an image"):
        images(tmp_path, labels=None)[0]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ragged": True, "output_sequence_length": 3}, "exclude each other"),
        ({"sampling_rate": 4000.0}, "sampling_rate must be a positive int or None"),
        ({"output_sequence_length": 0}, "output_sequence_length must be a positive int or None"),
    ],
)
def test_bad_arguments_for_sound(recordings, arguments, message):
    with pytest.raises(ValueError, match=message):
        utils.audio_dataset_from_directory(recordings, **arguments)
