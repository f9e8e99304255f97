"""StampGrid: stamps of a dataset side by side, with the part and the item of each."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize
from qtpy.QtGui import QIcon, QImage, QPixmap
from qtpy.QtWidgets import QListView, QListWidget, QListWidgetItem

SIDE = 96
"""Of a stamp on the screen, px."""

_CAPTION = 16

Shown = tuple[str, str, NDArray[np.uint8]]
"""Part, name of the item, picture (height, width, 3) with row 0 on top."""


class StampGrid(QListWidget):
    """As many stamps in a row as there is room for; the tooltip of each names its item."""

    def __init__(self) -> None:
        super().__init__()
        self.setViewMode(QListView.ViewMode.IconMode)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setMovement(QListView.Movement.Static)
        self.setIconSize(QSize(SIDE, SIDE))
        self.setGridSize(QSize(SIDE + 8, SIDE + _CAPTION + 8))
        self.setUniformItemSizes(True)
        self.setMinimumHeight(SIDE + _CAPTION + 16)

    def show_stamps(self, stamps: Sequence[Shown]) -> None:
        """Show these in place of what was shown."""
        self.clear()
        for part, name, picture in stamps:
            item = QListWidgetItem(QIcon(pixmap(picture)), part)
            item.setToolTip(f"{name} ({part})")
            self.addItem(item)


def pixmap(picture: NDArray[np.uint8]) -> QPixmap:
    """A picture as Qt draws it; main thread only."""
    height, width = picture.shape[:2]
    image = QImage(picture.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy())
