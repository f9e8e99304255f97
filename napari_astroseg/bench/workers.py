"""Workers: a mosaic shared out to two processes of one thread each, over one such process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from napari_astroseg.bench.fields import write_noise
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.tiles import in_tiles
from napari_astroseg.engine.cluster import Cluster
from napari_astroseg.engine.events import TileDone
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.predict import predict

_TARGET = 1.7
_TILES = 8
"""Along a side; most of them after the processes have started."""


def measure(plan: Plan, model: Model, scratch: Path) -> Iterator[Measurement]:
    """Tiles a second of two workers over those of one, from the first answers on."""
    path = write_noise(scratch / "mosaic.fits", plan.mosaic_px)
    model = in_tiles(model, plan.mosaic_px // _TILES)
    rates: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(max(2, plan.rounds // 2)):
        for workers, found in rates.items():
            found.append(_rate(model, path, workers))
    one, two = (median(found) for found in rates.values())
    how = f"{two:.2f} / {one:.2f} tiles/s: a {plan.mosaic_px}² px FITS file, one thread a worker"
    yield Measurement.at_least("workers", two / one, "× one worker", _TARGET, how)


def _rate(model: Model, path: Path, workers: int) -> float:
    """Tiles a second after the first ones of each worker, which wait for it to start."""
    landed = [
        time.perf_counter()
        for event in predict(model, path, device=Cluster(workers, device="cpu", threads=1))
        if isinstance(event, TileDone)
    ]
    steady = landed[2 * workers :]
    return (len(steady) - 1) / (steady[-1] - steady[0])
