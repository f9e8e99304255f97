"""Tiny folders in the layouts that networks learn from, with known truth."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from astropy.io import fits
from skies import galactic_wcs

from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.votes.gz3d import Galaxy
from napari_astroseg.sky.votes.writing import Annotator, write_gz3d_like

SIDE = 48


def write_set(folder: Path, number: int, bands: str = "grz") -> Path:
    """A set of one star and one galaxy: squares of 9 and 15 px at (10, 12) and (30, 28)."""
    place = folder / f"set_{number}"
    place.mkdir(parents=True)
    rng = np.random.default_rng(number)
    for band in bands:
        write_image(
            place / f"img_{band}.fits", rng.normal(size=(SIDE, SIDE)).astype(np.float32) + number
        )
    write_masks(place / "masks.fits", [(1, square(10, 12, 9)), (2, square(30, 28, 15))])
    return place


def square(x: int, y: int, side: int) -> np.ndarray:
    """A frame with a square of ones in the middle at (x, y)."""
    frame = np.zeros((SIDE, SIDE), np.float32)
    frame[y - side // 2 : y + side // 2 + 1, x - side // 2 : x + side // 2 + 1] = 7.0
    return frame


def write_masks(path: Path, objects: list[tuple[int | None, np.ndarray]]) -> None:
    """One HDU for each object; the first is primary."""
    hdus: list[fits.PrimaryHDU | fits.ImageHDU] = []
    for number, values in objects:
        hdu = fits.ImageHDU(values) if hdus else fits.PrimaryHDU(values)
        if number is not None:
            hdu.header["CLASS_ID"] = number
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path, overwrite=True)


TILE = 120
"""Side of a tile, px of 30 arcsec: one degree."""


def write_tile(folder: Path, lon: float, bands: str = "rgb") -> Path:
    """A tile of one degree around a longitude."""
    place = folder / f"spitzer_{round(lon * 100):05d}+0000_rgb"
    place.mkdir(parents=True)
    wcs = galactic_wcs(30 / 3600, 0.0)
    wcs.wcs.crpix = [TILE / 2 + 0.5 + (lon if lon < 180 else lon - 360) * 120, TILE / 2 + 0.5]
    rng = np.random.default_rng(round(lon * 100))
    for band in bands:
        write_image(
            place / f"{band}.fits",
            rng.normal(size=(TILE, TILE)).astype(np.float32),
            wcs.to_header(),
            "MJy/sr",
        )
    return place


def bubble_row(number: int, lon: float, lat: float, major: float) -> str:
    """One row of the catalogue, in its columns."""
    row = f"MWP2G{number:07d}+0000000\t{lon:8.4f}\t{lat:8.4f}\t 0.22\t{major:5.2f}\t 0.49"
    return row + "\t 0.53\t     \t161\t133\t0.530\t 0.06\t0.180\tR"


def write_stamps(folder: Path, name: str = "field_0", count: int = 12) -> tuple[Path, Path]:
    """Stamps of 16 px: 20 px of a galaxy and 4 of overlap in each."""
    rng = np.random.default_rng(count)
    truth = np.zeros((count, 16, 16), np.uint8)
    truth[:, 2:6, 2:8] = 1
    truth[:, 3:5, 4:6] = 2
    files = folder / f"stamps_WithNoise_{name}.npy", folder / f"stamps_seg_{name}.npy"
    np.save(files[0], rng.normal(size=truth.shape).astype(np.float32))
    np.save(files[1], truth)
    return files


def write_galaxies(folder: Path, count: int = 4) -> list[Path]:
    """Files of Galaxy Zoo 3D: four people who draw a spiral of 6 × 10 px, one who draws a bar."""
    spiral, bar = np.zeros((24, 30), bool), np.zeros((24, 30), bool)
    spiral[5:11, 4:14], bar[15:17, 4:9] = True, True
    paths = []
    for number in range(count):
        people = [Annotator(f"p{n}", {"spiral": spiral}) for n in range(4)]
        people.append(Annotator("q", {"bar": bar}))
        picture = np.full((24, 30, 3), number, np.uint8)
        path = folder / f"gz3d_1-{number}_37_100{number}.fits.gz"
        about = Galaxy(manga_id=f"1-{number // 2}")
        paths.append(write_gz3d_like(path, picture, people, galaxy=about))
    return paths
