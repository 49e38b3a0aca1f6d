"""Write docs/catalogue.md: every layer with a line, by folder.

python tools/layers.py [FILE]
"""

import importlib
import inspect
import sys
from pathlib import Path
from typing import Any

from operations import ROOT, cell

from kerata import layers

FOLDERS = (
    "core", "convolution", "pooling", "recurrent", "attention", "normalization", "regularization",
    "activation", "reshaping", "merging", "preprocessing", "preprocessing.image",
    "preprocessing.audio", "wrappers",
)  # fmt: skip


def first_line(made: object) -> str:
    """The first sentence of what a layer's docstring says, on one line."""
    doc = inspect.getdoc(made) or ""
    paragraph = " ".join(doc.split("\n\n")[0].split())
    return paragraph.removesuffix(".")


def names_in(folder: str) -> dict[str, Any]:
    """The public layers, and functions that make layers, that a folder defines."""
    module = f"kerata.layers.{folder}"
    inner = tuple(f"kerata.layers.{f}." for f in FOLDERS if f.startswith(f"{folder}."))
    return {
        name: value
        for name, value in inspect.getmembers(layers)
        if not name.startswith("_")
        and (inspect.isclass(value) or inspect.isfunction(value))
        and value.__module__.startswith(f"{module}.")
        and not value.__module__.startswith(inner or ("-",))
    }


def titles(name: str, names: dict[str, Any]) -> str:
    """A layer's name and its other names."""
    others = [n for n, made in names.items() if made is names[name] and n != name]
    return ", ".join(f"`{n}`" for n in (name, *others))


def page() -> str:
    """The whole page."""
    found = {folder: names_in(folder) for folder in FOLDERS}
    count = sum(len(names) for names in found.values())
    lines = [
        "# All layers",
        "",
        f"Written by `python tools/layers.py`. {count} names, with arguments as in Keras 3.15; how",
        "layers are written and used is told in [Layers](layers.md).",
    ]
    for folder, names in found.items():
        about = (importlib.import_module(f"kerata.layers.{folder}").__doc__ or "").strip()
        lines += ["", f"## {about.splitlines()[0].rstrip('.')}", "", "| layer | |", "| --- | --- |"]
        lines += [
            f"| {titles(name, names)} | {cell(first_line(made))} |"
            for name, made in names.items()
            if name == made.__name__
        ]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the page."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs/catalogue.md"
    target.write_text(page())


if __name__ == "__main__":
    main()
