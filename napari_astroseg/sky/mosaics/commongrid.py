"""Common grid: the one pixel grid that the tiles of a mosaic are shown on.

Tiles whose grids differ by whole pixels share theirs. Others get a new one: the frame and the
projection that most of them have, centred on them, north up, with the finest tile's pixel scale
(as `reproject.mosaicking.find_optimal_celestial_wcs` chooses), unless the caller says otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from astropy.coordinates import SkyCoord
from astropy.wcs import WCS
from astropy.wcs.utils import celestial_frame_to_wcs, proj_plane_pixel_scales

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.coords.cylinders import CYLINDRICAL
from napari_astroseg.sky.grids.grid import Grid
from napari_astroseg.sky.window import Window

T = TypeVar("T")

SAME_PX = 1e-3
"""Grids whose pixels fall together this closely are one grid."""

LARGEST_SIDE = 1_000_000
"""Pixels; a mosaic with a longer side is a mistake about scale or place."""

_ZENITHAL = {"TAN": 60.0, "SIN": 60.0, "STG": 120.0, "ARC": 170.0, "ZEA": 170.0}
"""Projections around a point, and how far from it they are of use, deg."""

PROJECTIONS = (*_ZENITHAL, *CYLINDRICAL[1:], "SFL", "AIT", "MOL")
"""Those that a common grid may have."""


@dataclass(frozen=True)
class Layout:
    """A grid, and the place of every tile on it.

    Parameters
    ----------
    grid
        All of the mosaic's pixels.
    windows
        One for each tile; None where it misses the grid.
    resampled
        Whether tiles' pixels fall between the grid's.
    """

    grid: Grid
    windows: tuple[Window | None, ...]
    resampled: bool


def shared(grids: Sequence[Grid]) -> Layout | None:
    """The tiles side by side on the grid they share; None where they share none."""
    first = grids[0]
    windows = []
    for grid in grids:
        corner = _offset(grid, first)
        if corner is None:
            return None
        windows.append(Window(*corner, *grid.shape[::-1]))
    left, low = min(w.x for w in windows), min(w.y for w in windows)
    right, high = max(w.x_end for w in windows), max(w.y_end for w in windows)
    whole = _sensible(Window(left, low, right - left, high - low))
    return Layout(first.part(whole), tuple(w.moved(-left, -low) for w in windows), False)


def _offset(grid: Grid, first: Grid) -> tuple[int, int] | None:
    """Whole pixels from the corner of `first` to that of `grid`; None where there are none."""
    height, width = grid.shape
    x, y = np.meshgrid(np.linspace(0, width - 1, 5), np.linspace(0, height - 1, 5))
    there = grid.onto(first, x, y)
    offsets = there[0] - x, there[1] - y
    corner = [float(np.mean(each)) for each in offsets]
    if not np.all(np.isfinite(corner)):
        return None
    whole = round(corner[0]), round(corner[1])
    astray = max(float(np.abs(o - w).max()) for o, w in zip(offsets, whole, strict=True))
    return whole if astray <= SAME_PX else None


def common(
    grids: Sequence[Grid], projection: str | None = None, scale_arcsec: float | None = None
) -> Layout:
    """A new grid that holds all tiles.

    Parameters
    ----------
    projection
        Three-letter code, one of `PROJECTIONS`.
    scale_arcsec
        Side of a pixel.

    Raises
    ------
    ImageError
        When the projection is unknown or cannot hold the tiles, or the picture would be absurdly
        large.
    """
    frame = _commonest([grid.sky.frame for grid in grids], lambda each: str(each.name))
    middles = SkyCoord([_middle(grid).transform_to(frame) for grid in grids])
    mean = middles.cartesian.mean()
    centre = SkyCoord(mean, frame=frame) if mean.norm() > 0.01 else middles[0]  # all-sky tiles
    lon, lat = centre.spherical.lon.deg, centre.spherical.lat.deg
    code = projection or _suited(grids, float(centre.separation(middles).deg.max()))
    if code not in PROJECTIONS:
        raise ImageError(
            f"{code} is no projection for a mosaic; give one of {', '.join(PROJECTIONS)}"
        )
    scale = min(map(pixel_arcsec, grids)) if scale_arcsec is None else scale_arcsec
    if not scale > 0:
        raise ImageError(f"pixels of {scale:g} arcsec hold nothing; give a scale above 0")
    wcs = celestial_frame_to_wcs(frame, projection=code)
    wcs.wcs.crval = lon, lat if code in _ZENITHAL else 0.0
    wcs.wcs.cdelt = -scale / 3600, scale / 3600
    wcs.wcs.crpix = 1.0, 1.0
    wcs.wcs.set()
    return _around(grids, wcs)


def _around(grids: Sequence[Grid], wcs: WCS) -> Layout:
    """The layout on a projection whose reference is its first pixel."""
    endless = Grid.of(wcs, (1, 1))
    reaches = [grid.reach(endless) for grid in grids]
    present = [reach for reach in reaches if reach is not None]
    if not present:
        raise ImageError(
            f"none of the tiles reaches the {endless.sky.projection} grid; give another projection"
        )
    left, low = min(w.x for w in present), min(w.y for w in present)
    right, high = max(w.x_end for w in present), max(w.y_end for w in present)
    if endless.sky.turn is not None:  # once around the sky is all there is
        spare = max(0, right - left - int(np.ceil(endless.sky.turn[1])))
        left, right = left + spare // 2, right - (spare - spare // 2)
    whole = _sensible(Window(left, low, right - left, high - low))
    wcs.wcs.crpix = 1.0 - left, 1.0 - low
    wcs.wcs.set()
    grid = Grid.of(wcs, whole.shape)
    frame = Window.whole(grid.shape)
    placed = (None if each is None else each.moved(-left, -low).overlap(frame) for each in reaches)
    return Layout(grid, tuple(placed), True)


def pixel_arcsec(grid: Grid) -> float:
    """Geometric mean of a pixel's two sides, arcsec."""
    sides = proj_plane_pixel_scales(grid.sky.wcs) * 3600.0
    return float(np.sqrt(sides[0] * sides[1]))


def _suited(grids: Sequence[Grid], radius_deg: float) -> str:
    """The projection that most tiles have, if it can hold them all."""
    code = Counter(grid.sky.projection for grid in grids).most_common(1)[0][0]
    if code not in PROJECTIONS:
        code = "TAN"
    return code if radius_deg < _ZENITHAL.get(code, 360.0) else "ZEA"


def _commonest(items: list[T], key: Callable[[T], str]) -> T:
    name = Counter(map(key, items)).most_common(1)[0][0]
    return next(each for each in items if key(each) == name)


def _middle(grid: Grid) -> SkyCoord:
    """A position on the sky about the middle of a grid (of an all-sky map, somewhere on it)."""
    x, y = (np.linspace(0.1, 0.9, 9) * n for n in grid.shape[::-1])
    lon, lat = grid.world(*np.meshgrid(x, y))
    usable = np.argsort(np.abs(np.arange(81) - 40))
    place = next((i for i in usable if np.isfinite(lon.flat[i] + lat.flat[i])), 40)
    return SkyCoord(lon.flat[place], lat.flat[place], unit="deg", frame=grid.sky.frame)


def _sensible(window: Window) -> Window:
    if max(window.shape) > LARGEST_SIDE:
        raise ImageError(
            f"the tiles span {window.width} × {window.height} pixels; "
            "mosaic those of one field, or give a coarser scale"
        )
    return window
