"""HttpStore: spans of a file behind `http(s)`, asked for side by side, again where that may help.

fsspec keeps the session (proxies, `~/.netrc`, the user's own fsspec settings); the questions are
put here, for only the whole answer tells a server that gives no spans, or another file by now.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import Any

import aiohttp
import fsspec
from fsspec.asyn import sync

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import name_of, spoken
from napari_astroseg.sky.files.far import patience
from napari_astroseg.sky.files.far.blocks import BLOCK, KEPT
from napari_astroseg.sky.files.far.patience import NoAnswer, NotThere, Transient, Version, changed

_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")
_MAY_PASS = {408, 425, 429, 500, 502, 503, 504}
_WANTS_NAME = {401, 403, 407}
_GONE = {404, 410}


@dataclass(frozen=True)
class _Answer:
    version: Version
    whole: bool
    body: bytes


class HttpStore:
    """A file at an `http` or `https` URL, which is asked for its start at once.

    Parameters
    ----------
    url
        Of the file.

    Raises
    ------
    ImageError
        When the server does not give the file, or neither parts nor a small whole of it.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        settings = fsspec.config.conf.get("http", {}).get("client_kwargs", {})
        client = {"trust_env": True, **settings}  # proxies and netrc, as curl and requests do
        self._files = fsspec.filesystem("http", client_kwargs=client)
        self._gate = asyncio.Semaphore(patience.SIDE_BY_SIDE)  # for all threads together
        first = self._ask([range(BLOCK)], None)[0]
        self.version = first.version
        self.start = first.body
        """The first block; all of a small file whose server gives no parts."""

    def fetch(self, spans: list[range]) -> list[bytes]:
        """The bytes of the spans.

        Raises
        ------
        ImageError
            When the server does not give them, or the file is no longer the same.
        """
        return [answer.body for answer in self._ask(spans, self.version)]

    def _ask(self, spans: list[range], known: Version | None) -> list[_Answer]:
        # The loop keeps time itself; this limit is for a loop that hangs.
        limit = patience.allowed(KEPT) + 5
        try:
            return list(sync(self._files.loop, self._side_by_side, spans, known, timeout=limit))
        except ImageError:
            raise
        except (Transient, TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            raise NoAnswer(
                f"{spoken(self._url)} cannot be read ({patience.reason(error)}); "
                "check the address and the network, or try again later"
            ) from None  # the error itself may spell out a password

    async def _side_by_side(self, spans: list[range], known: Version | None) -> list[_Answer]:
        deadline = asyncio.timeout(patience.allowed(sum(map(len, spans))))

        async def one(span: range) -> _Answer:
            async with self._gate:
                return await self._persistently(span, known, deadline)

        tasks = [asyncio.create_task(one(span)) for span in spans]
        try:
            async with deadline:
                return list(await asyncio.gather(*tasks))
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _persistently(
        self, span: range, known: Version | None, deadline: asyncio.Timeout
    ) -> _Answer:
        for pause in patience.PAUSES_S:
            try:
                return await self._once(span, known, deadline)
            except (aiohttp.ClientSSLError, aiohttp.InvalidURL, aiohttp.TooManyRedirects):
                raise  # it will be no different next time
            except (Transient, TimeoutError, aiohttp.ClientError, OSError):
                await asyncio.sleep(pause)
        return await self._once(span, known, deadline)

    async def _once(self, span: range, known: Version | None, deadline: asyncio.Timeout) -> _Answer:
        session = await self._files.set_session()
        options: dict[str, Any] = dict(self._files.kwargs)
        headers = {
            **options.pop("headers", {}),
            "Range": f"bytes={span.start}-{span.stop - 1}",
            "Accept-Encoding": "identity",  # spans count the bytes of the file
        }
        patient = aiohttp.ClientTimeout(
            total=None, sock_connect=patience.PATIENCE_S / 3, sock_read=patience.PATIENCE_S / 3
        )
        url = self._files.encode_url(self._url)
        options |= {"headers": headers, "timeout": patient, "auto_decompress": False}
        async with session.get(url, **options) as answer:
            if known is None:
                return await self._first(answer, deadline)
            self._judge(answer)
            here = _version(answer)
            if answer.status == 416 or here.differs(known):
                raise changed(name_of(self._url))
            if answer.status != 206 or _start(answer) != span.start:
                raise Transient("the server gave another part than was asked for")
            return _Answer(here, False, await _body(answer, len(span)))

    async def _first(self, answer: aiohttp.ClientResponse, deadline: asyncio.Timeout) -> _Answer:
        """The start of the file, or all of it where the server gives no parts."""
        self._judge(answer)
        version = _version(answer)
        if answer.status == 416 and version.size == 0:
            return _Answer(version, True, b"")
        if answer.status == 206 and version.size >= 0 and _start(answer) == 0:
            return _Answer(version, False, await _body(answer, min(BLOCK, version.size)))
        if answer.status != 200 or version.size > KEPT:
            raise self._no_parts()
        deadline.reschedule(asyncio.get_running_loop().time() + patience.allowed(KEPT))
        body = await _body(answer, version.size) if version.size >= 0 else await self._all(answer)
        return _Answer(Version(len(body), version.etag, version.modified), True, body)

    async def _all(self, answer: aiohttp.ClientResponse) -> bytes:
        """A body whose length the server does not tell."""
        body = bytearray()
        async for chunk in answer.content.iter_chunked(2**20):
            body += chunk
            if len(body) > KEPT:
                raise self._no_parts()
        return bytes(body)

    def _no_parts(self) -> ImageError:
        return ImageError(
            f"{spoken(self._url)}: its server gives no parts of files, only the whole; "
            "download it and open your copy"
        )

    def _judge(self, answer: aiohttp.ClientResponse) -> None:
        """Raise what an unwelcome status means."""
        status = answer.status
        if status in _MAY_PASS:
            raise Transient(f"the server answers {status} {answer.reason or ''}".rstrip())
        if status in _GONE:
            raise NotThere(
                f"{spoken(self._url)} is not there, says its server ({status}); check the address"
            )
        if status in _WANTS_NAME:
            raise ImageError(
                f"{spoken(self._url)} is not open to everyone, says its server ({status}); "
                "put your name and password for it into ~/.netrc, or download it and open your copy"
            )
        if status not in {200, 206, 416}:
            raise ImageError(
                f"{spoken(self._url)} is refused by its server ({status} {answer.reason or ''}); "
                "check the address in a browser"
            )


def _version(answer: aiohttp.ClientResponse) -> Version:
    """What an answer tells of the file; a size of -1 where it does not."""
    headers = answer.headers
    if answer.status == 200:
        size = int(headers.get("Content-Length", -1))
    else:
        told = _RANGE.match(headers.get("Content-Range", ""))
        size = int(told[2]) if told else -1
    return Version(size, headers.get("ETag", ""), headers.get("Last-Modified", ""))


def _start(answer: aiohttp.ClientResponse) -> int:
    told = _RANGE.match(answer.headers.get("Content-Range", ""))
    return int(told[1]) if told and told[1] else -1


async def _body(answer: aiohttp.ClientResponse, count: int) -> bytes:
    """So many bytes of the answer, and no more, whatever the server sends."""
    try:
        return await answer.content.readexactly(count)
    except asyncio.IncompleteReadError as error:
        raise Transient(f"the server gave {len(error.partial)} of {count} bytes") from None
