"""Mosaic: many tiles as one lazy image.

Tiles whose grids differ by whole pixels are placed as they are: the mosaic's values are theirs,
bit for bit. Others are resampled onto a common grid where they are looked at. Headers are read
when a mosaic is opened; of the pixels, only what background matching compares.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from astropy import units as u
from astropy.io import fits
from astropy.wcs import WCS

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.coords.worldcoords import window_cards
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.grids.align import grid_of
from napari_astroseg.sky.grids.grid import Grid
from napari_astroseg.sky.grids.pixelmap import PixelMap
from napari_astroseg.sky.grids.warp import WarpedPixels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.background import levels
from napari_astroseg.sky.mosaics.commongrid import Layout, common, pixel_arcsec, shared
from napari_astroseg.sky.mosaics.mosaictile import Tile
from napari_astroseg.sky.mosaics.perpixel import area_factor, is_per_pixel
from napari_astroseg.sky.mosaics.tiling import FootprintPixels, TiledPixels
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pixels import PixelSource
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.stack import common_start
from napari_astroseg.sky.window import Window

_OWN_NOTES = 3

_UNEQUAL = 1.5
"""Pixel scales that differ by more than this are worth a note."""


def open_mosaic(
    paths: Sequence[str | Path | Address | SkyImage],
    *,
    match_background: bool | Literal["plane"] = False,
    projection: str | None = None,
    scale: float | None = None,
    progress: Progress = silent,
) -> SkyImage:
    """One lazy image of many tiles.

    Parameters
    ----------
    paths
        Files, `FILE[n]` for chips of one file, or images that are already open.
    match_background
        Add an offset to each tile so that overlapping tiles agree; `plane`: a plane.
    projection
        Three-letter code of the common grid; given, or with `scale`, tiles are resampled even
        if they share a grid.
    scale
        Side of a pixel of the common grid, arcsec.
    progress
        Hears of tiles opened and compared, and may raise `Stopped`.

    Raises
    ------
    ImageError
        When a tile cannot be opened or has no sky coordinates, or when units differ. No tile is
        ever left out in silence.
    """
    if not paths:
        raise ImageError("a mosaic needs tiles; name at least one")
    images = []
    for done, path in enumerate(paths):
        progress("opening tiles", done, len(paths))
        images.append(_single(path if isinstance(path, SkyImage) else open_image(path)))
    grids = [grid_of(image) for image in images]
    factors, notes = agreed_units(images)
    asked = projection is not None or scale is not None
    layout = (None if asked else shared(grids)) or common(grids, projection, scale)
    tiles = _placed(images, grids, factors, layout)
    if match_background:
        found = levels(tiles, match_background == "plane", progress)
        tiles = [replace(tile, level=level) for tile, level in zip(tiles, found, strict=True)]
    header, wcs = _sky(images[0], layout)
    pixels = TiledPixels(tuple(tiles), layout.grid.shape)
    notes = _notes(images, grids, layout) + notes + _own_notes(images)
    return SkyImage(pixels, wcs, header, images[0].unit, mosaic_name(images), None, notes)


def footprint(image: SkyImage) -> SkyImage:
    """How many tiles have a value at each pixel of a mosaic, lazily.

    Raises
    ------
    ImageError
        When the image is no mosaic.
    """
    pixels = tiled(image)
    name = f"{image.name} footprint"
    return SkyImage(FootprintPixels(pixels), image.wcs, image.header, "", name)


def tiled(image: SkyImage) -> TiledPixels:
    """The tiles behind a mosaic.

    Raises
    ------
    ImageError
        When the image is no mosaic.
    """
    if not isinstance(image.pixels, TiledPixels):
        raise ImageError(f"{image.name} is no mosaic; open its tiles with open_mosaic")
    return image.pixels


def agreed_units(images: Sequence[SkyImage]) -> tuple[list[float], tuple[str, ...]]:
    """Factors from each image's unit to the first one's, and a note where they are not all 1.

    Raises
    ------
    ImageError
        When one cannot be converted.
    """
    first = images[0]
    factors = []
    converted: dict[str, float] = {}
    for image in images:
        factor = 1.0
        if image.unit != first.unit:
            have, wanted = image.physical_unit, first.physical_unit
            # Magnitudes are no multiples of one another, though astropy converts them.
            if not (isinstance(have, u.UnitBase) and isinstance(wanted, u.UnitBase)):
                raise _units_differ(image, first)
            try:
                factor = float(have.to(wanted))
            except Exception as error:  # astropy's refusals have no base class in common
                raise _units_differ(image, first) from error
            if factor != 1.0:
                converted[image.unit] = factor
        factors.append(factor)
    notes = (
        f"tiles in {unit} are multiplied by {factor:g}, which makes them {first.unit}"
        for unit, factor in converted.items()
    )
    return factors, tuple(notes)


def _units_differ(image: SkyImage, first: SkyImage) -> ImageError:
    units = (each.unit or "no unit" for each in (image, first))
    return ImageError(
        "the tiles {} ({}) and {} ({}) have units that cannot be converted; "
        "mosaic tiles of one quantity, or correct BUNIT".format(
            *(part for each in zip((image.name, first.name), units, strict=True) for part in each)
        )
    )


def mosaic_name(images: Sequence[SkyImage]) -> str:
    """What the names of the tiles begin with, and that it is a mosaic."""
    stem = common_start([image.name for image in images]).rstrip(" _-.([0")
    return f"{stem} mosaic" if len(stem) > 2 else f"mosaic of {len(images)} tiles"


def _single(image: SkyImage) -> SkyImage:
    if image.planes is not None:
        raise ImageError(
            f"{image.name} is a stack of {image.count} planes; "
            "write the plane that belongs to the mosaic to a file of its own"
        )
    return image


def _placed(
    images: Sequence[SkyImage], grids: Sequence[Grid], factors: Sequence[float], layout: Layout
) -> list[Tile]:
    """The tiles on the layout's grid; those beside it in all their pixels have no part."""
    tiles = []
    for image, grid, converted, window in zip(images, grids, factors, layout.windows, strict=True):
        if window is None:
            raise ImageError(
                f"{image.name} does not reach the {layout.grid.sky.projection} grid of the mosaic; "
                "give another projection, or leave the tile out"
            )
        pixels: PixelSource = image.pixels
        factor = converted
        if layout.resampled:
            places = PixelMap(layout.grid.part(window), grid)
            pixels = WarpedPixels(image.pixels, places)
            factor = converted * area_factor(image, places.ratio)
        where = image.reference
        place, hdu = ("", 0) if where is None else (where.place, where.hdu)
        tiles.append(Tile(image.name, pixels, window, factor, place=place, hdu=hdu))
    return tiles


def _sky(first: SkyImage, layout: Layout) -> tuple[fits.Header, WCS]:
    """Cards and world coordinates of the mosaic's pixels."""
    if layout.resampled:
        header = layout.grid.sky.wcs.to_header(relax=True)
        header.remove("MJDREF", ignore_missing=True)  # of dates, which it has none of
    else:  # the tile's own cards, digit for digit
        header = window_cards(first.header, Window(*layout.grid.corner, 1, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # said when the tile was opened
        return header, WCS(header, naxis=[1, 2])


def _own_notes(images: Sequence[SkyImage]) -> tuple[str, ...]:
    """What the tiles' reader wants to be known, said once; of many kinds only the first few."""
    return tuple(dict.fromkeys(note for image in images for note in image.notes))[:_OWN_NOTES]


def _notes(images: Sequence[SkyImage], grids: Sequence[Grid], layout: Layout) -> tuple[str, ...]:
    height, width = layout.grid.shape
    how = "placed as they are"
    if layout.resampled:
        code, side = layout.grid.sky.projection, pixel_arcsec(layout.grid)
        how = f"resampled onto {code} pixels of {side:.4g} arcsec"
    notes = [f"{len(images)} tiles {how}, {width} × {height} px"]
    scales = [pixel_arcsec(grid) for grid in grids]
    if max(scales) > _UNEQUAL * min(scales):
        notes.append(
            f"the tiles' pixels measure {min(scales):.4g} to {max(scales):.4g} arcsec: "
            "detail differs from place to place"
        )
    if layout.resampled and any(is_per_pixel(image) for image in images):
        notes.append(f"values in {images[0].unit} are per pixel: scaled to the new pixels' area")
    if any(image.mask is not None for image in images):
        notes.append("masks of the tiles are not applied: flagged pixels count as any other")
    return tuple(notes)
