"""Hatch: a pattern over missing data, so that they cannot be taken for dark sky."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QPointF
from qtpy.QtGui import QImage, QPainter

from napari_astroseg.gui.aids.view import View
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.look.looks import drawn_levels

_SPACING = 9
_INK = 0xA0A0A0A0
"""Premultiplied: 0.63 of white."""


@dataclass(frozen=True, eq=False)
class Hatch:
    """The pattern over one view, a picture of the canvas's size."""

    view: View
    image: QImage


@dataclass(frozen=True, eq=False)
class HatchWish:
    """What to hatch: made in the window's thread, looked at in another."""

    view: View
    level: Any
    factor: float
    plane: int


def wish_for(view: View, plane: int = 0) -> HatchWish | None:
    """The level to look for missing data in: as fine as the canvas, no finer.

    None where the layer is none of ours, or lies askew on the canvas.
    """
    drawn = drawn_levels(bare(view.layer))
    askew = abs(view.linear[0, 1]) + abs(view.linear[1, 0]) > 1e-9 * view.zoom
    if not drawn or askew:
        return None
    factors = [drawn[0].shape[-1] / each.shape[-1] for each in drawn]
    best = max((n for n, f in enumerate(factors) if f * view.zoom <= 1.001), default=0)
    return HatchWish(view, drawn[best].level, factors[best], plane)


def hatch_over(wish: HatchWish) -> Hatch:
    """The pattern where the level in view has no values; any thread. It may read."""
    missing = missing_on_canvas(wish)
    rows, columns = np.arange(missing.shape[0]), np.arange(missing.shape[1])
    lines = (rows[:, None] + columns) % _SPACING == 0
    pixels = np.where(missing & lines, np.uint32(_INK), np.uint32(0))
    height, width = missing.shape[0], missing.shape[1]
    image = QImage(
        pixels.tobytes(), width, height, 4 * width, QImage.Format.Format_ARGB32_Premultiplied
    )
    return Hatch(wish.view, image.copy())


def missing_on_canvas(wish: HatchWish) -> NDArray[np.bool_]:
    """For each pixel of the canvas, (height, width), whether data are missing under it."""
    view = wish.view
    width, height = round(view.width), round(view.height)
    columns = (np.arange(width) + 0.5 - view.offset[0]) / view.linear[0, 0]
    rows = (np.arange(height) + 0.5 - view.offset[1]) / view.linear[1, 1]
    missing = np.zeros((height, width), bool)
    on_rows, of_rows = _within(rows, view.image.shape[0], wish)
    on_columns, of_columns = _within(columns, view.image.shape[1], wish)
    if of_rows.size and of_columns.size:
        top, left = int(of_rows.min()), int(of_columns.min())
        key: tuple[Any, ...] = (
            slice(top, int(of_rows.max()) + 1),
            slice(left, int(of_columns.max()) + 1),
        )
        if len(wish.level.shape) == 3:
            key = (wish.plane, *key)
        holes = np.isnan(np.asarray(wish.level[key]))
        missing[np.ix_(on_rows, on_columns)] = holes[np.ix_(of_rows - top, of_columns - left)]
    return missing


def draw_hatch(painter: QPainter, view: View, hatch: Hatch) -> None:
    """The pattern, moved along with the picture; at another zoom it waits for a new one."""
    if np.allclose(view.linear, hatch.view.linear, rtol=1e-9):
        x, y = np.round(view.offset - hatch.view.offset)
        painter.drawImage(QPointF(x, y), hatch.image)


def _within(
    places: NDArray[np.float64], length: int, wish: HatchWish
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Which canvas rows (or columns) lie on the image, and the level's rows under them."""
    on = np.flatnonzero((places > -0.5) & (places < length - 0.5))
    return on, np.floor((places[on] + 0.5) / wish.factor).astype(np.intp)
