"""SimulateDialog: how many skies to make up, how large, and where they go."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QSpinBox, QWidget

from napari_astroseg.engine.service import Call
from napari_astroseg.gui.training.folders import FolderField

TARGET = "napari_astroseg.sky.simulate.filaments:iter_filaments"


class SimulateDialog(QDialog):
    """Asks for the four numbers that a simulated training set needs."""

    def __init__(self, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Simulate skies with filaments")
        self.n, self.size, self.seed = (
            _number(1, 1000, 8),
            _number(128, 4096, 512),
            _number(0, 2**31 - 1, 0),
        )
        self.size.setSingleStep(128)
        self.size.setSuffix(" px")
        self.folder = FolderField("Where to write them")
        self.folder.set_path(folder)
        buttons = QDialogButtonBox(
            QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel
        )
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        words = QLabel(
            "Column-density maps with known truth, in the layout of the Hi-GAL ones. "
            "Eight skies of 512 px are enough to see a training work."
        )
        words.setWordWrap(True)
        rows = QFormLayout(self)
        rows.addRow(words)
        rows.addRow("Skies", self.n)
        rows.addRow("Side", self.size)
        rows.addRow("Seed", self.seed)
        rows.addRow("Folder", self.folder)
        rows.addRow(buttons)

    def call(self) -> Call:
        """The work that was asked for."""
        arguments: tuple[Any, ...] = (self.folder.path() or Path("skies"),)
        return Call(TARGET, (*arguments, self.n.value(), self.size.value(), self.seed.value()))


def _number(low: int, high: int, start: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(start)
    return box
