"""Controls: what the Draw dock shows; what it does is the dock's affair."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QPushButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.images import ImagePicker
from napari_astroseg.gui.marking.classes import ClassTable
from napari_astroseg.gui.marking.crowd import CrowdSection
from napari_astroseg.gui.marking.marks import Marks
from napari_astroseg.gui.marking.shapes import ShapeSection
from napari_astroseg.gui.marking.tools import Tools
from napari_astroseg.gui.marking.using import Using
from napari_astroseg.gui.notice import Notice
from napari_astroseg.gui.training.folders import FolderField


class DrawControls(QWidget):
    """The image and its marks, tools, classes, what to do with what was drawn.

    Parameters
    ----------
    viewer
        Whose images are offered.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.marks = Marks(self)
        self.images = ImagePicker(viewer)
        self.images.setToolTip("The image that is drawn on")
        self.folder = FolderField("Choose the folder of the marks", "folder of the marks")
        self.who = QLineEdit()
        self.who.setPlaceholderText("your name")
        self.who.setToolTip("Who draws: everybody has labels of their own in the same folder")
        self.start = QPushButton("Start drawing")
        self.close_button = QPushButton("Close")
        self.notice, self.told = Notice(), QLabel()
        self.told.setWordWrap(True)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.tools, self.classes = Tools(), ClassTable()
        self.shapes = ShapeSection(self.marks, self.classes)
        self.using = Using(self.marks, self.classes)
        self.crowd = CrowdSection(viewer)
        self._lay_out()

    def _lay_out(self) -> None:
        rows, buttons = QFormLayout(), QHBoxLayout()
        rows.addRow("Image", self.images)
        rows.addRow("Marks", self.folder)
        rows.addRow("Drawn by", self.who)
        for button in (self.start, self.close_button):
            buttons.addWidget(button)
        inside = QWidget()
        self.column = QVBoxLayout(inside)
        self.column.addLayout(rows)
        self.column.addLayout(buttons)
        for part in (self.notice, self.tools, self.told):
            self.column.addWidget(part)
        self.column.addWidget(Fold("Classes", self.classes))
        self.column.addWidget(Fold("Shapes", self.shapes))
        self.column.addWidget(Fold("Use what was drawn", self.using))
        self.column.addWidget(Fold("Crowd", self.crowd, opened=False))
        self.column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
