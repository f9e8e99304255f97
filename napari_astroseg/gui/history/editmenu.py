"""EditMenu: the last step taken back and done again, from the menu bar or by a key."""

from __future__ import annotations

from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal
from qtpy.QtWidgets import QMainWindow, QMenu

from napari_astroseg.gui.history.history import History, history_of
from napari_astroseg.gui.history.layersteps import LayerSteps
from napari_astroseg.gui.keys import Key, Keys, announce

_SHOWN = 20
"""Steps in the list."""


class EditMenu(QObject):
    """The menu *Edit*, right of *File*.

    Parameters
    ----------
    window, viewer
        Whose menu bar, and whose history.
    """

    said = Signal(str)

    def __init__(self, window: QMainWindow, viewer: Any) -> None:
        super().__init__(window)
        self.history: History = history_of(viewer)
        self.layers = LayerSteps(viewer, self.history, self)
        self.menu = QMenu("&Edit", window)
        self.menu.setToolTipsVisible(True)
        # The keys are napari's, not the actions': what is typed into a line is undone there.
        self.undo_action = self.menu.addAction("Undo")
        self.redo_action = self.menu.addAction("Redo")
        self.undo_action.triggered.connect(lambda _=False: self.undo())
        self.redo_action.triggered.connect(lambda _=False: self.redo())
        self.steps = self.menu.addMenu("History")
        self.steps.setToolTipsVisible(True)
        self.steps.aboutToShow.connect(self._list)
        actions = window.menuBar().actions()
        if len(actions) > 1:
            window.menuBar().insertMenu(actions[1], self.menu)
        else:
            window.menuBar().addMenu(self.menu)
        self._keys = Keys(
            (
                Key("Control-Z", "take the last step back, whichever it was", self.undo),
                Key("Control-Shift-Z", "do it again", self.redo),
            )
        )
        self._keys.bind(viewer)
        announce(self, "Window", self._keys.pairs)
        self.history.changed.connect(self._show)
        self.history.said.connect(self.said)
        self._show()

    def undo(self) -> None:
        """Take the last step back."""
        self.history.undo()

    def redo(self) -> None:
        """Do again what was taken back last."""
        self.history.redo()

    def shut_down(self) -> None:
        """The window is gone."""
        self.layers.shut_down()
        self._keys.let_go()
        self.history.clear()

    def begin(self, *_: object) -> None:
        """Begin anew: what is open was opened as a whole."""
        self.layers.settle()
        self.history.clear()

    def back_to(self, count: int) -> None:
        """Take steps back, or do them again, until so many are done or one cannot be."""
        history = self.history
        for past, future, move in (
            (history.past, history.future, history.undo),
            (history.future, history.past, history.redo),
        ):
            wanted = count if past is history.past else len(past) + len(future) - count
            while len(past) > wanted:
                before = len(past)
                move()
                if len(past) == before:
                    return

    def _show(self) -> None:
        past, future = self.history.past, self.history.future
        for action, verb, steps, key in (
            (self.undo_action, "Undo", past, "Ctrl+Z"),
            (self.redo_action, "Redo", future, "Ctrl+Shift+Z"),
        ):
            action.setEnabled(bool(steps))
            named = f": {steps[-1].name}" if steps else ""
            action.setText(f"{verb}{named}\t{key}".replace("&", "&&"))
        self.steps.setEnabled(bool(past or future))

    def _list(self) -> None:
        """The steps, the newest at the top; a tick at what is done."""
        self.steps.clear()
        past, future = self.history.past, self.history.future
        every = [*past, *reversed(future)]
        shown = list(enumerate(every, start=1))[-_SHOWN:]
        for number, step in reversed(shown):
            action = self.steps.addAction(step.name.replace("&", "&&"))
            action.setCheckable(True)
            action.setChecked(number <= len(past))
            wanted = number - 1 if number <= len(past) else number
            action.setToolTip(
                "Take back to before this" if number <= len(past) else "Do up to this"
            )
            action.triggered.connect(partial(self._chosen, wanted))

    def _chosen(self, wanted: int, _checked: bool = False) -> None:
        self.back_to(wanted)
