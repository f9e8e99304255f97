"""Purity: a share of what is marked that should be real, which the threshold follows."""

from __future__ import annotations

from functools import partial

from qtpy.QtCore import Signal
from qtpy.QtWidgets import QDoubleSpinBox

from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.predicting.objectoverlay import ObjectOverlay
from napari_astroseg.gui.predicting.overlays import Overlay
from napari_astroseg.sky.purity import lowest_cut

_WORDS = (
    "Moves the threshold to where so much of what is marked is expected to be real: the mean\n"
    "probability of the pixels, or the mean score of the objects, that it leaves. That is true\n"
    "where probabilities mean what they say; `astroseg evaluate --calibrate` sees to that"
)


class Purity(QDoubleSpinBox):
    """Percent, or any; `wanted` brings the threshold of it, also when other things are found."""

    wanted = Signal(float)

    def __init__(self) -> None:
        super().__init__()
        self._overlay: Overlay | ObjectOverlay | None = None
        self._work = Latest(self)
        self.setRange(0.0, 99.9)
        self.setDecimals(1)
        self.setSuffix(" %")
        self.setSpecialValueText("any")
        self.setToolTip(_WORDS)
        self.setKeyboardTracking(False)
        self.valueChanged.connect(self.look)
        self._work.answered.connect(self._tell)

    def show_overlay(self, overlay: Overlay | ObjectOverlay | None) -> None:
        """Work on `overlay` from now on."""
        self._overlay = overlay
        self.look()

    def look(self, *_: object) -> None:
        """Work out the threshold again, if a purity is asked for."""
        if self._overlay is not None and self.value() > 0:
            self._work.ask(partial(lowest_cut, self._overlay.scored, self.value() / 100))

    def _tell(self, threshold: float) -> None:
        if self.value() > 0:
            self.wanted.emit(threshold)
