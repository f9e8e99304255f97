"""Drops: files let go over the canvas together are opened together.

napari hands its readers one file of a drop at a time, so that nobody sees that they are the
tiles of one mosaic. Where all of a drop is ours, it is taken before napari sees it; anything
else goes its usual way.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any
from weakref import WeakSet

from qtpy.QtCore import QEvent, QObject, Qt, Signal
from qtpy.QtGui import QGuiApplication
from qtpy.QtWidgets import QWidget

from napari_astroseg.gui.intake.places import opens_here


class Drops(QObject):
    """Listens for drops on the widgets of a window that take them."""

    dropped = Signal(object)  # places, as words

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._watched: WeakSet[QWidget] = WeakSet()

    def listen(self, window: QWidget) -> None:
        """Listen where napari accepts drops in a window; again for what has come since."""
        for widget in window.findChildren(QWidget):
            napari = type(widget).__module__.startswith("napari.")
            if napari and widget.acceptDrops() and widget not in self._watched:
                widget.installEventFilter(self)
                self._watched.add(widget)

    def end(self) -> None:
        """Listen no more."""
        self._watched.clear()
        self.blockSignals(True)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:  # noqa: N802 (Qt's name)
        """Take a drop that is all ours."""
        if event.type() != QEvent.Type.Drop or self.signalsBlocked():
            return bool(super().eventFilter(watched, event))
        modifiers = QGuiApplication.keyboardModifiers()
        chosen = Qt.KeyboardModifier.ShiftModifier | Qt.KeyboardModifier.AltModifier
        places = places_of(event)
        if not places or modifiers & chosen:  # napari: as a stack; choose a reader
            return False
        event.acceptProposedAction()
        self.dropped.emit(places)
        return True


def places_of(event: Any) -> list[str]:
    """What a drop names, if all of it is ours; nothing otherwise."""
    places = []
    for url in event.mimeData().urls() if event.mimeData() else ():
        place = str(Path(url.toLocalFile())) if url.isLocalFile() else url.toString()
        if not opens_here(place):
            return []
        places.append(place)
    return places
