"""SessionBar: what happens with projects, told in a line above the picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QHBoxLayout,
    QLabel,
    QPushButton,
    QSizePolicy,
    QToolBar,
    QToolButton,
    QWidget,
)


class SessionBar(QToolBar):
    """A sentence, perhaps with buttons; hidden while there is nothing to say."""

    def __init__(self) -> None:
        super().__init__("Project")
        self.setObjectName("astroseg project")  # by which Qt remembers where it is
        self.setMovable(False)
        self._sentences: list[str] = []
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)  # it quotes files and strangers
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._offered = QWidget()
        self._buttons = QHBoxLayout(self._offered)
        self._buttons.setContentsMargins(0, 0, 0, 0)
        self.closing = QToolButton()
        self.closing.setText("✕")
        self.closing.setToolTip("Close this message")
        self.closing.setAutoRaise(True)
        self.closing.clicked.connect(self.clear_words)
        inside = QWidget()
        inside.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Maximum)
        row = QHBoxLayout(inside)
        row.setContentsMargins(8, 2, 4, 2)
        row.addWidget(self.words, 1)
        row.addWidget(self._offered)
        row.addWidget(self.closing)
        self.addWidget(inside)
        self.hide()

    @property
    def text(self) -> str:
        """What it says; "" while hidden."""
        return str(self.words.text())

    @property
    def buttons(self) -> list[QPushButton]:
        """Those that are offered."""
        there = (self._buttons.itemAt(at).widget() for at in range(self._buttons.count()))
        return [each for each in there if isinstance(each, QPushButton)]

    def say(self, sentence: str) -> None:
        """Add a sentence to those that nobody has closed yet."""
        if sentence and sentence not in self._sentences:
            self._sentences.append(sentence)
            self._show("\n".join(self._sentences[-6:]))

    def show_busy(self, words: str) -> None:
        """Tell what is going on; "" when it has ended, and sentences remain."""
        self._offered.setVisible(not words)
        self._show(words or "\n".join(self._sentences[-6:]))

    def offer(self, sentence: str, choices: Mapping[str, Callable[[], None]]) -> None:
        """Say something that can be answered; any answer clears it."""
        self._sentences = [sentence]
        self._drop_buttons()
        for words, call in choices.items():
            button = QPushButton(words)
            button.clicked.connect(self.clear_words)
            button.clicked.connect(lambda _=False, call=call: call())
            self._buttons.addWidget(button)
        self._show(sentence)

    def clear_words(self) -> None:
        """Say nothing more."""
        self._sentences.clear()
        self._drop_buttons()
        self._show("")

    def _drop_buttons(self) -> None:
        while self._buttons.count():
            widget = self._buttons.takeAt(0).widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()

    def _show(self, words: str) -> None:
        self.words.setText(words)
        self.setVisible(bool(words))
