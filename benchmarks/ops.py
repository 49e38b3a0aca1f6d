"""Time operations that carry real models against the engine's own call and against Keras'.

For instance:

    python benchmarks/ops.py --repeats 3 --json ops.json
    python benchmarks/ops.py --engines torch --ops 'conv*' attention
    python benchmarks/ops.py --run torch    # one engine, in this process: one JSON line
"""

from __future__ import annotations

import argparse
import functools
import statistics
import time
from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

import common
from common import ENGINES, Record
from op_workloads import ENGINE_CALLS, WORKLOADS, Workload

SECONDS = 0.03  # a timing lasts at least this long
TIMINGS = 9  # for each rival, in turn
COMPILED = ("jax", "tensorflow")  # where `kerata.jit` compiles by default


def main() -> None:
    """Run one engine, or each in a process of its own."""
    arguments = parse_arguments()
    if arguments.run:
        common.answer(lambda: run_engine(arguments.run, arguments.ops))
        return
    report = compare(arguments)
    common.save(arguments.json, {"engines": report})


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", choices=ENGINES, help="measure this engine, in this process")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--ops", nargs="+", default=["*"], help="patterns")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    return parser.parse_args()


# In an engine's process


def run_engine(engine: str, patterns: list[str]) -> Record:
    """Time every chosen workload on one engine: the engine's own call, Kerata's and Keras'."""
    kerata = common.load_library("kerata", engine)
    keras = common.load_library("keras", engine)
    own = ENGINE_CALLS[engine]()
    found: Record = {}
    for name, workload in WORKLOADS.items():
        if any(fnmatch(name, pattern) for pattern in patterns):
            try:
                found[name] = run_workload(engine, workload, own[name], kerata, keras)
            except Exception as error:
                found[name] = {"failed": common.describe(error)}
    return {"ops": found}


def run_workload(
    engine: str, workload: Workload, own: Callable[..., Any], kerata: Any, keras: Any
) -> Record:
    """Milliseconds a call of each form."""
    tensors = [kerata.ops.convert_to_tensor(a) for a in workload.arrays]
    forms = {
        "engine": own,
        "kerata": functools.partial(workload.call, kerata.ops),
        "keras": functools.partial(workload.call, keras.ops),
    }
    timed = {f"{name} eager": functools.partial(f, *tensors) for name, f in forms.items()}
    if engine in COMPILED:
        compiled = {
            "engine": compile_with(engine, own),
            "kerata": kerata.jit(forms["kerata"]),
            "keras": compile_with(engine, forms["keras"]),
        }
        timed |= {f"{name} jitted": functools.partial(f, *tensors) for name, f in compiled.items()}
    return time_in_turn(timed, waiter(engine))


def compile_with(engine: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """The engine's own compiler, as its users call it."""
    if engine == "jax":
        import jax

        return jax.jit(function)
    import tensorflow as tf

    return tf.function(function)


def waiter(engine: str) -> Callable[[Any], Any]:
    """What returns once a result is computed; on a CPU only JAX returns before that."""
    if engine == "jax":
        import jax

        return jax.block_until_ready
    return lambda result: result


def time_in_turn(calls: dict[str, Callable[[], Any]], wait: Callable[[Any], Any]) -> Record:
    """The medians of timings taken in turn, so that a machine that drifts favours nobody."""
    counts, timings = {}, {name: [] for name in calls}
    for name, call in calls.items():
        wait(call())
        begun = time.perf_counter()
        for _ in range(3):
            wait(call())
        counts[name] = max(1, int(SECONDS / ((time.perf_counter() - begun) / 3)))
    for _ in range(TIMINGS):
        for name, call in calls.items():
            begun = time.perf_counter()
            for _ in range(counts[name]):
                wait(call())
            timings[name].append((time.perf_counter() - begun) / counts[name] * 1e3)
    return {name: statistics.median(taken) for name, taken in timings.items()}


# In the process that compares


def compare(arguments: argparse.Namespace) -> Record:
    """Run the engines in turn, print a table for each and return all records."""
    records = common.interleave(
        arguments.engines,
        arguments.repeats,
        lambda engine: common.run_child(
            __file__, ["--run", engine, "--ops", *arguments.ops], backend=engine
        ),
    )
    for engine, rounds in records.items():
        if not common.failure(rounds):
            show(engine, [record["ops"] for record in rounds])
    print(*common.remarks(records), sep="\n")
    return records


def show(engine: str, rounds: list[Record]) -> None:
    """Print an engine's table: milliseconds, and ratios to the engine and to Keras."""
    modes = ("eager", "jitted") if engine in COMPILED else ("eager",)
    columns = ["operation"]
    for mode in modes:
        columns += [f"{mode} ms", "Kerata", "× engine", "× Keras"]
    failed = {n: r["failed"] for own in rounds for n, r in own.items() if "failed" in r}
    rows = [row(name, rounds, modes) for name in rounds[0] if name not in failed]
    common.show(f"{engine} (goals: × engine ≤ 1.05, × Keras ≤ 1)", columns, rows)
    print(*(f"{name}: {why}" for name, why in failed.items()), sep="\n")


def row(name: str, rounds: list[Record], modes: tuple[str, ...]) -> list[str]:
    """Format one operation's figures."""
    own = [record[name] for record in rounds]
    cells = [name]
    for mode in modes:
        engine, kerata, keras = (f"{rival} {mode}" for rival in ("engine", "kerata", "keras"))
        cells += [
            f"{common.median(own, engine):.3f}",
            f"{common.median(own, kerata):.3f}",
            f"{statistics.median(r[kerata] / r[engine] for r in own):.2f}",
            f"{statistics.median(r[kerata] / r[keras] for r in own):.2f}",
        ]
    return cells


if __name__ == "__main__":
    main()
