"""ImagePicker: which of the viewer's images is meant, following the viewer's own list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from napari.layers import Image
from qtpy.QtCore import Signal
from qtpy.QtWidgets import QComboBox

from napari_astroseg.gui import layers
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.look.colourdata import colours_of
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.gui.ties import Ties
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window


class ImagePicker(QComboBox):
    """A list of the image layers; selecting one in the viewer chooses it here.

    Parameters
    ----------
    viewer
        The viewer whose layers it follows.
    leave_out
        Which image layers are not meant.
    colours
        Whether our colour layers are, too.
    """

    changed = Signal()

    def __init__(
        self,
        viewer: Any,
        leave_out: Callable[[Any], bool] | None = None,
        *,
        colours: bool = False,
    ) -> None:
        super().__init__()
        self._colours = colours
        self._leave_out = leave_out
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self._viewer = bare(viewer)
        self._layers: list[Any] = []
        self._ties, self._names = Ties(self), Ties(self)
        for name in ("inserted", "removed", "reordered"):
            self._ties.tie(getattr(viewer.layers.events, name), self._refresh)
        self._ties.tie(viewer.layers.selection.events.active, self._follow)
        self.currentIndexChanged.connect(lambda _: self.changed.emit())
        self._refresh()
        self._follow()

    def layer(self) -> Any:
        """The chosen layer, None when there is no image."""
        here = self.currentIndex()
        return self._layers[here] if 0 <= here < len(self._layers) else None

    def choose_named(self, name: str) -> bool:
        """Choose the layer of this name; whether there is one."""
        names = [layer.name for layer in self._layers]
        if name in names:
            self.setCurrentIndex(names.index(name))
        return name in names

    def image(self, bands: int = 1) -> SkyImage | None:
        """The chosen layer's sky image, of a stack the plane in view, of colours all three.

        Of a stack all planes where several `bands` are wanted. None when there is none, or it is
        no plane of sky.
        """
        layer = self.layer()
        if layer is None:
            return None
        colours = colours_of(layer)
        if colours is not None:
            return colours.picture
        whole = layers.sky_image(layer)
        if bands > 1 and whole is not None and whole.count > 1:
            return whole
        return layers.image_in_view(self._viewer, layer) or layers.adopt(layer)

    def untie(self) -> None:
        """Follow the viewer no more."""
        self._ties.untie()
        self._names.untie()

    def _refresh(self, _event: Any = None) -> None:
        before = self.layer()
        self._names.untie()
        self._layers = [layer for layer in self._viewer.layers if self._is_meant(layer)]
        for layer in self._layers:
            self._names.tie(layer.events.name, self._refresh)
        self.blockSignals(True)
        self.clear()
        self.addItems([layer.name for layer in self._layers])
        if before in self._layers:
            self.setCurrentIndex(self._layers.index(before))
        self.blockSignals(False)
        self.changed.emit()

    def _follow(self, _event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        if active in self._layers:
            self.setCurrentIndex(self._layers.index(active))

    def _is_meant(self, layer: Any) -> bool:
        meant = _is_sky(layer) or (self._colours and colours_of(layer) is not None)
        return meant and not (self._leave_out is not None and self._leave_out(layer))


def _is_sky(layer: Any) -> bool:
    if not isinstance(layer, Image) or layer.rgb:
        return False
    return METADATA not in layer.metadata and layers.ROLE not in layer.metadata


def shown_window(viewer: Any, layer: Any) -> Window | None:
    """The part of a layer that the canvas shows; None before the canvas has a size.

    By the camera, for a multiscale layer's own corners are those of what it has loaded.
    """
    camera = getattr(viewer, "scene", viewer).camera
    canvas = getattr(viewer, "canvas", None)
    if canvas is None:  # napari before 0.9 keeps its canvas to itself
        corners = np.asarray(layer.corner_pixels)[:, -2:]
    else:
        half = np.asarray(canvas.size, float) / camera.zoom / 2
        centre = np.asarray(camera.center)[-2:]
        corners = np.array([layer.world_to_data(centre + sign * half) for sign in (-1, 1)])
        corners = corners[:, -2:]
    (y, x), (y_end, x_end) = np.rint((corners.min(axis=0), corners.max(axis=0))).astype(int)
    if y_end <= y or x_end <= x:
        return None
    return Window(int(x), int(y), int(x_end - x) + 1, int(y_end - y) + 1)
