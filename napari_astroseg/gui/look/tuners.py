"""Tuners: the sliders that change how a colour picture maps its bands."""

from __future__ import annotations

import math

from qtpy.QtCore import QSignalBlocker, Qt, QTimer, Signal
from qtpy.QtWidgets import QFormLayout, QHBoxLayout, QLabel, QPushButton, QSlider, QWidget

from napari_astroseg.sky.looks.colour import AUTOMATIC, Tuning

_COLOURS = ("red", "green", "blue")
_STRETCH_TIP = "Stretch, as a multiple of the automatic one: to the left, fainter structure shows"
_Q_TIP = "Q, the asinh softening: to the right, more of what is bright can be told apart"
_BLACK_TIP = "Black, in stretches above the sky: to the right, more of the sky's noise is black"
_STEPS = 300
_PAUSE_MS = 10


class FigureSlider(QWidget):
    """A slider with its value beside it.

    Parameters
    ----------
    least, most
        Ends of the scale.
    tip
        What it does.
    decades
        Whether equal ways are equal ratios; both ends are then above 0.
    """

    moved = Signal()

    def __init__(self, least: float, most: float, tip: str, *, decades: bool = True) -> None:
        super().__init__()
        self._decades = decades
        self._low, self._high = (math.log(each) if decades else each for each in (least, most))
        self._value = 1.0
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setRange(0, _STEPS)
        self._told = QLabel()
        self._told.setMinimumWidth(self.fontMetrics().horizontalAdvance("000.00"))
        self._told.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.slider, 1)
        row.addWidget(self._told)
        self.setToolTip(tip)
        self.slider.valueChanged.connect(self._slide)

    def value(self) -> float:
        """Where it stands."""
        return self._value

    def set_value(self, value: float) -> None:
        """Put it somewhere, without saying so."""
        self._value = value
        place = math.log(value) if self._decades else value
        place = (place - self._low) / (self._high - self._low)
        with QSignalBlocker(self.slider):
            self.slider.setValue(round(_STEPS * min(max(place, 0.0), 1.0)))
        self._told.setText(_figure(value))

    def _slide(self, step: int) -> None:
        place = self._low + (self._high - self._low) * step / _STEPS
        self._value = math.exp(place) if self._decades else place
        self._told.setText(_figure(self._value))
        self.moved.emit()


class Tuners(QWidget):
    """A `Tuning` as sliders: `value()`, `set_value()`, `changed`."""

    changed = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.stretch = FigureSlider(0.02, 50.0, _STRETCH_TIP)
        self.q = FigureSlider(0.1, 100.0, _Q_TIP)
        self.black = FigureSlider(-0.25, 0.5, _BLACK_TIP, decades=False)
        self.gains = [FigureSlider(0.1, 10.0, f"More or less {name}") for name in _COLOURS]
        self.auto = QPushButton("Automatic")
        self.auto.setToolTip("Back to the mapping that was found from the bands' values")
        rows = QFormLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addRow("Stretch", self.stretch)
        rows.addRow("Q", self.q)
        rows.addRow("Black", self.black)
        for name, slider in zip("RGB", self.gains, strict=True):
            rows.addRow(name, slider)
        rows.addRow(self.auto)
        self._pause = QTimer(self)  # a slider moves more often than a picture can be drawn
        self._pause.setSingleShot(True)
        self._pause.setInterval(_PAUSE_MS)
        self._pause.timeout.connect(lambda: self.changed.emit(self.value()))
        for slider in (self.stretch, self.q, self.black, *self.gains):
            slider.moved.connect(self._pause.start)
        self.auto.clicked.connect(self._automatic)
        self.set_value(AUTOMATIC)

    def value(self) -> Tuning:
        """What the sliders say."""
        red, green, blue = (slider.value() for slider in self.gains)
        return Tuning(self.stretch.value(), self.q.value(), self.black.value(), (red, green, blue))

    def set_value(self, tuning: Tuning) -> None:
        """Show a tuning, without saying so."""
        self.stretch.set_value(tuning.stretch)
        self.q.set_value(tuning.q)
        self.black.set_value(tuning.black)
        for slider, gain in zip(self.gains, tuning.gains, strict=True):
            slider.set_value(gain)

    def _automatic(self) -> None:
        self.set_value(AUTOMATIC)
        self.changed.emit(self.value())


def _figure(value: float) -> str:
    return f"{value:.3g}" if abs(value) >= 1e-6 else "0"
