"""Blended: stamps of overlapping galaxies and the class of each pixel, as batches."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.batch import PixelBatch
from napari_astroseg.engine.galaxies import left_out
from napari_astroseg.engine.loader import Judge, Loader, Planes, drawn_turns, made_ahead, turned
from napari_astroseg.engine.metrics import PixelCounts
from napari_astroseg.engine.prepare import prepared
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import BlendedData
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.datasets.blended import CLASSES
from napari_astroseg.sky.datasets.dataset import Dataset
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.datasets.split import PARTS
from napari_astroseg.sky.normalise import valid_pixels
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.structures import any_class
from napari_astroseg.sky.window import Window

Numbers = NDArray[np.intp]
Truth = NDArray[np.uint8]


class BlendedSet(Loader):
    """The stamps of a folder, read batch by batch, parted into training and validation.

    Raises
    ------
    DataError
        When nothing can be learnt from them; the sentence says what to change.
    """

    def __init__(self, recipe: Recipe, data: Path, progress: Progress = silent) -> None:
        self._recipe, self._spec = recipe, spec_of(recipe)
        self.stamps = open_stamps(self._spec, data, progress)
        self.digest = self.stamps.digest
        self.training, self.validation = self.stamps.of("training"), self.stamps.of("validation")
        for part in PARTS[:2]:
            held = self.stamps.counts[part].pixels if part in self.stamps.counts else {}
            if not sum(held.get(name, 0) for name in CLASSES):
                raise DataError(
                    f"the {part} stamps of {data} show no galaxy; add stamps, or change "
                    "data.validation"
                )
        self.told = f"{len(self.training)} stamps and {len(self.validation)} for validation"
        self.notes = left_out(self.stamps)

    def batches(self, number: int) -> tuple[int, Iterator[PixelBatch]]:
        """How many batches an epoch has, and each, of all training stamps in a new order."""
        schedule = self._recipe.schedule
        rng = np.random.default_rng([schedule.seed, number])
        order = rng.permutation(self.training)
        turns = drawn_turns(rng, len(order), self._spec.augmentation)
        starts = range(0, len(order), schedule.batch_size)
        return len(starts), made_ahead(partial(self._batch, order, turns), starts)

    def validation_batches(self) -> Iterator[PixelBatch]:
        """The validation stamps, never turned."""
        order, still = self.validation, np.zeros((len(self.validation), 3), np.int64)
        starts = range(0, len(order), self._recipe.schedule.batch_size)
        return made_ahead(partial(self._batch, order, still), starts)

    def judge(self) -> Judge:
        """A judge of the classes of the validation pixels."""
        return ClassJudge(self._recipe.prediction.threshold)

    def _batch(self, order: Numbers, turns: NDArray[np.int64], start: int) -> PixelBatch:
        mine = slice(start, start + self._recipe.schedule.batch_size)
        planes, truth, weight = batch_arrays(self.stamps, order[mine], self._recipe)
        for slot, turn in enumerate(turns[mine]):
            for each in (planes, truth, weight):
                each[slot] = turned(each[slot], turn).copy()
        return PixelBatch(planes, truth, weight)


class ClassJudge(Judge):
    """Counts of all validation pixels together, and how well their classes are met."""

    def __init__(self, threshold: float | None) -> None:
        self._threshold = threshold
        self._galaxy = PixelCounts()
        count = 1 + len(CLASSES)
        self._confusion = np.zeros((count, count), np.int64)

    def add(self, answer: Any, batch: PixelBatch) -> None:
        """Count probabilities (N, 2, side, side) against a batch of arrays."""
        truth, counted = batch.target[:, 0].astype(np.int64), batch.weight[:, 0] > 0
        self._galaxy.add(any_class(answer), truth > 0, counted)
        self._confusion += confusion(likeliest(answer)[counted], truth[counted])

    def figures(self) -> dict[str, float]:
        """Intersection over union of each class and their mean, `iou`, that tells the best epoch.

        Also the Dice of galaxies, of whichever class, at the threshold.
        """
        each = iou(self._confusion)[1:]
        chosen = self._galaxy.best()[0] if self._threshold is None else self._threshold
        told = {f"iou_{name}": float(value) for name, value in zip(CLASSES, each, strict=True)}
        known = each[np.isfinite(each)]
        return {
            "iou": float(known.mean()) if len(known) else 0.0,
            **told,
            "dice": self._galaxy.dice(chosen),
            "threshold": chosen,
        }


def spec_of(recipe: Recipe) -> BlendedData:
    """What the recipe learns from."""
    assert isinstance(recipe.data, BlendedData)
    return recipe.data


def open_stamps(spec: BlendedData, data: Path, progress: Progress = silent) -> Dataset:
    """The folder as the recipe takes it.

    Raises
    ------
    DataError
        When its stamps are of another side than the recipe's.
    """
    stamps = open_dataset(data, "blended", validation=spec.validation, progress=progress)
    for item in stamps.items[:1]:
        shape = item.image.shape
        if shape != (spec.stamp_px, spec.stamp_px):
            raise DataError(
                f"{item.name} is {shape[1]} × {shape[0]} pixels and the recipe takes stamps of "
                f"{spec.stamp_px}; set data.stamp_px to the side of your stamps"
            )
    return stamps


def batch_arrays(
    stamps: Dataset, numbers: Numbers, recipe: Recipe
) -> tuple[Planes, Planes, Planes]:
    """Input, number of each pixel's class, and 1 where it is known; all (N, 1, side, side)."""
    side = recipe.data.side_px
    made = np.zeros((3, len(numbers), 1, side, side), np.float32)
    whole = Window(0, 0, side, side)
    for slot, number in enumerate(numbers):
        item = stamps.items[int(number)]
        image, truth = item.image, item.truth()
        if image.shape != whole.shape or truth is None:
            raise DataError(
                f"{item.name} is not {side} × {side} pixels as the other stamps; write them alike"
            )
        values = image.cutout(whole)
        valid = valid_pixels(values, recipe.data.floor)
        made[0, slot, 0] = prepared(values, valid, recipe)
        for kind, name in enumerate(CLASSES, start=1):
            made[1, slot, 0][truth.pixels[name]] = kind
        made[2, slot, 0] = valid
    return made[0], made[1], made[2]


def likeliest(probability: Planes) -> Truth:
    """Number (…, H, W) of the likeliest class, 0 for background, which has what others leave."""
    background = 1.0 - probability.sum(-3, keepdims=True)
    every = np.concatenate((background, probability), -3)
    return every.argmax(-3).astype(np.uint8)


def confusion(found: NDArray[Any], truth: NDArray[Any]) -> NDArray[np.int64]:
    """How many pixels are found in each class (columns) of each true class (rows)."""
    count = 1 + len(CLASSES)
    pairs = truth.astype(np.int64) * count + found.astype(np.int64)
    return np.bincount(pairs.ravel(), minlength=count**2).reshape(count, count)


def iou(counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Intersection over union of each class of a confusion; NaN of one that is in neither."""
    shared = np.diag(counts).astype(np.float64)
    either = counts.sum(0) + counts.sum(1) - shared
    return np.divide(shared, either, out=np.full(len(shared), np.nan), where=either > 0)
