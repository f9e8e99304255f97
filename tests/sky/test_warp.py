"""Values on another grid: where exact positions and reproject put them, and nothing lost."""

from __future__ import annotations

import pickle
import threading
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.grids.align import aligned, grid_of
from napari_astroseg.sky.grids.grid import Grid
from napari_astroseg.sky.grids.pixelmap import TOLERANCE_PX, Lattice, PixelMap
from napari_astroseg.sky.grids.warp import WarpedPixels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.window import Window


def wcs_at(
    lon: float, lat: float, *, code: str = "TAN", galactic: bool = False, arcsec: float = 2.0,
    size: tuple[int, int] = (200, 200), turned: float = 0.0,
) -> WCS:  # fmt: skip
    wcs = WCS(naxis=2)
    names = ("GLON", "GLAT") if galactic else ("RA--", "DEC-")
    wcs.wcs.ctype = [f"{name}-{code}" for name in names]
    wcs.wcs.crval = [lon, lat]
    wcs.wcs.crpix = [(n + 1) / 2 for n in size[::-1]]
    wcs.wcs.cdelt = [-arcsec / 3600, arcsec / 3600]
    angle = np.radians(turned)
    wcs.wcs.pc = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    wcs.wcs.set()
    return wcs


def smooth(shape: tuple[int, int], seed: int = 0) -> NDArray[np.float32]:
    from scipy.ndimage import gaussian_filter

    noise = np.random.default_rng(seed).normal(size=shape)
    return gaussian_filter(noise, 1.5).astype(np.float32)


def blank(wcs: WCS, shape: tuple[int, int]) -> SkyImage:
    return SkyImage.from_array(np.zeros(shape, np.float32), wcs, name="target")


def whole(image: SkyImage) -> NDArray[np.floating]:
    return image.pixels[:, :]


def around(image: SkyImage, arcsec: float, shape: tuple[int, int]) -> SkyImage:
    """An empty tangent plane in ICRS about the middle of an image."""
    middle = image.sky((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2).icrs
    return blank(wcs_at(middle.ra.deg, middle.dec.deg, arcsec=arcsec, size=shape), shape)


def as_reproject_does(image: SkyImage, onto: SkyImage) -> tuple[NDArray, NDArray]:
    """Our values and theirs where both have some, in robust σ of the image."""
    from reproject import reproject_interp

    theirs, _ = reproject_interp(
        (whole(image).astype(float), image.wcs), onto.wcs, shape_out=onto.shape
    )
    ours = whole(aligned(image, onto))
    spread = 1.4826 * np.nanmedian(np.abs(theirs - np.nanmedian(theirs)))
    assert not np.any(np.isfinite(theirs) & np.isnan(ours)), "a value of theirs is missing"
    both = np.isfinite(theirs)
    assert np.count_nonzero(both) > 1000
    return ours[both] / spread, theirs[both] / spread


REAL = [
    ("twomass/gc_2mass_k.fits", "twomass/gc_bolocam_gps.fits"),
    ("twomass/gc_bolocam_gps.fits", "twomass/gc_2mass_k.fits"),
    ("spitzer/sipsample.fits", None),
    ("odd/galsim__tanpv.fits", None),
    ("odd/galsim__tpv.fits.gz", None),
    ("odd/galsim__pole.fits", None),
    ("odd/galsim__1904-66_TAN.fits", "odd/galsim__1904-66_ARC.fits"),
    ("odd/galsim__1904-66_ARC.fits", "odd/galsim__1904-66_TAN.fits"),
]


@pytest.mark.parametrize(("source", "target"), REAL)
def test_real_files_look_as_reproject_shows_them(
    shared_data: Path, source: str, target: str | None
) -> None:
    image = open_image(shared_data / source)
    if target is not None:
        onto = open_image(shared_data / target)
    else:
        assert image.pixel_scale_arcsec is not None
        onto = around(image, 0.93 * image.pixel_scale_arcsec, (400, 380))
    ours, theirs = as_reproject_does(image, onto)
    assert np.abs(ours - theirs).max() < 1e-3


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (wcs_at(0.0, 0.0, code="CAR", galactic=True), wcs_at(266.4, -28.94)),
        (wcs_at(266.4, -28.94), wcs_at(0.0, 0.0, code="CAR", galactic=True)),
        (wcs_at(0.0, 10.0), wcs_at(0.02, 10.01, turned=30)),
        (wcs_at(359.99, 60.0, code="ZEA"), wcs_at(0.01, 60.0, code="SIN")),
        (wcs_at(30.0, 90.0), wcs_at(200.0, 90.0, code="ARC")),
        (wcs_at(30.0, -89.99), wcs_at(10.0, -90.0, code="STG", turned=12)),
        (wcs_at(40.0, 5.0, arcsec=-2.0), wcs_at(40.0, 5.0, turned=180)),
    ],
)
def test_wraps_poles_and_mirrors_look_as_reproject_shows_them(source: WCS, target: WCS) -> None:
    image = SkyImage.from_array(smooth((200, 200)), source)
    ours, theirs = as_reproject_does(image, blank(target, (200, 200)))
    assert np.abs(ours - theirs).max() < 1e-3


@pytest.mark.parametrize("lon", [10.0, 100.0, 179.5, 181.0, 270.0, 350.0, 0.0])
def test_a_map_once_around_the_sky_is_whole_wherever_it_begins(lon: float) -> None:
    """Its columns run from l = 360 to 0, up to a turn away from its CRVAL1."""
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.cdelt = ["GLON-CAR", "GLAT-CAR"], [-0.25, 0.25]
    wcs.wcs.crval, wcs.wcs.crpix = [0.0, 0.0], [1440.5, 40.5]
    longitude = 359.875 - 0.25 * np.arange(1440)
    around_the_sky = SkyImage.from_array(np.tile(longitude, (80, 1)), wcs)
    onto = blank(wcs_at(lon, 0.0, galactic=True, arcsec=300, size=(40, 40)), (40, 40))
    seen = whole(aligned(around_the_sky, onto))
    y, x = np.indices((40, 40))
    truth = onto.sky(x, y).l.deg
    here = np.abs(truth - 180) < 179.7  # where the map ends, pixels lie half beside it
    np.testing.assert_allclose(seen[here], truth[here], atol=1e-3)
    turned = SkyImage.from_array((truth - lon + 180) % 360, onto.wcs)
    back = whole(aligned(turned, around_the_sky))
    here = np.isfinite(back)
    assert np.count_nonzero(here) > 150
    expected = np.tile((longitude - lon + 180) % 360, (80, 1))
    np.testing.assert_allclose(back[here], expected[here], atol=0.13)  # half covered at the rim


def test_a_plane_beyond_the_poles_is_empty() -> None:
    sphere = SkyImage.from_array(
        np.ones((180, 360), np.float32), wcs_at(0, 0, code="CAR", arcsec=3600, size=(180, 360))
    )
    onto = blank(wcs_at(0, 0, code="CAR", arcsec=3600, size=(200, 360)), (200, 360))
    seen = whole(aligned(sphere, onto))
    assert np.isnan(seen[:10]).all() and np.isnan(seen[190:]).all()
    assert np.isfinite(seen[10:190]).all()


def exactly(target: Grid, source: Grid) -> tuple[NDArray, NDArray]:
    y, x = np.indices(target.shape, float)
    return target.onto(source, x, y)


@pytest.mark.parametrize(
    ("source", "target", "shape"),
    [
        (wcs_at(266.4, -28.94), wcs_at(0.0, 0.0, code="CAR", galactic=True), (1500, 700)),
        (wcs_at(10.0, 0.0, arcsec=60), wcs_at(13.0, 0.5, arcsec=60), (600, 600)),
        # half the sky about a pole, with the wrap and the pole itself among the pixels
        (wcs_at(0.0, 0.0, code="CAR", arcsec=3600), wcs_at(20.0, 90.0, code="ZEA", arcsec=3600),
         (180, 180)),
        (wcs_at(0.0, 0.0, code="AIT", arcsec=3600), wcs_at(0.0, 0.0, code="CAR", arcsec=3600),
         (180, 360)),
    ],
)  # fmt: skip
def test_positions_are_exact_within_the_stated_tolerance(
    source: WCS, target: WCS, shape: tuple[int, int]
) -> None:
    here, there = Grid.of(target, shape), Grid.of(source, (180, 360))
    x, y = PixelMap(here, there)(range(shape[0]), range(shape[1]))
    exact_x, exact_y = exactly(here, there)
    inside = (exact_x > -1) & (exact_x < 360) & (exact_y > -1) & (exact_y < 180)
    assert inside.any()
    assert np.abs(x - exact_x)[inside].max() < 10 * TOLERANCE_PX
    assert np.abs(y - exact_y)[inside].max() < 10 * TOLERANCE_PX


def test_positions_do_not_depend_on_how_they_are_asked_for() -> None:
    here = Grid.of(wcs_at(0.0, 0.0, code="CAR", galactic=True), (700, 700))
    there = Grid.of(wcs_at(266.4, -28.94), (200, 200))
    whole_x, _ = PixelMap(here, there)(range(700), range(700))
    part_x, _ = PixelMap(here, there)(range(100, 700, 7), range(3, 650, 11))
    np.testing.assert_allclose(part_x, whole_x[100:700:7, 3:650:11], rtol=0, atol=1e-9)


def test_any_window_and_step_gives_the_same_values() -> None:
    image = SkyImage.from_array(smooth((200, 200)), wcs_at(266.4, -28.94))
    pixels = aligned(image, blank(wcs_at(0.0, 0.0, code="CAR", galactic=True), (200, 200))).pixels
    full = pixels[:, :]
    for key in [np.s_[3:9, 100:180], np.s_[::7, 5:190:3], np.s_[190:10:-4, ::-1], np.s_[5:5, :]]:
        np.testing.assert_array_equal(pixels[key], full[key])


def test_the_same_grid_gives_the_same_values() -> None:
    values = smooth((50, 60))
    values[10:14, 20:30] = np.nan
    wcs = wcs_at(30.0, 20.0, size=(50, 60))
    np.testing.assert_allclose(
        whole(aligned(SkyImage.from_array(values, wcs), blank(wcs, (50, 60)))), values, atol=1e-6
    )


def test_missing_pixels_lose_their_weight_and_no_neighbour() -> None:
    values = np.ones((20, 20), np.float32)
    values[10, 10] = np.nan
    half = Lattice((20, 20), (0, 0))

    class Shifted(Lattice):
        def __call__(self, rows: range, columns: range) -> tuple[NDArray, NDArray]:
            x, y = super().__call__(rows, columns)
            return x + 0.3, y

    places = Shifted(half.shape, half.corner, half.step)
    seen = WarpedPixels(ArrayPixels(values), places)[:, :]
    assert np.isnan(seen[10, 10])  # its own pixel is missing
    assert seen[10, 9] == 1.0  # its neighbour is whole, by its own weight alone
    assert np.count_nonzero(np.isnan(seen)) == 1


def test_labels_are_never_averaged() -> None:
    rng = np.random.default_rng(1)
    labels = rng.integers(0, 5, (200, 200)).astype(np.float32)
    onto = blank(wcs_at(0.0, 0.0, code="CAR", galactic=True, arcsec=3.1), (200, 200))
    seen = whole(aligned(SkyImage.from_array(labels, wcs_at(266.4, -28.94)), onto, "nearest"))
    assert set(np.unique(seen[np.isfinite(seen)])) == {0, 1, 2, 3, 4}


@pytest.mark.parametrize("ratio", [2.0, 3.0, 5.3, 9.0])
def test_coarser_pixels_lose_no_source(ratio: float) -> None:
    values = np.zeros((600, 600), np.float32)
    rng = np.random.default_rng(2)
    stars = rng.integers(100, 500, (60, 2))
    values[stars[:, 0], stars[:, 1]] = 100.0
    side = round(600 / ratio)
    onto = blank(wcs_at(30.0, 20.0, arcsec=2 * ratio, turned=17, size=(side, side)), (side, side))
    seen = aligned(SkyImage.from_array(values, wcs_at(30.0, 20.0, size=(600, 600))), onto)
    found = np.nansum(whole(seen)) * ratio**2
    assert found == pytest.approx(values.sum(), rel=0.1)
    for row, column in stars:  # each is seen, and where it is
        x, y = seen.pixel(SkyImage.from_array(values, wcs_at(30.0, 20.0, size=(600, 600))).sky(
            column, row
        ))  # fmt: skip
        window = Window.around(float(x), float(y), 3)
        assert seen.cutout(window).max() > 100.0 / ratio**2 / 8


def test_a_huge_source_under_few_pixels_is_read_in_bounded_windows() -> None:
    class Counting:
        shape, dtype, ndim, identity = (20000, 20000), np.dtype(np.float32), 2, "counting"
        largest = 0

        def __getitem__(self, key: tuple[slice, slice]) -> NDArray[np.float32]:
            size = [len(range(n)[part]) for n, part in zip(self.shape, key, strict=True)]
            self.largest = max(self.largest, size[0] * size[1])
            return np.ones(size, np.float32)

    source = Counting()
    seen = WarpedPixels(source, Lattice((40, 40), (0, 0), 500))[:, :]
    np.testing.assert_array_equal(seen, 1.0)
    assert source.largest < 2**24


def test_it_travels_and_keeps_its_identity(tmp_path: Path) -> None:
    header = wcs_at(266.4, -28.94).to_header()
    fits.PrimaryHDU(smooth((200, 200)), header).writeto(tmp_path / "a.fits")
    image = open_image(tmp_path / "a.fits")
    onto = blank(wcs_at(0.0, 0.0, code="CAR", galactic=True), (200, 200))
    pixels = aligned(image, onto).pixels
    packed = pickle.dumps(pixels)
    assert len(packed) < 20_000
    there = pickle.loads(packed)
    assert there.identity == pixels.identity is not None
    np.testing.assert_allclose(there[:, :], pixels[:, :], atol=1e-5)
    other = aligned(image, blank(wcs_at(0.0, 0.001, code="CAR", galactic=True), (200, 200)))
    assert other.pixels.identity != pixels.identity
    assert aligned(image, onto, "nearest").pixels.identity != pixels.identity


def test_threads_may_share_it() -> None:
    image = SkyImage.from_array(smooth((300, 300)), wcs_at(266.4, -28.94, size=(300, 300)))
    onto = blank(wcs_at(0.0, 0.0, code="CAR", galactic=True, size=(300, 300)), (300, 300))
    expected = whole(aligned(image, onto))
    pixels = aligned(image, onto).pixels
    wrong: list[int] = []

    def read(top: int) -> None:
        if not np.array_equal(pixels[top : top + 40, :], expected[top : top + 40], equal_nan=True):
            wrong.append(top)

    threads = [threading.Thread(target=read, args=(top,)) for top in range(0, 280, 10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_images_apart_or_without_sky_are_refused() -> None:
    here = SkyImage.from_array(smooth((50, 50)), wcs_at(30.0, 20.0), name="here")
    with pytest.raises(ImageError, match="here and target show different parts of the sky"):
        aligned(here, blank(wcs_at(80.0, 20.0), (50, 50)))
    with pytest.raises(ImageError, match="bare cannot be placed on the sky"):
        grid_of(SkyImage.from_array(smooth((5, 5)), name="bare"))


@pytest.mark.parametrize("axes", [(1,), (2,), (1, 2)])
def test_detector_tables_on_any_axis_are_followed_there_and_back(axes: tuple[int, ...]) -> None:
    from astropy.wcs import DistortionLookupTable

    wcs = wcs_at(30.0, 20.0, size=(200, 200))
    table = np.linspace(-2, 2, 200 * 200, dtype=np.float32).reshape(200, 200)
    for axis in axes:
        bend = DistortionLookupTable(table, (1.0, 1.0), (1.0, 1.0), (1.0, 1.0))
        setattr(wcs, f"det2im{axis}", bend)
    grid = Grid.of(wcs, (200, 200))
    x, y = np.meshgrid(np.linspace(2, 197, 9), np.linspace(2, 197, 9))
    plain = Grid.of(wcs_at(30.0, 20.0, size=(200, 200)), (200, 200))
    assert np.nanmax(np.hypot(*np.subtract(grid.onto(plain, x, y), (x, y)))) > 1.0
    back_x, back_y = grid.onto(grid, x, y)
    np.testing.assert_allclose(back_x, x, atol=1e-5)
    np.testing.assert_allclose(back_y, y, atol=1e-5)


def test_cells_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    from napari_astroseg.sky.grids import pixelmap

    monkeypatch.setattr(pixelmap, "CELLS_KEPT", 4)
    wide = Grid.of(wcs_at(30.0, 20.0, size=(600, 6000)), (600, 6000))
    places = PixelMap(wide, Grid.of(wcs_at(30.0, 20.01, size=(600, 6000)), (600, 6000)))
    first = places(range(4), range(0, 6000, 50))
    assert sum(map(len, places._cells.values())) <= 4
    np.testing.assert_array_equal(places(range(4), range(0, 6000, 50)), first)
