"""Colour data: three images of one grid, or a picture with colours of its own, for one layer.

Colours are computed for what is in view. The raw values stay with the three images, which ride
in the layer's metadata, so that they can be told under the cursor.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from napari.layers import Image, Layer

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.drawn.patient import patient
from napari_astroseg.gui.readout import Readout, read_out
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.colour import AUTOMATIC, Lupton, Paint, Tuning, fitting, on_one_grid
from napari_astroseg.sky.looks.colourlevels import (
    ColourLevel,
    colour_levels,
    native,
    refuse_other_planes,
)
from napari_astroseg.sky.looks.limits import sample
from napari_astroseg.sky.pyramids.pyramid import levels
from napari_astroseg.sky.stack import stacked

if TYPE_CHECKING:
    from napari_astroseg.gui.layers import LayerData

METADATA = "astroseg_colours"
"""The key in a layer's metadata under which its `Colours` ride."""


@dataclass(frozen=True)
class Colours:
    """What a colour layer draws.

    Parameters
    ----------
    images
        Drawn red, green, blue; they lie on one grid.
    fitted
        The mapping found for them; None for a picture that has its own colours.
    tuning
        What the user has changed of it.
    """

    images: tuple[SkyImage, SkyImage, SkyImage]
    fitted: Lupton | None = None
    tuning: Tuning = AUTOMATIC

    @property
    def names(self) -> tuple[str, ...]:
        """What tells the images apart: their names, or the bands' of one stack."""
        stacks, labels = zip(*(_parted(image.name) for image in self.images), strict=True)
        one = len(set(stacks)) == 1 and all(labels)
        return labels if one else tuple(image.name for image in self.images)

    @property
    def picture(self) -> SkyImage:
        """The three as one stack; of one file's planes 0, 1 and 2, that file's."""
        stack = stacked(self.images, self.names, _parted(self.images[0].name)[0] or "RGB")
        own = [image.reference for image in self.images]
        if None in own or len({replace(each, plane=None) for each in own if each}) > 1:
            return stack
        whole = [each.plane for each in own if each] == [0, 1, 2]
        return replace(stack, reference=replace(own[0], plane=None)) if whole and own[0] else stack

    @property
    def paint(self) -> Paint:
        """What makes colours of three bands."""
        return native if self.fitted is None else self.tuning.of(self.fitted)


def colour_data(
    red: SkyImage, green: SkyImage, blue: SkyImage, fitted: Lupton | None = None
) -> LayerData:
    """Three images as one colour layer, as napari takes it; any thread.

    Without a mapping one is found, for which the coarsest levels are read.

    Raises
    ------
    ImageError
        When the images are not on one grid, or cannot be read.
    """
    images = (red, green, blue)
    on_one_grid(images)
    pyramids = [levels(image) for image in images]
    fitted = fitted or fitting([sample(pyramid[-1]) for pyramid in pyramids])
    colours = Colours(images, fitted)
    return _data(colours, pyramids, "RGB " + ", ".join(colours.names))


def native_data(image: SkyImage) -> LayerData:
    """A picture with planes R, G and B, drawn in its own colours; any thread.

    Raises
    ------
    ImageError
        When its planes are others.
    """
    refuse_other_planes(image)
    images = (image.plane(0), image.plane(1), image.plane(2))
    return _data(Colours(images), [levels(each) for each in images], image.name)


def colours_of(layer: Layer | None) -> Colours | None:
    """What a layer draws, if it is a colour layer of ours."""
    colours = None if layer is None else layer.metadata.get(METADATA)
    return colours if isinstance(colours, Colours) else None


def colour_drawn(layer: Layer | None) -> list[ColourLevel]:
    """The levels of one of our colour layers; none for another layer."""
    if not isinstance(layer, Image) or not layer.multiscale or not layer.rgb:
        return []
    data = list(bare(layer).data)
    return data if all(isinstance(each, ColourLevel) for each in data) else []


def read_out_colours(colours: Colours, x: float, y: float) -> Readout:
    """What a colour picture has at the 0-based pixel position (x, y): its three raw values."""
    told = [read_out(image, x, y) for image in colours.images]
    values = zip(colours.names, told, strict=True)
    value = ", ".join(f"{name} {each.value}" for name, each in values if each.value)
    return replace(told[0], value=value)


def _parted(name: str) -> tuple[str, str]:
    """A stack's name, and its band's, of `stack [band]`; ("", "") of any other name."""
    stack, opened, rest = name.rpartition(" [")
    return (stack, rest[:-1]) if opened and rest.endswith("]") else ("", "")


def _data(colours: Colours, pyramids: list[Any], name: str) -> LayerData:
    from napari_astroseg.gui.layers import METADATA as PLACE  # it imports this module

    red, green, blue = (patient(pyramid) for pyramid in pyramids)
    arguments = {
        "name": name,
        "multiscale": True,
        "rgb": True,
        # The red image stands for the others where only the place on the sky matters.
        "metadata": {METADATA: colours, PLACE: colours.images[0]},
    }
    return colour_levels(red, green, blue, colours.paint), arguments, "image"
