"""A model's graph as a picture, drawn by Graphviz."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from kerata.core.symbolic import KerasTensor
from kerata.utils.extras import extra

_SOURCE = ("dot", "gv")


def get_source_inputs(tensor: Any) -> list[Any]:
    """The inputs that a symbolic tensor is computed from, in the order in which they are met.

    >>> x, y = kerata.Input((2,), name="x"), kerata.Input((2,), name="y")
    >>> [t.name for t in get_source_inputs(layers.Dense(3)(x + y))]
    ['x', 'y']
    """
    found: dict[int, Any] = {}
    seen: set[int] = set()
    stack = [tensor]
    while stack:
        current = stack.pop()
        if not isinstance(current, KerasTensor):
            raise TypeError(f"get_source_inputs: tensor must be symbolic; got {current!r}")
        node = current.node
        if node is None or not node.inputs:
            found[id(current)] = current
        elif id(node) not in seen:
            seen.add(id(node))
            stack += reversed(node.inputs)
    return list(found.values())


def plot_model(
    model: Any,
    to_file: Any = "model.png",
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = False,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """Draw a model's graph into a file.

    It needs the extra `kerata[plot]`, and Graphviz' program `dot` on the machine.

    Args:
        model: a built model. A subclassed one is run on symbolic tensors to find its graph.
        to_file: the file; what its name ends in says what it becomes: png, svg, pdf, and all else
            that `dot` writes. `.dot` is the text that `dot` reads, and needs no `dot`.
        show_shapes: show the shapes of inputs and outputs.
        show_dtype: show dtypes.
        show_layer_names: show layers' names.
        rankdir: where the graph goes: "TB" down, "LR" to the right, "BT" up, "RL" to the left.
        expand_nested: draw the layers of nested models, in a frame.
        dpi: pixels an inch, where the file has pixels.
        show_layer_activations: show layers' activations.
        show_trainable: show which layers are trained.
        splines: how lines run: "ortho", "curved", "polyline", "spline" or "line".

    Returns:
        In IPython, what shows the picture; else None.

    Raises:
        ImportError: the `graphviz` package is not installed.
        RuntimeError: there is no `dot` on the machine.
        ValueError: the model is not built.
    """
    from kerata.utils.drawing import Options, drawn

    options = Options(show_shapes, show_dtype, show_layer_names, rankdir, expand_nested,
                      show_layer_activations, show_trainable)  # fmt: skip
    dot = drawn("plot_model", model, options, dpi, splines)
    path = Path(os.fspath(to_file))
    kind = path.suffix[1:].lower() or "png"
    if kind in _SOURCE:
        _write(path, dot.source.encode())
        return None
    if kind == "svg":
        del dot.graph_attr["dpi"]  # it has no pixels, and would only grow
    _write(path, _rendered(dot, kind))
    return _shown(path, kind)


def model_to_dot(
    model: Any,
    show_shapes: bool = False,
    show_dtype: bool = False,
    show_layer_names: bool = True,
    rankdir: str = "TB",
    expand_nested: bool = False,
    dpi: int = 200,
    subgraph: bool = False,
    show_layer_activations: bool = False,
    show_trainable: bool = False,
    splines: str = "ortho",
) -> Any:
    """A model's graph for Graphviz.

    Args:
        model: see `plot_model`, also for the arguments not listed here.
        show_shapes: show the shapes of inputs and outputs.
        show_dtype: show dtypes.
        show_layer_names: show layers' names.
        rankdir: where the graph goes.
        expand_nested: draw the layers of nested models, in a frame.
        dpi: pixels an inch.
        subgraph: make it a cluster, with a frame, to go into another graph.
        show_layer_activations: show layers' activations.
        show_trainable: show which layers are trained.
        splines: how lines run.

    Returns:
        A `graphviz.Digraph`: `source` is its text, `render` draws it, notebooks show it.
    """
    from kerata.utils.drawing import Options, drawn

    options = Options(show_shapes, show_dtype, show_layer_names, rankdir, expand_nested,
                      show_layer_activations, show_trainable)  # fmt: skip
    return drawn("model_to_dot", model, options, dpi, splines, subgraph)


# Files


def _write(path: Path, content: bytes) -> None:
    from kerata.saving.files import replacing

    with replacing(path) as file:
        file.write_bytes(content)


def _rendered(dot: Any, kind: str) -> bytes:
    graphviz = extra("graphviz", "plot", "plot_model")
    try:
        found: bytes = dot.pipe(format=kind)
    except graphviz.ExecutableNotFound as error:
        raise RuntimeError(
            "plot_model needs Graphviz' program `dot`, which is not on this machine. Install it "
            "(apt install graphviz, brew install graphviz, or from graphviz.org), or give to_file "
            "a name that ends in .dot, for the text that it reads"
        ) from error
    return found


def _shown(path: Path, kind: str) -> Any:
    """What shows the file in IPython, if this is IPython."""
    if "IPython" not in sys.modules or kind not in ("png", "svg", "jpg", "jpeg", "gif"):
        return None
    from IPython import display

    return display.SVG(filename=str(path)) if kind == "svg" else display.Image(filename=str(path))
