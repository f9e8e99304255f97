"""Tiles: Spitzer tiles `spitzer_LLLLL+0000_rgb/{r,g,b}.fits` with the Milky Way Project's bubbles.

r is 24 µm, g 8 µm, b 3.6 µm, all on the pixels of g; a network is fed r and g alone, so that b may
be absent. A bubble's box is a square along the pixels, half as wide as 1.3 semi-major axes, and
counts on a tile that shows at least three fifths of it (Nishimoto+2025).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np
from astropy.coordinates import SkyCoord
from numpy.typing import NDArray

from napari_astroseg.errors import AstroSegError, DataError
from napari_astroseg.sky.datasets.bubblecatalogue import Bubble, read_bubbles
from napari_astroseg.sky.datasets.finding import Finding, below
from napari_astroseg.sky.datasets.truth import Item, Listing, Thing, Truth
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.stack import stacked

KIND = "bubble"
VISIBLE = 3 / 5
"""Least share of a box that a tile must show."""

_NEEDED, _BANDS = ("r", "g"), ("r", "g", "b")
_TILE = re.compile(r"spitzer_\d{5}[+-]\d{4}_rgb$")


def recognised(folder: Path) -> bool:
    """Whether it has folders such as `spitzer_02100+0000_rgb`."""
    return bool(_tiles(folder))


def listed(folder: Path, catalogue: Path | None = None) -> Listing:
    """Every tile of a folder that has 24 and 8 µm.

    Parameters
    ----------
    catalogue
        Of the bubbles; by default the one `.dat` file of the folder.

    Raises
    ------
    DataError
        When the catalogue is not there, is one of several, or holds no bubble.
    """
    catalogue = catalogue or _catalogue(folder)
    bubbles, found = read_bubbles(catalogue, folder)
    items, findings = [], list(found)
    for place in _tiles(folder):
        told = below(place, folder)
        files = {band: place / f"{band}.fits" for band in _BANDS}
        lacking = [band for band in _BANDS if not files[band].exists()]
        needed = [f"{band}.fits" for band in lacking if band in _NEEDED]
        if needed:
            what = f"lacks {', '.join(needed)}"
            findings.append(Finding(told, what, "add it, or remove the tile"))
            continue
        if lacking:
            what = "lacks b.fits (3.6 µm), which no network is fed"
            findings.append(Finding(told, what, "add it to see the tile in colour", False))
        bands = [band for band in _BANDS if band not in lacking]
        own = [files[band] for band in bands]
        items.append(
            Item(
                told,
                (*own, catalogue),
                partial(_image, own, bands, told),
                partial(_truth, bubbles),
            )
        )
    findings += _elsewhere(items, bubbles, below(catalogue, folder))
    return Listing(items, kinds=(KIND,), findings=tuple(findings))


def boxes(image: SkyImage, bubbles: Sequence[Bubble]) -> NDArray[np.float64]:
    """(N, 4) x_min, y_min, x_max, y_max of the edges of the boxes, px; NaN where there are none.

    Raises
    ------
    ImageError
        When the image has no sky coordinates.
    """
    there = SkyCoord(
        [each.lon for each in bubbles], [each.lat for each in bubbles], unit="deg", frame="galactic"
    )
    x, y = image.pixel(there)
    sides = image.pixel_sides_arcsec
    assert sides is not None  # `pixel` has just made use of them
    half = 60.0 * np.array([each.half_box_arcmin for each in bubbles])
    return np.stack(
        (x - half / sides[0], y - half / sides[1], x + half / sides[0], y + half / sides[1]), -1
    )


def fed_bands(image: SkyImage) -> tuple[int, ...]:
    """The planes of a tile that a network is fed, by number: r (24 µm), then g (8 µm)."""
    return tuple(image.bands.index(band) for band in _NEEDED)


def shown(edges: NDArray[np.float64], shape: tuple[int, int]) -> NDArray[np.float64]:
    """The share of each box (N, 4) that an image of `shape` shows, 0 to 1."""
    low = np.maximum(edges[:, :2], -0.5)
    high = np.minimum(edges[:, 2:], np.array(shape[::-1]) - 0.5)
    inside = np.prod(np.maximum(high - low, 0), 1)
    return np.nan_to_num(inside / np.prod(edges[:, 2:] - edges[:, :2], 1))


def _truth(bubbles: Sequence[Bubble], image: SkyImage) -> Truth:
    """The bubbles on a tile."""
    edges = boxes(image, bubbles)
    return Truth(
        objects=tuple(
            Thing(KIND, bubbles[n].name, (edge[0], edge[1], edge[2], edge[3]))
            for n in np.flatnonzero(shown(edges, image.shape) >= VISIBLE).tolist()
            for edge in [edges[n].tolist()]
        )
    )


def _elsewhere(items: Sequence[Item], bubbles: Sequence[Bubble], told: str) -> list[Finding]:
    """A finding on the bubbles that no tile shows."""
    on_any = np.zeros(len(bubbles), bool)
    for item in items:
        try:
            on_any |= shown(boxes(item.image, bubbles), item.image.shape) >= VISIBLE
        except AstroSegError:  # the check tells of it
            continue
    off = np.flatnonzero(~on_any)
    if not len(off):
        return []
    first = bubbles[int(off[0])]
    what = (
        f"{len(off):,} of its {len(bubbles):,} bubbles lie on none of the tiles "
        f"(the first is {first.name} at l = {first.lon:g}, b = {first.lat:g})"
    )
    return [Finding(told, what, "add the tiles that show them to learn from them too", False)]


def _image(files: Sequence[Path], bands: Sequence[str], name: str) -> SkyImage:
    return stacked([open_image(path) for path in files], bands, name)


def _tiles(folder: Path) -> list[Path]:
    found = folder.glob("spitzer_*_rgb")
    return sorted(path for path in found if path.is_dir() and _TILE.match(path.name))


def _catalogue(folder: Path) -> Path:
    found = sorted(folder.glob("*.dat"))
    if len(found) != 1:
        many = ", ".join(path.name for path in found)
        raise DataError(
            f"{folder.name} has {f'the catalogues {many}' if found else 'no catalogue of bubbles'}"
            "; name one as `catalogue=`, or put mwpdr2bubbles.dat alone beside the tiles"
        )
    return found[0]
