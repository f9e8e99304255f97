"""Covering: the field that shows what is in view, the same one for views that differ little."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from napari_astroseg.errors import ImageError, SurveyError
from napari_astroseg.sky.coords.orientation import Floats, Frame, directions
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.surveys.field import (
    HALF_SKY_DEG,
    MOST_PX,
    Field,
    Projection,
    on_plane,
)
from napari_astroseg.sky.surveys.survey import Survey
from napari_astroseg.sky.window import Window

MARGIN = 0.05
"""Of the view, added on every side."""
SNAP = 8
"""A field's middle lies on a grid of this part of its shorter side."""
_LATTICE = 33
"""Positions along a side of the view whose sky is looked up."""
_LEAST_PX = 64
_STEPS = 8
"""Sizes of a field per doubling."""


def covering(image: SkyImage, window: Window, screen_px: int | None, survey: Survey) -> Field:
    """As `Field.of`, which see."""
    if image.wcs is None:
        raise ImageError(
            f"{image.name} has no sky coordinates, so no survey can be asked for its field; "
            "add a WCS to its header"
        )
    inside = window.overlap(Window.whole(image.shape))
    if inside is None:
        raise SurveyError(f"the view shows nothing of {image.name}; move it back onto the image")
    frame: Frame = "galactic" if image.frame == "galactic" else "icrs"
    seen = _seen(image, inside, frame)
    if not len(seen):
        raise SurveyError(f"the view of {image.name} shows no sky; move it onto the sky")
    middle = _middle(image, inside, frame, seen)
    before = seen[seen @ _vector(*middle) >= 0]
    notes = ["only half the sky around the middle of the view"] if len(before) < len(seen) else []
    wanted = _pixel_in_view(image, window, screen_px)
    own = survey.pixel_arcsec or (survey.resolution_arcsec or 0.0) / 3
    pixel = fitting = _rung(max(wanted, own), own)
    while (found := _around(before, middle, pixel, frame)) is None:
        pixel = _rung(pixel * math.sqrt(2.0), own)
    if pixel > fitting:
        notes.append(f"coarser than the view, for a field has at most {MOST_PX} pixels a side")
    note = f"{survey.name}: {' and '.join(notes)}; zoom in for more" if notes else ""
    return replace(found, note=note)


def _seen(image: SkyImage, window: Window, frame: Frame) -> Floats:
    """Unit vectors (N, 3) all over a window, edges included; off the sky there are none."""
    x = np.linspace(window.x - 0.5, window.x_end - 0.5, _LATTICE)
    y = np.linspace(window.y - 0.5, window.y_end - 0.5, _LATTICE)
    found = directions(image, *np.meshgrid(x, y), frame).reshape(-1, 3)
    return found[np.isfinite(found).all(axis=1)]


def _middle(image: SkyImage, window: Window, frame: Frame, seen: Floats) -> tuple[float, float]:
    """Longitude and latitude of what is seen, deg; of the middle pixel where that is all around."""
    mean = seen.mean(axis=0)
    if np.linalg.norm(mean) < 0.1:
        x, y = window.x + (window.width - 1) / 2, window.y + (window.height - 1) / 2
        there = directions(image, x, y, frame)
        mean = there if np.isfinite(there).all() else seen[len(seen) // 2]
    lon, lat = np.arctan2(mean[1], mean[0]), np.arctan2(mean[2], np.hypot(mean[0], mean[1]))
    return float(np.degrees(lon)), float(np.degrees(lat))


def _pixel_in_view(image: SkyImage, window: Window, screen_px: int | None) -> float:
    """Side of a screen pixel, arcsec; of the image's where those are larger."""
    scale = image.pixel_scale_arcsec
    assert scale is not None  # its sky has been seen
    across = max(window.width, window.height)
    return scale * max(1.0, across / screen_px if screen_px else 1.0)


def _rung(pixel: float, own: float) -> float:
    """The pixel size nearest to one wanted on a ladder of half octaves above the survey's own."""
    base = own or 1.0
    steps = round(2 * math.log2(pixel / base))
    return float(round(base * 2 ** ((max(0, steps) if own else steps) / 2), 6))


def _around(seen: Floats, middle: tuple[float, float], pixel: float, frame: Frame) -> Field | None:
    """The field of that pixel size around all that is seen; None where it would be too large."""
    room = 1 - 1 / SNAP  # what is left for certain when the middle is snapped
    width, height = _sides(_reach(seen, middle, "ZEA"), pixel, room)
    if max(width, height) > MOST_PX:
        return None
    lon, lat = _snapped(middle, pixel / 3600.0 * min(width, height) / SNAP)
    planned = Field(lon, lat, frame, width, height, pixel)
    needed = _sides(_reach(seen, (lon, lat), planned.projection), pixel)
    width, height = max(width, needed[0]), max(height, needed[1])
    if max(width, height) > MOST_PX:
        return None
    return Field(lon, lat, frame, width, height, pixel)


def _reach(seen: Floats, middle: tuple[float, float], projection: Projection) -> Floats:
    """How far from the middle of a plane it must show, deg east or west, and north or south."""
    flat = np.abs(on_plane(seen, middle, projection))
    return np.max(flat[np.isfinite(flat).all(axis=1)], axis=0, initial=0.0)


def _sides(reach: Floats, pixel: float, room: float = 1.0) -> tuple[int, int]:
    """Width and height for a reach and a margin, px; no more than half the sky."""
    limit = max(1, int(HALF_SKY_DEG * 3600.0 / pixel))
    wanted = 2 * (1 + 2 * MARGIN) * reach * 3600.0 / pixel / room
    width, height = (min(limit, _rounded_up(float(size))) for size in wanted)
    return width, height


def _rounded_up(size: float) -> int:
    """One of a few sizes per doubling, at or above the one wanted."""
    size = max(size, float(_LEAST_PX))
    step = 2 ** math.floor(math.log2(size)) // _STEPS
    return math.ceil(size / step) * step


def _snapped(middle: tuple[float, float], step_deg: float) -> tuple[float, float]:
    """The nearest of the places about a step apart on parallels a step apart."""
    lat = min(90.0, max(-90.0, round(middle[1] / step_deg) * step_deg))
    around = max(1, round(360.0 * math.cos(math.radians(lat)) / step_deg))
    lon = round(middle[0] % 360.0 / 360.0 * around) % around * 360.0 / around
    return round(lon, 6) % 360.0, round(lat, 6)


def _vector(lon_deg: float, lat_deg: float) -> Floats:
    lon, lat = np.radians(lon_deg), np.radians(lat_deg)
    return np.array([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
