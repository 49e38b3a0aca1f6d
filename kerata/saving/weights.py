"""`save_weights` and `load_weights`: a model's variables in `.weights.h5` files."""

from __future__ import annotations

import contextlib
import pathlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from kerata.core.seeds import SeedGenerator
from kerata.layers.state import LayerState
from kerata.optimizers.optimizer import Optimizer
from kerata.saving import container, files, orbax
from kerata.saving.hdf5 import Store, stores
from kerata.saving.shards import open_shards, write_shards
from kerata.saving.tree import name_of, saveables

_SHOWN = 10
_UNBUILT = 2  # an optimizer's variables before it is built: iterations and learning rate
_HINT = "With skip_mismatch=True the layers that fit are loaded."


# Writing


def save_weights(
    model: Any,
    filepath: Any,
    overwrite: bool = True,
    max_shard_size: float | None = None,
    **kwargs: Any,
) -> None:
    """Write the weights, and the optimizer's state if there is one, to a `.weights.h5` file.

    The file appears whole or not at all.

    Args:
        model: a built model or layer.
        filepath: ends in ".weights.h5", or with `max_shard_size` in ".weights.json".
        overwrite: whether an existing file is replaced.
        max_shard_size: GB in one file; `filepath` then lists the files, which stand beside it.

    Raises:
        ValueError: `filepath` has another ending, or the model is not built.
        FileNotFoundError: its folder does not exist.
        FileExistsError: it exists, and `overwrite` is False.
    """
    _refuse("save_weights", kwargs)
    sharded = max_shard_size is not None
    path = files.target(filepath, (files.SHARDS if sharded else files.WEIGHTS,), overwrite)
    if not model.built:
        raise ValueError(
            f"save_weights: {model.name!r} is not built, so it has no weights yet. "
            "Call it on data, or build(input_shape), first"
        )
    if max_shard_size is not None:
        groups = ((f"{p}/vars", name_of(v), _variables(v)) for p, v in saveables(model).items())
        write_shards(path, groups, max_shard_size)
        return
    with files.replacing(path) as temporary:
        write_state(model, temporary)


def write_state(model: Any, file: Any) -> None:
    """Write the variables of everything in `model` to `file`, a path or an open binary file."""
    import h5py

    with h5py.File(file, "w") as root:
        for path, value in saveables(model).items():
            group = root.require_group(f"{path}/vars")
            group.attrs["name"] = name_of(value)
            _write(value, Store(group))


def _write(value: Any, store: Any) -> None:
    if isinstance(value, SeedGenerator):
        store["0"] = value.state.numpy()
    else:
        value.save_own_variables(store)


def _variables(value: Any) -> dict[str, np.ndarray]:
    store: dict[str, Any] = {}
    _write(value, store)
    return {name: np.asarray(array) for name, array in store.items()}


# Reading


def load_weights(model: Any, filepath: Any, skip_mismatch: bool = False, **kwargs: Any) -> None:
    """Read weights from a `.weights.h5`, `.weights.json` or `.keras` file, Keras' or our own.

    Also from a folder of `kerata.callbacks.OrbaxCheckpoint`, whose latest checkpoint is taken.

    Nothing is changed where they don't fit. The optimizer's state is read too if the model is
    compiled with an optimizer of that kind.

    Args:
        model: a built model or layer.
        filepath: the file.
        skip_mismatch: load the layers that fit and warn about the others.

    Raises:
        FileNotFoundError: there is no such file.
        ValueError: it is no file of weights, is damaged, or does not fit the model.
    """
    _refuse("load_weights", kwargs)
    path = files.existing(filepath)
    if not model.built:
        raise ValueError(
            f"load_weights: {model.name!r} is not built, so it has no weights to set. "
            "Call it on data, or build(input_shape), first"
        )
    step = orbax.step_in(path)
    if step is not None:
        orbax.load_state(model, step, skip_mismatch)
        return
    with opened(path) as found:
        read_state(model, found, str(filepath), skip_mismatch)


def _refuse(function: str, kwargs: Mapping[str, Any]) -> None:
    if kwargs:
        raise TypeError(f"{function}: unknown argument(s) {', '.join(map(repr, kwargs))}")


@contextlib.contextmanager
def opened(path: pathlib.Path) -> Iterator[dict[str, Store]]:
    """The stores of a file of weights, or of the weights in an archive."""
    if path.name.endswith(files.MODEL) or path.is_dir():
        with (
            container.opened(path) as source,
            source.weights() as file,
            read_hdf5(file, path) as found,
        ):
            yield found
    elif path.name.endswith(files.SHARDS):
        with open_shards(path, read_hdf5) as found:
            yield found
    elif path.name.endswith(".h5"):
        with read_hdf5(path, path) as found:
            yield found
    else:
        raise ValueError(
            f"{path} is no file of weights: their names end in {files.WEIGHTS}, {files.SHARDS} or "
            f"{files.MODEL}"
        )


@contextlib.contextmanager
def read_hdf5(file: Any, path: pathlib.Path) -> Iterator[dict[str, Store]]:
    """The stores of an HDF5 file.

    Raises:
        ValueError: it is none, is damaged, or refers to other files.
    """
    import h5py

    try:
        root = h5py.File(file, "r")
    except OSError as error:
        raise ValueError(f"{path} holds no readable HDF5 file of weights: {error}") from error
    with root:
        if "layer_names" in root.attrs or "model_weights" in root:
            raise ValueError(
                f"{path} is an HDF5 file of Keras 2, which is not read. Save the weights again in "
                "Keras 3, with model.save_weights('name.weights.h5')"
            )
        yield stores(root)


def read_state(
    model: Any, found: Mapping[str, Store], source: str, skip_mismatch: bool | None = None
) -> None:
    """Take the variables of everything in `model` out of the stores in `found`.

    Args:
        model: what to set.
        found: the stores by the paths of the objects.
        source: the file's name, for messages.
        skip_mismatch: leave out what does not fit; None if the caller has no such argument.

    Raises:
        ValueError: something does not fit, and `skip_mismatch` is not True; nothing is changed.
    """
    _build_optimizer(model, found)
    wanted = saveables(model)
    faults = {p: _fault(v, found.get(p)) for p, v in wanted.items()}
    problems = [f"{_label(wanted[p], p)} {fault}" for p, fault in faults.items() if fault]
    problems += _left_over(wanted, found)
    if problems and not skip_mismatch:
        hint = "" if skip_mismatch is None else f"\n{_HINT}"
        raise ValueError(_message(model, source, wanted, found) + _listed(problems) + hint)
    if problems:
        warnings.warn(f"{source}: skipped what does not fit{_listed(problems)}", stacklevel=3)
    for path, value in wanted.items():
        if path in found and not faults[path]:
            try:
                _read(value, found[path])
            except Exception as error:
                error.add_note(f"while loading {_label(value, path)} from {source}")
                raise


def _build_optimizer(model: Any, found: Mapping[str, Store]) -> None:
    optimizer = getattr(model, "optimizer", None)
    if "optimizer" in found and optimizer is not None and model.built and not optimizer.built:
        optimizer.build(model.trainable_variables)


def _read(value: Any, store: Store) -> None:
    if isinstance(value, SeedGenerator):
        value.state.assign(store["0"].astype(np.uint32).view(np.int32))
    elif isinstance(value, Optimizer) and len(store) <= _UNBUILT < len(value.variables):
        for i in range(len(store)):
            value.variables[i].assign(store[str(i)])
    else:
        value.load_own_variables(store)


def _fault(value: Any, store: Store | None) -> str | None:
    """Why a store does not fit an object, as the end of a sentence; None where it fits."""
    if isinstance(value, (SeedGenerator, Optimizer)) and store is None:
        return None
    if isinstance(value, SeedGenerator):
        return None if store is not None and _is_seed(store) else "is no seed in the file"
    if not isinstance(value, (LayerState, Optimizer)):
        return None
    load = type(value).load_own_variables
    own = value.variables if isinstance(value, Optimizer) else value._saved()
    names = list(store) if store is not None else []
    if load not in (LayerState.load_own_variables, Optimizer.load_own_variables) and names:
        return None  # only the class itself knows what fits
    if len(names) != len(own):
        if isinstance(value, Optimizer):
            return None  # it warns
        unbuilt = "" if value.built else ". It is not built: call the model on data first"
        return f"has {len(own)} variables and the file {len(names)}{unbuilt}"
    for i, variable in enumerate(own):
        if str(i) not in names:
            return f"has no variable {i} in the file, which has {', '.join(names)}"
        shape = store.shape(str(i))  # type: ignore[union-attr]
        if shape != variable.shape:
            return f"has {variable.name!r} of the shape {variable.shape} and the file {shape}"
    return None


def _is_seed(store: Store) -> bool:
    return list(store) == ["0"] and store.shape("0") == (2,)


def _label(value: Any, path: str) -> str:
    return f"{name_of(value)!r} ({type(value).__name__}, at {path or 'the top'})"


def _left_over(wanted: Mapping[str, Any], found: Mapping[str, Store]) -> list[str]:
    """What a file has variables for and the model has not."""
    return [
        f"the file has variables at {p}, where the model has nothing"
        for p, s in found.items()
        if p not in wanted and len(s) and not _is_extra(p, s)
    ]


def _is_extra(path: str, store: Store) -> bool:
    """Whether a model may do without it: the state of an optimizer or of a seed."""
    last = path.rpartition("/")[2]
    counts_steps = "0" in store and store.shape("0") == ()
    return ("opt" in last and counts_steps) or ("seed" in last and _is_seed(store))


def _message(model: Any, source: str, wanted: Mapping[str, Any], found: Mapping[str, Store]) -> str:
    layers = [p for p, v in wanted.items() if isinstance(v, LayerState) and v._own()]
    stored = [p for p, s in found.items() if len(s) and not _is_extra(p, s)]
    counts = ""
    if len(layers) != len(stored):
        counts = f", which has {len(layers)} layers with weights and the file {len(stored)}"
    return f"{source} does not fit the model {model.name!r}{counts}"


def _listed(problems: list[str]) -> str:
    more = len(problems) - _SHOWN
    lines = problems[:_SHOWN] + ([f"and {more} more"] if more > 0 else [])
    return "".join(f"\n- {line}" for line in lines)
