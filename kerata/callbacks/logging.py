"""Callbacks that hand the logs on."""

from __future__ import annotations

import csv
import json
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kerata.callbacks.callback import Callback, Logs


def _plain(value: Any) -> Any:
    """A log's value as CSV and JSON can hold it."""
    array = np.asarray(value) if hasattr(value, "__array__") else value
    if isinstance(array, np.ndarray):
        return array.item() if array.ndim == 0 else array.tolist()
    return array


class CSVLogger(Callback):
    """Write the logs of every epoch as a row of a CSV file.

    Args:
        filename: the file.
        separator: what stands between columns.
        append: whether to go on in a file that is there; otherwise it is written anew, unless
            `BackupAndRestore` goes on with the run that wrote it.
    """

    writes_files = True

    def __init__(self, filename: Any, separator: str = ",", append: bool = False) -> None:
        super().__init__()
        self.filename = Path(filename)
        self.separator = separator
        self.append = append
        self._file: Any = None
        self._writer: Any = None

    def on_epoch_begin(self, epoch: int, logs: Logs = None) -> None:
        if self._file is not None:
            return
        there = self.filename.exists() and self.filename.stat().st_size > 0
        resumed = there and getattr(getattr(self.model, "current_run", None), "resumed", False)
        if resumed:
            self._forget(epoch)
        goes_on = resumed or self.append
        self._header = not (there and goes_on)
        self._file = self.filename.open("a" if goes_on else "w", newline="")

    def _forget(self, epoch: int) -> None:
        """Take out the last rows from this epoch on: it is run again."""
        from kerata.saving.files import replacing

        rows = self.filename.read_text().splitlines(keepends=True)
        while len(rows) > 1 and int(rows[-1].split(self.separator)[0]) >= epoch:
            rows.pop()
        with replacing(self.filename) as beside:
            beside.write_text("".join(rows))

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        values = {"epoch": epoch, **{k: _plain(v) for k, v in (logs or {}).items()}}
        if self._writer is None:
            self._writer = csv.DictWriter(
                self._file,
                ["epoch", *sorted(k for k in values if k != "epoch")],
                restval="NA",
                extrasaction="ignore",
                delimiter=self.separator,
            )
            if self._header:
                self._writer.writeheader()
        self._writer.writerow({k: _quoted(v) for k, v in values.items()})
        self._file.flush()

    def on_train_end(self, logs: Logs = None) -> None:
        if self._file is not None:
            self._file.close()
        self._file = self._writer = None


def _quoted(value: Any) -> Any:
    if isinstance(value, Iterable) and not isinstance(value, str):
        return f'"[{", ".join(map(str, value))}]"'
    return value


class RemoteMonitor(Callback):
    """Send the logs of every epoch to a server, as an HTTP POST.

    Args:
        root: the server.
        path: the path, after `root`.
        field: the form's field that has the logs as JSON.
        headers: of the request.
        send_as_json: send JSON instead of a form.
    """

    def __init__(
        self,
        root: str = "http://localhost:9000",
        path: str = "/publish/epoch/end/",
        field: str = "data",
        headers: dict[str, str] | None = None,
        send_as_json: bool = False,
    ) -> None:
        super().__init__()
        self.root = root
        self.path = path
        self.field = field
        self.headers = headers
        self.send_as_json = send_as_json

    def on_epoch_end(self, epoch: int, logs: Logs = None) -> None:
        import urllib.parse
        import urllib.request  # with http and ssl: 17 ms

        text = json.dumps({"epoch": epoch, **{k: _plain(v) for k, v in (logs or {}).items()}})
        body = text if self.send_as_json else urllib.parse.urlencode({self.field: text})
        kind = "application/json" if self.send_as_json else "application/x-www-form-urlencoded"
        request = urllib.request.Request(
            self.root + self.path,
            data=body.encode(),
            headers={"Content-Type": kind, **(self.headers or {})},
        )
        try:
            with urllib.request.urlopen(request, timeout=10):
                pass
        except OSError as error:
            warnings.warn(f"RemoteMonitor: {self.root} can't be reached: {error}", stacklevel=2)


class TerminateOnNaN(Callback):
    """End training when the loss is NaN or infinite.

    Args:
        raise_error: raise a RuntimeError instead.
    """

    def __init__(self, raise_error: bool = False) -> None:
        super().__init__()
        self.raise_error = raise_error

    def on_train_batch_end(self, batch: int, logs: Logs = None) -> None:
        loss = (logs or {}).get("loss")
        if loss is None or np.isfinite(_plain(loss)):
            return
        text = f"Batch {batch}: the loss is {_plain(loss)}"
        if self.raise_error:
            raise RuntimeError(f"{text}; training ends")
        print(f"{text}, training ends")
        self.model.stop_training = True
