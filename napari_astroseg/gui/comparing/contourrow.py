"""ContourRow: of which layer contours are drawn, at which values, in which colour."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from qtpy.QtCore import QTimer, Signal
from qtpy.QtWidgets import QComboBox, QGridLayout, QLabel, QLineEdit, QSpinBox, QWidget

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.comparing.contourlevels import read_levels
from napari_astroseg.gui.comparing.contourlines import Lines
from napari_astroseg.gui.comparing.contours import Contours
from napari_astroseg.gui.comparing.kinds import has_values, is_picture, lie_together
from napari_astroseg.gui.comparing.layerchoice import LayerChoice
from napari_astroseg.gui.layers import sky_image
from napari_astroseg.gui.ties import Ties

_NO_VALUES = "There is no layer to draw contours of: open an image first"
_ELSEWHERE = (
    "No layer on the pixels in view has values to draw contours of: bring one onto them, or show "
    "another image"
)
_COLOURS = {
    "yellow": "#ffd43b",
    "cyan": "#22d3ee",
    "magenta": "#f472b6",
    "green": "#4ade80",
    "red": "#f87171",
    "white": "#ffffff",
}


class ContourRow(QWidget):
    """What there is to say about contours; it says it to `contours`.

    `choice` is laid out by whoever made the row.

    Parameters
    ----------
    viewer
        Whose layers there are.
    contours
        Who draws them.
    """

    refused = Signal(str)

    def __init__(self, viewer: Any, contours: Contours) -> None:
        super().__init__()
        self._viewer, self._contours = viewer, contours
        self._pair: tuple[Any, ...] = ()
        self._seen: Any = None  # what is looked at: contours are of what lies on its pixels
        self._meant: Any = None  # what the user has chosen
        self.choice = LayerChoice(viewer, self._is_offered)
        self.choice.setToolTip("Whose contours are drawn, whether or not it is visible itself")
        self.levels = QLineEdit()
        self.levels.setPlaceholderText("automatic levels")
        self.levels.setToolTip(
            "Values along which lines are drawn, such as 1 3 10, in the unit of the layer.\n"
            "Nothing: quantiles of the whole layer from its median up, closer together where it\n"
            "is bright; of a prediction, its threshold"
        )
        self.count = QSpinBox()
        self.count.setRange(1, 12)
        self.count.setValue(5)
        self.count.setPrefix("× ")
        self.count.setToolTip("How many automatic levels")
        self.colour = QComboBox()
        self.colour.addItems(list(_COLOURS))
        self.colour.setToolTip("Colour of the lines")
        self.told = QLabel()
        self.told.setWordWrap(True)
        self.told.hide()
        rows = QGridLayout(self)
        rows.setContentsMargins(0, 0, 0, 0)
        rows.addWidget(self.levels, 0, 0, 1, 2)
        rows.addWidget(self.count, 1, 0)
        rows.addWidget(self.colour, 1, 1)
        rows.addWidget(self.told, 2, 0, 1, 2)
        self.levels.editingFinished.connect(self._choose)
        self.count.valueChanged.connect(self._choose)
        self.colour.currentIndexChanged.connect(self._choose)
        self.choice.changed.connect(self._follow)
        self.choice.activated.connect(self._mean)
        self._ties, self._each = Ties(self), Ties(self)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.timeout.connect(self._look)
        for name in ("inserted", "removed"):
            self._ties.tie(getattr(viewer.layers.events, name), self._watch)
        self._watch()
        contours.drawn.connect(self._tell)
        contours.changed.connect(self._hide)

    @property
    def lack(self) -> str:
        """Why no layer can be chosen; "" where one can."""
        if self.choice.layers:
            return ""
        return _ELSEWHERE if any(has_values(each) for each in self._viewer.layers) else _NO_VALUES

    def set_pair(self, pair: tuple[Any, Any] | None) -> None:
        """Offer what lies on the pixels of these two, first the first."""
        self._pair = pair or ()
        self._look()

    def start(self) -> None:
        """Draw the contours of the chosen layer."""
        layer = self.choice.layer()
        if layer is not None:
            self._contours.start(layer)

    def untie(self) -> None:
        """Follow the viewer no more."""
        self.choice.untie()
        self._ties.untie()
        self._each.untie()
        self._soon.stop()

    def _watch(self, _event: Any = None) -> None:
        """Listen to which layers are shown; several are hidden at once, and looked at later."""
        self._each.untie()
        for layer in self._viewer.layers:
            self._each.tie(layer.events.visible, self._later)
        self._later()

    def _later(self, _event: Any = None) -> None:
        self._soon.start()

    def _look(self) -> None:
        """See what is looked at now, and offer what lies on its pixels."""
        self._seen = self._looked_at()
        self.choice.refresh()
        if self._contours.layer is None and self._meant not in self.choice.layers:
            first = next((each for each in self._pair if each in self.choice.layers), None)
            self.choice.choose(first)

    def _looked_at(self) -> Any:
        """The first of the pair while one of it is visible, or what is seen in its place."""
        visible = [each for each in self._pair if each.visible]
        if visible and lie_together(*self._pair):
            return self._pair[0]
        seen = (each for each in reversed(self._viewer.layers) if each.visible)
        pictures = (each for each in seen if is_picture(each))
        return next(iter([*visible, *pictures, *self._pair]), None)

    def _is_offered(self, layer: Any) -> bool:
        seen = self._seen if self._seen in self._viewer.layers else None
        return has_values(layer) and (seen is None or lie_together(layer, seen))

    def _mean(self, _index: int) -> None:
        self._meant = self.choice.layer()

    def _follow(self) -> None:
        """Another layer has been chosen while contours are drawn, or theirs has gone."""
        drawn = self._contours.layer
        if drawn is not None and drawn not in self.choice.layers:
            self._contours.stop()
        elif drawn is not None and drawn is not self.choice.layer():
            self.start()

    def _choose(self, _value: Any = None) -> None:
        try:
            levels = read_levels(self.levels.text())
        except AstroSegError as error:
            self.refused.emit(str(error))
            return
        self.refused.emit("")
        colour = _COLOURS[self.colour.currentText()]
        self._contours.choose(levels, int(self.count.value()), colour)

    def _tell(self, lines: Lines) -> None:
        image = sky_image(self._contours.layer)
        unit = f" {image.unit}" if image is not None and image.unit else ""
        drawn = [each for each in lines.levels if each not in (*lines.above, *lines.below)]
        smoothed = f"; values smoothed over {lines.smoothed_px:.3g} px"
        told = [f"Lines at {_listed(drawn)}{unit}{smoothed}"] if drawn else []
        if lines.above:
            told.append(f"No value in view reaches {_listed(lines.above)}{unit}")
        if lines.below:
            told.append(f"All values in view are above {_listed(lines.below)}{unit}")
        self.told.setText("\n".join(told) or "No values to draw lines at")
        self.told.show()

    def _hide(self) -> None:
        if self._contours.layer is None:
            self.told.hide()


def _listed(levels: Iterable[float]) -> str:
    return ", ".join(f"{level:.4g}" for level in levels)
