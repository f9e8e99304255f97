"""Compare: another survey on a map's pixels, over bare interpolation and beside reproject."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numba
import numpy as np
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.bench.fields import cards
from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.record import Measurement
from napari_astroseg.bench.timing import Pair, in_turn, seconds, words
from napari_astroseg.sky.grids.align import align, grid_of
from napari_astroseg.sky.grids.pixelmap import PixelMap
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

_VIEW = (945, 1191)
_THREADS = min(4, os.cpu_count() or 1)
_LATTICE = 301
_ROUNDS = 20
_VIEW_TARGET, _WHOLE_TARGET, _VALUES_TARGET, _POSITIONS_TARGET = 10.0, 0.1, 1.0, 1000.0

Values = NDArray[np.float32]
Places = NDArray[np.float64]


def measure(plan: Plan, scratch: Path) -> Iterator[Measurement]:
    """A view, the whole, and how far either is from exact."""
    image, onto = _survey(plan.compare_px), _map(plan.compare_px)
    yield _view(plan, image, onto)
    yield from _whole(plan, image, onto)
    yield _positions(image, onto)


def _map(side: int) -> SkyImage:
    """The reference: a galactic plate carrée."""
    header = cards(side)
    header["CDELT1"], header["CDELT2"] = -2.0 / 3600, 2.0 / 3600
    return SkyImage.from_array(np.zeros((side, side), np.float32), WCS(header), name="map")


def _survey(side: int) -> SkyImage:
    """Noise on an equatorial tangent plane about the same place, with pixels a little finer."""
    middle = _map(side).sky((side - 1) / 2, (side - 1) / 2).icrs
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval = middle.ra.deg, middle.dec.deg
    wcs.wcs.crpix = (side + 1) / 2, (side + 1) / 2
    wcs.wcs.cdelt = -1.9 / 3600, 1.9 / 3600
    values = np.random.default_rng(0).normal(10.0, 1.0, (side, side)).astype(np.float32)
    return SkyImage.from_array(values, wcs, name="survey")


def _exactly(image: SkyImage, onto: SkyImage) -> SkyImage:
    """By exact positions, whatever an affine map would do."""
    return align(image, onto, tolerance_px=0.0).image


def _view(plan: Plan, image: SkyImage, onto: SkyImage) -> Measurement:
    """A view that was not looked at before, over interpolation at places that are known."""
    from reproject import reproject_interp

    height, width = (min(n, plan.compare_px // 2) for n in _VIEW)
    view = Window(plan.compare_px // 4, plan.compare_px // 4, width, height)
    fresh = iter([_exactly(image, onto).pixels for _ in range(_ROUNDS)])
    bare = _remap(image, onto, view)
    pair = Pair(*in_turn(plan, lambda: next(fresh)[view.slices], bare))
    placing = seconds(lambda: align(image, onto))
    assert onto.wcs is not None
    part = onto.wcs[view.slices]
    values = image.pixels[:, :]
    theirs = seconds(lambda: reproject_interp((values, image.wcs), part, shape_out=view.shape))
    how = (
        f"{words(pair.ours_s)} / {words(pair.bare_s)}: {width} × {height} px, on {_THREADS} "
        f"threads; placing the image, once, {words(placing)}; reproject_interp {words(theirs)}"
    )
    return Measurement.at_most("compare view", pair.ratio, "× bare remap", _VIEW_TARGET, how)


def _whole(plan: Plan, image: SkyImage, onto: SkyImage) -> Iterator[Measurement]:
    """All of it over reproject, and how far the two differ."""
    from reproject import reproject_interp

    values = image.pixels[:, :]
    found: dict[str, NDArray[np.floating]] = {}

    def ours() -> None:
        found["ours"] = _exactly(image, onto).pixels[:, :]

    def theirs() -> None:
        found["theirs"], _ = reproject_interp(
            (values, image.wcs), onto.wcs, shape_out=onto.shape, parallel=_THREADS
        )

    pair = Pair(*in_turn(plan, ours, theirs))
    how = f"{words(pair.ours_s)} / {words(pair.bare_s)}: {onto.shape[0]}² px, placing included"
    yield Measurement.at_most("compare whole", pair.ratio, "× reproject", _WHOLE_TARGET, how)
    both = np.isfinite(found["ours"]) & np.isfinite(found["theirs"])
    apart = 1e3 * float(np.abs(found["ours"] - found["theirs"])[both].max() / np.std(values))
    told = f"largest difference from reproject_interp at {np.count_nonzero(both):,} pixels"
    figures = apart, "× σ/1000", 0.0, _VALUES_TARGET
    yield Measurement("compare values", *figures, apart <= _VALUES_TARGET, "≤", told)


def _positions(image: SkyImage, onto: SkyImage) -> Measurement:
    """The places that are read, against astropy's, on a lattice over the map."""
    source, target = grid_of(image), grid_of(onto)
    step = max(1, target.shape[0] // _LATTICE)
    lattice = range(step // 2, target.shape[0], step)
    x, y = PixelMap(target, source)(lattice, lattice)
    column, row = np.meshgrid(np.array(lattice, float), np.array(lattice, float))
    exact_x, exact_y = image.pixel(onto.sky(column, row))
    inside = (np.abs(exact_x) < image.shape[1]) & (np.abs(exact_y) < image.shape[0])
    inside &= np.isfinite(x) & np.isfinite(y)
    off = float(np.hypot(x - exact_x, y - exact_y)[inside].max()) * 1e9
    affine = align(image, onto, tolerance_px=100.0).how
    told = f"from exact positions, at {np.count_nonzero(inside):,} places; {affine.sentence}"
    figures = off, "× 1e-9 px", 0.0, _POSITIONS_TARGET
    return Measurement("compare positions", *figures, off <= _POSITIONS_TARGET, "≤", told)


def _remap(image: SkyImage, onto: SkyImage, view: Window) -> Callable[[], object]:
    """Bilinear interpolation of a view and nothing else, its places known before."""
    remap = numba.njit(nogil=True, error_model="numpy", fastmath=True)(_bilinear)
    grid = grid_of(onto).part(view)
    x, y = PixelMap(grid, grid_of(image))(range(view.height), range(view.width))
    values = np.ascontiguousarray(image.pixels[:, :], np.float32)
    bands = np.array_split(np.arange(view.height), _THREADS)

    def once() -> None:
        out = np.empty(view.shape, np.float32)
        with ThreadPoolExecutor(_THREADS) as pool:
            rows = (slice(band[0], band[-1] + 1) for band in bands)
            for done in [pool.submit(remap, values, x[r], y[r], out[r]) for r in rows]:
                done.result()

    return once


def _bilinear(values: Values, x: Places, y: Places, out: Values) -> None:
    """Interpolate, all places being inside and no value missing."""
    for i in range(out.shape[0]):
        for j in range(out.shape[1]):
            left, low = int(x[i, j]), int(y[i, j])
            fx, fy = np.float32(x[i, j] - left), np.float32(y[i, j] - low)
            below = values[low, left] + fx * (values[low, left + 1] - values[low, left])
            above = values[low + 1, left] + fx * (values[low + 1, left + 1] - values[low + 1, left])
            out[i, j] = below + fy * (above - below)
