"""One row a layer and use of it, in a file for each folder of layers: all tests run through them."""

from tests.layers.cases import (
    activation,
    attention,
    convolution,
    core,
    merging,
    normalization,
    pooling,
    recurrent,
    regularization,
    reshaping,
)
from tests.layers.cases.case import Case

_FAMILIES = (
    activation,
    attention,
    convolution,
    core,
    merging,
    normalization,
    pooling,
    recurrent,
    regularization,
    reshaping,
)
CASES: list[Case] = [case for family in _FAMILIES for case in family.CASES]
