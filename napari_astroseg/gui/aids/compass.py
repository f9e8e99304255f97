"""Compass and scale bar: which way the sky turns, and how large it is."""

from __future__ import annotations

import math

import numpy as np
from qtpy.QtCore import QPointF, QRectF, QSizeF
from qtpy.QtGui import QPainter, QPainterPath, QPolygonF

from napari_astroseg.gui.aids import ink
from napari_astroseg.gui.aids.view import View
from napari_astroseg.sky.coords.orientation import Floats, Frame, Orientation
from napari_astroseg.sky.coords.steps import length_text, round_length

_ARM = 34.0
_HEAD = 9.0
_LETTER = _ARM + _HEAD + 9.0
_LONGEST_BAR = 170.0
_MARGIN = 14.0
_ABOVE_EDGE = 34.0
"""Room below for the labels of a grid."""

LETTERS: dict[Frame, tuple[str, str]] = {"icrs": ("N", "E"), "galactic": ("b", "ℓ")}
"""What the arrows point towards: growing latitude and growing longitude."""


def arrows(view: View, orientation: Orientation) -> tuple[Floats, Floats]:
    """The ways to north and to east on the canvas, (x, y) of length 1, y downwards."""
    ways = [view.linear @ each for each in (orientation.north, orientation.east)]
    north, east = (each / np.hypot(*each) for each in ways)
    return north, east


def compass_box(view: View, orientation: Orientation) -> QRectF:
    """What the compass covers: at the lower right."""
    low, high = _reach(view, orientation)
    size = high - low
    corner = (view.width - _MARGIN - size[0], view.height - _ABOVE_EDGE - size[1])
    return QRectF(QPointF(*corner), QSizeF(*size))


def draw_compass(painter: QPainter, view: View, orientation: Orientation, frame: Frame) -> None:
    """Two arrows from one point, with their letters."""
    low, _ = _reach(view, orientation)
    start = compass_box(view, orientation).topLeft() - QPointF(*low)
    for way, letter in zip(arrows(view, orientation), LETTERS[frame], strict=True):
        shaft = QPainterPath(start)
        shaft.lineTo(start + QPointF(*(way * _ARM)))
        ink.draw_path(painter, shaft, 2.0)
        across = np.array([-way[1], way[0]])
        ends = [way * (_ARM + _HEAD), way * _ARM + across * 5, way * _ARM - across * 5]
        head = QPainterPath()
        head.addPolygon(QPolygonF([start + QPointF(*each) for each in ends]))
        head.closeSubpath()
        painter.strokePath(head, ink.pen(ink.RIM, 2.4))
        painter.fillPath(head, ink.WHITE)
        at = start + QPointF(*(way * _LETTER))
        ink.draw_text(painter, letter, 0, 0, QRectF(at.x() - 10, at.y() - 10, 20, 20))


def _reach(view: View, orientation: Orientation) -> tuple[Floats, Floats]:
    """The least and the largest x and y of the arrows and letters, from where they start."""
    points = np.array([(0.0, 0.0), *(way * _LETTER for way in arrows(view, orientation))])
    return points.min(axis=0) - 11.0, points.max(axis=0) + 11.0


def bar_of(view: View, orientation: Orientation) -> tuple[float, str]:
    """How long a bar of a round angle is on the canvas, and the angle as text.

    It is measured along the canvas's horizontal, at the place of the orientation.
    """
    dx, dy = np.linalg.solve(view.linear, (1.0, 0.0))
    degrees_per_pixel = orientation.angle_deg(dx, dy)
    angle = round_length(min(_LONGEST_BAR, 0.35 * view.width) * degrees_per_pixel)
    return angle / degrees_per_pixel, length_text(angle)


def bar_box(view: View) -> QRectF:
    """Where the scale bar is: at the lower left."""
    return QRectF(58.0, view.height - _ABOVE_EDGE - 34.0, _LONGEST_BAR + 12.0, 38.0)


def draw_bar(painter: QPainter, view: View, orientation: Orientation) -> None:
    """The scale bar, with its angle above it."""
    length, text = bar_of(view, orientation)
    if not (math.isfinite(length) and 1.0 < length <= _LONGEST_BAR * 1.01):
        return
    box = bar_box(view)
    left, base = box.left() + 6.0, box.bottom() - 6.0
    path = QPainterPath(QPointF(left, base - 5))
    path.lineTo(left, base)
    path.lineTo(left + length, base)
    path.lineTo(left + length, base - 5)
    ink.draw_path(painter, path, 2.0)
    ink.draw_text(painter, text, 0, 0, QRectF(left, box.top(), length, 24.0))
