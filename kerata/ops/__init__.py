"""Every operation, defined once: `kerata.ops.matmul(x, y)` runs on whichever backend is active.

Each file lists in `__all__` the operations that it adds to this namespace.
"""

from kerata.ops import image, linalg, nn, numpy
from kerata.ops import random as _random  # registers the draws
from kerata.ops import replicas as _replicas  # registers the sum over replicas
from kerata.ops import updates as _updates  # registers the update rules
from kerata.ops.control import *
from kerata.ops.dispatch import composites, primitives, without_overrides
from kerata.ops.linalg import *
from kerata.ops.nn import *
from kerata.ops.numpy import *
from kerata.ops.recurrent import *
from kerata.ops.scattering import *
from kerata.ops.signal import *
