"""Patches: which stamps to learn from, and how the sky is parted so that validation is honest.

The sky is dealt out in square areas, round-robin over folds (Zavagno+2023). A training patch
touches no area of the validation fold; a validation patch lies wholly inside them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.fourmaps import FourMaps

_TRIES = 16
"""Positions drawn for each one wanted, before it is given up."""

HELD_OUT = -1


@dataclass(frozen=True)
class Patches:
    """Corners of square patches: `field` numbers a map, `x` and `y` its first pixel, all (N,)."""

    field: NDArray[np.int64]
    x: NDArray[np.int64]
    y: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.field)

    @classmethod
    def joined(cls, parts: list[Patches]) -> Patches:
        """All of several, in order."""
        if not parts:
            none = np.zeros(0, np.int64)
            return cls(none, none, none)
        return cls(
            *(np.concatenate([getattr(p, axis) for p in parts]) for axis in ("field", "x", "y"))
        )


def deal_folds(shapes: list[tuple[int, int]], area_px: int, folds: int) -> list[NDArray[np.int16]]:
    """Fold number of every pixel of every map, areas of `area_px` dealt round-robin."""
    dealt, start = [], 0
    for height, width in shapes:
        rows, columns = -(-height // area_px), -(-width // area_px)
        numbers = (start + np.arange(rows * columns)) % folds
        start += rows * columns
        areas = numbers.reshape(rows, columns).astype(np.int16)
        dealt.append(areas.repeat(area_px, 0).repeat(area_px, 1)[:height, :width])
    return dealt


def hold_out(folds: NDArray[np.int16], field: FourMaps, longitudes: tuple[float, float]) -> None:
    """Take the pixels between two longitudes out of every fold.

    Longitudes are of the image's own frame, deg, from the first eastwards to the second.
    """
    low, high = longitudes
    columns = np.arange(folds.shape[1])
    for row, line in enumerate(folds):  # row by row: a rotated map's columns are no meridians
        lon = field.image.sky(columns, np.full(len(columns), row)).spherical.lon.deg
        line[(lon - low) % 360.0 <= (high - low) % 360.0] = HELD_OUT


def keep_apart(
    folds: list[NDArray[np.int16]], fields: list[FourMaps], validation: int, area_px: int
) -> None:
    """Take pixels of maps that overlap on the sky out of training where another one validates.

    Parameters
    ----------
    folds
        Of each map, as `deal_folds` gives them; changed in place.
    validation
        The fold that validates.
    area_px
        Side of the areas dealt out, px.
    """
    step = max(1, min(8, area_px // 4))
    for mine, field in zip(folds, fields, strict=True):
        others = [
            (fold, other)
            for fold, other in zip(folds, fields, strict=True)
            if other is not field and other.image.wcs is not None and field.image.wcs is not None
        ]
        if not others:
            continue
        height, width = mine.shape
        rows, columns = np.arange(0, height, step), np.arange(0, width, step)
        x, y = (axis.ravel() for axis in np.meshgrid(columns, rows))
        middle = (step - 1) / 2
        places = field.image.sky(x + middle, y + middle)
        seen = np.zeros(x.shape, bool)
        for fold, other in others:
            seen |= _validates(places, fold == validation, field, other, step)
        block = seen.reshape(len(rows), len(columns)).repeat(step, 0).repeat(step, 1)
        mine[block[:height, :width] & (mine != validation)] = HELD_OUT


def _validates(
    places: SkyCoord, areas: NDArray[np.bool_], field: FourMaps, other: FourMaps, step: int
) -> NDArray[np.bool_]:
    """Which blocks of `step` px of a map, by their middles, touch validating pixels of another."""
    scales = field.image.pixel_scale_arcsec, other.image.pixel_scale_arcsec
    ratio = scales[0] / scales[1] if all(scales) else 1.0  # type: ignore[operator]
    reach = math.ceil(step * ratio) + 1  # a block's corner, however the maps are turned, and some
    there = ndimage.maximum_filter(np.pad(areas, reach), 2 * reach + 1)
    x, y = other.image.pixel(places)
    known = np.isfinite(x) & np.isfinite(y)
    column, row = (
        np.rint(np.where(known, axis, -1e6)).clip(-1e6, 1e6).astype(np.int64) + reach
        for axis in (x, y)
    )
    inside = (column >= 0) & (row >= 0) & (column < there.shape[1]) & (row < there.shape[0])
    found = np.zeros(len(x), bool)
    found[inside] = there[row[inside], column[inside]]
    return found


class Sums:
    """Sums over any rectangle of a map at once, from one cumulative table."""

    def __init__(self, values: NDArray[np.bool_]) -> None:
        table = np.zeros((values.shape[0] + 1, values.shape[1] + 1), np.int64)
        table[1:, 1:] = values.cumsum(0, dtype=np.int64).cumsum(1)
        self._table = table

    def over(self, x: NDArray[np.int64], y: NDArray[np.int64], size: int) -> NDArray[np.int64]:
        """Sums over the squares of `size` with corners (x, y), which must lie inside."""
        t = self._table
        return t[y + size, x + size] - t[y, x + size] - t[y + size, x] + t[y, x]


class Sampler:
    """Draws training patches of one map: `draw` afresh each epoch, `validation` always the same.

    Parameters
    ----------
    validation
        (H, W) true where the area belongs to the validation fold.
    excluded
        (H, W) true where no patch may reach (held out).
    """

    def __init__(
        self,
        field: FourMaps,
        number: int,
        validation: NDArray[np.bool_],
        excluded: NDArray[np.bool_],
        patch_px: int,
    ) -> None:
        self._number, self._patch = number, patch_px
        self._shape = field.target.shape
        self._regions = _region_pixels(field.target & field.valid & ~validation & ~excluded)
        self._mask = Sums(field.target & field.valid)
        self._gaps = Sums(~field.valid)
        self._labelled = Sums(field.labelled)
        self._forbidden = Sums(validation | excluded)
        self._validation = Sums(validation & ~excluded)

    def draw(
        self,
        rng: np.random.Generator,
        positions: int,
        min_mask: float,
        anywhere: int,
        allow_missing: bool,
    ) -> Patches:
        """Patches at random positions around each region, and `anywhere` more on the whole map."""
        near = self._near_regions(rng, positions, min_mask, allow_missing)
        x, y = self._anywhere(rng, anywhere * _TRIES)
        good = self._fits(x, y, allow_missing) & (self._labelled.over(x, y, self._patch) > 0)
        return Patches.joined([near, self._patches(x[good][:anywhere], y[good][:anywhere])])

    def validation(self) -> Patches:
        """Every patch of a grid that lies wholly in validation areas and has labelled pixels."""
        patch = self._patch
        ys, xs = (np.arange(0, side - patch + 1, patch) for side in self._shape)
        x, y = (axis.ravel() for axis in np.meshgrid(xs, ys))
        good = self._validation.over(x, y, patch) == patch * patch
        good &= self._labelled.over(x, y, patch) > 0
        return self._patches(x[good], y[good])

    def _near_regions(
        self, rng: np.random.Generator, positions: int, min_mask: float, allow_missing: bool
    ) -> Patches:
        patch, chosen_x, chosen_y = self._patch, [], []
        for rows, columns in self._regions:
            pick = rng.integers(len(rows), size=positions * _TRIES)
            offset = rng.integers(patch, size=(2, positions * _TRIES))
            x, y = self._inside(columns[pick] - offset[0], rows[pick] - offset[1])
            good = self._fits(x, y, allow_missing)
            good &= self._mask.over(x, y, patch) >= min_mask * patch * patch
            chosen_x.append(x[good][:positions])
            chosen_y.append(y[good][:positions])
        if not chosen_x:
            return self._patches(np.zeros(0, np.int64), np.zeros(0, np.int64))
        return self._patches(np.concatenate(chosen_x), np.concatenate(chosen_y))

    def _fits(
        self, x: NDArray[np.int64], y: NDArray[np.int64], allow_missing: bool
    ) -> NDArray[np.bool_]:
        """Whether patches keep off validation and held-out sky, and off gaps if they must."""
        good = self._forbidden.over(x, y, self._patch) == 0
        if not allow_missing:
            good &= self._gaps.over(x, y, self._patch) == 0
        return good

    def _anywhere(
        self, rng: np.random.Generator, count: int
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        height, width = self._shape
        x = rng.integers(max(1, width - self._patch + 1), size=count)
        return x, rng.integers(max(1, height - self._patch + 1), size=count)

    def _inside(
        self, x: NDArray[np.int64], y: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        height, width = self._shape
        return np.clip(x, 0, width - self._patch), np.clip(y, 0, height - self._patch)

    def _patches(self, x: NDArray[np.int64], y: NDArray[np.int64]) -> Patches:
        return Patches(np.full(len(x), self._number, np.int64), x, y)


def _region_pixels(mask: NDArray[np.bool_]) -> list[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Rows and columns of each 8-connected region."""
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    rows, columns = np.nonzero(labels)
    owner = labels[rows, columns]
    order = np.argsort(owner, kind="stable")
    edges = np.searchsorted(owner[order], np.arange(1, count + 2))
    return [(rows[order[a:b]], columns[order[a:b]]) for a, b in pairwise(edges)]
