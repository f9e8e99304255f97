"""Non-bubbles: crops without a bubble drawn, parted into classes, and shown class by class."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import DataError
from napari_astroseg.sky.clusters.choice import Choice, choice_of
from napari_astroseg.sky.clusters.features import SIDE, Features, features
from napari_astroseg.sky.clusters.kmeans import CLASSES, clustered
from napari_astroseg.sky.crops import Planes, crop
from napari_astroseg.sky.datasets.dataset import Dataset, Stamp
from napari_astroseg.sky.datasets.negatives import draw_negatives
from napari_astroseg.sky.datasets.occupied import Fill
from napari_astroseg.sky.datasets.tiles import fed_bands
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.window import Window

COUNT = 2000
"""Crops that are drawn unless another number is asked for."""

GAP = 2
"""Black columns between the crops of a strip."""

_BLOCK = 128
"""Crops in memory together."""

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Described:
    """What tells crops apart.

    Parameters
    ----------
    name
        `plain`, or that of a network; kept with the choice.
    side
        Of the crops it is given, px.
    of
        The features (N, F) of crops (N, 2, side, side): 24 µm, 8 µm.
    """

    name: str
    side: int
    of: Callable[[Planes], Features]


PLAIN = Described("plain", SIDE, features)


def find_non_bubbles(
    dataset: Dataset,
    count: int = COUNT,
    classes: int = CLASSES,
    seed: int = 0,
    fill: Fill = "circle",
    described: Described = PLAIN,
    progress: Progress = silent,
) -> tuple[Choice, tuple[str, ...]]:
    """Crops without a bubble from the training tiles in classes, none of them dropped yet.

    The same digest and settings give the same choice.

    Parameters
    ----------
    count
        Crops that are drawn.
    described
        What tells them apart: plain features, or those of a network.
    progress
        Hears of every strip and every crop, and may end it.

    Returns
    -------
    The choice, and what the user should know, one sentence each.

    Raises
    ------
    DataError
        When nothing can be drawn, or the crops cannot be parted.
    """
    drawn = draw_negatives(dataset, count, "training", seed, fill, progress)
    stamps: list[Stamp] = []
    told: list[Features] = []
    for own, crops in _crops(dataset, drawn.stamps, described.side):
        progress("looking at crops", len(stamps), len(drawn))
        stamps += own
        told.append(described.of(crops))
    if not stamps:
        raise DataError(
            f"no crop of {dataset.folder.name} can be read any more; the folder is being changed: "
            "try again when it is at rest"
        )
    parted = clustered(np.concatenate(told), classes, seed)
    choice = choice_of(
        dataset, stamps, parted, count=count, seed=seed, fill=fill, features=described.name
    )
    return choice, drawn.notes


def strip(dataset: Dataset, choice: Choice, number: int, shown: int, side: int) -> Picture:
    """The crops of a class that lie nearest to its middle, each (side, side), side by side.

    24 µm is red and 8 µm blue-green; the last row is on top, as latitude grows with the row. Where
    there are fewer crops the rest is black.

    Raises
    ------
    AstroSegError
        When a tile cannot be read.
    """
    numbers = {item.name: place for place, item in enumerate(dataset.items)}
    places = choice.classes[number].crops[:shown]
    stamps = [Stamp(numbers[name], Window(x, y, wide, wide)) for name, x, y, wide in places]
    picture = np.zeros((side, shown * (side + GAP) - GAP, 3), np.uint8)
    start = 0
    for _, crops in _crops(dataset, stamps, side):
        for hot, cool in crops:
            colours = np.rint(255 * np.stack((hot, cool, cool), -1)).astype(np.uint8)
            picture[:, start : start + side] = colours[::-1]
            start += side + GAP
    return picture


def _crops(
    dataset: Dataset, stamps: Sequence[Stamp], side: int
) -> Iterator[tuple[list[Stamp], Planes]]:
    """Crops (N, 2, side, side) block by block, with where they are; few are in memory at a time."""
    images = {item: dataset.items[item].image for item in {stamp.item for stamp in stamps}}

    def cut(stamp: Stamp) -> Planes | None:
        image = images[stamp.item]
        return crop(image, stamp.window, side, fed_bands(image))

    with ThreadPoolExecutor(min(4, os.cpu_count() or 1), "astroseg-crops") as pool:
        for start in range(0, len(stamps), _BLOCK):
            block = stamps[start : start + _BLOCK]
            made = list(zip(block, pool.map(cut, block), strict=True))
            own = [(stamp, planes) for stamp, planes in made if planes is not None]
            if own:
                yield [stamp for stamp, _ in own], np.stack([planes for _, planes in own])
