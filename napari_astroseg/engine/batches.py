"""Batches: patches of the training maps as arrays, drawn and turned the same way every time.

What an epoch shows depends on the recipe's seed and the epoch's number alone, so a resumed
training sees what an uninterrupted one would have seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.batch import PixelBatch
from napari_astroseg.engine.loader import Judge, Loader, Planes, drawn_turns, made_ahead, turned
from napari_astroseg.engine.metrics import PixelCounts
from napari_astroseg.engine.pixeljudge import PixelJudge
from napari_astroseg.engine.prepare import by_patch, prepared
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.data import PatchData
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.fourmaps import FourMaps, digest, open_four_maps
from napari_astroseg.sky.patches import HELD_OUT, Patches, Sampler, deal_folds, hold_out, keep_apart

_DRAWS = 50
"""Tries before an epoch is given up for want of patches."""


class TrainingSet(Loader):
    """The maps of a folder, parted into training and validation as a recipe says.

    Raises
    ------
    DataError
        When no patch can be drawn on either side; the sentence says what to loosen.
    """

    def __init__(self, recipe: Recipe, data: Path) -> None:
        assert isinstance(recipe.data, PatchData)
        self._recipe, self._spec = recipe, recipe.data
        spec = recipe.data
        fields = open_four_maps(data, spec.background, spec.floor)
        fields = _large_enough(spec, fields)
        if not fields:
            raise DataError(
                f"every map in {data} is smaller than a patch of {spec.patch_px} pixels; "
                "lower data.patch_px or bring larger maps"
            )
        self.fields = fields
        self.digest, self.told = digest(data), _told(fields)
        self._samplers = [
            Sampler(
                field, number, fold == spec.split.validation_fold, fold == HELD_OUT, spec.patch_px
            )
            for number, (field, fold) in enumerate(zip(fields, _folds(spec, fields), strict=True))
        ]
        self._stored = [_stored(field, recipe) for field in fields]
        self.validation = Patches.joined([s.validation() for s in self._samplers])
        if not len(self.validation):
            raise DataError(
                f"no validation patch fits: areas of {spec.split.area_px} px must hold whole "
                f"patches of {spec.patch_px} px with labels; raise data.split.area_px or add maps"
            )
        if not any((batch.target * batch.weight).any() for batch in self.validation_batches()):
            raise DataError(
                "the validation areas hold no labelled structure, so no epoch could be told from "
                "another; choose another data.split.validation_fold, or add maps"
            )

    def epoch(self, number: int) -> tuple[Patches, np.random.Generator]:
        """The training patches of an epoch in their order, and the source of its turns."""
        spec = self._spec
        rng = np.random.default_rng([self._recipe.schedule.seed, number])
        for _ in range(_DRAWS):  # where few places suit, one draw may find none by chance
            drawn = [
                s.draw(rng, spec.positions, spec.min_mask, spec.anywhere, spec.allow_missing)
                for s in self._samplers
            ]
            patches = Patches.joined(drawn)
            if len(patches):
                break
        else:
            raise DataError(
                f"no training patch has {spec.min_mask:.0%} mask"
                f"{'' if spec.allow_missing else ' and no missing pixel'}; lower data.min_mask, "
                "allow data.allow_missing, or add maps"
            )
        order = rng.permutation(len(patches))
        return Patches(patches.field[order], patches.x[order], patches.y[order]), rng

    def batches(self, number: int) -> tuple[int, Iterator[PixelBatch]]:
        """How many batches an epoch has, and each, made while the one before is learnt from."""
        patches, rng = self.epoch(number)
        turns = drawn_turns(rng, len(patches), self._spec.augmentation)
        starts = range(0, len(patches), self._recipe.schedule.batch_size)
        return len(starts), made_ahead(partial(self._batch, patches, turns), starts)

    def validation_batches(self) -> Iterator[PixelBatch]:
        """The validation patches, never turned."""
        still = np.zeros((len(self.validation), 3), np.int64)
        for start in range(0, len(self.validation), self._recipe.schedule.batch_size):
            yield self._batch(self.validation, still, start)

    def judge(self) -> Judge:
        """A judge of the validation pixels."""
        return PixelJudge(self._figures)

    def _figures(self, counts: PixelCounts) -> dict[str, float]:
        """The highest Dice, and the threshold that gives it."""
        threshold, dice = counts.best()
        return {"dice": dice, "threshold": threshold}

    def _batch(self, patches: Patches, turns: NDArray[np.int64], start: int) -> PixelBatch:
        stop = min(start + self._recipe.schedule.batch_size, len(patches))
        side = self._spec.patch_px
        made = np.empty((3, stop - start, 1, side, side), np.float32)
        for slot, i in enumerate(range(start, stop)):
            x, y = int(patches.x[i]), int(patches.y[i])
            stamp = self._stored[patches.field[i]][:, y : y + side, x : x + side]
            if by_patch(self._recipe):
                planes = prepared(stamp[0], stamp[3] > 0, self._recipe)
                stamp = np.stack((planes, stamp[1], stamp[2]))
            made[:, slot, 0] = turned(stamp[:3], turns[i])
        return PixelBatch(*made)


def untrained(spec: PatchData, fields: list[FourMaps]) -> list[NDArray[np.bool_]]:
    """Where no training patch of a folder's maps may lie: what validates or is held out; (H, W)."""
    learnt = _large_enough(spec, fields)
    folds = dict(zip(map(id, learnt), _folds(spec, learnt), strict=True))
    told = []
    for field in fields:
        fold = folds.get(id(field), np.full(field.target.shape, HELD_OUT, np.int16))
        told.append((fold == spec.split.validation_fold) | (fold == HELD_OUT))
    return told


def _large_enough(spec: PatchData, fields: list[FourMaps]) -> list[FourMaps]:
    """The maps that hold a patch."""
    return [field for field in fields if min(field.target.shape) >= spec.patch_px]


def _folds(spec: PatchData, fields: list[FourMaps]) -> list[NDArray[np.int16]]:
    """The fold of each pixel of each map."""
    split = spec.split
    folds = deal_folds([f.target.shape for f in fields], split.area_px, split.folds)
    keep_apart(folds, fields, split.validation_fold, split.area_px)
    if split.hold_out_lon_deg is not None:
        for fold, field in zip(folds, fields, strict=True):
            hold_out(fold, field, split.hold_out_lon_deg)
    return folds


def _stored(field: FourMaps, recipe: Recipe) -> Planes:
    """A map's planes (4, H, W): input (raw if normalised by patch), target, weight, valid."""
    raw = field.values
    given = raw if by_patch(recipe) else prepared(raw, field.valid, recipe)
    return np.stack((given, field.target, field.labelled, field.valid)).astype(np.float32)


def _told(fields: list[FourMaps]) -> str:
    """The maps in words."""
    pixels = sum(field.target.size for field in fields)
    kind = "conservative" if fields[0].conservative else "one-vs-all"
    return f"{len(fields)} maps, {pixels / 1e6:.2f} Mpixel, {kind} labels"
