"""SparseLabels: labels of an image of any size, of which only chunks with marks exist.

A zarr array (format 3): uint16 in chunks of 512 × 512, gzip, 0 where there is nothing. Its codec
is the standard library's, so a chunk is never unpacked to more than it should hold, whoever made
the file.
"""

from __future__ import annotations

import contextlib
import gzip
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.marks.steps import STORED, Labels, unpacked
from napari_astroseg.sky.pyramids.chunks import CHUNK

_LENGTH = CHUNK * CHUNK * STORED.itemsize
_LARGEST_FILE = _LENGTH + 2**16
_GZIP = 31
"""What zlib calls that form."""
_NUMBER = re.compile(r"0|[1-9][0-9]{0,5}")
_WRITERS = 8
"""Chunks on their way to the disk at once: it waits for all of them together."""

Place = tuple[int, int]
"""Row and column of a chunk."""


def empty_chunk() -> Labels:
    """A chunk without labels."""
    return np.zeros((CHUNK, CHUNK), np.uint16)


def packed_chunk(labels: Labels) -> bytes:
    """A chunk as it lies in its file."""
    return gzip.compress(labels.astype(STORED).tobytes(), 1, mtime=0)


def unpacked_chunk(packed: bytes) -> Labels:
    """The chunk in a file's bytes.

    Raises
    ------
    ValueError
        When they hold none.
    """
    data = unpacked(packed, _LENGTH, _GZIP)
    return np.frombuffer(data, STORED).reshape(CHUNK, CHUNK).astype(np.uint16)


class SparseLabels:
    """One mask: its chunks on disk, and those that are newer than the disk.

    Parameters
    ----------
    folder
        Of the zarr array; it may not exist yet.
    shape
        (H, W) of the image, px.

    Raises
    ------
    MarkError
        When the folder holds another array.
    """

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        self._folder = folder
        self._metadata = _metadata(shape)
        self._grid = -(-shape[0] // CHUNK), -(-shape[1] // CHUNK)
        self._newer: dict[Place, bytes] = {}
        """Packed; b"" where nothing is left."""
        # A writer that was killed may have left a folder, and nothing in it yet.
        self._exists = (folder / "zarr.json").exists()
        if self._exists:
            self._check()

    @property
    def waiting(self) -> int:
        """Bytes that are newer than the disk."""
        return sum(map(len, self._newer.values()))

    def chunk(self, row: int, column: int) -> Labels | None:
        """One chunk, 512 × 512, for the caller to keep; None where nothing is.

        Raises
        ------
        MarkError
            When its file is damaged.
        """
        packed = self._newer.get((row, column))
        if packed is None:
            packed = self._stored(row, column)
        try:
            return unpacked_chunk(packed) if packed else None
        except ValueError as error:
            raise self._damaged(self._path(row, column), str(error)) from error

    def put(self, row: int, column: int, labels: Labels) -> None:
        """Set one chunk, for now in memory.

        Raises
        ------
        ValueError
            When there is no such chunk.
        """
        if not (0 <= row < self._grid[0] and 0 <= column < self._grid[1]):
            raise ValueError(f"no chunk {row}, {column}")
        self._newer[row, column] = packed_chunk(labels) if labels.any() else b""

    def places(self) -> set[Place]:
        """Row and column of every chunk that holds anything."""
        found = set(self._on_disk())
        found |= {place for place, packed in self._newer.items() if packed}
        return found - {place for place, packed in self._newer.items() if not packed}

    def flush(self) -> None:
        """Bring the disk up to date.

        Raises
        ------
        OutputError
            When the disk refuses; what it did not take is kept in memory.
        """
        if not self._newer:
            return
        if not self._exists:
            _write(self._folder / "zarr.json", json.dumps(self._metadata).encode("ascii"))
            self._exists = True
        places = list(self._newer)
        with ThreadPoolExecutor(_WRITERS) as writers:
            for place, _ in zip(places, writers.map(self._write_one, places), strict=True):
                del self._newer[place]

    def _write_one(self, place: Place) -> None:
        path = self._path(*place)
        packed = self._newer[place]
        if packed:
            _write(path, packed)
        else:
            path.unlink(missing_ok=True)

    def _path(self, row: int, column: int) -> Path:
        return self._folder / "c" / str(row) / str(column)

    def _stored(self, row: int, column: int) -> bytes:
        path = self._path(row, column)
        try:
            with path.open("rb") as file:
                packed = file.read(_LARGEST_FILE + 1)
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise self._damaged(path, (error.strerror or str(error)).lower()) from error
        if not packed:
            raise self._damaged(path, "it is empty")
        return packed

    def _on_disk(self) -> Iterator[Place]:
        with contextlib.suppress(OSError):
            for row in os.scandir(self._folder / "c"):
                if _NUMBER.fullmatch(row.name) and row.is_dir():
                    for column in os.scandir(row):
                        if _NUMBER.fullmatch(column.name):
                            yield int(row.name), int(column.name)

    def _check(self) -> None:
        path = self._folder / "zarr.json"
        try:
            with path.open("rb") as file:
                told = json.loads(file.read(2**16))
        except (OSError, ValueError, RecursionError) as error:
            raise self._damaged(path, str(error)) from error
        if told != self._metadata:
            raise self._damaged(path, "it describes another array")

    def _damaged(self, path: Path, reason: str) -> MarkError:
        return MarkError(
            f"{path} is damaged ({' '.join(reason.split())[:100]}); delete the folder "
            f"{self._folder.parent}: it is made again from the journal"
        )


def _write(path: Path, data: bytes) -> None:
    """A file, whole and on the disk itself, or not at all."""
    with replacing(path) as temporary, temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _metadata(shape: tuple[int, int]) -> dict[str, Any]:
    """The array as zarr's format 3 describes it."""
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": "uint16",
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [CHUNK, CHUNK]}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [
            {"name": "bytes", "configuration": {"endian": "little"}},
            {"name": "gzip", "configuration": {"level": 1}},
        ],
        "attributes": {},
        "dimension_names": ["y", "x"],
    }
