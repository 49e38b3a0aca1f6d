"""`ops.nn`: the operations of neural networks."""

from kerata.ops.activation import *
from kerata.ops.attention import *
from kerata.ops.convolution import *
from kerata.ops.loss import *
from kerata.ops.normalization import *
