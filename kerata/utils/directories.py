"""Data sets of the files in a directory: images, texts, recordings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from kerata import config
from kerata.utils import listing as files
from kerata.utils.audio import read_wav, resampled
from kerata.utils.images import COLOR_MODES, image_reader
from kerata.utils.samples import (
    Samples,
    as_dataset,
    check_arguments,
    seed_or_next,
    target_specs,
    with_targets,
)

_IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png")


def image_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    color_mode: str = "rgb",
    batch_size: int | None = 32,
    image_size: Any = (256, 256),
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    interpolation: str = "bilinear",
    follow_links: bool = False,
    crop_to_aspect_ratio: bool = False,
    pad_to_aspect_ratio: bool = False,
    data_format: str | None = None,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A data set of the images in a directory, with a folder for each class.

    Files are bmp, gif (of which the first image counts), jpeg and png. They are decoded in the
    background while a model trains on earlier ones.

    Args:
        directory: the folder.
        labels: "inferred" (from the folders' names), None, or a label for each file, in the order
            of the files' names.
        label_mode: "int"; "categorical", one-hot; "binary", 0.0 or 1.0; or None, for no labels.
        class_names: the folders to read, in the order of their labels.
        color_mode: "grayscale", "rgb" or "rgba".
        batch_size: images a batch; None for a data set of single images.
        image_size: height and width that the images are resized to.
        shuffle: whether each pass is in an order of its own.
        seed: what the orders follow from.
        validation_split: the share of the files for validation.
        subset: "training", "validation", or "both" for a tuple of two data sets.
        interpolation: as in `kerata.ops.image.resize`.
        follow_links: whether folders are read through links.
        crop_to_aspect_ratio: cut the images to the ratio of `image_size` first.
        pad_to_aspect_ratio: pad them to it first.
        data_format: where the channels are.
        format: "tf" for a `tf.data.Dataset`, where TensorFlow is installed. "grain" for a
            `grain.MapDataset` of NumPy arrays, which any backend takes, `dataset[i]` reads a batch
            of, and a machine without TensorFlow gets in any case.
        verbose: whether the number of files is printed.

    Returns:
        A data set of `(images, labels)`, or of `images` without labels, with the attributes
        `class_names` and `file_paths`. Images are float32 from 0 to 255,
        `(batch, height, width, channels)`; labels int32 `(batch,)`, or float32 `(batch, 1)` for
        "binary" and `(batch, classes)` for "categorical".
    """
    user = "image_dataset_from_directory"
    size = (image_size, image_size) if isinstance(image_size, int) else tuple(image_size)
    channels_last = config.standardize_data_format(data_format) == "channels_last"
    read_image = image_reader(
        user,
        color_mode,
        size,
        interpolation,
        crop_to_aspect_ratio,
        pad_to_aspect_ratio,
        channels_last,
    )
    channels = COLOR_MODES[color_mode][1]
    shape = (*size, channels) if channels_last else (channels, *size)

    def read(paths: list[str]) -> np.ndarray:
        images = np.empty((len(paths), *shape), "float32")
        for place, path in enumerate(paths):
            images[place] = read_image(path)
        return images

    return _from_directory(
        user,
        directory,
        _IMAGES,
        read,
        (shape, "float32"),
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        format=format,
        verbose=verbose,
    )


def text_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    max_length: int | None = None,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    format: str = "tf",
    verbose: bool = True,
) -> Any:
    """A data set of the text files (`.txt`, UTF-8) in a directory, with a folder for each class.

    Args:
        directory: the folder.
        labels: as for `image_dataset_from_directory`, and so are the arguments not listed here.
        label_mode: "int", "categorical", "binary" or None.
        class_names: the folders to read, in the order of their labels.
        batch_size: texts a batch; None for a data set of single texts.
        max_length: the most characters of a text; the rest is dropped.
        shuffle: whether each pass is in an order of its own.
        seed: what the orders follow from.
        validation_split: the share of the files for validation.
        subset: "training", "validation", or "both" for a tuple of two data sets.
        follow_links: whether folders are read through links.
        format: "tf" or "grain".
        verbose: whether the number of files is printed.

    Returns:
        A data set of `(texts, labels)`, or of `texts` without labels, with the attributes
        `class_names` and `file_paths`. With "grain" texts are NumPy arrays of `str`.
    """
    user = "text_dataset_from_directory"

    def read(paths: list[str]) -> np.ndarray:
        texts = np.empty(len(paths), object)
        for place, path in enumerate(paths):
            texts[place] = _text(user, path)[:max_length]
        return texts

    return _from_directory(
        user,
        directory,
        (".txt",),
        read,
        ((), "string"),
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        format=format,
        verbose=verbose,
    )


def _text(user: str, path: str) -> str:
    try:
        with open(path, encoding="utf-8", newline="") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"{user}: {path} is not UTF-8 text: {error}") from error


def audio_dataset_from_directory(
    directory: Any,
    labels: Any = "inferred",
    label_mode: str | None = "int",
    class_names: Sequence[str] | None = None,
    batch_size: int | None = 32,
    sampling_rate: int | None = None,
    output_sequence_length: int | None = None,
    ragged: bool = False,
    shuffle: bool = True,
    seed: int | None = None,
    validation_split: float | None = None,
    subset: str | None = None,
    follow_links: bool = False,
    verbose: bool = True,
    format: str = "tf",
) -> Any:
    """A data set of the recordings (`.wav`) in a directory, with a folder for each class.

    Args:
        directory: the folder.
        labels: as for `image_dataset_from_directory`, and so are the arguments not listed here.
        label_mode: "int", "categorical", "binary" or None.
        class_names: the folders to read, in the order of their labels.
        batch_size: recordings a batch; None for a data set of single ones.
        sampling_rate: samples a second that recordings are converted to; None leaves them.
        output_sequence_length: cut or pad recordings to so many samples; None pads those of a
            batch to the longest.
        ragged: leave them at their lengths: a batch is a `tf.RaggedTensor`, or a list of arrays.
        shuffle: whether each pass is in an order of its own.
        seed: what the orders follow from.
        validation_split: the share of the files for validation.
        subset: "training", "validation", or "both" for a tuple of two data sets.
        follow_links: whether folders are read through links.
        verbose: whether the number of files is printed.
        format: "tf" or "grain".

    Returns:
        A data set of `(recordings, labels)`, or of `recordings` without labels, with the
        attributes `class_names` and `file_paths`. Recordings are float32 from -1 to 1,
        `(batch, samples, channels)`.
    """
    user = "audio_dataset_from_directory"
    if ragged and output_sequence_length is not None:
        raise ValueError(f"{user}: ragged and output_sequence_length exclude each other")
    for name, value in (
        ("sampling_rate", sampling_rate),
        ("output_sequence_length", output_sequence_length),
    ):
        if value is not None and (not isinstance(value, int) or value < 1):
            raise ValueError(f"{user}: {name} must be a positive int or None; got {value!r}")

    def read(paths: list[str]) -> Any:
        recordings = []
        for path in paths:
            recording, rate = read_wav(path)
            recordings.append(resampled(recording, rate, sampling_rate or rate))
        return recordings if ragged else _padded(user, paths, recordings, output_sequence_length)

    return _from_directory(
        user,
        directory,
        (".wav",),
        read,
        ((output_sequence_length, None), "float32"),
        ragged=ragged,
        labels=labels,
        label_mode=label_mode,
        class_names=class_names,
        batch_size=batch_size,
        shuffle=shuffle,
        seed=seed,
        validation_split=validation_split,
        subset=subset,
        follow_links=follow_links,
        format=format,
        verbose=verbose,
    )


def _padded(
    user: str, paths: list[str], recordings: list[np.ndarray], length: int | None
) -> np.ndarray:
    """Recordings `(samples, channels)` as one array, with silence behind the short ones."""
    channels = recordings[0].shape[1]
    longest = max(len(r) for r in recordings) if length is None else length
    batch = np.zeros((len(recordings), longest, channels), "float32")
    for place, recording in enumerate(recordings):
        if recording.shape[1] != channels:
            raise ValueError(
                f"{user}: {paths[place]} has {recording.shape[1]} channels and {paths[0]} "
                f"{channels}; the recordings of a batch must have as many"
            )
        batch[place, : len(recording)] = recording[:longest]
    return batch


def _from_directory(
    user: str,
    directory: Any,
    extensions: Sequence[str],
    read: Callable[[list[str]], Any],
    spec: tuple[tuple[int | None, ...], str],
    *,
    labels: Any,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    batch_size: int | None,
    shuffle: bool,
    seed: int | None,
    validation_split: float | None,
    subset: str | None,
    follow_links: bool,
    format: str,
    verbose: bool,
    ragged: bool = False,
) -> Any:
    """The data set of what `read` makes of files, or a tuple of two."""
    check_arguments(user, format, batch_size)
    files.check_split(user, validation_split, subset, shuffle, seed)
    found = files.list_directory(
        user, directory, extensions, labels, label_mode, class_names, follow_links, verbose
    )
    seed = seed_or_next(seed)
    if shuffle:
        found = files.shuffled(found, seed)
    parts = files.split(user, found, validation_split, subset, verbose)
    datasets = []
    for place, part in enumerate(parts):
        dataset = as_dataset(
            _samples(user, part, read, spec, part.targets(label_mode), ragged),
            batch_size,
            shuffle and place == 0,
            seed,
            format,
        )
        dataset.class_names = part.class_names
        dataset.file_paths = part.paths
        datasets.append(dataset)
    return tuple(datasets) if len(datasets) > 1 else datasets[0]


def _samples(
    user: str,
    part: files.Listing,
    read: Callable[[list[str]], Any],
    spec: tuple[tuple[int | None, ...], str],
    targets: np.ndarray | None,
    ragged: bool,
) -> Samples:
    def read_numbers(numbers: np.ndarray) -> Any:
        return read([part.paths[i] for i in numbers])

    specs = [spec, *target_specs(targets)]
    return Samples(user, len(part.paths), with_targets(read_numbers, targets), specs, ragged)
