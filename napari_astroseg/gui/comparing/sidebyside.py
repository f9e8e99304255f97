"""Side by side: a second canvas in a dock, which moves with the first."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from qtpy.QtCore import QObject, Qt, QTimer, Signal
from qtpy.QtWidgets import QDockWidget, QMainWindow

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.kinds import is_overlay
from napari_astroseg.gui.comparing.pane import Pane

_LEFT, _ALONG = Qt.DockWidgetArea.LeftDockWidgetArea, Qt.Orientation.Horizontal
NO_WINDOW = "There is no window to put a second canvas into"


class SideBySide(QObject):
    """Opens and closes the second canvas.

    Parameters
    ----------
    viewer
        The first one.
    parent
        Its owner.
    """

    changed = Signal()

    def __init__(self, viewer: Any, parent: QObject) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._pane: Pane | None = None
        self._dock: Any = None
        self._widths: dict[QDockWidget, int] = {}

    @property
    def on(self) -> bool:
        """Whether there is a second canvas."""
        return self._pane is not None

    @property
    def pane(self) -> Pane | None:
        """The second canvas."""
        return self._pane

    @property
    def lack(self) -> str:
        """Why it cannot be done; "" when it can."""
        return "" if getattr(self._viewer, "window", None) is not None else NO_WINDOW

    def start(self, layer: Any) -> None:
        """Show a layer beside the canvas, with the overlays that are visible now."""
        self.stop()
        overlays = [each for each in self._viewer.layers if each.visible and is_overlay(each)]
        self._open([bare(layer), *(bare(each) for each in overlays)])

    def stop(self) -> None:
        """Close the second canvas."""
        pane, dock = self._pane, self._dock
        self._pane = self._dock = None
        if pane is None:
            return
        pane.closed.disconnect(self._closed)
        pane.shut_down()
        with suppress(RuntimeError, LookupError):  # its window, or its dock, went first
            self._viewer.window.remove_dock_widget(dock)
        pane.deleteLater()
        self._give_back()
        self.changed.emit()

    def _open(self, layers: Sequence[Any]) -> None:
        self._pane = pane = Pane(self._viewer, layers)
        name = f"Beside: {layers[0].name}"
        self._dock = self._viewer.window.add_dock_widget(pane, name=name, area="left")
        self._lay_beside(self._dock)
        pane.closed.connect(self._closed)
        self.changed.emit()

    def _closed(self) -> None:
        """The user has closed it, or its last layer has gone: once Qt is done with it."""
        QTimer.singleShot(0, self.stop)

    def _lay_beside(self, dock: QDockWidget) -> None:
        """Put a dock right beside the first canvas, and give it half of the room."""
        window = dock.window()
        middle = window.centralWidget() if isinstance(window, QMainWindow) else None
        if middle is None or not isinstance(window, QMainWindow):
            return
        docks = [each for each in window.findChildren(QDockWidget) if each is not dock]
        at_left = [each for each in docks if window.dockWidgetArea(each) == _LEFT]
        self._widths = {each: each.width() for each in at_left if each.isVisible()}
        # Along the window: next to what lies at its left, not below it.
        window.addDockWidget(_LEFT, dock, _ALONG)
        half = middle.width() // 2
        QTimer.singleShot(0, lambda: self._widen(window, dock, half))  # it has no width before

    def _widen(self, window: QMainWindow, dock: QDockWidget, width: int) -> None:
        if self._dock is dock:
            window.resizeDocks([dock], [width], _ALONG)

    def _give_back(self) -> None:
        """Leave the other docks as wide as they were: Qt would give them the room."""
        widths, self._widths = self._widths, {}
        with suppress(RuntimeError):  # the window goes, too
            for dock, width in widths.items():
                window = dock.window()
                if isinstance(window, QMainWindow):
                    window.resizeDocks([dock], [width], _ALONG)
