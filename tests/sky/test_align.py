"""One image on another's pixels: the right kind of map, its error told, and real skies agree."""

from __future__ import annotations

import pickle
import warnings
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import Table
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, maximum_filter

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.grids.affine import Affine, Frame
from napari_astroseg.sky.grids.align import align, grid_of, match_pixels
from napari_astroseg.sky.grids.pixelmap import PixelMap
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pyramids.sampling import sampled
from napari_astroseg.sky.window import Window

Points = tuple[NDArray[np.float64], NDArray[np.float64]]


def wcs_at(
    lon: float, lat: float, shape: tuple[int, int], *, code: str = "TAN", galactic: bool = False,
    arcsec: float = 2.0, turned: float = 0.0, mirrored: bool = False,
) -> WCS:  # fmt: skip
    wcs = WCS(naxis=2)
    names = ("GLON", "GLAT") if galactic else ("RA--", "DEC-")
    wcs.wcs.ctype = [f"{name}-{code}" for name in names]
    wcs.wcs.crval = [lon, lat]
    wcs.wcs.crpix = [(n + 1) / 2 for n in shape[::-1]]
    wcs.wcs.cdelt = [(1 if mirrored else -1) * arcsec / 3600, arcsec / 3600]
    angle = np.radians(turned)
    wcs.wcs.pc = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    wcs.wcs.set()
    return wcs


def blank(wcs: WCS | None, shape: tuple[int, int]) -> SkyImage:
    return SkyImage.from_array(np.zeros(shape, np.float32), wcs, name="reference")


def noise(shape: tuple[int, int], seed: int = 0) -> NDArray[np.float32]:
    values = gaussian_filter(np.random.default_rng(seed).normal(size=shape), 1.5)
    return values.astype(np.float32)


def whole(image: SkyImage) -> NDArray[np.floating]:
    return image.pixels[:, :]


def worst(image: SkyImage, onto: SkyImage, seen: Affine | PixelMap, corner: Window) -> float:
    """How far the map is off astropy's positions at every pixel of the frame, source px."""
    rows, columns = range(corner.height), range(corner.width)
    x, y = seen(rows, columns)
    column, row = np.meshgrid(np.array(columns) + corner.x, np.array(rows) + corner.y)
    exact_x, exact_y = image.pixel(onto.sky(column, row))
    inside = (np.abs(x - image.shape[1] / 2 + 0.5) < image.shape[1] / 2) & (
        np.abs(y - image.shape[0] / 2 + 0.5) < image.shape[0] / 2
    )
    return float(np.hypot(x - exact_x, y - exact_y)[inside].max(initial=0.0))


# Which map, and how far it is off


def places_of(image: SkyImage) -> tuple[Affine | PixelMap, Window]:
    (tile,) = image.pixels.tiles
    return tile.pixels.places, tile.window


@settings(max_examples=30)
@given(
    turned=st.floats(0, 360),
    mirrored=st.booleans(),
    galactic=st.booleans(),
    code=st.sampled_from(["TAN", "SIN", "CAR", "ZEA", "ARC", "STG"]),
    arcsec=st.sampled_from([0.7, 2.0, 5.0, 40.0, 600.0]),
    lon=st.sampled_from([0.0, 0.01, 83.0, 180.0, 359.99]),
    lat=st.sampled_from([0.0, 12.0, -60.0, 89.9]),
)
def test_the_measured_error_is_that_of_the_worst_pixel(
    turned: float, mirrored: bool, galactic: bool, code: str, arcsec: float, lon: float, lat: float
) -> None:
    shape = (90, 110)
    if code == "CAR" and lat == 89.9:
        lat = 60.0  # so few of its pixels are on the sky there that no map is worth a test
    source = blank(wcs_at(lon, lat, shape, arcsec=3.0), shape)
    middle = SkyCoord(lon, lat, unit="deg")
    middle = middle.galactic if galactic else middle
    target = blank(
        wcs_at(
            middle.spherical.lon.deg, middle.spherical.lat.deg, shape, code=code,
            galactic=galactic, arcsec=arcsec, turned=turned, mirrored=mirrored,
        ), shape,
    )  # fmt: skip
    done = align(source, target)
    if done.how.kind == "same":
        return
    places, window = places_of(done.image)
    off = worst(source, target, places, window)
    if done.how.kind == "affine":
        assert isinstance(places, Affine)
        assert done.how.error_px <= done.how.tolerance_px
        assert off <= 1.001 * done.how.error_px + 1e-6
        assert off / places.ratio <= 1.001 * done.how.error_px + 1e-6  # in the reference's pixels
    else:
        assert isinstance(places, PixelMap)
        assert done.how.affine_error_px > done.how.tolerance_px
        assert off < 1e-5


@pytest.mark.parametrize(
    ("source", "target", "kind"),
    [
        # a little field: straight
        ({"lon": 30.0, "lat": 5.0}, {"lon": 30.0, "lat": 5.0, "turned": 33.0}, "affine"),
        # a wrap of an all-sky map runs through the frame
        ({"lon": 0.0, "lat": 0.0, "code": "CAR", "arcsec": 3600.0},
         {"lon": 180.0, "lat": 0.0, "code": "CAR", "arcsec": 3600.0}, "exact"),
        # the pole of a plate carrée
        ({"lon": 0.0, "lat": 0.0, "code": "CAR", "arcsec": 3600.0},
         {"lon": 20.0, "lat": 90.0, "code": "ZEA", "arcsec": 3600.0}, "exact"),
        # an oval sky, whose corners are nowhere
        ({"lon": 0.0, "lat": 0.0, "code": "AIT", "arcsec": 3600.0},
         {"lon": 0.0, "lat": 0.0, "code": "CAR", "arcsec": 3600.0}, "exact"),
        # a patch in the middle of an oval sky: nowhere is elsewhere
        ({"lon": 0.0, "lat": 0.0, "arcsec": 30.0},
         {"lon": 0.0, "lat": 0.0, "code": "AIT", "arcsec": 3600.0}, "affine"),
    ],
)  # fmt: skip
def test_wraps_poles_and_nowhere_are_followed_exactly(
    source: dict[str, float], target: dict[str, float], kind: str
) -> None:
    shape = (180, 360)
    image = blank(wcs_at(shape=shape, **source), shape)
    done = align(image, blank(wcs_at(shape=shape, **target), shape))
    assert done.how.kind == kind
    if kind == "exact":
        assert done.how.affine_error_px > 1.0
        assert "exact" in done.how.sentence


def test_where_the_sky_is_nowhere_an_affine_paints_none() -> None:
    """Beyond the pole a plate carrée has no sky, though a straight map would go on."""
    shape = (200, 360)
    image = blank(wcs_at(0, 0, shape, code="CAR", arcsec=3600), shape)
    onto = blank(wcs_at(0.2, 0, shape, code="CAR", arcsec=3600), shape)
    done = align(image, onto)
    assert done.how.kind == "exact" and done.how.affine_error_px == np.inf
    assert "no affine map would do" in done.how.sentence
    seen = whole(done.image)
    assert np.isnan(seen[:9]).all() and np.isnan(seen[-9:]).all() and np.isfinite(seen[100]).all()


def test_the_error_is_told_in_the_pixels_that_make_it_more() -> None:
    shape = (300, 300)
    coarse = blank(wcs_at(31.0, 40.0, shape, arcsec=400.0, code="CAR"), shape)
    fine = blank(wcs_at(31.0, 40.0, shape, arcsec=40.0), shape)
    there = Frame(grid_of(coarse), grid_of(fine))
    affine = there.fitted()
    assert affine is not None
    column, row = there.points
    x, y = affine.at(column, row)
    off = np.hypot(x - there.exact[0], y - there.exact[1])
    on = (np.abs(there.exact[0] - 149.5) < 150) & (np.abs(there.exact[1] - 149.5) < 150)
    assert affine.ratio > 5
    assert there.error_px(affine) >= off[on].max() > 5 * off[on].max() / affine.ratio


def test_the_tolerance_decides() -> None:
    shape = (400, 400)
    image = SkyImage.from_array(noise(shape), wcs_at(30.0, 1.0, shape, arcsec=20.0), name="map")
    onto = blank(wcs_at(30.0, 1.0, shape, arcsec=20.0, code="CAR"), shape)
    off = align(image, onto, tolerance_px=5.0).how.error_px
    assert align(image, onto, tolerance_px=off * 1.01).how.kind == "affine"
    strict = align(image, onto, tolerance_px=off * 0.99)
    assert strict.how.kind == "exact" and strict.how.affine_error_px == off
    assert f"{off:.2g} px" in strict.how.sentence
    assert align(image, onto, tolerance_px=0.0).how.kind == "exact"
    for wrong in (-1.0, np.nan, np.inf):
        with pytest.raises(ImageError, match="is none; give one"):
            align(image, onto, tolerance_px=wrong)


def test_whole_pixels_are_placed_as_they_are() -> None:
    shape = (60, 80)
    values = noise(shape)
    wcs = wcs_at(30.0, 20.0, shape)
    image = SkyImage.from_array(values, wcs, name="map")
    assert align(image, blank(wcs, shape)).image is image
    moved = wcs.deepcopy()
    moved.wcs.crpix += (7, -5)
    done = align(image, blank(moved, shape))
    assert done.how.kind == "same" and done.how.error_px < 1e-6
    seen = whole(done.image)
    np.testing.assert_array_equal(seen[:-5, 7:], values[5:, :-7])
    assert np.isnan(seen[-5:]).all() and np.isnan(seen[:, :7]).all()
    errors = SkyImage.from_array(values / 10, wcs)
    moved_errors = align(replace(image, uncertainty=errors), blank(moved, shape)).image.uncertainty
    assert moved_errors is not None
    np.testing.assert_array_equal(whole(moved_errors), seen / 10)
    aside = wcs.deepcopy()
    aside.wcs.crpix += (0.3, 0.0)
    assert align(image, blank(aside, shape)).how.kind == "affine"


# Values


@settings(max_examples=12)
@given(
    turned=st.floats(0, 360),
    mirrored=st.booleans(),
    code=st.sampled_from(["TAN", "CAR", "SIN"]),
    arcsec=st.sampled_from([1.1, 2.0, 2.7]),
    lon=st.sampled_from([0.0, 120.0]),
)
def test_values_are_those_of_reproject(
    turned: float, mirrored: bool, code: str, arcsec: float, lon: float
) -> None:
    from reproject import reproject_interp

    shape = (100, 120)
    image = SkyImage.from_array(noise(shape), wcs_at(lon, 10.0, shape, mirrored=mirrored))
    onto = blank(wcs_at(lon, 10.0, shape, code=code, arcsec=arcsec, turned=turned), shape)
    theirs, _ = reproject_interp((whole(image), image.wcs), onto.wcs, shape_out=shape)
    ours = whole(image.aligned_to(onto))
    both = np.isfinite(theirs)
    assert both.sum() > 1000 and not np.isnan(ours[both]).any()
    assert np.abs(ours - theirs)[both].max() < 1e-2 * np.nanstd(theirs)


def stars(shape: tuple[int, int], count: int, seed: int = 3) -> NDArray[np.float32]:
    """Point sources as an instrument sees them, away from the edge; nothing else."""
    rng = np.random.default_rng(seed)
    values = np.zeros(shape)
    row, column = (rng.integers(n // 5, n - n // 5, count) for n in shape)
    values[row, column] = rng.exponential(100.0, count)
    return gaussian_filter(values, 1.0).astype(np.float32)


@pytest.mark.parametrize("arcsec", [0.9, 2.0, 2.9, 7.3, 21.0, 65.0])
def test_flux_is_conserved_as_reproject_conserves_it(arcsec: float) -> None:
    from reproject import reproject_exact

    shape = (400, 420)
    image = SkyImage.from_array(stars(shape, 60), wcs_at(30.0, 60.0, shape), unit="counts")
    size = int(1.5 * 2.0 * 420 / arcsec) + 4
    target = (size, size)
    onto = blank(wcs_at(30.0, 60.0, target, code="CAR", arcsec=arcsec, turned=21), target)
    ours = whole(align(image, onto, conserve_flux=True).image)
    truth = float(whole(image).sum(dtype=float))
    assert np.nansum(ours, dtype=float) == pytest.approx(truth, rel=1e-3)
    if arcsec > 2:
        means, covered = reproject_exact((whole(image), image.wcs), onto.wcs, shape_out=target)
        area = onto_area(onto) / onto_area(image)[200, 210]
        theirs = np.nansum(means * area * covered)
        assert np.nansum(ours, dtype=float) == pytest.approx(theirs, rel=1e-3)


def onto_area(image: SkyImage) -> NDArray[np.float64]:
    """Solid angle of every pixel, from its corners."""
    height, width = image.shape
    x, y = np.meshgrid(np.arange(width + 1) - 0.5, np.arange(height + 1) - 0.5)
    at = image.sky(x, y).cartesian.xyz.value
    one, other = at[:, 1:, 1:] - at[:, :-1, :-1], at[:, 1:, :-1] - at[:, :-1, 1:]
    return np.linalg.norm(np.cross(one, other, axis=0), axis=0) / 2


def test_flux_agrees_with_adaptive_resampling_on_a_real_field(shared_data: Path) -> None:
    from reproject import reproject_adaptive

    image = open_image(shared_data / "farir/p100_im.fits")
    onto = open_image(shared_data / "farir/s250_im.fits")
    ours = whole(align(image, onto, conserve_flux=True).image)
    values = np.nan_to_num(whole(image)).astype(float)
    theirs, _ = reproject_adaptive(
        (values, image.wcs), onto.wcs, shape_out=onto.shape, conserve_flux=True,
        kernel="gaussian", boundary_mode="ignore",
    )  # fmt: skip
    inner = np.s_[10:-10, 10:-10]
    scale = np.nansum(np.abs(theirs[inner]))
    assert abs(np.nansum(ours[inner]) - np.nansum(theirs[inner])) < 1e-3 * scale


def test_flux_is_conserved_across_a_wrap_and_on_lone_pixels() -> None:
    shape = (180, 360)
    image = SkyImage.from_array(
        3.0 + noise(shape), wcs_at(0, 0, shape, code="CAR", arcsec=3600), unit="counts"
    )
    onto = blank(wcs_at(180, 0, shape, code="CAR", arcsec=3600), shape)
    turned = whole(align(image, onto, conserve_flux=True).image)
    assert np.isfinite(turned).all()
    assert turned.sum() == pytest.approx(whole(image).sum(), rel=1e-4)
    for lone in ((1, 1), (1, 40), (40, 1)):
        strip = blank(wcs_at(10, 5, lone, arcsec=7200), lone)
        seen = whole(align(image, strip, conserve_flux=True).image)
        assert np.isfinite(seen).all()
        assert seen[lone[0] // 2, lone[1] // 2] == pytest.approx(12.0, rel=0.1)  # four pixels


def test_flux_overviews_are_means_of_its_pixels() -> None:
    shape = (512, 512)
    values = 5.0 + noise(shape)
    image = SkyImage.from_array(values, wcs_at(30.0, 20.0, shape), unit="counts")
    onto = blank(wcs_at(30.0, 20.0, shape, arcsec=3.0, turned=10), shape)
    done = align(image, onto, conserve_flux=True).image
    full = whole(done)
    overview = done.pixels.reduced(8)[:, :]
    blocks = full.reshape(64, 8, 64, 8).mean((1, 3))
    inside = np.isfinite(blocks)
    assert inside.sum() > 300
    np.testing.assert_allclose(overview[inside], blocks[inside], rtol=0.05)
    assert np.nanmedian(full) == pytest.approx(5.0 * 2.25, rel=0.01)


def test_flux_and_labels_do_not_go_together() -> None:
    image = SkyImage.from_array(noise((50, 50)), wcs_at(0, 0, (50, 50)), name="labels")
    with pytest.raises(ImageError, match="cannot conserve flux"):
        align(image, blank(wcs_at(0, 0, (50, 50)), (50, 50)), sampling="nearest",
              conserve_flux=True)  # fmt: skip


def test_a_stack_comes_with_all_its_planes_and_flags(shared_data: Path) -> None:
    image = open_image(shared_data / "multiband/Cut_HSC.fits")
    onto = open_image(shared_data / "multiband/Cut_HST.fits")
    seen = image.aligned_to(onto)
    assert seen.bands == image.bands and seen.data.shape == (5, 250, 250)
    alone = whole(image.plane(3).aligned_to(onto))
    np.testing.assert_array_equal(seen.data[3].compute(), alone)
    flags = SkyImage.from_array((np.indices((50, 50)).sum(0) % 7).astype(np.float32), image.wcs)
    flagged = replace(image.plane(0), mask=flags).aligned_to(onto)
    assert flagged.mask is not None
    told = whole(flagged.mask)
    assert set(np.unique(told[np.isfinite(told)])) <= set(range(7))
    assert flagged.mask.shape == onto.shape


def test_nothing_is_read_until_it_is_looked_at_and_then_little() -> None:
    class Counting:
        shape, dtype, ndim, identity = (4000, 4000), np.dtype(np.float32), 2, "counting"
        tile_rows = tile_columns = 1
        seen = 0

        def __getitem__(self, key: tuple[slice, slice]) -> NDArray[np.float32]:
            size = [len(range(n)[part]) for n, part in zip(self.shape, key, strict=True)]
            self.seen += size[0] * size[1]
            return np.ones(size, np.float32)

    shape, source = (4000, 4000), Counting()
    image = SkyImage(source, wcs_at(30.0, 0.0, shape))
    onto = blank(wcs_at(30.0, 0.0, shape, code="CAR", turned=40), shape)
    done = align(image, onto)
    assert source.seen == 0
    assert done.image.pixels.identity is not None
    assert np.isfinite(done.image.pixels[2000:2100, 2000:2100]).all()
    assert 0 < source.seen < 100_000
    source.seen = 0
    coarse = sampled(done.image.pixels, 16, Window(0, 0, 250, 250))
    assert np.nanmedian(coarse) == 1.0 and source.seen < 4000 * 4000 * 1.2
    there = pickle.loads(pickle.dumps(align(image, onto).how))
    assert there == done.how


# Real skies


def centred(values: NDArray, x: float, y: float, radius: float) -> tuple[float, float]:
    """Centroid of a peak near (x, y) above what is around it."""
    reach = int(3 * radius)
    for _ in range(30):
        column, row = round(x), round(y)
        place = np.s_[row - reach : row + reach + 1, column - reach : column + reach + 1]
        part = values[place].astype(float)
        down, across = np.mgrid[place]
        weight = np.clip(part - np.nanmedian(part), 0, None)
        weight = np.nan_to_num(
            weight * np.exp(-((across - x) ** 2 + (down - y) ** 2) / 2 / radius**2)
        )
        x, y = (weight * across).sum() / weight.sum(), (weight * down).sum() / weight.sum()
    return float(x), float(y)


def peaks(values: NDArray, count: int, apart: int) -> Points:
    """The highest places, none near the edge or a missing pixel."""
    plain = gaussian_filter(np.where(np.isfinite(values), values, np.nanmedian(values)), 1)
    top = (plain == maximum_filter(plain, apart)) & (
        gaussian_filter(np.isnan(values) * 1.0, 5) < 0.01
    )
    top[: 2 * apart] = top[-2 * apart :] = top[:, : 2 * apart] = top[:, -2 * apart :] = False
    row, column = np.nonzero(top)
    first = np.argsort(-plain[row, column])[:count]
    return column[first].astype(float), row[first].astype(float)


def off_px(image: SkyImage, onto: SkyImage, count: int = 12, radius: float = 2.0) -> NDArray:
    """How far sources are, once aligned, from where their sky positions say, reference px."""
    assert image.pixel_scale_arcsec is not None and onto.pixel_scale_arcsec is not None
    ratio = onto.pixel_scale_arcsec / image.pixel_scale_arcsec
    seen = whole(align(image, onto).image)
    blurred = gaussian_filter(np.nan_to_num(whole(image)).astype(float), max(ratio, 1.0))
    found = []
    for x, y in zip(*peaks(blurred, count, 15), strict=True):
        here = centred(blurred, x, y, radius * max(ratio, 1.0))
        there = [float(each) for each in onto.pixel(image.sky(*here))]
        if all(8 < at < n - 9 for at, n in zip(there, seen.shape[::-1], strict=True)):
            again = centred(seen, *there, radius * max(1.0, 1.0 / ratio))
            found.append(np.hypot(*np.subtract(again, there)))
    assert len(found) >= 3
    return np.array(found)


@pytest.mark.parametrize("onto", ["gc_msx_e", "gc_bolocam_gps"])
@pytest.mark.parametrize("band", ["j", "h", "k"])
def test_2mass_lies_on_msx_and_bolocam(shared_data: Path, band: str, onto: str) -> None:
    image = open_image(shared_data / f"twomass/gc_2mass_{band}.fits")
    reference = open_image(shared_data / f"twomass/{onto}.fits")
    how = align(image, reference).how
    assert how.kind == "affine" and 0 < how.error_px < 0.05
    assert np.median(off_px(image, reference)) < 0.5


@pytest.mark.parametrize(
    ("image", "onto"), [("bolocam_gps", "2mass_k"), ("msx_e", "bolocam_gps"), ("msx_e", "2mass_h")]
)
def test_and_back(shared_data: Path, image: str, onto: str) -> None:
    folder = shared_data / "twomass"
    assert np.median(
        off_px(open_image(folder / f"gc_{image}.fits"), open_image(folder / f"gc_{onto}.fits"))
    ) < 0.5 * open_scale(folder, image) / open_scale(folder, onto)  # of the coarser pixel


def open_scale(folder: Path, name: str) -> float:
    scale = open_image(folder / f"gc_{name}.fits").pixel_scale_arcsec
    assert scale is not None
    return scale


@pytest.mark.parametrize("turned", [0.0, 25.0, 190.0])
def test_glimpse_stars_lie_where_the_catalogue_has_them(shared_data: Path, turned: float) -> None:
    image = open_image(shared_data / "spitzer/spitzer_example_image.fits")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of an old VOTable
        table = Table.read(shared_data / "spitzer/spitzer_example_catalog.xml")
    stars = SkyCoord(table["l"], table["b"], unit="deg", frame="galactic")
    stars = stars[np.argsort(np.asarray(table["mag4_5"]))]
    middle = image.sky(512, 256).icrs
    shape = (900, 900)
    onto = blank(wcs_at(middle.ra.deg, middle.dec.deg, shape, arcsec=1.5, turned=turned), shape)
    seen = whole(align(image, onto).image)
    x, y = onto.pixel(stars)
    inside = [
        (a, b) for a, b in zip(x, y, strict=True)
        if 10 < a < 889 and 10 < b < 889 and np.isfinite(seen[round(b) - 9 : round(b) + 9,
                                                              round(a) - 9 : round(a) + 9]).all()
    ][:40]  # fmt: skip
    assert len(inside) > 25
    off = [np.hypot(*np.subtract(centred(seen, a, b, 2.0), (a, b))) for a, b in inside]
    assert np.median(off) < 0.5 and np.percentile(off, 90) < 0.6


def test_hst_and_hsc_see_one_scene(shared_data: Path) -> None:
    hst = open_image(shared_data / "multiband/Cut_HST.fits")
    hsc = open_image(shared_data / "multiband/Cut_HSC.fits").plane(2)
    seen = whole(align(hsc, hst).image)
    blurred = gaussian_filter(whole(hst).astype(float), 8)  # to what the ground sees
    x, y = centred(blurred, 117.0, 124.0, 10.0)
    off = np.hypot(*np.subtract(centred(seen, 117.0, 124.0, 10.0), (x, y)))
    coarse = 0.168 / 0.03
    assert off < 0.5 * coarse


@pytest.mark.parametrize(
    ("image", "onto"), [("p100", "s250"), ("p160", "s250"), ("p100", "p160"), ("s250", "p100")]
)
def test_sources_of_pacs_and_spire_keep_their_places(
    shared_data: Path, image: str, onto: str
) -> None:
    """The five brightest of each map, on the pixels of another band."""
    one, other = (open_image(shared_data / f"farir/{name}_im.fits") for name in (image, onto))
    done = align(one, other)
    assert done.how.kind == "affine" and done.how.error_px < 1e-6
    assert np.median(off_px(one, other, count=5)) < 0.5


# Pixel on pixel


def test_pixel_on_pixel_needs_but_one_shape() -> None:
    values = noise((40, 50))
    bare = SkyImage.from_array(values, name="photo")
    onto = blank(wcs_at(10.0, 10.0, (40, 50)), (40, 50))
    done = match_pixels(bare, onto)
    np.testing.assert_array_equal(whole(done.image), values)
    assert done.image.wcs is onto.wcs and done.how.kind == "pixels"
    there = pickle.loads(pickle.dumps(done.image))
    assert there.wcs is not None and there.shape == (40, 50)
    assert "without regard to the sky" in done.how.sentence
    assert match_pixels(onto, bare).image.wcs is None
    with pytest.raises(ImageError, match="50 × 40 px and other 40 × 40; match images of one shape"):
        match_pixels(bare, SkyImage.from_array(np.zeros((40, 40)), name="other"))


def test_no_sky_is_refused_with_the_remedy() -> None:
    bare = SkyImage.from_array(noise((40, 50)), name="photo")
    with pytest.raises(ImageError, match="photo cannot be placed on the sky"):
        bare.aligned_to(blank(wcs_at(10.0, 10.0, (40, 50)), (40, 50)))
