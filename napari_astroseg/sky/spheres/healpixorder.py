"""Healpixorder: where in a table's columns each HEALPix pixel lies.

Whole maps name no pixels: the place in the column is the pixel. Maps of a part of the sky list
their pixels; those of several orders list each as one number, 4 × 4^order + pixel (NUNIQ).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import astropy.units as u
import numpy as np
from astropy.io import fits
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.tablecolumns import Column, TablePages

Ordering = Literal["ring", "nested", "nuniq"]

MOST_LISTED = 2**23
"""A list of more pixels than this is not held in memory: it would take more than 512 MB."""
_BATCH = 2**18
"""Entries whose places are worked out at once."""
_DEEPEST = 29
"""HEALPix order beyond which a pixel's number needs more than 64 bits."""
_LISTS = {"PIXEL", "PIXELS", "PIX", "IPIX", "INDEX", "HPX_INDEX", "HEALPIX", "UNIQ"}
_ORDERINGS: dict[str, Ordering] = {
    "RING": "ring", "NESTED": "nested", "NEST": "nested", "NUNIQ": "nuniq", "UNIQ": "nuniq",
}  # fmt: skip


@dataclass(frozen=True)
class Listed:
    """Pixels that a table lists, by their numbers.

    Parameters
    ----------
    starts, ends
        First pixel of each entry, ascending, and the one after its last; of the finest order.
    places
        Where in the column the entry is; None if entry and place are the same.
    """

    starts: NDArray[np.int64]
    ends: NDArray[np.int64]
    places: NDArray[np.int64] | None

    @property
    def widest(self) -> float:
        """Side of the largest entry, in pixels of the finest order."""
        return float(np.sqrt((self.ends - self.starts).max()))

    def find(self, pixels: NDArray[np.int64]) -> NDArray[np.int64]:
        """Places of pixels; -1 for those that are not listed."""
        entry = np.searchsorted(self.starts, pixels, side="right") - 1
        there = (entry >= 0) & (pixels < self.ends[np.maximum(entry, 0)])
        found = entry if self.places is None else self.places[np.maximum(entry, 0)]
        return np.where(there, found, -1)


@dataclass(frozen=True)
class Layout:
    """How a table's columns hold a map.

    Parameters
    ----------
    nside
        Resolution; of the finest pixels where there are several.
    ordering
        How its pixels are numbered.
    first, count
        The pixels that columns hold one after the other, where none are listed.
    listed
        The pixels that are listed, if it lists them.
    """

    nside: int
    ordering: Ordering
    first: int
    count: int
    listed: Listed | None = None

    @property
    def order(self) -> str:
        """`ring` or `nested`, as astropy-healpix names them."""
        return "ring" if self.ordering == "ring" else "nested"

    def places(self, lon: NDArray[np.float64], lat: NDArray[np.float64]) -> NDArray[np.int64]:
        """Places in the column of the pixels at positions, degrees; -1 where it has none."""
        from astropy_healpix import lonlat_to_healpix

        pixels = lonlat_to_healpix(lon << u.deg, lat << u.deg, self.nside, order=self.order)
        pixels = np.asarray(pixels, np.int64)
        if self.listed is not None:
            return self.listed.find(pixels)
        pixels -= self.first
        pixels[(pixels < 0) | (pixels >= self.count)] = -1
        return pixels

    def corners(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.float64]]]:
        """Longitudes and latitudes of the first and last pixels of all entries, in degrees.

        They come in batches, for all at once would take far more memory than the list.
        """
        from astropy_healpix import healpix_to_lonlat

        assert self.listed is not None
        for first in range(0, len(self.listed.starts), _BATCH):
            batch = slice(first, first + _BATCH)
            ends = np.concatenate([self.listed.starts[batch], self.listed.ends[batch] - 1])
            lon, lat = healpix_to_lonlat(ends, self.nside, order=self.order)
            yield lon.to_value(u.deg), lat.to_value(u.deg)


def ordering_of(header: fits.Header) -> Ordering | None:
    """How a header says that pixels are numbered; None if it says nothing that is known."""
    return _ORDERINGS.get(str(header.get("ORDERING", "")).strip().upper())


def layout_of(
    columns: list[Column], header: fits.Header, pages: TablePages
) -> tuple[list[Column], Layout]:
    """The columns of values, and where in them each pixel lies.

    Raises
    ------
    ImageError
        When header and table do not agree on a HEALPix map.
    """
    name = pages.handle.name
    ordering = ordering_of(header)
    if ordering is None:
        raise ImageError(
            f"{name}: its ORDERING {header.get('ORDERING', 'is missing')!r} is no HEALPix one; "
            "set it to RING or NESTED"
        )
    listing = _listing(columns, header, ordering)
    values = [column for column in columns if column is not listing]
    values = [column for column in values if column.repeat == values[0].repeat]
    if not values:
        raise ImageError(f"{name}: its HEALPix table has no column of numbers; open another HDU")
    count = pages.rows * values[0].repeat
    if listing is None:
        layout = _one_after_the_other(header, ordering, count, name)
    else:
        layout = _listed(header, ordering, listing, pages)
    if layout.ordering != "ring" and layout.nside & (layout.nside - 1):
        raise ImageError(f"{name}: NSIDE {layout.nside} cannot be NESTED; set ORDERING to RING")
    return values, layout


def _listing(columns: list[Column], header: fits.Header, ordering: Ordering) -> Column | None:
    """The column that lists the pixels, if there is one."""
    implicit = str(header.get("INDXSCHM", "")).strip().upper() == "IMPLICIT"
    if implicit and ordering != "nuniq":
        return None
    whole = [column for column in columns if column.stored.kind in "iu"]
    return next((column for column in whole if column.name.upper() in _LISTS), None)


def _one_after_the_other(header: fits.Header, ordering: Ordering, count: int, name: str) -> Layout:
    nside = int(header.get("NSIDE", 0)) or round((count / 12) ** 0.5)
    if not 0 < nside <= 2**_DEEPEST:
        raise ImageError(
            f"{name}: its NSIDE is not between 1 and 2^{_DEEPEST}; set the NSIDE it was made with"
        )
    first = int(header.get("FIRSTPIX", 0))
    asked = 12 * nside**2
    whole = int(header.get("LASTPIX", asked - 1)) - first + 1
    if not (0 <= first < asked and 0 < whole <= count):
        raise ImageError(
            f"{name}: NSIDE {nside} asks for {asked:,} pixels and its table holds {count:,}; "
            "it lists no pixels or was cut short: fetch it again"
        )
    return Layout(nside, ordering, first, min(whole, asked - first))


def _listed(header: fits.Header, ordering: Ordering, listing: Column, pages: TablePages) -> Layout:
    name = pages.handle.name
    if pages.rows * listing.repeat > MOST_LISTED:
        raise ImageError(
            f"{name} lists {pages.rows * listing.repeat:,} pixels, more than are held in memory; "
            "write it as a map of the whole sky (`healpy.write_map(…, partial=False)`)"
        )
    numbers = pages.whole(listing).astype(np.int64, copy=False)
    if ordering == "nuniq":
        starts, ends, nside = _of_several_orders(numbers, name)
    else:
        starts, ends, nside = numbers, numbers + 1, int(header.get("NSIDE", 0))
    if not 0 < nside <= 2**_DEEPEST or starts.min() < 0 or ends.max() > 12 * nside**2:
        raise ImageError(
            f"{name}: it lists pixels that NSIDE {nside} does not have; fetch it again, or set "
            "the NSIDE it was made with"
        )
    places = None
    if np.any(starts[1:] < starts[:-1]):
        places = np.argsort(starts, kind="stable")
        starts, ends = starts[places], ends[places]
    return Layout(nside, ordering, 0, len(starts), Listed(starts, ends, places))


def _of_several_orders(
    numbers: NDArray[np.int64], name: str
) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    """First pixels and ends, of the finest order among them, and its NSIDE."""
    if numbers.min() < 4:
        raise ImageError(f"{name}: its UNIQ column holds {numbers.min()}, no pixel; fetch it again")
    orders = (np.log2(numbers.astype(np.float64) / 4.0) // 2).astype(np.int64)
    # A float cannot tell the last numbers of an order from the first of the next.
    orders += (numbers >> (2 * orders + 4)) > 0
    orders -= (numbers >> (2 * orders + 2)) == 0
    finest = int(orders.max())
    if finest > _DEEPEST:
        raise ImageError(f"{name}: order {finest} is deeper than HEALPix goes; fetch it again")
    shift = 2 * (finest - orders)
    pixels = numbers - (np.int64(4) << (2 * orders))
    return pixels << shift, (pixels + 1) << shift, 2**finest
