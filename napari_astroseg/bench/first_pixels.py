"""First pixels: a large FITS file until it is seen, over reading just its coarsest level."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from napari_astroseg.bench.fields import write_sparse
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn, words
from napari_astroseg.errors import SetupError
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pixels import FitsPixels
from napari_astroseg.sky.pyramid import levels

_READ_TARGET, _DRAW_TARGET = 3.0, 1.2


def measure(plan: Plan, scratch: Path, display: bool) -> Iterator[Measurement]:
    """A sparse float32 file with sky coordinates; where there is a display, its first draw too."""
    side = plan.image_px
    path = _large_file(scratch / "large.fits", side)

    def ours() -> object:
        return levels(open_image(path))[-1][:, :]

    pair = Pair(*in_turn(plan, ours, _bare_read(path)))
    how = f"{words(pair.ours_s)} / {words(pair.bare_s)}: open {side}² px and have its coarsest "
    how += "level, against reading the rows that it is made of"
    yield Measurement.at_most("first pixels", pair.ratio, "× bare", _READ_TARGET, how)
    if display:
        pair = _drawn(path, plan.budget_s)
        how = f"{words(pair.ours_s)} / {words(pair.bare_s)}: open, add and draw {side}² px, "
        how += "against adding and drawing 1000² px in memory"
        yield Measurement.at_most("first draw", pair.ratio, "× bare", _DRAW_TARGET, how)


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


def _drawn(path: Path, budget_s: float) -> Pair:
    """Seconds from a process with a window."""
    command = [sys.executable, "-m", "napari_astroseg.bench.first_draw", str(path), str(budget_s)]
    settings = {"NAPARI_CONFIG": str(path.with_name("napari.yaml"))}  # the user's stay untouched
    env = {**os.environ, **settings}
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["no word"])[-1]
        raise SetupError(f"the window could not be drawn ({last}); run where there is a display")
    values = json.loads(done.stdout.splitlines()[-1])
    return Pair(tuple(values["ours"]), tuple(values["bare"]))
