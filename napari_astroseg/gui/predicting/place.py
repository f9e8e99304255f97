"""PlacePanel: which image, which part of it, and where the work is done."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import (
    QCheckBox,
    QComboBox,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QPushButton,
    QWidget,
)

from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.images import ImagePicker
from napari_astroseg.gui.predicting.together import Together

_SIZES = (256, 512, 1024, 2048)
DEVICES = ("auto", "cpu", "cuda", "mps")
WAYS = {"none": "", "turns and mirrorings (8 × the time)": "turns", "entropy": "entropy"}
_UNSURE = (
    "How unsure the model is, as a map and for each region or object.\n"
    "Turns and mirrorings: it sees the image in all eight; their mean is the answer, their\n"
    "standard deviation the uncertainty. Entropy: of the probability alone, at no cost"
)
_KEYS = "A drag still pans  ·  R repeats  ·  Esc stops"


class PlacePanel(QWidget):
    """The controls that say where to predict; what they start is the dock's affair.

    Parameters
    ----------
    viewer
        The viewer whose images are offered.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.images = ImagePicker(viewer, colours=True)
        self.size, self.device = QComboBox(), QComboBox()
        self.size.addItems([f"{side} × {side} px" for side in _SIZES])
        self.size.setCurrentIndex(_SIZES.index(512))
        self.size.setToolTip("Side of the window that a click predicts")
        self.device.addItems(DEVICES)
        self.device.setToolTip("Where the network runs; auto takes a graphics card if there is one")
        self.unsure = QComboBox()
        for name, way in WAYS.items():
            self.unsure.addItem(name, way)
        self.together = Together()
        self.by_click = QPushButton("Click on the image to predict")
        self.by_click.setCheckable(True)
        self.by_view, self.by_whole = QPushButton("This view"), QPushButton("Whole image")
        self.keep = QCheckBox("Keep earlier answers")
        self.keep.setChecked(True)
        self.keep.setToolTip("Off: each answer takes the place of the one before")
        self.force = QCheckBox("Even if the image does not suit the model")
        self.force.hide()
        self._lay_out()

    @property
    def side_px(self) -> int:
        """Side of the window that a click predicts."""
        return _SIZES[self.size.currentIndex()]

    def set_side(self, side_px: int) -> None:
        """Let a click predict a window of this side, if it is one of those offered."""
        if side_px in _SIZES:
            self.size.setCurrentIndex(_SIZES.index(side_px))

    def allow(self, lack: str) -> None:
        """Enable the buttons, unless something is lacking: then they say what."""
        says = {
            self.by_click: "While this is on, a click predicts a window around it.\n" + _KEYS,
            self.by_view: "Predict the part of the image that is in view",
            self.by_whole: "Predict the image from edge to edge, tile by tile",
        }
        for button, words in says.items():
            allow(button, lack, words)
        if lack:
            self.by_click.setChecked(False)

    @property
    def uncertainty(self) -> str:
        """How the model is to tell how unsure it is; "" where it needs not be told."""
        return str(self.unsure.currentData()) if self.unsure.isEnabled() else ""

    def offer_uncertainty(self, lack: str) -> None:
        """Let it be chosen, unless there is nothing to choose: then it says why."""
        self.unsure.setEnabled(not lack)
        self.unsure.setToolTip(lack or _UNSURE)

    def _lay_out(self) -> None:
        keys = QLabel(_KEYS)
        keys.setEnabled(False)
        pair = QHBoxLayout()
        pair.addWidget(self.by_view)
        pair.addWidget(self.by_whole)
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Image", self.images)
        rows.addRow("Window", self.size)
        rows.addRow("Device", self.device)
        rows.addRow("Uncertainty", self.unsure)
        rows.addRow("Models", self.together)
        rows.addRow(self.by_click)
        rows.addRow(pair)
        for widget in (keys, self.keep, self.force):
            rows.addRow(widget)
