"""InMemory: a file's bytes read at once, unpacked where they are packed, for those read only once.

Opening a packed file by itself unpacks it into the cache, to be read again; tens of thousands of
small ones would push everything else out of there.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import AstroSegError, ImageError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.hdus import open_hdus
from napari_astroseg.sky.files.look import look_at_start
from napari_astroseg.sky.files.opened import OpenFile

LARGEST = 512 * 2**20
"""Unpacked, bytes; larger files are for opening by themselves."""

_GZIP = b"\x1f\x8b"
_START = 1024


class InMemory:
    """The bytes of a file, as a `Handle`."""

    def __init__(self, data: bytes, name: str) -> None:
        self.name = name
        self.size = len(data)
        self._data = np.frombuffer(data, np.uint8)

    @property
    def identity(self) -> str:
        """A digest of the bytes."""
        return hashlib.sha256(self._data.data).hexdigest()[:32]

    def read(self, into: NDArray[Any], offset: int) -> None:
        """Fill the contiguous array `into` from byte `offset` on.

        Raises
        ------
        ImageError
            When the file ends before.
        """
        self.read_lines(into.reshape(1, -1), offset, 0)

    def read_lines(self, into: NDArray[Any], offset: int, stride: int) -> None:
        """Fill each row of the contiguous array `into`, starting `stride` bytes after the last.

        Raises
        ------
        ImageError
            When the file ends before.
        """
        for number, line in enumerate(into.view(np.uint8)):
            first = offset + number * stride
            if first + len(line) > self.size:
                raise ImageError(
                    f"{self.name}: the file ends before its image does; fetch it again"
                )
            line[:] = self._data[first : first + len(line)]


@contextmanager
def opened_whole(path: Path) -> Iterator[OpenFile]:
    """Open a FITS file read as a whole, `.gz` or not; as `opened` otherwise.

    Raises
    ------
    ImageError
        When it cannot be read, or is larger than 512 MiB.
    """
    name = path.name
    try:
        packed = path.read_bytes() if path.stat().st_size <= LARGEST else None
    except OSError as error:
        raise ImageError(
            f"{name} cannot be read ({(error.strerror or str(error)).lower()}); check it"
        ) from error
    data = None if packed is None else _unpacked(packed, name)
    if data is None:
        raise ImageError(f"{name} is larger than {LARGEST // 2**20} MiB; open it by itself")
    look_at_start(data[:_START], name)
    handle = InMemory(data, name)
    try:
        with open_hdus(handle) as hdus:
            yield OpenFile(Address(str(path)), hdus, handle)
    except AstroSegError:
        raise
    except Exception as error:  # astropy answers a broken file with whatever broke inside it
        reason = " ".join(str(error).split())[:160] or type(error).__name__
        raise ImageError(f"{name} cannot be read as FITS ({reason}); fetch it again") from error


def _unpacked(data: bytes, name: str) -> bytes | None:
    """What gzip packed, or what is not packed; None where that is too large."""
    parts, held = [], 0
    if not data.startswith(_GZIP):
        return data
    while data.startswith(_GZIP):
        one = zlib.decompressobj(wbits=31)
        try:
            parts.append(one.decompress(data, LARGEST + 1 - held))
        except zlib.error as error:
            raise ImageError(f"{name} cannot be unpacked ({error}); fetch it again") from error
        held += len(parts[-1])
        if held > LARGEST:
            return None
        if not one.eof:
            raise ImageError(f"{name} was cut short while it was packed; fetch it again")
        data = one.unused_data
    return parts[0] if len(parts) == 1 else b"".join(parts)
