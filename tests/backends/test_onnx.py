"""What `onnx` writes: valid models whose sizes stay open, run by both runtimes as an oracle."""

from __future__ import annotations

from typing import Any

import numpy as np
import optree
import pytest

onnx = pytest.importorskip("onnx")

from kerata import ops  # noqa: E402
from kerata.backends.onnx.backend import write  # noqa: E402
from kerata.backends.onnx.graph import OpenSizeError, Size, Unsupported  # noqa: E402
from kerata.backends.registry import load, use_backend  # noqa: E402
from kerata.core.variable import Variable  # noqa: E402
from tests.backends.onnx_cases import CASES, DRAWS, UNWRITTEN, assert_near  # noqa: E402

_draw = np.random.default_rng(3)


def draw(*shape: int) -> np.ndarray:
    return _draw.standard_normal(shape).astype("float32")


def run_by_openvino(model: Any, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    openvino = pytest.importorskip("openvino")
    core = openvino.Core()
    read = core.read_model(model.SerializeToString())
    compiled = core.compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return [np.array(v) for v in compiled(feed).values()]


def run_by_onnxruntime(model: Any, feed: dict[str, np.ndarray]) -> list[np.ndarray]:
    runtime = pytest.importorskip("onnxruntime")
    return runtime.InferenceSession(model.SerializeToString()).run(None, feed)  # type: ignore[no-any-return]


RUNTIMES = [run_by_openvino, run_by_onnxruntime]


def written(function: Any, specs: Any, names: Any = ()) -> Any:
    """The model, checked with all of ONNX's own means."""
    model, outputs, variables = write(function, specs, names)
    onnx.checker.check_model(model, full_check=True)
    return model, outputs, variables


def operators(graph: Any) -> list[str]:
    return [node.op_type for node in graph.node]


def model_of(case: Any) -> tuple[Any, dict[str, np.ndarray]]:
    """The model of a case, and what to feed it."""
    arrays = [a for a in case.args if isinstance(a, np.ndarray)]

    def call(*values: Any) -> Any:
        given = iter(values)
        return case.function(*(next(given) if isinstance(a, np.ndarray) else a for a in case.args))

    model, _, _ = written(call, [(a.shape, a.dtype.name) for a in arrays])
    return model, {f"input_{i}": a for i, a in enumerate(arrays)}


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.name)
def test_models_are_valid_and_onnxruntime_agrees_with_numpy(case: Any) -> None:
    model, feed = model_of(case)
    with use_backend("numpy"):
        leaves = optree.tree_leaves(case.function(*case.args))
    want = [w for w in leaves if isinstance(w, (np.ndarray, np.generic))]
    if not any(w.dtype == "bfloat16" for w in want):  # ONNX Runtime can't hand it to NumPy
        assert_near(run_by_onnxruntime(model, feed), want, case.tolerance)


def test_every_primitive_is_covered() -> None:
    written = {case.name for case in CASES} | set(DRAWS)
    assert set(ops.primitives()) - UNWRITTEN <= written
    assert not written & UNWRITTEN


@pytest.mark.parametrize("name", sorted(UNWRITTEN))
def test_what_has_no_operator_is_refused_by_name(name: str) -> None:
    with pytest.raises(Unsupported, match=name):
        load("onnx").kernels.get(name)()


@pytest.mark.parametrize("run", RUNTIMES)
@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("kind", ["lstm", "gru", "gru_reset_before"])
def test_recurrence_with_open_batch_and_length(kind: str, masked: bool, run: Any) -> None:
    width = 16 if kind == "lstm" else 12
    bias = draw(2, width) if kind == "gru" else draw(width)
    weights = [
        Variable(v, name=f"w{i}") for i, v in enumerate((draw(3, width), draw(4, width), bias))
    ]

    def call(x: Any, state: Any, mask: Any = None) -> Any:
        if kind == "lstm":
            return ops.lstm(x, state, state * 0.5, *weights, mask=mask)
        return ops.gru(x, state, *weights, mask=mask, reset_after=kind == "gru")

    specs = [((None, None, 3), "float32"), ((None, 4), "float32"), ((None, None), "bool")]
    names = ["x", "state", "mask"]
    model, _, read = written(call, specs[: 2 + masked], names[: 2 + masked])
    assert {v.name for v in read} == {"w0", "w1", "w2"}
    for batch, length in ((2, 5), (4, 9), (1, 1)):
        mask = _draw.random((batch, length)) > 0.4
        feed = {"x": draw(batch, length, 3), "state": draw(batch, 4), "mask": mask}
        feed = {n: feed[n] for n in names[: 2 + masked]}
        with use_backend("numpy"):
            last, every, states = call(**feed)
        for got, want in zip(run(model, feed), (last, every, *states), strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=2e-6)


@pytest.mark.parametrize("run", RUNTIMES)
@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize("order", ["channels_last", "channels_first"])
def test_windows_with_open_spatial_sizes(padding: str, order: str, run: Any) -> None:
    kernel = draw(3, 2, 4, 4)

    def call(x: Any) -> Any:
        y = ops.conv(x, kernel, 2, padding, order)
        z = ops.average_pool(ops.max_pool(y, 2, 1, padding, order), 2, 1, padding, order)
        return z, ops.mean(z, (1, 2) if order == "channels_last" else (2, 3))

    shape = (None, None, None, 4) if order == "channels_last" else (None, 4, None, None)
    model, outputs, _ = written(call, [(shape, "float32")], ["x"])
    assert repr(outputs[1].shape) == "(?, 4)"
    for size in (9, 12):
        x = draw(2, size, size + 3, 4)
        x = x if order == "channels_last" else np.moveaxis(x, -1, 1)
        with use_backend("numpy"):
            wanted = call(x)
        for got, want in zip(run(model, {"x": x}), wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("run", RUNTIMES)
def test_attention_with_open_lengths(run: Any) -> None:
    call = lambda q, k: ops.dot_product_attention(q, k, k, is_causal=True)  # noqa: E731
    spec = (None, None, 4, 8), "float32"
    model, _, _ = written(call, [spec, spec], ["q", "k"])
    for n, m in ((3, 5), (6, 6)):
        q, k = draw(2, n, 4, 8), draw(2, m, 4, 8)
        with use_backend("numpy"):
            want = call(q, k)
        np.testing.assert_allclose(run(model, {"q": q, "k": k})[0], want, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("run", RUNTIMES)
def test_calculated_sizes(run: Any) -> None:
    def call(x: Any) -> Any:
        n, m = ops.shape(x)
        assert isinstance(n, Size)
        found = (
            n + 3,
            3 - n,
            n * m,
            7 * n,
            (n - 20) // 4,
            (n - 20) % 4,
            50 // n,
            50 % n,
            -(-n // 2),
        )
        assert n * 1 is n and n + 0 is n and n // 1 is n and n - n == 0 and n % 1 == 0
        return found, ops.zeros((2 * n, m // 2)), ops.arange(n), n / 2, n * ops.ones(3)

    model, outputs, _ = written(call, [((None, None), "float32")], ["x"])
    for n, m in ((3, 4), (7, 6)):
        sizes = [n + 3, 3 - n, n * m, 7 * n, (n - 20) // 4, (n - 20) % 4, 50 // n, 50 % n]
        sizes.append(-(-n // 2))
        *got, zeros, numbers, half, ones = run(model, {"x": draw(n, m)})
        assert [int(v) for v in got] == sizes
        assert zeros.shape == (2 * n, m // 2) and numbers.tolist() == list(range(n))
        assert half == n / 2 and ones.tolist() == [n] * 3
    assert len(outputs[0]) == 9


@pytest.mark.parametrize(
    "branch",
    [
        lambda n: n == 3,
        lambda n: n > 3,
        lambda n: bool(n),
        lambda n: int(n),
        lambda n: range(n),
        lambda n: hash(n),
        lambda n: {n},
        lambda n: float(n),
        lambda n: max(n, 3),
    ],
)
def test_a_branch_on_an_open_size_is_refused(branch: Any) -> None:
    with pytest.raises(OpenSizeError, match="open size"):
        write(lambda x: branch(ops.shape(x)[0]), [((None, 2), "float32")])


def test_a_branch_on_a_value_is_refused() -> None:
    with pytest.raises(Unsupported, match="where"):
        write(lambda x: x if ops.sum(x) > 0 else -x, [((2,), "float32")])


@pytest.mark.parametrize("name", DRAWS)
def test_draws_are_refused(name: str) -> None:
    op = ops.primitives()[name]
    others = [2] * (len(op.parameters) - len(op.defaults) - 2)
    with pytest.raises(Unsupported, match=f"{name}.*training=False"):
        write(lambda x: op.call((2,), *others, seed=x), [((2,), "int32")])


def test_shape_errors_are_raised_while_writing() -> None:
    for call in (
        lambda x: ops.matmul(x, np.ones((5, 2), "float32")),
        lambda x: x + np.ones(3, "float32"),
        lambda x: ops.reshape(x[:2], (3, 3)),
        lambda x: ops.reshape(x[:2, 0], (3,)),
    ):
        with pytest.raises(ValueError, match=r"shape"):
            write(call, [((4, 4), "float32")])
    with pytest.raises(IndexError, match="out of range"):
        write(lambda x: x[4], [((4, 4), "float32")])


def test_transposes_that_cancel_are_left_out() -> None:
    kernel = draw(3, 3, 4, 4)
    call = lambda x: ops.conv(ops.max_pool(ops.conv(x, kernel), 2), kernel)  # noqa: E731
    model, _, _ = written(call, [((None, 12, 12, 4), "float32")])
    assert operators(model.graph) == ["Transpose", "Conv", "MaxPool", "Conv", "Transpose"]
    assert len(model.graph.initializer) == 1


def test_what_no_turn_changes_stands_before_the_loop() -> None:
    def call(x: Any, w: Any) -> Any:
        return ops.scan(lambda c, v: (c + v * ops.exp(w), None), x[0], x)[0]

    model, _, _ = written(call, [((None, 3), "float32"), ((3,), "float32")])
    (loop,) = (n for n in model.graph.node if n.op_type == "Loop")
    assert "Exp" in operators(model.graph)
    assert "Exp" not in operators(loop.attribute[0].g)


def test_variables_are_written_once_and_by_their_paths() -> None:
    weight, unused = Variable(draw(4, 4), name="weight"), Variable(draw(3), name="unused")

    def call(x: Any) -> Any:
        unused.value  # noqa: B018
        return ops.matmul(ops.matmul(x, weight), weight) + 1.0 + 1.0

    model, _, read = written(call, [((None, 4), "float32")], ["x"])
    assert sorted(t.name for t in model.graph.initializer)[-1] == weight.path
    assert len(model.graph.initializer) == 2
    assert [v.name for v in read] == ["unused", "weight"]
    assert [i.name for i in model.graph.input] == ["x"]


def test_trees_and_names() -> None:
    specs = [{"a": ((None, 2), "float32"), "b": [(("n",), "int32"), (("n", 2), "float32")]}]
    call = lambda t: {"sum": t["a"] + 1, "rest": (t["b"][1], 3, t["b"][0])}  # noqa: E731
    model, outputs, _ = written(call, specs, ["a", "b0", "b1"])
    assert [i.name for i in model.graph.input] == ["a", "b0", "b1"]
    assert outputs["rest"][1] == 3 and outputs["rest"][2].dtype == "int32"
    names = [o.name for o in model.graph.output]
    assert names == [outputs["rest"][0].name, outputs["rest"][2].name, outputs["sum"].name]
    assert repr(outputs["rest"][0].shape) == "(n, 2)"


def test_assigning_a_variable_is_refused() -> None:
    total = Variable(0.0, name="total")
    with pytest.raises(ValueError, match="total"):
        write(lambda x: total.assign_add(ops.sum(x)), [((None,), "float32")])
    assert total.numpy() == 0.0


def test_values_may_not_leave_a_loop_by_the_back_door() -> None:
    kept = []

    def step(c: Any, v: Any) -> Any:
        kept.append(c * v)
        return c + v, None

    with pytest.raises(Unsupported, match="loop"):
        write(lambda x: (ops.scan(step, x[0], x)[0], kept[0] + 1)[1], [((None, 2), "float32")])


def test_nothing_is_computed_outside_of_writing() -> None:
    with use_backend("onnx"), pytest.raises(RuntimeError, match="writes graphs"):
        ops.add(1.0, 2.0)
