"""Time what a library adds around the engine: calls, building, drawing weights.

For instance:

    python benchmarks/dispatch.py --repeats 3 --json dispatch.json
    python benchmarks/dispatch.py --measure calls --rivals 'kerata:*'
    python benchmarks/dispatch.py --run kerata:jax --measure calls    # one rival: one JSON line
"""

import argparse
import functools
import time
import timeit
from collections.abc import Callable
from fnmatch import fnmatch
from types import ModuleType
from typing import Any

import numpy as np

import common
from common import ENGINES, Record

LIBRARIES = ("kerata", "keras")
BACKENDS = ("numpy", *ENGINES)
SIDE = 32  # of the arrays that the timed calls get
WIDE = 10_000  # of the square kernel that is drawn: 100 million weights
SECONDS = 0.02  # a timing lasts at least this long
TIMINGS = 25  # of which the best counts
Call = Callable[[], Any]


def main() -> None:
    """Run one rival, or all of them in turn."""
    arguments = parse_arguments()
    if arguments.run:
        common.answer(lambda: run_rival(arguments.run, arguments.measure[0]))
        return
    report = {name: compare(name, arguments) for name in arguments.measure}
    common.save(arguments.json, {"measures": report})


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", metavar="RIVAL", help="run this one rival, in this process")
    parser.add_argument("--measure", nargs="+", choices=MEASURES, default=list(MEASURES))
    parser.add_argument("--rivals", nargs="+", default=["*"], help="patterns")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    return parser.parse_args()


# In a rival's process


def run_rival(rival: str, measure: str) -> Record:
    """Measure one thing of `kerata:jax`, `keras:torch` and so on, the engine warmed up."""
    name, backend = rival.split(":")
    library = common.load_library(name, backend)
    library.ops.convert_to_numpy(library.ops.add(library.ops.ones((2, 2)), 1.0))
    return MEASURES[measure].run(library, backend)


def time_calls(library: ModuleType, backend: str) -> Record:
    """Time an eager `ops.add` and an eager `Dense` against the engine's own functions."""
    x = np.random.default_rng(0).random((SIDE, SIDE), dtype=np.float32)
    tensor = library.ops.convert_to_tensor(x)
    dense = library.layers.Dense(SIDE)
    dense.build((None, SIDE))
    bare_add, bare_dense = BARE[backend](x)
    return {
        "add": time_pair(bare_add, functools.partial(library.ops.add, tensor, tensor)),
        "dense": time_pair(bare_dense, functools.partial(dense, tensor)),
    }


def time_pair(bare: Call, call: Call) -> Record:
    """Time two calls in turn; the best of each, in µs."""
    clocks = [timeit.Timer(bare), timeit.Timer(call)]
    for clock in clocks:
        clock.timeit(50)
    numbers = [max(1, int(SECONDS / (clock.timeit(200) / 200))) for clock in clocks]
    best = [float("inf"), float("inf")]
    for _ in range(TIMINGS):
        for index, clock in enumerate(clocks):
            seconds = clock.timeit(numbers[index]) / numbers[index]
            best[index] = min(best[index], seconds * 1e6)
    return {"bare_us": best[0], "library_us": best[1], "over_us": best[1] - best[0]}


def bare_numpy(x: np.ndarray) -> tuple[Call, Call]:
    """Return NumPy's addition and affine map."""
    kernel, bias = np.ones_like(x), np.zeros(SIDE, np.float32)
    return functools.partial(np.add, x, x), lambda: np.add(np.matmul(x, kernel), bias)


def bare_jax(x: np.ndarray) -> tuple[Call, Call]:
    """Return JAX's addition and affine map, op by op as an eager layer has to run them."""
    import jax.numpy as jnp

    array, kernel, bias = jnp.asarray(x), jnp.ones((SIDE, SIDE)), jnp.zeros(SIDE)
    return (
        functools.partial(jnp.add, array, array),
        lambda: jnp.add(jnp.matmul(array, kernel), bias),
    )


def bare_torch(x: np.ndarray) -> tuple[Call, Call]:
    """Return torch's addition and affine map, gradients of the weights recorded."""
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    tensor = torch.from_numpy(x).to(device)
    kernel = torch.ones(SIDE, SIDE, device=device, requires_grad=True)
    bias = torch.zeros(SIDE, device=device, requires_grad=True)
    return (
        functools.partial(torch.add, tensor, tensor),
        functools.partial(torch.nn.functional.linear, tensor, kernel, bias),
    )


def bare_tensorflow(x: np.ndarray) -> tuple[Call, Call]:
    """Return TensorFlow's addition and affine map, the weights in variables."""
    import tensorflow as tf

    tensor = tf.constant(x)
    kernel, bias = tf.Variable(tf.ones((SIDE, SIDE))), tf.Variable(tf.zeros(SIDE))
    return (
        functools.partial(tf.add, tensor, tensor),
        lambda: tf.add(tf.matmul(tensor, kernel), bias),
    )


BARE = {
    "numpy": bare_numpy, "jax": bare_jax, "torch": bare_torch, "tensorflow": bare_tensorflow,
}  # fmt: skip


def time_build(library: ModuleType, backend: str) -> Record:
    """Time building 150 layers, the first time and the second; and with all weights read."""
    seconds = []
    for _ in range(2):
        begun = time.perf_counter()
        model = residual_model(library)
        built = time.perf_counter()
        model.get_weights()
        seconds.append((built - begun, time.perf_counter() - begun))
    (first, first_read), (second, second_read) = seconds
    return {
        "layers": len(model.layers),
        "first_s": first,
        "first_read_s": first_read,
        "second_s": second,
        "second_read_s": second_read,
    }


def residual_model(library: ModuleType) -> Any:
    """Build a functional ResNet-like model of 150 layers, 64 channels wide throughout."""
    layers = library.layers

    def unit(x: Any) -> Any:
        return layers.BatchNormalization()(layers.Conv2D(64, 3, padding="same")(x))

    inputs = layers.Input((32, 32, 3))
    x = layers.ReLU()(unit(inputs))
    for _ in range(20):
        residual = unit(layers.ReLU()(unit(x)))
        x = layers.ReLU()(layers.Add()([x, residual]))
    x = layers.ReLU()(unit(x))
    x = layers.Dense(10)(layers.GlobalAveragePooling2D()(x))
    return library.Model(inputs, layers.Softmax()(x))


def time_draw(library: ModuleType, backend: str) -> Record:
    """Time 100 million Glorot-uniform weights, from an initializer and in a model, to NumPy."""
    np.ones(4 * WIDE * WIDE, np.float32)  # virtual machines are slow to hand out memory first used
    begun = time.perf_counter()
    values = library.initializers.GlorotUniform()((WIDE, WIDE))
    library.ops.convert_to_numpy(values)
    drawn = time.perf_counter()
    del values
    model = library.Sequential([library.layers.Input((WIDE,)), library.layers.Dense(WIDE)])
    model.get_weights()
    return {"initializer_s": drawn - begun, "model_s": time.perf_counter() - drawn}


# In the process that compares


def compare(name: str, arguments: argparse.Namespace) -> Record:
    """Run one measure for all rivals in turn, print the table and return all records."""
    measure = MEASURES[name]
    rivals = [
        rival
        for backend in BACKENDS
        for library in LIBRARIES
        if any(fnmatch(rival := f"{library}:{backend}", pattern) for pattern in arguments.rivals)
    ]
    records = common.interleave(
        rivals,
        arguments.repeats,
        lambda rival: common.run_child(
            __file__, ["--run", rival, "--measure", name], backend=rival.split(":")[1]
        ),
    )
    common.show(
        measure.title,
        ("rival", *measure.columns),
        [measure.row(rival, own) for rival, own in records.items()],
    )
    print(*common.remarks(records), sep="\n")
    return records


class Measure:
    """One table: what a rival's process runs, and which of its figures are the columns."""

    def __init__(
        self, run: Callable[[ModuleType, str], Record], title: str, columns: dict[str, str]
    ) -> None:
        self.run = run
        self.title = title
        self.columns = columns  # heading: key, nested ones joined by dots

    def row(self, rival: str, records: list[Record]) -> tuple[str, ...]:
        """Format the medians of a rival's figures."""
        if common.failure(records):
            return (rival, "failed", *[""] * (len(self.columns) - 1))
        flat = [flatten(record) for record in records]
        return (rival, *(f"{common.median(flat, key):.2f}" for key in self.columns.values()))


def flatten(record: Record) -> Record:
    """Join the keys of nested records by dots."""
    flat: Record = {}
    for key, value in record.items():
        if isinstance(value, dict):
            flat |= {f"{key}.{inner}": figure for inner, figure in value.items()}
        else:
            flat[key] = value
    return flat


MEASURES = {
    "calls": Measure(
        time_calls,
        f"eager calls on ({SIDE}, {SIDE}), µs (goals: 0.5 over the engine for add, 5 for Dense)",
        {
            "engine add": "add.bare_us", "ops.add": "add.library_us", "over": "add.over_us",
            "engine dense": "dense.bare_us", "Dense()": "dense.library_us",
            "over ": "dense.over_us",
        },
    ),
    "build": Measure(
        time_build,
        "building a functional model of 150 layers, seconds (goal: 0.5)",
        {
            "layers": "layers", "first": "first_s", "and weights read": "first_read_s",
            "second": "second_s", "and weights read ": "second_read_s",
        },
    ),
    "draw": Measure(
        time_draw,
        "drawing 100 million weights to NumPy, seconds (goal: 1)",
        {"initializer": "initializer_s", "model": "model_s"},
    ),
}  # fmt: skip


if __name__ == "__main__":
    main()
