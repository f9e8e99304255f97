"""PlottedFigures: which of a catalogue's figures are drawn against one another."""

from __future__ import annotations

import numpy as np
from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_astroseg.gui.comparing.figures import plain, unit_words
from napari_astroseg.gui.comparing.lying import Floats
from napari_astroseg.gui.comparing.measuring import Found, Witness
from napari_astroseg.gui.comparing.plot import ContrastPlot

_UP = {"Contrast": "contrast", "Significance": "significance"}
_ALONG = {
    "Significance": "significance",
    "Contrast": "contrast",
    "Score": "score",
    "Area": "area",
    "Length": "length",
    "Mean value": "mean_value",
}
_OF_IMAGE = ("contrast", "significance")


class PlottedFigures(QWidget):
    """The plot, with lists for the image and for both of its axes."""

    picked = Signal(int)

    def __init__(self) -> None:
        super().__init__()
        self._found: Found | None = None
        self.points = ContrastPlot()
        self.points.picked.connect(self.picked)
        self.witness, self.up, self.along = QComboBox(), QComboBox(), QComboBox()
        self.witness.setToolTip("The image whose figures are drawn")
        self.up.setToolTip("What is drawn upwards")
        self.along.setToolTip("What is drawn along the plot")
        for each in (self.witness, self.up, self.along):
            each.setSizeAdjustPolicy(
                QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon
            )
            each.currentIndexChanged.connect(self._draw)
        axes, images = QHBoxLayout(), QHBoxLayout()
        for part, stretch in ((self.up, 1), (QLabel("against"), 0), (self.along, 1)):
            axes.addWidget(part, stretch)
        self._in = QLabel("in")
        images.addWidget(self._in)
        images.addWidget(self.witness, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(axes)
        column.addLayout(images)
        column.addWidget(self.points, 1)

    def show_found(self, found: Found) -> None:
        """Draw what was found; the choices stay as far as they can be kept."""
        self._found = found
        names = set(found.catalogue.table.colnames)
        along = [title for title, name in _ALONG.items() if name in _OF_IMAGE or name in names]
        _offer(self.witness, [each.name for each in found.wish.witnesses])
        for part in (self._in, self.witness):
            part.setVisible(len(found.wish.witnesses) > 1)
        _offer(self.up, list(_UP))
        _offer(self.along, along)
        self._draw()

    def show_entry(self, entry: int | None) -> None:
        """Mark one entry's point."""
        self.points.show_entry(entry)

    @property
    def shown(self) -> Witness | None:
        """The image whose figures are drawn."""
        here = self.witness.currentIndex()
        return None if self._found is None or here < 0 else self._found.wish.witnesses[here]

    def _draw(self, _index: int = 0) -> None:
        if self.shown is None or self.up.currentIndex() < 0 or self.along.currentIndex() < 0:
            return
        up, along = _UP[self.up.currentText()], _ALONG[self.along.currentText()]
        self.points.show_axes(
            self._title(along), self._title(up), sigma_x=along == "significance",
            sigma_y=up == "significance",
        )  # fmt: skip
        self.points.show_points(self._values(along), self._values(up), self._values("significance"))

    def _column(self, name: str) -> str:
        witness = self.shown
        return f"{name}_{witness.key}" if witness and name in _OF_IMAGE else name

    def _values(self, name: str) -> Floats:
        if self._found is None:
            return np.zeros(0)
        return np.asarray(plain(self._found.catalogue.table[self._column(name)]), float)

    def _title(self, name: str) -> str:
        if name == "significance":
            return "significance (σ)"
        if self._found is None:
            return name
        unit = unit_words(self._found.catalogue.table[self._column(name)])
        words = name.replace("_", " ")
        return f"{words} ({unit})" if unit else words


def _offer(box: QComboBox, words: list[str]) -> None:
    before = box.currentText()
    with QSignalBlocker(box):
        box.clear()
        box.addItems(words)
        box.setCurrentIndex(max(0, words.index(before) if before in words else 0))
