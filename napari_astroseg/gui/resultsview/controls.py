"""ResultsControls: what the Results dock shows; what it does is the dock's affair."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qtpy.QtWidgets import (
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.engine.report.plots import plots_of
from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.predicting.models import ModelPicker
from napari_astroseg.gui.predicting.place import DEVICES
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.gui.resultsview.plotview import PlotTab
from napari_astroseg.gui.resultsview.tables import FigureTable, WorstTable
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.gui.training.folders import FolderField

BACKGROUNDS = {
    "all that is not target": "one_vs_all",
    "the background map alone": "conservative",
}

NONE, OTHER = "–", "Choose a folder…"


class ResultsControls(QWidget):
    """Model, data and device; the button; which evaluations are shown; tables and plots."""

    def __init__(self) -> None:
        super().__init__()
        self.models = ModelPicker(Shelf(self))
        self.data = FolderField("Choose data with truth", "folder of data with truth")
        self.make_up = QPushButton("Simulate…")
        self.data.add(self.make_up)
        self.background, self.device = QComboBox(), QComboBox()
        self.background.addItems(list(BACKGROUNDS))
        self.background.setToolTip("Which pixels count as background where none is a structure")
        self.device.addItems(DEVICES)
        self.device.setToolTip("Where the network runs")
        self.go, self.export, self.page = (
            QPushButton(words) for words in ("Evaluate", "Export…", "Open page")
        )
        self.progress = ProgressLine()
        self.shown, self.beside = QComboBox(), QComboBox()
        self.shown.setToolTip("The evaluation that is shown; the newest comes first")
        self.beside.setToolTip("Another evaluation, to be seen side by side with it")
        for box in (self.shown, self.beside):
            box.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
        self.figures, self.worst = FigureTable(), WorstTable()
        self.about = words()
        self.tabs = QTabWidget()
        self.tabs.setDocumentMode(True)
        self.tabs.addTab(self.figures, "Figures")
        self.tabs.addTab(self.worst, "Worst cases")
        self._lay_out()

    def show_evaluations(self, told: Mapping[str, Mapping[str, Any]]) -> None:
        """Show one evaluation, or two side by side, by their names."""
        before = self.tabs.tabText(self.tabs.currentIndex())
        while self.tabs.count() > 2:
            page = self.tabs.widget(2)
            self.tabs.removeTab(2)
            page.deleteLater()
        self.figures.show_evaluations(told)
        first = next(iter(told.values()), None)
        self.worst.show_evaluation(first)
        self.about.setText(about(first) if first is not None else "")
        plots = {name: {plot.name: plot for plot in plots_of(each)} for name, each in told.items()}
        titles = {key: plot.title for each in plots.values() for key, plot in each.items()}
        for key, title in titles.items():
            pair = {name: each.get(key) for name, each in plots.items()}
            self.tabs.addTab(PlotTab(pair), title)
        texts = [self.tabs.tabText(at) for at in range(self.tabs.count())]
        self.tabs.setCurrentIndex(texts.index(before) if before in texts else 0)

    def offer_background(self, offered: bool) -> None:
        """Show the choice of a background, or hide it."""
        self._label.setVisible(offered)
        self.background.setVisible(offered)

    def _lay_out(self) -> None:
        rows = QFormLayout()
        self._label = QLabel("Background")
        rows.addRow("Model", self.models)
        rows.addRow("Data", self.data)
        rows.addRow(self._label, self.background)
        rows.addRow("Device", self.device)
        choice = QFormLayout()
        choice.addRow("Shown", self.shown)
        choice.addRow("Beside it", self.beside)
        buttons = QHBoxLayout()
        buttons.addWidget(self.export)
        buttons.addWidget(self.page)
        column = QVBoxLayout(self)
        column.addLayout(rows)
        column.addWidget(self.go)
        column.addWidget(self.progress)
        column.addLayout(choice)
        column.addWidget(self.about)
        column.addWidget(self.tabs, 1)
        column.addLayout(buttons)


def about(told: Mapping[str, Any]) -> str:
    """An evaluation in one line: which model, on what, when."""
    made = told.get("provenance", {})
    said = [f"{made.get('model', told['recipe'])} on {made.get('data', told['data'])}"]
    if made.get("finished"):
        said.append(str(made["finished"])[:16].replace("T", " "))
    return ", ".join(said)
