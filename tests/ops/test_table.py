"""The table is complete, and what derives from it can fail."""

from __future__ import annotations

import collections

import numpy as np
import pytest

from kerata import ops
from kerata.backends import registry
from tests.ops.case import Case, assert_close
from tests.ops.cases import CASES, FAMILIES
from tests.ops.deviations import KNOWN

# Operations that draw or assign, tested by their own files.
ELSEWHERE = {
    "random_bernoulli": "test_random", "random_dropout": "test_random", "random_normal": "test_random",
    "random_binomial": "test_random", "random_gamma": "test_random",
    "random_randint": "test_random", "random_uniform": "test_random", "adam_update": "test_updates",
    "decay_update": "test_updates", "sgd_update": "test_updates", "bincount": "test_indexing",
    "nonzero": "test_indexing",
}  # fmt: skip


def test_every_operation_has_cases():
    known = set(ops.primitives()) | set(ops.composites())
    in_table = {case.op for case in CASES}
    assert in_table | set(ELSEWHERE) == known
    assert not in_table & set(ELSEWHERE)


def test_names_of_cases_are_unique():
    counts = collections.Counter(map(str, CASES))
    assert [name for name, n in counts.items() if n > 1] == []


def test_every_family_is_there():
    assert all(family.table() for family in FAMILIES)


def test_known_deviations_name_backends_and_cases():
    for deviation in KNOWN:
        assert set(deviation.backends) <= set(registry.backends(installed_only=False))
        assert deviation.reason


@pytest.mark.parametrize(
    "wrong",
    [np.float32([1, 2.001]), np.float32([[1, 2]]), np.float32([1, np.nan])],
    ids=["value", "shape", "nan"],
)
def test_a_wrong_result_fails(wrong):
    case = Case("add", (np.float32([0, 1]), np.float32([1, 1])), np.add)
    assert_close(np.float32([1, 2]), case)
    with pytest.raises(AssertionError):
        assert_close(wrong, case)


def test_a_wrong_gradient_is_seen():
    case = Case("square", (np.float32([1.0, -2.0]),), np.square)
    (found,) = case.gradients
    assert not np.allclose(found, np.float32([1.0, -2.0]))
