"""Colour layers: adding a colour picture to a viewer, and mapping it otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from napari.layers import Image, Layer

from napari_astroseg.gui import layers
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.look.colourdata import METADATA, colour_data, colour_drawn, colours_of
from napari_astroseg.gui.look.looks import give_levels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.colour import Lupton, Tuning
from napari_astroseg.sky.looks.colourlevels import ColourLevel

if TYPE_CHECKING:
    from napari import Viewer


def add_colour(
    viewer: Viewer,
    red: SkyImage,
    green: SkyImage,
    blue: SkyImage,
    settings: Lupton | None = None,
) -> Image:
    """Draw three images of one grid as one colour layer.

    Parameters
    ----------
    viewer
        Where to draw.
    red, green, blue
        Single images, on one grid.
    settings
        How to map them; found from their values by default.

    Raises
    ------
    ImageError
        When the images are not on one grid, or cannot be read.
    """
    return layers.add_prepared(viewer, colour_data(red, green, blue, settings))


def tune(layer: Layer, tuning: Tuning) -> None:
    """Map a colour layer's bands otherwise: computed for what is in view, nothing is read again."""
    colours, drawn = colours_of(layer), colour_drawn(layer)
    if colours is None or not drawn or colours.fitted is None or colours.tuning == tuning:
        return
    layer = bare(layer)
    colours = replace(colours, tuning=tuning)
    layer.metadata = {**layer.metadata, METADATA: colours}
    give_levels(layer, [ColourLevel(level.bands, colours.paint) for level in drawn])
