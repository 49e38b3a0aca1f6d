"""Print how far each operation is from NumPy in float64, on each backend.

    python benchmarks/accuracy.py                       # every operation, a row each
    python benchmarks/accuracy.py --above 1e-6          # only those that are further away
    python benchmarks/accuracy.py --markdown docs/accuracy.md

The calls are those of the tests' table (`tests/ops/cases.py`) whose results are float32; the figure
is the largest difference over a call's results, relative to the largest entry.
"""

from __future__ import annotations

import argparse
import collections
import os
import sys
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

import common
from kerata.backends import registry
from tests.ops.case import Case, flat
from tests.ops.cases import CASES
from tests.ops.deviations import expected, on

GOAL = 1e-6
Table = dict[str, dict[str, float]]
# Why an operation is further away, for the page.
WHY = {
    "binary_crossentropy": "of probabilities next to 1, where float32 has no 1 - 1e-7",
    "categorical_crossentropy": "of probabilities next to 1, where float32 has no 1 - 1e-7",
    "einsum": "of a sum that nearly cancels",
    "erfinv": "XLA's polynomial near ±1",
    "perspective_transform": "of divisions by small differences of coordinates",
}


def main() -> None:
    """Measure every call on every backend and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--above", type=float, default=-1.0, help="only larger differences")
    parser.add_argument("--markdown", metavar="FILE", help="write the table there")
    parser.add_argument("--json", metavar="FILE", help="write all that was measured")
    arguments = parser.parse_args()
    backends = [n for n in registry.backends() if registry.load(n).computes]
    table = measure(backends)
    chosen = {op: row for op, row in table.items() if max(row.values()) > arguments.above}
    rows = [
        [op, *(f"{row.get(b, float('nan')):.1e}" for b in backends)] for op, row in chosen.items()
    ]
    common.show(
        f"Largest relative difference from float64 (goal: {GOAL:.0e})",
        ["operation", *backends],
        rows,
    )
    common.save(arguments.json, {"differences": table})
    if arguments.markdown:
        Path(arguments.markdown).write_text(markdown(table, backends))


def measure(backends: list[str]) -> Table:
    """The largest difference for each operation and backend."""
    table: Table = collections.defaultdict(dict)
    warnings.simplefilter("ignore")
    for name in backends:
        with registry.use_backend(name) as backend:
            for case in CASES:
                if measurable(case) and not expected(name, "value", case):
                    found = difference(on(case, name), backend)
                    if found is not None:
                        table[case.op][name] = max(table[case.op].get(name, 0.0), found)
    return dict(sorted(table.items()))


def measurable(case: Case) -> bool:
    """Whether a call's results are of float32, and its arguments no wider."""
    return "float32" in case.dtypes and all(a.dtype != "float64" for a in case.arrays)


def difference(case: Case, backend: Any) -> float | None:
    """How far a call's float32 results are from the reference; None where it has none."""
    results = case.comparable(flat(case.run([backend.convert(a) for a in case.arrays])))
    largest = None
    for y, (wanted, dtype) in zip(results, case.compared, strict=True):
        if dtype != "float32" or not wanted.size:
            continue
        with np.errstate(all="ignore"):
            off = np.abs(backend.to_numpy(y).astype(np.float64) - wanted)
            sizes = np.abs(wanted)
        finite = np.isfinite(off)
        if not finite.any():
            continue
        top = sizes[np.isfinite(sizes)].max(initial=0.0)
        largest = max(largest or 0.0, float(off[finite].max() / max(top, 1e-30)))
    return largest


def markdown(table: Table, backends: list[str]) -> str:
    """The page of the documentation."""
    further = {op: row for op, row in table.items() if max(row.values()) > GOAL}
    return f"""# Accuracy

The largest difference of float32 results from NumPy in float64, relative to the largest entry of a
result, over the calls of the tests' table. Written by `python benchmarks/accuracy.py --markdown`.

{len(table)} operations were measured; {len(further)} are further than {GOAL:.0e} on some backend.

## Further than {GOAL:.0e}

{_rows(further, backends)}
{_reasons(further)}
## All

{_rows(table, backends)}"""


def _reasons(table: Table) -> str:
    return "".join(f"- `{op}`: {WHY[op]}\n" for op in table if op in WHY)


def _rows(table: Table, backends: list[str]) -> str:
    lines = ["| operation | " + " | ".join(backends) + " |", "| --- " * (len(backends) + 1) + "|"]
    for op, row in table.items():
        cells = (f"{row[b]:.1e}" if b in row else "" for b in backends)
        lines.append(f"| `{op}` | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
