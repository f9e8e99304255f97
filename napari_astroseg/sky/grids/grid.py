"""Grid: pixels laid on the sky, and where the pixels of one lie on another, exactly."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from astropy.coordinates import BaseCoordinateFrame, SkyCoord
from astropy.wcs import WCS
from astropy.wcs.utils import wcs_to_celestial_frame
from numpy.typing import NDArray

from napari_astroseg.sky.coords.cylinders import projection, turn, unrolled, world_of
from napari_astroseg.sky.coords.inverse import distorted, undistorted
from napari_astroseg.sky.pixels import digest
from napari_astroseg.sky.window import Window

Doubles = NDArray[np.float64]

_INVERSE_PX = 1e-8
"""How well a distortion is inverted."""

_LATTICE = 17
"""Points along a side when looking where one grid lies on another."""


class Sky:
    """World coordinates that threads may share: a private copy of `wcs` behind a lock.

    WCSLIB errs when threads share one, and exact positions are asked for rarely.
    """

    def __init__(self, wcs: WCS) -> None:
        self.wcs = unrolled(wcs)
        self._lock = threading.Lock()

    @cached_property
    def frame(self) -> BaseCoordinateFrame:
        """The sky frame of its positions."""
        return wcs_to_celestial_frame(self.wcs)

    @property
    def projection(self) -> str:
        """Its three-letter code, such as `TAN` or `CAR`."""
        return projection(self.wcs)

    @cached_property
    def identity(self) -> str:
        """All that places pixels on the sky, as text."""
        with self._lock:
            return str(self.wcs.to_header_string(relax=True))

    @cached_property
    def turn(self) -> tuple[int, float] | None:
        """Pixel axis along which the sky comes round again, and after how many pixels.

        None where it does not, or along no pixel axis.
        """
        return turn(self.wcs)

    def world(self, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
        """Longitude and latitude of 0-based pixels, deg; NaN where the projection has no sky."""
        with self._lock:
            return world_of(self.wcs, x, y)

    def pixels(self, lon: Doubles, lat: Doubles, middle: Doubles, size: Doubles) -> Doubles:
        """0-based (x, y) of positions, (n, 2); NaN where there is no answer.

        A distortion is fitted to its image and goes astray further out: it is followed only
        within one and a half times `size` (x, y) from `middle`.
        """
        world = np.empty((lon.size, 2))
        world[:, self.wcs.wcs.lng], world[:, self.wcs.wcs.lat] = lon, lat
        with self._lock:
            found = np.asarray(self.wcs.wcs_world2pix(world, 0))
            if distorted(self.wcs):
                with np.errstate(invalid="ignore"):
                    near = (np.abs(found - middle) < 1.5 * size).all(axis=1)
                found[~near] = np.nan
                if near.any():
                    found[near] = undistorted(self.wcs, world[near], _INVERSE_PX)
        return found

    def __reduce__(self) -> tuple[type[Sky], tuple[WCS]]:
        return Sky, (self.wcs,)


@dataclass(frozen=True, eq=False)
class Grid:
    """A rectangle of pixels on the sky.

    Parameters
    ----------
    sky
        World coordinates; grids may share them.
    shape
        (H, W).
    corner
        (x, y) of its first pixel in the pixels of `sky`.
    step
        Side of its pixels in those of `sky`.
    """

    sky: Sky
    shape: tuple[int, int]
    corner: tuple[int, int] = (0, 0)
    step: int = 1

    @classmethod
    def of(cls, wcs: WCS, shape: tuple[int, int]) -> Grid:
        """The grid of celestial world coordinates with two axes."""
        return cls(Sky(wcs), shape)

    def part(self, window: Window) -> Grid:
        """The pixels in `window` as a grid by themselves."""
        x, y = self.corner
        corner = x + window.x * self.step, y + window.y * self.step
        return Grid(self.sky, window.shape, corner, self.step)

    def coarser(self, factor: int, window: Window, corner: tuple[int, int]) -> Grid:
        """Blocks of `factor` × `factor` pixels as pixels: those blocks that are in `window`.

        Pixels and blocks are counted from one origin; `corner` is the place (x, y) of the first
        pixel.
        """
        first = Window(window.x * factor - corner[0], window.y * factor - corner[1], 1, 1)
        return Grid(self.sky, window.shape, self.part(first).corner, self.step * factor)

    @property
    def identity(self) -> str:
        """A digest of the sky under its pixels."""
        return digest(self.sky.identity, self.shape, self.corner, self.step)

    def world(self, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
        """Longitude and latitude in the frame of `sky`, deg; NaN where there is no sky."""
        spare = (self.step - 1) / 2
        left, low = self.corner
        return self.sky.world(x * self.step + spare + left, y * self.step + spare + low)

    def pixel(self, lon: Doubles, lat: Doubles) -> tuple[Doubles, Doubles]:
        """0-based pixel of positions in the frame of `sky`; NaN where it does not reach.

        Where the sky comes round again, the answer nearest to the middle of the grid.
        """
        found = np.full((lon.size, 2), np.nan)
        usable = np.isfinite(lon).ravel() & np.isfinite(lat).ravel()
        size = np.array(self.shape[::-1], float) * self.step
        middle = np.array(self.corner) + (size - 1) / 2
        if usable.any():
            here = self.sky.pixels(lon.ravel()[usable], lat.ravel()[usable], middle, size)
            if self.sky.turn is not None:
                axis, period = self.sky.turn
                here[:, axis] -= period * np.round((here[:, axis] - middle[axis]) / period)
            found[usable] = (here - self.corner - (self.step - 1) / 2) / self.step
        return found[:, 0].reshape(lon.shape), found[:, 1].reshape(lon.shape)

    def onto(self, other: Grid, x: Doubles, y: Doubles) -> tuple[Doubles, Doubles]:
        """Pixel of `other` under each (x, y) of this one, exactly; NaN where there is none."""
        lon, lat = self.world(x, y)
        mine, theirs = self.sky.frame, other.sky.frame
        if not mine.is_equivalent_frame(theirs):
            there = SkyCoord(lon, lat, unit="deg", frame=mine).transform_to(theirs)
            lon, lat = there.spherical.lon.deg, there.spherical.lat.deg
        return other.pixel(lon, lat)

    def reach(self, other: Grid) -> Window | None:
        """The pixels of `other`, beyond its edges too, that this grid may touch; None for none."""
        height, width = self.shape
        x, y = np.meshgrid(
            np.linspace(-0.5, width - 0.5, _LATTICE), np.linspace(-0.5, height - 0.5, _LATTICE)
        )
        of_x, of_y = (_span(places) for places in self.onto(other, x, y))
        if of_x is None or of_y is None:
            return None
        (left, right), (low, high) = of_x, of_y
        return Window(left, low, right - left + 1, high - low + 1)


def _span(places: Doubles) -> tuple[int, int] | None:
    """First and last pixel that a lattice of places may touch, with what lies between them."""
    present = np.isfinite(places)
    if not present.any():
        return None
    order = 2 if present.all() else 1  # curved edges bulge; unknown ones may reach to the next
    bends = [np.diff(places, order, axis=axis) for axis in (0, 1)]
    known = [np.abs(bend[np.isfinite(bend)]) for bend in bends]
    spare = max((float(each.max()) for each in known if each.size), default=1.0) + 0.01
    low, high = float(places[present].min()) - spare, float(places[present].max()) + spare
    return int(np.floor(low + 0.5)), int(np.ceil(high - 0.5))
