"""The PyTorch backend against NumPy's, its overrides against the bodies, and its gradients."""

from __future__ import annotations

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from kerata import ops  # noqa: E402
from kerata.backends.registry import load, use_backend  # noqa: E402
from kerata.backends.scope import Scope  # noqa: E402
from kerata.backends.state import operations  # noqa: E402
from kerata.core.transforms import value_and_grad  # noqa: E402
from kerata.core.variable import Variable  # noqa: E402

BACKEND = load("torch")
random = np.random.default_rng(0)


def f32(*shape: int) -> np.ndarray:
    return random.standard_normal(shape).astype("float32")


X, Y, P = f32(4, 6), f32(4, 6), np.abs(f32(4, 6)) + 0.1
X[0, 0] = Y[0, 0]
K, J = np.array([[7, -7, 3], [2, -3, 9]], "int32"), np.array([[2, 2, -2], [-5, 4, 3]], "int32")
B = np.array([[True, False, True], [False, False, True]])
U = np.array([200, 100, 3], "uint8")
NAN = np.array([1.0, np.nan, -np.inf], "float32")
CUBE = f32(2, 3, 4)
LINE, IMAGE, SPACE = f32(2, 9, 4), f32(2, 8, 7, 4), f32(2, 5, 6, 5, 4)
FORMATS = (("channels_last", np.copy), ("channels_first", lambda x: np.moveaxis(x, -1, 1).copy()))
SEED = np.array([3, 5], "int32")

BINARY = [
    "add", "subtract", "multiply", "floor_divide", "mod", "maximum", "minimum", "equal", "not_equal",
    "less", "less_equal", "greater", "greater_equal", "logical_and", "logical_or",
]  # fmt: skip
WIDE = [K.astype(t) % 5 for t in ("uint16", "uint32", "uint64")]  # torch has few kernels for them

CASES = [
    *[(n, *pair) for n in BINARY for pair in ((X, Y), (K, J), (NAN, NAN[::-1].copy()))],
    *[(n, *pair) for n in BINARY[:5] + BINARY[7:13] for pair in ((X, 2.0), (2.0, X))],
    *[(n, w, w.T.reshape(w.shape)) for n in (*BINARY[:3], *BINARY[5:13]) for w in WIDE],
    *[(n, w) for n in ("sum", "prod", "max", "argmax", "flip", "cumsum", "square") for w in WIDE],
    *[(n, x) for n in ("absolute", "sign", "floor", "isnan", "logical_not") for x in (X, K, NAN)],
    *[(n, P) for n in ("log1p", "expm1", "rsqrt", "erf", "tanh", "reciprocal")],
    ("add", B, B), ("absolute", B), ("sign", NAN), ("true_divide", K, J), ("add", U, K[0]),
    ("power", P, Y), ("power", 2.0, X), ("power", K, np.abs(J)), ("erfinv", np.tanh(X)),
    ("round", np.array([0.5, 1.5, -2.5, 1.25], "float32")), ("round", X, 2), ("round", K * 10, -1),
    *[("where", B, K, J.astype(w.dtype)) for w in (K, *WIDE)], ("where", K, X[:2, :3], 0.0), ("cast", X, "int32"), ("cast", X, "bfloat16"),
    *[(n, CUBE, *a) for n in ("sum", "prod", "mean", "max", "min", "any", "all")
      for a in ((), (1,), ((0, -1), True), ([0, 1],), (None, True), ((),))],
    *[(n, v) for n in ("sum", "prod") for v in (B, U, K, K.astype("int16"), K.astype("int64"))],
    ("sum", U, 0), ("max", K, 1, False, 5), ("min", K, 1, False, -9), ("max", NAN), ("any", U),
    ("max", f32(0, 3), 0, False, 1.0), ("argmax", B, 1), ("cumsum", CUBE), ("cumsum", U),
    *[(n, v, *a) for n in ("argmax", "argmin") for v in (CUBE, np.round(CUBE), NAN[:, None])
      for a in ((), (0,), (-1, True), (None, True))],
    ("transpose", CUBE), ("expand_dims", X, (0, -1)), ("squeeze", X[:1, :, None], (0, 2)),
    ("split", X, [1, -1], 1), ("repeat", X, 2), ("repeat", X, 3, -1), ("tile", X, (2, 1, 3)),
    *[("getitem", CUBE, k) for k in (
        1, (slice(None, None, -1), 2), (Ellipsis, slice(3, None, -2)), (None, slice(1), Ellipsis, -1),
        (np.array([0, -1]), slice(None), np.array([1, 2])), (1, slice(None), np.array([[1], [2]])),
        (slice(None, None, -2), None, [2, 0]), np.arange(2) > 0, (slice(3, 3, -1), 0),
    )],
    *[("pad", X, w, *a) for w in (2, (1, 2), ((0, 3), (2, 0)))
      for a in ((), ("constant", 1.5), ("reflect",), ("symmetric",))],
    ("take", X, np.array([[0, -1], [99, -99]], "int32"), 1), ("take", X, U), ("take", K, J, 0),
    ("take_along_axis", X, K[:1, :1], 0), ("take_along_axis", X, K.reshape(-1)),
    ("arange", 0.5, 2), ("arange", 3, 0, -1, "float32"), ("arange", 3, 5, -1),
    ("full", 2, 1.5, "int32"), ("full", (), True), ("matmul", B, B.T), ("einsum", "...i,i", K, K[0]),
    *[("conv", moved(x), k, *a, f) for x, k in (
        (LINE, f32(3, 4, 6)), (LINE, f32(2, 2, 6)), (IMAGE, f32(3, 3, 4, 6)),
        (IMAGE, f32(2, 3, 1, 4)), (IMAGE, f32(1, 1, 4, 1)), (SPACE, f32(2, 3, 1, 4, 2)),
      ) for a in ((1, "valid"), (1, "same"), (2, "same"), (2, "valid"))
      for f, moved in FORMATS],
    ("conv", IMAGE, f32(3, 2, 2, 6), 1, "SAME", None, [2, 3]),
    *[(n, moved(x), k, s, p, f) for n in ("max_pool", "average_pool") for x in (LINE, IMAGE, SPACE)
      for k, s in ((2, None), (3, 2), (2, 1), (3, 1), (1, 3)) for p in ("valid", "same", "VALID")
      for f, moved in FORMATS],
    ("max_pool", K.reshape(1, 6, 1), 2), ("average_pool", IMAGE, [2, 3], [1, 2], "same"),
]  # fmt: skip


def run(backend: str, name: str, *args: object) -> list[np.ndarray]:
    with use_backend(backend) as active:
        result = operations[name](*args)
        results = result if isinstance(result, (list, tuple)) else [result]
        assert all(isinstance(r, active.tensor_types) for r in results)
        return [active.to_numpy(r) for r in results]


def close(found: np.ndarray, wanted: np.ndarray, rtol: float = 1e-6, scale: float = 1.0) -> None:
    assert (found.dtype, found.shape) == (wanted.dtype, wanted.shape)
    rtol = 0.0 if wanted.dtype.kind in "biu" else max(rtol, 2e-3 * (wanted.dtype.itemsize < 4))
    found, wanted = found.astype("float64"), wanted.astype("float64")
    np.testing.assert_allclose(found, wanted, rtol, rtol * scale)


def test_every_primitive_has_a_kernel() -> None:
    assert ops.primitives().keys() <= BACKEND.kernels.keys()


@pytest.mark.parametrize("case", CASES, ids=lambda c: c[0])
def test_agrees_with_numpy(case: tuple) -> None:
    with np.errstate(all="ignore"):
        wanted = run("numpy", *case)
    for f, w in zip(run("torch", *case), wanted, strict=True):
        # The last digits of sums of products depend on the order.
        close(f, w, scale=10.0 if case[0] == "conv" else 1.0)


def variables(*arrays: np.ndarray, trainable: bool = True) -> list[Variable]:
    return [Variable(a, trainable=trainable) for a in arrays]


@pytest.fixture
def active():
    with use_backend("torch") as backend:
        yield backend


S = np.exp(Y) / np.exp(Y).sum(-1, keepdims=True)
S4, G = f32(2, 5, 4, 8), f32(2, 7, 2, 8)
LSTM = (f32(2, 5, 3), f32(2, 4), f32(2, 4), f32(3, 16), f32(4, 16), f32(16))
GRU = (f32(2, 5, 3), f32(2, 4), f32(3, 12), f32(4, 12), f32(2, 12))
LOOK = random.random((2, 1, 5, 7)) > 0.6
LOOK[0, 0, 0] = False  # a position that may look nowhere
OVERRIDES = [
    *[(n, X * 5) for n in ("elu", "selu", "sigmoid", "silu", "softplus", "gelu", "logsumexp")],
    ("softmax", CUBE, (0, 2)), ("log_softmax", CUBE, 0), ("clip", K, -1.5, 2.5), ("clip", X, Y, 1.0),
    ("moveaxis", CUBE, (0, 1), (-1, 0)), ("one_hot", U, 5, 0, "int32"),
    ("layer_normalization", X, f32(6), f32(6), -1, 1e-3), ("layer_normalization", CUBE, None, None, 1),
    ("layer_normalization", CUBE, f32(3, 4), None, (1, 2)),
    *[("batch_normalization", x, f32(x.shape[a]), np.abs(f32(x.shape[a])), a, *p) for x, a, p in (
        (X, -1, ()), (IMAGE, -1, (f32(4), f32(4))), (IMAGE, 1, (None, f32(8), 0.1)))],
    *[("batch_normalization_training", x, a, *p) for x, a, p in (
        (X, -1, ()), (IMAGE, 3, (f32(4), f32(4))), (SPACE, 1, (None, f32(5), 0.1)), (X[:1], 1, ()))],
    ("dot_product_attention", S4, S4, S4), ("dot_product_attention", S4, G, G, None, None, 0.3),
    ("dot_product_attention", S4, G, G[..., :3], f32(4, 5, 7), LOOK),
    ("dot_product_attention", S4, G, G, None, LOOK, None, True),
    ("dot_product_attention", S4, G, G, f32(5, 7), None, None, True),
    *[("sparse_categorical_crossentropy", t, o, o is X, *a) for t, o, a in (
        (K.reshape(-1)[:4] % 6, X, ()), (np.array([0, -1, 9, 5]), X, ()), (K[:1, :3].T, P[:3], ()),
        (np.zeros((2, 4), "uint8"), np.abs(CUBE), (1,)))],
    *[("categorical_crossentropy", S, o, o is X) for o in (X, P)],
    *[("binary_crossentropy", t, o, True) for t, o in ((S, X * 9), (np.float32(1), X))],
    ("binary_crossentropy", S, S[::-1].copy()),
    ("random_dropout", X, 0.4, None, SEED), ("random_dropout", X, 0.4, (None, 1), SEED),
    ("random_dropout", f32(300, 300), 0.1, None, SEED), ("random_dropout", X, 0.0, None, SEED),
]  # fmt: skip


@pytest.mark.parametrize("case", OVERRIDES, ids=lambda c: c[0])
def test_override_agrees_with_body(case: tuple, active) -> None:
    with ops.without_overrides():
        wanted = run("torch", *case)
    for f, w in zip(run("torch", *case), wanted, strict=True):
        close(f, w, 2e-6)


@pytest.mark.parametrize(("name", "args"), [("lstm", LSTM), ("gru", GRU), ("gru", GRU[:-1])])
@pytest.mark.parametrize("backwards", [False, True])
def test_fused_recurrence(active, name: str, args: tuple, backwards: bool) -> None:
    def loss(*args):
        last, every, states = operations[name](*args, go_backwards=backwards)
        return ops.sum(every * every) + ops.sum(last * states[-1])

    differentiated = value_and_grad(loss, argnums=tuple(range(len(args))))
    with ops.without_overrides():
        wanted, references = differentiated(*args)
    found, gradients = differentiated(*args)
    torch.testing.assert_close((found, *gradients), (wanted, *references), rtol=1e-5, atol=2e-6)


SMOOTH = ("conv", "max_pool", "average_pool", "pad", "getitem", "repeat")
SMOOTH = [c for c in CASES if c[0] in SMOOTH]
SMOOTH += [c for c in OVERRIDES if c[0] not in ("clip", "one_hot", "binary_crossentropy")]


@pytest.mark.parametrize("case", SMOOTH, ids=lambda c: c[0])
def test_gradients_are_the_slopes(case: tuple, active) -> None:
    name, *args = case
    args = [active.convert(a) if isinstance(a, np.ndarray) else a for a in args]
    places = [i for i, a in enumerate(args) if torch.is_tensor(a) and a.is_floating_point()]

    def function(*given):
        for i, x in zip(places, given, strict=True):
            args[i] = x
        y = operations[name](*args)
        return y[0] if isinstance(y, tuple) else y

    doubles = [args[i].double().requires_grad_() for i in places]
    if doubles:
        assert torch.autograd.gradcheck(function, doubles, atol=1e-5, fast_mode=True)


def test_value_and_grad_of_variables(active) -> None:
    w, unused, frozen = *variables(X, P), Variable(Y, trainable=False)
    seen = Variable(0.0, trainable=False)

    def loss(x):
        seen.assign(seen.value + 1.0)
        y = ops.sum(w.value * frozen.value * x)
        return y, {"y": y}

    for chosen in ([w, unused], [w, unused, frozen]):  # the second not by leaves alone
        (value, aux), gradients = value_and_grad(loss, chosen, has_aux=True)(2.0)
        assert not value.requires_grad and not aux["y"].requires_grad
        for g, wanted in zip(gradients, (2 * Y, 0 * P, 2 * X), strict=False):
            np.testing.assert_allclose(g.numpy(), wanted, 1e-6)
    assert float(seen) == 2.0
    assert not value_and_grad(lambda: ops.sum(Y), [w])()[1][0].any()


def test_value_and_grad_in_a_scope_and_nested(active) -> None:
    (w,), count = variables(Y), Variable(0.0, trainable=False)

    def inner(x):
        count.assign(count.value + 1.0)
        return ops.sum(w.value * w.value * w.value * x)

    def outer(x):
        (g,) = value_and_grad(inner, [w])(x)[1]
        return ops.sum(g * g)

    value = active.convert(X)
    with Scope([(w, value)]) as scope:
        _, (scoped,) = value_and_grad(outer, [w])(2.0)
    assert float(scope.get(count)) == 1.0 and float(count) == 0.0 and not value.requires_grad
    _, (g,) = value_and_grad(outer, [w])(2.0)
    for found, y in ((scoped, X), (g, Y)):
        np.testing.assert_allclose(found.numpy(), 2 * (3 * 2.0 * y**2) * (6 * 2.0 * y), 1e-5, 1e-5)
    assert float(count) == 1.0


def test_storage_is_a_leaf_and_reads_keep_their_value(active) -> None:
    (w,), held = variables(X), Variable(X, trainable=False)
    ops.sum(w.value * active.convert(Y)).backward()
    before, _ = held.value, held.assign(Y)
    np.testing.assert_array_equal([w.storage().grad.numpy(), before.numpy()], [Y, X])


KERNELS = (f32(3, 3, 2, 4), f32(5, 3), f32(3))
RULES = [("sgd_update", bool(m), (0.1, *m)) for m in ((), (0.9,), (0.9, True))]
RULES += [("adam_update", slots, (0.01, 0.9, 0.99, 1e-4)) for slots in (2, 3)]


def train(name: str, slots: int, extra: tuple) -> list[np.ndarray]:
    """Twenty steps with gradients that are not contiguous, as those of transposed products."""
    weights = variables(*KERNELS)
    held = [variables(*[k * 0 for k in KERNELS], trainable=False) for _ in range(slots)]
    draws = np.random.default_rng(3)
    for step in range(1, 21):
        gradients = [BACKEND.convert(draws.random(k.shape[::-1], "float32")) for k in KERNELS]
        gradients = [g.permute(*reversed(range(g.ndim))) for g in gradients]
        given = {0: [[]], 1: held, 2: [*held, []], 3: held}[slots]
        operations[name](weights, gradients, *given, *([step] if slots > 1 else []), *extra)
        operations["decay_update"](weights, 0.99)
    assert all(v.version > 20 for v in weights)
    return [v.numpy() for v in (*weights, *[s for group in held for s in group])]


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_update_agrees_with_body(active, rule: tuple) -> None:
    with ops.without_overrides():
        wanted = train(*rule)
    for f, w in zip(train(*rule), wanted, strict=True):
        np.testing.assert_allclose(f, w, 3e-5, 1e-6)


def test_fused_update_copies_no_kernel(active) -> None:
    kernels = variables(f32(3, 3, 4, 8), f32(1, 1, 8, 6))
    slots = [variables(*[k.numpy() * 0 for k in kernels], trainable=False) for _ in range(2)]
    x = active.convert(f32(2, 9, 9, 4))
    loss = lambda: (ops.sum(ops.conv(ops.conv(x, kernels[0]), kernels[1])), None)  # noqa: E731

    def step():
        _, gradients = value_and_grad(loss, kernels, has_aux=True)()
        with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU]) as profile:
            operations["adam_update"](kernels, gradients, *slots, [], 1, 0.1, 0.9, 0.99, 1e-4)
        return [e.name for e in profile.events() if e.name in ("aten::copy_", "aten::clone")]

    counted = [len(step()) for _ in range(2)]  # the first one lays out the slots
    assert counted[0] - counted[1] == 4 and "aten::clone" not in step()


def test_nothing_is_copied_between_convolutions(active) -> None:
    kernels, biases = variables(f32(3, 3, 4, 8), f32(3, 3, 8, 16)), variables(f32(8), f32(16))
    dense, label = Variable(f32(400, 10)), active.convert(np.array([1, 2]))

    def loss(x):
        for kernel, bias in zip(kernels, biases, strict=True):
            x = ops.max_pool(ops.relu(ops.conv(x, kernel, 1, "same") + bias), 2)
        x = ops.matmul(ops.reshape(x, (2, -1)), dense)
        return ops.mean(ops.sparse_categorical_crossentropy(label, x, True)), None

    step = value_and_grad(loss, [*kernels, *biases, dense], has_aux=True)
    activity = torch.profiler.ProfilerActivity.CPU
    with torch.profiler.profile(activities=[activity], record_shapes=True) as profile:
        step(active.convert(f32(2, 20, 20, 4)))
    copied = [e.input_shapes[0] for e in profile.events() if e.name == "aten::copy_"]
    assert not [shape for shape in copied if shape[:1] == [2]], copied


def test_draws_follow_the_seed(active) -> None:
    seed, other = active.convert(SEED), active.convert(SEED + SEED)
    for name, *args in (["uniform"], ["normal"], ["randint", 3, 9], ["bernoulli", 0.3]):
        draw = operations[f"random_{name}"]
        first, again, differs = (draw((300, 100), *args, s) for s in (seed, seed, other))
        assert torch.equal(first, again) and not torch.equal(first, differs)
    np.testing.assert_allclose(first.float().mean().item(), 0.3, atol=0.01)


def test_checkpoint_runs_twice_and_writes_once(active) -> None:
    (w,), count = variables(X), Variable(1.0, trainable=False)
    runs = []

    def block(x):
        runs.append(count.value.item())
        y = ops.tanh(x * w * count)
        count.assign(count.value + 1.0)
        return y

    results = []
    for function in (block, active.checkpoint(block)):
        count.assign(1.0)
        loss = value_and_grad(lambda x, f=function: ops.sum(f(x)), [w])
        results.append(loss(active.convert(Y))[1][0])
    torch.testing.assert_close(*results)
    assert runs == [1.0, 1.0, 1.0] and float(count) == 2.0


@pytest.mark.slow
def test_compiles_a_whole_step_once(active) -> None:
    (w,), count = variables(X), Variable(0, dtype="int32", trainable=False)

    def step(x):
        count.assign(count.value + 1)
        loss, gradients = value_and_grad(lambda: ops.mean((x * w.value) ** 2), [w])()
        operations["sgd_update"]([w], gradients, [], 0.1)
        return loss

    compiled, y = active.jit(step, jit_compile=True), active.convert(Y)
    losses = [compiled(y).item() for _ in range(4)]
    w.assign(X)
    np.testing.assert_allclose(losses, [step(y).item() for _ in range(4)], 1e-6)
    assert int(count) == 8 and compiled.compilations == ["(4, 6) float32"]


def test_programs_do_not_share_what_torch_allows_one(active, monkeypatch) -> None:
    whole = torch.compile
    monkeypatch.setattr(torch, "compile", lambda f, **o: whole(f, **{**o, "backend": "eager"}))
    x = active.convert(X)
    for i in range(2 * torch._dynamo.config.recompile_limit):
        compiled = active.jit(lambda x, i=i: x * i, jit_compile=True)
        for _ in range(2):  # the first call runs as it is
            torch.testing.assert_close(compiled(x), x * i)


def test_shapes_of_functions_with_torch_calls(active) -> None:
    (w,) = variables(X)
    spec = load("abstract").tensor((3, 4), "float32")
    found = active.fallback_shape(lambda x: {"y": torch.sin(ops.matmul(x, w)) + 1}, (spec,), {})
    assert found["y"].shape == (3, 6) and found["y"].dtype == "float32"


def test_arrays_in_and_out(active) -> None:
    for dtype in ("bfloat16", "float8_e4m3fn", "uint16", "bool", "float64", "int64"):
        array = run("numpy", "cast", X, dtype)[0]
        close(active.to_numpy(active.convert(array)), array)
    assert active.convert(2**40).dtype is torch.int64
    fixed = X.copy()
    fixed.setflags(write=False)
    np.testing.assert_array_equal(active.convert(fixed[::-1]).numpy(), X[::-1])


def test_torchs_own_draws_go_back(active) -> None:
    kept = active.random_state()
    first = torch.rand(3)
    active.set_random_state(kept)
    assert torch.equal(torch.rand(3), first)
