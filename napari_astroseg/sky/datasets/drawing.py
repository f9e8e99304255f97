"""Drawing: the stamps of a dataset, by its digest alone, none of training where validation lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import DataError
from napari_astroseg.sky.datasets.dataset import Dataset, Stamp
from napari_astroseg.sky.datasets.maps import field_of
from napari_astroseg.sky.datasets.split import AREA_PX, FOLDS, PARTS, Part
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.patches import Patches, Sampler, deal_folds
from napari_astroseg.sky.window import Window

_POSITIONS = 3
_MIN_MASK = 0.2
"""Stamps of maps are drawn around their structures as filament networks are trained
(Zavagno+2023): so many positions at each, of at least so much mask, without missing pixels."""

_TRIES = 16
"""Windows drawn for each one wanted, before the sky is held to be full."""

_GRID = 17
"""Positions along each side of a window that are looked up on the sky."""


def drawn(dataset: Dataset, count: int, size_px: int, part: Part) -> list[Stamp]:
    """See `Dataset.stamps`."""
    if size_px < 1:
        raise DataError(f"a stamp of {size_px} px holds nothing; ask for at least 1 px")
    if not len(dataset.of(part)):
        raise DataError(
            f"{dataset.folder.name} has nothing in its {part} part; its findings tell what was "
            "left out, and its card what there is"
        )
    seed = int(dataset.digest, 16)
    rng = np.random.default_rng([seed, size_px, PARTS.index(part)])
    if dataset.parts:
        found = list(islice(_of_items(dataset, count * _TRIES, size_px, part, rng), count))
    else:
        found = _of_areas(dataset, count, size_px, part, rng)
    if count > 0 and not found:
        raise DataError(
            f"no {part} stamp of {size_px} px fits in {dataset.folder.name}; ask for smaller ones, "
            "or bring larger images"
        )
    return found


def _of_areas(
    dataset: Dataset, count: int, size_px: int, part: Part, rng: np.random.Generator
) -> list[Stamp]:
    """Stamps of maps that are parted by areas of sky."""
    patches = []
    for number, folds in enumerate(area_folds(dataset)):
        if min(folds.shape) < size_px:
            continue
        field = field_of(dataset.items[number], dataset.settings)
        validation = folds == 0
        sampler = Sampler(field, number, validation, np.zeros_like(validation), size_px)
        if part == "training":
            patches.append(sampler.draw(rng, _POSITIONS, _MIN_MASK, 0, False))
        else:
            patches.append(sampler.validation())
    every = Patches.joined(patches)
    order = rng.permutation(len(every))[:count]
    return [
        Stamp(int(every.field[n]), Window(int(every.x[n]), int(every.y[n]), size_px, size_px))
        for n in order
    ]


def area_folds(dataset: Dataset) -> list[NDArray[np.int16]]:
    """The fold of every pixel of every map; fold 0 validates."""
    return deal_folds([item.image.shape for item in dataset.items], AREA_PX, FOLDS)


def _of_items(
    dataset: Dataset, tries: int, size_px: int, part: Part, rng: np.random.Generator
) -> Iterator[Stamp]:
    """Stamps of whole items, one of each in a random order before any has a second."""
    numbers = dataset.of(part)
    clashes = clashes_with(dataset) if part == "training" else None
    images = {number: dataset.items[number].image for number in numbers.tolist()}
    refusing = {} if clashes is None else {n: clashes(each) for n, each in images.items()}
    done = 0
    while done < tries:
        for number in rng.permutation(numbers).tolist():
            done += 1
            window = _window(images[number].shape, size_px, rng)
            refuses = refusing.get(number)
            if refuses is None or not refuses(window):
                yield Stamp(number, window)
            if done >= tries:
                return


def _window(shape: tuple[int, int], size: int, rng: np.random.Generator) -> Window:
    """A square anywhere inside; along a side that is too short, with the image in the middle."""
    corner = []
    for side in shape[::-1]:
        free = side - size
        place = int(rng.integers(free + 1)) if free >= 0 else free // 2
        corner.append(place)
    return Window(corner[0], corner[1], size, size)


def clashes_with(dataset: Dataset) -> Callable[[SkyImage], Callable[[Window], bool] | None] | None:
    """For a tile, whether a window of it reaches into a tile that validates.

    None where no item of the dataset, or no window of that tile, can.
    """
    if dataset.layout != "bubbles":
        return None
    tiles = [dataset.items[n].image for n in dataset.of("validation").tolist()]

    def of_tile(image: SkyImage) -> Callable[[Window], bool] | None:
        near = [tile for tile in tiles if _reaches(image, Window.whole(image.shape), tile)]
        if not near:
            return None
        return lambda window: any(_reaches(image, window, tile) for tile in near)

    return of_tile


def _reaches(image: SkyImage, window: Window, tile: SkyImage) -> bool:
    """Whether a window of an image shows sky that a tile shows."""
    step = max(window.width, window.height) / (_GRID - 1)
    x, y = np.meshgrid(
        np.linspace(window.x, window.x_end - 1, _GRID),
        np.linspace(window.y, window.y_end - 1, _GRID),
    )
    return bool(_near(tile, tile.pixel(image.sky(x, y)), step + 1).any())


def _near(
    tile: SkyImage, places: tuple[NDArray[np.float64], NDArray[np.float64]], margin: float
) -> NDArray[np.bool_]:
    """Where pixel positions lie in a tile or as near to it as `margin`, px of its own."""
    (x, y), (height, width) = places, tile.shape
    near: NDArray[np.bool_] = (x > -margin) & (x < width - 1 + margin)
    return near & (y > -margin) & (y < height - 1 + margin)
