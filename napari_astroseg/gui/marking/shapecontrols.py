"""ShapeControls: what the section of shapes shows; what it does is the section's affair."""

from __future__ import annotations

from qtpy.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.marking.classes import ClassTable
from napari_astroseg.gui.marking.marks import Marks
from napari_astroseg.gui.marking.shapefiles import ShapeFiles

TOOLS = {
    "select": ("Select", "Select shapes to move, resize, turn (the handle above) or delete them"),
    "add_rectangle": ("Box", "Draw a box: drag from corner to corner"),
    "add_ellipse": ("Ellipse", "Draw an ellipse: drag from corner to corner around it"),
    "circle": ("Circle", "Draw a circle: drag from corner to corner around it"),
    "add_polygon": ("Polygon", "A click for each corner; a double click or Enter ends it"),
    "add_line": ("Line", "Draw a line: drag from end to end"),
}
"""napari's tools, and a round ellipse: what they are called, and what they do."""


class ShapeControls(QWidget):
    """Tools, what is done to selected shapes, files.

    Parameters
    ----------
    marks
        What is open.
    classes
        Whose selected class a new shape, or a mask from a file, is of.
    """

    def __init__(self, marks: Marks, classes: ClassTable) -> None:
        super().__init__()
        self.buttons = {tool: QPushButton(TOOLS[tool][0]) for tool in TOOLS}
        self._group = QButtonGroup(self)
        self._group.setExclusive(False)
        for button in self.buttons.values():
            button.setCheckable(True)
            self._group.addButton(button)
        self.name = QLineEdit()
        self.name.setPlaceholderText("name of the selected shape")
        self.give_class, self.fill, self.remove = (
            QPushButton(words) for words in ("Give class", "Fill pixels", "Remove")
        )
        self.told = QLabel()
        self.files = ShapeFiles(marks, classes)
        self._lay_out()

    def _lay_out(self) -> None:
        tools, one = QHBoxLayout(), QHBoxLayout()
        tools.setSpacing(2)
        for button in self.buttons.values():
            tools.addWidget(button)
        one.addWidget(self.name, 1)
        for button in (self.give_class, self.fill, self.remove):
            one.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(tools)
        column.addLayout(one)
        column.addWidget(self.told)
        column.addWidget(self.files)
