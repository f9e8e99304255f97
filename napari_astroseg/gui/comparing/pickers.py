"""Pickers: which regions are meant, and in which images; both follow the viewer's own list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QSignalBlocker, Qt, Signal
from qtpy.QtWidgets import QComboBox, QListWidget, QListWidgetItem

from napari_astroseg.gui import layers
from napari_astroseg.gui.comparing.regions import (
    Regions,
    holding_regions,
    is_numbered,
    is_sky,
    regions_of,
)
from napari_astroseg.gui.ties import Ties

_ROWS = 4
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked
_OTHER_PIXELS = "It has other pixels than the structures: bring it onto their image first"


class RegionsPicker(QComboBox):
    """A list of the layers that may hold structures.

    Parameters
    ----------
    viewer
        The viewer whose layers it follows.
    none
        The words for choosing no layer at all; "" where there is no such choice.
    """

    changed = Signal()

    def __init__(self, viewer: Any, none: str = "") -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setPlaceholderText("choose a layer")
        self._viewer, self._none = viewer, none
        self._layers: list[Any] = []
        self.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.refresh()

    def layer(self) -> Any:
        """The chosen layer; None for none."""
        here = self.currentIndex()
        return self._layers[here] if 0 <= here < len(self._layers) else None

    def regions(self) -> Regions | None:
        """What the chosen layer shows now; None for no layer, or one that lies askew."""
        layer = self.layer()
        return None if layer is None else regions_of(self._viewer, layer)

    def choose(self, layer: Any) -> None:
        """Choose a layer of the list."""
        self.setCurrentIndex(self._layers.index(layer))

    def refresh(self) -> None:
        """List the layers anew; what was chosen stays chosen as long as it is there."""
        before = self.layer()
        found = list(holding_regions(self._viewer))
        self._layers = [None, *found] if self._none else found
        with QSignalBlocker(self):
            self.clear()
            self.addItems([self._none if each is None else each.name for each in self._layers])
            chosen = self._layers.index(before) if before in self._layers else self._first()
            self.setCurrentIndex(chosen)
        self.changed.emit()

    def _first(self) -> int:
        """An image without a unit may be anything: it is not chosen unasked."""
        if not self._layers or self._none:
            return 0 if self._none else -1
        first = self._layers[0]
        return -1 if is_sky(first) else 0


class ImagesPicker(QListWidget):
    """The sky images of a viewer, any number of which can be ticked.

    Parameters
    ----------
    viewer
        The viewer whose layers it follows.
    """

    changed = Signal()

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = viewer
        self._layers: list[Any] = []
        self._said: list[tuple[Any, bool]] = []
        rows = _ROWS * (self.fontMetrics().height() + 6) + 6
        self.setMinimumHeight(rows // 2)
        self.setMaximumHeight(rows)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.setToolTip("The images to measure the structures in; Space ticks the selected one")
        self.itemChanged.connect(self._hear)

    def ticked(self) -> list[Any]:
        """The layers to measure in, what is on top first."""
        rows = range(self.count())
        return [self._layers[row] for row in rows if _is_ticked(self.item(row))]

    def fitting(self) -> list[Any]:
        """The layers that can be ticked, what is on top first."""
        return [self._layers[row] for row in range(self.count()) if _fits(self.item(row))]

    def tick(self, layer: Any, *, on: bool = True) -> None:
        """Tick a layer, or take its tick away."""
        self.item(self._layers.index(layer)).setCheckState(_CHECKED if on else _UNCHECKED)

    def refresh(self, regions: Regions | None) -> None:
        """List the images anew; those on the regions' pixels can be ticked.

        New ones are ticked at once, but for the one that the regions were found in, and for
        labels and masks, which are no sky.
        """
        self._layers = [layer for layer in reversed(self._viewer.layers) if is_sky(layer)]
        fitting = [layer for layer in self._layers if _lies_under(self._viewer, layer, regions)]
        own = None if regions is None else own_layer(self._viewer, regions, fitting)
        with QSignalBlocker(self):
            self.clear()
            for layer in self._layers:
                item = QListWidgetItem(layer.name)
                if layer in fitting:
                    meant = (layer is not own or len(fitting) == 1) and not is_numbered(layer)
                    ticked = self._tick_of(layer, meant)
                    item.setCheckState(_CHECKED if ticked else _UNCHECKED)
                    item.setToolTip(layer.name)
                else:
                    item.setFlags(Qt.ItemFlag.NoItemFlags)
                    item.setToolTip(_OTHER_PIXELS)
                self.addItem(item)
        self.changed.emit()

    def _tick_of(self, layer: Any, otherwise: bool) -> bool:
        """What the user last said of a layer."""
        said = [on for each, on in self._said if each is layer]
        return said[0] if said else otherwise

    def _hear(self, item: QListWidgetItem) -> None:
        layer = self._layers[self.row(item)]
        others = [(each, on) for each, on in self._said if each is not layer]
        there = [(each, on) for each, on in others if each in self._viewer.layers]
        self._said = [*there, (layer, _is_ticked(item))]
        self.changed.emit()


def own_layer(viewer: Any, regions: Regions, fitting: list[Any]) -> Any:
    """The layer of the image that regions were found in: of a prediction the one predicted.

    Else the lowest visible one that fits: what it is compared with came later. None for none.
    """
    if regions.predicted:
        return next((each for each in fitting if layers.sky_image(each) is regions.image), None)
    upwards = [each for each in viewer.layers if each in fitting]
    return next((each for each in upwards if each.visible), next(iter(upwards), None))


def tie_to_list(ties: Ties, names: Ties, viewer: Any, refresh: Callable[..., None]) -> None:
    """Call `refresh` when layers come, go, or are named otherwise."""

    def anew(_event: Any = None) -> None:
        names.untie()
        for layer in viewer.layers:
            names.tie(layer.events.name, refresh)
        refresh()

    for name in ("inserted", "removed", "reordered"):
        ties.tie(getattr(viewer.layers.events, name), anew)
    anew()


def _lies_under(viewer: Any, layer: Any, regions: Regions | None) -> bool:
    image = layers.image_in_view(viewer, layer)
    if regions is None or image is None or layer is regions.layer:
        return False
    return regions.lie_on(image)


def _fits(item: QListWidgetItem) -> bool:
    return bool(item.flags() & Qt.ItemFlag.ItemIsEnabled)


def _is_ticked(item: QListWidgetItem) -> bool:
    return _fits(item) and item.checkState() == _CHECKED
