"""Time the heaviest layers, forward and with gradients, against the engine's modules and Keras.

For instance:

    python benchmarks/layers.py --repeats 3 --json layers.json
    python benchmarks/layers.py --engines torch --layers 'Conv*' LSTM
    python benchmarks/layers.py --run torch    # one engine, in this process: one JSON line
"""

from __future__ import annotations

import argparse
import functools
import statistics
from collections.abc import Callable
from fnmatch import fnmatch
from typing import Any

import common
from common import Record
from layer_workloads import LAYERS, MODULES, Workload
from ops import time_in_turn, waiter

ENGINES = tuple(MODULES)
KINDS = ("forward", "with gradients")
RIVALS = ("engine", "kerata", "keras")
Call = Callable[[], Any]


def main() -> None:
    """Run one engine, or each in a process of its own."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", choices=ENGINES, help="measure this engine, in this process")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=list(ENGINES))
    parser.add_argument("--layers", nargs="+", default=["*"], help="patterns")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    arguments = parser.parse_args()
    if arguments.run:
        common.answer(lambda: run_engine(arguments.run, arguments.layers))
        return
    records = common.interleave(
        arguments.engines,
        arguments.repeats,
        lambda engine: common.run_child(
            __file__, ["--run", engine, "--layers", *arguments.layers], backend=engine
        ),
    )
    for engine, rounds in records.items():
        if not common.failure(rounds):
            show(engine, [record["layers"] for record in rounds])
    print(*common.remarks(records), sep="\n")
    common.save(arguments.json, {"engines": records})


# In an engine's process


def run_engine(engine: str, patterns: list[str]) -> Record:
    """Time every chosen layer on one engine."""
    libraries = {name: common.load_library(name, engine) for name in ("kerata", "keras")}
    modules = MODULES[engine]()
    found: Record = {}
    for name, workload in LAYERS.items():
        if any(fnmatch(name, pattern) for pattern in patterns):
            try:
                found[name] = run_workload(engine, workload, modules.get(name), libraries)
            except Exception as error:
                found[name] = {"failed": common.describe(error)}
    return {"layers": found}


def run_workload(engine: str, workload: Workload, module: Any, libraries: Record) -> Record:
    """Milliseconds a call of each rival."""
    prepare = {"torch": torch_calls, "jax": jax_calls}[engine]
    timed = prepare(workload, module, libraries)
    return time_in_turn({k: v for k, v in timed.items() if v is not None}, waiter(engine))


def torch_calls(workload: Workload, module: Any, libraries: Record) -> dict[str, Call]:
    """The calls on torch: eager, gradients by `backward`, as a loop of one's own has them."""
    import torch

    def both(run: Call, variables: list[Any], x: Any) -> tuple[Call, Call]:
        wanted = [v for v in (*variables, x) if v.requires_grad]

        def forward() -> Any:
            with torch.no_grad():
                return run()

        def backward() -> Any:
            y = run()
            y = y[0] if isinstance(y, tuple) else y
            return torch.autograd.grad((y * y).sum(), wanted)

        return forward, backward

    timed: dict[str, Call] = {}
    for rival, library in libraries.items():
        x = torch.from_numpy(workload.array).clone()
        x.requires_grad_(x.is_floating_point())
        layer = workload.make(library.layers)
        run = functools.partial(workload.call, layer, x)
        run()
        held = [torch_value(v) for v in layer.trainable_variables]
        timed |= zip_kinds(rival, both(run, held, x))
    if module is not None:
        own, native = module
        x = torch.from_numpy(native(workload.array)).clone()
        x.requires_grad_(x.is_floating_point())
        timed |= zip_kinds("engine", both(lambda: own(x), list(own.parameters()), x))
    return timed


def torch_value(variable: Any) -> Any:
    """The tensor that autograd knows, of a variable of Kerata or Keras."""
    return variable.storage() if hasattr(variable, "storage") else variable.value


def jax_calls(workload: Workload, module: Any, libraries: Record) -> dict[str, Call]:
    """The calls on JAX: compiled, gradients by `jax.grad` of the weights and the inputs."""
    import jax
    import jax.numpy as jnp

    def both(run: Callable[..., Any], weights: Any, x: Any) -> tuple[Call, Call]:
        places = (0, 1) if jnp.issubdtype(x.dtype, jnp.floating) else (0,)
        forward = jax.jit(run)

        def total(weights: Any, x: Any) -> Any:
            y = run(weights, x)
            y = y[0] if isinstance(y, tuple) else y
            return jnp.sum(y * y)

        slopes = jax.jit(jax.grad(total, places))
        if not jax.tree.leaves(weights):
            slopes = jax.jit(lambda _, x: jax.grad(total, 1)(weights, x))
        return lambda: forward(weights, x), lambda: slopes(weights, x)

    timed: dict[str, Call] = {}
    for rival, library in libraries.items():
        layer, x = workload.make(library.layers), jnp.asarray(workload.array)
        workload.call(layer, x)
        others = [v.value for v in layer.non_trainable_variables]

        def run(weights: Any, x: Any, layer: Any = layer, others: Any = others) -> Any:
            def call(*inputs: Any, **more: Any) -> Any:
                return layer.stateless_call(weights, others, *inputs, **more)[0]

            return workload.call(call, x)

        timed |= zip_kinds(rival, both(run, [v.value for v in layer.trainable_variables], x))
    if module is not None:
        run, weights, native = module
        timed |= zip_kinds("engine", both(run, weights, jnp.asarray(native(workload.array))))
    return timed


def zip_kinds(rival: str, calls: tuple[Call, Call]) -> dict[str, Call]:
    """The calls by the names that records have."""
    return {f"{rival} {kind}": call for kind, call in zip(KINDS, calls, strict=True)}


# In the process that compares


def show(engine: str, rounds: list[Record]) -> None:
    """Print an engine's table: milliseconds, and ratios to the engine and to Keras."""
    columns = ["layer"]
    for kind in KINDS:
        columns += [f"{kind} ms", "Kerata", "× engine", "× Keras"]
    failed = {n: r["failed"] for own in rounds for n, r in own.items() if "failed" in r}
    rows = [row(name, rounds) for name in rounds[0] if name not in failed]
    common.show(f"{engine} (goals: × engine ≤ 1.05, × Keras ≤ 1)", columns, rows)
    print(*(f"{name}: {why}" for name, why in failed.items()), sep="\n")


def row(name: str, rounds: list[Record]) -> list[str]:
    """Format one layer's figures."""
    own, cells = [record[name] for record in rounds], [name]
    for kind in KINDS:
        engine, kerata, keras = (f"{rival} {kind}" for rival in RIVALS)
        has = engine in own[0]
        cells += [
            f"{common.median(own, engine):.3f}" if has else "-",
            f"{common.median(own, kerata):.3f}",
            f"{statistics.median(r[kerata] / r[engine] for r in own):.2f}" if has else "-",
            f"{statistics.median(r[kerata] / r[keras] for r in own):.2f}",
        ]
    return cells


if __name__ == "__main__":
    main()
