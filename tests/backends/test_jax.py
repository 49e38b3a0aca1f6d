"""What is JAX's own: donated state, tracers, fused loops, functions with its own calls."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest

jax = pytest.importorskip("jax")
jnp = jax.numpy

from kerata import ops  # noqa: E402
from kerata.backends import registry  # noqa: E402
from kerata.backends.abstract.tensor import AbstractTensor  # noqa: E402
from kerata.core.transforms import checkpoint, grad, jit, value_and_grad  # noqa: E402
from kerata.core.variable import Variable  # noqa: E402


@pytest.fixture(autouse=True)
def active():
    with registry.use_backend("jax") as backend:
        yield backend


def numbers(x) -> list:
    return ops.convert_to_numpy(x).tolist()


def test_tensors_and_tracers_are_its_tensors(active):
    seen = []
    jax.jit(lambda x: seen.append(x) or ops.add(x, 1))(jnp.ones(2))
    assert isinstance(seen[0], active.tensor_types) and isinstance(jnp.ones(2), active.tensor_types)


@pytest.mark.parametrize("size", [8, 1000, 100_000])
@pytest.mark.parametrize("make", [ops.convert_to_tensor, Variable])
def test_later_writes_to_the_array_are_not_seen(make, size):
    for offset in range(16):  # memory that is aligned may be taken over, the rest is read later
        array = np.zeros(size + 16, "float32")[offset : offset + size]
        made = make(array)
        array[:] = 1
        assert not ops.convert_to_numpy(made).any()


def test_64_bits_become_32(active):
    assert active.dtype_of(active.convert(np.arange(3))) == "int32"
    assert active.dtype_of(active.convert(np.ones(3))) == "float32"
    assert active.dtype_of(ops.cast(jnp.ones(2), "float64")) == "float32"
    assert active.dtype_of(ops.zeros((2,), "int64")) == "int32"
    with jax.enable_x64(True):
        assert active.dtype_of(active.convert(np.arange(3))) == "int64"
        assert active.dtype_of(ops.cast(jnp.ones(2), "float64")) == "float64"


def test_weak_tensors_stay_weak(active):
    half = active.convert(np.float16([1, 2]))
    assert active.dtype_of(ops.add(half, jnp.asarray(2.5))) == "float16"
    assert active.dtype_of(ops.add(half, jnp.float32(2.5))) == "float32"


def test_state_is_donated():
    v = Variable(np.zeros(1000, "float32"))
    step = jit(lambda x: v.assign(v + x).shape)
    step(1.0)
    held = v.storage()
    step(1.0)
    assert held.is_deleted() and not v.storage().is_deleted()


def test_no_two_variables_share_memory():
    v, w = Variable([1.0, 2.0]), Variable([0.0, 0.0])
    w.assign(v.value)

    @jit
    def step():
        v.assign_add(1.0)
        w.assign_add(1.0)

    step()
    assert numbers(v) == [2.0, 3.0] and numbers(w) == [2.0, 3.0]


def test_only_what_is_touched_is_threaded():
    touched = [Variable([float(i)]) for i in range(3)]
    others = [Variable([float(i)]) for i in range(3)]

    @jit
    def f(x):
        touched[0].assign(touched[1] + x)
        return touched[2] * 1.0

    f(np.float32([1]))
    (program,) = f._compiled["jax"]._programs.values()
    _, written, read_only, _ = program
    assert [v is touched[0] for v in written] == [True]
    assert {id(v) for v in read_only} == {id(v) for v in touched[1:]}
    assert all(v._home is None for v in others)


def test_state_is_found_where_abstract_cannot_look():
    """The function asks for JAX's own tensors, and reads one variable behind them."""
    v, w = Variable([1.0, 2.0]), Variable(0.0)

    @jit
    def f(x):
        y = jnp.where(jnp.asarray(x) > 0, x, -x)
        w.assign_add(1.0)
        return jnp.dot(y, v.value)

    assert numbers(f(np.float32([1, -1]))) == 3.0 and float(w) == 1.0
    assert numbers(f(np.float32([2, -1]))) == 4.0 and float(w) == 2.0


def test_a_read_that_shows_only_in_the_trace():
    """What the search did not see is threaded all the same, and only donated where it is written."""
    v = Variable([1.0])
    f = jit(lambda: [v])
    held = v.value
    assert numbers(f()[0]) == [1.0]
    v.assign([5.0])
    assert numbers(f()[0]) == [5.0] and not held.is_deleted()


def test_programs_let_go_of_their_arguments():
    f = jit(lambda x: ops.sum(x))
    x = jnp.ones(100)
    f(x)
    alive = weakref.ref(x)
    del x
    gc.collect()
    assert alive() is None


def test_assigning_in_a_loop_s_body_is_refused():
    v = Variable(0.0, name="count")
    with pytest.raises(RuntimeError, match=r"scan: a variable \('count'\) is assigned in the body"):
        ops.scan(lambda c, x: (v.assign_add(1.0) * 0.0, x), jnp.zeros(()), jnp.ones(3))
    with pytest.raises(RuntimeError, match="cond: "):
        ops.cond(True, lambda: v.assign_add(1.0) * 1.0, lambda: v * 1.0)


def test_repeat_is_one_loop(active):
    total = Variable(0.0)
    rows = active.convert(np.arange(5, dtype="float32"))

    @jit
    def run(rows):
        def step(row):
            total.assign_add(row)
            return {"row": row, "total": total.value, "name": "x"}

        return active.repeat(step, rows)

    result = run(rows)
    assert numbers(result["row"]) == 4.0 and numbers(result["total"]) == 10.0
    assert result["name"] == "x" and float(total) == 10.0
    assert float(run(rows)["total"]) == 20.0


def test_functions_with_its_own_calls_have_shapes(active):
    def f(x, k):
        return {"y": jnp.einsum("ij->ji", x) * k, "k": k}

    found = active.fallback_shape(f, (AbstractTensor((2, 3), "float32"), 4), {})
    assert (found["y"].shape, found["y"].dtype, found["k"]) == ((3, 2), "float32", 4)


def test_its_transformations_around_ours():
    w = Variable([2.0, 3.0])
    f = lambda x: ops.sum(x * x * w.value)  # noqa: E731
    x = np.float32([[1, 2], [3, 4]])
    np.testing.assert_allclose(jax.vmap(jax.grad(f))(x), 2 * x * [2, 3])
    np.testing.assert_allclose(jax.jit(f)(x[0]), (x[0] ** 2 * [2, 3]).sum())
    np.testing.assert_allclose(jax.vmap(grad(f))(x), 2 * x * [2, 3])
    np.testing.assert_allclose(jax.vmap(jit(f))(x), (x * x * [2, 3]).sum(1))


def test_ours_around_its_transformations():
    w = Variable(np.float32([2, 3]))

    @jit
    def step(x):
        value, (g,) = value_and_grad(lambda: jnp.sum(jax.vmap(jnp.tanh)(w.value * x)), [w])()
        w.assign(w.value - g)
        return value

    x, v = np.float32([0.5, 1.0]), np.float32([2, 3])
    np.testing.assert_allclose(step(x), np.tanh(v * x).sum(), rtol=1e-5)
    np.testing.assert_allclose(w.numpy(), v - x * (1 - np.tanh(v * x) ** 2), rtol=1e-5)


def test_checkpoint_recomputes():
    def program(block):
        return str(jax.make_jaxpr(jax.grad(lambda x: ops.sum(block(x))))(jnp.ones(3)))

    def block(x):
        return ops.sin(ops.sin(x))

    assert "remat" in program(checkpoint(block)) or "checkpoint" in program(checkpoint(block))
    assert program(checkpoint(block)).count("cos") >= program(block).count("cos")


def test_a_value_inside_a_program_is_refused():
    with pytest.raises(TypeError, match=r"inside a compiled function.*run_eagerly=True"):
        jax.jit(ops.convert_to_numpy)(jnp.ones(2))
    v = Variable(1.0)
    with pytest.raises(TypeError, match="inside a compiled function"):
        jit(lambda x: float((v.assign_add(x)).numpy()))(1.0)


def test_operations_trace_without_dispatching_twice():
    """A program holds the operation's own instructions, and no copies or casts besides."""
    text = str(jax.make_jaxpr(lambda x, w: ops.matmul(x, w))(jnp.ones((2, 3)), jnp.ones((3, 4))))
    assert text.count("dot_general") == 1 and "convert_element_type" not in text
    text = str(jax.make_jaxpr(lambda x: ops.multiply(x, 2.0))(jnp.ones(3)))
    assert "convert_element_type" not in text
