"""Controls: what the Votes dock shows; what it does is the dock's affair."""

from __future__ import annotations

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QFrame,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QScrollArea,
    QSlider,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.notice import Notice
from napari_astroseg.gui.voting.areaplot import AreaPlot
from napari_astroseg.gui.voting.foldertable import FolderTable
from napari_astroseg.gui.voting.volunteers import Volunteers


class VoteControls(QWidget):
    """Where votes come from, the threshold and its figures, what to do with the mask.

    Parameters
    ----------
    volunteers, table
        The parts of the dock that do things of their own.
    """

    def __init__(self, volunteers: Volunteers, table: FolderTable) -> None:
        super().__init__()
        self.volunteers, self.table = volunteers, table
        self.choose, self.take = QPushButton("Open votes…"), QPushButton("Selected layer")
        self.kind, self.slider, self.number = QComboBox(), QSlider(), QSpinBox()
        self.slider.setOrientation(Qt.Orientation.Horizontal)
        self.slider.setRange(1, 1)
        self.slider.setTickPosition(QSlider.TickPosition.TicksBelow)
        self.number.setRange(1, 1)
        self.number.setSuffix(" votes")
        self.kind.setToolTip("What was marked")
        for control in (self.slider, self.number):
            control.setToolTip("A pixel with at least so many votes belongs to the mask ([ and ])")
        self.area, self.told, self.notice = QLabel(), QLabel(), Notice()
        self.told.setWordWrap(True)
        self.told.setTextFormat(Qt.TextFormat.PlainText)
        self.plot = AreaPlot()
        self.ladder, self.save, self.learn = (
            QPushButton(words) for words in ("Ladder", "Save mask…", "Train on this threshold")
        )
        self._lay_out()

    def _lay_out(self) -> None:
        opening, threshold, using = QHBoxLayout(), QHBoxLayout(), QHBoxLayout()
        for button in (self.choose, self.take):
            opening.addWidget(button)
        threshold.addWidget(self.slider, 1)
        threshold.addWidget(self.number)
        for button in (self.ladder, self.save, self.learn):
            using.addWidget(button)
        rows = QFormLayout()
        rows.addRow("Marked", self.kind)
        rows.addRow("Threshold", threshold)
        rows.addRow("Area", self.area)
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.addLayout(opening)
        column.addWidget(self.notice)
        column.addLayout(rows)
        column.addWidget(self.plot)
        column.addWidget(self.told)
        column.addLayout(using)
        column.addWidget(Fold("Volunteers", self.volunteers))
        column.addWidget(Fold("A folder of votes", self.table, opened=False))
        column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setWidget(inside)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(area)
