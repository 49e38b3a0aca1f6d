"""What every benchmark here shares: rivals in processes of their own, medians, tables, JSON."""

import importlib
import json
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from importlib import metadata
from pathlib import Path
from types import ModuleType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ("jax", "torch", "tensorflow")
PACKAGES = ("numpy", "jax", "torch", "tensorflow", "tensorflow-cpu", "keras", "optax")

BUSY = 0.15  # cores used by others from which a figure is not to be trusted

Record = dict[str, Any]


class NotImportable(Exception):
    """A library cannot be imported here: its rows say so and the run goes on."""


def load_library(name: str, backend: str) -> ModuleType:
    """Import `keras` or `kerata` and have it run on `backend`.

    Keras reads its backend from the environment, which `child_environment` has set.
    """
    try:
        library = importlib.import_module(name)
        if name == "kerata":
            library.set_backend(backend)
    except Exception as error:
        raise NotImportable(f"{name}: not importable: {describe(error)}") from error
    return library


def describe(error: BaseException) -> str:
    """Say an error in one short line."""
    lines = str(error).strip().splitlines() or [""]
    return f"{type(error).__name__}: {lines[0]}"[:160]


def child_environment(backend: str | None = None) -> dict[str, str]:
    """Make the environment of a rival's process: alike for all, but for Keras' backend."""
    environment = dict(os.environ)
    for name in ("KERAS_BACKEND", "KERATA_BACKEND", "PYTHONDONTWRITEBYTECODE"):
        environment.pop(name, None)
    if backend:
        environment["KERAS_BACKEND"] = backend
    environment["PYTHONPATH"] = os.pathsep.join(
        part for part in (str(ROOT), environment.get("PYTHONPATH")) if part
    )
    environment["TF_CPP_MIN_LOG_LEVEL"] = "3"
    return environment


def run_child(script: str, arguments: Sequence[str], backend: str | None = None) -> Record:
    """Run a rival in a process of its own and return the JSON object it printed last.

    Returns:
        The rival's record with `others`, the cores that other processes kept busy meanwhile; or
        `{"error": …}` with the reason in one line.
    """
    others = CoresOfOthers()
    done = subprocess.run(
        [sys.executable, script, *arguments],
        env=child_environment(backend),
        capture_output=True,
        text=True,
        check=False,
    )
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            return json.loads(line) | {"others": others.used()}
    reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
    return {"error": f"process ended with {done.returncode}: {reason}"[:200]}


class CoresOfOthers:
    """Measures, from when it is made, how many cores were busy for others than our children."""

    def __init__(self) -> None:
        self.started, self.children, self.machine = self.read()

    def used(self) -> float:
        """Return the cores used on average; 0 where the system does not say."""
        now, children, machine = self.read()
        busy = (machine - self.machine) - (children - self.children)
        return max(0.0, round(busy / (now - self.started), 2))

    @staticmethod
    def read() -> tuple[float, float, float]:
        """Return the time, and the CPU seconds spent by our children and by the machine."""
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        children, stat = usage.ru_utime + usage.ru_stime, Path("/proc/stat")
        if not stat.exists():
            return time.perf_counter(), children, children
        user, nice, system = map(int, stat.read_text().split(maxsplit=4)[1:4])
        ticks = os.sysconf("SC_CLK_TCK")
        return time.perf_counter(), children, (user + nice + system) / ticks


def answer(measure: Callable[[], Record]) -> None:
    """In a rival's process: print what `measure` returns, or why it could not, as JSON."""
    try:
        record = measure()
    except NotImportable as error:
        record = {"error": str(error)}
    except Exception as error:
        record = {"error": f"failed: {describe(error)}"}
    print(json.dumps(record), flush=True)


def interleave(
    rivals: Sequence[str], repeats: int, run: Callable[[str], Record]
) -> dict[str, list[Record]]:
    """Run every rival `repeats` times, one process after the other, never two at once.

    Rounds go forwards and backwards in turn, so a machine that drifts favours nobody. A rival that
    fails is not run again.

    Returns:
        The records of each rival, one a round, in the rounds' order.
    """
    records: dict[str, list[Record]] = {rival: [] for rival in rivals}
    for repeat in range(repeats):
        for rival in rivals if repeat % 2 == 0 else reversed(rivals):
            if any("error" in record for record in records[rival]):
                continue
            print(f"[{repeat + 1}/{repeats}] {rival}", file=sys.stderr, flush=True)
            records[rival].append(run(rival))
    return records


def failure(records: Sequence[Record]) -> str | None:
    """Return why a rival failed, if it did."""
    return next((record["error"] for record in records if "error" in record), None)


def remarks(records: dict[str, list[Record]]) -> list[str]:
    """Say which rivals did not run, and which did not have the machine to themselves."""
    lines = []
    for rival, own in records.items():
        if reason := failure(own):
            lines.append(f"{rival}: {reason}")
        elif (others := max(record.get("others", 0) for record in own)) > BUSY:
            lines.append(f"{rival}: MACHINE BUSY, other processes used {others} cores meanwhile")
    return lines


def median(records: Sequence[Record], key: str) -> float:
    """Return the median of one figure over the rounds."""
    return statistics.median(record[key] for record in records)


def ratio(records: Sequence[Record], reference: Sequence[Record], key: str) -> float:
    """Return the median of round-by-round ratios: rivals of one round ran minutes apart."""
    return statistics.median(
        record[key] / other[key] for record, other in zip(records, reference, strict=True)
    )


def difference(records: Sequence[Record], base: Sequence[Record], key: str) -> float:
    """Return the median of round-by-round differences."""
    return statistics.median(
        record[key] - other[key] for record, other in zip(records, base, strict=True)
    )


def peak_memory_mb() -> float:
    """Return this process's peak resident memory in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # unlike getrusage, not inherited from the process that started this one
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def has_gpu() -> bool:
    """Whether an NVIDIA GPU is here, without loading an engine."""
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None


def device_peak_mb(engine: str) -> float | None:
    """Return the peak memory that this process used on a GPU in MiB; None on a CPU."""
    peak = None
    if engine == "torch":
        import torch

        peak = torch.cuda.max_memory_allocated() if torch.cuda.is_available() else None
    elif engine == "jax":
        import jax

        peak = (jax.local_devices()[0].memory_stats() or {}).get("peak_bytes_in_use")
    elif engine == "tensorflow":
        import tensorflow as tf

        if tf.config.list_physical_devices("GPU"):
            peak = tf.config.experimental.get_memory_info("GPU:0")["peak"]
    return peak / 1024**2 if peak else None


def surroundings() -> Record:
    """Return the machine and the versions that figures belong to."""
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "cores": os.cpu_count(),
        "load": os.getloadavg(),
        "versions": versions,
    }


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table, with rich where it is installed; figures from the second column on."""
    rows = list(rows)
    try:
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        widths = [max(map(len, column)) for column in zip(columns, *rows, strict=True)]
        print(f"\n{title}")
        for row in (columns, *rows):
            print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)))
        return
    table = Table(box=SIMPLE_HEAD)
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console = Console()
    console.width = max(console.width, 190)  # a wrapped line is better than a cut figure
    console.print(f"\n{title}", highlight=False)
    console.print(table)


def save(path: str | None, content: Record) -> None:
    """Write what was measured to a JSON file, with the machine and the versions."""
    if path:
        Path(path).write_text(json.dumps(surroundings() | content, indent=1) + "\n")
