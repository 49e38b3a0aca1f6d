"""A local HTTP server for tests of downloads."""

from __future__ import annotations

import contextlib
import http.server
import re
import threading
from collections.abc import Iterator


class Server:
    """Serves files from memory.

    Attributes:
        url: its address, without a slash at its end.
        files: their content by name.
        tags: the ETag of each; none where it has none here.
        seen: name and first byte of each request.
        faults: what happens to the next requests, in order: an int is a status, a bytes object is
            sent in the place of the content's rest, and the connection closed.
    """

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.tags: dict[str, str] = {}
        self.seen: list[tuple[str, int]] = []
        self.faults: list[int | bytes] = []
        self.url = ""

    def answer(self, request: http.server.BaseHTTPRequestHandler) -> None:
        """Answer a request."""
        name = request.path.lstrip("/")
        content, tag = self.files.get(name), self.tags.get(name)
        asked = re.fullmatch(r"bytes=(\d+)-", request.headers.get("Range", ""))
        start = int(asked[1]) if asked and tag and request.headers.get("If-Range") == tag else 0
        self.seen.append((name, start))
        fault = self.faults.pop(0) if self.faults else None
        if content is None or isinstance(fault, int):
            request.send_error(fault or 404)
            return
        request.send_response(206 if start else 200)
        request.send_header("Content-Length", str(len(content) - start))
        if tag:
            request.send_header("ETag", tag)
        request.end_headers()
        request.wfile.write(content[start:] if fault is None else fault)
        request.close_connection = True


@contextlib.contextmanager
def serving() -> Iterator[Server]:
    """A server that runs inside a `with` block."""
    server = Server()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.answer(self)

        def log_message(self, *args: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        server.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server
        finally:
            listening.shutdown()
            thread.join()
