"""Info: what a file holds and how it will be read, in plain values for a table or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.choosing import chosen, nothing_to_show
from napari_astroseg.sky.files.contents import Contents, Entry, Table, contents
from napari_astroseg.sky.files.fitsfile import Images
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.files.zarrfile import is_store
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import is_hips_place, open_image
from napari_astroseg.sky.pixels import Reducible
from napari_astroseg.sky.progress import Progress, silent

_PROBE = 64
"""Samples along each axis that estimate how much is missing."""
_PROBE_FAR = 16
"""The same behind a network, where every row is a question to a server."""
_BLOCKS = 8
"""Blocks along each axis where values are unpacked tile by tile, and samples along each block."""
_FINEST = 1e-6
"""Spread of values, of their median, below which single precision knows but a few steps."""
_LABELS = 16
"""Planes up to which all labels are listed."""


def describe(path: str | Path | Address, progress: Progress = silent) -> dict[str, Any]:
    """What a FITS file, wherever it lies, a HiPS folder or a prediction's zarr store holds.

    Returns
    -------
    `path`, `kind` (`image`, `multiband`, `cube`, `votes`, `catalogue` or `none`), `images`,
    `tables` (`hdu`, `name`, `rows`, `columns`), and `notes`. Every image has `hdu`, `name`,
    `version`, `kind`, `role`, `shape` (all axes but those of length 1, slowest first), `width`
    and `height` of the picture, `dtype` as stored, `unit`, `projection`, `centre` (deg) in
    `frame`, `pixel_scale_arcsec`, `missing_fraction` of a sample of its first plane, `reads`,
    `planes` (null for a single one; else `count`, `axis`, `first` and `last` label, all `labels`
    where they are few), and the HDUs of its `uncertainty` and `mask`, null without.

    Raises
    ------
    ImageError
        When the file cannot be read at all.
    """
    address = Address.of(path)
    told: dict[str, Any] = {"path": str(path.place if isinstance(path, Address) else path)}
    if is_hips_place(address) or (address.is_folder and is_store(address.place)):
        return told | _folder(address)
    with opened(address, progress) as file:
        found = contents(file)
        wanted = found.entries if address.hdu is None else (chosen(file, found, address.hdu),)
        images = Images(file, found)
        rows, notes = [], _Notes(file.notes + found.notes)
        failed: ImageError | None = None
        for entry in wanted:
            try:
                image = images.image(entry)
                rows.append(_row(image, entry, found) | {"reads": file.reads})
            except ImageError as error:
                failed = error
                notes.add(entry.hdu, (str(error),))
            else:
                notes.add(entry.hdu, image.notes + finer_than_a_picture(image))
        if failed is not None and not rows:
            raise failed
        tables = [] if address.hdu is not None else [_table(table) for table in found.tables]
        if not rows and not tables:
            notes.of_file += (nothing_to_show(file, found),)
    if found.bands and address.hdu is None:
        bands = ", ".join(name for _, name in found.bands)
        notes.of_file += (f"its bands {bands} open as one image",)
    notes_told = notes.told(len(wanted) > 1)
    return told | {"kind": found.kind, "images": rows, "tables": tables, "notes": notes_told}


class _Notes:
    """Notes on a file and on its HDUs, one line for HDUs that share one."""

    def __init__(self, of_file: tuple[str, ...]) -> None:
        self.of_file = of_file
        self._of_hdus: dict[str, list[int]] = {}

    def add(self, hdu: int, notes: tuple[str, ...]) -> None:
        """Note what is new on one HDU."""
        for note in notes:
            if note not in self.of_file:
                self._of_hdus.setdefault(note, []).append(hdu)

    def told(self, several: bool) -> list[str]:
        """All of them, with the numbers of their HDUs where the file has several."""
        lines = list(self.of_file)
        for note, hdus in self._of_hdus.items():
            lines.append(f"HDU {', '.join(map(str, hdus))}: {note}" if several else note)
        return lines


def _folder(address: Address) -> dict[str, Any]:
    image = open_image(address)
    shape = image.shape if image.planes is None else (image.count, *image.shape)
    entry = Entry(0, "", 1, shape, "image", "science", image.unit)
    kind = "multiband" if len(image.bands) > 1 else "image"
    row = _row(image, entry, Contents("image", (entry,))) | {"reads": "lazy"}
    return {"kind": kind, "images": [row], "tables": [], "notes": list(image.notes)}


def _table(table: Table) -> dict[str, Any]:
    return {
        "hdu": table.hdu,
        "name": table.name,
        "rows": table.rows,
        "columns": list(table.columns),
    }


def _row(image: SkyImage, entry: Entry, found: Contents) -> dict[str, Any]:
    scale, sides = image.pixel_scale_arcsec, image.pixel_sides_arcsec
    error, mask = found.family(entry) if entry.role == "science" else (None, None)
    return {
        "hdu": entry.hdu,
        "name": entry.name,
        "version": entry.version,
        "kind": entry.kind,
        "role": entry.role,
        "shape": list(entry.shape if entry.layout is not None else image.shape),
        "width": image.shape[1],
        "height": image.shape[0],
        "dtype": _stored(image),
        "unit": image.unit,
        "projection": _projection(image),
        "centre": _centre(image),
        "frame": image.frame,
        "pixel_scale_arcsec": None if scale is None else round(scale, 6),
        "pixel_sides_arcsec": None if sides is None else [round(side, 6) for side in sides],
        "missing_fraction": missing_fraction(image),
        "planes": _planes(image),
        "uncertainty": None if error is None else error.hdu,
        "mask": None if mask is None else mask.hdu,
    }


def _planes(image: SkyImage) -> dict[str, Any] | None:
    if image.planes is None or image.axis is None:
        return None
    labels = image.axis.labels
    return {
        "count": image.count,
        "axis": image.axis.name,
        "first": labels[0],
        "last": labels[image.count - 1],
        "labels": [labels[n] for n in range(image.count)] if image.count <= _LABELS else None,
    }


def _projection(image: SkyImage) -> str:
    """The types of its two axes, as the file writes them; "" without sky coordinates."""
    if image.wcs is None:
        return ""
    read = zip((1, 2), image.wcs.wcs.ctype, strict=True)
    return "/".join(str(image.header.get(f"CTYPE{n}", ctype)).strip() for n, ctype in read)


def _stored(image: SkyImage) -> str:
    """Type of the values as the file keeps them."""
    stored = getattr(image.pixels, "stored", image.dtype)
    return str(stored.newbyteorder("="))


def missing_fraction(image: SkyImage) -> float | None:
    """Fraction of a coarse sample of the (first plane's) pixels that are not finite.

    None where none could be read.
    """
    try:
        finite = [np.isfinite(values).mean() for values in _samples(image)]
    except ImageError:  # a damaged part does not keep the rest from being told
        return None
    return round(float(1.0 - np.mean(finite)), 4)


def finer_than_a_picture(image: SkyImage) -> tuple[str, ...]:
    """A note on values that differ by less than a picture in single precision can show.

    Told by a coarse sample of the (first plane's) pixels: times in days are such values.
    """
    if image.dtype != np.float64:
        return ()
    try:
        values = np.concatenate([np.ravel(values) for values in _samples(image)])
    except ImageError:  # told where the image opens
        return ()
    finite = values[np.isfinite(values)]
    if finite.size == 0:
        return ()
    low, middle, high = np.percentile(finite, (1, 50, 99))
    if not 0.0 < high - low < _FINEST * abs(middle):
        return ()
    return (
        "its values differ by less than float32 can tell; the picture cannot show it, the cursor "
        "can: subtract their mean first",
    )


def _samples(image: SkyImage) -> list[Any]:
    """Some pixels from all over an image; how many does not grow with it."""
    pixels = image.pixels
    factor = 1 << max(0, (min(pixels.shape) // _PROBE).bit_length() - 1)
    if factor > 1 and isinstance(pixels, Reducible):
        pixels = pixels.reduced(factor)
    if pixels.tile_rows == 1:
        far = image.reference is not None and image.reference.path is None
        every = [max(1, side // (_PROBE_FAR if far else _PROBE)) for side in pixels.shape]
        return [pixels[slice(None, None, every[0]), slice(None, None, every[1])]]
    starts = [
        sorted({round(at) for at in np.linspace(0, max(0, side - _BLOCKS), _BLOCKS)})
        for side in pixels.shape
    ]
    return [pixels[y : y + _BLOCKS, x : x + _BLOCKS] for y in starts[0] for x in starts[1]]


def _centre(image: SkyImage) -> list[float] | None:
    """Longitude and latitude of the middle pixel, deg, in the image's own frame."""
    if image.wcs is None:
        return None
    middle = image.sky((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2).spherical
    values = (float(middle.lon.deg), float(middle.lat.deg))
    return [round(value, 6) for value in values] if np.all(np.isfinite(values)) else None
