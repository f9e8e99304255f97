"""A web server on this machine that gives files by ranges, or misbehaves as it is told."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Site:
    """What the server has and how it behaves; and what was asked of it."""

    files: dict[str, bytes] = field(default_factory=dict)
    address: str = ""
    ranges: bool = True
    length_told: bool = True
    tag: str = '"one"'
    modified: str = "Fri, 20 Nov 2026 10:00:00 GMT"
    redirects: dict[str, str] = field(default_factory=dict)
    status: Callable[[int], int] = lambda number: 200
    """The status for the n-th request, from 0; 200 lets it be answered."""
    short: Callable[[int], bool] = lambda number: False
    """Whether the n-th answer breaks off half-way."""
    stall_s: float = 0.0
    """Seconds before an answer."""
    requests: list[str] = field(default_factory=list)
    """Method, path and range of each request."""
    agents: list[dict[str, str]] = field(default_factory=list)
    sent: int = 0
    """Bytes of bodies."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def url(self, path: str) -> str:
        return f"{self.address}/{path}"

    def forget(self) -> None:
        self.requests.clear()
        self.sent = 0


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    site: Site

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        site, path = self.site, self.path.partition("?")[0].lstrip("/")
        asked = self.headers.get("Range", "")
        with site.lock:
            number = len(site.requests)
            site.requests.append(f"{self.command} {path} {asked}".rstrip())
            site.agents.append(dict(self.headers.items()))
        time.sleep(site.stall_s)
        status = site.status(number)
        if path in site.redirects:
            self._head(302, {"Location": site.redirects[path], "Content-Length": "0"})
        elif status != 200 or path not in site.files:
            self._head(status if status != 200 else 404, {"Content-Length": "0"})
        else:
            self._give(site.files[path], asked, body, number)

    def _give(self, data: bytes, asked: str, body: bool, number: int) -> None:
        site = self.site
        tags = {"ETag": site.tag, "Last-Modified": site.modified}
        headers = {key: told for key, told in tags.items() if told}
        found = re.match(r"bytes=(\d+)-(\d*)$", asked) if site.ranges else None
        if found is None:
            status, part = 200, data
        elif int(found[1]) >= len(data):
            status, part = 416, b""
            headers["Content-Range"] = f"bytes */{len(data)}"
        else:
            start, stop = int(found[1]), min(int(found[2] or len(data)) + 1, len(data))
            status, part = 206, data[start:stop]
            headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(data)}"
        if site.length_told:
            headers["Content-Length"] = str(len(part))
        else:
            self.close_connection = True
        self._head(status, headers)
        if body:
            part = part[: len(part) // 2] if site.short(number) else part
            with site.lock:
                site.sent += len(part)
            self.wfile.write(part)
            if site.short(number):
                self.close_connection = True

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, told in headers.items():
            self.send_header(key, told)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


@contextmanager
def serving(**files: bytes) -> Iterator[Site]:
    """A site with these files, up for as long as the block runs."""
    site = Site({name.replace("__", "."): data for name, data in files.items()})
    handler = type("Handler", (_Handler,), {"site": site})
    server = _Server(("127.0.0.1", 0), handler)
    site.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
