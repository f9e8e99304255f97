"""KeyTable: the keys of judging, shown and changed."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QFormLayout, QKeySequenceEdit, QPushButton, QWidget

from napari_astroseg.errors import VettingError
from napari_astroseg.gui.notice import Notice
from napari_astroseg.gui.vetting.actions import ACTIONS, choose_key, chosen_keys, forget_keys

_SPELLED = {"PgUp": "PageUp", "PgDown": "PageDown", "Del": "Delete", "Ins": "Insert"}
"""Keys that napari spells differently from Qt."""


class KeyTable(QWidget):
    """A line for each action; press a key in it to change it. `changed` follows."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.lines = {action.name: QKeySequenceEdit() for action in ACTIONS}
        self.notice = Notice()
        self.reset = QPushButton("All as they were")
        self.reset.setToolTip("Give all actions their first keys again")
        self.reset.clicked.connect(lambda _=False: self._forget())
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        for action in ACTIONS:
            line = self.lines[action.name]
            line.setToolTip("Press the key that is to do this")
            line.editingFinished.connect(lambda name=action.name: self._choose(name))
            rows.addRow(action.meaning, line)
        rows.addRow(self.notice)
        rows.addRow(self.reset)
        self.show_keys()

    def show_keys(self) -> None:
        """Show the keys that are chosen now."""
        for name, key in chosen_keys().items():
            self.lines[name].setKeySequence(_of_qt(key))

    def _choose(self, name: str) -> None:
        typed = self.lines[name].keySequence()
        if typed == _of_qt(chosen_keys()[name]):
            return
        self.notice.clear()
        try:
            choose_key(name, _of_napari(typed))
        except VettingError as error:
            self.notice.say(str(error))
            self.show_keys()
        else:
            self.changed.emit()

    def _forget(self) -> None:
        forget_keys()
        self.notice.clear()
        self.show_keys()
        self.changed.emit()


def _of_qt(key: str) -> QKeySequence:
    words = key.replace("Control", "Ctrl").replace("-", "+").split("+")
    spelled = {napari: qt for qt, napari in _SPELLED.items()}
    return QKeySequence("+".join(spelled.get(word, word) for word in words))


def _of_napari(sequence: QKeySequence) -> str:
    first = sequence.toString(QKeySequence.SequenceFormat.PortableText).split(", ")[0]
    return "+".join(_SPELLED.get(word, word) for word in first.split("+"))
