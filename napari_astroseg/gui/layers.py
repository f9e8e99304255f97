"""Layers: the only place where sky images become napari layers, and back.

World coordinates are the image's own 0-based pixels: scale 1, no translation, the same units
and axis labels for every layer, so that whatever is found lies where it was found. A stack has
its planes on a first axis of their own; layers of two axes lie under all of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from napari.layers import Image, Layer
from qtpy.QtCore import QTimer

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.drawn.growing import grow_behind
from napari_astroseg.gui.drawn.inview import (
    cursor_readout,
    image_in_view,
    plane_in_view,
    plane_told,
    show_plane,
)
from napari_astroseg.gui.drawn.layerdata import (
    METADATA,
    ROLE,
    LayerData,
    all_layer_data,
    first_plane,
    footprint_data,
    layer_data,
    read_ahead,
    sky_image,
)
from napari_astroseg.gui.drawn.programs import keep_programs
from napari_astroseg.gui.drawn.redraw import unwatch, watch
from napari_astroseg.gui.drawn.units import know_units
from napari_astroseg.gui.look.looks import give_room
from napari_astroseg.sky.coords.orientation import orientation
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.stretch import Kind

if TYPE_CHECKING:
    from napari import Viewer
    from napari.utils.events import Event

__all__ = [
    "METADATA",
    "ROLE",
    "SETTLED_MS",
    "LayerData",
    "add_all",
    "add_image",
    "add_prepared",
    "adopt",
    "all_layer_data",
    "cursor_readout",
    "first_plane",
    "footprint_data",
    "image_in_view",
    "layer_data",
    "plane_in_view",
    "plane_told",
    "read_ahead",
    "settle",
    "show_plane",
    "sky_image",
    "turn_north",
]

_TOLD = "astroseg"
SETTLED_MS = 150
"""How long a window takes to make room for the controls of its first layer."""


def add_image(viewer: Viewer, image: SkyImage, stretch: Kind | None = None) -> Image:
    """Draw an image as a new layer: multiscale, its stretch and limits remembered or chosen."""
    return add_prepared(viewer, layer_data(image, stretch))


def add_prepared(viewer: Viewer, prepared: LayerData) -> Image:
    """Add what `layer_data` made; main thread only."""
    settle(viewer)
    know_units()
    data, arguments, _ = prepared
    axes, others, camera = viewer.dims.ndim, len(viewer.layers), _camera(viewer)
    zoom, centre = camera.zoom, camera.center
    layer = cast(Image, bare(viewer.add_image(data, **arguments)))
    if not others:
        _fit_when_settled(viewer)
    if layer.ndim > max(2, axes):  # the first to have planes says which is seen first
        show_plane(viewer, layer, first_plane(layer.metadata[METADATA]))
        if others:  # napari shows all of everything whenever an axis is added
            camera.zoom, camera.center = zoom, centre
    return layer


def add_all(viewer: Viewer, prepared: Sequence[LayerData]) -> list[Image]:
    """Add an image and what belongs to it; the image is selected."""
    added = [add_prepared(viewer, each) for each in prepared]
    if added:
        viewer.layers.selection.active = added[0]
    return added


def settle(viewer: Viewer) -> None:
    """Make a viewer an astronomer's: origin at the lower left, sky positions in the status bar.

    Doing so again changes nothing.
    """
    keep_programs()
    _camera(viewer).orientation2d = ("up", "right")
    # Plain functions: an emitter connects each of them only once, whoever asks.
    viewer.events.status.connect(_tell_position)
    viewer.layers.events.inserted.connect(_give_room)
    viewer.layers.events.inserted.connect(watch)
    viewer.layers.events.removed.connect(unwatch)
    grow_behind(viewer)


def turn_north(viewer: Viewer, image: SkyImage) -> None:
    """Turn the view upside down where an image's rows run from north to south, else back."""
    height, width = image.shape
    around = orientation(image, (width - 1) / 2, (height - 1) / 2)
    south = around is not None and around.north[1] < 0
    _camera(viewer).orientation2d = ("down" if south else "up", "right")


def adopt(layer: Layer | None) -> SkyImage | None:
    """The image of any layer: ours as it is, someone else's plain array without sky coordinates.

    None for what is no single plane of numbers in memory, or lies in the world other than pixel
    for pixel, where answers would land in the wrong place.
    """
    own = sky_image(layer)
    if own is not None:
        return own
    if not isinstance(layer, Image) or layer.rgb or layer.multiscale or layer.ndim != 2:
        return None
    layer = bare(layer)
    corners = [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0)]
    unmoved = np.allclose([layer.data_to_world(corner) for corner in corners], corners)
    if not isinstance(layer.data, np.ndarray) or not unmoved:
        return None
    return SkyImage.from_array(layer.data, name=layer.name)


def _fit_when_settled(viewer: Viewer) -> None:
    """Show all of the first image again when the window has made room for its controls."""
    camera = _camera(viewer)
    zoom = camera.zoom

    def fit() -> None:
        if camera.zoom == zoom and len(viewer.layers):  # nobody has zoomed meanwhile
            viewer.reset_view()

    QTimer.singleShot(SETTLED_MS, fit)


def _camera(viewer: Viewer) -> Any:
    return getattr(viewer, "scene", viewer).camera  # napari before 0.9 has it on the viewer


def _give_room(event: Event) -> None:
    """Let the limits' slider of a new layer go beyond the limits that it starts with."""
    give_room(event.value)


def _tell_position(event: Event) -> None:
    """Put the sky position and the raw value into a cursor status that napari has just set."""
    status = event.value
    if not isinstance(status, dict) or _TOLD in status:
        return
    text = cursor_readout(event.source).line
    if text:
        mine = sky_image(event.source.layers.selection.active) is not None
        told = text if mine else f"{status.get('coordinates', '')}   {text}"
        event.source.status = {**status, "coordinates": told, _TOLD: "yes"}
