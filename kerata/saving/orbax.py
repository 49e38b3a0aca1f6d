"""Checkpoints of Orbax: folders with a model's state as a tree of arrays, and its config.

In a folder for each step there is a tree `pytree`, groups of variables by their paths; the metadata
beside it hold the config of the model and the order of the variables. Arrays pass through NumPy, so
any backend may write one and any other read it.
"""

from __future__ import annotations

import json
import pathlib
import re
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from kerata.core.serialization import serialize_object
from kerata.core.tracking import distinct_paths
from kerata.training.stateless import _leaves as leaves

_WEIGHTS = ("trainable_variables", "non_trainable_variables")
_OPTIMIZER = "optimizer_variables"
_TREE, _CONFIG, _ORDER = "pytree", "config", "order"
_SEED = "seed_generator_state"  # in a model with other layers that draw, these are others
_SHOWN = 5


def library() -> Any:
    """Orbax.

    Raises:
        ImportError: it is not installed.
    """
    try:
        from orbax.checkpoint import v1
    except ImportError as error:
        raise ImportError(
            "Orbax checkpoints need orbax-checkpoint. Install it with: pip install 'kerata[orbax]'"
        ) from error
    return v1


def contents(model: Any, weights_only: bool) -> tuple[dict[str, Any], dict[str, Any]]:
    """The tree and the metadata of a checkpoint of a model."""
    groups = model._state_groups()
    if weights_only:
        groups = {name: groups[name] for name in _WEIGHTS}
    tree: dict[str, Any] = {}
    for group, variables in groups.items():
        tree[group] = {}
        for path, variable in distinct_paths(variables):
            if not variable.size:  # Orbax refuses arrays without elements
                continue
            inner = tree[group]
            for name in path[:-1]:
                inner = inner.setdefault(name, {})
            inner[path[-1]] = variable.numpy()
    metadata: dict[str, Any] = {
        _ORDER: {group: ["/".join(p) for p, _ in distinct_paths(v)] for group, v in groups.items()}
    }
    if not weights_only:
        metadata[_CONFIG] = json.dumps(serialize_object(model))
    return {_TREE: tree}, metadata


def step_in(path: pathlib.Path) -> pathlib.Path | None:
    """The checkpoint at `path`: itself, or its latest step; None where there is none."""
    if not path.is_dir():
        return None
    if (path / _TREE).is_dir():
        return path
    steps = [p for p in path.iterdir() if p.name.isdigit() and (p / _TREE).is_dir()]
    return max(steps, key=lambda p: int(p.name), default=None)


def config_of(step: pathlib.Path) -> Any:
    """The config of the model in a checkpoint.

    Raises:
        ValueError: it holds weights alone.
    """
    config = (_metadata(step).custom_metadata or {}).get(_CONFIG)
    if config is None:
        raise ValueError(
            f"{step} holds weights alone: make the model, and read them with model.load_weights"
        )
    return json.loads(config)


def load_state(model: Any, step: pathlib.Path, skip_mismatch: bool = False) -> None:
    """Take a model's weights, and its optimizer's state if it is of that kind, from a checkpoint.

    Variables are found by their paths; where these differ (in a second model of one process, layers
    have other names), by their order, if the names at their ends are the same.

    Raises:
        ValueError: the weights don't fit, and `skip_mismatch` is False; nothing is changed.
    """
    tree, order = _tree(step)
    pairs: list[tuple[Any, np.ndarray]] = []
    problems: list[str] = []
    for group in _WEIGHTS:
        variables = getattr(model, group)
        fitting, faults = _matched(variables, _values(tree, group), order.get(group))
        pairs += fitting
        problems += faults
    if problems and not skip_mismatch:
        raise ValueError(
            f"{step} does not fit {model.name!r}: {'; '.join(problems[:_SHOWN])}"
            + (f"; and {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else "")
            + ". With skip_mismatch=True what fits is loaded."
        )
    if problems:
        warnings.warn(f"{step}: skipped what does not fit: {'; '.join(problems)}", stacklevel=3)
    optimizer = getattr(model, "optimizer", None)
    if optimizer is not None and tree.get(_OPTIMIZER):
        if not optimizer.built:
            optimizer.build(model.trainable_variables)
        values = _values(tree, _OPTIMIZER)
        fitting, faults = _matched(optimizer.variables, values, order.get(_OPTIMIZER))
        if not faults:
            pairs += fitting
    for variable, value in pairs:
        variable.assign(value)


def _metadata(step: pathlib.Path) -> Any:
    try:
        return library().checkpointables_metadata(step.absolute())
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _unreadable(step, error) from error


def _tree(step: pathlib.Path) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The arrays of a checkpoint, and the order of the variables."""
    import optree

    metadata = _metadata(step)
    # Asking for NumPy's arrays, so that JAX puts none on a device.
    wanted = optree.tree_map(lambda x: np.empty(x.shape, x.dtype), metadata.metadata[_TREE])
    try:
        found = library().load_checkpointables(step.absolute(), {_TREE: wanted})[_TREE]
    except Exception as error:
        raise _unreadable(step, error) from error
    return found, (metadata.custom_metadata or {}).get(_ORDER, {})


def _unreadable(step: pathlib.Path, error: Exception) -> ValueError:
    return ValueError(f"{step} is no readable checkpoint of Orbax: {error}")


def _values(tree: dict[str, Any], group: str) -> dict[str, np.ndarray]:
    return {"/".join(path): np.asarray(x) for path, x in leaves(tree.get(group) or {})}


def _matched(
    variables: Sequence[Any], values: dict[str, np.ndarray], order: Sequence[str] | None
) -> tuple[list[tuple[Any, np.ndarray]], list[str]]:
    """Variables with their values, and what is wrong."""
    known = {"/".join(path): variable for path, variable in distinct_paths(variables)}
    if order is not None and set(order) != set(known) and _alike(list(order), list(known)):
        values = {new: values[old] for old, new in zip(order, known, strict=True) if old in values}
    pairs, problems = [], []
    for path, variable in known.items():
        value = values.pop(path, None)
        if value is None:
            if variable.size and not path.endswith(_SEED):
                problems.append(f"there is nothing for {path}")
        elif value.shape != variable.shape:
            problems.append(f"{path} is {variable.shape}, and {value.shape} in the checkpoint")
        else:
            pairs.append((variable, value))
    return pairs, problems + [f"{p} is not in the model" for p in values if not p.endswith(_SEED)]


def _alike(first: list[str], second: list[str]) -> bool:
    """Whether two lists of paths end in the same words."""
    return [re.split("[/_]", p)[-1] for p in first] == [re.split("[/_]", p)[-1] for p in second]
