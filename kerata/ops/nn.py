"""`ops.nn`: the operations of neural networks."""

from kerata.ops.activation import *
from kerata.ops.attention import *
from kerata.ops.complex import polar
from kerata.ops.convolution import *
from kerata.ops.ctc import *
from kerata.ops.image.quality import psnr
from kerata.ops.loss import *
from kerata.ops.normalization import *
from kerata.ops.scattering import multi_hot, one_hot
from kerata.ops.spatial import *
