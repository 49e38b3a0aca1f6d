"""Time a training step of two small models: Kerata, Keras and hand-written loops, in one run.

For instance:

    python benchmarks/fit_small.py --repeats 3 --json fit.json
    python benchmarks/fit_small.py --workload convnet --rivals 'hand:*' 'kerata:torch'
    python benchmarks/fit_small.py --run kerata:jax --workload mlp     # one rival: one JSON line
"""

import argparse
import dataclasses
import importlib
import statistics
import time
from fnmatch import fnmatch
from types import ModuleType
from typing import Any

import numpy as np

import common
from common import ENGINES, Record
from workloads import CLASSES, EPSILON, LEARNING_RATE, WORKLOADS, Workload, make_data

LIBRARIES = ("kerata", "keras")
# The variants that were ever best, and the plain one. Left out, since they only cost minutes:
# `hand:torch:compile` (on a CPU), and a native convolution inside an XLA loop, which takes a second
# a step (`scan` and `many-xla` of the convnet).
HAND_WRITTEN = {
    ("mlp", "jax"): ("loop", "scan", "scan-rbg"),
    ("mlp", "torch"): ("eager", "flush"),
    ("mlp", "tensorflow"): ("step", "many", "many-xla"),
    ("convnet", "jax"): ("loop", "loop-patches", "scan-patches"),
    ("convnet", "torch"): ("eager", "flush"),
    ("convnet", "tensorflow"): ("step", "many", "step-xla"),
}
ACCURACY_SPREAD = 0.03  # rivals further from the median than this did not learn the same
COLUMNS = (
    "rival", "ms/step", "min to max", "× hand", "× Keras", "first step s", "accuracy",
    "loss", "peak MiB",
)  # fmt: skip


def main() -> None:
    """Run one rival, or all of them in turn."""
    arguments = parse_arguments()
    if arguments.run:
        workload = sized(arguments.workload[0], arguments)
        common.answer(lambda: run_rival(arguments.run, workload))
        return
    report = {name: compare(sized(name, arguments), arguments) for name in arguments.workload}
    common.save(arguments.json, {"workloads": report})


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", metavar="RIVAL", help="run this one rival, in this process")
    parser.add_argument("--workload", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    parser.add_argument(
        "--rivals", nargs="+", default=["*"], help="patterns, or names that are not run by default"
    )
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--rows", type=int, help="instead of the workload's own")
    parser.add_argument("--epochs", type=int, help="instead of the workload's own; 2 at least")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    arguments = parser.parse_args()
    if arguments.epochs is not None and arguments.epochs < 2:
        parser.error("the first epoch is not measured: --epochs must be 2 at least")
    return arguments


def sized(name: str, arguments: argparse.Namespace) -> Workload:
    """Return a workload with the sizes asked for."""
    workload = WORKLOADS[name]
    return dataclasses.replace(
        workload,
        rows=arguments.rows or workload.rows,
        epochs=arguments.epochs or workload.epochs,
    )


# In a rival's process


def run_rival(rival: str, workload: Workload) -> Record:
    """Train as `rival` does: `kerata:jax`, `keras:torch`, `keras:jax:steps32`, `hand:jax:scan`."""
    kind, engine, *variant = rival.split(":")
    if kind == "hand":
        record = run_hand_written(engine, "".join(variant), workload)
    else:
        record = run_library(kind, engine, variant[0] if variant else "", workload)
    epochs_ms = record["epochs_ms"]
    return record | {
        "ms_per_step": statistics.median(epochs_ms[1:]),  # the first epoch compiles
        "peak_mb": common.peak_memory_mb(),
    }


def run_library(name: str, backend: str, variant: str, workload: Workload) -> Record:
    """Train with `compile` and `fit`. The variant `steps32` is 32 steps an execution."""
    started = time.perf_counter()
    library = common.load_library(name, backend)
    library.ops.convert_to_numpy(library.ops.zeros(1))  # now the engine is loaded, too
    imported = time.perf_counter()
    x, y = make_data(workload)

    ready = time.perf_counter()
    library.utils.set_random_seed(0)
    options = {"steps_per_execution": int(variant[5:])} if variant.startswith("steps") else {}
    model = compiled_model(library, workload, options)
    model.fit(x[: workload.batch], y[: workload.batch], batch_size=workload.batch, verbose=0)
    first = time.perf_counter()

    clock = epoch_clock(library)
    history = model.fit(
        x, y, batch_size=workload.batch, epochs=workload.epochs, verbose=0, callbacks=[clock]
    ).history
    return {
        "import_s": imported - started,
        "first_step_s": first - ready,
        "epochs_ms": [seconds * 1e3 / workload.steps for seconds in clock.seconds],
        "loss": float(history["loss"][-1]),
        "accuracy": float(history["accuracy"][-1]),
    }


def compiled_model(library: ModuleType, workload: Workload, options: Record) -> Any:
    """Build the workload's model: logits from the MLP, probabilities from the convnet."""
    layers = library.layers
    if workload.name == "mlp":
        stack = [
            layers.Dense(128, activation="relu"), layers.Dropout(workload.dropout),
            layers.Dense(64, activation="relu"), layers.Dropout(workload.dropout),
            layers.Dense(CLASSES),
        ]  # fmt: skip
        loss = library.losses.SparseCategoricalCrossentropy(from_logits=True)
    else:
        stack = [
            layers.Conv2D(32, 3, activation="relu"), layers.MaxPooling2D(2),
            layers.Conv2D(64, 3, activation="relu"), layers.MaxPooling2D(2),
            layers.Flatten(), layers.Dropout(workload.dropout),
            layers.Dense(CLASSES, activation="softmax"),
        ]  # fmt: skip
        loss = "sparse_categorical_crossentropy"
    model = library.Sequential([layers.Input(workload.shape), *stack])
    adam = library.optimizers.Adam(LEARNING_RATE, epsilon=EPSILON)
    model.compile(optimizer=adam, loss=loss, metrics=["accuracy"], **options)
    return model


def epoch_clock(library: ModuleType) -> Any:
    """Make a callback that stamps epochs, and leaves batches alone."""

    class EpochClock(library.callbacks.Callback):  # type: ignore[name-defined]
        def __init__(self) -> None:
            super().__init__()
            self.seconds: list[float] = []

        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            self.begun = time.perf_counter()

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            self.seconds.append(time.perf_counter() - self.begun)

    return EpochClock()


def run_hand_written(engine: str, variant: str, workload: Workload) -> Record:
    """Train with the plain loop of `hand_<engine>.py`."""
    started = time.perf_counter()
    module = importlib.import_module(f"hand_{engine}")
    if unknown := set(variant.split("-")) - module.WORDS:
        raise ValueError(f"hand_{engine}.py knows no {', '.join(sorted(unknown))}")
    imported = time.perf_counter()
    x, y = make_data(workload)
    generator = np.random.default_rng(2)

    ready = time.perf_counter()
    loop = module.Loop(workload, variant)
    loop.load(x, y)
    loop.epoch(np.arange(min(workload.batch, workload.rows), dtype=np.int32))
    first = time.perf_counter()

    epochs_ms = []
    for _ in range(workload.epochs):
        begun = time.perf_counter()
        loss, accuracy = loop.epoch(generator.permutation(workload.rows).astype(np.int32))
        epochs_ms.append((time.perf_counter() - begun) * 1e3 / workload.steps)
    return {
        "import_s": imported - started,
        "first_step_s": first - ready,
        "epochs_ms": epochs_ms,
        "loss": loss,
        "accuracy": accuracy,
    }


# In the process that compares


def compare(workload: Workload, arguments: argparse.Namespace) -> Record:
    """Run a workload's rivals in turn, print the table and return all records."""
    rivals = choose_rivals(workload.name, arguments.rivals)
    records = common.interleave(
        rivals, arguments.repeats, lambda rival: run_in_child(rival, workload)
    )
    common.show(
        f"{workload.name}: {workload.rows} rows, batch {workload.batch}, {workload.epochs} epochs, "
        f"{arguments.repeats} rounds",
        COLUMNS,
        [table_row(rival, records) for rival in rivals],
    )
    print(*common.remarks(records), *doubts(records), sep="\n")
    return records


def choose_rivals(workload: str, patterns: list[str]) -> list[str]:
    """List the rivals that patterns match, engine by engine, and those named outright."""
    known = []
    for engine in ENGINES:
        known += [f"hand:{engine}:{variant}" for variant in HAND_WRITTEN[workload, engine]]
        known += [f"{library}:{engine}" for library in LIBRARIES]
    chosen = [rival for rival in known if any(fnmatch(rival, pattern) for pattern in patterns)]
    named = [name for name in patterns if not set("*?[") & set(name) and name not in known]
    return chosen + named


def run_in_child(rival: str, workload: Workload) -> Record:
    """Run one rival in a process of its own."""
    sizes = ["--rows", str(workload.rows), "--epochs", str(workload.epochs)]
    arguments = ["--run", rival, "--workload", workload.name, *sizes]
    return common.run_child(__file__, arguments, backend=rival.split(":")[1])


def table_row(rival: str, records: dict[str, list[Record]]) -> tuple[str, ...]:
    """Format a rival's medians and its ratios to the references on its engine."""
    own = records[rival]
    if common.failure(own):
        return (rival, "failed", *[""] * (len(COLUMNS) - 2))
    engine = rival.split(":")[1]
    best = best_hand_written(engine, records)
    times = [record["ms_per_step"] for record in own]
    return (
        f"{rival} (best)" if rival == best else rival,
        f"{statistics.median(times):.3f}",
        f"{min(times):.3f} to {max(times):.3f}",
        format_ratio(own, records.get(best or "", [])),
        format_ratio(own, records.get(f"keras:{engine}", [])),
        f"{common.median(own, 'first_step_s'):.2f}",
        f"{common.median(own, 'accuracy'):.3f}",
        f"{common.median(own, 'loss'):.3f}",
        f"{common.median(own, 'peak_mb'):.0f}",
    )


def best_hand_written(engine: str, records: dict[str, list[Record]]) -> str | None:
    """Name the variant of an engine's hand-written loop with the lowest median."""
    loops = {
        rival: common.median(own, "ms_per_step")
        for rival, own in records.items()
        if rival.startswith(f"hand:{engine}:") and not common.failure(own)
    }
    return min(loops, key=loops.__getitem__) if loops else None


def format_ratio(own: list[Record], reference: list[Record]) -> str:
    """Format the ratio of step times, where the reference ran."""
    if not reference or common.failure(reference):
        return "–"
    return f"{common.ratio(own, reference, 'ms_per_step'):.2f}"


def doubts(records: dict[str, list[Record]]) -> list[str]:
    """Name rivals whose final accuracy is not that of the others."""
    accuracies = {
        rival: common.median(own, "accuracy")
        for rival, own in records.items()
        if not common.failure(own)
    }
    if not accuracies:
        return []
    middle = statistics.median(accuracies.values())
    return [
        f"NOT COMPARABLE: {rival} ends at accuracy {accuracy:.3f}, the median is {middle:.3f}"
        for rival, accuracy in accuracies.items()
        if abs(accuracy - middle) > ACCURACY_SPREAD
    ]


if __name__ == "__main__":
    main()
