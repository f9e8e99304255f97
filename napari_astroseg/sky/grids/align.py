"""Align: one image on the pixels of another, lazily."""

from __future__ import annotations

from dataclasses import replace

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.grids.grid import Grid
from napari_astroseg.sky.grids.pixelmap import PixelMap
from napari_astroseg.sky.grids.warp import Sampling, WarpedPixels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.mosaictile import Tile
from napari_astroseg.sky.mosaics.tiling import TiledPixels
from napari_astroseg.sky.window import Window


def grid_of(image: SkyImage) -> Grid:
    """The grid that an image's pixels lie on.

    Raises
    ------
    ImageError
        When it has no sky coordinates.
    """
    if image.wcs is None:
        told = (note.partition(";")[0] for note in image.notes if "sky coordinates" in note)
        why = next(told, "no sky coordinates")
        raise ImageError(
            f"{image.name} cannot be placed on the sky ({why}); add a WCS to its header"
        )
    return Grid.of(image.wcs, image.shape)


def aligned(image: SkyImage, onto: SkyImage, sampling: Sampling = "bilinear") -> SkyImage:
    """An image's values on the pixels of another, NaN where it does not reach.

    Parameters
    ----------
    image
        What to show. Of a stack, its first plane.
    onto
        Whose pixels to show it on.
    sampling
        `nearest` for labels and flags, which must not be averaged.

    Raises
    ------
    ImageError
        When one of them has no sky coordinates, or they lie apart.
    """
    source, target = grid_of(image), grid_of(onto)
    reach = source.reach(target)
    window = reach and reach.overlap(Window.whole(target.shape))
    if window is None:
        raise ImageError(
            f"{image.name} and {onto.name} show different parts of the sky; "
            "align images that overlap"
        )
    pixels = WarpedPixels(image.pixels, PixelMap(target.part(window), source), sampling)
    place = image.reference.place if image.reference is not None else ""
    tile = Tile(image.name, pixels, window, place=place)
    return replace(
        image,
        pixels=TiledPixels((tile,), target.shape),
        wcs=onto.wcs,
        header=onto.header,
        reference=None,
        planes=None,
        axis=None,
        uncertainty=None,
        mask=None,
    )
