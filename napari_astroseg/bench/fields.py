"""Fields: the maps that benchmarks read, with values that the model expects."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
from astropy.io import fits

from napari_astroseg.sky.files.writing import write_image

_CARDS = {
    "CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR", "CUNIT1": "deg", "CUNIT2": "deg",
    "CRVAL1": 30.0, "CRVAL2": 0.0, "CDELT1": -11.5 / 3600, "CDELT2": 11.5 / 3600,
}  # fmt: skip

_STRIP = 512
_SPARE = 3
"""A map is written in full where so many of it would fit on the disk."""


def cards(side: int) -> fits.Header:
    """Galactic plate carrée coordinates of a square map."""
    header = fits.Header(_CARDS)
    header["CRPIX1"] = header["CRPIX2"] = (side + 1) / 2
    return header


def write_noise(path: Path, side: int) -> Path:
    """Write a square map of log-normal noise around 1e22 cm^-2."""
    rng = np.random.default_rng(0)
    values = 10.0 ** rng.normal(22.0, 0.2, (side, side)).astype(np.float32)
    return write_image(path, values, cards(side), unit="cm-2")


def write_survey(path: Path, side: int) -> Path:
    """Write a square float32 map with noise, stars and a twentieth of missing border.

    Every byte is written, strip by strip, where the disk leaves room enough; otherwise the map
    is sparse (see `write_sparse`), and its name says so.
    """
    length = 4 * side * side
    if shutil.disk_usage(path.parent).free < _SPARE * length:
        return write_sparse(path.with_name(f"sparse-{path.name}"), side, [*range(0, side, 64)])
    rng = np.random.default_rng(0)
    strip = rng.normal(10.0, 1.0, (_STRIP, side)).astype(">f4")
    stars = rng.integers(0, strip.size, strip.size // 10_000)
    strip.flat[stars] += rng.exponential(1e4, stars.size)
    border = side // 20
    strip[:, :border] = strip[:, side - border :] = np.nan
    missing = np.full(side, np.nan, ">f4").tobytes()
    with path.open("wb") as file:
        file.write(_head(side))
        for top in range(0, side, _STRIP):
            for row in range(top, min(top + _STRIP, side)):
                inside = border <= row < side - border
                file.write(strip[row - top].tobytes() if inside else missing)
        file.write(bytes(-length % 2880))
    return path


def write_sparse(path: Path, side: int, rows: list[int]) -> Path:
    """Write a square float32 map as a sparse file in which only `rows` hold values."""
    head = _head(side)
    line = (10.0 ** np.random.default_rng(0).normal(22.0, 0.2, side)).astype(">f4").tobytes()
    length = side * side * 4
    with path.open("wb") as file:
        file.write(head)
        for row in rows:
            file.seek(len(head) + row * side * 4)
            file.write(line)
        file.truncate(len(head) + -(-length // 2880) * 2880)
    return path


def _head(side: int) -> bytes:
    """The header of a square float32 map."""
    header = fits.Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 2)])
    header["NAXIS1"] = header["NAXIS2"] = side
    header.update(cards(side))
    header["BUNIT"] = "cm-2"
    text: str = header.tostring(sep="", endcard=True, padding=True)
    return text.encode("ascii")
