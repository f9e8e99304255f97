"""ClassRow: crops that look alike as a strip of pictures, dropped or weighed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Qt, Signal
from qtpy.QtWidgets import (
    QCheckBox,
    QDoubleSpinBox,
    QHBoxLayout,
    QLabel,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from napari_astroseg.gui.datasets.stampgrid import pixmap
from napari_astroseg.sky.clusters.choice import LARGEST, SMALLEST, CropClass

_STEP = 0.5
_KEYS = 9
"""Classes that have a key of their own."""


class ClassRow(QWidget):
    """One class.

    Parameters
    ----------
    number
        From 0.
    crops
        What it holds.
    strip
        (height, width, 3) its crops side by side, row 0 on top.
    """

    dropped = Signal(int, bool)
    weighed = Signal(int, float)

    def __init__(self, number: int, crops: CropClass, strip: NDArray[np.uint8]) -> None:
        super().__init__()
        key = f" (key {number + 1})" if number < _KEYS else ""
        self.drop = QCheckBox("drop")
        self.drop.setToolTip(f"Show a network none of these: they look like bubbles{key}")
        self.weight = QDoubleSpinBox()
        self.weight.setRange(SMALLEST, LARGEST)
        self.weight.setSingleStep(_STEP)
        self.weight.setKeyboardTracking(False)
        self.weight.setPrefix("× ")
        self.weight.setToolTip("How often a crop is drawn from this class, beside the others")
        self.strip = QLabel()
        self.strip.setPixmap(pixmap(strip))
        self.strip.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.strip.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        sides = [side for _, _, _, side in crops.crops]
        self.strip.setToolTip(
            f"The crops nearest to the middle of the class, 24 µm red, 8 µm blue-green; "
            f"sides of {min(sides)} to {max(sides)} px"
        )
        words = QLabel(f"<b>{number + 1}</b> &nbsp; {len(sides):,} crops")
        line = QHBoxLayout()
        line.addWidget(words, 1)
        line.addWidget(self.weight)
        line.addWidget(self.drop)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 4)
        column.setSpacing(2)
        column.addLayout(line)
        column.addWidget(self.strip)
        self.show_class(crops)
        self.drop.toggled.connect(lambda on: self.dropped.emit(number, on))
        self.weight.valueChanged.connect(lambda value: self.weighed.emit(number, value))

    def show_class(self, crops: CropClass) -> None:
        """Show what is chosen, and tell nobody."""
        for control in (self.drop, self.weight):
            control.blockSignals(True)
        self.drop.setChecked(crops.dropped)
        self.weight.setValue(crops.weight)
        for control in (self.drop, self.weight):
            control.blockSignals(False)
        self.strip.setEnabled(not crops.dropped)  # which draws it pale
        self.weight.setEnabled(not crops.dropped)
