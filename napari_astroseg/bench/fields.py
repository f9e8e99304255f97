"""Fields: the maps that benchmarks read, with values that the model expects."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits

from napari_astroseg.sky.files.writing import write_image

_CARDS = {
    "CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR", "CUNIT1": "deg", "CUNIT2": "deg",
    "CRVAL1": 30.0, "CRVAL2": 0.0, "CDELT1": -11.5 / 3600, "CDELT2": 11.5 / 3600,
}  # fmt: skip


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


def write_sparse(path: Path, side: int, rows: list[int]) -> Path:
    """Write a square float32 map as a sparse file in which only `rows` hold values."""
    header = fits.Header([("SIMPLE", True), ("BITPIX", -32), ("NAXIS", 2)])
    header["NAXIS1"] = header["NAXIS2"] = side
    header.update(cards(side))
    header["BUNIT"] = "cm-2"
    head = header.tostring(sep="", endcard=True, padding=True).encode("ascii")
    line = (10.0 ** np.random.default_rng(0).normal(22.0, 0.2, side)).astype(">f4").tobytes()
    length = side * side * 4
    with path.open("wb") as file:
        file.write(head)
        for row in rows:
            file.seek(len(head) + row * side * 4)
            file.write(line)
        file.truncate(len(head) + -(-length // 2880) * 2880)
    return path
