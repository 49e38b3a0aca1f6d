"""Time training: Kerata, Keras and hand-written loops, each in a process of its own, in one run.

For instance:

    python benchmarks/fit.py --repeats 3 --json fit.json
    python benchmarks/fit.py --quick                        # few steps of everything
    python benchmarks/fit.py --workloads A,B --backends torch --rivals kerata,hand
    python benchmarks/fit.py --run kerata:jax --workloads M  # one rival in this process, as JSON

The workloads: M, an MLP; A, a convnet; B, an encoder; C, a language model; D, ResNet-50; E and EM,
an LSTM without and with a mask; G, a table of a million rows; S, single small calls.
"""

import argparse
import dataclasses
import importlib
import statistics
import time
from collections.abc import Callable
from types import ModuleType
from typing import Any

import numpy as np

import common
import library_models
from common import ENGINES, Record
from workloads import EPSILON, LEARNING_RATE, WORKLOADS, Workload, make_data

KINDS = ("kerata", "keras", "hand")
# The variants that were best somewhere, and the plain one; a quick look takes the first.
HAND_WRITTEN: dict[str, dict[str, tuple[str, ...]]] = {
    "jax": {
        "M": ("scan", "scan-rbg", "loop"), "A": ("loop", "loop-patches"),
        "B": ("loop-rbg-bits", "loop"), "C": ("loop-rbg-bits", "loop"),
        "D": ("loop-dots", "loop"), "E": ("loop",), "EM": ("loop",), "G": ("scan", "loop"),
        "S": ("loop",),
    },
    "torch": {"B": ("plain", "eager"), "C": ("plain", "eager"), "EM": ("eager", "pack")},
    "tensorflow": {
        "M": ("many-xla", "many", "step"), "A": ("many", "step"), "B": ("step", "step-xla"),
        "C": ("step", "step-xla"), "D": ("step",), "E": ("many", "step"), "EM": ("many", "step"),
        "G": ("many-xla", "many"), "S": ("step",),
    },
}  # fmt: skip
LOSS_SPREAD = 0.25  # rivals whose loss is further from the median, relative to it, learn otherwise
COLUMNS = (
    "rival", "ms/step", "spread", "steps/s", "× hand", "× Keras", "CPU ms", "× hand", "× Keras",
    "first step s", "loss", "accuracy", "peak MiB",
)  # fmt: skip
SMALL_COLUMNS = (
    "rival", "predict ms", "over hand", "× Keras", "train_on_batch ms", "over hand", "× Keras",
)  # fmt: skip
SMALL_CALLS = 7  # of which a batch of calls is the median


def main() -> None:
    """Run one rival, or all of them in turn."""
    arguments = parse_arguments()
    if arguments.run:
        workload = sized(arguments.workloads[0], arguments)
        common.answer(lambda: run_rival(arguments.run, workload))
        return
    report = {}
    for name in arguments.workloads:
        report[name] = compare(sized(name, arguments), arguments)
        common.save(arguments.json, {"workloads": report})


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", metavar="RIVAL", help="run this one rival, in this process")
    parser.add_argument("--workloads", type=listed(WORKLOADS), default=list(WORKLOADS))
    parser.add_argument("--backends", type=listed(ENGINES), default=list(ENGINES))
    parser.add_argument(
        "--rivals", type=lambda text: text.split(","), default=list(KINDS),
        help="kinds (kerata, keras, hand), or single ones such as hand:jax:scan",
    )  # fmt: skip
    parser.add_argument("--repeats", type=int, help="rounds; 3, or 1 where quick")
    parser.add_argument("--quick", action="store_true", help="few steps, one variant")
    parser.add_argument("--steps", type=int, help="an epoch, instead of the workload's own")
    parser.add_argument("--epochs", type=int, help="instead of the workload's own; 2 at least")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    arguments = parser.parse_args()
    if arguments.epochs is not None and arguments.epochs < 2:
        parser.error("the first epoch is not measured: --epochs must be 2 at least")
    arguments.repeats = arguments.repeats or (1 if arguments.quick else 3)
    return arguments


def listed(known: Any) -> Callable[[str], list[str]]:
    """A parser of names with commas between."""

    def names(text: str) -> list[str]:
        found = text.split(",")
        if unknown := [name for name in found if name not in known]:
            raise argparse.ArgumentTypeError(f"unknown: {unknown}; known: {list(known)}")
        return found

    return names


def sized(name: str, arguments: argparse.Namespace) -> Workload:
    """Return a workload with the sizes asked for."""
    workload = WORKLOADS[name]
    steps = arguments.steps or (workload.quick if arguments.quick else workload.steps)
    epochs = arguments.epochs or (2 if arguments.quick else workload.epochs)
    return dataclasses.replace(workload, steps=steps, epochs=epochs)


# In a rival's process


def run_rival(rival: str, workload: Workload) -> Record:
    """Train as `rival` does: `kerata:jax`, `keras:torch`, `keras:jax:steps32`, `hand:jax:scan`."""
    kind, engine, *variant = rival.split(":")
    run = run_hand_written if kind == "hand" else run_library
    record = run(kind, engine, variant[0] if variant else "", workload)
    for unit in ("wall", "cpu"):
        if taken := record.pop(f"{unit}_s", None):
            record[f"{unit}_epochs_ms"] = [seconds * 1e3 / workload.steps for seconds in taken]
            # The first epoch compiles.
            record[f"{unit}_ms"] = statistics.median(record[f"{unit}_epochs_ms"][1:])
    return record | {
        "peak_mb": common.peak_memory_mb(),
        "device_peak_mb": common.device_peak_mb(engine),
    }


class Clock:
    """Takes the wall and processor seconds of epochs."""

    def __init__(self) -> None:
        self.record: dict[str, list[float]] = {"wall_s": [], "cpu_s": []}

    def start(self) -> None:
        """Begin an epoch."""
        self.begun = time.perf_counter(), time.process_time()

    def stop(self) -> None:
        """End an epoch."""
        self.record["wall_s"].append(time.perf_counter() - self.begun[0])
        self.record["cpu_s"].append(time.process_time() - self.begun[1])


def run_library(name: str, backend: str, variant: str, workload: Workload) -> Record:
    """Train with `compile` and `fit`. The variant `steps32` is 32 steps an execution."""
    started = time.perf_counter()
    library = common.load_library(name, backend)
    library.ops.convert_to_numpy(library.ops.zeros(1))  # now the engine is loaded, too
    imported = time.perf_counter()
    x, y = make_data(workload)

    ready = time.perf_counter()
    library.utils.set_random_seed(0)
    model = library_models.compiled(library, workload, LEARNING_RATE, EPSILON)
    if variant.startswith("steps"):
        model.steps_per_execution = int(variant[5:])
    batch = workload.batch
    model.fit(x[:batch], y[:batch], batch_size=batch, verbose=0)
    times = {"import_s": imported - started, "first_step_s": time.perf_counter() - ready}
    if workload.name == "S":
        predict = lambda: model.predict(x[:batch], verbose=0)  # noqa: E731
        train = lambda: model.train_on_batch(x[:batch], y[:batch])  # noqa: E731
        return times | time_small(predict, train, workload)

    clock = Clock()
    epochs = epoch_callback(library, clock)
    history = model.fit(
        x, y, batch_size=batch, epochs=workload.epochs, verbose=0, callbacks=[epochs]
    ).history
    accuracy = next((values for key, values in history.items() if "accuracy" in key), [0.0])
    return times | clock.record | {"losses": floats(history["loss"]), "accuracy": accuracy[-1]}


def floats(values: Any) -> list[float]:
    """Numbers that JSON can hold."""
    return [float(value) for value in values]


def epoch_callback(library: ModuleType, clock: Clock) -> Any:
    """Make a callback that takes the time of epochs, and leaves batches alone."""

    class EpochClock(library.callbacks.Callback):  # type: ignore[name-defined]
        def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
            clock.start()

        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            clock.stop()

    return EpochClock()


def run_hand_written(kind: str, engine: str, variant: str, workload: Workload) -> Record:
    """Train with the plain loop of `hand/<engine>_loop.py`."""
    started = time.perf_counter()
    module = importlib.import_module(f"hand.{engine}_loop")
    if unknown := set(variant.split("-")) - module.WORDS:
        raise ValueError(f"hand/{engine}_loop.py knows no {', '.join(sorted(unknown))}")
    imported = time.perf_counter()
    x, y = make_data(workload)
    generator = np.random.default_rng(2)

    ready = time.perf_counter()
    loop = module.Loop(workload, variant)
    loop.load(x, y)
    loop.epoch(np.arange(min(workload.batch, workload.rows), dtype=np.int32))
    times = {"import_s": imported - started, "first_step_s": time.perf_counter() - ready}
    if workload.name == "S":
        x, y = x[: workload.batch], y[: workload.batch]
        return times | time_small(lambda: loop.predict(x), lambda: loop.train(x, y), workload)

    clock, losses, accuracy = Clock(), [], 0.0
    for _ in range(workload.epochs):
        clock.start()
        loss, accuracy = loop.epoch(generator.permutation(workload.rows).astype(np.int32))
        clock.stop()
        losses.append(loss)
    return times | clock.record | {"losses": losses, "accuracy": accuracy}


def time_small(predict: Callable[[], Any], train: Callable[[], Any], workload: Workload) -> Record:
    """Milliseconds of one call of each, arrays of NumPy to arrays of NumPy."""
    record = {}
    for name, call in (("predict_ms", predict), ("train_ms", train)):
        taken = []
        for _ in range(SMALL_CALLS + 1):
            begun = time.perf_counter()
            for _ in range(workload.steps):
                call()
            taken.append((time.perf_counter() - begun) * 1e3 / workload.steps)
        record[name] = statistics.median(taken[1:])
    return record


# In the process that compares


def compare(workload: Workload, arguments: argparse.Namespace) -> Record:
    """Run a workload's rivals in turn, print the table and return all records."""
    rivals = choose_rivals(workload.name, arguments)
    records = common.interleave(
        rivals, arguments.repeats, lambda rival: run_in_child(rival, workload)
    )
    title = f"{workload.name}: {workload.title}; batch {workload.batch}, "
    if workload.name == "S":
        common.show(
            f"{title}{arguments.repeats} rounds",
            SMALL_COLUMNS,
            [small_row(rival, records) for rival in rivals],
        )
    else:
        common.show(
            f"{title}{workload.steps} steps, {workload.epochs} epochs, {arguments.repeats} rounds",
            COLUMNS,
            [table_row(rival, records) for rival in rivals],
        )
    print(*common.remarks(records), *doubts(records), sep="\n", flush=True)
    return records


def choose_rivals(workload: str, arguments: argparse.Namespace) -> list[str]:
    """List the rivals of the kinds wanted, engine by engine, and those named outright."""
    chosen, wanted = [], arguments.rivals
    for engine in arguments.backends:
        if "hand" in wanted:
            variants = HAND_WRITTEN[engine].get(workload, ("eager",))
            variants = variants[:1] if arguments.quick else variants
            if engine == "torch" and common.has_gpu():
                variants = (*variants, "compile")
            chosen += [f"hand:{engine}:{variant}" for variant in variants]
        chosen += [f"{library}:{engine}" for library in ("kerata", "keras") if library in wanted]
    return chosen + [name for name in wanted if ":" in name]


def run_in_child(rival: str, workload: Workload) -> Record:
    """Run one rival in a process of its own."""
    sizes = ["--steps", str(workload.steps), "--epochs", str(workload.epochs)]
    arguments = ["--run", rival, "--workloads", workload.name, *sizes]
    return common.run_child(__file__, arguments, backend=rival.split(":")[1])


def table_row(rival: str, records: dict[str, list[Record]]) -> tuple[str, ...]:
    """Format a rival's medians and its ratios to the references on its engine."""
    own = records[rival]
    if common.failure(own):
        return (rival, "failed", *[""] * (len(COLUMNS) - 2))
    hand, keras, best = references(rival, records, "wall_ms")
    times = [record["wall_ms"] for record in own]
    first = statistics.median(record["losses"][0] for record in own)
    last = statistics.median(record["losses"][-1] for record in own)
    peak = "device_peak_mb" if own[0]["device_peak_mb"] else "peak_mb"
    return (
        f"{rival} (best)" if rival == best else rival,
        f"{statistics.median(times):.3f}",
        f"{(max(times) / min(times) - 1) * 100:.0f} %",
        f"{1e3 / statistics.median(times):.1f}",
        format_ratio(own, hand, "wall_ms"),
        format_ratio(own, keras, "wall_ms"),
        f"{common.median(own, 'cpu_ms'):.3f}",
        format_ratio(own, hand, "cpu_ms"),
        format_ratio(own, keras, "cpu_ms"),
        f"{common.median(own, 'first_step_s'):.2f}",
        f"{first:.3f} → {last:.3f}",
        f"{common.median(own, 'accuracy'):.3f}",
        f"{common.median(own, peak):.0f}",
    )


def small_row(rival: str, records: dict[str, list[Record]]) -> tuple[str, ...]:
    """Format a rival's small calls: what they take beyond the engine alone."""
    own = records[rival]
    if common.failure(own):
        return (rival, "failed", *[""] * (len(SMALL_COLUMNS) - 2))
    cells = [rival]
    for key in ("predict_ms", "train_ms"):
        hand, keras, _ = references(rival, records, key)
        over = f"{common.difference(own, hand, key):+.3f}" if usable(hand) else "–"
        cells += [f"{common.median(own, key):.3f}", over, format_ratio(own, keras, key)]
    return tuple(cells)


def references(
    rival: str, records: dict[str, list[Record]], key: str
) -> tuple[list[Record], list[Record], str | None]:
    """On a rival's engine: the hand-written loop with the lowest median, Keras, and that loop."""
    engine = rival.split(":")[1]
    loops = {
        name: common.median(own, key)
        for name, own in records.items()
        if name.startswith(f"hand:{engine}:") and usable(own)
    }
    best = min(loops, key=loops.__getitem__) if loops else None
    return records.get(best or "", []), records.get(f"keras:{engine}", []), best


def usable(records: list[Record]) -> bool:
    """Whether a rival ran."""
    return bool(records) and not common.failure(records)


def format_ratio(own: list[Record], reference: list[Record], key: str) -> str:
    """Format the ratio to a reference, where that ran."""
    return f"{common.ratio(own, reference, key):.2f}" if usable(reference) else "–"


def doubts(records: dict[str, list[Record]]) -> list[str]:
    """Name rivals that did not learn, or whose final loss is not that of the others."""
    ran = {rival: own for rival, own in records.items() if usable(own) and "losses" in own[0]}
    last = {r: statistics.median(record["losses"][-1] for record in own) for r, own in ran.items()}
    if not last:
        return []
    middle = statistics.median(last.values())
    lines = [
        f"NOT COMPARABLE: {rival} ends at loss {loss:.3f}, the median is {middle:.3f}"
        for rival, loss in last.items()
        if not abs(loss - middle) <= LOSS_SPREAD * middle + 0.02
    ]
    return lines + [
        f"NOT LEARNING: {rival}: its loss did not fall"
        for rival, own in ran.items()
        if not last[rival] < own[0]["losses"][0]
    ]


if __name__ == "__main__":
    main()
