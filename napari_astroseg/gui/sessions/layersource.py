"""LayerSource: what each layer draws, told so that it can be opened again; nothing is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from napari.layers import Labels, Points

from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.view import world_of
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.look.colourdata import METADATA as COLOURS
from napari_astroseg.gui.look.colourdata import Colours, colours_of
from napari_astroseg.gui.sessions.keeping import MOST_LABELLED_PX, Kept, can_keep
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.project import Placed
from napari_astroseg.projects.record import line
from napari_astroseg.projects.sources import (
    MOST_POINTS,
    MOST_TILES,
    BandsSource,
    ColourSource,
    ImageSource,
    KeptSource,
    LabelsSource,
    Look,
    Mapping,
    MosaicSource,
    PointsSource,
    Source,
    Tuned,
)
from napari_astroseg.sky.files.address import ImageRef
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.mosaictile import Level
from napari_astroseg.sky.mosaics.tiling import FootprintPixels, TiledPixels
from napari_astroseg.sky.stack import Sources

Keep = Callable[[Kept], str]
"""Takes what is to be kept and gives its key among the places."""

_OURS = {layers.METADATA, layers.ROLE, COLOURS}


def owned(layer: Any) -> bool:
    """Whether a layer is a dock's, which brings it back by itself."""
    return any(key.startswith("astroseg_") and key not in _OURS for key in layer.metadata)


def source_of(viewer: Any, layer: Any, places: Places, keep: Keep) -> Source | None:
    """What a layer draws; None where nobody could open it again. Points that are nowhere are left.

    Raises
    ------
    ValidationError
        When no record holds it.
    """
    layer = bare(layer)
    colours = colours_of(layer)
    if colours is not None:
        return _colours(colours, places, keep)
    image = layers.sky_image(layer)
    if image is not None:
        return _belonging(viewer, layer, image, places, keep) or _single(image, places, keep)
    if isinstance(layer, Points) and layer.ndim == 2 and len(layer.data) <= MOST_POINTS:
        data = np.asarray(layer.data, float)
        at = tuple((y, x) for y, x in data[np.isfinite(data).all(1)].tolist())
        return PointsSource(at=at, size=float(np.clip(layer.current_size, 1e-3, 1e6)))
    if isinstance(layer, Labels) and isinstance(layer.data, np.ndarray) and layer.ndim == 2:
        if layer.data.size > MOST_LABELLED_PX:
            return None
        return LabelsSource(place=keep(Kept(np.array(layer.data))))
    return None


def placed_told(layer: Any) -> Placed:
    """Where a layer lies, as a project has it; None for pixel on pixel."""
    corner, linear = world_of(bare(layer))
    if not corner.any() and np.array_equal(linear, np.eye(2)):
        return None
    (x, y), ((xx, xy), (yx, yy)) = corner.tolist(), linear.tolist()
    return (yy, yx, y), (xy, xx, x)


def look_told(layer: Any) -> Look | None:
    """How an image of ours is drawn."""
    look = looks.look_of(bare(layer))
    if look is None or look.limits is None:
        return None
    return Look(
        stretch=look.kind,
        low=float(look.limits.low),
        high=float(look.limits.high),
        rule=look.rule or "",
        colormap=look.colormap,
        gamma=look.gamma,
    )


def _belonging(
    viewer: Any, layer: Any, image: SkyImage, places: Places, keep: Keep
) -> Source | None:
    """The source of a layer that belongs to another image's; None for any other."""
    role: Literal["uncertainty", "flags", "footprint"] | None = layer.metadata.get(layers.ROLE)
    if role is None:
        return None
    for other in viewer.layers:
        whole = layers.sky_image(other)
        if whole is None or layers.ROLE in other.metadata:
            continue
        parts = {"uncertainty": whole.uncertainty, "flags": whole.mask}
        tiled = isinstance(image.pixels, FootprintPixels) and image.pixels.mosaic is whole.pixels
        if parts.get(role) is image or (role == "footprint" and tiled):
            source = _single(whole, places, keep)
            if role == "footprint":
                fits = isinstance(source, MosaicSource)
            else:
                fits = isinstance(source, (ImageSource, BandsSource))
            return source.model_copy(update={"role": role}) if source and fits else None
    return None


def _single(
    image: SkyImage, places: Places, keep: Keep
) -> ImageSource | MosaicSource | BandsSource | KeptSource | None:
    if image.reference is not None:
        banded = image.count == 1 and image.axis is not None and image.axis.kind == "band"
        band = image.axis.labels[0] if banded and image.axis is not None else ""
        return _file(image.reference, image.name, places, band)
    tiles = image.pixels.tiles if isinstance(image.pixels, TiledPixels) else ()
    if 0 < len(tiles) <= MOST_TILES and all(tile.place for tile in tiles):
        files = tuple(ImageSource(place=places.key(tile.place), hdu=tile.hdu) for tile in tiles)
        matched = any(tile.level != Level() for tile in tiles)
        return MosaicSource(tiles=files, match_background=matched)
    if isinstance(image.planes, Sources) and image.axis is not None:
        own = [each for each in image.planes.references if each is not None]
        if len(own) < len(image.planes):
            return None
        files = tuple(_file(each, "", places) for each in own)
        labels = tuple(line(each) for each in image.axis.labels)
        return BandsSource(images=files, labels=labels, name=line(image.name))
    if can_keep(image):
        return KeptSource(place=keep(Kept(image)), name=line(image.name))
    return None


def _file(reference: ImageRef, name: str, places: Places, band: str = "") -> ImageSource:
    place, hdu, plane = places.key(reference.place), reference.hdu, reference.plane
    return ImageSource(place=place, hdu=hdu, plane=plane, name=line(name), band=line(band))


def _colours(colours: Colours, places: Places, keep: Keep) -> ColourSource | None:
    bands = [_single(image, places, keep) for image in colours.images]
    if any(band is None for band in bands):
        return None
    fitted, tuning = colours.fitted, colours.tuning
    mapping = None
    if fitted is not None:
        mapping = Mapping(
            minimum=fitted.minimum, weights=fitted.weights, stretch=fitted.stretch, q=fitted.q
        )
    tuned = Tuned(stretch=tuning.stretch, q=tuning.q, black=tuning.black, gains=tuning.gains)
    red, green, blue = bands
    assert red is not None and green is not None and blue is not None
    return ColourSource(bands=(red, green, blue), mapping=mapping, tuned=tuned)
