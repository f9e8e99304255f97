"""A hips2fits service on this machine: a sky of known sources, and every way to misbehave."""

from __future__ import annotations

import io
import json
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SO_LINGER, SOL_SOCKET
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import WCS

PAGE = b"<!DOCTYPE html><html><body>Down for maintenance</body></html>"
FIGURE = struct.pack("ii", 1, 0)


@dataclass
class Sky:
    """What the service shows, and how it behaves; and what was asked of it."""

    sources: list[SkyCoord] = field(default_factory=list)
    """Each is a Gaussian of height 100, four pixels wide."""
    floor: float = 7.0
    unit: str = ""
    behaves: Callable[[int], str] = lambda number: "well"
    """The manner of the n-th answer, from 0: `well`, a status (`500`), or one of `_Handler`'s."""
    address: str = ""
    asked: list[dict[str, str]] = field(default_factory=list)
    agents: list[str] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    """What silent answers wait for."""
    lock: threading.Lock = field(default_factory=threading.Lock)

    def picture(self, cards: dict[str, Any]) -> fits.PrimaryHDU:
        """The sky on the grid that a question's cards ask for."""
        header = fits.Header(cards)
        width, height = int(cards["NAXIS1"]), int(cards["NAXIS2"])
        wcs = WCS(header)
        there = wcs.pixel_to_world(*np.meshgrid(np.arange(width), np.arange(height)))
        lit = np.isfinite(there.spherical.lon)
        values = np.full((height, width), np.nan)
        values[lit] = self.floor
        sigma = 4 * 3600 * abs(float(cards["CDELT2"]))
        for source in self.sources:
            apart = there[lit].separation(source.transform_to(there.frame)).arcsec
            values[lit] += 100 * np.exp(-0.5 * (apart / sigma) ** 2)
        hdu = fits.PrimaryHDU(values.astype(np.float32), wcs.to_header())
        if self.unit:
            hdu.header["BUNIT"] = self.unit
        return hdu


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sky: Sky

    def do_GET(self) -> None:
        sky = self.sky
        asked = {key: told[0] for key, told in parse_qs(urlsplit(self.path).query).items()}
        with sky.lock:
            number = len(sky.asked)
            sky.asked.append(asked)
            sky.agents.append(self.headers.get("User-Agent", ""))
        manner = sky.behaves(number)
        if manner.isdigit():
            told = {"title": "No such thing", "description": f"<b>{asked['hips']}</b> µ"}
            self._send(json.dumps(told).encode(), status=int(manner), kind="application/json")
        else:
            getattr(self, f"_{manner}")(asked)

    def _file(self, asked: dict[str, str], change: Callable[[Any], None] | None = None) -> bytes:
        hdu = self.sky.picture(json.loads(asked["wcs"]))
        hdu.header.add_history("A sky on this machine, generated in the manner of hips2fits")
        hdu.header.add_history(f"{'From HiPS':>60} {quote(asked['hips'])} (goes on in the next)")
        if change is not None:
            change(hdu)
        file = io.BytesIO()
        hdu.writeto(file)
        return file.getvalue()

    def _well(self, asked: dict[str, str]) -> None:
        assert asked["format"] == "fits"
        self._send(self._file(asked))

    def _silent(self, asked: dict[str, str]) -> None:
        self.sky.released.wait(20)
        self._well(asked)

    def _stalling(self, asked: dict[str, str]) -> None:
        """Half the answer, then nothing for a while."""
        body = self._file(asked)
        self._head(200, len(body))
        self.wfile.write(body[: len(body) // 2])
        self.wfile.flush()
        self.sky.released.wait(20)
        self.wfile.write(body[len(body) // 2 :])

    def _trickling(self, asked: dict[str, str]) -> None:
        body = self._file(asked)
        self._head(200, len(body))
        for at in range(0, len(body), 4096):
            self.wfile.write(body[at : at + 4096])
            self.wfile.flush()
            if self.sky.released.wait(0.05):
                self.close_connection = True
                return

    def _cut(self, asked: dict[str, str]) -> None:
        """Fewer bytes than were promised."""
        body = self._file(asked)
        self._head(200, len(body))
        self.wfile.write(body[: len(body) // 2])
        self.close_connection = True

    def _short(self, asked: dict[str, str]) -> None:
        """As many bytes as were promised, but only half a file."""
        body = self._file(asked)
        self._send(body[: len(body) // 2])

    def _headless(self, asked: dict[str, str]) -> None:
        self._send(self._file(asked)[:400])

    def _reset(self, asked: dict[str, str]) -> None:
        self.connection.setsockopt(SOL_SOCKET, SO_LINGER, FIGURE)
        self.connection.close()
        self.close_connection = True

    def _page(self, asked: dict[str, str]) -> None:
        self._send(PAGE, kind="text/html")

    def _nothing(self, asked: dict[str, str]) -> None:
        self._send(b"")

    def _noise(self, asked: dict[str, str]) -> None:
        start = b"SIMPLE  = \xff\x00 not really".ljust(80) + b"NAXIS   = (1".ljust(80)
        self._send((start + b"END".ljust(80)).ljust(2880) + bytes(5760))

    def _endless(self, asked: dict[str, str]) -> None:
        """A header that goes on and on."""
        self._send(b"SIMPLE  =                    T".ljust(80) + b"COMMENT".ljust(80) * 4000)

    def _shape(self, asked: dict[str, str]) -> None:
        def change(hdu: Any) -> None:
            hdu.data = hdu.data[:-1, :-2]

        self._send(self._file(asked, change))

    def _wild(self, asked: dict[str, str]) -> None:
        """A header that promises more than any memory holds."""
        width = b"NAXIS1  = " + str(json.loads(asked["wcs"])["NAXIS1"]).rjust(20).encode()
        told = b"NAXIS1  = " + b"99999999999".rjust(20)
        self._send(self._file(asked).replace(width, told))

    def _unseen(self, asked: dict[str, str]) -> None:
        def change(hdu: Any) -> None:
            hdu.data[:] = np.nan

        self._send(self._file(asked, change))

    def _zero(self, asked: dict[str, str]) -> None:
        def change(hdu: Any) -> None:
            hdu.data[:] = 0

        self._send(self._file(asked, change))

    def _blank(self, asked: dict[str, str]) -> None:
        """Plates, as integers of which none holds anything."""

        def change(hdu: Any) -> None:
            hdu.data = np.full(hdu.data.shape, -32768, np.int16)
            hdu.header["BLANK"] = -32768

        self._send(self._file(asked, change))

    def _plates(self, asked: dict[str, str]) -> None:
        """Plates, as integers of which the left half holds nothing."""

        def change(hdu: Any) -> None:
            values = np.round(hdu.data).astype(np.int16)
            values[:, : values.shape[1] // 2] = -32768
            hdu.data = values
            hdu.header["BLANK"] = -32768

        self._send(self._file(asked, change))

    def _half(self, asked: dict[str, str]) -> None:
        def change(hdu: Any) -> None:
            hdu.data[:, : hdu.data.shape[1] // 2] = np.nan

        self._send(self._file(asked, change))

    def _colour(self, asked: dict[str, str]) -> None:
        def change(hdu: Any) -> None:
            hdu.data = np.stack([hdu.data.astype(np.uint8)] * 3)

        self._send(self._file(asked, change))

    def _elsewhere(self, asked: dict[str, str]) -> None:
        def change(hdu: Any) -> None:
            hdu.header["CRVAL1"] += 0.1

        self._send(self._file(asked, change))

    def _nowhere(self, asked: dict[str, str]) -> None:
        def change(hdu: Any) -> None:
            for card in ("CTYPE1", "CTYPE2"):
                del hdu.header[card]

        self._send(self._file(asked, change))

    def _scaleless(self, asked: dict[str, str]) -> None:
        def change(hdu: Any) -> None:
            hdu.header["BSCALE"] = "one"

        self._send(self._file(asked, change))

    def _other(self, asked: dict[str, str]) -> None:
        """Another HiPS than the word that was asked for, as the service may choose."""
        self._send(self._file(asked | {"hips": "CDS/P/Other/band"}))

    def _huge(self, asked: dict[str, str]) -> None:
        self._head(200, 2**40)
        self.close_connection = True

    def _growing(self, asked: dict[str, str]) -> None:
        """No length told, and no end."""
        self.send_response(200)
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        try:
            self.wfile.write(self._file(asked))
            for _ in range(4000):
                self.wfile.write(bytes(2**16))
        except OSError:
            return

    def _send(self, body: bytes, status: int = 200, kind: str = "image/fits") -> None:
        self._head(status, len(body), kind)
        self.wfile.write(body)

    def _head(self, status: int, length: int, kind: str = "image/fits") -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def log_message(self, *args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        pass  # those who were waited for no longer


@contextmanager
def hips_service(**told: Any) -> Iterator[Sky]:
    """The service while the block lasts; its questions go to `sky.address`."""
    sky = Sky(**told)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"sky": sky}))
    sky.address = f"http://127.0.0.1:{server.server_port}/hips2fits"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield sky
    finally:
        sky.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
