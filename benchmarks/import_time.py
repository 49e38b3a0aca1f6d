"""Time imports: Kerata over NumPy, and Kerata and Keras with an engine over the engine alone.

For instance:

    python benchmarks/import_time.py --repeats 7 --json import.json
"""

import argparse
import subprocess
import sys
import time
from fnmatch import fnmatch

import common
from common import ENGINES, Record

GOAL = 0.15  # seconds `import kerata` may take over NumPy
ENGINE = {
    "jax": "import jax.numpy; jax.numpy.zeros(1).block_until_ready()",
    "torch": "import torch; torch.zeros(1)",
    "tensorflow": "import tensorflow; tensorflow.zeros(1)",
}
# rival: (what is run, what it is compared with)
RIVALS: dict[str, tuple[str, str | None]] = {
    "python": ("pass", None),
    "numpy": ("import numpy", "python"),
    "kerata": ("import kerata; kerata.set_backend", "numpy"),
    # A façade may put off its work until a name is used: this row says what it put off.
    "kerata, names used": (
        "import kerata as k; k.Model, k.layers.Dense, k.ops.zeros, k.optimizers.Adam",
        "numpy",
    ),
}
for _engine in ENGINES:
    RIVALS |= {
        _engine: (ENGINE[_engine], "numpy"),
        f"kerata:{_engine}": (
            f"import kerata\nwith kerata.use_backend({_engine!r}): kerata.ops.zeros(1)",
            _engine,
        ),
        f"keras:{_engine}": ("import keras; keras.ops.zeros(1)", _engine),
    }


def main() -> None:
    """Time all rivals in turn and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rivals", nargs="+", default=["*"], help="patterns")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    arguments = parser.parse_args()
    rivals = choose_rivals(arguments.rivals)
    records = common.interleave(rivals, arguments.repeats + 1, time_start)
    for own in records.values():
        if not common.failure(own):
            del own[0]  # that round read the files from disk and compiled them to bytecode
    common.show(
        f"seconds until ready, process start included (goal: kerata {GOAL} over numpy)",
        ("rival", "seconds", "min to max", "compared with", "seconds over it"),
        [table_row(rival, records) for rival in rivals],
    )
    print(*common.remarks(records), sep="\n")
    common.save(arguments.json, {"imports": records})


def choose_rivals(patterns: list[str]) -> list[str]:
    """List the rivals that patterns match, and what these are compared with."""
    chosen = {name for name in RIVALS if any(fnmatch(name, pattern) for pattern in patterns)}
    chosen |= {base for name in chosen if (base := RIVALS[name][1])}
    return [name for name in RIVALS if name in chosen]


def time_start(rival: str) -> Record:
    """Start Python on a rival's code and take the time until it has run; shutting down is free."""
    others = common.CoresOfOthers()
    begun = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, "-c", f"{RIVALS[rival][0]}\nprint('ready', flush=True)"],
        env=common.child_environment(rival.partition(":")[2] or None),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        line = process.stdout.readline() if process.stdout else ""
        seconds = time.perf_counter() - begun
        errors = process.communicate()[1]
    if line.strip() != "ready":
        reason = (errors.strip().splitlines() or ["no output"])[-1]
        prefix = "kerata: not importable: " if rival.startswith("kerata") else "failed: "
        return {"error": f"{prefix}{reason}"[:200]}
    return {"seconds": seconds, "others": others.used()}


def table_row(rival: str, records: dict[str, list[Record]]) -> tuple[str, ...]:
    """Format a rival's median and what it takes over the rival it is compared with."""
    own, base = records[rival], RIVALS[rival][1]
    if common.failure(own):
        return (rival, "failed", "", base or "", "")
    times = [record["seconds"] for record in own]
    over = ""
    if base in records and not common.failure(records[base]):
        over = f"{common.difference(own, records[base], 'seconds'):.3f}"
    spread = f"{min(times):.3f} to {max(times):.3f}"
    return (rival, f"{common.median(own, 'seconds'):.3f}", spread, base or "", over)


if __name__ == "__main__":
    main()
