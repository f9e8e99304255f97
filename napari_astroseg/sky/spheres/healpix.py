"""Healpix: HEALPix maps in FITS tables, opened as lazy images.

Convention: Górski et al. (2005, ApJ 622, 759) and the keywords of the HEALPix library; tables
that list pixels of several orders (`ORDERING = NUNIQ`) as IVOA's MOC has it. The picture is
described in `napari_astroseg.sky.spheres.healpixgrid`; only values under it are read.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import ImageRef
from napari_astroseg.sky.files.opened import OpenFile
from napari_astroseg.sky.files.tablecolumns import Column, TablePages, table_of
from napari_astroseg.sky.image import Axis, SkyImage
from napari_astroseg.sky.pixels import FloatArray, Key, PlainPixels, digest
from napari_astroseg.sky.spheres.healpixgrid import Frame, HealpixGrid, part_of_sky, whole_sky
from napari_astroseg.sky.spheres.healpixorder import Layout, layout_of, ordering_of

UNSEEN = -1.6375e30
"""What the HEALPix library writes where there is no value."""
_BAND = 2**20
"""Positions worked out at a time: bounds memory."""

_FRAMES: dict[str, Frame] = {
    "G": "galactic",
    "C": "icrs",
    "Q": "icrs",
    "I": "icrs",
    "E": "ecliptic",
}


def is_healpix(hdu: Any) -> bool:
    """Whether an HDU is a table that holds a HEALPix map."""
    if not isinstance(hdu, fits.BinTableHDU) or isinstance(hdu, fits.CompImageHDU):
        return False
    header = hdu.header
    if str(header.get("PIXTYPE", "")).strip().upper() == "HEALPIX":
        return True
    return "NSIDE" in header and ordering_of(header) is not None


def open_healpix(opened: OpenFile, index: int) -> SkyImage:
    """The lazy image of a HEALPix map; of several columns, a stack.

    Parameters
    ----------
    opened
        The open file.
    index
        Number of the HDU.

    Raises
    ------
    ImageError
        When the table does not hold what its header says.
    """
    hdu, handle = opened.hdus[index], opened.handle
    header, name = hdu.header, handle.name
    if header.get("ZTABLE"):
        raise ImageError(f"{name}: its table is compressed; unpack it with `funpack {name}`")
    pages, columns = table_of(hdu, handle)
    columns, layout = layout_of(columns, header, pages)
    frame, notes = _frame_of(header)
    if layout.listed is None:
        grid = whole_sky(layout.nside, frame)
    else:
        grid = part_of_sky(layout.nside, frame, layout.corners, layout.listed.widest)
    sources = [HealpixPixels(pages, column, layout, grid) for column in columns]
    units = {column.unit for column in columns}
    labels = tuple(
        f"{column.name} [{column.unit}]" if len(units) > 1 and column.unit else column.name
        for column in columns
    )
    many = len(sources) > 1
    return SkyImage(
        sources[0],
        grid.wcs,
        grid.header.copy(),
        columns[0].unit,
        opened.address.name.partition(".")[0],
        ImageRef(opened.address.place, index),
        (*notes, _how(layout, grid)),
        sources if many else None,
        Axis("plane", "column", labels) if many else None,
    )


def _frame_of(header: fits.Header) -> tuple[Frame, tuple[str, ...]]:
    told = str(header.get("COORDSYS", "")).strip().upper()
    frame = _FRAMES.get(told[:1])
    if frame is not None:
        return frame, ()
    why = f"its COORDSYS {told!r} is not known" if told else "it does not say its COORDSYS"
    return "galactic", (
        f"{why}; taken as Galactic, as most all-sky maps are: check a known source",
    )


def _how(layout: Layout, grid: HealpixGrid) -> str:
    projection = "Mollweide" if "MOL" in grid.header["CTYPE1"] else "zenithal equal-area"
    turned = ", turned from ecliptic to ICRS" if grid.frame == "ecliptic" else ""
    return (
        f"a HEALPix map (NSIDE {layout.nside}, {layout.ordering.upper()}), reprojected onto a "
        f"{projection} grid of half its pixels' width by nearest neighbour{turned}"
    )


@dataclass(frozen=True, eq=False)
class HealpixPixels(PlainPixels):
    """A HEALPix map's column on a flat grid; only the table's pages under it are read.

    Parameters
    ----------
    pages, column
        The table, and which of its columns.
    layout
        Where in the column each HEALPix pixel lies.
    grid
        The picture's pixels.
    factor
        Shows every `factor`-th place of the grid, at the middles of blocks of that side.
    """

    pages: TablePages
    column: Column
    layout: Layout
    grid: HealpixGrid
    factor: int = 1

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W)."""
        height, width = self.grid.shape
        return -(-height // self.factor), -(-width // self.factor)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Native float of the values it gives."""
        return self.column.dtype

    @property
    def identity(self) -> str:
        """A digest of the table's version, the column and the picture."""
        how = (self.layout.nside, self.layout.ordering, self.grid.header.tostring(), self.factor)
        return digest(self.pages.identity, self.column, self.grid.frame, *how)

    def reduced(self, factor: int) -> HealpixPixels:
        """The same picture with blocks of `factor` pixels for pixels, sampled at their middles."""
        return replace(self, factor=self.factor * factor)

    def __getitem__(self, key: Key) -> FloatArray:
        rows, columns = (range(*part.indices(n)) for part, n in zip(key, self.shape, strict=True))
        values = np.full((len(rows), len(columns)), np.nan, self.dtype)
        x, y = self._middles(columns), self._middles(rows)
        step = max(1, _BAND // max(1, len(columns)))
        for top in range(0, len(rows) if len(columns) else 0, step):
            self._fill(values[top : top + step], x, y[top : top + step])
        return values

    def _middles(self, places: range) -> NDArray[np.float64]:
        return np.asarray(places, np.float64) * self.factor + (self.factor - 1) / 2

    def _fill(self, values: FloatArray, x: NDArray[np.float64], y: NDArray[np.float64]) -> None:
        lon, lat = self.grid.sphere(x[None, :], y[:, None])
        on_sky = np.isfinite(lon) & np.isfinite(lat)
        places = self.layout.places(lon[on_sky], lat[on_sky])
        there = places >= 0
        found = np.full(places.shape, np.nan, self.dtype)
        if there.any():
            found[there] = self.pages.take(self.column, places[there])
        found[np.isclose(found, UNSEEN, rtol=1e-5, atol=0.0)] = np.nan
        values[on_sky] = found
