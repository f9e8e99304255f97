"""WaysRow: whether several images, opened together, are separate, one mosaic, or bands."""

from __future__ import annotations

from dataclasses import replace

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from napari_astroseg.gui.intake.places import Together, Wish
from napari_astroseg.sky.mosaics.together import Way

_WORDS: dict[Way, str] = {
    "separate": "separate images",
    "mosaic": "one mosaic",
    "bands": "one multi-band image",
}


class WaysRow(QWidget):
    """How the images that came last were opened, and the other ways; hidden without any."""

    changed = Signal(object)  # the Wish to open instead

    def __init__(self) -> None:
        super().__init__()
        self._wish: Wish | None = None
        self.count, self.way = QLabel(), QComboBox()
        self.match = QCheckBox("Match backgrounds")
        self.match.setToolTip("Bring the tiles to one background where they overlap")
        row = QHBoxLayout()
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.count)
        row.addWidget(self.way, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(row)
        column.addWidget(self.match)
        self.way.currentIndexChanged.connect(self._change)
        self.match.toggled.connect(self._change)
        self.hide()

    def tell(self, together: Together | None) -> None:
        """Show how images were opened, and how else they could be; None: nothing to choose."""
        self._wish = None  # what follows is no wish of the user's
        if together is not None:
            wish = together.wish
            self.count.setText(f"{len(wish.places)} images as")
            self.way.clear()
            for way in together.ways:
                self.way.addItem(_WORDS[way], way)
            self.way.setCurrentIndex(self.way.findData(wish.way))
            self.match.setChecked(wish.match_background)
            self.match.setVisible(wish.way == "mosaic")
            self._wish = wish
        self.setVisible(together is not None)

    def _change(self, *_: object) -> None:
        if self._wish is not None:
            way: Way = self.way.currentData()
            match = way == "mosaic" and self.match.isChecked()
            self._wish = replace(self._wish, way=way, match_background=match)
            self.match.setVisible(way == "mosaic")
            self.changed.emit(self._wish)
