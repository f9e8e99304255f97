"""First pixels: a large FITS file until its coarsest level is there, over reading its rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from napari_astroseg.bench.fields import write_sparse
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn, words
from napari_astroseg.sky.files.fitspixels import FitsPixels
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pyramids.pyramid import levels

_READ_TARGET = 3.0


def measure(plan: Plan, scratch: Path) -> Iterator[Measurement]:
    """A sparse float32 file with sky coordinates."""
    side = plan.image_px
    path = _large_file(scratch / "large.fits", side)

    def ours() -> object:
        return levels(open_image(path))[-1][:, :]

    pair = Pair(*in_turn(plan, ours, _bare_read(path)))
    how = f"{words(pair.ours_s)} / {words(pair.bare_s)}: open {side}² px and have its coarsest "
    how += "level, against reading the rows that it is made of"
    yield Measurement.at_most("first pixels", pair.ratio, "× bare", _READ_TARGET, how)


def _large_file(path: Path, side: int) -> Path:
    """A file whose coarsest level holds values; the rows between are holes."""
    write_sparse(path, side, [])
    return write_sparse(path, side, coarsest_rows(path))


def coarsest_rows(path: Path) -> list[int]:
    """The rows of a file that its coarsest level is made of."""
    image = open_image(path)
    factor = levels(image)[-1].factor
    height = image.shape[0]
    if factor == 1:
        return list(range(height))
    middles = range(factor // 2 - 1, height, factor)
    return [row for middle in middles for row in (middle, middle + 1) if row < height]


def _bare_read(path: Path) -> Callable[[], object]:
    """Reading those rows, in as few reads as there are runs of them."""
    rows = np.array(coarsest_rows(path))
    runs = np.split(rows, np.nonzero(np.diff(rows) > 1)[0] + 1)
    pixels = open_image(path).pixels
    assert isinstance(pixels, FitsPixels)  # the file is ours
    start, width = pixels.offset, pixels.shape[1] * pixels.stored.itemsize
    buffer = bytearray(max(len(run) for run in runs) * width)

    def once() -> None:
        with path.open("rb", buffering=0) as file:
            for run in runs:
                file.seek(start + int(run[0]) * width)
                file.readinto(memoryview(buffer)[: len(run) * width])

    return once
