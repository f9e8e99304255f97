"""TrainControls: what the Train dock shows; what it does is the dock's affair."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.form.forms import Form
from napari_astroseg.gui.predicting.place import DEVICES
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.gui.training.folders import FolderField
from napari_astroseg.gui.training.plots import Curves
from napari_astroseg.recipes.recipe import Recipe, preset_names

_FIRST_PRESET = "filaments_small"
"""What a laptop can learn; the published networks want a graphics card."""


class TrainControls(QWidget):
    """Recipe, data, run and device; the form; the buttons; the course of the training."""

    def __init__(self) -> None:
        super().__init__()
        self.preset, self.device = QComboBox(), QComboBox()
        self.preset.addItems(preset_names())
        self.preset.setCurrentText(_FIRST_PRESET)
        self.device.addItems(DEVICES)
        self.form = Form(Recipe.preset(self.preset.currentText()), opened=("schedule",))
        self.data = FolderField("Choose the folder of the training data", "folder of the data")
        self.out = FolderField("Choose the folder of the run", "folder of the run")
        self.out.set_path(fresh_folder(self.preset.currentText()))
        self.make_up = QPushButton("Simulate…")
        self.data.add(self.make_up)
        self.go, self.halt, self.resume, self.use = (
            QPushButton(words) for words in ("Start", "Stop", "Resume", "Use in Predict")
        )
        self.progress = ProgressLine("Stop")
        self.progress.button.hide()
        self.curves = Curves()
        rows = QFormLayout()
        rows.addRow("Recipe", self.preset)
        rows.addRow("Data", self.data)
        rows.addRow("Run", self.out)
        rows.addRow("Device", self.device)
        column = QVBoxLayout(self)
        column.addLayout(rows)
        column.addWidget(self._panes(), 1)

    def _panes(self) -> QSplitter:
        """The form above, the course of the training below; the user moves the border."""
        scroll = QScrollArea()
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        course = QWidget()
        buttons = QHBoxLayout()
        for button in (self.go, self.halt, self.resume, self.use):
            buttons.addWidget(button)
        column = QVBoxLayout(course)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(buttons)
        column.addWidget(self.progress)
        column.addWidget(self.curves, 1)
        panes = QSplitter(Qt.Orientation.Vertical)
        panes.addWidget(scroll)
        panes.addWidget(course)
        panes.setChildrenCollapsible(False)
        panes.setSizes([300, 360])
        return panes


def fresh_folder(name: str) -> Path:
    """A run folder in the user's home that is not there yet."""
    runs = Path.home() / "astroseg" / "runs"
    number = 1
    while (runs / f"{name}-{number}").exists():
        number += 1
    return runs / f"{name}-{number}"
