"""`ops.numpy`: the operations that NumPy has too."""

from kerata.ops.creation import *
from kerata.ops.elementwise import *
from kerata.ops.indexing import *
from kerata.ops.products import *
from kerata.ops.reduction import *
from kerata.ops.shaping import *
