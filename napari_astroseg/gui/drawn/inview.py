"""In view: which plane of a stack is shown, and what lies under the cursor."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from napari.layers import Layer

from napari_astroseg.gui.asking import asking
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.drawn.layerdata import sky_image
from napari_astroseg.gui.look.colourdata import colours_of, read_out_colours
from napari_astroseg.gui.readout import Readout, plane_words, read_out
from napari_astroseg.sky.image import SkyImage

if TYPE_CHECKING:
    from napari import Viewer


def show_plane(viewer: Viewer, layer: Layer, plane: int) -> None:
    """Turn a viewer to a plane of a stack."""
    axis = viewer.dims.ndim - layer.ndim
    if layer.ndim > 2:
        viewer.dims.set_point(axis, layer.data_to_world([plane, 0, 0])[0])


def plane_in_view(viewer: Viewer, layer: Layer) -> int:
    """The plane of a layer's stack that its viewer shows; 0 for what is no stack."""
    if layer.ndim < 3:
        return 0
    place = bare(layer).world_to_data(viewer.dims.point)[-3]
    return int(np.clip(round(float(place)), 0, bare(layer).level_shapes[0][-3] - 1))


def image_in_view(viewer: Viewer, layer: Layer | None) -> SkyImage | None:
    """The image that a layer draws, or of a stack the plane in view, if it is one of ours."""
    image = sky_image(layer)
    if image is None or layer is None or image.count == 1:
        return image
    return image.plane(min(plane_in_view(viewer, layer), image.count - 1))


def plane_told(viewer: Viewer) -> str:
    """Which plane is in view, of the selected stack or else of the topmost visible; "" for none."""
    for layer, image in _told(viewer):
        if image.count > 1 and layer.ndim > 2:
            return plane_words(image, plane_in_view(viewer, layer))
    return ""


def cursor_readout(viewer: Viewer) -> Readout:
    """What lies under the cursor: of the selected image, or else of the topmost visible one."""
    if viewer.dims.ndisplay != 2:
        return Readout()
    for layer, image in _told(viewer):
        y, x = layer.world_to_data(viewer.cursor.position)[-2:]
        colours = colours_of(layer)
        if colours is not None:
            return read_out_colours(colours, float(x), float(y))
        patient = asking()
        told = None if patient is None else patient.text
        return read_out(image, float(x), float(y), plane_in_view(viewer, layer), told)
    return Readout()


def _told(viewer: Viewer) -> Iterator[tuple[Layer, SkyImage]]:
    """Our layers in the order in which they are told: the selected one, then what is on top."""
    active = viewer.layers.selection.active
    for layer in [active, *reversed(viewer.layers)]:
        image = sky_image(layer)
        if image is not None and (layer is active or layer.visible):
            yield layer, image
