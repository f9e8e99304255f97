"""ClickMode: a plain click in the canvas means a place; a drag still pans."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from qtpy.QtCore import QObject, Signal

_STILL_PX = 4
"""A press that moved less than this many screen pixels is a click."""


class ClickMode(QObject):
    """Listens for clicks while it is on.

    Parameters
    ----------
    viewer
        The viewer whose canvas is clicked.
    """

    clicked = Signal(object)  # world position

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._on = False

    def set_on(self, on: bool) -> None:
        """Begin or end to listen."""
        if on == self._on:
            return
        self._on = on
        callbacks = self._viewer.mouse_drag_callbacks
        if on:
            callbacks.append(self._pressed)
        elif self._pressed in callbacks:
            callbacks.remove(self._pressed)

    def _pressed(self, viewer: Any, event: Any) -> Iterator[None]:
        active = self._viewer.layers.selection.active
        painting = active is not None and str(getattr(active, "mode", "pan_zoom")) != "pan_zoom"
        if event.button != 1 or event.modifiers or painting:
            return
        start, place = tuple(event.pos), tuple(event.position)
        ways = [0.0]
        yield
        while event.type == "mouse_move":
            ways.append(_way(start, event.pos))
            yield
        if max(*ways, _way(start, event.pos)) < _STILL_PX:
            self.clicked.emit(place)


def _way(start: Any, end: Any) -> float:
    """How far the mouse went, screen pixels."""
    return max(abs(float(a) - float(b)) for a, b in zip(start, end, strict=True))
