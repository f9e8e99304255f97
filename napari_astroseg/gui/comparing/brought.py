"""Brought: the layers that show other images on the reference's pixels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from napari_astroseg.gui import layers
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.drawn.redraw import Redraw, reads_of, redraws_of
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.look.remembered import FIRST_RULE, Look, Remembered
from napari_astroseg.gui.selected import selection_kept
from napari_astroseg.sky.grids.align import Alignment, grid_of
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pyramids.pyramid import DisplayLevel, levels
from napari_astroseg.sky.surveys.field import Field

COMPARED = "astroseg_compared"
"""The key in a layer's metadata under which its `Compared` rides."""


@dataclass(frozen=True)
class Compared:
    """What a layer shows for comparison.

    Parameters
    ----------
    key
        Of its origin; a survey's own.
    name
        What people call the origin.
    how
        How it came onto the reference's pixels, and how exactly.
    grid
        Those pixels, as text.
    attribution
        Whom to thank; "" where nobody said.
    field
        Of a survey, the part that was fetched.
    """

    key: str
    name: str
    how: Alignment
    grid: str
    attribution: str = ""
    field: Field | None = None


def compared(layer: Any) -> Compared | None:
    """What a layer shows for comparison; None for any other layer."""
    told = None if layer is None else layer.metadata.get(COMPARED)
    return told if isinstance(told, Compared) else None


def grid_told(image: SkyImage) -> str:
    """The pixels of an image as text: equal for images that lie pixel on pixel."""
    return str(image.shape) if image.wcs is None else grid_of(image).identity


def brought_before(viewer: Any, key: str, grid: str) -> Any:
    """The layer that shows the same origin on the same pixels; None without one."""
    found = ((each, compared(each)) for each in viewer.layers)
    return next(
        (bare(each) for each, told in found if told and (told.key, told.grid) == (key, grid)), None
    )


def prepared(
    image: SkyImage, source: SkyImage, about: Compared, look: Look | None
) -> layers.LayerData:
    """An image on the reference's pixels as napari takes it; any thread.

    Parameters
    ----------
    image
        As it lies on the reference.
    source
        As it came. Its own pixels say what is black and white: on the reference, whose coarsest
        level is looked at otherwise, there may be few.
    about
        What rides in the metadata.
    look
        To draw it so; None for zscale in grey, with the stretch used last.
    """
    data, arguments, which = layers.layer_data(image)
    look = look or Look(Remembered().kind)
    known = looks.sampled(levels(source)[-1])
    limits = look.limits if look.rule is None else None
    stretch = known.stretch(look.kind, limits or known.limits(look.rule or FIRST_RULE))
    drawn = [DisplayLevel(each.level, stretch) for each in data]
    metadata = {**arguments["metadata"], COMPARED: about}
    worn = {"colormap": looks.colormap_named(look.colormap), "gamma": look.gamma}
    limits_drawn = {"contrast_limits": (0.0, 1.0)}
    return drawn, {**arguments, **worn, **limits_drawn, "metadata": metadata}, which


def place(viewer: Any, reference: Any, data: layers.LayerData) -> Any:
    """Show what was prepared: in its layer, or in a new one right above the reference.

    What was brought onto the reference earlier stays between. The selection stays, too.
    """
    about = data[1]["metadata"][COMPARED]
    before = brought_before(viewer, about.key, about.grid)
    if before is not None:
        renew(before, data)
        return before
    with selection_kept(viewer):
        layer = layers.add_prepared(viewer, data)
        viewer.layers.move(viewer.layers.index(layer), _above(viewer, reference, about.grid))
    return layer


def renew(layer: Any, data: layers.LayerData) -> None:
    """Show another part of the same origin in a layer, which keeps its looks and its place."""
    layer = bare(layer)
    for redraw in redraws_of(layer):
        redraw.end()
    layer.metadata = {**layer.metadata, **data[1]["metadata"]}
    looks.give_levels(layer, data[0])
    looks.set_limits(layer, data[0][0].stretch.limits)
    for reads in reads_of(layer):
        Redraw(layer, reads)


def _above(viewer: Any, reference: Any, grid: str) -> int:
    """The place in the list above a layer, and above what was brought onto it."""
    at = viewer.layers.index(reference) + 1
    return at + sum(1 for _ in _run(viewer, at, grid))


def _run(viewer: Any, at: int, grid: str) -> Iterator[Any]:
    for layer in viewer.layers[at:-1]:  # the last one is the new one
        told = compared(layer)
        if told is None or told.grid != grid:
            return
        yield layer
