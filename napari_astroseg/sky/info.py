"""Info: what a file holds and how it will be read, in plain values for a table or JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from astropy.io import fits

from napari_astroseg.sky.files.fitsfile import ImageHDU, is_picture, opened
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image

_PROBE = 64
"""Samples along each axis that estimate how much is missing."""


def describe(path: str | Path) -> dict[str, Any]:
    """What a FITS file holds.

    Returns
    -------
    `path`, `kind` (`image`, `cube`, `catalogue` or `none`), `images` (one object per
    two-dimensional image: `hdu`, `name`, `shape`, `dtype` as stored, `unit`, `projection`,
    `centre` (deg) in `frame`,
    `pixel_scale_arcsec`, `missing_fraction` of a sample, `reads`), and `notes`.

    Raises
    ------
    ImageError
        When the file cannot be read at all.
    """
    path = Path(path)
    with opened(path) as hdus:
        found = enumerate(hdus)
        pictures = [(i, str(h.header.get("EXTNAME", ""))) for i, h in found if is_picture(h)]
        cubes = [h.shape for h in hdus if _is_cube(h)]
        tables = sum(isinstance(h, (fits.BinTableHDU, fits.TableHDU)) for h in hdus)
    images = [open_image(path, index) for index, _ in pictures]
    notes = list(dict.fromkeys(note for image in images for note in image.notes))
    if cubes and not images:
        notes.append(f"a cube of shape {cubes[0]}: write the plane you want to a file of its own")
    kinds = {"image": bool(images), "cube": bool(cubes), "catalogue": bool(tables)}
    return {
        "path": str(path),
        "kind": next((kind for kind, there in kinds.items() if there), "none"),
        "images": [
            _row(image, index, name) for image, (index, name) in zip(images, pictures, strict=True)
        ],
        "notes": notes,
    }


def _is_cube(hdu: Any) -> bool:
    shape = getattr(hdu, "shape", ())
    return isinstance(hdu, ImageHDU) and len(shape) > 2 and min(shape) > 0 and not is_picture(hdu)


def _row(image: SkyImage, index: int, name: str) -> dict[str, Any]:
    scale = image.pixel_scale_arcsec
    return {
        "hdu": index,
        "name": name,
        "shape": list(image.shape),
        "dtype": _stored(image),
        "unit": image.unit,
        "projection": "/".join(image.wcs.wcs.ctype) if image.wcs is not None else "",
        "centre": _centre(image),
        "frame": image.frame,
        "pixel_scale_arcsec": None if scale is None else round(scale, 6),
        "missing_fraction": missing_fraction(image),
        "reads": "lazy",
    }


def _stored(image: SkyImage) -> str:
    """Type of the values as the file keeps them."""
    stored = getattr(image.pixels, "stored", image.dtype)
    return str(stored.newbyteorder("="))


def missing_fraction(image: SkyImage) -> float:
    """Fraction of a coarse grid of pixels that are not finite."""
    rows, columns = (slice(None, None, max(1, side // _PROBE)) for side in image.shape)
    return round(float(1.0 - np.isfinite(image.pixels[rows, columns]).mean()), 4)


def _centre(image: SkyImage) -> list[float] | None:
    """Longitude and latitude of the middle pixel, deg, in the image's own frame."""
    if image.wcs is None:
        return None
    middle = image.sky((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2).spherical
    values = (float(middle.lon.deg), float(middle.lat.deg))
    return [round(value, 6) for value in values] if np.all(np.isfinite(values)) else None
