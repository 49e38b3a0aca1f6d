"""Write docs/operations.md: every primitive with one line each, and the composites with overrides.

python tools/operations.py [FILE]
"""

import sys
from pathlib import Path

from kerata import ops
from kerata.backends import registry

ROOT = Path(__file__).resolve().parent.parent
ENGINES = ("numpy", "jax", "torch", "tensorflow", "onnx", "abstract")


def first_line(operation: object) -> str:
    """The first line of an operation's docstring."""
    doc = getattr(operation, "signature_of").__doc__ or ""  # noqa: B009
    return " ".join(doc.strip().split("\n\n")[0].split())


def code_lines(folder: Path) -> int:
    """The lines of a folder's Python files."""
    return sum(len(path.read_text().splitlines()) for path in folder.rglob("*.py"))


def overrides(name: str) -> list[str]:
    """The backends that have a kernel of a composite's name."""
    return [e for e in ENGINES if name in registry.load(e).kernels]


def page() -> str:
    """The whole page."""
    primitives, composites = ops.primitives(), ops.composites()
    own = {name: overrides(name) for name in composites}
    lines = [
        "# Operations",
        "",
        "Written by `python tools/operations.py`. A primitive has a kernel on every backend that "
        "computes; a",
        "composite is written in other operations, and a backend may override it.",
        "",
        f"{len(primitives)} primitives, {len(composites)} composites. Lines of `kerata/ops`: "
        f"{code_lines(ROOT / 'kerata/ops'):,}.",
        "",
        "| backend | overrides of composites | lines |",
        "| --- | --- | --- |",
    ]
    for engine in ENGINES:
        count = sum(engine in engines for engines in own.values())
        lines.append(f"| {engine} | {count} | {code_lines(ROOT / 'kerata/backends' / engine):,} |")
    lines += ["", "## Primitives", "", "| name | what it gives |", "| --- | --- |"]
    lines += [f"| `{name}` | {cell(first_line(op))} |" for name, op in primitives.items()]
    lines += ["", "## Composites", "", "| name | overridden by | what it gives |"]
    lines += ["| --- | --- | --- |"]
    lines += [
        f"| `{name}` | {', '.join(own[name])} | {cell(first_line(op))} |"
        for name, op in composites.items()
    ]
    return "\n".join(lines) + "\n"


def cell(text: str) -> str:
    """`text` as it may stand in a table."""
    return text.replace("|", "\\|")


def main() -> None:
    """Write the page."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/operations.md"
    target.write_text(page())


if __name__ == "__main__":
    main()
