"""Notice: one sentence that stays until it is read and closed."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton


class Notice(QFrame):
    """A line of words with a button that closes it; hidden while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__()
        self._words = QLabel()
        self._words.setWordWrap(True)
        self._words.setTextFormat(Qt.TextFormat.PlainText)  # it quotes files and servers
        self._words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        close = QToolButton()
        close.setText("✕")
        close.setToolTip("Close this message")
        close.setAutoRaise(True)
        close.clicked.connect(self.clear)
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 4, 4)
        row.addWidget(self._words, 1)
        row.addWidget(close, 0, Qt.AlignmentFlag.AlignTop)
        self.setObjectName("notice")
        self.setStyleSheet("#notice { border: 1px solid #ff8f6b; border-radius: 3px; }")
        self.hide()

    @property
    def text(self) -> str:
        """What it says; "" while hidden."""
        return str(self._words.text())

    def say(self, sentence: str) -> None:
        """Show a sentence in place of the one before."""
        self._words.setText(sentence)
        self.setVisible(bool(sentence))

    def clear(self) -> None:
        """Say nothing more."""
        self.say("")
