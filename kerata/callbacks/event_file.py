"""Event files of TensorBoard, and what is put into them."""

from __future__ import annotations

import io
import itertools
import json
import os
import pathlib
from collections.abc import Mapping
from typing import Any

import numpy as np

_MOST_FILTERS = 64
_count = itertools.count()


class EventFile:
    """An event file.

    Args:
        directory: the folder that it is made in.
    """

    def __init__(self, directory: str) -> None:
        self._library = self.library()
        # Two files begun within a second in one folder would have the same name.
        suffix = f".{os.getpid()}.{next(_count)}"
        self._writer = self._library.FileWriter(directory, filename_suffix=suffix)

    @staticmethod
    def library() -> Any:
        """TensorboardX.

        Raises:
            ImportError: it is not installed.
        """
        try:
            import tensorboardX
            import tensorboardX.summary
        except ImportError as error:
            raise ImportError(
                "TensorBoard needs tensorboardX. Install it with: pip install 'kerata[tensorboard]'"
            ) from error
        return tensorboardX

    def scalars(self, values: Mapping[str, Any], step: int) -> None:
        """Write numbers; what is none is left out."""
        for name, value in values.items():
            array = np.asarray(value)
            if array.size == 1 and array.dtype.kind in "biuf":
                summary = self._library.summary.scalar(name, float(array.reshape(())))
                self._writer.add_summary(summary, step)

    def histogram(self, name: str, values: np.ndarray, step: int) -> None:
        """Write a histogram of the finite ones among `values`."""
        flat = np.asarray(values, "float64").ravel()
        flat = flat[np.isfinite(flat)]
        if flat.size:
            self._writer.add_summary(self._library.summary.histogram(name, flat, "auto"), step)

    def image(self, name: str, pixels: np.ndarray, step: int) -> None:
        """Write an image, uint8 `(height, width)`."""
        summary = self._library.summary.image(name, pixels, dataformats="HW")
        self._writer.add_summary(summary, step)

    def graph(self, graph: Any) -> None:
        """Write a `GraphDef`."""
        from tensorboardX.proto.event_pb2 import Event

        self._writer.add_event(Event(graph_def=graph.SerializeToString()))

    def flush(self) -> None:
        """Put on the disk what was written."""
        self._writer.flush()

    def close(self) -> None:
        """Put on the disk what was written, and end."""
        self._writer.close()


def as_image(weight: np.ndarray) -> np.ndarray:
    """A weight of at least two axes as a grey image, uint8; its range becomes 0 to 255.

    A matrix lies on its long side; of kernels of convolutions, at most 64 filters stand side by
    side, as near to a square as they come.
    """
    value = np.nan_to_num(np.asarray(weight, "float32"))
    low, high = float(value.min()), float(value.max())
    value = np.rint((value - low) * (255 / (high - low or 1))).astype("uint8")
    if value.ndim == 2:
        return value.T if value.shape[0] > value.shape[1] else value
    filters = value.reshape(value.shape[0], value.shape[1], -1)[..., :_MOST_FILTERS]
    height, width, count = filters.shape
    columns = int(np.ceil(np.sqrt(count)))
    rows = -(-count // columns)
    padded = np.zeros((height + 1, width + 1, rows * columns), "uint8")
    padded[:height, :width, :count] = filters
    tiles = padded.reshape(height + 1, width + 1, rows, columns).transpose(2, 0, 3, 1)
    return tiles.reshape(rows * (height + 1), columns * (width + 1))


# Graphs


def graph_of(model: Any) -> Any:
    """The graph of a model as a `GraphDef`: a node for each call of a layer, in the models' names.

    None where it is not made of symbolic tensors.
    """
    from tensorboardX.proto.graph_pb2 import GraphDef

    function = getattr(model, "_graph", None)
    if function is None:
        return None
    graph = GraphDef()
    graph.versions.producer = 22
    _add_nodes(graph, function, {}, f"{model.name}/", set())
    return graph


def _add_nodes(
    graph: Any, function: Any, sources: dict[int, str], scope: str, taken: set[str]
) -> list[str]:
    """Add the nodes of a `Function` and return those of its outputs; `sources` has its inputs'."""
    known = dict(sources)
    for tensor in function.inputs:
        if id(tensor) not in known:
            known[id(tensor)] = _add_node(graph, scope, tensor.name, "Input", [], [tensor], taken)
    for node in function.nodes:
        inputs = [known[id(t)] for t in node.inputs]
        operation, inner = node.operation, getattr(node.operation, "_graph", None)
        if inner is not None and len(inner.inputs) == len(inputs):
            given = {id(t): name for t, name in zip(inner.inputs, inputs, strict=True)}
            names = _add_nodes(graph, inner, given, f"{scope}{operation.name}/", taken)
        else:
            kind = getattr(getattr(operation, "op", operation), "name", None)
            kind = type(operation).__name__ if hasattr(operation, "weights") else str(kind)
            name = _add_node(graph, scope, operation.name, kind, inputs, node.outputs, taken)
            names = [name] * len(node.outputs)
        known |= {id(t): n for t, n in zip(node.outputs, names, strict=False)}
    return [known[id(t)] for t in function.outputs]


def _add_node(
    graph: Any,
    scope: str,
    name: str,
    kind: str,
    inputs: list[str],
    outputs: list[Any],
    taken: set[str],
) -> str:
    from tensorboardX.proto.attr_value_pb2 import AttrValue
    from tensorboardX.proto.tensor_shape_pb2 import TensorShapeProto

    full, count = scope + name, 0
    while full in taken:
        count += 1
        full = f"{scope}{name}_{count}"
    taken.add(full)
    node = graph.node.add(name=full, op=kind, input=inputs)
    shapes = AttrValue()
    for tensor in outputs:
        sizes = [-1 if s is None else s for s in tensor.shape]
        shapes.list.shape.append(
            TensorShapeProto(dim=[TensorShapeProto.Dim(size=s) for s in sizes])
        )
    node.attr["_output_shapes"].CopyFrom(shapes)
    return full


# Embeddings


def embedding_files(
    folder: pathlib.Path, tables: Mapping[str, np.ndarray], metadata: Mapping[str, str]
) -> None:
    """Write tables of embeddings, and the config by which TensorBoard's projector finds them.

    Args:
        folder: where to.
        tables: `(rows, width)` by name.
        metadata: for some of them the name of a file in `folder` with a label for each row.
    """
    from kerata.saving import files  # models know callbacks, and saving knows models

    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for name, table in tables.items():
        file = f"{name}.embedding.tsv"
        text = io.StringIO()
        np.savetxt(text, table, "%.7g", "\t")
        with files.replacing(folder / file) as path:
            path.write_text(text.getvalue())
        lines = {"tensor_name": name, "tensor_path": file}
        if name in metadata:
            lines["metadata_path"] = str(metadata[name])
        fields = "".join(f"  {key}: {json.dumps(value)}\n" for key, value in lines.items())
        sizes = "".join(f"  tensor_shape: {size}\n" for size in table.shape)
        entries.append(f"embeddings {{\n{fields}{sizes}}}\n")
    with files.replacing(folder / "projector_config.pbtxt") as path:
        path.write_text("".join(entries))
