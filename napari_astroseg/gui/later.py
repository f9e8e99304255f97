"""Later: docks that are made when they are first looked at, or while nobody is in a hurry.

Importing and building all docks takes longer than all the rest of opening a window. So only the
first is there with the window, and of the others their place; their modules are imported in a
thread, one by one, and then each is made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from importlib import import_module
from typing import Any

from qtpy.QtCore import QEvent, QObject, Qt, QTimer
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_astroseg.gui.latest import Latest

_PAUSE_MS = 200
"""From one dock to the next: what the user does meanwhile goes first."""


class Place(QWidget):
    """Where a dock will be: it is made when somebody asks for it, or looks.

    Parameters
    ----------
    make
        Makes it.
    scrolled
        Whether it gets a frame that scrolls where the screen is lower than it is.
    """

    def __init__(self, make: Callable[[], QWidget], scrolled: bool = False) -> None:
        super().__init__()
        self.watched = False  # while a window is put together, tabs come and go by themselves
        self._make, self._scrolled = make, scrolled
        self._dock: QWidget | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    @property
    def made(self) -> bool:
        """Whether the dock is there."""
        return self._dock is not None

    @property
    def dock(self) -> QWidget:
        """The dock itself."""
        if self._dock is None:
            self._dock = self._make()
            self._column.addWidget(_scrolled(self._dock) if self._scrolled else self._dock)
            inside = self._dock.layout()
            wants = inside.expandingDirections() if inside is not None else None
            if not self._scrolled and wants is not None and not wants & Qt.Orientation.Vertical:
                self._column.addStretch()
        return self._dock

    def event(self, event: QEvent) -> bool:
        """Make what is looked at; let go of it when napari takes it out of its window."""
        if event.type() == QEvent.Type.Show and self.watched:
            _ = self.dock
        if event.type() == QEvent.Type.ParentChange and self.parent() is None and self._dock:
            self._dock.setParent(None)
        return bool(super().event(event))


class Docks(Mapping[str, Any]):
    """The docks of a viewer by their names; to ask for one makes it.

    Parameters
    ----------
    ready
        Those that are there already.
    kinds
        Where each other comes from, as `module:Class`, in the order in which they are made.
    scrolled
        Which of them scroll.
    parent
        What they end with.
    """

    def __init__(
        self,
        viewer: Any,
        ready: Mapping[str, QWidget],
        kinds: Mapping[str, str],
        scrolled: set[str],
        parent: QObject,
    ) -> None:
        self._viewer, self._ready, self._kinds = viewer, dict(ready), dict(kinds)
        self.places = {name: Place(partial(self._make, name), name in scrolled) for name in kinds}
        self._waiting = list(kinds)
        self._hurry: Callable[[], bool] = bool
        self._then: Callable[[], Any] = bool
        self._importing = Latest(parent)
        for over in (self._importing.answered, self._importing.refused):
            over.connect(self._made_behind)
        self._pause = QTimer(parent)
        self._pause.setSingleShot(True)
        self._pause.timeout.connect(self._step)

    def __getitem__(self, name: str) -> Any:
        return self._ready[name] if name in self._ready else self.places[name].dock

    def __iter__(self) -> Iterator[str]:
        return iter([*self._ready, *self.places])

    def __len__(self) -> int:
        return len(self._ready) + len(self.places)

    def made(self) -> dict[str, Any]:
        """Those that are there by now."""
        there = {name: place.dock for name, place in self.places.items() if place.made}
        return {**self._ready, **there}

    def make_behind(self, hurry: Callable[[], bool], then: Callable[[], Any]) -> None:
        """Make all of them, one by one.

        Parameters
        ----------
        hurry
            Whether the window has better to do now.
        then
            Called when all are there.
        """
        self._hurry, self._then = hurry, then
        for place in self.places.values():
            place.watched = True
        self._pause.start(_PAUSE_MS)

    def close(self) -> None:
        """Make no more."""
        self._waiting.clear()
        self._then = bool
        self._pause.stop()

    def _make(self, name: str) -> QWidget:
        dock: QWidget = _kind(self._kinds[name])(self._viewer)
        return dock

    def _step(self) -> None:
        self._waiting = [name for name in self._waiting if not self.places[name].made]
        if not self._waiting:
            self._then()
        elif self._hurry():
            self._pause.start(_PAUSE_MS)
        else:
            self._importing.ask(partial(_kind, self._kinds[self._waiting[0]]))

    def _made_behind(self, _kind: object) -> None:
        """Make the next; what one fails at is seen, and costs no other."""
        if self._waiting:
            name = self._waiting.pop(0)
            self._pause.start(_PAUSE_MS)
            _ = self[name]


def dock_of(widget: QWidget) -> Any:
    """The dock that napari was given, or the one whose place it was given."""
    return widget.dock if isinstance(widget, Place) else widget


def _kind(told: str) -> Any:
    module, _, name = told.partition(":")
    return getattr(import_module(module), name)


def _scrolled(dock: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setWidget(dock)
    return area
