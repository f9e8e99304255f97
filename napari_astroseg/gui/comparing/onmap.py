"""OnMap: structures picked by a click on the map, outlined there, and brought into view."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QWidget

from napari_astroseg.gui.aids.canvas import canvas_near
from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.comparing.lying import Floats
from napari_astroseg.gui.comparing.measuring import Found
from napari_astroseg.gui.comparing.outline import Outline
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.predicting.click import ClickMode

_RIM = 0.06
"""What is nearer than this to an edge of the canvas, in its sides, is brought to the middle."""
_PATIENCE_S = 1.0


class OnMap(QObject):
    """The map's part of the link; `picked` says which entry was clicked on, None for empty sky.

    A drag still pans. While another tool takes clicks (the Predict dock's, a brush), and while
    the box cannot be seen, clicks are theirs.

    Parameters
    ----------
    viewer
        Whose canvas it is.
    box
        The widget that shows the figures; its window's canvas is drawn on.
    """

    picked = Signal(object)

    def __init__(self, viewer: Any, box: QWidget) -> None:
        super().__init__(box)
        self._viewer, self._box = viewer, box
        self._found: Found | None = None
        self._entry: int | None = None
        self._lines = Latest(self)
        self._lines.answered.connect(self._draw)
        self._outline: Outline | None = None
        self._click = ClickMode(viewer, self)
        self._click.clicked.connect(self._clicked)

    @property
    def outline(self) -> Outline | None:
        """What a structure is outlined on; None before the first."""
        return self._outline

    def show_entry(self, found: Found | None, entry: int | None) -> None:
        """Outline one of the structures found, or none."""
        self._found, self._entry = found, entry
        self._click.set_on(found is not None)
        canvas = None if self._outline is not None else canvas_near(self._box)
        if canvas is not None and entry is not None:
            self._outline = Outline(self._viewer, canvas)
            self._outline.destroyed.connect(self._forget)
        if self._outline is not None:
            self._outline.draw_around(())
        if found is not None and entry is not None:
            self._lines.ask(partial(_outlined, found, entry))

    def go_to(self, x: float, y: float) -> None:
        """Bring a world position to the middle, unless it is in view; the zoom stays."""
        camera, canvas = camera_of(self._viewer), canvas_near(self._box)
        centre = np.asarray(camera.center, float)
        if canvas is not None and camera.zoom > 0:
            half = (0.5 - _RIM) * np.array([canvas.height(), canvas.width()]) / camera.zoom
            if (np.abs(centre[-2:] - (y, x)) <= half).all():
                return
        camera.center = (*centre[:-2].tolist(), y, x)

    def shut_down(self) -> None:
        """Come off the canvas, and hear no more clicks."""
        self._click.set_on(False)
        self._found = self._entry = None
        self._lines.wait(_PATIENCE_S)
        outline, self._outline = self._outline, None
        if outline is not None:
            outline.destroyed.disconnect(self._forget)
            outline.shut_down()

    def _draw(self, answer: tuple[Found, int, list[Floats]]) -> None:
        found, entry, lines = answer
        if self._outline is not None and found is self._found and entry == self._entry:
            self._outline.draw_around(lines)

    def _clicked(self, position: Any) -> None:
        if self._found is None or not self._box.isVisible() or self._others_listen():
            return
        y, x = (float(each) for each in position[-2:])
        self.picked.emit(self._found.entry_at(x, y))

    def _others_listen(self) -> bool:
        """Whether a click means a place to somebody else."""
        owners = (getattr(each, "__self__", None) for each in self._viewer.mouse_drag_callbacks)
        return any(isinstance(each, ClickMode) and each is not self._click for each in owners)

    def _forget(self) -> None:
        self._outline = None


def _outlined(found: Found, entry: int) -> tuple[Found, int, list[Floats]]:
    """The lines around a structure; a wide one takes a while."""
    return found, entry, found.outline(entry)
