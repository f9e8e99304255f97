"""ProjectMenu: projects opened and saved from the menu bar, and what is asked meanwhile."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QFileDialog, QMainWindow, QMenu, QShortcut

from napari_astroseg.gui.intake.recent import PROJECTS, Recent, called
from napari_astroseg.gui.keys import announce
from napari_astroseg.gui.keysheet import SHEET_KEY, KeySheet
from napari_astroseg.gui.sessions.autosave import Autosave
from napari_astroseg.gui.sessions.bar import SessionBar
from napari_astroseg.gui.sessions.questions import AllowDialog, MovedDialog
from napari_astroseg.gui.sessions.session import Asked, Missed, Session
from napari_astroseg.gui.sessions.slots import Left, Slot, is_slot, left_behind
from napari_astroseg.projects.projectfile import ENDING

SAVE_KEY = "Ctrl+Shift+S"
_FILES = f"Projects (*{ENDING})"


class ProjectMenu(QObject):
    """The menu, and the bar that tells what became of it.

    Parameters
    ----------
    window
        Into whose menu bar it goes, right of File.
    session
        What is saved and opened.
    title
        Shows a project's name in the window's title.
    reading
        Whether files are being opened, whose layers are still to come.
    """

    def __init__(
        self,
        window: QMainWindow,
        session: Session,
        title: Callable[[str], None] | None = None,
        reading: Callable[[], bool] = lambda: False,
    ) -> None:
        super().__init__(window)
        self.session = session
        self.autosave = Autosave(session)
        self.autosave.guard(window)
        self._title, self._reading = title or (lambda _name: None), reading
        self.dialog: AllowDialog | MovedDialog | None = None
        self.bar = SessionBar()
        window.addToolBar(self.bar)
        self.bar.hide()
        self.menu = QMenu("Pro&ject", window)
        self.menu.setToolTipsVisible(True)
        self.save_action = self._action("Save project", self.save, "Everything that is open")
        self.save_action.setShortcut(QKeySequence(SAVE_KEY))
        announce(self, "Window", ((SAVE_KEY, "save the project"), (SHEET_KEY, "all keys")))
        sheet = QShortcut(QKeySequence(SHEET_KEY), window)
        sheet.activated.connect(self.show_keys)
        self._action("Save project as…", self.ask_where, "In another file")
        self._action("Open project…", self.ask_which, "What was saved before")
        self.recent = self.menu.addMenu("Recent projects")
        self.recent.aboutToShow.connect(self._list_recent)
        actions = window.menuBar().actions()
        self._place(actions[1] if len(actions) > 1 else None)
        session.said.connect(self.bar.say)
        session.busy_changed.connect(self.bar.show_busy)
        session.asked.connect(self._ask)
        session.missed.connect(self._ask_moved)
        session.saved.connect(self._is_saved)
        session.loaded.connect(self._show_name)

    @property
    def _window(self) -> QMainWindow:
        """Asked for each time: a window that is held here would never go."""
        return self.parent()

    def save(self) -> None:
        """Save the project where it is; ask where, if it is nowhere yet."""
        if self.session.path is None:
            self.ask_where()
        else:
            self.session.save(self.session.path)

    def offer_lost(self) -> None:
        """Offer back what a window that ended unexpectedly has left; quietly, in the bar."""
        lost = next((each for each in left_behind() if not each.closed), None)
        if lost is None:
            return
        self.bar.offer(
            f"A window ended unexpectedly; kept at {lost.when:%H:%M, %d %B}: {lost.words}",
            {"Open it again": partial(self.open, lost.path), "Forget it": partial(_forget, lost)},
        )

    def show_keys(self) -> KeySheet:
        """Show all keys beside the work."""
        sheet = KeySheet(self._window)
        sheet.show()
        sheet.raise_()
        return sheet

    def shut_down(self) -> None:
        """The window is gone."""
        self.autosave.shut_down()
        self.session.shut_down()

    def ask_where(self) -> None:
        """Let the user name a file, and save the project there."""
        start = str(self.session.path or Path.home() / f"work{ENDING}")
        name, _ = QFileDialog.getSaveFileName(self._window, "Save project", start, _FILES)
        if name:
            self.session.save(Path(name))

    def ask_which(self) -> None:
        """Let the user choose a project, and open it."""
        name, _ = QFileDialog.getOpenFileName(self._window, "Open project", "", _FILES)
        if name:
            self.open(Path(name))

    def open(self, path: str | Path) -> None:
        """Open a project: here, where nothing is open yet, or in a window of its own."""
        free = not self.session.busy and not self._reading()
        if free and self.session.draft().empty:
            if is_slot(Path(path)) and not self.autosave.take_over(Path(path)):
                self.bar.say("Another window has opened this meanwhile; go on there")
                return
            self.session.open(Path(path))
            return
        subprocess.Popen(
            [sys.executable, "-m", "napari_astroseg", "window", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.bar.say(f"{Path(path).name} opens in a window of its own, for this one is in use")

    def _action(self, text: str, call: Callable[[], None], tip: str) -> Any:
        action = self.menu.addAction(text)
        action.setToolTip(tip)
        action.triggered.connect(lambda _=False: call())
        return action

    def _place(self, before: Any) -> None:
        bar = self._window.menuBar()
        if before is None:
            bar.addMenu(self.menu)
        else:
            bar.insertMenu(before, self.menu)

    def _list_recent(self) -> None:
        self.recent.clear()
        for places in Recent(name=PROJECTS).groups():
            action = self.recent.addAction(called(places).removesuffix(ENDING))
            action.setToolTip(places[0])
            action.triggered.connect(partial(self._open_recent, places[0]))
        if self.recent.isEmpty():
            self.recent.addAction("None yet").setEnabled(False)

    def _open_recent(self, place: str, _checked: bool = False) -> None:
        self.open(place)

    def _ask(self, asked: Asked) -> None:
        dialog = self.dialog = AllowDialog(asked, self._window)
        dialog.decided.connect(lambda allowed: self.session.go_on(asked.opened, allowed))
        dialog.show()
        dialog.raise_()

    def _ask_moved(self, missed: Missed) -> None:
        dialog = self.dialog = MovedDialog(missed, self._window)
        session, opened, allowed = self.session, missed.opened, missed.allowed
        dialog.found.connect(lambda moved: session.go_on(opened, allowed, moved))
        dialog.left.connect(lambda: session.go_on(opened, allowed, missed.moved, without=True))
        dialog.show()
        dialog.raise_()

    def _is_saved(self, path: Path) -> None:
        self.bar.say(f"Saved as {path}")
        self._show_name()

    def _show_name(self) -> None:
        if self.session.path is not None:
            self._title(self.session.path.name.removesuffix(ENDING))


def _forget(lost: Left) -> None:
    slot = Slot(lost.path.parent)
    if slot.hold():
        slot.remove()
