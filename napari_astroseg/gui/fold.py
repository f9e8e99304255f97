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
        self.title, self.heading, self._content = title, QPushButton(), content
        self.heading.setCheckable(True)
        self.heading.setStyleSheet(_HEADING)
        self.heading.toggled.connect(self._turn)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.heading)
        column.addWidget(content)
        self.heading.setChecked(opened)
        self._turn(opened)

    @property
    def opened(self) -> bool:
        """Whether what lies below is shown."""
        return bool(self.heading.isChecked())

    def open(self) -> None:
        """Show what lies below the heading."""
        self.heading.setChecked(True)

    def _turn(self, opened: bool) -> None:
        self.heading.setText(f"{'▾' if opened else '▸'}  {self.title}")
        self._content.setVisible(opened)
