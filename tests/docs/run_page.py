"""Run the examples of a page of the docs, in order and in one session.

    python tests/docs/run_page.py docs/architecture.md

Blocks of `python` are executed; what blocks of `pycon` print is compared.
"""

from __future__ import annotations

import doctest
import re
import sys
from pathlib import Path
from typing import Any

_BLOCK = re.compile(r"^```(python|pycon)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def run(page: Path) -> int:
    """How many examples of the page fail; what they printed goes to standard output."""
    names: dict[str, Any] = {"__name__": "__main__"}
    text = page.read_text(encoding="utf-8")
    runner = doctest.DocTestRunner(optionflags=doctest.IGNORE_EXCEPTION_DETAIL)
    for block in _BLOCK.finditer(text):
        line = text.count("\n", 0, block.start(2))
        if block[1] == "python":
            exec(compile("\n" * line + block[2], str(page), "exec", dont_inherit=True), names)
        else:
            test = doctest.DocTestParser().get_doctest(block[2], names, page.name, str(page), line)
            test.globs = names  # instead of a copy
            runner.run(test, clear_globs=False)
    return runner.failures


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    sys.exit(run(Path(sys.argv[1])))
