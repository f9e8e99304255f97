"""HEALPix maps: the values of the map where they are on the sky, few bytes read for a view."""

from __future__ import annotations

import pickle
import time
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import BarycentricMeanEcliptic, SkyCoord
from astropy.io import fits
from astropy_healpix import HEALPix, level_ipix_to_uniq
from numpy.typing import NDArray
from reproject import reproject_from_healpix

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files import tablecolumns
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pyramids import pyramid
from napari_astroseg.sky.spheres import healpixorder
from napari_astroseg.sky.spheres.healpix import UNSEEN, HealpixPixels, is_healpix

NSIDE = 64
NPIX = 12 * NSIDE**2


def table(columns: dict[str, NDArray[Any]], form: str = "E", **cards: Any) -> fits.BinTableHDU:
    hdu = fits.BinTableHDU.from_columns(
        [
            fits.Column(name, form if v.dtype.kind == "f" else "K", array=v)
            for name, v in columns.items()
        ]
    )
    told = {"PIXTYPE": "HEALPIX", "ORDERING": "RING", "NSIDE": NSIDE, "COORDSYS": "G"}
    for key, value in (told | cards).items():
        if value is not None:
            hdu.header[key] = value
    return hdu


def save(path: Path, hdu: fits.BinTableHDU) -> Path:
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    return path


@pytest.fixture
def values() -> NDArray[np.float32]:
    return np.random.default_rng(0).normal(5, 1, NPIX).astype(np.float32)


def whole(image: SkyImage) -> NDArray[Any]:
    return np.asarray(image.pixels[:, :])


def expected(hdu: fits.BinTableHDU, image: SkyImage, field: int = 0) -> NDArray[Any]:
    """What reproject makes of the same map on the same grid."""
    return np.asarray(
        reproject_from_healpix(hdu, image.wcs, image.shape, order="nearest-neighbor", field=field)[
            0
        ]
    )


@pytest.mark.parametrize("ordering", ["RING", "NESTED"])
@pytest.mark.parametrize("system", ["G", "C"])
def test_values_are_those_of_reproject(
    tmp_path: Path, values: NDArray[np.float32], ordering: str, system: str
) -> None:
    hdu = table({"I": values}, ORDERING=ordering, COORDSYS=system)
    image = open_image(save(tmp_path / "map.fits", hdu))
    ours, theirs = whole(image), expected(hdu, image)
    x, y = np.meshgrid(np.arange(image.shape[1]), np.arange(image.shape[0]))
    assert image.wcs is not None
    off = np.isnan(image.wcs.pixel_to_world_values(x, y)[0])
    assert 0.2 < off.mean() < 0.25
    assert np.isnan(ours[off]).all()
    np.testing.assert_array_equal(ours[~off], theirs[~off])
    assert ours.dtype == np.float32
    assert image.frame == ("galactic" if system == "G" else "icrs")


def test_every_pixel_of_the_map_is_seen_and_takes_its_share_of_the_picture(
    tmp_path: Path,
) -> None:
    numbers = np.arange(NPIX, dtype=np.float32)
    seen = whole(open_image(save(tmp_path / "map.fits", table({"I": numbers}))))
    found, times = np.unique(seen[np.isfinite(seen)], return_counts=True)
    np.testing.assert_array_equal(found, numbers)
    assert times.sum() == pytest.approx(4 * NPIX, rel=1e-3)
    assert times.mean() == pytest.approx(4, rel=1e-3)
    assert times.max() <= 9


def test_a_source_is_where_it_is_on_the_sky_at_every_level(tmp_path: Path) -> None:
    crab = SkyCoord("05h34m31.94s +22d00m52.2s")
    lattice = HEALPix(256, "nested", frame="icrs")
    values = np.zeros(lattice.npix, np.float32)
    values[lattice.cone_search_skycoord(crab, 4 * u.deg)] = 1.0
    hdu = table({"I": values}, NSIDE=256, ORDERING="NESTED", COORDSYS="C")
    image = open_image(save(tmp_path / "map.fits", hdu))
    for factor in (1, 2, 4):
        block = whole(SkyImage(image.pixels.reduced(factor)))  # type: ignore[attr-defined]
        y, x = np.nonzero(block == 1)
        middle = [(n.mean() + 0.5) * factor - 0.5 for n in (x, y)]
        assert image.sky(*middle).separation(crab) < 0.2 * u.deg
    levels = pyramid.levels(image)
    assert len(levels) == 1 or levels[-1].shape[1] < image.shape[1]


def test_an_ecliptic_map_is_turned_to_icrs(tmp_path: Path, values: NDArray[np.float32]) -> None:
    image = open_image(save(tmp_path / "map.fits", table({"I": values}, COORDSYS="E")))
    assert image.frame == "icrs"
    assert any("turned from ecliptic" in note for note in image.notes)
    places = SkyCoord([10, 200, 83, 300], [-60, 5, 22, 80], unit="deg")
    there = places.transform_to(BarycentricMeanEcliptic(equinox="J2000"))
    pixels = HEALPix(NSIDE, "ring").lonlat_to_healpix(there.lon, there.lat)
    x, y = image.pixel(places)
    x, y = np.round(x), np.round(y)
    at = image.sky(x, y).transform_to(BarycentricMeanEcliptic(equinox="J2000"))
    pixels = HEALPix(NSIDE, "ring").lonlat_to_healpix(at.lon, at.lat)
    for column, row, pixel in zip(x, y, pixels, strict=True):
        assert image.value(column, row) == values[pixel]


def test_rows_of_1024_and_of_one_are_the_same_map(
    tmp_path: Path, values: NDArray[np.float32]
) -> None:
    one = open_image(save(tmp_path / "one.fits", table({"I": values})))
    many = open_image(save(tmp_path / "many.fits", table({"I": values.reshape(-1, 1024)}, "1024E")))
    single = open_image(save(tmp_path / "row.fits", table({"I": values[None]}, f"{NPIX}E")))
    np.testing.assert_array_equal(whole(one), whole(many))
    np.testing.assert_array_equal(whole(one), whole(single))


def test_columns_are_planes(tmp_path: Path, values: NDArray[np.float32]) -> None:
    stokes = {name: (values * n).reshape(-1, 1024) for n, name in enumerate("IQU", start=1)}
    hdu = table(stokes, "1024E", TUNIT1="K_CMB", TUNIT2="K_CMB", TUNIT3="K_CMB")
    image = open_image(save(tmp_path / "map.fits", hdu))
    assert image.count == 3
    assert image.unit == "K_CMB"
    assert image.axis is not None
    assert image.axis.labels == ("I", "Q", "U")
    for n in range(3):
        ours, theirs = whole(image.plane(n)), expected(hdu, image, field=n)
        on_sky = np.isfinite(ours)
        np.testing.assert_array_equal(ours[on_sky], theirs[on_sky])
    again = pickle.loads(pickle.dumps(image.plane(2)))
    np.testing.assert_array_equal(whole(again), whole(image.plane(2)))


def test_missing_values_are_nan_and_no_neighbour_is_touched(
    tmp_path: Path, values: NDArray[np.float32]
) -> None:
    lost = np.random.default_rng(1).random(NPIX) < 0.3
    holes = np.where(lost, np.float32(UNSEEN), values)
    holes[7] = np.nan
    image = open_image(save(tmp_path / "map.fits", table({"I": holes})))
    seen = whole(image)
    assert np.nanmin(seen) >= values.min()
    assert np.isfinite(seen).sum() == pytest.approx(0.7 * 4 * NPIX, rel=0.02)
    assert set(np.unique(seen[np.isfinite(seen)])) <= set(values[~lost])


def test_whole_numbers_are_scaled_and_blanked(tmp_path: Path) -> None:
    path = save(
        tmp_path / "map.fits", table({"HITS": np.arange(NPIX)}, TNULL1=5, XSCAL=2.0, XZERO=1.0)
    )
    told = path.read_bytes().replace(b"XSCAL   =", b"TSCAL1  =").replace(b"XZERO   =", b"TZERO1  =")
    path.write_bytes(told)
    seen = whole(open_image(path))
    assert seen.dtype == np.float64
    expected = np.delete(2.0 * np.arange(NPIX) + 1.0, 5)
    np.testing.assert_array_equal(np.unique(seen[np.isfinite(seen)]), expected)


@pytest.mark.parametrize("shuffled", [False, True])
def test_a_part_of_the_sky_is_shown_around_its_middle(
    tmp_path: Path, values: NDArray[np.float32], shuffled: bool
) -> None:
    lattice = HEALPix(NSIDE, "nested", frame="galactic")
    field = SkyCoord(120, 40, unit="deg", frame="galactic")
    listed = np.sort(lattice.cone_search_skycoord(field, 12 * u.deg))
    if shuffled:
        listed = np.random.default_rng(2).permutation(listed)
    columns = {"PIXEL": listed.astype(np.int64), "SIGNAL": values[listed]}
    hdu = table(columns, ORDERING="NESTED", INDXSCHM="EXPLICIT")
    image = open_image(save(tmp_path / "map.fits", hdu))
    assert max(image.shape) < 80
    assert image.count == 1
    middle = image.sky((image.shape[1] - 1) / 2, (image.shape[0] - 1) / 2)
    assert middle.separation(field) < 1 * u.deg
    full = np.full(NPIX, np.nan, np.float32)
    full[listed] = values[listed]
    whole_map = table({"I": full}, ORDERING="NESTED")
    np.testing.assert_array_equal(whole(image), expected(whole_map, image))
    seen = whole(image)
    assert np.isfinite(seen).sum() == pytest.approx(4 * len(listed), rel=0.05)
    for edge in (seen[0], seen[-1], seen[:, 0], seen[:, -1]):
        assert np.isnan(edge).all()


@pytest.mark.parametrize("kind", ["u2", "u4", "u8"])
def test_listed_pixels_may_be_unsigned(tmp_path: Path, kind: str) -> None:
    pixels = np.arange(3000, 3400).astype(kind)
    columns = [
        fits.Column("PIXEL", {"u2": "I", "u4": "J", "u8": "K"}[kind], array=pixels,
                    bzero=2 ** (8 * pixels.itemsize - 1)),
        fits.Column("I", "E", array=pixels.astype("f4")),
    ]  # fmt: skip
    hdu = fits.BinTableHDU.from_columns(columns)
    hdu.header.update(PIXTYPE="HEALPIX", ORDERING="RING", NSIDE=NSIDE, COORDSYS="G")
    image = open_image(save(tmp_path / "map.fits", hdu))
    np.testing.assert_array_equal(np.unique(whole(image))[: pixels.size], pixels)


def test_a_list_is_looked_through_in_batches_and_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.arange(9000, 9400)
    hdu = table({"PIXEL": pixels, "I": pixels.astype("f4")}, COORDSYS="E")
    path = save(tmp_path / "map.fits", hdu)
    whole_at_once = open_image(path)
    monkeypatch.setattr(healpixorder, "_BATCH", 7)
    batched = open_image(path)
    assert batched.header["CRVAL1"] == pytest.approx(whole_at_once.header["CRVAL1"], abs=1e-9)
    np.testing.assert_array_equal(whole(batched), whole(whole_at_once))
    monkeypatch.setattr(healpixorder, "MOST_LISTED", 399)
    with pytest.raises(ImageError, match="lists 400 pixels, more than are held in memory"):
        open_image(path)


def test_a_map_of_several_orders(tmp_path: Path) -> None:
    """As of gravitational waves: coarse pixels where little happens, fine ones where it does."""
    coarse, fine = np.arange(1, 12), np.arange(16)
    uniq = np.concatenate([level_ipix_to_uniq(0, coarse), level_ipix_to_uniq(2, fine)])
    density = np.concatenate([coarse * 100.0, fine * 1.0])
    order = np.random.default_rng(3).permutation(len(uniq))
    hdu = table(
        {"UNIQ": uniq[order].astype(np.int64), "PROBDENSITY": density[order]},
        "D", ORDERING="NUNIQ", NSIDE=None, COORDSYS="C",
    )  # fmt: skip
    image = open_image(save(tmp_path / "map.fits", hdu))
    full = np.concatenate([fine * 1.0, np.repeat(coarse * 100.0, 16)])
    flat = table({"I": full}, "D", ORDERING="NESTED", NSIDE=4, COORDSYS="C")
    ours = whole(image)
    on_sky = np.isfinite(ours)
    np.testing.assert_array_equal(ours[on_sky], expected(flat, image)[on_sky])
    assert set(np.unique(ours[on_sky])) == set(full)


def test_only_pages_under_the_view_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    nside = 512
    values = np.arange(12 * nside**2, dtype=np.float32)
    hdu = table({"I": values}, NSIDE=nside, ORDERING="NESTED")
    image = open_image(save(tmp_path / "map.fits", hdu))
    pixels = image.pixels
    assert isinstance(pixels, HealpixPixels)
    got = 0
    inner = pixels.pages.handle.read

    def counted(into: NDArray[Any], offset: int) -> None:
        nonlocal got
        got += into.nbytes
        inner(into, offset)

    monkeypatch.setattr(pixels.pages.handle, "read", counted)
    height, width = image.shape
    window = pixels[height // 2 : height // 2 + 100, width // 3 : width // 3 + 100]
    assert np.isfinite(window).all()
    assert 0 < got < values.nbytes / 5
    got = 0
    np.testing.assert_array_equal(
        pixels[height // 2 : height // 2 + 100, width // 3 : width // 3 + 100], window
    )
    assert got == 0


def test_pages_kept_are_bounded_and_values_the_same(
    tmp_path: Path, values: NDArray[np.float32], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = save(tmp_path / "map.fits", table({"I": values, "Q": -values}))
    plenty = whole(open_image(path))
    monkeypatch.setattr(tablecolumns, "_PAGE", 1024)
    monkeypatch.setattr(tablecolumns, "_RUN", 4096)
    monkeypatch.setattr(tablecolumns, "KEPT", 8 * 1024)
    image = open_image(path)
    np.testing.assert_array_equal(whole(image), plenty)
    assert isinstance(image.pixels, HealpixPixels)
    assert sum(page.nbytes for page in image.pixels.pages._kept.values()) <= 8 * 1024


@pytest.mark.parametrize(
    "key",
    [(slice(10, 20), slice(30, 60)), (slice(20, 2, -3), slice(5, 90, 7)), (slice(3, 3), slice(4))],
)
def test_slices_are_slices_of_the_whole(
    tmp_path: Path, values: NDArray[np.float32], key: tuple[slice, slice]
) -> None:
    image = open_image(save(tmp_path / "map.fits", table({"I": values})))
    np.testing.assert_array_equal(image.pixels[key], whole(image)[key])


def test_pixels_travel_and_are_told_apart(tmp_path: Path, values: NDArray[np.float32]) -> None:
    image = open_image(save(tmp_path / "map.fits", table({"I": values, "Q": values})))
    again = pickle.loads(pickle.dumps(image.pixels))
    np.testing.assert_array_equal(again[5:9, 60:90], image.pixels[5:9, 60:90])
    assert again.identity == image.pixels.identity
    assert image.plane(1).pixels.identity != image.pixels.identity


def test_a_map_without_coordinates_says_what_was_assumed(
    tmp_path: Path, values: NDArray[np.float32]
) -> None:
    image = open_image(save(tmp_path / "map.fits", table({"I": values}, COORDSYS=None)))
    assert image.frame == "galactic"
    assert any("COORDSYS; taken as Galactic" in note for note in image.notes)


@pytest.mark.parametrize(
    ("cards", "words"),
    [
        ({"NSIDE": 128}, r"NSIDE 128 asks for 196,608 pixels and its table holds 49,152"),
        ({"ORDERING": "SPIRAL"}, "ORDERING 'SPIRAL' is no HEALPix one; set it to RING or NESTED"),
        ({"NSIDE": 63, "ORDERING": "NESTED"}, "NSIDE 63 cannot be NESTED"),
        ({"NSIDE": -4}, "NSIDE is not between 1 and"),
    ],
)
def test_a_header_that_does_not_fit_gets_its_sentence(
    tmp_path: Path, values: NDArray[np.float32], cards: dict[str, Any], words: str
) -> None:
    with pytest.raises(ImageError, match=rf"map\.fits: .*{words}"):
        open_image(save(tmp_path / "map.fits", table({"I": values}, **cards)))


def test_listed_pixels_that_are_none_get_their_sentence(tmp_path: Path) -> None:
    columns = {"PIXEL": np.array([3, NPIX]), "I": np.zeros(2, np.float32)}
    with pytest.raises(ImageError, match=r"lists pixels that NSIDE 64 does not have"):
        open_image(save(tmp_path / "map.fits", table(columns, INDXSCHM="EXPLICIT")))


def test_a_cut_table_gets_its_sentence(tmp_path: Path, values: NDArray[np.float32]) -> None:
    path = save(tmp_path / "map.fits", table({"I": values}))
    path.write_bytes(path.read_bytes()[: 2880 * 20])
    with pytest.raises(ImageError, match=r"map\.fits.*cut short"):
        open_image(path)


def test_other_tables_are_none(values: NDArray[np.float32]) -> None:
    assert is_healpix(table({"I": values}))
    assert is_healpix(table({"I": values}, PIXTYPE=None))
    assert not is_healpix(table({"I": values}, PIXTYPE=None, ORDERING=None))
    assert not is_healpix(fits.ImageHDU(np.zeros((4, 4))))
    assert not is_healpix(fits.PrimaryHDU())


def test_a_real_map_of_nside_2048_opens_at_once(shared_data: Path) -> None:
    path = shared_data / "odd" / "astropy-data__ligo_simulated.fits.gz"
    open_image(path)  # unpacks it
    begun = time.monotonic()
    image = open_image(path)
    coarsest = np.asarray(pyramid.levels(image)[-1])
    assert time.monotonic() - begun < 10  # about one second on a machine that does nothing else
    assert image.shape == (11322, 22644)
    assert image.unit == "pix-1"
    assert np.nanmax(coarsest) == pytest.approx(1.04e-4, rel=0.05)
    y, x = np.unravel_index(np.nanargmax(coarsest), coarsest.shape)
    place = slice(16 * y - 20, 16 * y + 20), slice(16 * x - 20, 16 * x + 20)
    with fits.open(path) as hdus:
        lattice = HEALPix(2048, "nested")
        rows, columns = np.mgrid[place]
        at = image.sky(columns, rows)
        truth = hdus[1].data.field(0).ravel()[lattice.lonlat_to_healpix(at.ra, at.dec)]
    np.testing.assert_array_equal(image.pixels[place], truth)
