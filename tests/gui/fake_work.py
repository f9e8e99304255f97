"""Stand-ins for prediction and training, run in a real engine process: fast, torch-free, rude."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from napari_astroseg.engine.events import (
    Event,
    Finished,
    ObjectsDone,
    Preparing,
    Started,
    StepDone,
    TileDone,
    Warned,
)
from napari_astroseg.engine.objectstore import ObjectStore, Piece
from napari_astroseg.engine.spread import Spread
from napari_astroseg.errors import DataError, MisfitError
from napari_astroseg.sky.doubts import Doubts
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window


def predict(
    model: str, image: SkyImage, window: Window, pause_s: float = 0.0, tiles: int = 4, **_: Any
) -> Iterator[Event]:
    """Horizontal strips; the probability is the image's value, 0 … 1."""
    tiles = min(tiles, window.height)
    yield Started("a fake", tiles, "tiles")
    yield Warned("this is a fake")
    edges = np.linspace(0, window.height, tiles + 1).astype(int)
    for done, (top, bottom) in enumerate(pairwise(edges), start=1):
        time.sleep(pause_s)
        place = Window(window.x, window.y + int(top), window.width, int(bottom - top))
        yield TileDone(place, image.cutout(place)[None], done, tiles)
    yield Finished({"window": window, "threshold": 0.5})


def colours(model: str, image: SkyImage, window: Window, **_: Any) -> Iterator[Event]:
    """The probability is the mean of the bands over 255."""
    values = image.cutout(window)
    yield Started(f"{image.count} bands of {image.name}", 1, "tiles")
    yield TileDone(window, values.mean(0, keepdims=True) / 255, 1, 1)
    yield Finished({"window": window, "threshold": 0.5})


def part_slowly(folder: Path, *_: Any, **__: Any) -> Iterator[Event]:
    """Classes of crops that take their time."""
    for done in range(600):
        time.sleep(0.2)  # two minutes: longer than anyone waits for their end
        yield Preparing("looking at crops", done, 600)
    yield Finished({})


def part_nothing(folder: Path, *_: Any, **__: Any) -> Iterator[Event]:
    """Crops that cannot be drawn."""
    yield Preparing("looking for missing pixels", 1, 2)
    raise DataError("no crop of it is clear; add tiles")


def unsure(
    model: str, image: SkyImage, window: Window, uncertainty: str = "", **_: Any
) -> Iterator[Event]:
    """Of one class; as unsure as it is told to be by, nine tenths of the most."""
    for event in predict(model, image, window):
        if not isinstance(event, TileDone) or not uncertainty:
            yield event
            continue
        spread = Spread(uncertainty, 8)
        deviation = np.full_like(event.probability, 0.9 * spread.largest)
        yield replace(event, deviation=deviation, spread=spread)


def sampled(
    model: str, image: SkyImage, window: Window, tiles: int = 4, **_: Any
) -> Iterator[Event]:
    """Of two classes; values near a half are unsure."""
    for event in predict(model, image, window, tiles=tiles):
        if not isinstance(event, TileDone):
            yield event
            continue
        values = event.probability[0]
        classes = np.stack((values - values**2, values**2))
        deviation = np.stack((values * (1 - values), np.zeros_like(values)))
        yield TileDone(
            event.window, classes, event.done, event.total, deviation, Spread("samples", 50)
        )


def slow(model: str, image: SkyImage, window: Window, **_: Any) -> Iterator[Event]:
    yield from predict(model, image, window, pause_s=0.2, tiles=100)


def slow_and_counted(folder: Path, image: SkyImage, window: Window, **_: Any) -> Iterator[Event]:
    """As `slow`; how many tiles were done when it ended is left in a file."""
    done = 0
    try:
        for event in slow("model", image, window):
            done += isinstance(event, TileDone)
            yield event
    finally:
        (folder / "tiles").write_text(str(done))


def slow_unless_small(model: str, image: SkyImage, window: Window, **_: Any) -> Iterator[Event]:
    yield from (slow if window.width > 256 else predict)(model, image, window)


def misfit(model: str, image: SkyImage, window: Window, **options: Any) -> Iterator[Event]:
    if not options.get("force"):
        raise MisfitError("this image does not suit the model; choose another")
    yield from predict(model, image, window)


def dies_once(model: str, image: SkyImage, window: Window, **_: Any) -> Iterator[Event]:
    """Killed in the middle the first time, well afterwards."""
    yield Started("a fake", 4, "tiles")
    mark = Path(os.environ["ASTROSEG_FAKE_MARK"])
    if not mark.exists():
        mark.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    yield from predict(model, image, window)


def stubborn(*_args: Any, **_: Any) -> Iterator[Event]:
    """Says nothing more and does not listen."""
    yield Started("a fake", 1, "tiles")
    time.sleep(600)


def flood(n: int) -> Iterator[Event]:
    """Steps faster than anyone can draw."""
    for step in range(1, n + 1):
        yield StepDone(step, n, 1, 1.0 / step, 1e6)
    yield Finished({"steps": n})


def bug() -> Iterator[Event]:
    yield Started("a fake", 1, "tiles")
    raise ZeroDivisionError("one over nothing")


def objects(
    model: str, image: SkyImage, window: Window, others: Sequence[str] = (), **_: Any
) -> Iterator[Event]:
    """Three bubbles, one of which two windows find; of several models, less sure each."""
    boxes = np.array([[10.0, 40, 30, 80], [190, 90, 210, 110], [300, 300, 340, 340]])
    found = Objects(boxes, np.array([0.9, 0.7, 0.4]), np.ones(3, np.int64))
    spread = None
    if others:
        spread = Spread("models", 1 + len(others))
        found = replace(found, doubts=Doubts(np.array([0.1, 0.2, 0.3]), np.ones(3), np.ones(3)))
    yield Started(f"a fake on {image.name}", 2, "windows")
    for done in (1, 2):
        yield ObjectsDone(window, found[: 1 + done], done, 2, spread)
    yield Finished({"window": window, "threshold": 0.5, "objects": found})


def objects_kept(
    model: str, image: SkyImage, window: Window, store: Path, resume: bool = False, **_: Any
) -> Iterator[Event]:
    """A hundred bubbles in as many windows, each kept as it is found; slow until it goes on."""
    kept, total, found = ObjectStore(store, "a hundred", resume), 100, []
    pause_s = 0.2 if kept.get(0) is None else 0.0
    yield Started(f"a fake on {image.name}", total, "windows")
    for number in range(total):
        piece = kept.get(number)
        if piece is None:
            time.sleep(pause_s)
            box = np.array([[5.0 * number, 40, 5 * number + 4, 60]])
            piece = Piece(Objects(box, np.array([0.9]), np.ones(1, np.int64)), 1)
            kept.put(number, piece)
        found.append(piece.objects)
        yield ObjectsDone(window, piece.objects, number + 1, total)
    yield Finished({"window": window, "threshold": 0.5, "objects": Objects.joined(found)})


def instances(model: str, image: SkyImage, window: Window, **_: Any) -> Iterator[Event]:
    """A star of 3 × 3 pixels and a galaxy of 8 × 4, with the map of their scores."""
    masks = tuple(
        Footprint(place, np.ones(place.shape, bool))
        for place in (Window(10, 20, 3, 3), Window(30, 40, 8, 4))
    )
    boxes = np.array([[9.5, 19.5, 12.5, 22.5], [29.5, 39.5, 37.5, 43.5]])
    found = Instances(boxes, np.array([0.9, 0.8]), np.array([1, 2]), masks)
    yield Started(f"a fake on {image.name}", 1, "tiles")
    yield ObjectsDone(window, found, 1, 1)
    yield TileDone(window, found.labels(window)[1][None], 1, 1)
    yield Finished({"window": window, "threshold": 0.5, "objects": found})


def measure(model: Path, data: Path, out: Path, **_: Any) -> Iterator[Event]:
    """An evaluation made up, JSON and page without pictures."""
    from evaluations import made_up

    from napari_astroseg.engine.report.files import JSON_FILE, PAGE_FILE, as_json
    from napari_astroseg.engine.report.page import page

    yield Preparing("measuring maps", 1, 2)
    told = made_up()
    told["provenance"] |= {"model_path": str(model), "data": str(data)}
    out.mkdir(parents=True)
    (out / JSON_FILE).write_text(as_json(told), encoding="utf-8")
    (out / PAGE_FILE).write_text(page(told, []), encoding="utf-8")
    yield Finished({})


def look(model: Path, data: Path, name: str, window: Window | None, device: str) -> Iterator[Event]:
    """A ramp, with a truth and an answer that have nothing to do with it."""
    from napari_astroseg.engine.report.view import View

    yield Preparing(f"predicting {name}", 0, None)
    image = SkyImage.from_array(np.tile(np.linspace(0, 1, 100, dtype=np.float32), (100, 1)))
    inside = window or Window(0, 0, 100, 100)
    labels = np.eye(inside.height, dtype=np.uint8)
    yield Finished({"view": View(image, inside, labels, labels[::-1])})
