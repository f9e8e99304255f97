"""LimitPlot: where limits are drawn and dragged, once there are any.

The library that draws takes as long to load as half a window, and an empty one needs it not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_astroseg.sky.looks.limits import Limits

if TYPE_CHECKING:
    from napari_astroseg.gui.look.limitcurve import LimitCurve


class LimitPlot(QWidget):
    """A small histogram of sampled values, counts logarithmic, with a region from low to high."""

    moving = Signal(object)
    """Limits, while they are being dragged."""
    moved = Signal(object)
    """Limits, when they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self._curve: LimitCurve | None = None
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)

    @property
    def region(self) -> Any:
        """What is dragged."""
        return self._drawn().region

    def show_values(self, values: NDArray[np.float64], limits: Limits | None) -> None:
        """Show another image's values and limits; without limits there is nothing to see."""
        if self._curve is not None or limits is not None:
            self._drawn().show_values(values, limits)

    def show_limits(self, limits: Limits) -> None:
        """Put the lines where the limits are, and look at as much as that needs."""
        self._drawn().show_limits(limits)

    def _drawn(self) -> LimitCurve:
        if self._curve is None:
            from napari_astroseg.gui.look.limitcurve import LimitCurve

            self._curve = LimitCurve()
            self._curve.moving.connect(self.moving)
            self._curve.moved.connect(self.moved)
            self._column.addWidget(self._curve)
        return self._curve
