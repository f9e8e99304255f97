"""Card: what a step says, with Back, Next and End, beside the dock that it is about."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QPoint, QRect, QSize, Qt, Signal
from qtpy.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

ACCENT = "#3d8fd1"
"""Seen on napari's light theme as well as on the dark one."""
_WIDTHS_CHARS = (46, 64, 84)
"""Of these the first at which all of it can be seen."""
_GAP_PX, _MARGIN_PX, _BORDER_PX = 14, 12, 2
_STYLE = f"""
#tour {{ border: {_BORDER_PX}px solid {ACCENT}; border-radius: 6px; }}
#tour QLabel {{ background: transparent; }}
#tour QScrollArea {{ border: none; margin: 0; padding: 0; }}
#tour QPushButton:focus {{ border: 2px solid {ACCENT}; }}
"""


class Card(QFrame):
    """It lies over the window and keeps nobody from using it.

    Parameters
    ----------
    window
        What it lies over.
    """

    back_wanted = Signal()
    next_wanted = Signal()
    end_wanted = Signal()

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self.setObjectName("tour")
        self.setStyleSheet(_STYLE)
        self.setAutoFillBackground(True)
        self.title, self.count, self.words, self.told = (QLabel() for _ in range(4))
        for label in (self.words, self.told):
            label.setWordWrap(True)
            label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self.told.setTextFormat(Qt.TextFormat.PlainText)  # it quotes files
        self.count.setEnabled(False)
        self.back = _button("Back", "The step before", self.back_wanted)
        self.next = _button("Next", "Do it for me, and go on", self.next_wanted)
        self.end = _button("End", "End the tour; all stays as it is (Esc)", self.end_wanted)
        self._shown: Any = None
        self._size = QSize()
        self._lay_out()
        self.hide()

    def show_step(self, title: str, words: str, at: int, of: int) -> None:
        """Show a step, the first of which is 1; after the last there is nothing to do."""
        last = at > of
        self.title.setText(f"<b>{title}</b>")
        self.count.setText("" if last else f"{at} of {of}")
        self.tell(words)
        held = self.isHidden() or self.isAncestorOf(QApplication.focusWidget())
        self.back.setEnabled(at > 1)
        self.next.setVisible(not last)
        self.show()
        self.raise_()
        if held:
            (self.end if last else self.next).setFocus()

    def tell(self, words: str) -> None:
        """Show what is to be done, as rich text."""
        if words != self.words.text():
            self.words.setText(words)

    def say(self, sentence: str) -> None:
        """Tell how it goes; "" for nothing."""
        if sentence != self.told.text():
            self.told.setText(sentence)
        self.told.setVisible(bool(sentence))

    def lie_beside(self, dock: QRect, control: QRect | None) -> None:
        """Lie beside a dock at the height of a control, and never on that; in the window's pixels.

        Parameters
        ----------
        control
            None while it is out of sight.
        """
        room = self.parentWidget().rect().adjusted(_GAP_PX, _GAP_PX, -_GAP_PX, -_GAP_PX)
        left = dock.left() - _GAP_PX - room.left()
        free = QSize(left if left > room.width() // 3 else room.width(), room.height())
        shown = free, self.told.text(), self.words.text(), self.words.font().toString()
        if shown != self._shown:
            self._shown, self._size = shown, self._fitting(free.width(), free.height())
        size = self._size
        card = QRect(QPoint(dock.left() - _GAP_PX - size.width(), 0), size)
        card.moveTop((control or dock).center().y() - size.height() // 2)
        card = _inside(card, room)
        if control is not None and card.intersects(control):
            below = control.bottom() + _GAP_PX
            fits = below + size.height() <= room.bottom()
            card.moveTop(below if fits else control.top() - _GAP_PX - size.height())
            card = _inside(card, room)
        if card != self.geometry():
            self.setGeometry(card)

    def _fitting(self, width: int, height: int) -> QSize:
        """As narrow as reads well, wider where that would be too high."""
        self.ensurePolished()
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        frame = 2 * (_MARGIN_PX + _BORDER_PX)
        char = self.words.fontMetrics().averageCharWidth()
        size = QSize()
        for chars in _WIDTHS_CHARS:
            least = max(self._foot.sizeHint().width(), self._head.sizeHint().width())
            across = min(max(chars * char, least), width - frame)
            self._area.setFixedSize(across, self._make_texts(across))
            size = self._column.totalSizeHint()
            if size.height() <= height:
                return size
        self._area.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        bar = self._area.verticalScrollBar().sizeHint().width()
        self._make_texts(self._area.width() - bar)
        self._area.setFixedHeight(max(0, self._area.height() - size.height() + height))
        return self._column.totalSizeHint()

    def _make_texts(self, width: int) -> int:
        """Make the texts that wide; how high they are then.

        Qt would have them as high as they are at their narrowest.
        """
        labels = [label for label in (self.told, self.words) if not label.isHidden()]
        spacing = self._inside.layout().spacing() * (len(labels) - 1)
        height = spacing + sum(label.heightForWidth(width) for label in labels)
        if self._inside.size() != QSize(width, height):
            self._inside.setFixedSize(width, height)
        return height

    def _lay_out(self) -> None:
        self._head, self._foot = QHBoxLayout(), QHBoxLayout()
        self._head.addWidget(self.title, 1)
        self._head.addWidget(self.count)
        for button in (self.back, self.next):
            self._foot.addWidget(button)
        self._foot.addStretch(1)
        self._foot.addWidget(self.end)
        self._inside = QWidget()
        texts = QVBoxLayout(self._inside)
        texts.setContentsMargins(0, 0, 0, 0)
        for label in (self.told, self.words):
            texts.addWidget(label)
        area = self._area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(self._inside)
        column = self._column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN_PX, _MARGIN_PX, _MARGIN_PX, _MARGIN_PX)
        column.addLayout(self._head)
        column.addWidget(area, 1)
        column.addLayout(self._foot)


def _inside(card: QRect, room: QRect) -> QRect:
    """The card moved into the room."""
    left = max(room.left(), min(card.left(), room.right() + 1 - card.width()))
    top = max(room.top(), min(card.top(), room.bottom() + 1 - card.height()))
    return QRect(QPoint(left, top), card.size())


def _button(text: str, tip: str, wanted: Any) -> QPushButton:
    button = QPushButton(text)
    button.setToolTip(tip)
    button.setAutoDefault(True)  # Enter presses what has the keyboard
    button.clicked.connect(lambda _=False: wanted.emit())
    return button
