"""Tour: starts the tour of a window, by its menu Help or whoever asks, one at a time."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from qtpy.QtCore import QObject
from qtpy.QtGui import QAction
from qtpy.QtWidgets import QMenu, QWidget

from napari_astroseg.gui.later import Docks

if TYPE_CHECKING:
    from napari_astroseg.gui.tour.guide import Guide


class Tour(QObject):
    """What is offered, and the tour that goes on, if one does.

    Parameters
    ----------
    viewer, docks, window
        Where it goes.
    bring
        Brings the dock of a name to the front.
    menu
        Where it is offered, on top.
    """

    def __init__(
        self,
        viewer: Any,
        docks: Docks,
        window: QWidget,
        bring: Callable[[str], Any],
        menu: QMenu,
    ) -> None:
        super().__init__(window)
        self._viewer, self._docks, self._bring, self._menu = viewer, docks, bring, menu
        self.guide: Guide | None = None
        self.action = QAction("Take the tour", self)
        self.action.setToolTip("From a map to a catalogue, in a few steps on a simulated sky")
        self.action.triggered.connect(lambda _=False: self.start())
        menu.aboutToShow.connect(self._offer)  # napari may have made it anew
        self._offer()

    def start(self) -> None:
        """Begin; a tour that goes on stays where it is."""
        # The first picture does not need them.
        from napari_astroseg.gui.tour.guide import Guide
        from napari_astroseg.gui.tour.sky import TourSky
        from napari_astroseg.gui.tour.step import Scene

        if self.guide is not None:
            self.guide.card.raise_()
            return
        sky = TourSky(self._viewer, self._docks["Open"].open_files, parent=self)
        window = self.parent()
        self.guide = Guide(Scene(self._viewer, self._docks, window, sky), self._bring)
        self.guide.ended.connect(self._ended)
        self.guide.start()

    def end(self) -> None:
        """The window goes, or enough has been seen."""
        if self.guide is not None:
            self.guide.end()

    def _ended(self) -> None:
        self.guide = None

    def _offer(self) -> None:
        actions = self._menu.actions()
        if self.action not in actions:
            self._menu.insertAction(actions[0] if actions else None, self.action)
