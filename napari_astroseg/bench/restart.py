"""Restart: a run that is stopped after half of its tiles, and what the next one takes to end it."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TypeVar

from napari_astroseg.bench.fields import write_noise
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn, words
from napari_astroseg.engine.events import Event, Started, TileDone
from napari_astroseg.engine.model import Model
from napari_astroseg.engine.predict import predict

_TARGET = 1.15

_Event = TypeVar("_Event", bound=Event)


def measure(plan: Plan, model: Model, scratch: Path) -> Iterator[Measurement]:
    """Seconds of the rerun over those that its tiles took when nothing was stopped."""
    path = write_noise(scratch / "mosaic.fits", plan.mosaic_px)
    store, halved = scratch / "mosaic.zarr", scratch / "half.zarr"
    started = _first(Started, predict(model, path, device="cpu"))
    total = started.total
    half = max(1, total // 2)

    def whole() -> object:
        return deque(predict(model, path, device="cpu", store=store), maxlen=0)

    def rerun() -> object:
        return deque(predict(model, path, device="cpu", store=halved, resume=True), maxlen=0)

    def stop() -> object:
        return _first(TileDone, predict(model, path, device="cpu", store=halved), half)

    _, again, once = in_turn(plan, stop, rerun, whole)
    pair = Pair(again, once)
    share = (total - half) / total
    value = pair.ratio / share if share else pair.ratio
    how = (
        f"{words(pair.ours_s)} for {total - half} of {total} tiles, {words(pair.bare_s)} for all "
        f"in one go: a {plan.mosaic_px}² px FITS file to zarr"
    )
    yield Measurement.at_most("restart", value, "× the rest", _TARGET, how)


def _first(kind: type[_Event], events: Iterator[Event], number: int = 1) -> _Event:
    """The first event of a kind, or a later one; then the work is stopped."""
    assert isinstance(events, Generator)
    with closing(events):
        return next(islice((each for each in events if isinstance(each, kind)), number - 1, None))
