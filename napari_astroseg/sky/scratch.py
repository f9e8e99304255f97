"""Scratch: maps of a window in an unnamed file, filled and read part by part."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import OutputError
from napari_astroseg.sky.window import Window

Maps = NDArray[np.float32]


class Scratch:
    """Maps (maps, H, W) of a window, NaN until told; on disk, and gone when closed.

    Parameters
    ----------
    folder
        On whose disk the file is.

    Raises
    ------
    OutputError
        When the disk refuses.
    """

    def __init__(self, folder: Path, window: Window, maps: int) -> None:
        self._window, self._maps = window, maps
        with _disk("kept"):
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 (it lives as long as this)
            missing = np.full(window.width, np.nan, np.float32).tobytes()
            for _ in range(maps * window.height):
                self._file.write(missing)

    def put(self, part: Window, values: Maps) -> None:
        """Lay `values` (maps, h, w) down.

        Parameters
        ----------
        part
            Where, inside the window.

        Raises
        ------
        OutputError
            When the disk refuses.
        """
        with _disk("kept"):
            for number, each in enumerate(values):
                for row, line in enumerate(np.ascontiguousarray(each)):
                    self._file.seek(self._place(part, number, row))
                    self._file.write(line.data)

    def read(self, part: Window) -> Maps:
        """The values (maps, h, w) of a part of the window.

        Raises
        ------
        OutputError
            When the disk refuses.
        """
        values = np.empty((self._maps, *part.shape), np.float32)
        with _disk("read again"):
            for number, each in enumerate(values):
                for row, line in enumerate(each):
                    self._file.seek(self._place(part, number, row))
                    self._file.readinto(line.data)
        return values

    def close(self) -> None:
        """Be gone."""
        self._file.close()

    def _place(self, part: Window, number: int, row: int) -> int:
        down = number * self._window.height + part.y - self._window.y + row
        return 4 * (down * self._window.width + part.x - self._window.x)


@contextmanager
def _disk(meant: str) -> Iterator[None]:
    """What the disk refuses, in words."""
    try:
        yield
    except OSError as error:
        raise OutputError(
            f"what was predicted cannot be {meant} ({(error.strerror or str(error)).lower()}); "
            "free some space or choose another folder"
        ) from error
