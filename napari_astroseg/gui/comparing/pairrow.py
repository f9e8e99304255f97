"""PairRow: which two pictures are compared."""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QCheckBox, QGridLayout, QLabel, QToolButton, QWidget

from napari_astroseg.gui.comparing.kinds import is_comparable, is_picture
from napari_astroseg.gui.comparing.layerchoice import LayerChoice


class PairRow(QWidget):
    """Two pictures, and whether blink takes all others along.

    Parameters
    ----------
    viewer
        Whose layers they are.
    """

    changed = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self.first, self.second = (LayerChoice(viewer, is_comparable) for _ in range(2))
        self.first.setToolTip("Left of the divider, or above it; 0 % of a fade")
        self.second.setToolTip("Right of the divider, or below it; 100 % of a fade")
        self.swap = QToolButton()
        self.swap.setText("⇅")
        self.swap.setToolTip("Change places")
        self.all = QCheckBox("Blink all pictures")
        self.all.setToolTip("Blink through every picture that is open, not only through these two")
        rows = QGridLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(QLabel("First"), 0, 0)
        rows.addWidget(self.first, 0, 1)
        rows.addWidget(QLabel("Second"), 1, 0)
        rows.addWidget(self.second, 1, 1)
        rows.addWidget(self.swap, 0, 2, 2, 1)
        rows.addWidget(self.all, 2, 1)
        rows.setColumnStretch(1, 1)
        for choice in (self.first, self.second):
            choice.changed.connect(self._judge)
        self.swap.clicked.connect(self.change_places)
        self.all.toggled.connect(lambda _: self.changed.emit())
        self._settle()

    @property
    def pair(self) -> tuple[Any, Any] | None:
        """The two layers; None while there are no two."""
        first, second = self.first.layer(), self.second.layer()
        return None if first is None or second is None or first is second else (first, second)

    @property
    def blinking(self) -> tuple[Any, ...]:
        """The layers that take turns."""
        pair = self.pair
        if pair is None or not self.all.isChecked():
            return pair or ()
        others = (each for each in self.first.layers if is_picture(each) and each not in pair)
        return (*pair, *others)

    def choose(self, first: Any, second: Any) -> None:
        """Compare these two."""
        with QSignalBlocker(self.first), QSignalBlocker(self.second):
            self.first.choose(first)
            self.second.choose(second)
        self.changed.emit()

    def change_places(self) -> None:
        """The first is the second, and the second is the first."""
        self.choose(self.second.layer(), self.first.layer())

    def untie(self) -> None:
        """Follow the viewer no more."""
        self.first.untie()
        self.second.untie()

    def _judge(self) -> None:
        self._settle()
        self.changed.emit()

    def _settle(self) -> None:
        """Where one layer is chosen twice, choose another picture for the second."""
        first, second = self.first.layer(), self.second.layer()
        if first is not None and first is second:
            others = [each for each in self.second.layers if each is not first]
            best = next((each for each in others if is_picture(each)), None)
            if best is not None:
                with QSignalBlocker(self.second):
                    self.second.choose(best)
