"""SimulateDialog: how many skies to make up, how large, and where they go."""

from __future__ import annotations

from pathlib import Path

from qtpy.QtWidgets import QDialog, QDialogButtonBox, QFormLayout, QLabel, QSpinBox, QWidget

from napari_astroseg.engine.service import Call
from napari_astroseg.gui.training.folders import FolderField
from napari_astroseg.sky.simulate.kinds import Kind

TARGET = "napari_astroseg.sky.simulate.making:iter_simulated"


class SimulateDialog(QDialog):
    """Asks for the numbers that a simulated training set needs, and where it goes.

    Parameters
    ----------
    kind
        What is simulated.
    folder
        The folder that is proposed.
    """

    def __init__(self, kind: Kind, folder: Path, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._kind = kind
        self.setWindowTitle(f"Simulate {kind.name}")
        self.n, self.size, self.seed = (
            _number(1, 100_000, kind.n),
            _number(kind.least_px, 8192, kind.size_px),
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
            f"{kind.title[:1].upper()}{kind.title[1:]}; with known truth, in the layout of the "
            f"real ones. {kind.n} of {kind.size_px} px are enough to see a training work. What a "
            "folder holds already of the same kind, side and seed is not made again."
        )
        words.setWordWrap(True)
        rows = QFormLayout(self)
        rows.addRow(words)
        rows.addRow("How many", self.n)
        rows.addRow("Side", self.size)
        rows.addRow("Seed", self.seed)
        rows.addRow("Folder", self.folder)
        rows.addRow(buttons)

    def call(self) -> Call:
        """The work that was asked for."""
        numbers = self.n.value(), self.size.value(), self.seed.value()
        return Call(TARGET, (self._kind.name, self.folder.path() or Path("skies"), *numbers))


def _number(low: int, high: int, start: int) -> QSpinBox:
    box = QSpinBox()
    box.setRange(low, high)
    box.setValue(start)
    return box
