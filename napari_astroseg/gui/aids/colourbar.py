"""Colour bar: the raw values that a layer's colours stand for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from qtpy.QtCore import QPointF, QRectF
from qtpy.QtGui import QImage, QPainter, QPainterPath

from napari_astroseg.gui.aids import ink
from napari_astroseg.gui.aids.view import View
from napari_astroseg.gui.look.looks import stretch_of
from napari_astroseg.sky.coords.steps import ticks
from napari_astroseg.sky.looks.stretch import Stretch

_WIDTH = 16.0
_TOP = 44.0
_MARGIN = 16.0
_PER_TICK = 42.0
_STEPS = 256


@dataclass(frozen=True, eq=False)
class ColourBar:
    """A layer's colours from its lower to its upper contrast limit, and some raw values.

    Parameters
    ----------
    colours
        Its look, upper limit first.
    marks
        Fractions of the bar from its lower end, each with the raw value there as text.
    unit
        Of the values; "" where none is known.
    """

    colours: QImage
    marks: tuple[tuple[float, str], ...]
    unit: str

    @classmethod
    def of(cls, view: View) -> ColourBar | None:
        """The bar for the layer in view; None for one whose raw values are not known."""
        stretch = stretch_of(view.layer)
        low, high = view.layer.contrast_limits
        if stretch is None or not low < high:
            return None
        marks = _marks(stretch, float(low), float(high), int(bar_box(view).height() / _PER_TICK))
        return cls(_gradient(view.layer), marks, view.image.unit)


def bar_box(view: View) -> QRectF:
    """Where the coloured part is: at the upper right."""
    height = min(340.0, max(60.0, 0.42 * view.height))
    return QRectF(view.width - _WIDTH - _MARGIN, _TOP, _WIDTH, height)


def whole_box(view: View) -> QRectF:
    """The bar with its texts."""
    return bar_box(view).adjusted(-96.0, -34.0, 10.0, 12.0)


def draw_colour_bar(painter: QPainter, view: View, bar: ColourBar) -> None:
    """The bar, its ticks to the left, its unit above."""
    box = bar_box(view)
    painter.drawImage(box, bar.colours)
    frame = QPainterPath()
    frame.addRect(box)
    ink.draw_path(painter, frame, 1.0)
    for fraction, text in bar.marks:
        y = box.bottom() - fraction * box.height()
        tick = QPainterPath(QPointF(box.left() - 5, y))
        tick.lineTo(box.left(), y)
        ink.draw_path(painter, tick, 1.0)
        width, height = ink.text_size(text)
        ink.draw_text(painter, text, box.left() - 7 - width, y - height / 2)
    if bar.unit:
        width, height = ink.text_size(bar.unit)
        ink.draw_text(painter, bar.unit, box.right() + 4 - width, box.top() - height - 7)


def _marks(stretch: Stretch, low: float, high: float, count: int) -> tuple[tuple[float, str], ...]:
    """Round raw values between two display values, with their places from 0 to 1."""

    def raw_at(fraction: float) -> float:
        return float(stretch.inverse(low + fraction * (high - low)))

    marks: list[tuple[float, str]] = []
    for value, text in ticks(raw_at, max(2, count)):
        fraction = (float(stretch(np.array([value]))[0]) - low) / (high - low)
        if -1e-6 <= fraction <= 1 + 1e-6 and (not marks or fraction > marks[-1][0] + 0.4 / count):
            marks.append((fraction, text))
    return tuple(marks)


def _gradient(layer: Any) -> QImage:
    """The layer's colours as a picture one pixel wide, its largest values at the top."""
    levels = np.linspace(1.0, 0.0, _STEPS) ** float(layer.gamma)
    colours = np.asarray(layer.colormap.map(levels))
    pixels = np.ascontiguousarray(np.round(255 * colours).astype(np.uint8)[:, None, :])
    image = QImage(pixels.tobytes(), 1, _STEPS, 4, QImage.Format.Format_RGBA8888)
    return image.copy()
