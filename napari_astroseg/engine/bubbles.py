"""Bubbles: Spitzer tiles and the bubbles of a catalogue, as batches of crops.

A batch holds crops around bubbles, each of which is shown in seven ways in an epoch, and crops
without any. Validation slides windows over whole tiles, as prediction does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.bubblejudge import BoxBatch, BubbleJudge
from napari_astroseg.engine.crops import Planes, prepared_crop
from napari_astroseg.engine.galaxies import left_out
from napari_astroseg.engine.loader import Loader, made_ahead
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import BubbleData
from napari_astroseg.recipes.families.ssd300 import Spec
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.augment.sample import scaled_boxes, seen_boxes
from napari_astroseg.sky.augment.views import View, seven_views
from napari_astroseg.sky.clusters.choice import FILE, Choice
from napari_astroseg.sky.datasets.dataset import Dataset, Stamp
from napari_astroseg.sky.datasets.drawing import clashes_with
from napari_astroseg.sky.datasets.negatives import Refuses, draw_negatives
from napari_astroseg.sky.datasets.occupied import Gaps
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.datasets.tiles import fed_bands
from napari_astroseg.sky.datasets.truth import Item, Truth
from napari_astroseg.sky.holes import filled
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.sliding import blocks
from napari_astroseg.sky.stack import stacked
from napari_astroseg.sky.window import Window

Boxes = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Tile:
    """A tile with its bubbles.

    Parameters
    ----------
    image
        24 and 8 µm, small holes filled.
    boxes
        (M, 4) of its bubbles, px.
    gaps
        Where a pixel of either band is missing.
    refuses
        Whether a window shows sky that validates; None where none can.
    """

    image: SkyImage
    boxes: Boxes
    gaps: Gaps
    refuses: Refuses | None = None

    def holds(self, window: Window) -> bool:
        """Whether a window is whole: inside, nothing missing, nothing that validates."""
        if window.overlap(Window.whole(self.image.shape)) != window:
            return False
        place = (np.array([each]) for each in (window.x, window.y, window.width))
        if self.gaps.touched(*place)[0]:
            return False
        return self.refuses is None or not self.refuses(window)


@dataclass(frozen=True)
class Place:
    """A crop to be made: a view of a tile, by its number."""

    tile: int
    view: View


class BubbleSet(Loader):
    """The tiles of a folder, parted into training and validation by sky.

    Where the folder holds a choice of non-bubbles (`non_bubbles.json`), these are shown, classes
    by their weights; else what is drawn anew.

    Raises
    ------
    DataError
        When nothing can be learnt from them; the sentence says what to change.
    """

    def __init__(self, recipe: Recipe, data: Path, progress: Progress = silent) -> None:
        assert isinstance(recipe.data, BubbleData)
        assert isinstance(recipe.family, Spec)
        self._recipe, self._spec, self._net = recipe, recipe.data, recipe.family
        dataset = open_tiles(recipe.data, data, progress)
        clashes = clashes_with(dataset)
        self.tiles: dict[int, Tile] = {}
        self.validation: tuple[int, ...] = tuple(dataset.of("validation").tolist())
        every = [*dataset.of("training").tolist(), *self.validation]
        for done, number in enumerate(every):
            progress("looking at tiles", done, len(every))
            of_tile = clashes if number not in self.validation else None
            self.tiles[number] = tile_of(dataset.items[number], of_tile)
        self.training = tuple(number for number in every if number not in self.validation)
        self._require_bubbles(dataset)
        self._without, self._chances, notes = self._negatives(dataset, progress)
        self.notes = (*left_out(dataset), *notes)
        self.told = (
            f"{self._counted(self.training)} and {len(self._without)} crops without, "
            f"{self._counted(self.validation)} for validation"
        )

    def batches(self, number: int) -> tuple[int, Iterator[BoxBatch]]:
        """How many batches an epoch has, and each, of all training bubbles in new views."""
        schedule, share = self._recipe.schedule, self._spec.negatives
        rng = np.random.default_rng([schedule.seed, number])
        shown = [
            Place(tile, view)
            for tile in self.training
            for box in self.tiles[tile].boxes
            for view in seven_views(box, rng, self.tiles[tile].image.shape)
            if self.tiles[tile].holds(view.window)
        ]
        if not shown:
            raise DataError(
                "no crop around a bubble is whole: all would reach over a tile's edge or miss "
                "data; bring larger tiles"
            )
        shown = [shown[n] for n in rng.permutation(len(shown))]
        none = round(share * schedule.batch_size) if len(self._without) else 0
        with_bubbles = max(1, schedule.batch_size - none)
        starts = range(0, len(shown), with_bubbles)
        drawn = rng.choice(max(1, len(self._without)), (len(starts), none), p=self._chances)

        def made(start: int) -> BoxBatch:
            others = [self._without[n] for n in drawn[start // with_bubbles].tolist()]
            return self._batch([*shown[start : start + with_bubbles], *others])

        return len(starts), made_ahead(made, starts)

    def validation_batches(self) -> Iterator[BoxBatch]:
        """All windows of the validation tiles that hold data, as prediction looks at them."""
        size = self._recipe.schedule.batch_size
        places = [
            Place(number, View(window))
            for number in self.validation
            for block in self._blocks(number)
            for window in block
            if self.tiles[number].holds(window)
        ]
        starts = range(0, len(places), size)
        yield from made_ahead(lambda start: self._batch(places[start : start + size]), starts)

    def judge(self) -> BubbleJudge:
        """A new judge of the validation tiles."""
        boxes = {number: self.tiles[number].boxes for number in self.validation}
        return BubbleJudge(boxes, self._net.image_overlap)

    def _batch(self, places: Sequence[Place]) -> BoxBatch:
        planes, boxes = zip(*map(self._crop, places), strict=True)
        windows = [(each.tile, each.view.window) for each in places]
        return BoxBatch(
            np.stack(planes),
            tuple(boxes),
            tuple(np.ones(len(each), np.int64) for each in boxes),
            np.ones(len(places), np.float32),
            np.array([(tile, w.x, w.y, w.width) for tile, w in windows], np.int64),
        )

    def _crop(self, place: Place) -> tuple[Planes, NDArray[np.float32]]:
        """What a view shows, and the boxes of its bubbles in units of its side."""
        tile, window, turn = self.tiles[place.tile], place.view.window, place.view.turn
        planes = prepared_crop(tile.image.cutout(window), self._recipe)
        if planes is None:
            raise DataError(
                f"{tile.image.name} has changed while it was read; leave the files alone and "
                "train again"
            )
        side = self._spec.side_px
        boxes, _ = seen_boxes(tile.boxes, window)
        boxes = turn.boxes(scaled_boxes(boxes, window.shape, side), (side, side))
        return np.ascontiguousarray(turn.planes(planes)), ((boxes + 0.5) / side).astype(np.float32)

    def _blocks(self, number: int) -> list[tuple[Window, ...]]:
        shape = self.tiles[number].image.shape
        spec = self._spec
        found = blocks(Window.whole(shape), shape, spec.windows_px, spec.step)
        return [block.windows for block in found]

    def _negatives(
        self, dataset: Dataset, progress: Progress
    ) -> tuple[list[Place], NDArray[np.float64], tuple[str, ...]]:
        """Crops without a bubble, how likely each is shown, and what to know of them."""
        stamps: Sequence[Stamp]
        notes: tuple[str, ...] = ()
        self.digest = dataset.digest
        if not self._spec.negatives:
            return [], np.ones(1), ()
        if (dataset.folder / FILE).exists():
            choice = Choice.read(dataset.folder)
            stamps, chances = choice.stamps(dataset)
            self.digest += choice.digest[:16]
        else:
            seed, count = self._recipe.schedule.seed, self._spec.negatives_drawn
            drawn = draw_negatives(dataset, count, "training", seed, progress=progress)
            stamps, notes = drawn.stamps, drawn.notes
            chances = np.full(len(stamps), 1 / len(stamps))
        places = [Place(stamp.item, View(stamp.window)) for stamp in stamps]
        return places, chances, notes

    def _counted(self, tiles: Sequence[int]) -> str:
        tile = "tile" if len(tiles) == 1 else "tiles"
        return f"{len(tiles)} {tile} with {self._bubbles(tiles)} bubbles"

    def _bubbles(self, tiles: Sequence[int]) -> int:
        return sum(len(self.tiles[number].boxes) for number in tiles)

    def _require_bubbles(self, dataset: Dataset) -> None:
        for part, tiles in (("training", self.training), ("validation", self.validation)):
            if not self._bubbles(tiles):
                raise DataError(
                    f"the {len(tiles)} {part} tiles of {dataset.folder} show no bubble of the "
                    "catalogue; add tiles that do, or change data.validation"
                )


def open_tiles(spec: BubbleData, data: Path, progress: Progress = silent) -> Dataset:
    """The folder as a recipe of bubbles takes it, small holes of its tiles filled."""
    dataset = open_dataset(data, "bubbles", validation=spec.validation, progress=progress)
    items = [replace(item, opening=partial(_opened, item, spec.hole_px)) for item in dataset.items]
    return replace(dataset, items=items)


def tile_of(item: Item, clashes: object = None) -> Tile:
    """An item of a dataset as a tile to learn from."""
    image = item.image
    bands = fed_bands(image)
    fed = stacked([image.plane(band) for band in bands], [image.bands[n] for n in bands], item.name)
    refuses = clashes(image) if callable(clashes) else None
    return Tile(fed, boxes_of(item.truth()), Gaps.of(image, bands), refuses)


def boxes_of(truth: Truth | None) -> Boxes:
    """The boxes (M, 4) of a tile's bubbles."""
    objects = truth.objects if truth is not None else ()
    return np.array([each.box for each in objects], float).reshape(-1, 4)


def _opened(item: Item, hole_px: int) -> SkyImage:
    return filled(item.image, hole_px)
