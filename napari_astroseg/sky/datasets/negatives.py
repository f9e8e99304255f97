"""Negatives: crops of Spitzer tiles that show no bubble of the catalogue (Nishimoto et al. 2025).

Every object of the catalogue is taken out of a tile, whether it is clear or not; crops are as large
as those of bubbles, by a log-normal law, and lie anywhere in what remains. A crop that would touch
an object, a missing pixel or the tile's edge is drawn again, so often and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import DataError
from napari_astroseg.sky.augment.views import OF_BOX
from napari_astroseg.sky.datasets.bubblecatalogue import Bubble, read_bubbles
from napari_astroseg.sky.datasets.dataset import Dataset, Stamp
from napari_astroseg.sky.datasets.drawing import clashes_with
from napari_astroseg.sky.datasets.occupied import Fill, Gaps, Occupied
from napari_astroseg.sky.datasets.sizes import SizeLaw
from napari_astroseg.sky.datasets.split import PARTS, Part
from napari_astroseg.sky.datasets.tiles import boxes, fed_bands
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.window import Window

LEAST_PX = 24
"""Side of the smallest crop: of fewer pixels nothing can be told."""

_PLACES = 48
"""Places tried for a crop of one size, before that size is given up."""

_PASSES = 4
"""Times that crops given up are drawn anew, of other sizes and on any tile."""

Refuses = Callable[[Window], bool]


@dataclass(frozen=True)
class Drawn:
    """Crops without a bubble.

    Parameters
    ----------
    stamps
        Where they are, in a random order.
    law
        Of their sides, arcmin.
    notes
        What the user should know, one sentence each.
    """

    stamps: tuple[Stamp, ...]
    law: SizeLaw
    notes: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.stamps)


@dataclass(frozen=True, eq=False)
class _Ground:
    """A tile to draw from.

    Parameters
    ----------
    number
        Of its item.
    law
        Of the sides, px of the tile.
    refuses
        Whether a window must not be trained on; None where any may.
    """

    number: int
    image: SkyImage
    occupied: Occupied
    gaps: Gaps
    law: SizeLaw
    refuses: Refuses | None


def draw_negatives(
    dataset: Dataset,
    count: int,
    part: Part = "training",
    seed: int = 0,
    fill: Fill = "circle",
    progress: Progress = silent,
) -> Drawn:
    """Up to `count` crops without a bubble, the same for the same digest, part, seed and fill.

    Parameters
    ----------
    dataset
        Of Spitzer tiles.
    fill
        What of each object is taken out: the circle in its box, or all of the box.
    progress
        Hears of every strip of every tile, and may end it.

    Raises
    ------
    DataError
        When the dataset is of another layout, the part has no tile, or no crop fits.
    ImageError
        When a tile cannot be read.
    """
    _require_tiles(dataset, count, part)
    found, refused = read_bubbles(dataset.items[0].files[-1], dataset.folder)
    law = SizeLaw.fitted([2 * OF_BOX * each.half_box_arcmin for each in found])
    grounds = _grounds(dataset, part, found, law, fill, progress)
    rng = np.random.default_rng([int(dataset.digest, 16), seed, PARTS.index(part)])
    stamps = _drawn(grounds, count, rng)
    if not stamps:
        raise DataError(
            f"no crop of {dataset.folder.name} is clear of its {len(found):,} bubbles and of "
            "missing pixels; add tiles with more empty sky"
        )
    notes = []
    if len(stamps) < count:
        notes.append(
            f"{len(stamps):,} of {count:,} crops found a place clear of bubbles and of missing "
            "pixels; ask for fewer, or add tiles"
        )
    unknown = sum(finding.left_out for finding in refused)
    if unknown:
        notes.append(
            f"{unknown:,} rows of the catalogue make no sense, and their bubbles may lie in these "
            "crops; mend what `astroseg dataset` tells"
        )
    order = rng.permutation(len(stamps))
    return Drawn(tuple(stamps[n] for n in order), law, tuple(notes))


def _grounds(
    dataset: Dataset,
    part: Part,
    bubbles: Sequence[Bubble],
    law: SizeLaw,
    fill: Fill,
    progress: Progress,
) -> list[_Ground]:
    """The tiles of a part, each read once for its missing pixels."""
    numbers = dataset.of(part).tolist()
    tiles = [dataset.items[number].image for number in numbers]
    clashes = clashes_with(dataset) if part == "training" else None
    total = sum(len(fed_bands(image)) * image.shape[0] for image in tiles)
    done = 0

    def told(rows: int) -> None:
        progress("looking for missing pixels", done + rows, total)

    grounds = []
    for number, image in zip(numbers, tiles, strict=True):
        occupied = Occupied.on(image.shape, boxes(image, bubbles), fill)
        gaps = Gaps.of(image, fed_bands(image), told)
        own = law.scaled(_px_per_arcmin(image))
        refuses = None if clashes is None else clashes(image)
        grounds.append(_Ground(number, image, occupied, gaps, own, refuses))
        done += len(fed_bands(image)) * image.shape[0]
    return grounds


def squares(
    image: SkyImage,
    occupied: Occupied,
    gaps: Gaps,
    sides: NDArray[np.int64],
    rng: np.random.Generator,
    refuses: Refuses | None = None,
) -> list[Window]:
    """Squares of the sides asked for, inside an image and clear of objects and gaps.

    Each is tried at 48 places; of those that find none nothing is given.
    """
    height, width = image.shape
    placed: dict[int, Window] = {}
    todo = np.flatnonzero((sides >= 1) & (sides <= min(height, width)))
    for _ in range(_PLACES):
        if not len(todo):
            break
        size = sides[todo]
        x, y = (rng.integers(0, length - size + 1) for length in (width, height))
        free = ~(occupied.touched(x, y, size) | gaps.touched(x, y, size))
        for n in np.flatnonzero(free).tolist():
            window = Window(int(x[n]), int(y[n]), int(size[n]), int(size[n]))
            if refuses is None or not refuses(window):
                placed[int(todo[n])] = window
        todo = np.array([n for n in todo.tolist() if n not in placed], np.intp)
    return [placed[n] for n in sorted(placed)]


def _drawn(grounds: Sequence[_Ground], count: int, rng: np.random.Generator) -> list[Stamp]:
    """Crops of all tiles, of each by its area; what finds no place is drawn anew elsewhere."""
    area = np.array([np.prod(each.image.shape) for each in grounds], float)
    stamps: list[Stamp] = []
    for _ in range(_PASSES):
        missing = count - len(stamps)
        if missing <= 0:
            break
        for ground, wanted in zip(
            grounds, rng.multinomial(missing, area / area.sum()), strict=True
        ):
            most = min(ground.image.shape)
            sides = ground.law.drawn(rng, int(wanted), min(LEAST_PX, most), most)
            found = squares(ground.image, ground.occupied, ground.gaps, sides, rng, ground.refuses)
            stamps += [Stamp(ground.number, window) for window in found]
    return stamps


def _require_tiles(dataset: Dataset, count: int, part: Part) -> None:
    if dataset.layout != "bubbles":
        raise DataError(
            f"{dataset.folder.name} is in the layout {dataset.layout}, and non-bubbles are drawn "
            "from Spitzer tiles; name a folder of the layout bubbles"
        )
    if count < 1:
        raise DataError(f"{count} is no number of crops; ask for one at least")
    if not len(dataset.of(part)):
        raise DataError(
            f"{dataset.folder.name} has no tile in its {part} part; its findings tell what was "
            "left out, and its card what there is"
        )


def _px_per_arcmin(image: SkyImage) -> float:
    scale = image.pixel_scale_arcsec
    assert scale is not None  # `boxes` has made use of it
    return 60.0 / scale
