"""Layers: the only place where sky images become napari layers, and back.

World coordinates are the image's own 0-based pixels: scale 1, no translation, the same units
and axis labels for every layer, so that whatever is found lies where it was found. What is
drawn are display values, 0 and 1 at the stretch's limits; raw values stay with the `SkyImage`,
which rides in the layer's metadata. Missing data are NaN up to the graphics card, which draws
them transparent whatever the contrast limits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
from napari.layers import Image, Layer

from napari_astroseg.gui.readout import Readout, read_out
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pyramid import DisplayLevel, levels
from napari_astroseg.sky.stretch import LIMIT_RULES, Kind, Limits, Stretch, sample

if TYPE_CHECKING:
    from napari import Viewer
    from napari.utils.events import Event

METADATA = "astroseg"
"""The key in a layer's metadata under which its `SkyImage` rides."""

LayerData = tuple[Any, dict[str, Any], str]
"""What napari readers hand over: data, arguments, type of layer."""

_TOLD = "astroseg"


def layer_data(image: SkyImage, kind: Kind = "asinh", rule: str = "zscale") -> LayerData:
    """An image as napari takes it: lazy levels and all arguments, its type said explicitly.

    The coarsest level is read for the limits, so this may take a moment: it touches no layer
    and may run in any thread.
    """
    pyramid = levels(image)
    stretch = Stretch(kind, LIMIT_RULES[rule](sample(pyramid[-1])))
    arguments = {
        "name": image.name,
        "multiscale": True,
        "rgb": False,
        "contrast_limits": (0.0, 1.0),
        "metadata": {METADATA: image},
    }
    return [DisplayLevel(level, stretch) for level in pyramid], arguments, "image"


def read_ahead(prepared: LayerData, canvas: tuple[int, ...]) -> None:
    """Read the level that a canvas of that size (height, width) will show first; any thread."""
    pyramid: list[DisplayLevel] = prepared[0]
    drawn = (each for each in reversed(pyramid) if _fills(each.shape, pyramid[0].shape, canvas))
    np.asarray(next(drawn, pyramid[0]).level)


def add_image(viewer: Viewer, image: SkyImage, stretch: Kind = "asinh") -> Image:
    """Draw an image as a new layer: multiscale, zscale limits, lower-left origin."""
    return add_prepared(viewer, layer_data(image, stretch))


def add_prepared(viewer: Viewer, prepared: LayerData) -> Image:
    """Add what `layer_data` made; main thread only."""
    settle(viewer)
    data, arguments, _ = prepared
    return cast(Image, bare(viewer.add_image(data, **arguments)))


def settle(viewer: Viewer) -> None:
    """Make a viewer an astronomer's: origin at the lower left, sky positions in the status bar.

    Doing so again changes nothing.
    """
    scene = getattr(viewer, "scene", viewer)  # napari before 0.9 has the camera on the viewer
    scene.camera.orientation2d = ("up", "right")
    # Plain functions: an emitter connects each of them only once, whoever asks.
    viewer.events.status.connect(_tell_position)
    viewer.layers.events.inserted.connect(_give_room)


def sky_image(layer: Layer | None) -> SkyImage | None:
    """The image that a layer draws, if it is one of ours."""
    image = None if layer is None else layer.metadata.get(METADATA)
    return image if isinstance(image, SkyImage) else None


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


def stretch_of(layer: Layer | None) -> Stretch | None:
    """The stretch that a layer is drawn with, if it is one of ours."""
    drawn = _drawn(layer)
    return drawn[0].stretch if drawn else None


def set_stretch(layer: Layer, kind: Kind) -> None:
    """Draw a layer with another kind of stretch, between the same raw values."""
    drawn = _drawn(layer)
    if not drawn or drawn[0].stretch.kind == kind:
        return
    layer, stretch = bare(layer), drawn[0].stretch.of_kind(kind)
    limits = raw_limits(layer)
    height, width = drawn[-1].shape
    # napari turns to the coarsest level first: let it ask for a part which that level has.
    layer.corner_pixels = np.array([[0, 0], [height - 1, width - 1]])
    layer.data = [DisplayLevel(each.level, stretch) for each in drawn]
    set_limits(layer, limits)


def raw_limits(layer: Layer | None) -> Limits | None:
    """The raw values at a layer's contrast limits."""
    stretch = stretch_of(layer)
    if stretch is None or layer is None:
        return None
    return stretch.raw_limits(*layer.contrast_limits)


def set_limits(layer: Layer, limits: Limits | None) -> None:
    """Move a layer's contrast limits to raw values; nothing is read again."""
    stretch = stretch_of(layer)
    if stretch is not None and limits is not None:
        layer = bare(layer)
        layer.contrast_limits = stretch.display_limits(limits)
        _widen(layer)


def ruled_limits(layer: Layer, rule: str) -> Limits | None:
    """The limits that a rule gives for a layer's image, from its coarsest level."""
    drawn = _drawn(layer)
    return LIMIT_RULES[rule](sample(drawn[-1].level)) if drawn else None


def cursor_readout(viewer: Viewer) -> Readout:
    """What lies under the cursor: of the selected image, or else of the topmost visible one."""
    if viewer.dims.ndisplay != 2:
        return Readout()
    active = viewer.layers.selection.active
    for layer in [active, *reversed(viewer.layers)]:
        image = sky_image(layer)
        if image is not None and (layer is active or layer.visible):
            y, x = layer.world_to_data(viewer.cursor.position)[-2:]
            return read_out(image, float(x), float(y))
    return Readout()


def _drawn(layer: Layer | None) -> list[DisplayLevel]:
    """The display levels of one of our layers; none for another."""
    if sky_image(layer) is None or not isinstance(layer, Image):
        return []
    data = bare(layer).data
    own = layer.multiscale and all(isinstance(each, DisplayLevel) for each in data)
    return list(data) if own else []


def bare(layer: Any) -> Any:
    """A layer without the proxy that napari puts around what it hands to plug-ins.

    The proxy would wrap our own objects too: it goes by module names that start with "napari".
    """
    return getattr(layer, "__wrapped__", layer)


def _fills(shape: tuple[int, ...], whole: tuple[int, ...], canvas: tuple[int, ...]) -> bool:
    """Whether a level is fine enough for a canvas, by napari's rule.

    Axes on which the whole image is no larger than the canvas do not count.
    """
    sizes = zip(shape, whole, canvas, strict=True)
    return all(n > seen for n, most, seen in sizes if most > seen)


def _give_room(event: Event) -> None:
    """Let the limits' slider of a new layer go beyond the limits that it starts with."""
    if _drawn(event.value):
        _widen(event.value)


def _widen(layer: Image) -> None:
    low, high = layer.contrast_limits
    room = high - low
    layer.contrast_limits_range = (min(low - room / 2, -0.5), max(high + room, 2.0))


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
