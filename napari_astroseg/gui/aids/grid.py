"""Grid: meridians and parallels over the picture, their values along its edges.

The lines are kept in image pixels, so they move with the sky while the user pans and zooms;
new ones are asked for when the view has come to rest.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from qtpy.QtCore import QPointF, QRectF
from qtpy.QtGui import QColor, QPainter, QPainterPath, QPolygonF

from napari_astroseg.gui.aids import ink
from napari_astroseg.gui.aids.view import View
from napari_astroseg.sky.coords.graticule import Graticule, Line, graticule
from napari_astroseg.sky.coords.orientation import Floats, Frame
from napari_astroseg.sky.image import SkyImage

MARGIN = 0.3
"""Lines reach this much of the canvas beyond each side of it, for the next pan."""

_LINE = QColor(110, 215, 255, 200)
_INSET = 3.0
_SPACING = 130.0
"""About how far apart lines are on the canvas."""
_SIDES = {"lon": "bottom top left right", "lat": "left right bottom top"}


@dataclass(frozen=True, eq=False)
class Grid:
    """Lines ready to be painted.

    Parameters
    ----------
    image, graticule
        Whose lines, and the lines in image pixels.
    path
        All of them for a painter.
    """

    image: SkyImage
    graticule: Graticule
    path: QPainterPath


def grid_over(view: View, frame: Frame) -> Grid:
    """The grid for a view and a little around it; any thread."""
    made = graticule(view.image, view.extent(MARGIN), frame, _SPACING / view.zoom)
    path = QPainterPath()
    for line in made.lines:
        path.addPolygon(QPolygonF([QPointF(x, y) for x, y in line.points.tolist()]))
    return Grid(view.image, made, path)


def draw_lines(painter: QPainter, view: View, grid: Grid) -> None:
    """The lines."""
    # A rim would cost as much again, and smooth edges twice that.
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.strokePath(view.transform.map(grid.path), ink.pen(_LINE, 1.0))
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)


def draw_labels(painter: QPainter, view: View, grid: Grid, taken: Sequence[QRectF]) -> None:
    """The lines' values, where no other aid and no other value stands."""
    for box, text in placed_labels(view, grid, taken):
        ink.draw_text(painter, text, box.left(), box.top())


def placed_labels(view: View, grid: Grid, taken: Sequence[QRectF]) -> Iterator[tuple[QRectF, str]]:
    """A place for the value of each line that has room for one; none overlap."""
    canvas = QRectF(0, 0, view.width, view.height)
    boxes, done = list(taken), set()
    picture = _picture(view)
    for line in grid.graticule.lines:
        if (line.kind, line.text) in done:
            continue
        for box in _wishes(line, view.to_canvas(line.points), picture, canvas):
            if canvas.contains(box) and not any(box.intersects(other) for other in boxes):
                boxes.append(box)
                done.add((line.kind, line.text))
                yield box, line.text
                break


def _picture(view: View) -> QRectF:
    """The part of the canvas that the image may cover."""
    height, width = view.image.shape
    ends = [(x, y) for x in (-0.5, width - 0.5) for y in (-0.5, height - 0.5)]
    corners = view.to_canvas(ends)
    low = np.maximum(corners.min(axis=0), 0)
    high = np.minimum(corners.max(axis=0), (view.width, view.height))
    return QRectF(QPointF(*low), QPointF(*high))


def _wishes(line: Line, points: Floats, picture: QRectF, canvas: QRectF) -> Iterator[QRectF]:
    """Where a line's value might stand, best first.

    Beside the picture where it leaves room on the canvas, or else along its inner edges; where
    the line reaches no edge, beside its left end or at its middle.
    """
    width, height = ink.text_size(line.text)
    for side in _SIDES[line.kind].split():
        for x, y in _on_edge(points, side, picture):
            yield from _beside(x, y, side, width, height)
    inside = points[(points > 0).all(axis=1) & (points < (canvas.right(), canvas.bottom())).all(1)]
    if len(inside) > 4 and line.kind == "lat":
        x, y = inside[np.argmin(inside[:, 0])]
        yield QRectF(x - width - _INSET, y - height / 2, width, height)
    if len(inside) > 4:
        x, y = inside[len(inside) // 2]
        yield QRectF(x - width / 2, y - height / 2, width, height)


def _beside(x: float, y: float, side: str, width: float, height: float) -> Iterator[QRectF]:
    """Two places for a text at a point on a side of the picture: without, and within."""
    if side in {"left", "right"}:
        places = [x - width - _INSET, x + _INSET]
        for left in places if side == "left" else places[::-1]:
            yield QRectF(left, y - height / 2, width, height)
    else:
        places = [y - height - _INSET, y + _INSET]
        for top in places if side == "top" else places[::-1]:
            yield QRectF(x - width / 2, top, width, height)


def _on_edge(points: Floats, side: str, picture: QRectF) -> Iterator[tuple[float, float]]:
    """Where a line crosses a side of the picture."""
    axis, edge = {
        "left": (0, picture.left() + 0.5),
        "right": (0, picture.right() - 0.5),
        "top": (1, picture.top() + 0.5),
        "bottom": (1, picture.bottom() - 0.5),
    }[side]
    for along in _crossings(points, axis, edge):
        if axis == 0 and picture.top() <= along <= picture.bottom():
            yield edge, along
        elif axis == 1 and picture.left() <= along <= picture.right():
            yield along, edge


def _crossings(points: Floats, axis: int, edge: float) -> list[float]:
    """Where along an edge, at a fixed position on one axis, a line crosses it."""
    off = points[:, axis] - edge
    at = np.flatnonzero(off[:-1] * off[1:] < 0)
    share = off[at] / (off[at] - off[at + 1])
    other = points[:, 1 - axis]
    return (other[at] + share * (other[at + 1] - other[at])).tolist()
