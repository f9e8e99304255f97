"""Gauges: throughput, time left and memory of the training that is watched."""

from __future__ import annotations

from typing import Any

from qtpy.QtWidgets import QHBoxLayout, QLabel, QWidget

from napari_astroseg.engine.events import MemoryUsed
from napari_astroseg.gui.progress import duration
from napari_astroseg.gui.training.pace import Pace

_GIB, _MIB = 2**30, 2**20
_TIPS = {
    "rate": "Stamps learnt from a second, over the last few seconds; validation is not counted",
    "left": "Time until the last epoch is over, validation included, as the last epochs went; "
    "patience may end it earlier",
    "main": "Main memory of the training's process",
    "device": "Memory that the training holds on the graphics card, of all that it has",
}


class Gauges(QWidget):
    """A row of figures; hidden while nothing is known."""

    def __init__(self) -> None:
        super().__init__()
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(14)
        self.labels: dict[str, Any] = {}
        for name, tip in _TIPS.items():
            label = self.labels[name] = QLabel()
            label.setToolTip(tip)
            row.addWidget(label)
        row.addStretch(1)
        self.clear()

    def clear(self) -> None:
        """Nothing runs."""
        for name in self.labels:
            self._say(name, "")

    def show_pace(self, pace: Pace) -> None:
        """How fast it goes, and how long it takes."""
        rate, left = pace.rate, pace.left_s
        self._say("rate", "" if rate is None else f"{rate:.{0 if rate >= 10 else 1}f} stamps/s")
        self._say("left", "" if left is None else f"{duration(left)} left")

    def show_memory(self, used: MemoryUsed) -> None:
        """What it holds."""
        self._say("main", f"memory {_size(used.main)}")
        if used.device is not None and used.device_total:
            self._say("device", f"GPU {_size(used.device)} of {_size(used.device_total)}")

    def _say(self, name: str, words: str) -> None:
        label = self.labels[name]
        label.setText(words)
        label.setVisible(bool(words))


def _size(count: int) -> str:
    return f"{count / _GIB:.1f} GiB" if count >= _GIB else f"{count / _MIB:.0f} MiB"
