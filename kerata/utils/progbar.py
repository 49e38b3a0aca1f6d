"""How progress is drawn, in a terminal, a notebook or a log file; and `Progbar`."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterable, Mapping
from typing import Any

from kerata import config


def number(value: Any) -> str:
    """A metric as it is shown.

    >>> number(0.25), number(2e-5)
    ('0.2500', '2.0000e-05')
    """
    if not isinstance(value, (int, float)):
        return str(value)
    return f"{value:.4f}" if 1e-3 < abs(value) < 1e5 or value == 0 else f"{value:.4e}"


def duration(seconds: float) -> str:
    """A time as it is shown.

    >>> duration(0.31), duration(12.3), duration(61), duration(3700)
    ('0.3s', '12s', '1m01s', '1h01m')
    """
    if seconds >= 3600:
        return f"{int(seconds // 3600)}h{int(seconds % 3600 // 60):02d}m"
    if seconds >= 60:
        return f"{int(seconds // 60)}m{int(seconds % 60):02d}s"
    return f"{seconds:.0f}s" if seconds >= 10 else f"{seconds:.1f}s"


def a_unit(seconds: float, unit: str = "step") -> str:
    """The time of one step as it is shown.

    >>> a_unit(0.0021)
    '2.1 ms/step'
    """
    if seconds >= 1:
        return f"{seconds:.2f} s/{unit}"
    return f"{seconds * 1e3:.1f} ms/{unit}" if seconds >= 1e-3 else f"{seconds * 1e6:.0f} µs/{unit}"


def a_second(count: float, unit: str) -> str:
    """A throughput as it is shown.

    >>> a_second(12345.6, "samples"), a_second(4.25, "samples")
    ('12,346 samples/s', '4.2 samples/s')
    """
    return f"{count:,.0f} {unit}/s" if count >= 100 else f"{count:.1f} {unit}/s"


def bar(done: int, total: int, width: int, filled: str) -> str:
    """A bar of `width` characters."""
    length = round(width * min(done / total, 1)) if total else width
    return filled * length + " " * (width - length)


def in_notebook() -> bool:
    """Whether output goes to a cell of a notebook."""
    return type(sys.stdout).__module__.startswith("ipykernel")


def moves() -> bool:
    """Whether a line that is out can be drawn over: in a terminal or a notebook."""
    live = in_notebook() or sys.stdout.isatty()
    return live and config.is_interactive_logging_enabled()


class Line:
    """One line of output, drawn again and again over itself."""

    def __init__(self) -> None:
        self._length = 0

    def draw(self, texts: Iterable[str]) -> None:
        """Put these texts in the place of what stands there, as many as a terminal has room for."""
        text = "  ".join(texts)
        if not in_notebook():  # what wraps could not be drawn over
            text = text[: shutil.get_terminal_size().columns - 1]
        self._put(text, "")

    def end(self, texts: Iterable[str]) -> None:
        """Draw a last time, and go on below."""
        self._put("  ".join(texts), "\n")
        self._length = 0

    def _put(self, text: str, end: str) -> None:
        padded = text.ljust(self._length)
        self._length = len(text)
        print("\r" + printable(padded), end=end, flush=True)


def filling() -> str:
    """What bars are made of, as the output's encoding allows."""
    return "━" if printable("━") == "━" else "="


def printable(text: str) -> str:
    """`text` with "?" for what the output's encoding lacks."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, "replace").decode(encoding)


def shown(logs: Mapping[str, Any]) -> list[str]:
    """The metrics as they are shown."""
    return [f"{name}: {number(value)}" for name, value in logs.items()]


class Progbar:
    """A progress bar.

    Args:
        target: how many steps there are; None where that is not known.
        width: of the bar, in characters.
        verbose: 0 silent, 1 a bar that moves, 2 one line at the end.
        interval: the least number of seconds between two drawings.
        stateful_metrics: names of values that are shown as they come; of others, the mean over the
            steps.
        stateless_metrics: names of those whose mean is shown, where these are fewer.
        unit_name: what a step is called.

    >>> bar = Progbar(2, verbose=2)
    >>> bar.update(1, [("loss", 4.0)])
    >>> bar.update(2, [("loss", 2.0)])  # doctest: +ELLIPSIS
    2/2 ... loss: 2.0000
    """

    def __init__(
        self,
        target: int | None,
        width: int = 20,
        verbose: int = 1,
        interval: float = 0.05,
        stateful_metrics: Iterable[str] | None = None,
        stateless_metrics: Iterable[str] | None = None,
        unit_name: str = "step",
    ) -> None:
        self.target = target
        self.width = width
        self.verbose = verbose
        self.interval = interval
        self.unit_name = unit_name
        self.stateful_metrics = set(stateful_metrics or ())
        self.stateless_metrics = None if stateless_metrics is None else set(stateless_metrics)
        self._seen = 0
        self._sums: dict[str, tuple[float, int]] = {}
        self._start = time.monotonic()
        self._last = 0.0
        self._line = Line()

    def update(
        self,
        current: int,
        values: Iterable[tuple[str, Any]] | None = None,
        finalize: bool | None = None,
    ) -> None:
        """Move to step `current`.

        Args:
            current: how many steps are done.
            values: `(name, value)` of the steps since the last call.
            finalize: whether this is the end, where values are shown as they are given; None for
                "when `target` is reached".
        """
        if finalize is None:
            finalize = self.target is not None and current >= self.target
        for name, value in values or ():
            self._take(name, value, current, finalize)
        self._seen = current
        now = time.monotonic()
        if finalize:
            self._draw(now, True)
        elif self.verbose == 1 and now - self._last >= self.interval:
            self._draw(now, False)

    def add(self, n: int, values: Iterable[tuple[str, Any]] | None = None) -> None:
        """Move on by `n` steps."""
        self.update(self._seen + n, values)

    def _take(self, name: str, value: Any, current: int, finalize: bool) -> None:
        as_it_is = name in self.stateful_metrics or (
            self.stateless_metrics is not None and name not in self.stateless_metrics
        )
        value = float(value)
        if finalize or as_it_is:
            self._sums[name] = value, 1
            return
        total, count = self._sums.get(name, (0.0, 0))
        steps = current - self._seen
        self._sums[name] = total + value * steps, count + steps

    def _draw(self, now: float, last: bool) -> None:
        if not self.verbose or (not last and not moves()):
            return
        self._last, spent = now, now - self._start
        each = spent / max(self._seen, 1)
        texts = [f"{self._seen}/{self.target or 'Unknown'}"]
        if self.verbose == 1 and self.target:
            texts[0] += " " + bar(self._seen, self.target, self.width, filling())
        left = None if last or not self.target else each * (self.target - self._seen)
        texts.append(duration(spent) if left is None else f"{duration(left)} left")
        texts += [a_unit(each, self.unit_name)]
        texts += shown({n: total / max(count, 1) for n, (total, count) in self._sums.items()})
        if not last:
            self._line.draw(texts)
        elif moves() and self.verbose == 1:
            self._line.end(texts)
        else:
            print(printable("  ".join(texts)), flush=True)
