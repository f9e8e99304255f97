"""Filaments: simulated column-density skies of the Galactic plane with known filament RoIs.

One seed gives one sky in the layout of the Hi-GAL training set: image, target, background and
missing, with the mid-infrared view in which dense filaments are dark. Turbulence, structures and
the RoI definition live in the modules beside this one; here they become a sky with units,
a beam, noise, holes and coordinates, and files.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray
from scipy import ndimage

from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.simulate.observe import (
    NEAR_SHARE,
    beam_smoothed,
    galactic_wcs,
    infrared_view,
    mosaic_edge,
    observed,
    saturation_holes,
)
from napari_astroseg.sky.simulate.populate import diffuse, excess_map
from napari_astroseg.sky.simulate.roi import (
    certain_background,
    decoy_labels,
    regions_of_interest,
)
from napari_astroseg.sky.simulate.settings import FilamentSettings

Bytes = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class FilamentSky:
    """One simulated sky; all maps (H, W), row 0 at the lowest Galactic latitude."""

    image: NDArray[np.float32]
    """N(H2) in cm^-2, NaN where missing."""
    target: Bytes
    """1 in the region of interest of a filament."""
    background: Bytes
    """1 where certainly none is."""
    missing: Bytes
    """1 where the data are valid, 0 where they are missing (the survey's own convention)."""
    decoys: NDArray[np.int32]
    """Labels of what is no filament and may be taken for one: shells of H II regions, clumps."""
    infrared: NDArray[np.float32]
    """Mid-infrared brightness in MJy/sr: filaments are dark in it, decoys are not."""
    wcs: WCS
    """Galactic plate carrée coordinates (GLON-CAR, GLAT-CAR)."""


def simulate_filaments(
    size: int | tuple[int, int] = 512,
    seed: int = 0,
    settings: FilamentSettings | None = None,
    longitude_deg: float = 30.0,
) -> FilamentSky:
    """One sky of filaments, the same for the same size, seed and settings.

    Parameters
    ----------
    size
        Pixels on a side, or (rows, columns).
    seed
        Of `numpy.random.default_rng`.
    settings
        What the sky holds; None takes the defaults, with which the shipped model was trained.
    longitude_deg
        Galactic longitude of the centre; only the coordinates depend on it.
    """
    settings = settings or FilamentSettings()
    shape = (size, size) if isinstance(size, int) else (int(size[0]), int(size[1]))
    rng = np.random.default_rng(seed)
    clouds, excess = diffuse(shape, settings, rng), excess_map(shape, settings, rng)
    clean = beam_smoothed(clouds * (1.0 + excess.all), settings.beam_px)
    own = beam_smoothed(clouds * (excess.all - excess.filaments), settings.beam_px)
    screen = beam_smoothed(clouds * (NEAR_SHARE + excess.filaments), settings.beam_px)
    log_clean = np.log10(clean)
    edge = mosaic_edge(shape, settings, rng)
    missing = edge | saturation_holes(clean, settings, rng)
    target = regions_of_interest(log_clean, settings.criteria)
    if edge.any():
        target &= ndimage.distance_transform_edt(~edge) > settings.edge_gap_px
    background = certain_background(log_clean, settings.criteria, settings.background_gap_px)
    # A hole has no filament that anyone could mark.
    target, background = target & ~missing, background & ~target & ~missing
    image = np.where(missing, np.nan, observed(clean, edge, settings, rng))
    return FilamentSky(
        image=image.astype(np.float32),
        target=target.astype(np.uint8),
        background=background.astype(np.uint8),
        missing=(~missing).astype(np.uint8),
        decoys=decoy_labels(own / (clean - own), target | missing),
        infrared=infrared_view(screen, own, settings, rng).astype(np.float32),
        wcs=galactic_wcs(shape, longitude_deg, settings.pixel_arcsec),
    )


def iter_filaments(
    out: Path,
    n: int,
    size: int | tuple[int, int] = 512,
    seed: int = 0,
    settings: FilamentSettings | None = None,
) -> Iterator[Path]:
    """Write n skies, giving each file's path as it is done: five files to a sky.

    `000_image.fits`, `000_target.fits`, `000_background.fits`, `000_missing.fits` and
    `000_infrared.fits`, then `001_...`; sky i has seed + i and its own longitude, so that no two
    overlap. Files of these names are replaced; others are left alone.
    """
    for number in range(n):
        yield from _written(out, number, size, seed, settings)


def write(out: Path, number: int, size: int | tuple[int, int], seed: int) -> list[Path]:
    """Write one of the skies of `iter_filaments`, by its number, and give its files."""
    return list(_written(out, number, size, seed, None))


def write_filaments(
    out: Path,
    n: int,
    size: int | tuple[int, int] = 512,
    seed: int = 0,
    settings: FilamentSettings | None = None,
) -> list[Path]:
    """Write n skies and give the paths of all their files; see `iter_filaments`."""
    return list(iter_filaments(out, n, size, seed, settings))


def _written(
    out: Path,
    number: int,
    size: int | tuple[int, int],
    seed: int,
    settings: FilamentSettings | None,
) -> Iterator[Path]:
    """Write one sky, file by file."""
    settings = settings or FilamentSettings()
    columns = size if isinstance(size, int) else size[1]
    apart = np.ceil(columns * settings.pixel_arcsec / 3600.0 * 10.0) / 10.0 + 0.1
    longitude = (10.0 + number * apart) % 360.0
    sky = simulate_filaments(size, seed + number, settings, longitude)
    for kind in ("image", "target", "background", "missing", "infrared"):
        path = out / f"{number:03d}_{kind}.fits"
        _write(path, kind, sky, seed + number)
        yield path


def _write(path: Path, kind: str, sky: FilamentSky, seed: int) -> None:
    """Write one map with its coordinates."""
    header = sky.wcs.to_header()
    header["SIMSEED"] = (seed, "seed of the simulated sky")
    header["ORIGIN"] = ("napari-astroseg", "simulated, not observed")
    unit = {"image": "cm-2", "infrared": "MJy/sr"}.get(kind, "")
    write_image(path, getattr(sky, kind), header, unit)
