"""Graticule: meridians and parallels as lines on the pixels of an image.

The sky is sampled on a coarse lattice of pixels as unit vectors v, and each line is a contour
there: a parallel of the latitude, a meridian pair L and L + 180° of v · (−sin L, cos L, 0). Both
are smooth at poles and across 0/360, and no inverse of the projection is needed, which is why
every projection and distortion will do. Every point found is then taken back to the sky and
kept only if it is on its line: nothing is drawn across the cuts of an interrupted map.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.coords.orientation import Floats, Frame, directions
from napari_astroseg.sky.coords.steps import LADDERS, Notation, angle_text, round_step
from napari_astroseg.sky.image import SkyImage

Kind = Literal["lon", "lat"]
Extent = tuple[float, float, float, float]
"""x0, y0, x1, y1 in 0-based pixel positions."""

LATTICE = 96
"""Samples along the longer side of the window."""
FINE_LATTICE = 224
"""The same where part of the window is off the sky, so that lines end close to its limb."""
MOST_LINES = 80
_TOLERANCE = 0.3
"""How far from its line a point may be, in samples of the lattice."""


@dataclass(frozen=True, eq=False)
class Line:
    """A stretch of one meridian or parallel.

    Parameters
    ----------
    kind
        `lon` for a meridian, `lat` for a parallel.
    value
        Its longitude in [0, 360) or latitude, degrees.
    text
        The value as it is written beside the line.
    points
        Shape (n, 2): 0-based pixel positions x, y.
    """

    kind: Kind
    value: float
    text: str
    points: Floats


@dataclass(frozen=True)
class Graticule:
    """The lines in one window, and the steps between them in degrees."""

    frame: Frame
    lines: tuple[Line, ...] = ()
    lon_step: float = math.nan
    lat_step: float = math.nan


def graticule(
    image: SkyImage, window: Extent, frame: Frame, spacing: float | None = None
) -> Graticule:
    """The coordinate lines over a window of an image.

    Parameters
    ----------
    image
        Whose world coordinates to draw; without any there are no lines.
    window
        Where, in pixels; the part of it that is on the image counts.
    frame
        `icrs` with hours and sexagesimal degrees, `galactic` with decimal degrees.
    spacing
        About how many pixels should be between lines; a sixth of the window by default.
    """
    height, width = image.shape
    x0, y0 = max(window[0], -0.5), max(window[1], -0.5)
    x1, y1 = min(window[2], width - 0.5), min(window[3], height - 0.5)
    if image.wcs is None or not (x1 > x0 and y1 > y0):
        return Graticule(frame)
    lattice = _Lattice.over(image, (x0, y0, x1, y1), frame, LATTICE)
    if not np.isfinite(lattice.sky).all() and np.isfinite(lattice.sky).any():
        lattice = _Lattice.over(image, (x0, y0, x1, y1), frame, FINE_LATTICE)
    if not np.isfinite(lattice.sky).any():
        return Graticule(frame)
    steps = lattice.steps(spacing or max(x1 - x0, y1 - y0) / 6)
    return Graticule(frame, tuple(_lines(image, lattice, steps)), *steps)


@dataclass(frozen=True, eq=False)
class _Lattice:
    """The sky sampled over a window: `sky` has shape (rows, columns, 3)."""

    frame: Frame
    x: Floats
    y: Floats
    sky: Floats

    @classmethod
    def over(cls, image: SkyImage, window: Extent, frame: Frame, most: int) -> _Lattice:
        x0, y0, x1, y1 = window
        pitch = max(x1 - x0, y1 - y0) / most
        x = np.linspace(x0, x1, max(8, round((x1 - x0) / pitch)) + 1)
        y = np.linspace(y0, y1, max(8, round((y1 - y0) / pitch)) + 1)
        return cls(frame, x, y, directions(image, *np.meshgrid(x, y), frame))

    @property
    def notations(self) -> tuple[Notation, Notation]:
        """How longitude and latitude are written."""
        return ("hours", "degrees") if self.frame == "icrs" else ("decimal", "decimal")

    @property
    def pitch(self) -> float:
        """Angle between neighbouring samples, radians; the median."""
        apart = [np.linalg.norm(np.diff(self.sky, axis=axis), axis=-1).ravel() for axis in (0, 1)]
        every = np.concatenate(apart)
        every = every[np.isfinite(every)]
        return float(np.median(every)) if every.size else math.nan

    @property
    def lonlat(self) -> tuple[Floats, Floats]:
        """Longitude in [0, 360) and latitude of every sample, degrees."""
        lon = np.degrees(np.arctan2(self.sky[..., 1], self.sky[..., 0])) % 360.0
        flat = np.hypot(self.sky[..., 0], self.sky[..., 1])
        return lon, np.degrees(np.arctan2(self.sky[..., 2], flat))

    def steps(self, spacing: float) -> tuple[float, float]:
        """Round steps in longitude and latitude for lines about so many pixels apart."""
        wish = math.degrees(self.pitch) * spacing / float(self.x[1] - self.x[0])
        lat_step = round_step(min(wish, 45.0), self.notations[1])
        slimness = float(np.nanmedian(np.hypot(self.sky[..., 0], self.sky[..., 1])))
        least = round_step(min(wish / max(slimness, 1e-9), 30.0), self.notations[0])
        ladder = [step for step in LADDERS[self.notations[0]] if step >= least]
        fair = (step for step in reversed(ladder) if len(self._longitudes(step)) <= MOST_LINES)
        return next(fair, ladder[0]), lat_step

    def contours(self, lon_step: float, lat_step: float) -> Iterator[_Contour]:
        """Parallels, and meridians still with the ones opposite, in pieces."""
        lat = self.lonlat[1]
        first, last = math.ceil(np.nanmin(lat) / lat_step), math.floor(np.nanmax(lat) / lat_step)
        for n in range(first, last + 1):
            if abs(n * lat_step) < 90.0 - 1e-9:
                yield from self._contours("lat", n * lat_step, lat - n * lat_step)
        for longitude in self._longitudes(lon_step):
            angle = math.radians(longitude)
            across = self.sky[..., 1] * math.cos(angle) - self.sky[..., 0] * math.sin(angle)
            yield from self._contours("lon", longitude, across)

    def _longitudes(self, step: float) -> list[float]:
        """Longitudes below 180° of the meridian pairs that may cross the window."""
        lon = self.lonlat[0]
        below = np.floor(lon[np.isfinite(lon)] / step).astype(np.int64)
        half = round(180.0 / step)
        return [float(n) * step for n in np.unique(np.concatenate([below, below + 1]) % half)]

    def _contours(self, kind: Kind, value: float, field: Floats) -> Iterator[_Contour]:
        """Where a field over the lattice is 0; not where it is missing."""
        import contourpy

        generator = contourpy.contour_generator(
            self.x, self.y, np.ma.masked_invalid(field), line_type=contourpy.LineType.Separate
        )
        for points in generator.lines(0.0):
            yield _Contour(kind, value, np.asarray(points, np.float64))


@dataclass(frozen=True, eq=False)
class _Contour:
    """What may become lines: a piece of a parallel, or of a meridian and its opposite."""

    kind: Kind
    value: float
    points: Floats


def _lines(image: SkyImage, lattice: _Lattice, steps: tuple[float, float]) -> Iterator[Line]:
    """The parts of contours that are where they claim to be, meridians and opposites parted."""
    contours = list(lattice.contours(*steps))
    if not contours:
        return
    every = np.concatenate([each.points for each in contours])
    sky = directions(image, every[:, 0], every[:, 1], lattice.frame)
    ends = np.cumsum([len(each.points) for each in contours])[:-1]
    of_lon, of_lat = lattice.notations
    for contour, v in zip(contours, np.split(sky, ends), strict=True):
        angle = math.radians(contour.value)
        if contour.kind == "lat":
            away = np.arctan2(v[:, 2], np.hypot(v[:, 0], v[:, 1])) - angle
            halves = [(contour.value, np.full(len(v), True))]
            text = partial(angle_text, step_deg=steps[1], notation=of_lat, signed=True)
        else:
            away = v[:, 1] * math.cos(angle) - v[:, 0] * math.sin(angle)
            ahead = v[:, 0] * math.cos(angle) + v[:, 1] * math.sin(angle) >= 0
            halves = [(contour.value, _widened(ahead)), (contour.value + 180, _widened(~ahead))]
            text = partial(angle_text, step_deg=steps[0], notation=of_lon)
        there = np.abs(away) < _TOLERANCE * lattice.pitch
        for value, half in halves:
            for points in _runs(contour.points, there & half):
                yield Line(contour.kind, value, text(value), points)


def _widened(half: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """One point more at each end: the halves of a meridian meet at the pole."""
    wide = half.copy()
    wide[1:] |= half[:-1]
    wide[:-1] |= half[1:]
    return wide


def _runs(points: Floats, keep: NDArray[np.bool_]) -> Iterator[Floats]:
    """The runs of two or more neighbouring points that are kept."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], keep, [False]])))
    for start, stop in zip(edges[::2], edges[1::2], strict=True):
        if stop - start > 1:
            yield points[start:stop]
