"""Strip: a few validation stamps, what is true of them, and what the network finds so far."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QSize, Qt
from qtpy.QtGui import QImage, QPixmap
from qtpy.QtWidgets import QGridLayout, QLabel, QWidget

from napari_astroseg.engine.events import ExamplesDone

_SIDE = 56
"""Of a thumbnail on the screen, px."""

_COLOURS = (("mint", (53, 240, 200)), ("violet", (213, 140, 255)), ("yellow", (255, 216, 102)),
            ("orange", (255, 143, 107)))  # fmt: skip
_DIM = 0.45
_ROWS = ("image", "truth", "found")
Picture = NDArray[np.uint8]


class Strip(QWidget):
    """Three rows of thumbnails: image, truth, and what is found; hidden while there are none."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(2)
        self._epoch: int | None = None
        self._labels: list[list[Any]] = []
        for row, words in enumerate(_ROWS):
            name = QLabel(words)
            name.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            self._grid.addWidget(name, row, 0)
        self._grid.setColumnStretch(99, 1)
        self.hide()

    @property
    def epoch(self) -> int | None:
        """The epoch that is shown."""
        return self._epoch

    @property
    def thumbnails(self) -> list[list[Any]]:
        """The labels, row by row."""
        return self._labels

    def clear(self) -> None:
        """Show nothing."""
        self._epoch = None
        self.hide()

    def show_examples(self, event: ExamplesDone) -> None:
        """Show the stamps after an epoch."""
        count = len(event.image)
        self._epoch = event.epoch
        if not self._labels or len(self._labels[0]) != count:
            self._lay_out(count)
        for number in range(count):
            image = event.image[number]
            pictures = (
                image,
                overlaid(image, event.truth[number]),
                overlaid(image, event.answer[number]),
            )
            for row, picture in enumerate(pictures):
                label = self._labels[row][number]
                label.setPixmap(_pixmap(picture))
                label.setToolTip(self._tip(row, number, event))
        self.show()

    def _lay_out(self, count: int) -> None:
        for label in (label for row in self._labels for label in row):
            self._grid.removeWidget(label)
            label.deleteLater()
        self._labels = [[QLabel() for _ in range(count)] for _ in _ROWS]
        for row, labels in enumerate(self._labels):
            for column, label in enumerate(labels, start=1):
                label.setFixedSize(QSize(_SIDE, _SIDE))
                self._grid.addWidget(label, row, column)

    @staticmethod
    def _tip(row: int, number: int, event: ExamplesDone) -> str:
        named = zip(event.classes, _COLOURS, strict=False)
        colours = ", ".join(f"{name} in {colour}" for name, (colour, _) in named)
        what = (
            "the image as the network is given it",
            f"what is true: {colours}",
            f"what the network finds after epoch {event.epoch}: {colours}; the brighter, the surer",
        )[row]
        return f"Validation stamp {number + 1}, never trained on: {what}"


def overlaid(image: Picture, planes: Picture) -> Picture:
    """A picture (height, width, 3), dimmed, with classes (C, height, width) in their colours."""
    shown = _DIM * image.astype(np.float32)
    for plane, (_, colour) in zip(planes, _COLOURS, strict=False):
        share = plane[..., None].astype(np.float32) / 255
        shown = shown * (1 - share) + share * np.array(colour, np.float32)
    return np.round(shown).astype(np.uint8)


def _pixmap(picture: Picture) -> QPixmap:
    """A thumbnail as Qt draws it, the right way up."""
    upright = np.ascontiguousarray(picture[::-1])
    height, width = upright.shape[:2]
    image = QImage(upright.tobytes(), width, height, 3 * width, QImage.Format.Format_RGB888)
    return QPixmap.fromImage(image.copy()).scaled(
        _SIDE, _SIDE, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.SmoothTransformation
    )
