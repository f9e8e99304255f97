"""Non-bubbles: crops without a bubble drawn and parted, as events for whoever waits for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from napari_astroseg.engine.events import Event, Finished, Preparing
from napari_astroseg.engine.preparing import heard
from napari_astroseg.sky.clusters.choice import Choice
from napari_astroseg.sky.clusters.nonbubbles import find_non_bubbles, strip
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.progress import Progress

Chosen = tuple[Choice, tuple[str, ...]]


def part_non_bubbles(
    folder: Path,
    count: int,
    classes: int,
    seed: int = 0,
    shown: int = 10,
    picture_px: int = 56,
) -> Iterator[Event]:
    """Draw crops without a bubble from a folder of Spitzer tiles, and part them into classes.

    Yields
    ------
    `Preparing`, then `Finished` with `choice` (JSON), `notes` (sentences) and `strips`, of each
    class a picture of its `shown` crops nearest to the middle, `picture_px` high.

    Raises
    ------
    DataError
        When it is no such folder, or nothing can be drawn or parted.
    """
    return _told(
        folder,
        lambda data, progress: find_non_bubbles(data, count, classes, seed, progress=progress),
        shown,
        picture_px,
    )


def kept_non_bubbles(folder: Path, shown: int = 10, picture_px: int = 56) -> Iterator[Event]:
    """The choice that lies beside the data of a folder, told as `part_non_bubbles` tells it.

    Raises
    ------
    DataError
        When there is none, or the folder has changed since.
    """

    def read(data: Dataset, _: Progress) -> Chosen:
        choice = Choice.read(folder)
        choice.require(data)
        return choice, ()

    return _told(folder, read, shown, picture_px)


def _told(
    folder: Path, choose: Callable[[Dataset, Progress], Chosen], shown: int, picture_px: int
) -> Iterator[Event]:
    def chosen(progress: Progress) -> tuple[Dataset, Chosen]:
        data = open_dataset(folder, "bubbles", progress=progress)
        progress("reading every byte for the digest", 0, None)
        data.digest  # noqa: B018 (it is kept)
        return data, choose(data, progress)

    data, (choice, notes) = yield from heard(chosen)
    strips = []
    for number in range(len(choice.classes)):
        yield Preparing("drawing classes", number, len(choice.classes))
        strips.append(strip(data, choice, number, shown, picture_px))
    yield Finished({"choice": choice.model_dump_json(), "notes": list(notes), "strips": strips})
