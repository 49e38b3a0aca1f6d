"""Kerata: Keras 3's API on JAX, PyTorch, TensorFlow, OpenVINO and NumPy, all in one process.

>>> import kerata
>>> model = kerata.Sequential([kerata.Input((4,)), kerata.layers.Dense(2)])
>>> with kerata.use_backend("numpy"):
...     model.predict([[1.0, 2.0, 3.0, 4.0]], verbose=0).shape
(1, 2)
"""

from kerata import (
    activations,
    backend,
    backends,
    callbacks,
    config,
    constraints,
    datasets,
    distillation,
    dtype_policies,
    initializers,
    interop,
    layers,
    losses,
    metrics,
    mixed_precision,
    models,
    ops,
    optimizers,
    preprocessing,
    quantizers,
    random,
    regularizers,
    saving,
    tree,
    utils,
    visualization,
    wrappers,
)
from kerata._version import __version__
from kerata.backends.registry import set_backend, use_backend
from kerata.core.graph import Function
from kerata.core.names import name_scope
from kerata.core.remat import RematScope, remat
from kerata.core.stateless import StatelessScope
from kerata.core.symbolic import KerasTensor, Operation
from kerata.core.transforms import checkpoint, grad, jit, value_and_grad
from kerata.core.variable import Variable
from kerata.dtype_policies import DTypePolicy, FloatDTypePolicy
from kerata.initializers import Initializer
from kerata.layers import Input, InputSpec, Layer
from kerata.losses import Loss
from kerata.metrics import Metric
from kerata.models import Model, Sequential
from kerata.optimizers import Optimizer
from kerata.regularizers import Regularizer


def version() -> str:
    """The version of Kerata."""
    return __version__
