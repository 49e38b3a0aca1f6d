"""One row a layer and use of it, in a file for each folder of layers: all tests run through them."""

from tests.layers.cases import (
    activation,
    attention,
    convolution,
    core,
    images,
    merging,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
)
from tests.layers.cases.case import Case

FAMILIES = (
    activation,
    attention,
    convolution,
    core,
    images,
    merging,
    normalization,
    pooling,
    preprocessing,
    recurrent,
    regularization,
    reshaping,
)
CASES: list[Case] = [case for family in FAMILIES for case in family.CASES]
