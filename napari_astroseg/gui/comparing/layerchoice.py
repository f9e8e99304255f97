"""LayerChoice: one of the viewer's layers, as a list that follows them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtCore import QSignalBlocker, Signal
from qtpy.QtWidgets import QComboBox

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.ties import Ties


class LayerChoice(QComboBox):
    """A list of layers of some kind; a choice stays as long as its layer.

    Parameters
    ----------
    viewer
        Whose layers are listed.
    wanted
        Which of them.
    """

    changed = Signal()

    def __init__(self, viewer: Any, wanted: Callable[[Any], bool]) -> None:
        super().__init__()
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(10)
        self._viewer, self._wanted = viewer, wanted
        self._layers: list[Any] = []
        self._ties, self._names = Ties(self), Ties(self)
        for name in ("inserted", "removed", "reordered"):
            self._ties.tie(getattr(viewer.layers.events, name), self.refresh)
        self.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.refresh()

    @property
    def layers(self) -> list[Any]:
        """All that can be chosen, the lowest first."""
        return list(self._layers)

    def layer(self) -> Any:
        """The chosen layer; None when there is none."""
        here = self.currentIndex()
        return self._layers[here] if 0 <= here < len(self._layers) else None

    def choose(self, layer: Any) -> None:
        """Choose a layer, if it is listed."""
        layer = bare(layer)
        if layer in self._layers:
            self.setCurrentIndex(self._layers.index(layer))

    def untie(self) -> None:
        """Follow the viewer no more."""
        self._ties.untie()
        self._names.untie()

    def refresh(self, _event: Any = None) -> None:
        """List the layers anew."""
        before, was = self.layer(), self._layers
        self._layers = [bare(each) for each in self._viewer.layers if self._wanted(each)]
        self._names.untie()
        for layer in self._layers:
            self._names.tie(layer.events.name, self._rename)
        with QSignalBlocker(self):
            self.clear()
            self.addItems([layer.name for layer in self._layers])
            if before in self._layers:
                self.setCurrentIndex(self._layers.index(before))
        if was != self._layers:
            self.changed.emit()

    def _rename(self, _event: Any = None) -> None:
        for n, layer in enumerate(self._layers):
            self.setItemText(n, layer.name)
