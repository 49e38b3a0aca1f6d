"""What every backend promises, and what it takes to add one."""

from __future__ import annotations

import inspect
import json
import os
import subprocess
import sys
import threading

import numpy as np
import pytest

from kerata import backends, layers, models, ops
from kerata.backends import registry
from kerata.core.transforms import grad
from kerata.core.variable import Variable
from tests.backends.onnx_cases import UNWRITTEN
from tests.backends.toy import Box, ToyBackend

EVERY = [n for n in registry._entries if registry.installed(n)]
PRIMITIVES = ops.primitives()
# Primitives whose kernels only say that they can't, with the reason.
REFUSED = {
    "onnx": dict.fromkeys(
        ("random_uniform", "random_normal", "random_randint", "random_bernoulli"),
        "ONNX's draws take a seed that is fixed when the graph is written",
    )
}


# Kernels


@pytest.mark.parametrize("name", EVERY)
def test_a_kernel_for_every_primitive(name):
    kernels = registry.load(name).kernels
    lacking = set(PRIMITIVES) - set(kernels)
    assert lacking == (UNWRITTEN if name == "onnx" else set())
    unknown = set(kernels) - set(PRIMITIVES) - set(ops.composites())
    assert not unknown, "kernels of no operation's name"


@pytest.mark.parametrize("name", [n for n in REFUSED if n in EVERY])
def test_kernels_that_refuse(name):
    from kerata.backends.onnx.graph import Unsupported

    for op_name in REFUSED[name]:
        with pytest.raises(Unsupported, match=op_name):
            registry.load(name).kernels[op_name]((2,), None)


def parameters_of(function) -> list[inspect.Parameter] | None:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # of a C function
        return None


@pytest.mark.parametrize("name", EVERY)
def test_kernels_take_the_operation_s_parameters(name):
    """By position, and by name those after the first tensors; defaults are the operation's."""
    for op_name, kernel in registry.load(name).kernels.items():
        found = parameters_of(kernel)
        op = {**PRIMITIVES, **ops.composites()}[op_name]
        if found is None or op.vararg or any(p.kind is p.VAR_KEYWORD for p in found):
            continue
        accepts_any = any(p.kind is p.VAR_POSITIONAL for p in found)
        positional = [p for p in found if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
        assert accepts_any or len(positional) >= len(op.parameters), op_name
        tensors = [i for i, kind in enumerate(op.kinds) if kind]
        if tensors not in ([0], [0, 1]):  # these always come by position
            continue
        for given, wanted in list(zip(positional, op.parameters, strict=False))[len(tensors) :]:
            assert given.name == wanted, f"{op_name}: {given.name} is {wanted} there"
            if wanted in op.defaults:
                assert given.default is not given.empty, f"{op_name}: {wanted} has a default there"


@pytest.mark.parametrize("name", EVERY)
def test_attributes(name):
    backend = registry.load(name)
    assert backend.name == name and backend.tensor_types and backend.floats
    assert repr(backend) == f"<kerata backend {name}, {len(backend.kernels)} kernels>"
    assert backend.home in map(registry.load, EVERY)
    assert isinstance(backend.trains, bool) and isinstance(backend.computes, bool)


@pytest.mark.parametrize(
    "dtype", ["float32", "float16", "bfloat16", "int32", "uint8", "bool", "int8"]
)
def test_arrays_go_in_and_out(backend, dtype):
    from kerata.backends.dtypes import numpy_dtype

    for shape in ((), (0,), (2, 3), (1, 0, 2)):
        array = np.ones(shape, numpy_dtype(dtype))
        tensor = backend.convert(array)
        assert isinstance(tensor, backend.tensor_types)
        assert backend.dtype_of(tensor) == dtype and backend.shape_of(tensor) == shape
        back = backend.to_numpy(tensor)
        assert back.dtype == array.dtype and back.shape == shape
        np.testing.assert_array_equal(back.astype(float), array.astype(float))


def test_views_and_other_orders_of_memory(backend):
    array = np.arange(24, dtype="float32").reshape(2, 3, 4)
    for view in (array.T, array[:, ::-1], array[..., 1], np.asfortranarray(array), array[:0]):
        np.testing.assert_array_equal(backend.to_numpy(backend.convert(view)), view)
    frozen = array.copy()
    frozen.flags.writeable = False
    np.testing.assert_array_equal(backend.to_numpy(backend.convert(frozen)), array)


def test_store_read_and_write(backend):
    home, given = backend.home, np.float32([1, 2])
    held = home.store(given, True)
    given[:] = 0
    assert home.to_numpy(home.read(held)).tolist() == [1.0, 2.0]
    held = home.write(held, home.convert(np.float32([3, 4])))
    assert home.to_numpy(home.read(held)).tolist() == [3.0, 4.0]
    counter = home.store(np.int32([1]), False, True)
    assert home.to_numpy(home.read(counter)).tolist() == [1]


def test_small_hooks(backend):
    with backend.inference():
        x = ops.add([1.0], 1.0)
    backend.wait({"x": [x]})
    backend.seed(3)


def test_repeat_runs_every_row(training_backend):
    total = Variable(0.0)
    rows = registry.load(training_backend).convert(np.float32([1, 2, 3]))

    def step(row):
        total.assign_add(row)
        return row * 10.0

    last = registry.load(training_backend).repeat(step, rows)
    assert float(ops.convert_to_numpy(last)) == 30.0 and float(total) == 6.0


# The registry


def test_the_list_of_backends():
    assert registry.backends(installed_only=False)[:5] == [
        "jax", "torch", "tensorflow", "numpy", "openvino",
    ]  # fmt: skip
    assert "abstract" not in registry.backends() and "onnx" not in registry.backends()
    assert set(registry.backends(training=True)) <= {"jax", "torch", "tensorflow"}
    assert set(registry.backends()) <= set(registry.backends(installed_only=False))


@pytest.mark.parametrize(
    ("name", "nearest"),
    [("pytorch", "torch"), ("tensorflw", "tensorflow"), ("Jax", "jax"), ("nunpy", "numpy"),
     ("open_vino", "openvino")],
)  # fmt: skip
def test_unknown_names_suggest_the_nearest(name, nearest):
    for call in (registry.set_backend, registry.load, registry.installed):
        with pytest.raises(ValueError, match=f"Unknown backend '{name}'.*Did you mean '{nearest}'"):
            call(name)
    with pytest.raises(ValueError, match="Did you mean"), registry.use_backend(name):
        pass


def test_names_like_no_other_get_no_suggestion():
    with pytest.raises(ValueError, match=r"the backends are jax, .*numpy, openvino\.$"):
        registry.load("zzz")


def test_a_missing_engine_says_what_installs_it():
    backends.register("ghost", ToyBackend, needs=("no_such_engine",), install="ghost-engine[cpu]")
    try:
        assert not registry.installed("ghost")
        assert "ghost" not in registry.backends()
        assert "ghost" in registry.backends(installed_only=False)
        message = r"The ghost backend needs no_such_engine, .*pip install 'ghost-engine\[cpu\]'"
        with pytest.raises(ImportError, match=message):
            registry.set_backend("ghost")
    finally:
        backends.unregister("ghost")


def test_use_backend_nests_and_ends():
    before = registry.backend()
    with registry.use_backend("numpy") as active:
        assert active is registry.load("numpy") and registry.backend() == "numpy"
        with pytest.raises(KeyError), registry.use_backend("abstract"):
            assert registry.backend() == "abstract"
            raise KeyError
        assert registry.backend() == "numpy"
    assert registry.backend() == before


def test_a_backend_is_loaded_once_by_any_number_of_threads():
    made = []

    def load():
        made.append(1)
        return ToyBackend()

    backends.register("toy", load)
    try:
        threads = [threading.Thread(target=registry.load, args=("toy",)) for _ in range(8)]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        assert made == [1]
    finally:
        backends.unregister("toy")


def test_each_thread_has_its_own_backend():
    seen, entered, checked = {}, threading.Barrier(3), threading.Barrier(3)

    def work(name):
        with registry.use_backend(name):
            entered.wait()
            seen[name] = registry.backend()
            checked.wait()

    threads = [threading.Thread(target=work, args=(n,)) for n in ("numpy", "abstract")]
    with registry.use_backend("numpy"):
        for t in threads:
            t.start()
        entered.wait()
        assert registry.backend() == "numpy"
        checked.wait()
        for t in threads:
            t.join()
    assert seen == {"numpy": "numpy", "abstract": "abstract"}


# Defaults, each in a process of its own


def report(program: str, home: str, **environment: str) -> str:
    kept = {k: v for k, v in os.environ.items() if k not in ("KERATA_BACKEND", "KERAS_BACKEND")}
    kept |= {"KERATA_HOME": home, "PYTHONPATH": os.pathsep.join(sys.path), **environment}
    run = subprocess.run(
        [sys.executable, "-c", program], env=kept, capture_output=True, text=True, check=False
    )
    return run.stdout.strip() or run.stderr.strip().splitlines()[-1]


NAME = "from kerata.backends import backend; print(backend())"


def test_default_backend(tmp_path):
    home = str(tmp_path)
    first = next(n for n in ("jax", "torch", "tensorflow", "numpy") if registry.installed(n))
    assert report(NAME, home) == first
    (tmp_path / "kerata.json").write_text(json.dumps({"backend": "openvino"}))
    assert report(NAME, home) == "openvino"
    assert report(NAME, home, KERAS_BACKEND="numpy") == "numpy"
    assert report(NAME, home, KERAS_BACKEND="jax", KERATA_BACKEND="numpy") == "numpy"
    assert "Did you mean 'torch'" in report(
        "from kerata import ops; ops.add(1, 2)", home, KERATA_BACKEND="pytorch"
    )


def test_engines_are_imported_when_they_are_used(tmp_path):
    program = (
        "import sys\n"
        "from kerata import ops, backends\n"
        "from kerata.core.variable import Variable\n"
        "engines = {'jax', 'torch', 'tensorflow', 'openvino', 'onnx'}\n"
        "v = Variable([1.0]); backends.backend(); backends.backends()\n"
        "assert not engines & set(sys.modules)\n"
        "ops.add(v, 1)\n"
        "print(sorted(engines & set(sys.modules)))"
    )
    assert report(program, str(tmp_path), KERATA_BACKEND="numpy") == "[]"
    assert report(program, str(tmp_path), KERATA_BACKEND="torch") == "['torch']"


def test_set_backend_reaches_threads_that_have_not_chosen(tmp_path):
    program = (
        "import threading\n"
        "from kerata.backends import backend, set_backend\n"
        "set_backend('abstract')\n"
        "t = threading.Thread(target=lambda: print(backend())); t.start(); t.join()"
    )
    assert report(program, str(tmp_path), KERATA_BACKEND="numpy") == "abstract"


# A backend from outside


@pytest.fixture
def toy():
    """The toy backend, active."""
    backends.register("toy", ToyBackend)
    try:
        with registry.use_backend("toy") as active:
            yield active
    finally:
        backends.unregister("toy")


def numbers(x) -> list:
    return ops.convert_to_numpy(x).tolist()


def test_the_toy_runs_primitives_and_composites(toy):
    x = ops.add([[1.0, 2.0], [3.0, 4.0]], 1)
    assert isinstance(x, Box) and toy.dtype_of(x) == "float32"
    assert numbers(ops.matmul(x, x)) == [[16.0, 21.0], [28.0, 37.0]]
    y = numbers(x)
    with registry.use_backend("numpy"):
        wanted = [ops.softmax(y), ops.gelu(y, False), ops.mean(y, 0)]
    for found, reference in zip(
        (ops.softmax(x), ops.gelu(x, False), ops.mean(x, 0)), wanted, strict=True
    ):
        assert isinstance(found, Box)
        np.testing.assert_allclose(found.data, reference, rtol=1e-5)


def test_the_toy_promotes_and_converts(toy):
    assert toy.dtype_of(ops.add(np.int32([1]), 2.5)) == "float32"
    assert toy.dtype_of(ops.multiply(np.uint8([1]), np.int8([1]))) == "int16"
    with registry.use_backend("numpy"):
        foreign = ops.ones((2,))
    assert numbers(ops.add(foreign, Box(np.float32([1, 2])))) == [2.0, 3.0]


def test_variables_move_to_the_toy_and_back(toy):
    v = Variable([1.0, 2.0])
    assert isinstance(v.value, Box)
    v.assign(v * 2.0)
    v.assign_add([1.0, 1.0])
    with registry.use_backend("numpy"):
        assert numbers(ops.add(v, 0)) == [3.0, 5.0]
    assert numbers(v.value) == [3.0, 5.0]


def test_what_the_toy_lacks_says_so(toy):
    with pytest.raises(RuntimeError, match="The toy backend has no kernel for 'cumsum'"):
        ops.cumsum([1.0, 2.0])
    with pytest.raises(RuntimeError, match="The toy backend does not differentiate"):
        grad(lambda x: x)(1.0)


@pytest.mark.parametrize("kind", ["dense", "convolution", "recurrent"])
def test_models_run_on_the_toy(toy, kind):
    stacks = {
        "dense": [layers.Flatten(), layers.Dense(5, activation="relu")],
        "convolution": [layers.Conv1D(4, 3, strides=2, activation="gelu"), layers.Flatten()],
        "recurrent": [layers.LSTM(3, return_sequences=True), layers.LSTM(4)],
    }
    model = models.Sequential([*stacks[kind], layers.Dense(2, activation="softmax")])
    x = np.sin(np.arange(40, dtype="float32")).reshape(2, 10, 2)
    result = model(x)
    assert isinstance(result, Box) and result.shape == (2, 2)
    predicted = model.predict(x, verbose=0)
    with registry.use_backend("numpy"):
        wanted = model.predict(x, verbose=0)
    np.testing.assert_allclose(result.data, wanted, rtol=1e-5)
    np.testing.assert_allclose(predicted, wanted, rtol=1e-5)


def test_what_was_trained_elsewhere_runs_on_the_toy(toy):
    model = models.Sequential([layers.Dense(8, "tanh"), layers.Dense(1)])
    x = np.linspace(-1, 1, 64, dtype="float32").reshape(64, 1)
    training = registry.backends(training=True)
    if not training:
        pytest.skip("no backend that trains is installed")
    with registry.use_backend(training[0]):
        model.compile("adam", "mse")
        model.fit(x, x * 2.0, epochs=2, verbose=0)
        wanted = model.predict(x, verbose=0)
    np.testing.assert_allclose(model.predict(x, verbose=0), wanted, rtol=1e-4, atol=1e-5)
