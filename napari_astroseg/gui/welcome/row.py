"""Row: a button across a column; words that are too long for it lose their middle."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QPaintEvent
from qtpy.QtWidgets import (
    QPushButton,
    QSizePolicy,
    QStyle,
    QStyleOptionButton,
    QStylePainter,
)

_LINK = "QPushButton { text-align: left; padding: 3px 6px; }"


class Row(QPushButton):
    """It takes the width that it is given, however long its words are.

    Parameters
    ----------
    text, tip
        What it says, and more of it.
    call
        What a click does.
    """

    def __init__(self, text: str, tip: str, call: Callable[[], Any]) -> None:
        super().__init__(text)
        self.setToolTip(tip)
        self.setStyleSheet(_LINK)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda _=False: call())

    @property
    def written(self) -> str:
        """As much of its words as there is room for."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        contents = QStyle.SubElement.SE_PushButtonContents
        room = self.style().subElementRect(contents, option, self).width()
        return str(self.fontMetrics().elidedText(self.text(), Qt.TextElideMode.ElideMiddle, room))

    def paintEvent(self, _event: QPaintEvent) -> None:  # noqa: N802 (Qt's name)
        """As any button, with what is written."""
        option = QStyleOptionButton()
        self.initStyleOption(option)
        option.text = self.written
        QStylePainter(self).drawControl(QStyle.ControlElement.CE_PushButton, option)
