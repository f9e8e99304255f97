"""ContourRow: of which layer contours are drawn, at which values, in which colour."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QSpinBox, QWidget

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.comparing.contourlevels import read_levels
from napari_astroseg.gui.comparing.contourlines import Lines
from napari_astroseg.gui.comparing.contours import Contours
from napari_astroseg.gui.comparing.kinds import has_values
from napari_astroseg.gui.comparing.layerchoice import LayerChoice

_COLOURS = {
    "yellow": "#ffd43b",
    "cyan": "#22d3ee",
    "magenta": "#f472b6",
    "green": "#4ade80",
    "red": "#f87171",
    "white": "#ffffff",
}


class ContourRow(QWidget):
    """What there is to say about contours; it says it to `contours`.

    `choice` is laid out by whoever made the row.

    Parameters
    ----------
    viewer
        Whose layers there are.
    contours
        Who draws them.
    """

    refused = Signal(str)

    def __init__(self, viewer: Any, contours: Contours) -> None:
        super().__init__()
        self._contours = contours
        self.choice = LayerChoice(viewer, has_values)
        self.choice.setToolTip("Whose contours are drawn, whether or not it is visible itself")
        self.levels = QLineEdit()
        self.levels.setPlaceholderText("automatic levels")
        self.levels.setToolTip(
            "Values along which lines are drawn, such as 1 3 10, in the unit of the layer.\n"
            "Nothing: quantiles of the whole layer from its median up, closer together where it\n"
            "is bright; of a prediction, its threshold"
        )
        self.count = QSpinBox()
        self.count.setRange(1, 12)
        self.count.setValue(5)
        self.count.setPrefix("× ")
        self.count.setToolTip("How many automatic levels")
        self.colour = QComboBox()
        self.colour.addItems(list(_COLOURS))
        self.colour.setToolTip("Colour of the lines")
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.hide()
        rows = QGridLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.levels, 0, 0, 1, 2)
        rows.addWidget(self.count, 1, 0)
        rows.addWidget(self.colour, 1, 1)
        rows.addWidget(self.told, 2, 0, 1, 2)
        self.levels.editingFinished.connect(self._choose)
        self.count.valueChanged.connect(self._choose)
        self.colour.currentIndexChanged.connect(self._choose)
        self.choice.changed.connect(self._follow)
        contours.drawn.connect(self._tell)
        contours.changed.connect(self._hide)

    def start(self) -> None:
        """Draw the contours of the chosen layer."""
        layer = self.choice.layer()
        if layer is not None:
            self._contours.start(layer)

    def untie(self) -> None:
        """Follow the viewer no more."""
        self.choice.untie()

    def _follow(self) -> None:
        """Another layer has been chosen while contours are drawn, or theirs has gone."""
        drawn = self._contours.layer
        if drawn is not None and drawn not in self.choice.layers:
            self._contours.stop()
        elif drawn is not None and drawn is not self.choice.layer():
            self.start()

    def _choose(self, _value: Any = None) -> None:
        try:
            levels = read_levels(self.levels.text())
        except AstroSegError as error:
            self.refused.emit(str(error))
            return
        self.refused.emit("")
        colour = _COLOURS[self.colour.currentText()]
        self._contours.choose(levels, int(self.count.value()), colour)

    def _tell(self, lines: Lines) -> None:
        levels = ", ".join(f"{level:.4g}" for level in lines.levels)
        smoothed = f"; values smoothed over {lines.smoothed_px:.3g} px"
        self.told.setText(
            f"Lines at {levels}{smoothed}" if levels else "No values to draw lines at"
        )
        self.told.show()

    def _hide(self) -> None:
        if self._contours.layer is None:
            self.told.hide()
