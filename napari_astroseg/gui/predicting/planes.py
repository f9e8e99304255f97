"""Planes: a map of probabilities that fills tile by tile, at as many resolutions as it needs."""

from __future__ import annotations

import tempfile
import weakref
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from napari_astroseg.sky.window import Window

SINGLE_PX = 4096
"""Up to this side one array in memory serves; beyond, block means and a file on disk."""
_COARSEST_PX = 1024


class Planes:
    """Probabilities of a window, NaN where missing.

    A window of up to 4096 pixels a side is one array, NaN until told. A larger one is padded to
    a multiple of its coarsest block, lives in a sparse temporary file, and carries NaN-aware
    block means, so that neither memory nor the graphics card has to hold it whole; there, and
    where values are whole numbers, what is not yet known is 0.

    Parameters
    ----------
    shape
        (height, width) of the window.
    kind
        What each value is kept as.
    """

    def __init__(self, shape: tuple[int, int], kind: DTypeLike = np.float32) -> None:
        self.shape, self._kind = shape, np.dtype(kind)
        steps = 0
        if max(shape) > SINGLE_PX:
            while max(shape) >> steps > _COARSEST_PX:
                steps += 1
        block = 2**steps
        padded = tuple(-(-side // block) * block for side in shape)
        self.levels = [
            self._empty((padded[0] >> k, padded[1] >> k), on_disk=steps > 0)
            for k in range(steps + 1)
        ]

    @property
    def multiscale(self) -> bool:
        """Whether there is more than one resolution."""
        return len(self.levels) > 1

    @property
    def data(self) -> Any:
        """What a napari image layer takes: an array, or a list of them."""
        return self.levels if self.multiscale else self.levels[0]

    @property
    def finest(self) -> NDArray[Any]:
        """All values (height, width)."""
        return self.levels[0][: self.shape[0], : self.shape[1]]

    def put(self, place: Window, values: NDArray[np.float32]) -> None:
        """Take the values of `place`, counted from the window's corner."""
        self.levels[0][place.slices] = values
        for fine, coarse in zip(self.levels, self.levels[1:], strict=False):
            place = Window(
                place.x // 2,
                place.y // 2,
                -(-place.x_end // 2) - place.x // 2,
                -(-place.y_end // 2) - place.y // 2,
            )
            rows, columns = place.slices
            part = fine[2 * rows.start : 2 * rows.stop, 2 * columns.start : 2 * columns.stop]
            coarse[place.slices] = _halved(part)

    def _empty(self, shape: tuple[int, int], *, on_disk: bool) -> NDArray[Any]:
        if not on_disk:
            return np.full(shape, np.nan if self._kind.kind == "f" else 0, self._kind)
        with tempfile.NamedTemporaryFile(prefix="astroseg-", suffix=".map", delete=False) as file:
            name = Path(file.name)
        weakref.finalize(self, _forget, name)
        return np.memmap(name, self._kind, "w+", shape=shape)


def _halved(part: NDArray[np.float32]) -> NDArray[np.float32]:
    """Means of 2 × 2 blocks over their finite values; NaN where there are none."""
    blocks = part.reshape(part.shape[0] // 2, 2, part.shape[1] // 2, 2)
    known = np.isfinite(blocks)
    count = known.sum(axis=(1, 3))
    total = np.where(known, blocks, 0.0).sum(axis=(1, 3), dtype=np.float32)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan).astype(np.float32)


def _forget(name: Path) -> None:
    with suppress(OSError):
        name.unlink()
