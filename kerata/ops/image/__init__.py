"""`ops.image`: the operations of images, `(height, width, channels)` or a batch of them.

`data_format` says where the channels are: "channels_last", "channels_first", or None for the
configured one. Images of ints are computed in floats, and come back rounded and within their dtype.
"""

from kerata.ops.image.color import *
from kerata.ops.image.cropping import *
from kerata.ops.image.filters import *
from kerata.ops.image.patches import *
from kerata.ops.image.quality import ssim
from kerata.ops.image.resizing import *
from kerata.ops.image.sampling import *
from kerata.ops.image.warping import *
