"""LadderWindow: the masks at six thresholds side by side, to look at and to keep."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from qtpy.QtCore import Qt
from qtpy.QtGui import QPixmap
from qtpy.QtWidgets import QDialog, QFileDialog, QLabel, QPushButton, QVBoxLayout, QWidget

from napari_astroseg.gui.latest import Latest
from napari_astroseg.sky.votes.ladder import ladder_png, write_ladder
from napari_astroseg.sky.votes.votemap import VoteMap


class LadderWindow(QDialog):
    """A picture that is drawn off the window's thread, and a button that saves it.

    Parameters
    ----------
    votes
        Whose masks are shown.
    """

    def __init__(self, votes: VoteMap, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._votes = votes
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Thresholds 1 to 6: {votes.name} of {votes.image.name}")
        self.picture, self.save = QLabel("Drawing …"), QPushButton("Save figure…")
        self.picture.setMinimumSize(640, 480)
        self.picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.save.setToolTip("As PNG, SVG or PDF")
        self.save.clicked.connect(lambda _: self._ask_where())
        column = QVBoxLayout(self)
        column.addWidget(self.picture, 1)
        column.addWidget(self.save)
        self._work = Latest(self)
        self._work.answered.connect(self._show)
        self._work.refused.connect(self.picture.setText)
        self._work.ask(partial(ladder_png, votes))

    def write(self, path: Path) -> None:
        """Save the figure."""
        self._work.ask(partial(write_ladder, path, self._votes))

    def _show(self, answer: Any) -> None:
        if isinstance(answer, Path):
            self.save.setText(f"Saved as {answer.name}")
            return
        pixmap = QPixmap()
        pixmap.loadFromData(answer)
        self.picture.setPixmap(pixmap)
        self.adjustSize()

    def _ask_where(self) -> None:
        kinds = "Figures (*.png *.svg *.pdf)"
        name, _ = QFileDialog.getSaveFileName(self, "Save the figure", "thresholds.png", kinds)
        if name:
            self.write(Path(name))
