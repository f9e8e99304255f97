"""Swipe: one layer on this side of a line, the other beyond it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_astroseg.gui.comparing.canvas import NO_CANVAS, napari_canvas
from napari_astroseg.gui.comparing.clips import Clips
from napari_astroseg.gui.comparing.divider import Divider
from napari_astroseg.gui.comparing.stage import Stage


class Swipe(QObject):
    """Two layers on either side of a divider: the first one left of it, or above.

    Parameters
    ----------
    stage
        Where they are shown.
    """

    changed = Signal()

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self._stage = stage
        self._clips: Clips | None = None
        self._divider: Divider | None = None
        self._place, self._upright = 0.5, True
        stage.left.connect(self._left)

    @property
    def on(self) -> bool:
        """Whether the canvas is divided."""
        return self._clips is not None

    @property
    def lack(self) -> str:
        """Why it cannot be done; "" when it can."""
        return "" if napari_canvas(self._stage.viewer) is not None else NO_CANVAS

    @property
    def divider(self) -> Divider | None:
        """What the user takes hold of; None when it is off."""
        return self._divider

    @property
    def place(self) -> float:
        """Where the divider is, 0 at the left or upper edge, 1 at the other."""
        return self._place

    @property
    def upright(self) -> bool:
        """Whether it divides left from right."""
        return self._upright

    def start(self, layers: Sequence[Any]) -> None:
        """Divide the canvas between two layers."""
        self._stage.enter(layers)
        canvas = napari_canvas(self._stage.viewer)
        self._stage.show((1.0, 1.0))
        self._clips = Clips(canvas, self._stage.layers)
        self._divider = Divider(canvas.native, self._place, self._upright)
        self._divider.moved.connect(self._cut)
        self._divider.destroyed.connect(self._lost)
        self._cut(self._place)
        self.changed.emit()

    def set_place(self, place: float) -> None:
        """Move the divider."""
        self._place = min(max(place, 0.0), 1.0)
        if self._divider is not None:
            self._divider.go(self._place)

    def turn(self) -> None:
        """Divide the other way: above from below, or left from right again."""
        self._upright = not self._upright
        if self._divider is not None:
            self._divider.turn(self._upright)

    def stop(self) -> None:
        """Off; everything as it was before."""
        if self.on:
            self._stage.leave()

    def _cut(self, place: float) -> None:
        self._place = place
        if self._clips is not None:
            self._clips.divide(place, self._upright)

    def _lost(self) -> None:
        """The canvas is gone, and the divider with it."""
        self._divider = None

    def _left(self) -> None:
        clips, self._clips = self._clips, None
        divider, self._divider = self._divider, None
        if divider is not None:
            divider.destroyed.disconnect(self._lost)
            divider.end()
        if clips is not None:
            clips.end()
            self.changed.emit()
