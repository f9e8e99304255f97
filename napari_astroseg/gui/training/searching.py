"""SearchDialog: which fields of the recipe are tried at which values, as one queued job."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from qtpy.QtWidgets import (
    QCheckBox,
    QDialog,
    QDialogButtonBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QSpinBox,
    QWidget,
)

from napari_astroseg.engine.order import Order
from napari_astroseg.engine.run import Sweep
from napari_astroseg.errors import RecipeError
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.theme import trouble_colour
from napari_astroseg.gui.training.folders import FolderField
from napari_astroseg.recipes.data import VoteData
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.recipes.search import Search

THRESHOLDS = "data.threshold=[1, 2, 3, 4, 5, 6]"
RATES = "schedule.learning_rate=1e-4..1e-2:log"


class SearchDialog(QDialog):
    """Asks what is tried.

    Parameters
    ----------
    recipe
        That it changes.
    data
        What it learns from.
    out
        The folder that is proposed.
    device
        As in `Run`.
    """

    def __init__(
        self, recipe: Recipe, data: Path, out: Path, device: str, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._recipe, self._data, self._device = recipe, data, device
        self.setWindowTitle(f"Search settings of {recipe.name}")
        self.words = QPlainTextEdit()
        self.words.setToolTip(
            "A field a line: FIELD=LOW..HIGH, with :log where factors count,\n"
            "or FIELD=[A, B, C]; e.g. schedule.learning_rate=1e-4..1e-2:log"
        )
        self.words.setMaximumHeight(90)
        self.grid = QCheckBox("Every combination")
        self.grid.setToolTip("All combinations of lists, none cut short; else a search by Optuna")
        self.trials = _number(1, 10_000, 20, "Trainings in all, where not every combination is")
        self.processes = _number(1, 64, 1, "Trainings at a time, each with its share of the cores")
        self.folder = FolderField("Choose the folder of the search", "folder of the search")
        self.folder.set_path(out)
        self.thresholds, self.rates = QPushButton("Six thresholds"), QPushButton("Learning rate")
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        self.ok = self.buttons.button(QDialogButtonBox.StandardButton.Ok)
        self.ok.setText("Queue")
        self._lay_out()
        self._connect()
        self.rates.click()

    def order(self) -> Order:
        """The search that was asked for."""
        how = Sweep(
            data=self._data,
            out=self.folder.path() or Path("search"),
            words=self._lines(),
            trials=self.trials.value(),
            grid=self.grid.isChecked(),
            processes=self.processes.value(),
            device=self._device,
        )
        return Order(self._recipe, how)

    def _lay_out(self) -> None:
        words = QLabel(
            "Each trial is a training of its own; those that do worse than half of the others are "
            "ended early. The best becomes a recipe, best.yaml, and its model goes to Predict."
        )
        words.setWordWrap(True)
        ready = QHBoxLayout()
        ready.addWidget(self.thresholds)
        ready.addWidget(self.rates)
        ready.addStretch(1)
        rows = QFormLayout(self)
        rows.addRow(words)
        rows.addRow("For example", ready)
        rows.addRow("Try", self.words)
        rows.addRow("", self.grid)
        rows.addRow("Trials", self.trials)
        rows.addRow("At a time", self.processes)
        rows.addRow("Folder", self.folder)
        rows.addRow(self.told)
        rows.addRow(self.buttons)

    def _connect(self) -> None:
        of_votes = isinstance(self._recipe.data, VoteData)
        why_not = "" if of_votes else "For recipes that learn from votes, such as spiral_arms"
        allow(self.thresholds, why_not, "Masks of 1 to 6 votes, each trained from scratch")
        self.rates.setToolTip("A learning rate between 1e-4 and 1e-2, by Optuna")
        self.thresholds.clicked.connect(lambda: self._propose(THRESHOLDS, grid=True))
        self.rates.clicked.connect(lambda: self._propose(RATES, grid=False))
        self.words.textChanged.connect(self._judge)
        self.grid.toggled.connect(self._judge)
        self.folder.changed.connect(self._judge)
        self.buttons.accepted.connect(self.accept)
        self.buttons.rejected.connect(self.reject)

    def _propose(self, words: str, grid: bool) -> None:
        self.words.setPlainText(words)
        self.grid.setChecked(grid)
        self._judge()

    def _lines(self) -> tuple[str, ...]:
        lines = (line.strip() for line in self.words.toPlainText().splitlines())
        return tuple(line for line in lines if line)

    def _judge(self) -> None:
        """Let it be queued only when it can be searched; say why not."""
        self.trials.setEnabled(not self.grid.isChecked())
        told, trouble = "", lacking()
        try:
            search = Search.parse(self._lines(), self._recipe)
            if self.grid.isChecked():
                told = f"{len(search.grid())} trainings of {self._recipe.schedule.epochs} epochs"
        except RecipeError as error:
            trouble = trouble or str(error)
        out = self.folder.path()
        if out is None:
            trouble = trouble or "Choose a folder for the search"
        elif out.exists() and any(out.iterdir()):
            trouble = trouble or f"{out.name} holds something already; name a folder of its own"
        self.told.setStyleSheet(f"color: {trouble_colour()};" if trouble else "")
        self.told.setText(trouble or told)
        allow(self.ok, trouble, "Put the search at the end of the queue")


def lacking() -> str:
    """What this installation lacks for a search; "" where nothing."""
    if find_spec("optuna") is None:
        return 'Searching needs optuna: pip install "napari-astroseg[sweep]"'
    return ""


def _number(low: int, high: int, start: int, tip: str) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(start)
    box.setToolTip(tip)
    return box
