"""Map files: FITS images of one window, written side by side and part by part."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.sky.files.tilewriting import TILE, TileWriter, tile_writer
from napari_astroseg.sky.window import Window

SIDE = 8 * TILE
"""Pixels along a side of a part."""

Notes = dict[str, str | int | float]


class MapFile(NamedTuple):
    """A file that is wanted: where, of which values, with which cards, and how many planes."""

    path: Path
    dtype: type[np.number[Any]]
    notes: Notes
    planes: int = 1


class MapFiles:
    """Takes the parts of all files; they are there when all went well, or none is.

    Parameters
    ----------
    cards
        Sky coordinates of the window.
    """

    def __init__(self, window: Window, cards: fits.Header, wanted: Sequence[MapFile]) -> None:
        self._window, self._cards, self._wanted = window, cards, wanted
        self._open = ExitStack()
        self._writers: list[TileWriter] = []

    @property
    def paths(self) -> list[Path]:
        """Where they are."""
        return [each.path for each in self._wanted]

    def __enter__(self) -> MapFiles:
        with ExitStack() as stack:
            pool: Executor = stack.enter_context(ThreadPoolExecutor(os.cpu_count()))
            for each in self._wanted:
                planes = (each.planes,) if each.planes > 1 else ()
                shape = (*planes, *self._window.shape)
                writer = tile_writer(each.path, shape, each.dtype, pool, self._cards, each.notes)
                self._writers.append(stack.enter_context(writer))
            self._open = stack.pop_all()
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.__exit__(*error)

    def put(self, part: Window, told: Sequence[NDArray[Any]]) -> None:
        """Write a part of each file: (planes, h, w), in the order in which they are wanted.

        Parameters
        ----------
        part
            One of `window.parts(SIDE)`.
        """
        here = part.moved(-self._window.x, -self._window.y)
        for writer, planes in zip(self._writers, told, strict=True):
            for plane, values in enumerate(planes):
                writer.put(here, values, plane)
