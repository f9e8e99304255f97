"""FITS files: the lazy image of an entry, with its planes, its uncertainty and its mask."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
from astropy.io import fits

from napari_astroseg.errors import AstroSegError, ImageError
from napari_astroseg.sky.coords.worldcoords import read_wcs, wcs_cards
from napari_astroseg.sky.files.address import ImageRef
from napari_astroseg.sky.files.contents import Contents, Entry
from napari_astroseg.sky.files.derived import ConstantPixels, DeviationPixels, DeviationPlanes
from napari_astroseg.sky.files.families import part_of
from napari_astroseg.sky.files.fitspixels import (
    CompressedFile,
    CompressedPixels,
    CompressedPlanes,
    FitsPixels,
    FitsPlanes,
)
from napari_astroseg.sky.files.interleaved import (
    InterleavedPlanes,
    InterleavedTilePlanes,
    InterleavedTiles,
)
from napari_astroseg.sky.files.labels import axis_of
from napari_astroseg.sky.files.layout import Layout, picture_header
from napari_astroseg.sky.files.opened import OpenFile
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import PixelSource, Planes

_SLOW_STEP = 32
"""Values between neighbouring pixels from which planes are read far slower than stored."""


class Images:
    """The images of one open file; they share its handle and go on when it is closed.

    Parameters
    ----------
    file
        An open file.
    found
        What it holds.
    """

    def __init__(self, file: OpenFile, found: Contents) -> None:
        self._file, self._found = file, found
        self._packed = CompressedFile(file.handle)

    def image(self, entry: Entry) -> SkyImage:
        """The lazy image of an entry by itself.

        Raises
        ------
        ImageError
            When the file ends before the image does, or its header makes no sense.
        """
        try:
            return self._image(entry)
        except AstroSegError:
            raise
        except Exception as error:  # each kind of damage breaks in its own way
            name, reason = self._file.address.name, " ".join(str(error).split())[:160]
            raise ImageError(
                f"{name} cannot be read as FITS in HDU {entry.hdu} "
                f"({reason or type(error).__name__}); check it with `fitsverify`, "
                "or fetch it again"
            ) from error

    def _image(self, entry: Entry) -> SkyImage:
        if entry.layout is None:
            from napari_astroseg.sky.spheres.healpix import open_healpix

            return open_healpix(self._file, entry.hdu)
        hdu = self._file.hdus[entry.hdu]
        header = picture_header(hdu.header, entry.layout)
        wcs, notes = read_wcs(header, self._file.hdus)
        planes = self._planes(hdu, entry)
        pixels = planes[0]
        stack = entry.layout.count > 1
        return SkyImage(
            pixels,
            wcs,
            wcs_cards(header, wcs),
            entry.unit,
            self._file.address.name.partition(".")[0],
            ImageRef(self._file.address.place, entry.hdu),
            (
                *self._file.notes,
                *self._found.notes,
                *notes,
                *_blank_note(hdu.header),
                *_slowness(entry.layout),
            ),
            planes if stack else None,
            axis_of(hdu.header, entry.layout) if stack else None,
        )

    def with_family(self, entry: Entry) -> SkyImage:
        """The image of an entry, with its uncertainty and its mask where the file has them."""
        image = self.image(entry)
        if entry.role != "science" or entry.layout is None:
            return image
        error, mask = self._found.family(entry)
        notes = list(image.notes)
        uncertainty = self._relative(error, f"{image.name} uncertainty", notes)
        if uncertainty is not None and error is not None:
            uncertainty = _deviations(uncertainty, error, image.unit)
        flags = self._relative(mask, f"{image.name} mask", notes)
        return replace(image, uncertainty=uncertainty, mask=flags, notes=tuple(notes))

    def _relative(self, entry: Entry | None, name: str, notes: list[str]) -> SkyImage | None:
        """What belongs to an image; if it is damaged, the image goes without, and notes it."""
        if entry is None:
            return None
        try:
            return replace(self.image(entry), name=name, notes=())
        except ImageError as error:
            notes.append(f"it opens without its {entry.name}: {error}")
            return None

    def _planes(self, hdu: Any, entry: Entry) -> Planes | list[PixelSource]:
        """The planes of an HDU, one for a single picture, in the reader that suits its storage."""
        layout, header = entry.layout, hdu.header
        assert layout is not None
        if entry.constant is not None:
            return [ConstantPixels(layout.size, entry.constant)]
        stored = np.dtype(fits.BITPIX2DTYPE[header["BITPIX"]]).newbyteorder(">")
        if isinstance(hdu, fits.CompImageHDU):
            return self._packed_planes(hdu, entry.hdu, layout, stored)
        offset = int(hdu.fileinfo()["datLoc"])
        needed = offset + math.prod(layout.full) * stored.itemsize
        handle = self._file.handle
        if needed > handle.size:
            raise ImageError(
                f"{handle.name}: its header promises {needed:,} bytes and the file holds "
                f"{handle.size:,}; it was cut short: fetch it again"
            )
        blank = _blank(header, stored)
        scale, zero = float(header.get("BSCALE", 1.0)), float(header.get("BZERO", 0.0))
        first = FitsPixels(handle, offset, layout.size, stored, scale, zero, blank)
        if layout.in_order:
            return FitsPlanes(first, layout.count)
        above, between, below = _around(layout)
        height, width = layout.size
        lines = replace(first, shape=(above * height * between, width * below))
        return InterleavedPlanes(lines, layout.size, (above, between, below))

    def _packed_planes(
        self, hdu: fits.CompImageHDU, index: int, layout: Layout, stored: np.dtype[Any]
    ) -> Planes:
        full, rows, columns = layout.full, layout.rows, layout.columns
        tile = int(hdu.tile_shape[-2]), int(hdu.tile_shape[-1])
        nowhere = (0,) * (len(full) - 2)
        last = full[-2], full[-1]
        first = CompressedPixels(self._packed, index, last, stored, nowhere, *tile)
        if (rows, columns) == (len(full) - 2, len(full) - 1):
            return CompressedPlanes(first, full[:-2])
        if columns < len(full) - 2:
            raise ImageError(
                f"{self._file.address.name}: the axes of its picture lie above two others in "
                "compressed tiles, which reads too slowly; unpack it with `funpack` first"
            )
        across = columns == len(full) - 1
        others = tuple(n for axis, n in enumerate(full) if axis not in (rows, columns))
        tiles = InterleavedTiles(
            replace(first, tile_rows=1, tile_columns=1), layout.size[0], rows, across
        )
        return InterleavedTilePlanes(tiles, others)


def _blank(header: fits.Header, stored: np.dtype[Any]) -> int | None:
    """The stored integer that stands for missing data; None where no value can be it."""
    blank = _integer(header.get("BLANK"))
    if blank is None or stored.kind not in "iu":
        return None
    limits = np.iinfo(stored)
    return blank if limits.min <= blank <= limits.max else None


def _blank_note(header: fits.Header) -> tuple[str, ...]:
    """A warning where an image of integers names something else for its missing data."""
    blank = header.get("BLANK")
    if blank is None or header["BITPIX"] < 0 or _integer(blank) is not None:
        return ()
    return (f"its BLANK, {blank!r}, is no integer, so no value counts as missing",)


def _integer(told: object) -> int | None:
    """What a card says, where that is a whole number (`-1` or `-1.`); else None."""
    if isinstance(told, float) and told.is_integer():
        return int(told)
    return told if isinstance(told, int) and not isinstance(told, bool) else None


def _deviations(found: SkyImage, entry: Entry, unit: str) -> SkyImage:
    """An uncertainty as standard deviations, whatever the file writes."""
    spread = part_of(entry.name).spread
    if spread is None or spread == "deviation":
        return found
    return replace(
        found,
        pixels=DeviationPixels(found.pixels, spread),
        planes=None if found.planes is None else DeviationPlanes(found.planes, spread),
        unit=unit,
        notes=(f"standard deviations from the {spread}s in HDU {entry.hdu}",),
        reference=None,  # the file holds other values: these travel as they are made
    )


def _around(layout: Layout) -> tuple[int, int, int]:
    """How many planes lie above the picture's rows, between rows and columns, and below."""
    full, rows, columns = layout.full, layout.rows, layout.columns
    return (
        math.prod(full[:rows]),
        math.prod(full[rows + 1 : columns]),
        math.prod(full[columns + 1 :]),
    )


def _slowness(layout: Layout) -> tuple[str, ...]:
    """A warning where every plane costs reading all of them."""
    step = _around(layout)[2]
    if step < _SLOW_STEP:
        return ()
    return (
        f"its pixels lie {step} values apart, so every plane is read slowly; "
        "put the axes of the sky first for speed",
    )
