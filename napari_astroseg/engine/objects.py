"""Objects: sets of stars and galaxies with masks, as batches of crops."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.galaxies import left_out
from napari_astroseg.engine.loader import Loader, Planes, made_ahead
from napari_astroseg.engine.objectjudge import ObjectBatch, ObjectJudge
from napari_astroseg.engine.prepare import prepared
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import SetData
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.augment.sample import VISIBLE, Sample, mask_boxes
from napari_astroseg.sky.augment.some import some_of
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.datasets.truth import Item, Thing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.stack import stacked
from napari_astroseg.sky.window import Window


@dataclass(frozen=True, eq=False)
class Field:
    """A set: the bands that are shown, and its objects."""

    image: SkyImage
    things: tuple[Thing, ...]


@dataclass(frozen=True)
class Crop:
    """A window of a field, by its number; `seed` where it is to be augmented."""

    field: int
    window: Window
    seed: tuple[int, ...] | None = None


class ObjectSet(Loader):
    """The sets of a folder, parted into training and validation.

    Raises
    ------
    DataError
        When nothing can be learnt from them; the sentence says what to change.
    """

    def __init__(self, recipe: Recipe, data: Path, progress: Progress = silent) -> None:
        assert isinstance(recipe.data, SetData)
        self._recipe, self._spec = recipe, recipe.data
        dataset = open_sets(recipe.data, data, progress)
        self.digest = dataset.digest
        parts = dataset.of("training").tolist(), dataset.of("validation").tolist()
        self.fields: dict[int, Field] = {}
        for done, number in enumerate([*parts[0], *parts[1]]):
            progress("reading masks", done, len(parts[0]) + len(parts[1]))
            self.fields[number] = field_of(dataset.items[number], recipe.data)
        self.training, self.validation = parts
        for part, numbers in zip(("training", "validation"), parts, strict=True):
            if not self._objects(numbers):
                raise DataError(
                    f"{data} has no {part} set with an object; bring at least two sets with "
                    "masks.fits, or change data.validation"
                )
        self.notes = left_out(dataset)
        self.told = (
            f"{len(self.training)} sets with {self._objects(self.training)} objects and "
            f"{len(self.validation)} with {self._objects(self.validation)} for validation"
        )

    def batches(self, number: int) -> tuple[int, Iterator[ObjectBatch]]:
        """How many batches an epoch has, and each: crops of all training sets, augmented."""
        schedule, side = self._recipe.schedule, self._spec.crop_px
        rng = np.random.default_rng([schedule.seed, number])
        places = [
            (field, _drawn(self.fields[field].image.shape, side, rng))
            for field in self.training
            for _ in range(_worth(self.fields[field].image.shape, side))
        ]
        crops = [
            Crop(field, window, (schedule.seed, number, n))
            for n, (field, window) in enumerate(places)
        ]
        crops = [crops[n] for n in rng.permutation(len(crops))]
        starts = range(0, len(crops), schedule.batch_size)
        size = schedule.batch_size
        return len(starts), made_ahead(lambda at: self._batch(crops[at : at + size]), starts)

    def validation_batches(self) -> Iterator[ObjectBatch]:
        """The validation sets, crop by crop, as they are."""
        size, side = self._recipe.schedule.batch_size, self._spec.crop_px
        crops = [
            Crop(field, window)
            for field in self.validation
            for window in covering(self.fields[field].image.shape, side, side)
        ]
        starts = range(0, len(crops), size)
        yield from made_ahead(lambda at: self._batch(crops[at : at + size]), starts)

    def judge(self) -> ObjectJudge:
        """A new judge of the validation crops."""
        return ObjectJudge(self._spec.kinds)

    def _batch(self, crops: Sequence[Crop]) -> ObjectBatch:
        samples = [self._sample(crop) for crop in crops]
        masks = tuple(each.masks for each in samples)
        return ObjectBatch(
            np.stack([each.planes for each in samples]),
            tuple((each.boxes + 0.5).astype(np.float32) for each in samples),
            tuple(each.kinds for each in samples),
            tuple(each.astype(np.uint8) for each in masks if each is not None),
        )

    def _sample(self, crop: Crop) -> Sample:
        field = self.fields[crop.field]
        side = self._spec.crop_px
        planes = prepared_crop(field.image, crop.window, self._recipe)
        masks, kinds = [], []
        for thing in field.things:
            seen = _seen(thing, crop.window)
            if seen is not None:
                masks.append(seen)
                kinds.append(1 + self._spec.kinds.index(thing.kind))
        every = np.array(masks, bool).reshape(-1, side, side)
        sample = Sample(planes, mask_boxes(every), np.array(kinds, np.int64), every)
        if crop.seed is None:
            return sample
        return some_of(sample, np.random.default_rng(crop.seed), self._spec.augmentations)

    def _objects(self, numbers: Sequence[int]) -> int:
        return sum(len(self.fields[number].things) for number in numbers)


def open_sets(spec: SetData, data: Path, progress: Progress = silent) -> Dataset:
    """The folder as a recipe of sets takes it."""
    return open_dataset(data, "astro_rcnn", validation=spec.validation, progress=progress)


def field_of(item: Item, spec: SetData) -> Field:
    """An item of a dataset as a field to learn from.

    Raises
    ------
    DataError
        When it lacks a band.
    """
    truth = item.truth()
    return Field(shown_bands(item.image, spec), truth.objects if truth is not None else ())


def shown_bands(image: SkyImage, spec: SetData) -> SkyImage:
    """The bands of a stack that a recipe shows, in its order.

    Raises
    ------
    DataError
        When it lacks one.
    """
    held = list(image.bands)
    lacking = [name for name in spec.band_names if name not in held]
    if lacking:
        raise DataError(
            f"{image.name} has the bands {', '.join(held)} and not {', '.join(lacking)}; change "
            "data.band_names, or add what is missing"
        )
    planes = [image.plane(held.index(name)) for name in spec.band_names]
    return stacked(planes, spec.band_names, image.name)


def prepared_crop(image: SkyImage, window: Window, recipe: Recipe, factor: float = 1.0) -> Planes:
    """A window (bands, H, W) as the network takes it: normalised by itself, 0 where missing."""
    values = image.cutout(window) * np.float32(factor)
    values = values if values.ndim > 2 else values[None]
    return prepared(values, np.isfinite(values).all(0), recipe)


def covering(shape: tuple[int, int], side: int, step: int) -> list[Window]:
    """Squares that cover an image of `shape`, `step` apart; the last ends where the image does.

    Of an image smaller than a square there is one, which hangs over its end.
    """
    rows, columns = (starts(length, side, step) for length in shape)
    return [Window(x, y, side, side) for y in rows for x in columns]


def starts(length: int, side: int, step: int) -> list[int]:
    """Where stretches begin that cover a length; the last ends with it, or hangs over."""
    last = max(length - side, 0)
    return [*range(0, last, step), last]


def _drawn(shape: tuple[int, int], side: int, rng: np.random.Generator) -> Window:
    """A square anywhere in an image."""
    y, x = (int(rng.integers(max(length - side, 0) + 1)) for length in shape)
    return Window(x, y, side, side)


def _worth(shape: tuple[int, int], side: int) -> int:
    """As many squares as an image's area is worth."""
    return max(1, math.ceil(shape[0] * shape[1] / side**2))


def _seen(thing: Thing, window: Window) -> NDArray[np.bool_] | None:
    """An object's mask in a window; None where too little of it is seen."""
    assert thing.window is not None and thing.mask is not None
    shared = thing.window.overlap(window)
    if shared is None:
        return None
    part = thing.mask[shared.moved(-thing.window.x, -thing.window.y).slices]
    left = np.count_nonzero(part)
    if not left or left < VISIBLE * np.count_nonzero(thing.mask):
        return None
    seen = np.zeros(window.shape, bool)
    seen[shared.moved(-window.x, -window.y).slices] = part
    return seen
