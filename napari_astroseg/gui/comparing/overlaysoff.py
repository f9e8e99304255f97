"""Overlays off: a look at the bare sky, and everything back as it was."""

from __future__ import annotations

from typing import Any
from weakref import ref

from qtpy.QtCore import QObject, Signal

from napari_astroseg.gui import moments
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.kinds import is_overlay


class OverlaysOff(QObject):
    """Hides what is drawn over the pictures, and shows it again: exactly what was seen before.

    Parameters
    ----------
    viewer
        Whose layers they are.
    parent
        Its owner.
    """

    changed = Signal(bool)

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._hidden: list[ref[Any]] = []
        self._off = False

    @property
    def off(self) -> bool:
        """Whether overlays are hidden."""
        return self._off

    def set_off(self, off: bool) -> None:
        """Hide all overlays, or show again those that were hidden here."""
        if off == self._off:
            return
        self._off = off
        present = [bare(each) for each in self._viewer.layers]
        if off:
            seen = [layer for layer in present if layer.visible and is_overlay(layer)]
            self._hidden = [ref(layer) for layer in seen]
            moments.note(self, seen)
            for layer in seen:
                layer.visible = False
        else:
            hidden, self._hidden = [each() for each in self._hidden], []
            for layer in hidden:
                if layer is not None and layer in present:
                    layer.visible = True
            moments.forget(self)
        self.changed.emit(off)

    def toggle(self) -> None:
        """Hide them, or show them again."""
        self.set_off(not self._off)
