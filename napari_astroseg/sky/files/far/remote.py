"""RemoteHandle: the bytes of a file behind a network, fetched in blocks where they are wanted.

Nothing is fetched but what the user named. A file whose server gives no parts is fetched whole
if it is small.
"""

from __future__ import annotations

import hashlib
import os
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import name_of
from napari_astroseg.sky.files.far.blocks import BLOCK, Blocks, Part
from napari_astroseg.sky.files.far.patience import Version, changed
from napari_astroseg.sky.files.far.signed import unsigned


class Store(Protocol):
    """A file that is far, and who fetches spans of it."""

    version: Version
    start: bytes
    """Its first bytes where they came by the way; else empty."""

    def fetch(self, spans: list[range]) -> list[bytes]:
        """The bytes of the spans; `ImageError` if it cannot."""


class RemoteHandle:
    """A file at a URL (`http`, `https`, `s3`, whatever fsspec knows).

    Parameters
    ----------
    url
        Of the file.

    Raises
    ------
    ImageError
        When there is nothing to read.
    SetupError
        When the protocol needs a package that is not installed.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._version = self._connect().version
        self._ends = "" if self._version.etag or self._version.modified else self._ends_digest()

    @property
    def name(self) -> str:
        """What sentences call it."""
        return name_of(self._url)

    @property
    def size(self) -> int:
        """Its length in bytes when it was opened."""
        return self._version.size

    @property
    def identity(self) -> str:
        """A digest of the URL, the length, and the version that the server tells.

        Where it tells none, the file's first and last blocks stand for it. A URL signed anew
        names the same file.
        """
        told = self._version
        text = "\0".join(
            (unsigned(self._url), str(told.size), told.etag, told.modified, self._ends)
        )
        return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32]

    def read(self, into: NDArray[Any], offset: int) -> None:
        """Fill the contiguous array `into` from byte `offset` on.

        Raises
        ------
        ImageError
            When the server does not give those bytes, or has another file there by now.
        """
        self._fill([(_bytes_of(into), offset)])

    def read_lines(self, into: NDArray[Any], offset: int, stride: int) -> None:
        """Fill each row of the contiguous array `into`, the first from byte `offset` on.

        Each next one starts `stride` bytes further. What rows share is fetched once, and
        neighbours together.

        Raises
        ------
        ImageError
            As `read` does.
        """
        self._fill([(_bytes_of(line), offset + n * stride) for n, line in enumerate(into)])

    def _ends_digest(self) -> str:
        """A digest of the first and the last block."""
        count = min(BLOCK, self.size)
        ends = np.empty((2, count), np.uint8)
        self.read_lines(ends, 0, self.size - count)
        return hashlib.sha256(ends.tobytes()).hexdigest()

    def _fill(self, parts: list[Part]) -> None:
        for view, offset in parts:
            if offset < 0 or offset + len(view) > self.size:
                raise ImageError(
                    f"{self.name}: the file ends before its image does; it was cut short: "
                    "fetch it again from where it came from"
                )
        forked = self._process != os.getpid()  # sessions and locks do not survive it
        if forked and self._connect().version.differs(self._version):
            raise changed(self.name)
        self._blocks.fill(parts)

    def _connect(self) -> Store:
        store = _store(self._url)
        self._process = os.getpid()
        self._blocks = Blocks(store.version.size, store.fetch)
        self._blocks.start_with(store.start)
        return store

    def __reduce__(self) -> tuple[type[RemoteHandle], tuple[str]]:
        return RemoteHandle, (self._url,)


def _store(url: str) -> Store:
    """The store of a URL; each costs an import of its library."""
    if url.lower().startswith(("http://", "https://")):
        from napari_astroseg.sky.files.far.httpstore import HttpStore

        return HttpStore(url)
    from napari_astroseg.sky.files.far.fsspecstore import FsspecStore

    return FsspecStore(url)


def _bytes_of(array: NDArray[Any]) -> memoryview:
    return array.reshape(-1).view(np.uint8).data
