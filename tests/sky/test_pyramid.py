"""Levels show the same sky at the same place, and read only what they are asked for."""

from __future__ import annotations

import copy
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.stretch import Limits, Stretch
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pixels import PlainPixels
from napari_astroseg.sky.pyramids.chunks import CHUNK, ChunkCache
from napari_astroseg.sky.pyramids.pyramid import COARSEST, DisplayLevel, Level, levels

SIDES = st.integers(1, 3000)
POWERS = st.sampled_from([2, 4, 8, 16])


@dataclass
class Ramp(PlainPixels):
    """Pixels whose value is row × 4096 + column; it notes what is read."""

    shape: tuple[int, int]
    reads: list[tuple[range, range]] = field(default_factory=list)

    dtype = np.dtype(np.float64)
    identity = None

    def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
        rows = range(*key[0].indices(self.shape[0]))
        columns = range(*key[1].indices(self.shape[1]))
        self.reads.append((rows, columns))
        return np.add.outer(np.array(rows) * 4096.0, np.array(columns))

    @property
    def rows_read(self) -> int:
        return sum(len(rows) for rows, _ in self.reads)

    @property
    def pixels_read(self) -> int:
        return sum(len(rows) * len(columns) for rows, columns in self.reads)


def level_of(image: SkyImage, factor: int) -> Level:
    """One level of an image too small to have it by itself."""
    shape = (-(-image.shape[0] // factor), -(-image.shape[1] // factor))
    return Level(image, factor, shape, ChunkCache(2**24))


def block_centres(count: int, factor: int) -> np.ndarray:
    """0-based image positions of the centres of a level's pixels."""
    return (np.arange(count) + 0.5) * factor - 0.5


@given(height=SIDES, width=SIDES)
def test_levels_share_their_edges(height: int, width: int) -> None:
    pixels = Ramp((height, width))
    pyramid = levels(SkyImage(pixels))
    padded = pyramid[0].shape
    block = pyramid[-1].factor
    for level in pyramid:
        assert (level.shape[0] * level.factor, level.shape[1] * level.factor) == padded
    assert height <= padded[0] < height + block
    assert width <= padded[1] < width + block
    assert max(pyramid[-1].shape) < 2 * COARSEST
    assert len(pyramid) == 1 or max(pyramid[-1].shape) >= COARSEST
    assert not pixels.reads


@given(height=SIDES, width=SIDES, factor=POWERS)
@settings(deadline=None, max_examples=25)
def test_a_level_is_half_pixel_exact(height: int, width: int, factor: int) -> None:
    level = level_of(SkyImage(Ramp((height, width))), factor)
    whole_rows, whole_columns = height // factor, width // factor
    values = level[:whole_rows, :whole_columns].astype(np.float64)
    rows, columns = block_centres(whole_rows, factor), block_centres(whole_columns, factor)
    assert np.allclose(values, np.add.outer(rows * 4096, columns), rtol=1e-6, atol=0)


@given(x=st.floats(900, 1900), y=st.floats(600, 1700))
@settings(deadline=None, max_examples=8)
def test_a_source_keeps_its_sky_position_at_every_level(x: float, y: float) -> None:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.crpix, wcs.wcs.crval, wcs.wcs.cdelt = [1200, 1100], [30, 0], [-1e-3, 1e-3]
    rows, columns = np.ogrid[:2301, :4502]
    blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 12.0**2)).astype(np.float32)
    image = SkyImage.from_array(blob, wcs)
    pyramid = levels(image)
    assert [level.factor for level in pyramid] == [1, 2, 4]
    for level in pyramid:
        weights = np.nan_to_num(np.asarray(level)).astype(np.float64)
        at = [
            (block_centres(count, level.factor) * weights.sum(axis=1 - axis)).sum() / weights.sum()
            for axis, count in enumerate(level.shape)
        ]
        found = image.sky(at[1], at[0])
        assert found.separation(image.sky(x, y)).deg < 0.01 * 1e-3


@given(
    array=hnp.arrays(
        np.float32,
        hnp.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=40),
        elements=st.one_of(st.just(np.nan), st.floats(-1e6, 1e6, width=32)),
    ),
    factor=POWERS,
)
@settings(deadline=None)
def test_missing_data_are_left_out(array: np.ndarray, factor: int) -> None:
    level = level_of(SkyImage.from_array(array), factor)
    rows, columns = (n * factor for n in level.shape)
    padded = np.full((rows, columns), np.nan)
    padded[: array.shape[0], : array.shape[1]] = array
    values = np.asarray(level)
    middle = slice(factor // 2 - 1, factor // 2 + 1)
    for (row, column), value in np.ndenumerate(values):
        block = padded[row * factor :, column * factor :][middle, middle]
        present = block[~np.isnan(block)]
        expected = present.mean() if present.size else np.nan
        assert np.isclose(value, expected, rtol=1e-5, atol=1e-3, equal_nan=True)


def test_the_second_level_is_the_true_block_mean() -> None:
    array = np.random.default_rng(0).normal(size=(60, 44))
    level = level_of(SkyImage.from_array(array), 2)
    assert np.allclose(np.asarray(level), array.reshape(30, 2, 22, 2).mean(axis=(1, 3)))


INDEX = st.one_of(
    st.integers(-600, 599),
    st.slices(600).filter(lambda s: s.step is None or abs(s.step) < 50),
)


@given(rows=INDEX, columns=INDEX)
@settings(deadline=None)
def test_indexing_is_numpys(rows: int | slice, columns: int | slice) -> None:
    level = level_of(SkyImage(Ramp((1200, 1200))), 2)
    expected = np.add.outer(block_centres(600, 2) * 4096, block_centres(600, 2))
    expected = expected.astype(np.float32)[rows, columns]
    found = level[rows, columns]
    assert np.shape(found) == expected.shape
    assert np.array_equal(found, expected)


def test_a_level_has_an_arrays_face() -> None:
    level = levels(SkyImage(Ramp((700, 900))))[0]
    assert (level.ndim, level.size, len(level)) == (2, 700 * 900, 700)
    assert level.dtype == np.float32
    assert level.chunks == (CHUNK, CHUNK)
    assert np.array_equal(level[...], np.asarray(level))
    assert np.array_equal(level[3], np.asarray(level)[3])
    assert np.asarray(level).dtype.isnative
    with pytest.raises(IndexError):
        level[700, 0]
    with pytest.raises(IndexError, match="2 axes"):
        level[0, 0, 0]


def test_padding_is_missing_data() -> None:
    level = levels(SkyImage(Ramp((2047, 4097))))[0]
    assert level.shape == (2048, 4100)
    assert np.isnan(level[2047]).all()
    assert np.isnan(level[:, 4097:]).all()
    assert not np.isnan(level[:2047, :4097]).any()


def test_a_view_reads_its_chunks_once() -> None:
    pixels = Ramp((20_000, 20_000))
    fine = levels(SkyImage(pixels))[0]
    view = fine[9000:9400, 9300:9700]  # over the border of two chunks
    assert pixels.pixels_read == 2 * CHUNK * CHUNK
    assert view[5, 7] == np.float32(9005 * 4096 + 9307)
    pixels.reads.clear()
    assert np.array_equal(fine[9100:9200, 9301:9600], view[100:200, 1:300])
    assert not pixels.reads


@pytest.mark.parametrize("factor", [4, 16])
def test_a_coarse_level_reads_two_rows_of_each_block(factor: int) -> None:
    pixels = Ramp((8192, 8192))
    level = level_of(SkyImage(pixels), factor)
    np.asarray(level)
    assert pixels.rows_read == 2 * level.shape[0]
    for rows, _ in pixels.reads:
        assert rows[0] % factor == factor // 2 - 1


def test_the_levels_of_an_image_share_a_bounded_cache() -> None:
    chunk = np.zeros((10, 10), np.float32)
    cache = ChunkCache(3 * chunk.nbytes)
    for column in range(5):
        cache.put((1, 0, column), chunk)
        cache.get((1, 0, 0))
    assert cache.held == 3 * chunk.nbytes
    assert cache.get((1, 0, 0)) is chunk
    assert cache.get((1, 0, 1)) is None
    pyramid = levels(SkyImage(Ramp((5000, 5000))))
    assert all(level.cache is pyramid[0].cache for level in pyramid)


def test_an_array_in_memory_is_not_kept_twice() -> None:
    level = levels(SkyImage.from_array(np.ones((600, 600), np.float32)))[0]
    np.asarray(level)
    assert level.cache.held == 0


def test_many_threads_get_the_same_values() -> None:
    level = levels(SkyImage(Ramp((3000, 3000))))[1]
    expected = np.add.outer(block_centres(1500, 2) * 4096, block_centres(1500, 2))
    expected = expected.astype(np.float32)
    ready = threading.Barrier(4)

    def look(seed: int) -> bool:
        rng = np.random.default_rng(seed)
        ready.wait()
        views = (rng.integers(0, 1400, 2) for _ in range(30))
        return all(
            np.array_equal(level[y : y + 90, x : x + 90], expected[y : y + 90, x : x + 90])
            for y, x in views
        )

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(look, range(4)))


@pytest.mark.parametrize("tile", [None, (1, 2100), (256, 256), (610, 2100)])
def test_a_file_gives_what_its_array_gives(tmp_path: Path, tile: tuple[int, int] | None) -> None:
    array = np.random.default_rng(1).normal(size=(610, 2100)).astype(np.float32)
    array[300:420, 500:900] = np.nan
    hdu: Any = fits.PrimaryHDU(array)
    if tile is not None:
        hdu = fits.CompImageHDU(array, compression_type="GZIP_2", quantize_level=0, tile_shape=tile)
    hdu.writeto(tmp_path / "sky.fits")
    from_file = levels(open_image(tmp_path / "sky.fits"))
    for found, expected in zip(from_file, levels(SkyImage.from_array(array)), strict=True):
        assert np.array_equal(np.asarray(found), np.asarray(expected), equal_nan=True)
    assert np.array_equal(
        np.asarray(level_of(from_file[0].image, 8)),
        np.asarray(level_of(SkyImage.from_array(array), 8)),
        equal_nan=True,
    )


def test_a_sparse_giant_opens_with_little_reading(tmp_path: Path) -> None:
    side = 20_000
    header = fits.Header({"SIMPLE": True, "BITPIX": -32, "NAXIS": 2})
    header["NAXIS1"] = header["NAXIS2"] = side
    path = tmp_path / "giant.fits"
    start = header.tostring().encode()
    with path.open("wb") as file:
        file.write(start)
        file.truncate(len(start) + side * side * 4 + 2880)
    pyramid = levels(open_image(path))
    assert np.asarray(pyramid[-1]).shape == (1250, 1250)
    assert pyramid[0].cache.held == 1250 * 1250 * 4


def test_display_levels_stretch_what_is_looked_at() -> None:
    pixels = Ramp((4096, 4096))
    level = levels(SkyImage(pixels))[0]
    shown = DisplayLevel(level, Stretch("linear", Limits(0.0, 4096.0)))
    assert shown.shape == level.shape
    assert not pixels.reads
    assert np.allclose(shown[7, :512], 7 + np.arange(512) / 4096)
    assert copy.deepcopy(shown) is shown
