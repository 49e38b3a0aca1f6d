"""The examples in the docs run, each page in a process of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from kerata import layers, ops

ROOT = Path(__file__).parents[2]
PAGES = (
    "layers",
    "training",
    "custom-steps",
    "callbacks",
    "data",
    "preprocessing",
    "images",
    "utilities",
    "precision",
    "performance",
    "quantization",
    "attention",
    "interop",
    "architecture",
    "adding-a-backend",
)
NEEDS = {"interop": ("flax",)}


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
def test_examples_run(page, tmp_path):
    for needed in ("jax", "torch", "tensorflow", "openvino", *NEEDS.get(page, ())):
        pytest.importorskip(needed)
    done = subprocess.run(
        [sys.executable, str(ROOT / "tests/docs/run_page.py"), str(ROOT / f"docs/{page}.md")],
        cwd=ROOT,
        env={**os.environ, "KERATA_BACKEND": "numpy", "KERATA_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_operations_are_listed():
    """`python tools/operations.py` writes the page anew."""
    page = (ROOT / "docs/operations.md").read_text()
    for name in (*ops.primitives(), *ops.composites()):
        assert f"| `{name}` |" in page, f"{name} is missing: run python tools/operations.py"


def test_layers_are_listed():
    """`python tools/layers.py` writes the page anew."""
    page = (ROOT / "docs/catalogue.md").read_text()
    base = {"Layer", "InputSpec", "deserialize", "enable_lora", "serialize"}
    names = {n for n, v in vars(layers).items() if callable(v) and not n.startswith("_")}
    for name in names - base:
        assert f"`{name}`" in page, f"{name} is missing: run python tools/layers.py"
