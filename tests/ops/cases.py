"""The table of operations: calls of each, and what NumPy or SciPy says that they give.

The tests of this folder derive everything from it: values, dtypes and shapes on every backend, eager
and compiled, symbolic and strictly abstract shapes, gradients.
"""

from __future__ import annotations

from tests.ops import (
    control_cases,
    creation_cases,
    ctc_cases,
    diagonals_cases,
    elements_cases,
    elementwise_cases,
    image_cases,
    indexing_cases,
    joining_cases,
    linalg_cases,
    nn_cases,
    recurrent_cases,
    reduction_cases,
    shaping_cases,
    signal_cases,
    spatial_cases,
    statistics_cases,
)
from tests.ops.case import Case

FAMILIES = (
    elementwise_cases,
    elements_cases,
    reduction_cases,
    creation_cases,
    joining_cases,
    diagonals_cases,
    statistics_cases,
    shaping_cases,
    nn_cases,
    recurrent_cases,
    control_cases,
    linalg_cases,
    signal_cases,
    ctc_cases,
    image_cases,
    indexing_cases,
    spatial_cases,
)
CASES: list[Case] = [case for family in FAMILIES for case in family.table()]
