"""Sets: folders `set_N` of one image per band and one mask per object, as Astro R-CNN learns from.

`masks.fits` holds one image of the whole frame for each object, whose CLASS_ID is 1 for a star
and 2 for a galaxy. An object is where its image exceeds a share of its own peak (0.005 for stars,
0.08 for galaxies), smoothed (Burke+2019).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.errors import DataError
from napari_astroseg.sky.coords.worldcoords import read_wcs
from napari_astroseg.sky.datasets.finding import Finding, below
from napari_astroseg.sky.datasets.truth import Item, Listing, Mask, Thing, Truth
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.fourmaps import apart_px
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.stack import stacked
from napari_astroseg.sky.window import Window

KINDS = ("star", "galaxy")

_CLASS_ID: dict[Any, str] = {1: "star", 2: "galaxy"}

_SHARE = {"star": 0.005, "galaxy": 0.08}
_SIGMA_PX, _REACH_PX = 2.0, 4
_BANDS = ("z", "r", "g")
"""Bands of the authors, shown as red, green, blue."""

_SET = re.compile(r"set_(\d+)$")
_BAND = re.compile(r"img_(\w+)\.fits$")
_PLACING = re.compile(r"(CTYPE|CRVAL|CRPIX|CDELT|CROTA|PC|CD|PV|LONPOLE|LATPOLE|RADESYS|EQUINOX)")
_VALIDATION = 0.2
"""14 of 70 images test."""


def recognised(folder: Path) -> bool:
    """Whether it has folders such as `set_0`, or is one itself."""
    return bool(_sets(folder))


def listed(folder: Path) -> Listing:
    """Every set of a folder that has all bands; the bands are those of the most complete one."""
    sets = _sets(folder)
    told = {place: _bands(place) for place in sets}
    every = {band for bands in told.values() for band in bands}
    wanted = set(_BANDS) if every <= set(_BANDS) else every
    order = sorted(wanted, key=lambda band: (_BANDS.index(band) if band in _BANDS else 9, band))
    items, findings = [], []
    for place in sets:
        lacking = [band for band in order if band not in told[place]]
        if lacking:
            names = ", ".join(f"img_{band}.fits" for band in lacking)
            findings.append(
                Finding(below(place, folder), f"lacks {names}", "add it, or remove the set")
            )
            continue
        files = [told[place][band] for band in order]
        masks = place / "masks.fits"
        if not masks.exists():
            findings.append(
                Finding(
                    below(place, folder),
                    "has no masks.fits, so it can be predicted on but not learnt from",
                    "add masks.fits to learn from it",
                    left_out=False,
                )
            )
        name = below(place, folder) if place != folder else place.name
        known = partial(_truth, masks, folder) if masks.exists() else None
        own = (*files, masks) if masks.exists() else tuple(files)
        items.append(Item(name, own, partial(_image, files, order, name), known))
    return Listing(items, KINDS, KINDS, tuple(findings), validation=_VALIDATION)


def _sets(folder: Path) -> list[Path]:
    """The folders of sets by their numbers."""
    found = [path for path in folder.glob("set_*") if path.is_dir() and _SET.match(path.name)]
    if not found and len(_bands(folder).keys() & set(_BANDS)) > 1:
        return [folder]
    return sorted(found, key=lambda path: int(path.name[4:]))


def _bands(place: Path) -> dict[str, Path]:
    """Band → file."""
    told = ((_BAND.match(path.name), path) for path in sorted(place.glob("img_*.fits")))
    return {match[1]: path for match, path in told if match}


def _image(files: list[Path], bands: list[str], name: str) -> SkyImage:
    return stacked([open_image(path) for path in files], bands, name)


def _truth(path: Path, folder: Path, image: SkyImage) -> Truth:
    """The objects of a set, and where any star or galaxy is."""
    found = list(_things(path, below(path, folder), image))
    things = tuple(each for each in found if isinstance(each, Thing))
    findings = tuple(each for each in found if isinstance(each, Finding))
    if not things:
        raise DataError(
            f"{path.name} holds no object that can be used; write one image per object, each with "
            "CLASS_ID 1 (star) or 2 (galaxy)"
        )
    pixels = {kind: np.zeros(image.shape, bool) for kind in KINDS}
    for thing in things:
        assert thing.window is not None and thing.mask is not None
        pixels[thing.kind][thing.window.slices] |= thing.mask
    return Truth(pixels, things, findings=findings)


def _things(path: Path, told: str, image: SkyImage) -> Iterator[Thing | Finding]:
    """Each HDU's object, or why it is none."""
    seen: dict[tuple[object, ...], str] = {}
    lies: dict[str, float] = {}
    with opened(Address.of(path)) as file:
        for number, hdu in enumerate(file.hdus):
            header = hdu.header
            if number == 0 and not header.get("NAXIS"):
                continue
            try:
                _require_place(number, header, image, lies)
                thing = _thing(number, header.get("CLASS_ID"), _values(hdu), image.shape)
                assert thing.mask is not None
                marked = thing.kind, thing.window, thing.mask.tobytes()
                if marked in seen:
                    raise DataError(
                        f"HDU {number} marks the very pixels of {seen[marked]}; remove one of them"
                    )
                seen[marked] = thing.name
                yield thing
            except DataError as error:
                yield Finding.of(told, error)


def _require_place(
    number: int, header: fits.Header, image: SkyImage, lies: dict[str, float]
) -> None:
    """Refuse a mask that says it lies elsewhere on the sky; most say nothing.

    Parameters
    ----------
    lies
        Distances that are known, by the cards that place a mask.
    """
    if image.wcs is None or not header.get("CTYPE1"):
        return
    shape = header.get("NAXIS2"), header.get("NAXIS1")
    if shape != image.shape:
        return  # what is said of the shape says enough
    cards = repr([(key, header[key]) for key in header if _PLACING.match(key)])
    if cards not in lies:
        wcs, _ = read_wcs(header)
        mask = SkyImage.from_array(np.broadcast_to(np.float32(0), image.shape), wcs)
        lies[cards] = 0.0 if wcs is None else apart_px(mask, image)
    if lies[cards] > 1.0:
        raise DataError(
            f"HDU {number} lies elsewhere on the sky than its image, by {lies[cards]:,.0f} px; put "
            "both on the same pixels"
        )


def _values(hdu: Any) -> NDArray[np.float32]:
    """The values of an image as they are meant; (0, 0) for what is no image."""
    if not hdu.is_image or hdu.data is None or hdu.data.ndim != 2:
        return np.zeros((0, 0), np.float32)
    scale, zero = float(hdu.header.get("BSCALE", 1)), float(hdu.header.get("BZERO", 0))
    return (np.asarray(hdu.data, np.float32) * np.float32(scale) + np.float32(zero)).astype(
        np.float32, copy=False
    )


def _thing(number: int, told: Any, values: NDArray[np.float32], shape: tuple[int, int]) -> Thing:
    """The object of one HDU."""
    kind = _CLASS_ID.get(told)
    if kind is None:
        said = "no CLASS_ID" if told is None else f"the CLASS_ID {told}"
        raise DataError(f"HDU {number} has {said}; give it 1 for a star or 2 for a galaxy")
    if values.shape != shape:
        size = " × ".join(map(str, values.shape[::-1]))
        raise DataError(
            f"HDU {number} is {size} pixels and its image {shape[1]} × {shape[0]}; "
            "put both on the same pixels"
        )
    values = np.nan_to_num(values)
    peak = float(values.max(initial=0.0))
    if peak <= 0:
        raise DataError(f"HDU {number} is a mask without an object; remove it from the file")
    window, mask = _smoothed(values / peak > _SHARE[kind])
    if not mask.any():
        raise DataError(f"HDU {number} has too few pixels for an object; remove it from the file")
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    box = (
        float(window.x + columns[0] - 0.5),
        float(window.y + rows[0] - 0.5),
        float(window.x + columns[-1] + 0.5),
        float(window.y + rows[-1] + 0.5),
    )
    return Thing(kind, f"HDU {number}", box, window, mask)


def _smoothed(mask: Mask) -> tuple[Window, Mask]:
    """A mask after a Gaussian of 2 px, where at least half is left, in the window around it."""
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    top, left = max(rows[0] - _REACH_PX, 0), max(columns[0] - _REACH_PX, 0)
    inside = mask[top : rows[-1] + _REACH_PX + 1, left : columns[-1] + _REACH_PX + 1]
    smooth = ndimage.gaussian_filter(
        inside.astype(np.float32), _SIGMA_PX, mode="mirror", radius=_REACH_PX
    )
    window = Window(int(left), int(top), inside.shape[1], inside.shape[0])
    return window, np.asarray(smooth >= 0.5)
