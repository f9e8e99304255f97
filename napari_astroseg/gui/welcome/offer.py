"""Offer: the tour, offered when the window is opened for the first time, and only then."""

from __future__ import annotations

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout

from napari_astroseg.gui.settings import remember, remembered

_REMEMBERED, _WAS_OFFERED = "tour", "offered"
_WORDS = "<b>New here?</b> The tour leads from a map to a catalogue: six steps on a simulated sky."


class Offer(QFrame):
    """One sentence and two buttons; any of them ends it."""

    taken = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.wanted = not remembered(_REMEMBERED)
        """Whether nobody was offered it before, and nobody has answered yet."""
        words = QLabel(_WORDS)
        words.setWordWrap(True)
        self.take, self.leave = QPushButton("Take the tour"), QPushButton("Not now")
        self.leave.setToolTip("It stays in this page, and in the menu Help")
        self.take.clicked.connect(lambda _=False: self.taken.emit())
        for button in (self.take, self.leave):
            button.clicked.connect(lambda _=False: self._answer())
        row = QHBoxLayout()
        for button in (self.take, self.leave):
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.addWidget(words)
        column.addLayout(row)
        self.setObjectName("offer")
        self.setStyleSheet("#offer { border: 1px solid #3d8fd1; border-radius: 4px; }")
        self.hide()

    def make(self) -> None:
        """Offer it, if that is wanted, and remember that it was."""
        self.setVisible(self.wanted)
        if self.wanted:
            remember(_REMEMBERED, _WAS_OFFERED)

    def _answer(self) -> None:
        self.wanted = False
        self.hide()
