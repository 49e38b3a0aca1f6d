"""Scopes: reads and writes of variables that go to a mapping."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from kerata import ops
from kerata.backends import registry
from kerata.backends.abstract.tensor import AbstractTensor
from kerata.backends.scope import Observer, Scope, recorded, touched
from kerata.backends.state import state
from kerata.core.stateless import StatelessScope
from kerata.core.variable import Variable


def number(x) -> float:
    return float(ops.convert_to_numpy(x))


def test_reads_and_writes_go_to_the_mapping(backend):
    v, other = Variable(1.0), Variable(5.0)
    with StatelessScope([(v, 2.0)]) as scope:
        assert number(v.value) == 2.0 and number(other.value) == 5.0
        v.assign(v + 10.0)
        other.assign_sub(1.0)
        assert number(v.value) == 12.0 and float(v.numpy()) == 12.0
    assert float(v) == 1.0 and float(other) == 5.0
    assert number(scope.get_current_value(v)) == 12.0
    assert number(scope.get_current_value(other)) == 4.0
    assert scope.get_current_value(Variable(0.0)) is None


def test_scopes_nest(backend):
    v, w = Variable(1.0), Variable(1.0)
    with StatelessScope([(v, 2.0)]) as outer:
        with StatelessScope([(w, 3.0)]) as inner:
            assert number(v.value) == 2.0 and float(v.numpy()) == 2.0
            v.assign(v * 10.0)
            assert number(v.value) == 20.0
        assert number(v.value) == 2.0 and number(w.value) == 1.0
        assert number(inner.get_current_value(v)) == 20.0
    assert number(outer.get_current_value(v)) == 2.0


def test_an_error_leaves_the_scope(backend):
    v = Variable(1.0)
    with pytest.raises(ZeroDivisionError), StatelessScope([(v, 2.0)]):
        raise ZeroDivisionError
    assert state.scope is None and float(v) == 1.0


def test_values_are_cast_and_checked(backend):
    v = Variable(np.float32([1, 2]), name="w")
    with StatelessScope([(v, np.int32([3, 4]))]):
        assert backend.dtype_of(v.value) == "float32"
    with pytest.raises(
        ValueError, match=r"the value for 'w' has the shape \(3,\), and the variable"
    ):
        StatelessScope([(v, [1.0, 2.0, 3.0])])
    with StatelessScope(), pytest.raises(ValueError, match="'w'"):
        v.assign([1.0])


def test_updates_and_losses(backend):
    v = Variable(1.0)
    scope = StatelessScope()
    scope.add_update((v, ops.convert_to_tensor(7.0)))
    scope.add_loss(1.5)
    assert number(scope.get_current_value(v)) == 7.0 and scope.losses == [1.5]
    assert [(w is v, number(x)) for w, x in scope.writes()] == [(True, 7.0)]


def test_a_scope_is_its_thread_s_own(backend):
    v = Variable(1.0)
    seen = []
    with StatelessScope([(v, 2.0)]):
        thread = threading.Thread(target=lambda: seen.append(float(v.numpy())))
        thread.start()
        thread.join()
    assert seen == [1.0]


def test_recorded_finds_what_a_function_touches():
    read, written, both, unused = (Variable(float(i), name=n) for i, n in enumerate("abcd"))

    def function(x):
        written.assign(x * read)
        both.assign_add(1.0)
        written.assign(written * 2.0)
        return x + both

    found = recorded(function, [AbstractTensor((), "float32")])
    assert [v.name for v in found.read_only] == ["a"]
    assert [v.name for v in found.written] == ["b", "c"]
    assert (found.result.shape, found.result.dtype) == ((), "float32")
    assert all(v._home is None for v in (read, written, both, unused))


def test_recording_asks_for_no_values():
    v = Variable(1.0)
    with pytest.raises(TypeError, match=r"kerata\.ops\.where or kerata\.ops\.cond"):
        recorded(lambda: v.value > 0 or None, [])
    with pytest.raises(TypeError, match="values of a tensor were asked for"):
        recorded(lambda: ops.convert_to_numpy(v.value), [])


def test_observer_passes_values_on(backend):
    v, w = Variable(1.0), Variable(2.0)
    with Observer() as scope:
        w.assign(v.value + w.value)
        assert number(w.value) == 3.0
    found = touched(scope, None)
    assert [x is v for x in found.read_only] == [True] and [x is w for x in found.written] == [True]
    assert float(w) == 2.0


def test_a_plain_scope_takes_tensors(backend):
    v = Variable(1.0)
    with Scope([(v, backend.convert(4.0))]) as scope:
        assert number(v.value) == 4.0
    assert scope.written == {}


def test_a_scope_serves_another_backend():
    v = Variable(1.0)
    with registry.use_backend("abstract"), Scope([(v, AbstractTensor((), "float32"))]):
        assert v.value.shape == ()
    assert v._home is None
