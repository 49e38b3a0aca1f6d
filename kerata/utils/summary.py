"""A model as a table: its layers, their output shapes, parameters, work and memory."""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from kerata.backends import dtypes
from kerata.core.symbolic import OpCall
from kerata.core.variable import Variable
from kerata.layers.core.input_layer import InputLayer
from kerata.layers.layer import Layer
from kerata.models.model import Model
from kerata.models.sequential import Sequential
from kerata.utils.work import Call, calls_of, flops_of

_UNKNOWN = "–"
_NOTE = "– stands where a figure depends on a size besides the batch, or can't be found."
_COLUMNS = ("Layer (type)", "Output shape", "Params", "FLOPs", "Activations")
_MORE = ("Connected to", "Trainable")
_NUMBERS = ("Params", "FLOPs", "Activations")
_PIPE_WIDTH = 110  # where output is no terminal


class _Row(NamedTuple):
    name: str
    shape: str
    parameters: str
    flops: str
    memory: str
    sources: str
    trainable: str


class _Summary(NamedTuple):
    title: str
    columns: list[str]
    rows: list[list[str]]
    totals: list[str]


# Collecting


def _summary(
    model: Any, expand_nested: bool, show_trainable: bool, layer_range: Sequence[str] | None
) -> _Summary:
    if not model.built:
        raise ValueError(
            f"summary: {model.name!r} is not built, so the shapes of its weights are not known. "
            "Call it on data, fit it, or build(input_shape), first"
        )
    rows, branches, memory = _rows(model, expand_nested, layer_range)
    shown = [True, True, True, True, True, branches, show_trainable]

    def kept(cells: Sequence[str]) -> list[str]:
        return [cell for cell, show in zip(cells, shown, strict=True) if show]

    flops = flops_of(model)
    totals = _parameter_lines(model)
    totals.append(f"FLOPs a sample: {_number(flops)}")
    totals.append(f"Activations a sample: {_bytes(memory)}")
    if flops is None or memory is None:
        totals.append(_NOTE)
    title = f'Model: "{model.name}"'
    return _Summary(title, kept((*_COLUMNS, *_MORE)), [kept(r) for r in rows], totals)


def _rows(
    model: Any, expand_nested: bool, layer_range: Sequence[str] | None
) -> tuple[list[_Row], bool, int | None]:
    """The rows, whether the graph is more than a chain, and the memory of all outputs."""
    calls: dict[int, list[Call]] = {}
    for call in calls_of(model):
        calls.setdefault(id(call.operation), []).append(call)
    own = [c[0].operation for c in calls.values()] if model._graph is not None else model.layers
    own += [layer for layer in model.layers if all(layer is not x for x in own)]
    if isinstance(model, Sequential):
        own = [x for x in own if not isinstance(x, InputLayer)]
    rows, total = [], 0 if calls else None
    for operation in _in_range(own, layer_range):
        mine = calls.get(id(operation), [])
        memory = _memory(operation, mine)
        total = None if total is None or memory is None else total + memory
        rows.append(_row(operation, mine, memory))
        if expand_nested and isinstance(operation, Model):
            rows += [r._replace(name=f"  {r.name}") for r in _rows(operation, True, None)[0]]
    branches = any(len(c) > 1 or len(c[0].sources) > 1 for c in calls.values()) or len(
        {s for c in calls.values() for s in c[0].sources}
    ) < sum(len(c[0].sources) for c in calls.values())
    return rows, branches, total


def _memory(operation: Any, calls: list[Call]) -> int | None:
    """The bytes of a layer's outputs a sample; of a nested model, those of its layers."""
    if isinstance(operation, InputLayer):
        return 0
    if isinstance(operation, Model):
        inner = _rows(operation, False, None)[2]
        if inner is not None:
            return inner * len(calls)
    sizes = [call.memory for call in calls]
    return None if None in sizes or not sizes else sum(sizes)  # type: ignore[arg-type]


def _in_range(operations: list[Any], layer_range: Sequence[str] | None) -> list[Any]:
    if layer_range is None:
        return operations
    if len(layer_range) != 2:
        raise ValueError(f"layer_range must be the names of two layers; got {layer_range!r}")
    found = []
    for pattern in layer_range:
        places = [i for i, x in enumerate(operations) if re.fullmatch(pattern, x.name)]
        if not places:
            names = ", ".join(repr(x.name) for x in operations)
            raise ValueError(f"layer_range: no layer is named {pattern!r}; there are {names}")
        found.append(places)
    return operations[min(found[0]) : max(found[1]) + 1]


def _row(operation: Any, calls: list[Call], memory: int | None) -> _Row:
    kind = f"ops.{operation.op.name}" if isinstance(operation, OpCall) else type(operation).__name__
    is_layer = isinstance(operation, Layer)
    built = not is_layer or operation.built
    shapes = {str(_plain(call.shapes)) for call in calls}
    flops = [call.flops for call in calls]
    known = flops and None not in flops
    return _Row(
        f"{operation.name} ({kind})",
        shapes.pop() if len(shapes) == 1 else "several" if shapes else "?",
        f"{_count(operation.weights) if is_layer else 0:,}" + ("" if built else " (not built)"),
        _number(sum(flops) if known else None),  # type: ignore[arg-type]
        _bytes(memory),
        ", ".join(dict.fromkeys(s for call in calls for s in call.sources)) or _UNKNOWN,
        ("yes" if operation.trainable else "no") if is_layer and operation.weights else _UNKNOWN,
    )


def _plain(shapes: list[Any]) -> Any:
    return shapes[0] if len(shapes) == 1 else shapes


# Numbers


def _count(variables: Sequence[Variable]) -> int:
    return sum(v.size for v in variables)


def _parameter_lines(model: Any) -> list[str]:
    weights = model.weights
    groups = {
        "Total parameters": weights,
        "Trainable parameters": model.trainable_weights,
        "Non-trainable parameters": model.non_trainable_weights,
    }
    optimizer = model.optimizer
    if model.compiled and optimizer is not None and optimizer.built:
        groups["Optimizer parameters"] = optimizer.variables
    return [f"{name}: {_count(v):,} ({_bytes(_memory_of(v))})" for name, v in groups.items()]


def _memory_of(variables: Sequence[Variable]) -> int:
    return sum(v.size * dtypes.size(v.stored_dtype) for v in variables)


def _scaled(value: float, base: int, units: Sequence[str]) -> tuple[float, str]:
    for unit in units[:-1]:
        if value < base:
            return value, unit
        value /= base
    return value, units[-1]


def _number(value: int | None) -> str:
    """A number with three or four digits and a unit."""
    if value is None:
        return _UNKNOWN
    scaled, unit = _scaled(value, 1000, ["", " k", " M", " G", " T", " P"])
    return f"{scaled:.4g}{unit}" if unit else str(value)


def _bytes(value: int | None) -> str:
    if value is None:
        return _UNKNOWN
    scaled, unit = _scaled(value, 1024, ["B", "KB", "MB", "GB", "TB"])
    return f"{scaled:.2f} {unit}" if unit != "B" else f"{value} B"


# Showing


def print_summary(
    model: Any,
    line_length: int | None = None,
    print_fn: Callable[[str], Any] | None = None,
    expand_nested: bool = False,
    show_trainable: bool = False,
    layer_range: Sequence[str] | None = None,
) -> None:
    """Print a model as a table.

    FLOPs and activations (the memory of the layers' outputs) are those of inference on one sample;
    they show as – where a size besides the batch is open.

    Args:
        model: a built model.
        line_length: the width in characters; that of the terminal where None.
        print_fn: takes the text instead of standard output.
        expand_nested: show the layers of nested models too, below them.
        show_trainable: show which layers are trained.
        layer_range: the names, or regular expressions, of the first and the last layer to show.

    Raises:
        ValueError: the model is not built, or no layer has a name in `layer_range`.
    """
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    found = _summary(model, expand_nested, show_trainable, layer_range)
    table = Table(show_lines=len(found.columns) > len(_COLUMNS))
    for name in found.columns:
        table.add_column(Text(name), justify="right" if name in _NUMBERS else "left")
    for row in found.rows:
        table.add_row(*map(Text, row))
    width = line_length or (None if sys.stdout.isatty() else _PIPE_WIDTH)
    console = Console(width=width)
    parts = [Text(found.title, style="bold"), table, *(Text(f" {line}") for line in found.totals)]
    if print_fn is None:
        console.print(*parts, sep="\n")
        return
    with console.capture() as captured:
        console.print(*parts, sep="\n", style=None)
    print_fn(captured.get())


def summary_html(model: Any) -> str:
    """A model as an HTML table, or as a line of text where it is not built."""
    if not model.built:
        return f"<pre>{html.escape(repr(model))}</pre>"
    found = _summary(model, False, False, None)
    head = "".join(f"<th>{html.escape(c)}</th>" for c in found.columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>"
        for row in found.rows
    )
    totals = "<br>".join(html.escape(line) for line in found.totals)
    return (
        f"<table><caption>{html.escape(found.title)}</caption>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table><p>{totals}</p>"
    )
