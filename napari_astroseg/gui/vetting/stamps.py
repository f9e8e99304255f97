"""Stamps: small pictures of places on layers, with the stretch, limits and colours they have."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.gui.look.looks import drawn_levels
from napari_astroseg.gui.vetting.flight import Place

Picture = NDArray[np.uint8]
"""(height, width, 3), row 0 on top."""

_ROOM = 1.7
"""Half the side of a stamp in radii: as much as a crop that a network is shown."""
_LEAST_PX = 12.0
_GAP = 2


@dataclass(frozen=True)
class Source:
    """A layer as it looks now, for another thread.

    Parameters
    ----------
    levels
        Its display levels, the finest first.
    limits
        Between which it is drawn, of display values.
    colours
        From values 0 to 1, (N,), to colours (N, 4).
    """

    levels: Sequence[Any]
    limits: tuple[float, float]
    colours: Callable[[Any], Any]

    @classmethod
    def of(cls, layer: Any) -> Source | None:
        """Of a layer of ours with one value a pixel; None of another."""
        drawn = drawn_levels(layer)
        if not drawn or len(drawn[0].shape) != 2:
            return None
        low, high = layer.contrast_limits
        return cls(drawn, (float(low), float(high)), layer.colormap.map)


def stamp(sources: Sequence[Source], place: Place, side: int) -> Picture:
    """One place in all sources, side by side; black beyond the edges and where data are missing."""
    parts = [_one(source, place, side) for source in sources]
    gap = np.zeros((side, _GAP, 3), np.uint8)
    for at in range(len(parts) - 1, 0, -1):
        parts.insert(at, gap)
    return np.concatenate(parts, axis=1)


def _one(source: Source, place: Place, side: int) -> Picture:
    x, y, radius = place
    half = max(_ROOM * radius, _LEAST_PX)
    wanted = max(0, math.floor(math.log2(max(1.0, 2 * half / side))))
    number = min(wanted, len(source.levels) - 1)
    level, factor = source.levels[number], 2**number
    steps = ((np.arange(side) + 0.5) / side - 0.5) * 2 * half
    rows = np.floor((y + 0.5 - steps) / factor).astype(int)  # the top row is the highest
    columns = np.floor((x + 0.5 + steps) / factor).astype(int)
    inside = _inside(rows, level.shape[0])[:, None] & _inside(columns, level.shape[1])
    picture = np.zeros((side, side, 3), np.uint8)
    if not inside.any():
        return picture
    top, bottom = _extent(rows, level.shape[0])
    left, right = _extent(columns, level.shape[1])
    values = np.asarray(level[top:bottom, left:right], np.float32)
    seen = values[
        np.clip(rows - top, 0, bottom - top - 1)[:, None],
        np.clip(columns - left, 0, right - left - 1),
    ]
    low, high = source.limits
    there = inside & np.isfinite(seen)
    scaled = np.clip((seen[there] - low) / (high - low), 0.0, 1.0)
    picture[there] = (np.asarray(source.colours(scaled))[:, :3] * 255).astype(np.uint8)
    return picture


def _inside(places: NDArray[Any], end: int) -> NDArray[np.bool_]:
    return np.asarray((places >= 0) & (places < end))


def _extent(places: NDArray[Any], end: int) -> tuple[int, int]:
    own = places[_inside(places, end)]
    return int(own.min()), int(own.max()) + 1
