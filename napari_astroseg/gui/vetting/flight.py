"""Flight: the camera over one detection after the other, what comes next read ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from qtpy.QtCore import QObject

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.aids.view import camera_of, world_of
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.look.looks import drawn_levels

Place = tuple[float, float, float]
"""x, y and radius, px of the image."""

_ROOM = 6.0
"""Radii across the canvas, where an object is to fit."""


class Flight(QObject):
    """Moves a viewer's camera over a layer.

    Parameters
    ----------
    viewer, layer
        Whose camera, and the image whose pixels are meant.
    """

    def __init__(self, viewer: Any, layer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer, self._layer = viewer, layer
        self._ahead = Latest(self)

    @property
    def busy(self) -> bool:
        """Whether something is being read ahead."""
        return self._ahead.busy

    def to(self, place: Place, *, fitted: bool) -> None:
        """Centre a place; with the zoom as it is, or so that the object fits."""
        corner, linear = world_of(self._layer)
        x, y = linear @ place[:2] + corner
        camera = camera_of(self._viewer)
        if fitted:
            scale = math.sqrt(abs(float(np.linalg.det(linear)))) or 1.0
            camera.zoom = min(self._canvas) / (_ROOM * place[2] * scale)
        camera.center = (*camera.center[:-2], float(y), float(x))

    def read_ahead(self, places: Sequence[Place], *, fitted: bool) -> None:
        """Have what will be seen of these read, in a background thread."""
        drawn = drawn_levels(self._layer)
        if not drawn or not places:
            return
        windows = [self._seen(drawn, place, fitted) for place in places]

        def read() -> None:
            for level, key in windows:
                with suppress(AstroSegError):  # it is told when it is looked at
                    level[key]

        self._ahead.ask(read)

    def wait(self) -> None:
        """Read nothing more."""
        self._ahead.wait()

    @property
    def reach_px(self) -> float:
        """How far from the middle of the canvas its corners are, px of the image."""
        _, linear = world_of(self._layer)
        scale = math.sqrt(abs(float(np.linalg.det(linear)))) or 1.0
        return math.hypot(*self._canvas) / 2 / camera_of(self._viewer).zoom / scale

    @property
    def _canvas(self) -> tuple[float, float]:
        """Height and width of the canvas."""
        canvas = getattr(self._viewer, "canvas", None)
        size = None if canvas is None else canvas.size
        return (float(size[0]), float(size[1])) if size else (600.0, 800.0)

    def _seen(self, drawn: Sequence[Any], place: Place, fitted: bool) -> tuple[Any, Any]:
        """The level that will be drawn around a place, and the part of it."""
        x, y, radius = place
        zoom = camera_of(self._viewer).zoom
        height, width = self._canvas
        if fitted:
            zoom = min(height, width) / (_ROOM * radius)
        number = min(max(0, math.floor(math.log2(max(1.0 / zoom, 1.0)))), len(drawn) - 1)
        level, factor = drawn[number], 2.0**number
        rows = _span(y / factor, height / zoom / factor / 2, level.shape[-2])
        columns = _span(x / factor, width / zoom / factor / 2, level.shape[-1])
        return level, (rows, columns)


def _span(middle: float, half: float, end: int) -> slice:
    low = min(max(0, math.floor(middle - half)), end - 1)
    return slice(low, max(low + 1, min(end, math.ceil(middle + half))))
