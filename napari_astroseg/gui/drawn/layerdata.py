"""Layer data: sky images as napari takes them, made in any thread before a viewer is touched.

What is drawn are display values, 0 and 1 at the stretch's limits; raw values stay with the
`SkyImage`, which rides in the layer's metadata. Missing data are NaN up to the graphics card,
which draws them transparent whatever the contrast limits.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from napari.layers import Layer
from napari.utils import Colormap

from napari_astroseg.gui.drawn.patient import patient
from napari_astroseg.gui.look.colourdata import native_data
from napari_astroseg.gui.look.looks import first_look
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.colourlevels import is_native_colour
from napari_astroseg.sky.looks.flags import flagged
from napari_astroseg.sky.looks.limits import Limits
from napari_astroseg.sky.looks.stretch import Kind, Stretch
from napari_astroseg.sky.pyramids.pyramid import AnyLevel, DisplayLevel, levels

METADATA = "astroseg"
"""The key in a layer's metadata under which its `SkyImage` rides."""

ROLE = "astroseg_role"
"""The key under which a layer that belongs to another image's says as what: a `Role`."""

Role = Literal["uncertainty", "flags", "footprint"]

LayerData = tuple[Any, dict[str, Any], str]
"""What napari readers hand over: data, arguments, type of layer."""

_MOST_TILES = 4.0
"""Where more tiles than this lie over one another, the footprint is drawn brightest."""
_FLAG = "#ff5050"
_NO_COLOUR = (0.0, 0.0, 0.0, 0.0)


def layer_data(image: SkyImage, kind: Kind | None = None, rule: str | None = None) -> LayerData:
    """An image as napari takes it: lazy levels and all arguments, its type said explicitly.

    A stack has its planes on a first axis of their own. Stretch and limits that are not asked for
    are those that the user last gave this image; a new one gets the stretch used last, and
    zscale. The coarsest level is read for the limits, so this may take a moment: it touches no
    layer and may run in any thread.
    """
    pyramid = levels(image)
    stretch, look = first_look(image, pyramid[-1], kind, rule)
    return _lazy(pyramid, stretch), {**_arguments(image, image.name), **look}, "image"


def all_layer_data(image: SkyImage, kind: Kind | None = None) -> list[LayerData]:
    """An image, and what belongs to it: its uncertainty and its flags, in hidden layers.

    A picture with colours of its own is drawn in them. Flags are drawn as a veil over what they
    mark; a pixel of theirs is told by its raw value.
    """
    if is_native_colour(image):
        return [native_data(image)]
    made = [layer_data(image, kind)]
    if image.uncertainty is not None:
        data, arguments, which = layer_data(image.uncertainty, kind)
        made.append((data, {**arguments, **_belonging(image, "uncertainty")}, which))
    if image.mask is not None:
        veil = {"colormap": Colormap([_NO_COLOUR, _FLAG], name="astroseg flags"), "opacity": 0.5}
        data = _lazy(levels(flagged(image.mask)), Stretch("linear", Limits(0.0, 1.0)))
        arguments = _arguments(image.mask, "")
        made.append((data, {**arguments, **veil, **_belonging(image, "flags")}, "image"))
    return made


def footprint_data(counts: SkyImage) -> LayerData:
    """How many tiles cover each pixel of a mosaic, in a hidden layer."""
    data = _lazy(levels(counts), Stretch("linear", Limits(0.0, _MOST_TILES)))
    look = {"name": counts.name, "visible": False, "colormap": "viridis"}
    arguments = {**_arguments(counts, counts.name), **look}
    return data, {**arguments, "metadata": {METADATA: counts, ROLE: "footprint"}}, "image"


def read_ahead(prepared: LayerData, canvas: tuple[int, ...]) -> None:
    """Read what a canvas of that size (height, width) will show first; any thread."""
    pyramid: list[Any] = prepared[0]
    if prepared[1]["rgb"]:
        return  # it is read by three bands, from files of a screen's size
    whole = pyramid[0].shape[-2:]
    drawn = (each for each in reversed(pyramid) if _fills(each.shape[-2:], whole, canvas))
    level = next(drawn, pyramid[0]).level
    if len(level.shape) == 2:
        np.asarray(level)
    else:
        first = first_plane(prepared[1]["metadata"][METADATA])
        np.asarray(level[first])
        np.asarray(pyramid[-1].level[first])


def sky_image(layer: Layer | None) -> SkyImage | None:
    """The image that a layer draws, if it is one of ours."""
    image = None if layer is None else layer.metadata.get(METADATA)
    return image if isinstance(image, SkyImage) else None


def first_plane(image: SkyImage) -> int:
    """The plane of a stack that is shown first: the first band, the middle of a cube."""
    cube = image.axis is not None and image.axis.kind == "plane"
    return image.count // 2 if cube else 0


def _lazy(pyramid: Sequence[AnyLevel], stretch: Stretch) -> list[DisplayLevel]:
    return [DisplayLevel(level, stretch) for level in patient(pyramid)]


def _arguments(image: SkyImage, name: str) -> dict[str, Any]:
    stacked = image.count > 1 and image.axis is not None
    # The axes of the picture keep the names that napari gives to all layers of two axes.
    axes = {"axis_labels": (image.axis.name, "-2", "-1")} if stacked and image.axis else {}
    return {
        **axes,
        "name": name,
        "multiscale": True,
        "rgb": False,
        "contrast_limits": (0.0, 1.0),
        "metadata": {METADATA: image},
    }


def _belonging(image: SkyImage, role: Role) -> dict[str, Any]:
    """What is different for a layer that belongs to another image's."""
    part = image.uncertainty if role == "uncertainty" else image.mask
    return {
        "name": f"{image.name} {role}",
        "visible": False,
        "metadata": {METADATA: part, ROLE: role},
    }


def _fills(shape: tuple[int, ...], whole: tuple[int, ...], canvas: tuple[int, ...]) -> bool:
    """Whether a level is fine enough for a canvas, by napari's rule.

    Axes on which the whole image is no larger than the canvas do not count.
    """
    sizes = zip(shape, whole, canvas, strict=True)
    return all(n > seen for n, most, seen in sizes if most > seen)
