"""`ops.numpy`: the operations that NumPy has too."""

from kerata.ops.bitwise import *
from kerata.ops.complex import *
from kerata.ops.creation import *
from kerata.ops.diagonals import *
from kerata.ops.elementwise import *
from kerata.ops.indexing import *
from kerata.ops.joining import *
from kerata.ops.linalg import slogdet
from kerata.ops.products import *
from kerata.ops.reduction import *
from kerata.ops.scattering import bincount
from kerata.ops.shaping import *
from kerata.ops.sorting import *
from kerata.ops.special import *
from kerata.ops.statistics import *
from kerata.ops.vectorize import *
from kerata.ops.windows import *
