"""Contrast: how much brighter or darker each structure is than the sky around it, and how surely.

`inside` and `ring` are medians, so that stars count little. The error of their difference is what
the same footprint shows where there is no structure: it is put at up to 32 places on clear sky
around, and two thirds of the differences there are smaller than the error. So it holds for noise of
any correlation, and for the stars and clouds that a picture of the Galaxy has everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.comparing.footprints import (
    CELL,
    Block,
    Footprints,
    Labels,
    blocks,
    footprints,
)
from napari_astroseg.sky.pixels import PixelSource
from napari_astroseg.sky.progress import Progress, silent

Floats = NDArray[np.float64]

_TWO_THIRDS = 0.6827
"""Share of a normal distribution within one standard deviation."""

SURE = 3.0
"""Significance from which a structure is called darker or brighter than its surroundings."""

_FEWEST = 5
"""Pixels inside that make a median worth the name; a ring has to have twice as many."""

_HALF = 0.5
"""Share of a structure that must be on valid pixels."""

_PLACES = 8
"""Places elsewhere from which an error can be told."""

_ABOVE = 3.0
"""A ring below this many times the scatter of its pixels has no level to compare with."""

FEW = "too few valid pixels inside"
NO_RING = "too little valid ring"
NO_PLACES = "too little clear sky around for an error"
NO_LEVEL = "ring too faint or too uneven: no contrast"


@dataclass(frozen=True, eq=False)
class Contrast:
    """What a comparison image shows at each structure; all of one length, NaN where unknown.

    Parameters
    ----------
    ids
        Labels of the structures, ascending.
    inside, ring
        Medians over the structure and over the ring around it, in the image's unit.
    difference, error
        inside - ring, and its standard error.
    contrast
        (inside - ring) / ring: -0.2 is a lane a fifth darker than its surroundings. NaN where the
        ring is not above three times the scatter of its pixels, as in images whose background
        was taken off.
    significance
        difference / error.
    pixels, ring_pixels
        Valid pixels behind them.
    reason
        Why something is NaN, a few words; "" where nothing is.
    """

    ids: NDArray[np.int64]
    inside: Floats
    ring: Floats
    difference: Floats
    error: Floats
    contrast: Floats
    significance: Floats
    pixels: NDArray[np.int64]
    ring_pixels: NDArray[np.int64]
    reason: NDArray[np.str_]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def valid(self) -> NDArray[np.bool_]:
        """True where there is a significance."""
        return np.isfinite(self.significance)

    @property
    def measured(self) -> int:
        """How many structures have a significance."""
        return int(self.valid.sum())


def contrast(
    labels: Labels,
    values: NDArray[Any] | PixelSource,
    *,
    gap_px: float = 2.0,
    ring_px: float | None = None,
    progress: Progress = silent,
) -> Contrast:
    """Each structure against the ring around it, in an image on the same pixels.

    Parameters
    ----------
    labels
        (H, W) integers, 0 or less outside of all structures.
    values
        (H, W), NaN where missing; an array, or a source that is read block by block.
    gap_px
        Between a structure and its ring.
    ring_px
        Width of the ring; by default as the structure's own, 4 to 16 pixels.
    progress
        Called now and then with how many structures are done; what it raises ends the work.

    Notes
    -----
    Pixels nearer to another structure, or within the gap of one, are in no ring of this one.

    Raises
    ------
    ImageError
        When the shapes differ, or gap or ring have no width.
    """
    _check(labels, values, gap_px, ring_px)
    if labels.min(initial=0) < 0:
        labels = np.maximum(labels, 0)
    labels = labels.astype(np.int32, copy=False)
    found: list[Contrast] = []
    todo = list(blocks(labels, gap_px, ring_px))
    total = sum(len(block.ids) for block in todo)

    def tell(more: int) -> None:
        progress("measuring structures", sum(map(len, found)) + more, total)

    for block in todo:
        tell(0)
        part = np.asarray(values[block.window.slices], np.float64)
        found.append(_measured(labels[block.window.slices], part, block, gap_px, tell))
    return _joined(found)


def _check(labels: Labels, values: Any, gap_px: float, ring_px: float | None) -> None:
    if labels.ndim != 2 or labels.dtype.kind not in "iu":
        raise ImageError(
            f"a map of structures has two axes of whole numbers, not {labels.ndim} of "
            f"{labels.dtype}; pass labelled regions"
        )
    if tuple(labels.shape) != tuple(values.shape):
        raise ImageError(
            f"the structures lie on {labels.shape[1]} × {labels.shape[0]} pixels and the image to "
            f"compare on {values.shape[1]} × {values.shape[0]}; align the image onto them first"
        )
    if not (0.0 <= gap_px < np.inf) or (ring_px is not None and not 1.0 <= ring_px < np.inf):
        raise ImageError(
            f"a ring of {ring_px:g} px behind a gap of {gap_px:g} px holds no sky; "
            "give a ring of at least 1 and a gap of at least 0"
            if ring_px is not None
            else f"a gap of {gap_px:g} px cannot be; give one of at least 0"
        )


def _measured(
    labels: Labels, values: NDArray[Any], block: Block, gap_px: float, tell: Callable[[int], None]
) -> Contrast:
    """The structures of one block; `tell` hears how many are done."""
    where = footprints(labels, np.isfinite(values), block, gap_px)
    here, elsewhere = _differences(values, where, block, tell)
    inside, ring, scatter = here.T
    pixels, ring_pixels = where.inside.counts, where.ring.counts
    area = np.bincount(labels.ravel(), minlength=int(block.ids[-1]) + 1)[block.ids]
    few = (pixels < _FEWEST) | (pixels < _HALF * area)
    no_ring = ~few & (ring_pixels < 2 * _FEWEST)
    inside[few], ring[few | no_ring] = np.nan, np.nan
    error = _errors(elsewhere)
    error[few | no_ring] = np.nan
    no_places = ~few & ~no_ring & ~np.isfinite(error)
    difference = inside - ring
    level = ring > _ABOVE * scatter
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.where(level, difference / ring, np.nan)
        significance = difference / error
    no_level = ~few & ~no_ring & ~no_places & ~level
    reasons = (few, no_ring, no_places, no_level)
    told = np.select(reasons, (FEW, NO_RING, NO_PLACES, NO_LEVEL), "")
    return Contrast(
        block.ids, inside, ring, difference, error, relative, significance, pixels, ring_pixels,
        told.astype(np.str_),
    )  # fmt: skip


def _differences(
    values: NDArray[Any], where: Footprints, block: Block, tell: Callable[[int], None]
) -> tuple[Floats, Floats]:
    """What each footprint shows here and elsewhere, some structures at a time on every core."""
    from napari_astroseg.sky.comparing.placed import calmed, differences

    calm = calmed(values, where.sky, CELL, _ABOVE)
    inside, ring = where.inside, where.ring

    def some(first: int, last: int) -> tuple[Floats, Floats]:
        at, these = slice(first, last + 1), slice(first, last)
        return differences(
            values,
            calm,
            where.sky,
            (inside.rows, inside.columns, inside.starts[at]),
            (ring.rows, ring.columns, ring.starts[at]),
            block.step_px[these],
            block.reach_px[these],
        )

    cores = os.cpu_count() or 1
    ends = np.linspace(0, len(block.ids), min(len(block.ids), 4 * cores) + 1).astype(int).tolist()
    parts = []
    with ThreadPoolExecutor(cores) as pool:
        try:
            for end, part in zip(ends[1:], pool.map(some, ends[:-1], ends[1:]), strict=True):
                parts.append(part)
                tell(end)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    here, elsewhere = zip(*parts, strict=True)
    return np.concatenate(here), np.concatenate(elsewhere)


def _errors(elsewhere: Floats) -> Floats:
    """The size that two thirds of each structure's differences elsewhere stay below."""
    places = np.isfinite(elsewhere).sum(axis=1)
    sizes = np.sort(np.abs(elsewhere), axis=1)  # what is NaN comes last
    at = _TWO_THIRDS * np.maximum(places - 1, 0)
    low, each = at.astype(int), np.arange(len(sizes))
    below, above = sizes[each, low], sizes[each, np.minimum(low + 1, sizes.shape[1] - 1)]
    error = below + (at - low) * (above - below)
    # Few places tell little, and a constant sky tells of no noise.
    error[(places < _PLACES) | (error == 0.0)] = np.nan
    return error


def _joined(parts: list[Contrast]) -> Contrast:
    """All blocks as one, by label."""
    names = [field.name for field in fields(Contrast)]
    if not parts:
        none: dict[str, Any] = {name: np.zeros(0) for name in names}
        whole = {name: np.zeros(0, np.int64) for name in ("ids", "pixels", "ring_pixels")}
        return Contrast(**{**none, **whole, "reason": np.zeros(0, np.str_)})
    order = np.argsort(np.concatenate([part.ids for part in parts]))
    each: dict[str, Any] = {
        name: np.concatenate([getattr(part, name) for part in parts])[order] for name in names
    }
    return Contrast(**each)
