"""Outline: where the edges of shapes run in an image's pixels, as closed rings.

Of what lies on the sky, each place of the outline is taken through the image's own world
coordinates, so pixels that are not square, turned, sheared or distorted are no matter. Sides of a
polygon are straight in pixels, as in DS9.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.shapes.local import offset
from napari_astroseg.sky.shapes.shape import Shape, coordinates

Ring = NDArray[np.float64]
"""Places (x, y), (N, 2), 0-based px."""

TOLERANCE_PX = 0.01
"""How far a ring may lie inside the curve that it stands for."""

_FEWEST, _MOST = 16, 4096
_PER_SIDE = 16
"""Parts into which the side of a box on the sky is cut, as it may be bent in the image."""
_WHOLE_TURN_DEG = 300.0
"""Maps that are wider show the whole sky: 324 deg of it at the scale of their middle, or 360."""


def rings(
    shapes: Sequence[Shape], image: SkyImage, tolerance_px: float = TOLERANCE_PX
) -> list[list[Ring]]:
    """The rings of each shape: one, two for an annulus; the only ones of a point or line are open.

    Places that the projection cannot show are left out. A ring is cut where the sky comes round
    again at the edge of the map. A shape of which nothing can be shown has none.

    Raises
    ------
    MarkError
        When a shape lies on the sky and the image has no sky coordinates.
    """
    drawn: list[list[Ring]] = []
    scale = image.pixel_sides_arcsec
    for frame, group in groupby(shapes, key=lambda shape: shape.frame):
        own = list(group)
        if frame == "pixel":
            drawn += [pixel_rings(shape, tolerance_px) for shape in own]
            continue
        if scale is None:
            raise MarkError(
                f"{image.name} has no sky coordinates to place shapes by; give shapes in pixels"
            )
        finest = 1.0 / min(scale)
        told = [
            [_sky(shape, part) for part in _parts(shape, finest, tolerance_px)] for shape in own
        ]
        drawn += _placed(told, frame, image)
    return drawn


def pixel_rings(shape: Shape, tolerance_px: float = TOLERANCE_PX) -> list[Ring]:
    """The rings of a shape in pixels."""
    return [_pixels(shape, part) for part in _parts(shape, 1.0, tolerance_px)]


def bounds(outline: Sequence[Ring]) -> tuple[float, float, float, float] | None:
    """Smallest x and y, largest x and y of rings, px; None without any."""
    if not outline:
        return None
    low = np.min([ring.min(0) for ring in outline], axis=0)
    high = np.max([ring.max(0) for ring in outline], axis=0)
    return float(low[0]), float(low[1]), float(high[0]), float(high[1])


def touches(outline: Sequence[Ring], shape: tuple[int, int]) -> bool:
    """Whether any of it may lie on an image (H, W)."""
    box = bounds(outline)
    if box is None:
        return False
    height, width = shape
    return box[0] < width - 0.5 and box[1] < height - 0.5 and box[2] >= -0.5 and box[3] >= -0.5


def _parts(shape: Shape, px_per_unit: float, tolerance_px: float) -> list[Ring | None]:
    """Its rings around its centre, along its own axes, in its own unit; None: its own points."""
    if not shape.centred:
        return [None]
    half = len(shape.sizes) // 2
    sizes = [shape.sizes[half:], shape.sizes[:half]] if shape.is_annulus else [shape.sizes]
    if "box" in shape.form:
        sides = _PER_SIDE if shape.on_sky else 1
        return [_rectangle(width / 2, height / 2, sides) for width, height in sizes]
    return [_ellipse(axes[0], axes[-1], px_per_unit, tolerance_px) for axes in sizes]


def _ellipse(major: float, minor: float, px_per_unit: float, tolerance_px: float) -> Ring:
    radius = max(major, minor) * px_per_unit
    half = math.acos(max(1.0 - tolerance_px / radius, -1.0)) if radius > 0 else math.pi
    count = 4 * math.ceil(min(max(math.pi / half, _FEWEST), _MOST) / 4)
    turn = np.arange(count) * (2 * np.pi / count)
    return np.column_stack((major * np.cos(turn), minor * np.sin(turn)))


def _rectangle(right: float, up: float, parts: int) -> Ring:
    corners = np.array([(right, up), (-right, up), (-right, -up), (right, -up)])
    along = (np.arange(parts) / parts)[:, None]
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    return np.concatenate([start + along * (end - start) for start, end in sides])


def _pixels(shape: Shape, part: Ring | None) -> Ring:
    if part is None:
        return np.array(shape.points)
    angle = math.radians(shape.angle)
    turn = np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])
    return np.asarray(shape.points[0] + part @ turn)


def _sky(shape: Shape, part: Ring | None) -> Ring:
    """Longitudes and latitudes, deg."""
    if part is None:
        return np.array(shape.points)
    west = math.radians(shape.angle)
    first = np.array([-math.cos(west), math.sin(west)])  # (east, north)
    second = np.array([math.sin(west), math.cos(west)])
    east, north = (part[:, :1] * first + part[:, 1:] * second).T
    lon, lat = (np.array(each) for each in shape.points[0])
    return np.column_stack(offset(lon, lat, east, north))


def _placed(told: list[list[Ring]], frame: str, image: SkyImage) -> list[list[Ring]]:
    """Rings on the sky in pixels: all of them in one go, as each going costs."""
    flat = [ring for each in told for ring in each]
    if not flat:
        return [[] for _ in told]
    lon, lat = np.concatenate(flat).T
    xy = np.column_stack(image.pixel(coordinates(lon, lat, frame)))
    ends = np.cumsum([len(ring) for ring in flat])
    pieces = iter(np.split(xy, ends[:-1]))
    around = _comes_round(image)
    return [[shown for _ in each for shown in _shown(next(pieces), image, around)] for each in told]


def _shown(ring: Ring, image: SkyImage, around: bool) -> Iterator[Ring]:
    """What the projection shows of a ring, cut where it jumps to the other side of the map."""
    ring = ring[np.isfinite(ring).all(1)]
    if not len(ring):
        return
    if not around or len(ring) < 4:
        yield ring
        return
    step = np.abs(np.diff(ring, axis=0, append=ring[:1])).max(1)
    jumps = np.flatnonzero(step > max(image.shape) / 2)
    if len(jumps) < 2:
        yield ring
        return
    whole = np.roll(ring, -(jumps[0] + 1), axis=0)
    for piece in np.split(whole, jumps[1:] - jumps[0]):
        if len(piece) > 2:  # a step on from both its ends, to reach the edge
            yield np.vstack((2 * piece[0] - piece[1], piece, 2 * piece[-1] - piece[-2]))


def _comes_round(image: SkyImage) -> bool:
    """Whether the map is wide enough to show a whole turn of the sky."""
    sides = image.pixel_sides_arcsec
    if sides is None:
        return False
    height, width = image.shape
    return max(width * sides[0], height * sides[1]) >= _WHOLE_TURN_DEG * 3600.0
