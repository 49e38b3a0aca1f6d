"""`DataLayer`: layers that prepare data, in input pipelines as well as in models."""

from __future__ import annotations

import sys
from typing import Any, ClassVar

import numpy as np
import optree

from kerata.backends.kinds import is_a
from kerata.backends.registry import backend, use_backend
from kerata.backends.state import state
from kerata.core.symbolic import any_symbolic
from kerata.core.text import Text
from kerata.layers.layer import Layer
from kerata.layers.preprocessing.ahead import calling, calls

# Modules whose frames on the stack say that an element of an input pipeline is being made.
_PIPELINES = ("grain.", "torch.utils.data.", "kerata.training.data.workers")


class DataLayer(Layer):
    """A layer that may also be called in a `tf.data` map, a `DataLoader` or a grain pipeline.

    There it computes under another backend than the active one: on TensorFlow's graph tensors under
    TensorFlow, and on elements of the other pipelines under NumPy (torch for torch's tensors), so
    that they can be collated and sent between processes. Anywhere else the active backend serves.

    Subclasses define `call` as any layer does. Where `self.piped` is True it should read no
    variables, which would move to the pipeline's backend, but NumPy arrays kept beside them.

    Attributes:
        on_host: whether `call` needs the values of its inputs, so that it can't be compiled; a
            model runs such layers at its beginning on the host, before its compiled step.
    """

    on_host = False
    # AutoGraph leaves what has this alone. Rewriting the library would take it ten seconds, and
    # there is nothing in it to rewrite.
    autograph_info__: ClassVar[dict[str, Any]] = {}

    @property
    def piped(self) -> bool:
        """Whether it is being called in an input pipeline, under another backend."""
        return calls.piped

    def as_inputs(self, inputs: Any) -> Any:
        """The first argument of a call as `call` takes it; subclasses may convert what is given."""
        return inputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if args:
            args = (self.as_inputs(args[0]), *args[1:])
        if calls.run is not None and not any_symbolic(args, kwargs):
            return calls.run.call(self, super().__call__, args, kwargs)
        name = None if state.depth else pipeline_backend((args, kwargs))
        if name is None or name == backend():
            return super().__call__(*args, **kwargs)
        with calling(piped=True), use_backend(name):
            return super().__call__(*args, **kwargs)


def pipeline_backend(tree: Any) -> str | None:
    """The backend for data that an input pipeline gives; None for the active one.

    Args:
        tree: any nesting of the data.
    """
    leaves = optree.tree_leaves(tree)
    if any(is_a(x, "tensorflow", "Tensor", "RaggedTensor", "SparseTensor") for x in leaves):
        return None if sys.modules["tensorflow"].executing_eagerly() else "tensorflow"
    torch = [is_a(x, "torch", "Tensor") for x in leaves]
    if not all(t or _is_plain(x) for t, x in zip(torch, leaves, strict=True)):
        return None
    name = "torch" if any(torch) else "numpy"
    return name if name != backend() and in_pipeline() else None


def _is_plain(x: Any) -> bool:
    return isinstance(x, (np.ndarray, np.generic, bool, int, float, str, bytes, Text))


def in_pipeline() -> bool:
    """Whether the caller makes an element of a grain pipeline, a `DataLoader` or a `PyDataset`."""
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(_PIPELINES):
            return True
        frame = frame.f_back
    return False
