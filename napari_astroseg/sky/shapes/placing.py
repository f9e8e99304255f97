"""Placing: shapes drawn in pixels put on the sky, and shapes on the sky as such in pixels.

Around its centre, the sky is taken to be linear in pixels. A circle, or an ellipse, then becomes
exactly an ellipse, and a circle again where pixels are square. A box on pixels that are sheared, or
not square and not along its sides, becomes the polygon of its corners; an annulus of boxes stays
one, with its first sides and its areas. What is drawn and marked is the outline
(`sky.shapes.outline`), for which nothing is taken to be linear.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.shapes.local import jacobian, offset
from napari_astroseg.sky.shapes.shape import Form, Frame, Point, Shape, coordinates, frame_named

Doubles = NDArray[np.float64]

_ROUND = 1e-3
"""Axes that differ by less than this part make a circle."""
_SQUARE = 0.01
"""Sides whose directions are off a right angle by less than this, rad, make a box."""
_OF_CIRCLES: dict[Form, Form] = {"circle": "ellipse", "annulus": "ellipse_annulus"}


def frame_of(image: SkyImage) -> Frame:
    """The frame that shapes on an image are kept in: Galactic where it is, else ICRS; or pixels."""
    if image.wcs is None:
        return "pixel"
    return "galactic" if image.frame == "galactic" else "icrs"


def on_sky(shapes: Sequence[Shape], image: SkyImage) -> list[Shape]:
    """Shapes in pixels as shapes on the sky, in the frame of `frame_of`; others as they are.

    On an image without sky coordinates, all as they are.

    Raises
    ------
    MarkError
        When one lies where the projection shows no sky.
    """
    frame = frame_of(image)
    mine = [shape for shape in shapes if not shape.on_sky]
    if frame == "pixel" or not mine:
        return list(shapes)
    ends = np.cumsum([len(shape.points) for shape in mine])
    x, y = np.array([point for shape in mine for point in shape.points]).T
    there = _in(image.sky(x, y), frame)
    first = np.concatenate(([0], ends[:-1]))
    matrices = np.linalg.inv(_told(jacobian(there[first], image)))
    lon, lat = there.spherical.lon.deg, there.spherical.lat.deg
    if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
        bad = int(np.flatnonzero(~(np.isfinite(lon) & np.isfinite(lat)))[0])
        raise MarkError(
            f"pixel {x[bad]:.1f}, {y[bad]:.1f} of {image.name} is off the sky; draw inside the map"
        )
    pairs = [tuple(map(tuple, each)) for each in np.split(np.column_stack((lon, lat)), ends[:-1])]
    placed = iter(zip(mine, pairs, matrices, strict=True))
    return [shape if shape.on_sky else _turned(*next(placed), frame) for shape in shapes]


def in_pixels(shapes: Sequence[Shape], image: SkyImage) -> list[Shape | None]:
    """Shapes on the sky as shapes in pixels; None where the projection does not show one whole.

    Raises
    ------
    MarkError
        When one lies on the sky and the image has no sky coordinates.
    """
    placed: list[Shape | None] = [None if shape.on_sky else shape for shape in shapes]
    for frame in {shape.frame for shape in shapes if shape.on_sky}:
        if image.wcs is None:
            raise MarkError(
                f"{image.name} has no sky coordinates to place shapes by; give shapes in pixels"
            )
        mine = [n for n, shape in enumerate(shapes) if shape.frame == frame]
        ends = np.cumsum([len(shapes[n].points) for n in mine])
        lon, lat = np.array([point for n in mine for point in shapes[n].points]).T
        position = coordinates(lon, lat, frame)
        xy = np.column_stack(image.pixel(position))
        first = np.concatenate(([0], ends[:-1]))
        matrices = jacobian(position[first], image)
        for n, points, matrix in zip(mine, np.split(xy, ends[:-1]), matrices, strict=True):
            whole = np.isfinite(points).all() and np.isfinite(matrix).all()
            if whole or (not shapes[n].centred and np.isfinite(points).all()):
                pairs = tuple(map(tuple, points.tolist()))
                placed[n] = _turned(shapes[n], pairs, matrix, "pixel")
    return placed


def in_frame(shapes: Sequence[Shape], frame: Frame) -> list[Shape]:
    """Shapes on the sky in another frame of it; others as they are."""
    turned = []
    for shape in shapes:
        if shape.frame in ("pixel", frame):
            turned.append(shape)
            continue
        lon, lat = np.array(shape.points).T
        # The way north in the new frame, seen in the old one: both are angles at the centre.
        there = _in(coordinates(lon, lat, shape.frame), frame)
        new_lon, new_lat = there.spherical.lon.deg, there.spherical.lat.deg
        up = SkyCoord(
            *offset(new_lon[:1], new_lat[:1], np.zeros(1), np.ones(1)),
            unit="deg",
            frame=there.frame.replicate_without_data(),
        )
        old = coordinates(lon[:1], lat[:1], shape.frame)
        north = float(old.position_angle(_in(up, shape.frame)).deg[0])
        points = tuple(zip(new_lon.tolist(), new_lat.tolist(), strict=True))
        angle = (shape.angle - north) % 360.0 if shape.has_angle else shape.angle
        turned.append(replace(shape, points=points, angle=angle, frame=frame))
    return turned


def _in(position: SkyCoord, frame: str) -> SkyCoord:
    return position.transform_to(frame_named(frame))


def _told(matrices: Doubles) -> Doubles:
    """What can be inverted; where nothing is known, one to one."""
    known = np.isfinite(matrices).all((1, 2)) & (np.linalg.det(np.nan_to_num(matrices)) != 0)
    return np.where(known[:, None, None], matrices, np.eye(2))


def _turned(
    shape: Shape, points: tuple[tuple[float, ...], ...], matrix: Doubles, frame: Frame
) -> Shape:
    """A shape through a linear map of offsets: pixels × sky, or sky × pixels."""
    if not shape.centred:
        return replace(shape, points=points, frame=frame)  # type: ignore[arg-type]
    if shape.form == "box":
        sides = matrix @ (_axes(shape.angle, shape.on_sky) * shape.sizes)
        if abs(sides[:, 0] @ sides[:, 1]) > _SQUARE * np.prod(np.hypot(*sides)):
            corners = _corners(np.array(points[0]), sides, frame)
            return replace(shape, form="polygon", points=corners, sizes=(), angle=0.0, frame=frame)
    half = len(shape.sizes) // 2
    rings = [shape.sizes[:half], shape.sizes[half:]] if shape.is_annulus else [shape.sizes]
    through = _box_through if "box" in shape.form else _ellipse_through
    made = [through(ring, shape.angle, matrix, shape.on_sky) for ring in rings]
    sizes: list[float] = [size for *axes, _ in made for size in axes]
    form, angle = shape.form, made[-1][-1]
    if form in _OF_CIRCLES:
        if all(abs(first - second) <= _ROUND * first for first, second, _ in made):
            sizes = [float(np.sqrt(first * second)) for first, second, _ in made]
            angle = 0.0
        else:
            form = _OF_CIRCLES[form]
    return replace(
        shape,
        form=form,
        points=points,  # type: ignore[arg-type]
        sizes=tuple(sizes),
        angle=angle,
        frame=frame,
    )


def _axes(angle_deg: float, sky: bool) -> Doubles:
    """Directions of both axes as columns: (x, y), or (east, north)."""
    angle = np.radians(angle_deg)
    x, y = np.array([np.cos(angle), -np.sin(angle)]), np.array([np.sin(angle), np.cos(angle)])
    return np.stack([-x, y]) if sky else np.stack([x, y])  # west is where x is


def _angle(direction: Doubles, sky: bool) -> float:
    return float(np.degrees(np.arctan2(direction[1], -direction[0] if sky else direction[0]))) % 360


def _corners(centre: Doubles, sides: Doubles, frame: Frame) -> tuple[Point, ...]:
    """Of the parallelogram that two sides make around a centre."""
    away = 0.5 * sides @ np.array([[1.0, -1.0, -1.0, 1.0], [1.0, 1.0, -1.0, -1.0]])
    if frame == "pixel":
        x, y = centre[:, None] + away
    else:
        x, y = offset(*centre[:, None], *away)
    return tuple(zip(x.tolist(), y.tolist(), strict=True))


def _ellipse_through(
    ring: tuple[float, ...], angle: float, matrix: Doubles, from_sky: bool
) -> tuple[float, float, float]:
    """Both axes and the angle of the first, which stays the first."""
    through = matrix @ (_axes(angle, from_sky) * (ring[0], ring[-1]))
    directions, lengths, _ = np.linalg.svd(through)
    first = int(np.argmax(np.abs(through[:, 0] @ directions)))
    if ring[0] == ring[-1]:  # none of its axes is the first
        first = 0
    direction = directions[:, first]
    if direction @ through[:, 0] < 0:
        direction = -direction
    return float(lengths[first]), float(lengths[1 - first]), _angle(direction, not from_sky)


def _box_through(
    ring: tuple[float, ...], angle: float, matrix: Doubles, from_sky: bool
) -> tuple[float, float, float]:
    """Both sides and the angle of the first."""
    through = matrix @ (_axes(angle, from_sky) * (ring[0], ring[1]))
    width = float(np.hypot(*through[:, 0]))
    height = abs(float(np.linalg.det(through))) / width
    return width, height, _angle(through[:, 0], not from_sky)
