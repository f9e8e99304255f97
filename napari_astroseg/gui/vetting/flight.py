"""Flight: the camera over one detection after the other, what comes next read ahead."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, QTimer

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.aids.view import camera_of, world_of
from napari_astroseg.gui.drawn.patient import PatientLevel
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.layers import plane_in_view
from napari_astroseg.gui.look.looks import drawn_levels
from napari_astroseg.sky.pyramids.pyramid import DisplayLevel
from napari_astroseg.sky.window import Window

Place = tuple[float, float, float]
"""x, y and radius, px of the image."""

_SOON_MS = 60
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
        self._coming: tuple[Sequence[Place], bool] = (), False
        self._soon = QTimer(self, singleShot=True, interval=_SOON_MS)
        self._soon.timeout.connect(self._read_ahead)

    @property
    def busy(self) -> bool:
        """Whether something is being read ahead."""
        return self._soon.isActive() or self._ahead.busy

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
        """Have what will be seen of these read in the background, once the picture is drawn."""
        self._coming = places, fitted
        self._soon.start()

    def _read_ahead(self) -> None:
        places, fitted = self._coming
        levels = drawn_levels(self._layer)
        if not levels or not places:
            return
        if levels[0].ndim == 3:
            plane = plane_in_view(self._viewer, self._layer)
            levels = [level.plane(plane) for level in levels]
        windows = [self._seen(levels, place, fitted) for place in places]

        def read() -> None:
            for drawn, window in windows:
                with suppress(AstroSegError):  # it is told when it is looked at
                    if isinstance(drawn.level, PatientLevel):
                        drawn.level.read_ahead(window, drawn.stretch)
                    else:
                        drawn[window.slices]

        self._ahead.ask(read)

    def wait(self) -> None:
        """Read nothing more."""
        self._soon.stop()
        self._ahead.wait()

    @property
    def reach_px(self) -> float:
        """How far from the middle of the canvas its corners are, px of the image."""
        return math.hypot(*self._canvas) / 2 / self._zoom

    @property
    def half_px(self) -> float:
        """How far from the middle of the canvas its nearest edge is, px of the image."""
        return min(self._canvas) / 2 / self._zoom

    @property
    def middle(self) -> tuple[float, float]:
        """The pixel (x, y) at the middle of the canvas."""
        return self.pixel_at(camera_of(self._viewer).center)

    def pixel_at(self, position: Sequence[float]) -> tuple[float, float]:
        """The pixel (x, y) at a place in the viewer's world."""
        corner, linear = world_of(self._layer)
        y, x = position[-2:]
        there = np.linalg.inv(linear) @ (np.array([x, y]) - corner)
        return float(there[0]), float(there[1])

    @property
    def _zoom(self) -> float:
        """Pixels of the canvas across one of the image."""
        _, linear = world_of(self._layer)
        scale = math.sqrt(abs(float(np.linalg.det(linear)))) or 1.0
        return float(camera_of(self._viewer).zoom) * scale

    @property
    def _canvas(self) -> tuple[float, float]:
        """Height and width of the canvas."""
        canvas = getattr(self._viewer, "canvas", None)
        size = None if canvas is None else canvas.size
        return (float(size[0]), float(size[1])) if size else (600.0, 800.0)

    def _seen(
        self, levels: Sequence[DisplayLevel], place: Place, fitted: bool
    ) -> tuple[DisplayLevel, Window]:
        """The level that will be drawn around a place, and the part of it."""
        x, y, radius = place
        zoom = camera_of(self._viewer).zoom
        height, width = self._canvas
        if fitted:
            zoom = min(height, width) / (_ROOM * radius)
        number = min(max(0, math.floor(math.log2(max(1.0 / zoom, 1.0)))), len(levels) - 1)
        level, factor = levels[number], 2.0**number
        top, bottom = _span(y / factor, height / zoom / factor / 2, level.shape[-2])
        left, right = _span(x / factor, width / zoom / factor / 2, level.shape[-1])
        return level, Window(left, top, right - left, bottom - top)


def _span(middle: float, half: float, end: int) -> tuple[int, int]:
    low = min(max(0, math.floor(middle - half)), end - 1)
    return low, max(low + 1, min(end, math.ceil(middle + half)))
