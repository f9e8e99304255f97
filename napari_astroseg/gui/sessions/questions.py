"""Questions: what is asked before a project opens: may it look there, and where is this now.

Neither stops the window behind it.
"""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QLabel,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.sessions.session import Asked, Missed

_SIZE = (720, 380)
_KEY = Qt.ItemDataRole.UserRole
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class AllowDialog(QDialog):
    """The places of somebody else's project that are not in its folder; each allowed, or not.

    Nothing is allowed at first. `decided` carries the keys of those that are.
    """

    decided = Signal(object)

    def __init__(self, asked: Asked, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        _prepare(self, f"Open {asked.opened.path.name}")
        told = words()
        told.setText(
            f"{asked.opened.path.name} was not written here. It names places beyond its own "
            "folder. Tick those that may be opened; the rest is left out."
        )
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setHeaderLabels(["Place", "What it does"])
        for question in asked.questions:
            item = QTreeWidgetItem([question.place.path, question.why])
            item.setToolTip(0, _plainly(question.place.path))
            item.setData(0, _KEY, question.key)
            item.setFlags(item.flags() | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, _UNCHECKED)
            self.list.addTopLevelItem(item)
        self.list.resizeColumnToContents(1)
        self.list.header().setStretchLastSection(False)
        self.list.header().setSectionResizeMode(0, self.list.header().ResizeMode.Stretch)
        self.all = QPushButton("Tick all")
        self.all.setToolTip("All of these places may be opened")
        self.all.clicked.connect(self._tick_all)
        buttons = QDialogButtonBox.StandardButton
        self.buttons = QDialogButtonBox(buttons.Open | buttons.Cancel)
        self.buttons.addButton(self.all, QDialogButtonBox.ButtonRole.ActionRole)
        self.buttons.accepted.connect(self._decide)
        self.buttons.rejected.connect(self.reject)
        _lay_out(self, told, self.list, self.buttons)

    @property
    def allowed(self) -> list[str]:
        """Keys of what is ticked."""
        items = (self.list.topLevelItem(at) for at in range(self.list.topLevelItemCount()))
        return [str(item.data(0, _KEY)) for item in items if item.checkState(0) == _CHECKED]

    def _tick_all(self) -> None:
        for at in range(self.list.topLevelItemCount()):
            self.list.topLevelItem(at).setCheckState(0, _CHECKED)

    def _decide(self) -> None:
        self.decided.emit(self.allowed)
        self.accept()


class MovedDialog(QDialog):
    """Files of a project that are not where they were, to be found, or left out.

    `found` carries where they are by their keys, when one has been chosen: those beside it are
    found with it. `left` is emitted where the rest is left out.
    """

    found = Signal(object)
    left = Signal()

    def __init__(self, missed: Missed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._missed = missed
        name = missed.opened.path.name
        _prepare(self, f"Files of {name}")
        told = words()
        told.setText(
            f"{len(missed.keys)} of the files and folders in {name} are not where they were. "
            "Show where one is now; others are looked for beside it."
        )
        self.list = QTreeWidget()
        self.list.setRootIsDecorated(False)
        self.list.setHeaderLabels(["Where it was"])
        for key in missed.keys:
            place = missed.opened.project.places[key]
            item = QTreeWidgetItem([place.path])
            item.setToolTip(0, _plainly(place.path))
            item.setData(0, _KEY, key)
            self.list.addTopLevelItem(item)
        self.list.setCurrentItem(self.list.topLevelItem(0))
        self.list.itemActivated.connect(lambda *_: self.ask())
        self.find = QPushButton("Find…")
        self.find.setToolTip("Show where the selected one is now (Enter)")
        self.find.clicked.connect(lambda _=False: self.ask())
        self.without = QPushButton("Open without them")
        self.without.setToolTip("They stay in the project, for the files may come back")
        self.without.clicked.connect(lambda _=False: self._leave())
        roles = QDialogButtonBox.ButtonRole
        self.buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Cancel)
        self.buttons.addButton(self.find, roles.ActionRole)
        self.buttons.addButton(self.without, roles.ActionRole)
        self.buttons.rejected.connect(self.reject)
        _lay_out(self, told, self.list, self.buttons)

    def ask(self) -> None:
        """Let the user show where the selected one is."""
        item = self.list.currentItem()
        if item is None:
            return
        key = str(item.data(0, _KEY))
        place = self._missed.opened.project.places[key]
        title = f"Where is {place.name} now?"
        start = str(self._missed.opened.folder)
        if place.kind == "folder":
            name = QFileDialog.getExistingDirectory(self, title, start)
        else:
            name, _ = QFileDialog.getOpenFileName(self, title, start)
        if name:
            self.show_where(key, Path(name))

    def show_where(self, key: str, path: Path) -> None:
        """Say where one is now."""
        moved: Mapping[str, Path] = {**self._missed.moved, key: path}
        self.found.emit(moved)
        self.accept()

    def _leave(self) -> None:
        self.left.emit()
        self.accept()


def _plainly(text: str) -> str:
    """A tooltip that says just this; Qt would take a stranger's marks for orders, and obey them."""
    return f"<span>{escape(text)}</span>"


def _prepare(dialog: QDialog, title: str) -> None:
    dialog.setModal(False)
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle(title)
    dialog.resize(*_SIZE)


def _lay_out(dialog: QDialog, *parts: QWidget) -> None:
    column = QVBoxLayout(dialog)
    for part in parts:
        column.addWidget(part)
    told = parts[0]
    if isinstance(told, QLabel):
        told.setWordWrap(True)
