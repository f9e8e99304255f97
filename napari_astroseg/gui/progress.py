"""ProgressLine: how far work has come, how long it will take, one sentence, and a way to stop."""

from __future__ import annotations

import time

from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from napari_astroseg.gui.theme import trouble_colour


class CalmBar(QProgressBar):
    """A progress bar that waits for its turn to be painted.

    Qt's own repaints its whole window inside `setValue`; with layers coming and going that
    draws napari's canvas at moments that crash Mesa's software OpenGL.
    """

    def show_state(self, value: int, total: int, words: str) -> None:
        """Show `value` of `total`; a total of 0 means that nobody knows."""
        self.setUpdatesEnabled(False)
        self.setRange(0, total)
        self.setValue(value)
        self.setFormat(words)
        self.setUpdatesEnabled(True)


class ProgressLine(QWidget):
    """A bar with its numbers, a stop button, and one line of words below.

    Parameters
    ----------
    stop
        What the button says.
    """

    stopped = Signal()

    def __init__(self, stop: str = "Cancel") -> None:
        super().__init__()
        self._since = self._latest = 0.0
        self._first = 0
        self.bar = CalmBar()
        self.button = QPushButton(stop)
        self.button.clicked.connect(self.stopped)
        self.words = QLabel()
        self.words.setTextFormat(Qt.TextFormat.PlainText)  # it quotes files and servers
        self.words.setWordWrap(True)
        self.words.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._work = QWidget()
        row = QHBoxLayout(self._work)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.bar, 1)
        row.addWidget(self.button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._work)
        column.addWidget(self.words)
        self.end()

    def begin(self, words: str) -> None:
        """Work has been asked for; how much is not known yet."""
        self._since, self._first = 0.0, 0
        self.bar.show_state(0, 0, "")
        self._work.show()
        self.say(words)

    def advance(self, done: int, total: int, unit: str) -> None:
        """`done` of `total` units of work are done."""
        now = time.perf_counter()
        if not self._since:
            self._since, self._first = now, done
        text = f"{done} / {total} {unit}"
        if done > self._first and done < total:
            left = (now - self._since) / (done - self._first) * (total - done)
            text += f", {duration(left)} left"
        self.bar.show_state(done, total, text)

    def count(self, done: int, total: int, unit: str) -> None:
        """`done` of `total` units; what is left is told elsewhere."""
        self.bar.show_state(done, total, f"{done} / {total} {unit}")

    def say(self, words: str, *, trouble: bool = False) -> None:
        """One sentence to the user; trouble is coloured."""
        self.words.setStyleSheet(f"color: {trouble_colour()};" if trouble else "")
        self.words.setText(words)
        self.words.setVisible(bool(words))

    def end(self, words: str = "", *, trouble: bool = False) -> None:
        """The work is over."""
        self.bar.show_state(0, 1, "")
        self._work.hide()
        self.say(words, trouble=trouble)


def duration(seconds: float) -> str:
    """A length of time as people say it: 4 s, 3 min, 2 h 10 min."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02d} min"
