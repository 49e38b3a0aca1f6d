"""Print the lines of each folder and fail where the code is over a size budget.

    python tools/budgets.py [ROOT]

The rules, for the package `kerata/` but where it says otherwise:

- a file, tests and tools included, has at most 600 lines;
- a function has at most 100 lines, its docstring not counted;
- the files of `Layer`, `Model` and the trainer have at most 3,000 lines together;
- the catalogue, the folders in `kerata/layers/`, has at most 9,000, docstrings not counted;
- no backend is asked for by name outside `kerata/backends/`.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

FILE_LINES = 600
FUNCTION_LINES = 100
USUAL_FUNCTION_LINES = 30
CORE_LINES = 3_000
CATALOGUE_LINES = 9_000

FOLDERS = ("kerata", "tests", "tools", "benchmarks", "examples")
CORE_CLASSES = {"Layer", "Model"}
BESIDE = {"data", "limits", "tuning"}  # in the trainer's folder
BACKENDS = {"jax", "torch", "tensorflow", "numpy", "openvino"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def lines_of(function: Function) -> int:
    """The lines of a function from `def` to its end, without its docstring."""
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1 - docstring_lines(function)


def docstring_lines(node: ast.AST) -> int:
    """The lines of the docstring of a function, class or module; 0 without one."""
    if not isinstance(node, Function | ast.ClassDef | ast.Module):
        return 0
    if ast.get_docstring(node, clean=False) is None:
        return 0
    docstring = node.body[0]
    assert docstring.end_lineno is not None
    return docstring.end_lineno - docstring.lineno + 1


def holds_backend_name(node: ast.AST) -> bool:
    """Whether an expression is a backend's name or a literal collection with one in it."""
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return any(holds_backend_name(element) for element in node.elts)
    if isinstance(node, ast.Dict):
        return any(key is not None and holds_backend_name(key) for key in node.keys)
    return isinstance(node, ast.Constant) and node.value in BACKENDS


def asks_for_backend(node: ast.AST) -> bool:
    """Whether a node compares with a backend's name, matches it or looks it up in a literal."""
    match node:
        case ast.Compare(left=left, comparators=others):
            return any(holds_backend_name(side) for side in (left, *others))
        case ast.MatchValue(value=value):
            return holds_backend_name(value)
        case ast.Call(func=ast.Attribute(attr="startswith" | "endswith"), args=[first, *_]):
            return holds_backend_name(first)
        case ast.Dict():
            return holds_backend_name(node)
    return False


def is_core(path: Path, tree: ast.Module) -> bool:
    """Whether a file belongs to `Layer`, to `Model` or to the trainer (not to what feeds it or
    stands on its public hooks)."""
    if path.parts[:2] == ("kerata", "training"):
        return not BESIDE.intersection(path.with_suffix("").parts)
    return any(isinstance(node, ast.ClassDef) and node.name in CORE_CLASSES for node in tree.body)


class Report:
    """What was counted in all files, and what is over a budget."""

    def __init__(self) -> None:
        self.lines: Counter[str] = Counter()
        self.files: Counter[str] = Counter()
        self.functions: list[int] = []
        self.core = 0
        self.catalogue = 0
        self.faults: list[str] = []

    def add(self, path: Path, source: str) -> None:
        """Count one file, `path` being relative to the root."""
        length = len(source.splitlines())
        folder = "/".join(path.parts[:2]) if path.parts[0] == "kerata" else path.parts[0]
        folder = folder.removesuffix(path.name).rstrip("/")
        self.lines[folder] += length
        self.files[folder] += 1
        if length > FILE_LINES:
            self.faults.append(f"{path}: {length} lines, over {FILE_LINES}")
        if path.parts[0] == "kerata":
            self.add_package_file(path, ast.parse(source, str(path)), length)

    def add_package_file(self, path: Path, tree: ast.Module, length: int) -> None:
        """Apply the rules that hold inside the package."""
        if is_core(path, tree):
            self.core += length
        if path.parts[:2] == ("kerata", "layers") and len(path.parts) > 3:
            self.catalogue += length - sum(map(docstring_lines, ast.walk(tree)))
        names_allowed = path.parts[:2] == ("kerata", "backends")
        for node in ast.walk(tree):
            if isinstance(node, Function):
                size = lines_of(node)
                self.functions.append(size)
                if size > FUNCTION_LINES:
                    what = f"{node.name} has {size} lines, over {FUNCTION_LINES}"
                    self.faults.append(f"{path}:{node.lineno}: {what}")
            if names_allowed or not isinstance(node, ast.expr | ast.pattern):
                continue
            if asks_for_backend(node):
                what = "a backend is asked for by name outside kerata/backends/"
                self.faults.append(f"{path}:{node.lineno}: {what}")

    def show(self) -> None:
        """Print the table, the totals and the faults."""
        for folder, lines in sorted(self.lines.items()):
            print(f"{folder:<26} {lines:>7,} lines {self.files[folder]:>5} files")
        package = sum(n for folder, n in self.lines.items() if folder.startswith("kerata"))
        print(f"{'kerata in all':<26} {package:>7,} lines")
        print(f"{'Layer, Model, trainer':<26} {self.core:>7,} lines, at most {CORE_LINES:,}")
        size = f"{self.catalogue:>7,} lines without docstrings, at most {CATALOGUE_LINES:,}"
        print(f"{'catalogue of layers':<26} {size}")
        if self.functions:
            usual = sum(size <= USUAL_FUNCTION_LINES for size in self.functions)
            share = usual / len(self.functions)
            print(f"functions of at most {USUAL_FUNCTION_LINES} lines: {share:.1%} (aim: 90 %)")
        for fault in self.faults:
            print(f"over budget: {fault}")


def python_files(root: Path) -> Iterator[Path]:
    """The Python files of the project, relative to its root, in order."""
    for folder in FOLDERS:
        for path in sorted((root / folder).rglob("*.py")):
            yield path.relative_to(root)


def main(root: Path) -> int:
    """Check the project in `root`; return the exit status."""
    report = Report()
    for path in python_files(root):
        report.add(path, (root / path).read_text(encoding="utf-8"))
    if report.core > CORE_LINES:
        report.faults.append(f"Layer, Model and trainer: {report.core} lines, over {CORE_LINES}")
    if report.catalogue > CATALOGUE_LINES:
        size = f"{report.catalogue} lines without docstrings"
        report.faults.append(f"the catalogue of layers: {size}, over {CATALOGUE_LINES}")
    report.show()
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[1]))
