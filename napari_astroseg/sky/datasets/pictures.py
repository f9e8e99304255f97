"""Pictures: stamps of a dataset as people look at them, with what is to be learnt drawn in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.datasets.card import DatasetCard
from napari_astroseg.sky.datasets.dataset import Stamp
from napari_astroseg.sky.datasets.truth import Item, Mask, Truth
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.colour import fitting
from napari_astroseg.sky.looks.limits import zscale
from napari_astroseg.sky.looks.stretch import Stretch
from napari_astroseg.sky.looks.wavelengths import reddest_first
from napari_astroseg.sky.resizing import nearest
from napari_astroseg.sky.window import Window

Picture = NDArray[np.uint8]
Colour = tuple[int, int, int]

_COLOURS = ((53, 240, 200), (255, 176, 0), (213, 140, 255), (111, 168, 255), (255, 120, 110))
"""Of the classes and kinds of object, in their order, told apart with any colour vision."""

_RGB = 3


def colours_of(card: DatasetCard) -> dict[str, Colour]:
    """A colour for every class and kind of object of a dataset."""
    told: dict[str, None] = {}
    for counts in card.parts.values():
        told |= dict.fromkeys(counts.pixels)
    for counts in card.parts.values():
        told |= dict.fromkeys(counts.objects)
    told.pop("background", None)
    return {name: _COLOURS[n % len(_COLOURS)] for n, name in enumerate(told)}


def stamp_picture(
    item: Item, truth: Truth | None, stamp: Stamp, side: int, colours: Mapping[str, Colour]
) -> Picture:
    """A stamp with the outlines of its classes and objects, (side, side, 3).

    The first row is on top: where latitude grows with the row, it is the last of the image.

    One band is drawn by asinh and zscale, three and more as Lupton's colours, the reddest red;
    a picture of Galaxy Zoo 3D as it is. Missing pixels are black.

    Raises
    ------
    AstroSegError
        When the image cannot be read.
    """
    image = item.image
    values = image.cutout(stamp.window)
    places = nearest(stamp.window.height, side)[:, None], nearest(stamp.window.width, side)
    picture = _coloured(image, values)[places]
    if truth is not None:
        _draw_masks(picture, truth, image.shape, stamp.window, places, colours)
        _draw_boxes(picture, truth, stamp.window, colours)
    return np.ascontiguousarray(picture[::-1]) if _rises(image, stamp.window) else picture


def _coloured(image: SkyImage, values: NDArray[np.float32]) -> Picture:
    """Values of one or more bands as red, green and blue."""
    if values.ndim == 2 or len(values) < _RGB:
        band = values if values.ndim == 2 else values[0]
        shown = Stretch("asinh", zscale(band[np.isfinite(band)].astype(float)))(band)
        grey = np.clip(np.nan_to_num(shown), 0, 1) * 255
        return np.repeat(grey.astype(np.uint8)[..., None], _RGB, -1)
    if image.dtype == np.uint8 or _is_picture(values):
        return np.moveaxis(np.nan_to_num(values[:_RGB]), 0, -1).astype(np.uint8)
    bands = [values[n] for n in reddest_first(image.bands)[:_RGB]]
    samples = [band[np.isfinite(band)].astype(float) for band in bands]
    if not all(sample.size for sample in samples):
        return np.zeros((*values.shape[1:], _RGB), np.uint8)
    painted = fitting(samples)(*bands)
    return painted[..., :_RGB] * (painted[..., _RGB:] > 0)


def _is_picture(values: NDArray[np.float32]) -> bool:
    """Whether these are the whole numbers of a picture, 0 to 255."""
    known = values[np.isfinite(values)]
    whole = known.size > 0 and bool((known == np.rint(known)).all())
    return whole and known.min() >= 0 and known.max() <= np.iinfo(np.uint8).max


def _draw_masks(
    picture: Picture,
    truth: Truth,
    shape: tuple[int, int],
    window: Window,
    places: tuple[NDArray[np.intp], NDArray[np.intp]],
    colours: Mapping[str, Colour],
) -> None:
    """Draw the outline of every class, and of every object that has a mask."""
    whole = Window.whole(shape)
    masks = [(name, _cut(mask, whole, window)) for name, mask in truth.pixels.items()]
    masks += [
        (each.kind, _cut(each.mask, each.window, window))
        for each in truth.objects
        if each.mask is not None and each.window is not None and each.window.overlap(window)
    ]
    for name, mask in masks:
        seen = mask[places]
        picture[seen & ~ndimage.binary_erosion(seen, border_value=1)] = colours[name]


def _draw_boxes(
    picture: Picture, truth: Truth, window: Window, colours: Mapping[str, Colour]
) -> None:
    """Draw the box of every object that has no mask."""
    side = len(picture)
    corner, scale = np.array([window.x, window.y]), side / np.array([window.width, window.height])
    for each in truth.objects:
        if each.mask is not None:
            continue
        ends = (np.array(each.box).reshape(2, 2) - corner + 0.5) * scale
        (left, bottom), (right, top) = np.floor(ends).astype(int).tolist()
        columns = slice(max(left, 0), max(min(right, side - 1) + 1, 0))
        rows = slice(max(bottom, 0), max(min(top, side - 1) + 1, 0))
        for row in {bottom, top} & set(range(side)):
            picture[row, columns] = colours[each.kind]
        for column in {left, right} & set(range(side)):
            picture[rows, column] = colours[each.kind]


def _cut(mask: Mask, where: Window, window: Window) -> Mask:
    """A mask that lies at `where`, in another window; nothing beyond it."""
    seen = np.zeros(window.shape, bool)
    inside = where.overlap(window)
    if inside is not None:
        there = mask[inside.moved(-where.x, -where.y).slices]
        seen[inside.moved(-window.x, -window.y).slices] = there
    return seen


def _rises(image: SkyImage, window: Window) -> bool:
    """Whether latitude grows with the row, as FITS has it unless the header says otherwise."""
    if image.wcs is None:
        return True
    x, y = window.x + window.width / 2, window.y + window.height / 2
    below, above = image.sky([x, x], [y, y + 1]).spherical.lat.deg
    return bool(np.isnan(above - below) or above >= below)
