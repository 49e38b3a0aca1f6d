"""The files of a directory as samples: their labels, their classes, and their split in two."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

_SUBSETS = ("training", "validation", "both")
_LABEL_MODES = ("int", "categorical", "binary", None)


class Listing(NamedTuple):
    """Files, in order, and their labels.

    Attributes:
        paths: of the files.
        labels: an int32 for each, or None.
        class_names: the name of each label, or None.
    """

    paths: list[str]
    labels: np.ndarray | None
    class_names: list[str] | None

    def part(self, chosen: Any) -> Listing:
        """The files of these numbers, or of a slice."""
        places = np.arange(len(self.paths))[chosen]
        labels = None if self.labels is None else self.labels[places]
        return Listing([self.paths[i] for i in places], labels, self.class_names)

    def targets(self, label_mode: str | None) -> np.ndarray | None:
        """The labels as a model is given them, `(files, ...)`."""
        if self.labels is None or self.class_names is None:
            return None
        if label_mode == "int":
            return self.labels
        if label_mode == "binary":
            return self.labels.astype("float32")[:, None]
        return np.eye(len(self.class_names), dtype="float32")[self.labels]


def list_directory(
    user: str,
    directory: Any,
    extensions: Sequence[str],
    labels: Any,
    label_mode: str | None,
    class_names: Sequence[str] | None,
    follow_links: bool,
    verbose: bool,
) -> Listing:
    """The files under `directory` that have one of the extensions, class by class, in order.

    Args:
        user: the function that is asked, for messages.
        directory: a folder, with a folder for each class where labels are inferred.
        extensions: in lower case, with their dots.
        labels: "inferred", None, or the label of each file in the order of the files.
        label_mode: "int", "categorical", "binary" or None.
        class_names: the classes to read, in the order of their labels; None for all.
        follow_links: whether folders are read through links.
        verbose: whether the number of files is printed.
    """
    if label_mode not in _LABEL_MODES:
        raise ValueError(f"{user}: label_mode must be one of {_LABEL_MODES}; got {label_mode!r}")
    given = isinstance(labels, (list, tuple, range, np.ndarray))
    if not given and labels not in ("inferred", None):
        raise ValueError(
            f"{user}: labels must be 'inferred' (from the names of the folders), None, or a label "
            f"for each file; got {labels!r}"
        )
    inferred = not given and labels is not None
    if class_names is not None and not inferred:
        raise ValueError(f"{user}: class_names goes with labels='inferred' only")
    root = os.fspath(directory)
    if not os.path.isdir(root):
        raise FileNotFoundError(f"{user}: directory must be a folder; there is none at {root!r}")
    names = _class_names(user, root, class_names) if inferred else None
    folders = [root] if names is None else [os.path.join(root, name) for name in names]
    found = [_files(folder, tuple(extensions), follow_links) for folder in folders]
    paths = [path for files in found for path in files]
    numbers = np.repeat(np.arange(len(found), dtype="int32"), [len(files) for files in found])
    if given:
        numbers, names = _given_labels(user, labels, paths, root)
    if not paths:
        raise ValueError(
            f"{user}: no file under {root!r} ends in {', '.join(extensions)}"
            + (" in a folder of its class" if inferred else "")
        )
    if label_mode is None or names is None:
        names = None
    elif label_mode == "binary" and len(names) != 2:
        raise ValueError(f"{user}: label_mode='binary' goes with two classes; there are {names}")
    if verbose:
        classes = f" belonging to {len(names)} classes" if names else ""
        print(f"Found {len(paths)} files{classes}.")
    return Listing(paths, None if names is None else numbers, names)


def _class_names(user: str, root: str, chosen: Sequence[str] | None) -> list[str]:
    with os.scandir(root) as entries:
        found = sorted(e.name for e in entries if e.is_dir() and not e.name.startswith("."))
    if chosen is None:
        return found
    missing = [name for name in chosen if name not in found]
    if missing or len(set(chosen)) != len(chosen):
        raise ValueError(
            f"{user}: class_names must be folders of {root!r}, each once; there are {found}, "
            f"and given {list(chosen)}"
        )
    return list(chosen)


def _files(folder: str, extensions: tuple[str, ...], follow_links: bool) -> list[str]:
    walked = sorted(os.walk(folder, followlinks=follow_links), key=lambda found: found[0])
    return [
        os.path.join(place, name)
        for place, _, names in walked
        for name in sorted(names)
        if name.lower().endswith(extensions)
    ]


def _given_labels(
    user: str, labels: Any, paths: list[str], root: str
) -> tuple[np.ndarray, list[str]]:
    numbers = np.asarray(labels)
    if numbers.shape != (len(paths),):
        raise ValueError(
            f"{user}: labels must hold one for each of the {len(paths)} files under {root!r}; "
            f"got {len(labels)}"
        )
    if numbers.dtype.kind not in "iu" or (numbers < 0).any():
        raise ValueError(f"{user}: labels must be ints of 0 or more; got {numbers.dtype}")
    names = [str(n) for n in range(int(numbers.max(initial=-1)) + 1)]
    return numbers.astype("int32"), names


def shuffled(listing: Listing, seed: int) -> Listing:
    """The files in an order that follows from the seed, the same as in Keras."""
    order = np.arange(len(listing.paths))
    np.random.RandomState(seed).shuffle(order)
    return listing.part(order)


def split(
    user: str, listing: Listing, validation_split: float | None, subset: str | None, verbose: bool
) -> list[Listing]:
    """What `subset` asks for: one listing, or two for "both"; the last files are for validation."""
    if validation_split is None:
        return [listing]
    count = len(listing.paths)
    left = count - int(validation_split * count)
    parts = {"training": listing.part(slice(left)), "validation": listing.part(slice(left, None))}
    chosen = [name for name in parts if subset in (name, "both")]
    for name in chosen:
        if verbose:
            print(f"Using {len(parts[name].paths)} files for {name}.")
        if not parts[name].paths:
            raise ValueError(
                f"{user}: validation_split={validation_split} of {count} files leaves none for "
                f"{name}"
            )
    return [parts[name] for name in chosen]


def check_split(
    user: str,
    validation_split: float | None,
    subset: str | None,
    shuffle: bool,
    seed: int | None,
) -> None:
    """Raise ValueError where these arguments don't go together."""
    if (validation_split is None) != (subset is None):
        raise ValueError(f"{user}: validation_split and subset go together; one of them is None")
    if validation_split is None:
        return
    if not 0 < validation_split < 1:
        raise ValueError(
            f"{user}: validation_split must lie between 0 and 1; got {validation_split!r}"
        )
    if subset not in _SUBSETS:
        raise ValueError(f"{user}: subset must be one of {_SUBSETS}; got {subset!r}")
    if shuffle and seed is None:
        raise ValueError(
            f"{user}: a shuffled split needs a seed, or else training and validation would overlap"
        )
