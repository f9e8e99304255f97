"""Fold: a heading that shows or hides what lies below it."""

from __future__ import annotations

from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget

_HEADING = """
QPushButton, QPushButton:checked {
    text-align: left; font-weight: bold; border: none; background: transparent; padding: 2px;
}
"""


class Fold(QWidget):
    """A heading that shows or hides what lies below it."""

    def __init__(self, title: str, content: QWidget, *, opened: bool = True) -> None:
        super().__init__()
        self._title, self._content = title, content
        self._button = QPushButton()
        self._button.setCheckable(True)
        self._button.setStyleSheet(_HEADING)
        self._button.toggled.connect(self._turn)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self._button)
        column.addWidget(content)
        self._button.setChecked(opened)
        self._turn(opened)

    def open(self) -> None:
        """Show what lies below the heading."""
        self._button.setChecked(True)

    def _turn(self, opened: bool) -> None:
        self._button.setText(f"{'▾' if opened else '▸'}  {self._title}")
        self._content.setVisible(opened)
