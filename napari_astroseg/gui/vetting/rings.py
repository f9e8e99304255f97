"""Rings: the outline of the current detection and of those around it, by what was said of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from napari.utils.colormaps.standardize_color import transform_color
from numpy.typing import NDArray

from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.predicting.drawing import placed_on
from napari_astroseg.gui.selected import selection_kept
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.window import Window

COLOURS = {
    "": "#4a90fc",
    "real": "#6bfeb9",
    "reclassify": "#6bfeb9",
    "revise": "#6bfeb9",
    "not": "#f77247",
    "unsure": "#fef62f",
    "duplicate": "#f99add",
}
"""By verdict, "" without one. Told apart by people who see no red, no green or no blue, too: in
CIELAB, as Machado, Oliveira & Fernandes (2009) simulate them, any two differ by 30 or more."""
CURRENT = "#ffffff"
METADATA = "astroseg_vetting"
"""Key in the layer's metadata."""

_SIDES, _SIDES_AROUND = 48, 24
"""Of the circles."""
_SCREEN_PX = 1.5
_TICK = 0.35
"""Length of the ticks at the current one, in radii."""


class Rings:
    """The layer of outlines.

    Parameters
    ----------
    viewer, base
        Where it is shown, and the image that it lies on.
    ties
        Of the dock.
    """

    def __init__(self, viewer: Any, base: Any, ties: Ties) -> None:
        self._viewer = viewer
        with selection_kept(viewer):
            self.layer = viewer.add_vectors(
                np.zeros((0, 2, 2)),
                name="vetting",
                vector_style="line",
                edge_width=self._width(),
                metadata={METADATA: "rings"},
                **placed_on(base, Window(0, 0, 1, 1)),
            )
        # napari draws thumbnails line by line, which would take longer than the picture itself.
        self.layer._max_vectors_thumbnail = 0
        ties.tie(camera_of(viewer).events.zoom, self._keep_width)

    @property
    def there(self) -> bool:
        """Whether the layer is still in the viewer."""
        return self.layer in self._viewer.layers

    def show(
        self,
        places: Sequence[tuple[float, float, float]],
        verdicts: Sequence[str],
        current: int | None,
    ) -> None:
        """Draw circles (x, y, radius; px), with the verdicts on them; one is the current one."""
        if not self.there:
            return
        sides = [_SIDES if at == current else _SIDES_AROUND for at in range(len(places))]
        parts = [_circle(*place, count) for place, count in zip(places, sides, strict=True)]
        colours = [COLOURS.get(verdict, COLOURS[""]) for verdict in verdicts]
        counts = list(sides)
        if current is not None:
            parts.append(_ticks(*places[current]))
            colours.append(CURRENT)
            counts.append(len(parts[-1]))
        if not parts:
            self.layer.data = np.zeros((0, 2, 2))
            return
        events = self.layer.events
        # Drawn once, in their colours; and they lie on the image, so the window's axes stay.
        with events.set_data.blocker(), events.data.blocker():
            self.layer.data = np.concatenate(parts)
        self.layer.edge_color = np.repeat(transform_color(colours), counts, axis=0)

    def remove(self) -> None:
        """Take the layer out of the viewer."""
        if self.there:
            self._viewer.layers.remove(self.layer)

    def _width(self) -> float:
        return float(np.clip(_SCREEN_PX / max(camera_of(self._viewer).zoom, 1e-6), 0.05, 50.0))

    def _keep_width(self, _event: Any = None) -> None:
        if self.there and abs(self._width() / self.layer.edge_width - 1) > 0.25:
            self.layer.edge_width = self._width()


def _circle(x: float, y: float, radius: float, sides: int) -> NDArray[np.float64]:
    """(sides, 2, 2): where each side begins, and where it goes; rows and columns."""
    turn = np.linspace(0, 2 * np.pi, sides, endpoint=False)
    corners = np.column_stack((y + radius * np.sin(turn), x + radius * np.cos(turn)))
    return np.stack((corners, np.roll(corners, -1, 0) - corners), 1)


def _ticks(x: float, y: float, radius: float) -> NDArray[np.float64]:
    """Four lines outside the circle, towards its middle."""
    ways = np.array([(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)])
    starts = np.array([y, x]) + 1.1 * radius * ways
    return np.stack((starts, _TICK * radius * ways), 1)
