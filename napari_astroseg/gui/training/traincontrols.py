"""TrainControls: what the Train dock shows; what it does is the dock's affair."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from qtpy.QtCore import Qt
from qtpy.QtWidgets import (
    QCheckBox,
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
from napari_astroseg.gui.keys import shortcuts
from napari_astroseg.gui.predicting.place import DEVICES
from napari_astroseg.gui.training.course import Course
from napari_astroseg.gui.training.folders import FolderField
from napari_astroseg.gui.training.queue import Queue
from napari_astroseg.gui.training.queueview import QueueView
from napari_astroseg.gui.training.weights import Weights
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
        self.weights = Weights()
        self.make_up = QPushButton("Simulate…")
        self.data.add(self.make_up)
        self.go, self.halt, self.resume, self.detach = (
            QPushButton(words) for words in ("Start", "Stop", "Resume", "Detach")
        )
        self.enqueue, self.search, self.compare, self.use = (
            QPushButton(words)
            for words in ("Add to queue", "Search…", "Compare runs…", "Use in Predict")
        )
        self.by_itself = QCheckBox("Goes on without the window")
        self.by_itself.setToolTip(
            "The training goes on when the window is closed or dies; the next window picks it up.\n"
            "Otherwise closing the window asks, and a training whose window died stops"
        )
        self.course = Course()
        self.progress, self.curves = self.course.progress, self.course.curves
        self.queue = Queue(self)
        self.line = QueueView(self.queue)
        self.course.tabs.addTab(self.line, "Queue")
        self._tell_tips()
        keys = {
            "Ctrl+Return": ("start", self.go.click),
            "Ctrl+.": ("stop", self.halt.click),
            "Ctrl+Shift+Return": ("add to the queue", self.enqueue.click),
        }
        shortcuts(self, "Train", keys, inside=True)
        rows = QFormLayout()
        rows.addRow("Recipe", self.preset)
        rows.addRow("Data", self.data)
        rows.addRow("Begin with", self.weights)
        rows.addRow("Run", self.out)
        rows.addRow("Device", self.device)
        column = QVBoxLayout(self)
        column.addLayout(rows)
        column.addWidget(self._panes(), 1)

    def _tell_tips(self) -> None:
        self.preset.setToolTip("The recipe to begin with; its fields can be changed below")
        self.device.setToolTip("What it is trained on; auto takes a graphics card if there is one")
        self.data.setToolTip("What is learnt from, in the layout that the recipe names")
        self.out.setToolTip("Where model, checkpoint, history and log go")
        self.compare.setToolTip("Curves of several runs over each other, and how recipes differ")

    def _panes(self) -> QSplitter:
        """The form above, the course of the training below; the user moves the border."""
        scroll = QScrollArea()
        scroll.setWidget(self.form)
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        course = QWidget()
        column = QVBoxLayout(course)
        column.setContentsMargins(0, 0, 0, 0)
        for buttons in (
            (self.go, self.halt, self.resume, self.detach),
            (self.enqueue, self.search, self.compare, self.use),
        ):
            row = QHBoxLayout()
            for button in buttons:
                row.addWidget(button)
            column.addLayout(row)
        column.addWidget(self.by_itself)
        column.addWidget(self.course, 1)
        panes = QSplitter(Qt.Orientation.Vertical)
        panes.addWidget(scroll)
        panes.addWidget(course)
        panes.setChildrenCollapsible(False)
        panes.setSizes([220, 480])
        return panes


def fresh_folder(name: str, taken: Callable[[Path], bool] = lambda _: False) -> Path:
    """A run folder in the user's home that is not there yet, nor `taken` by what is to come."""
    runs = Path.home() / "astroseg" / "runs"
    number = 1
    while (runs / f"{name}-{number}").exists() or taken(runs / f"{name}-{number}"):
        number += 1
    return runs / f"{name}-{number}"
