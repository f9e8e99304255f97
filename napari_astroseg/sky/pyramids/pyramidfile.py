"""Pyramid files: the block means of one image, in square chunks that one read brings.

Layout, little-endian: 8 bytes of magic, 4 bytes with the length of a JSON header, the header,
zeros up to byte 4096; then the levels, coarsest first, each as rows of chunks of 512 × 512
float32, values beyond a level's edges meaning nothing. The header names version, image shape,
factors and the identity of the pixels, so what lies where is known without trusting the file:
one that is of another version, image or length than it should be does not open, and is made anew.
"""

from __future__ import annotations

import contextlib
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import numpy as np

from napari_astroseg.errors import AstroSegError
from napari_astroseg.sky.files.handle import Handle, LocalHandle
from napari_astroseg.sky.pyramids.chunks import CHUNK, Floats

VERSION = 1
_MAGIC = b"ASTROPYR"
_HEAD = 4096
_CHUNK_BYTES = CHUNK * CHUNK * 4


@dataclass(frozen=True)
class Layout:
    """Which levels of an image are stored, and how large they are.

    Parameters
    ----------
    shape
        (H, W) of the image.
    top
        Factor of its coarsest level.
    finest
        Factor of the finest level that is stored.
    """

    shape: tuple[int, int]
    top: int
    finest: int = 2

    @property
    def factors(self) -> tuple[int, ...]:
        """Those of the levels stored, coarsest first."""
        count = self.top.bit_length() - self.finest.bit_length()
        return tuple(self.top >> k for k in range(count + 1))

    def shallower(self) -> Iterator[Layout]:
        """The same, and without its finest level, and without its two finest, and so on."""
        for factor in reversed(self.factors):
            yield replace(self, finest=factor)

    def level_shape(self, factor: int) -> tuple[int, int]:
        """Rows and columns of a level, padding to whole coarsest blocks included."""
        height, width = (-(-n // self.top) * self.top // factor for n in self.shape)
        return height, width

    def grid(self, factor: int) -> tuple[int, int]:
        """Rows and columns of a level's chunks."""
        height, width = self.level_shape(factor)
        return -(-height // CHUNK), -(-width // CHUNK)

    def start(self, factor: int) -> int:
        """Byte in the file at which a level begins."""
        coarser = (each for each in self.factors if each > factor)
        return _HEAD + sum(self._level_bytes(each) for each in coarser)

    @property
    def size(self) -> int:
        """Length of the file, bytes."""
        return _HEAD + sum(self._level_bytes(each) for each in self.factors)

    def _level_bytes(self, factor: int) -> int:
        rows, columns = self.grid(factor)
        return rows * columns * _CHUNK_BYTES


class Store(Protocol):
    """Where the block means of one image are."""

    @property
    def layout(self) -> Layout:
        """Which levels it has."""

    def chunk(self, factor: int, row: int, column: int) -> Floats | None:
        """One chunk without padding to 512; None where it cannot be had any more."""


class MemoryStore:
    """Block means that are kept in memory."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._levels: dict[int, Floats] = {}
        for factor in layout.factors:
            self._levels[factor] = np.empty((*layout.grid(factor), CHUNK, CHUNK), np.float32)

    def put(self, factor: int, row: int, chunks: Floats) -> None:
        """Store a level's row of chunks, shape (columns, 512, 512)."""
        self._levels[factor][row] = chunks

    def chunk(self, factor: int, row: int, column: int) -> Floats | None:
        """One chunk without padding."""
        height, width = self.layout.level_shape(factor)
        chunk = self._levels[factor][row, column]
        return chunk[: height - row * CHUNK, : width - column * CHUNK]


class FileWriter:
    """A pyramid file in the making.

    Parameters
    ----------
    path
        Of the new file, which is not to exist.
    """

    def __init__(self, path: Path, layout: Layout, identity: str) -> None:
        self.layout = layout
        self._file = path.open("xb", buffering=0)
        self._file.write(_head(layout, identity))

    def put(self, factor: int, row: int, chunks: Floats) -> None:
        """Store a level's row of chunks, shape (columns, 512, 512)."""
        columns = self.layout.grid(factor)[1]
        self._file.seek(self.layout.start(factor) + row * columns * _CHUNK_BYTES)
        left = np.ascontiguousarray(chunks, "<f4").reshape(-1).view(np.uint8).data
        while left:
            left = left[self._file.write(left) :]

    def close(self) -> None:
        """No more comes."""
        self._file.close()


class FileStore:
    """Block means in a file."""

    def __init__(self, handle: Handle, layout: Layout) -> None:
        self.layout = layout
        self._handle = handle

    @classmethod
    def find(cls, path: Path, layout: Layout, identity: str) -> FileStore | None:
        """The store in a file, if that is whole and belongs to the pixels of that identity.

        Parameters
        ----------
        layout
            The one that is wanted; the file may lack some of its fine levels.
        """
        with contextlib.suppress(AstroSegError):
            handle = LocalHandle(path)
            for found in layout.shallower():
                if handle.size == found.size:
                    head = np.empty(_HEAD, np.uint8)
                    handle.read(head, 0)  # from now on open: it may leave its folder
                    if head.tobytes() == _head(found, identity):
                        return cls(handle, found)
        return None

    def chunk(self, factor: int, row: int, column: int) -> Floats | None:
        """One chunk without padding; None if the file is gone or has changed."""
        layout = self.layout
        number = row * layout.grid(factor)[1] + column
        values = np.empty((CHUNK, CHUNK), "<f4")
        try:
            self._handle.read(values.reshape(-1), layout.start(factor) + number * _CHUNK_BYTES)
        except AstroSegError:
            return None
        height, width = layout.level_shape(factor)
        inside = values[: height - row * CHUNK, : width - column * CHUNK]
        return np.asarray(inside, np.float32)


def _head(layout: Layout, identity: str) -> bytes:
    """The file's first bytes."""
    told = {
        "version": VERSION,
        "shape": layout.shape,
        "factors": layout.factors,
        "chunk": CHUNK,
        "identity": identity,
    }
    text = json.dumps(told).encode("ascii")
    return (_MAGIC + struct.pack("<I", len(text)) + text).ljust(_HEAD, b"\0")
