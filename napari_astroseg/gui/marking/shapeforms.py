"""Shapeforms: shapes as napari draws them, and what its user made of them as shapes again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.shapes.outline import pixel_rings
from napari_astroseg.sky.shapes.placing import in_pixels
from napari_astroseg.sky.shapes.shape import Point, Shape

Vertices = NDArray[np.float32]
"""(N, 2), rows and columns, as napari has them."""

_CROSS_PX = 4.0
_RING_PX = 0.3
"""How far the rings of an annulus may be off, as drawn."""
_ROUND = 0.01
"""Axes that differ by less than this part are those of a circle that was moved or scaled."""
_SQUARE = 1e-3
_SAME_PX = 0.05
"""Vertices that are off by less are where they were: napari keeps single precision."""


@dataclass(frozen=True, eq=False)
class Drawn:
    """A shape as napari draws it.

    Parameters
    ----------
    number
        In the store.
    shape
        As it is kept.
    pixels
        The same in pixels.
    kind
        napari's: `ellipse`, `rectangle`, `polygon`, `line`, or `path` for all else.
    vertices
        Of it.
    box
        Smallest x and y, largest x and y, px.
    """

    number: int
    shape: Shape
    pixels: Shape
    kind: str
    vertices: Vertices
    box: tuple[float, float, float, float]

    def lies_at(self, vertices: Vertices) -> bool:
        """Whether vertices are where it has its own."""
        same = vertices.shape == self.vertices.shape
        return same and bool(np.abs(vertices - self.vertices).max() <= _SAME_PX)


def drawn_shapes(numbered: dict[int, Shape], image: SkyImage) -> dict[int, Drawn]:
    """Shapes as napari draws them on an image; without those that it does not show whole."""
    placed = in_pixels(list(numbered.values()), image)
    return {
        number: _drawn(number, shape, pixels)
        for (number, shape), pixels in zip(numbered.items(), placed, strict=True)
        if pixels is not None
    }


def new_shape(kind: str, vertices: Vertices, *, circle: bool = False) -> Shape:
    """What was drawn, in pixels.

    Parameters
    ----------
    circle
        Whether an ellipse is to be round.

    Raises
    ------
    MarkError
        When it has no extent.
    """
    points = _points(vertices)
    if kind == "ellipse":
        centre, sizes, angle = _box(points)
        if circle:
            return Shape("circle", (centre,), (float(np.mean(sizes)) / 2,))
        return Shape("ellipse", (centre,), (sizes[0] / 2, sizes[1] / 2), angle)
    if kind == "rectangle" and _is_box(points):
        centre, sizes, angle = _box(points)
        return Shape("box", (centre,), sizes, angle)
    if len(points) == 2:
        return Shape("line", tuple(points))
    return Shape("polygon", tuple(points))


def changed_shape(drawn: Drawn, vertices: Vertices) -> Shape:
    """What became of a shape, in pixels, whose vertices were moved.

    Raises
    ------
    MarkError
        When it has no extent any more.
    """
    before = drawn.pixels
    if drawn.kind == "path":
        made = _alike(before, drawn.vertices, vertices)
    else:
        made = new_shape(drawn.kind, vertices)
        if before.form == "circle" and abs(made.sizes[0] - made.sizes[1]) <= _ROUND * made.sizes[0]:
            made = replace(made, form="circle", sizes=(float(np.mean(made.sizes)),), angle=0.0)
    return replace(before, form=made.form, points=made.points, sizes=made.sizes, angle=made.angle)


def only_moved(before: Shape, after: Shape) -> bool:
    """Whether two shapes in pixels are one in two places."""
    if before.form != after.form or not before.centred:
        return False
    turned = abs((before.angle - after.angle + 90) % 180 - 90) if before.has_angle else 0.0
    return turned < 0.05 and np.allclose(before.sizes, after.sizes, rtol=1e-3, atol=_SAME_PX)


def _drawn(number: int, shape: Shape, pixels: Shape) -> Drawn:
    kind, points = _napari(pixels)
    xy = np.array(points, np.float32)
    (x, y), (x_end, y_end) = xy.min(axis=0).tolist(), xy.max(axis=0).tolist()
    return Drawn(number, shape, pixels, kind, xy[:, ::-1], (x, y, x_end, y_end))


def _napari(shape: Shape) -> tuple[str, Sequence[Point] | NDArray[Any]]:
    """What napari calls it, and vertices (x, y)."""
    if shape.form in ("polygon", "line"):
        return shape.form, shape.points
    if shape.form in ("point", "text"):
        ((x, y),) = shape.points
        far = _CROSS_PX
        return "path", [(x - far, y), (x + far, y), (x, y), (x, y - far), (x, y + far)]
    if shape.form in ("circle", "ellipse"):
        sides = (2 * shape.sizes[0], 2 * shape.sizes[-1])
        (ring,) = pixel_rings(replace(shape, form="box", sizes=sides))
        return "ellipse", ring
    if shape.form == "box":
        return "rectangle", pixel_rings(shape)[0]
    rings = [np.vstack((ring, ring[:1])) for ring in pixel_rings(shape, _RING_PX)]
    return "path", np.concatenate(rings)


def _points(vertices: Vertices) -> list[Point]:
    return [(float(x), float(y)) for y, x in np.asarray(vertices, float)]


def _box(points: Sequence[Point]) -> tuple[Point, tuple[float, float], float]:
    """Centre, sides and angle (deg) of a box by its corners, the first side first."""
    corners = np.array(points)
    x, y = corners.mean(axis=0)
    first, second = corners[0] - corners[1], corners[1] - corners[2]
    angle = float(np.degrees(np.arctan2(first[1], first[0]))) % 360.0
    return (float(x), float(y)), (float(np.hypot(*first)), float(np.hypot(*second))), angle


def _is_box(points: Sequence[Point]) -> bool:
    """Whether four corners are those of a box."""
    corners = np.array(points)
    if len(corners) != 4:
        return False
    first, second = corners[1] - corners[0], corners[2] - corners[1]
    size = max(float(np.hypot(*first)), float(np.hypot(*second)), 1e-9)
    slant = abs(first @ second) / max(np.hypot(*first) * np.hypot(*second), 1e-9)
    open_by = np.hypot(*(corners[3] - corners[0] - second))
    return bool(slant < _SQUARE * 10 and open_by < _SQUARE * 10 * size)


def _alike(shape: Shape, before: Vertices, after: Vertices) -> Shape:
    """A shape moved, turned and scaled as its vertices were, as well as can be told."""
    if before.shape != after.shape:  # its vertices were taken away or added: it is as it was
        return shape
    old, new = (np.array(_points(each)) @ (1, 1j) for each in (before, after))
    from_centre = old - old.mean()
    by = complex(np.vdot(from_centre, new - new.mean()) / np.vdot(from_centre, from_centre))
    ((x, y), *_) = shape.points
    centre = new.mean() + by * (x + 1j * y - old.mean())
    sizes = tuple(size * abs(by) for size in shape.sizes)
    angle = (shape.angle + float(np.degrees(np.angle(by)))) % 360.0 if shape.has_angle else 0.0
    return replace(shape, points=((centre.real, centre.imag),), sizes=sizes, angle=angle)


def overlaps(drawn: Drawn, seen: tuple[float, float, float, float]) -> bool:
    """Whether any of it may lie in a rectangle of pixels: smallest x and y, largest x and y."""
    box = drawn.box
    return box[0] <= seen[2] and box[1] <= seen[3] and box[2] >= seen[0] and box[3] >= seen[1]
