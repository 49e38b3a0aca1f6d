"""Files of tokens, one a line."""

from __future__ import annotations

import json
import os
import pathlib
from collections.abc import Sequence
from typing import Any

NAME = "vocabulary.txt"
_WITH_BREAKS = "vocabulary.json"  # beside the other, for tokens that hold line breaks


def read_lines(path: Any, encoding: str = "utf-8") -> list[str]:
    """The lines of a file of tokens.

    Raises:
        ValueError: there is no such file.
    """
    path = pathlib.Path(os.fspath(path))
    if not path.is_file():
        raise ValueError(f"vocabulary: there is no file {path}")
    lines = path.read_bytes().split(b"\n")
    if lines[-1] == b"":
        lines.pop()
    return [line.removesuffix(b"\r").decode(encoding) for line in lines]


def save_tokens(folder: Any, tokens: Sequence[Any]) -> None:
    """Write tokens to a folder, as Keras does."""
    texts = [str(t) for t in tokens]
    path = pathlib.Path(folder)
    (path / NAME).write_bytes("\n".join(texts).encode("utf-8"))
    if any("\n" in t or "\r" in t for t in texts) or texts[-1:] == [""]:
        (path / _WITH_BREAKS).write_text(json.dumps(texts))


def load_tokens(folder: Any) -> list[str]:
    """The tokens that `save_tokens` (or Keras) wrote to a folder."""
    path = pathlib.Path(folder)
    if (path / _WITH_BREAKS).is_file():
        found: list[str] = json.loads((path / _WITH_BREAKS).read_text())
        return found
    return read_lines(path / NAME)
