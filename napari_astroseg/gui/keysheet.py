"""KeySheet: all keys of the window and what they do, on one sheet."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QDialog,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.keys import announced, spoken

SHEET_KEY = "?"
_COLUMNS = 2
_WIDEST = "Ctrl+Shift+Return"
_SIZE = (900, 640)
_OTHERS = (
    "Keys work while the picture or a dock has the keyboard; where text is typed, they are "
    "letters. napari's own keys: Ctrl+Alt+/"
)


class KeySheet(QDialog):
    """A window beside the work; Esc closes it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setModal(False)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Keys")
        self.resize(*_SIZE)
        self.groups = announced()
        columns: list[QVBoxLayout] = [QVBoxLayout() for _ in range(_COLUMNS)]
        heights = [0] * _COLUMNS
        for title, pairs in self.groups:
            shortest = heights.index(min(heights))
            columns[shortest].addWidget(_group(title, pairs))
            heights[shortest] += len(pairs) + 2
        inside = QWidget()
        row = QHBoxLayout(inside)
        for column in columns:
            column.addStretch(1)
            row.addLayout(column, 1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(inside)
        others = QLabel(_OTHERS)
        others.setWordWrap(True)
        whole = QVBoxLayout(self)
        whole.addWidget(area, 1)
        whole.addWidget(others)

    @property
    def text(self) -> str:
        """All that it says, a line for each key."""
        lines = (f"{title}: {key}: {does}" for title, pairs in self.groups for key, does in pairs)
        return "\n".join(lines)


def _group(title: str, pairs: list[tuple[str, str]]) -> QWidget:
    group = QWidget()
    rows = QGridLayout(group)
    rows.setColumnStretch(1, 1)
    rows.setColumnMinimumWidth(0, group.fontMetrics().horizontalAdvance(_WIDEST))
    heading = QLabel(f"<b>{title}</b>")
    rows.addWidget(heading, 0, 0, 1, 2)
    for at, (key, does) in enumerate(pairs, start=1):
        name, words = QLabel(spoken(key)), QLabel(does)
        name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignTop)
        words.setWordWrap(True)
        rows.addWidget(name, at, 0)
        rows.addWidget(words, at, 1)
    return group
