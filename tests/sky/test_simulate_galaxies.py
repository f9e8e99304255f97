"""Simulated galaxies and bands: known by seed, in the authors' layouts, true to what was drawn."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from scipy import ndimage

from napari_astroseg.errors import DataError, OutputError, SetupError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.simulate import galaxies, multiband
from napari_astroseg.sky.simulate.galaxies import (
    PIXEL_ARCSEC,
    STAMP,
    ZERO_POINT,
    GalaxyField,
    GalaxySettings,
    simulate_galaxies,
    stamps,
)
from napari_astroseg.sky.simulate.light import CUT, Part, Psf, Sersic, drawn
from napari_astroseg.sky.simulate.multiband import MultibandSky, simulate_multiband
from napari_astroseg.sky.simulate.multibandscene import BANDS, MultibandSettings, scene
from napari_astroseg.sky.window import Window

pytest.importorskip("galsim", reason="GalSim draws these skies and is not installed")

SIDE = 512
SET = 160
SEED = 4


@pytest.fixture(scope="module")
def fields() -> list[GalaxyField]:
    return [simulate_galaxies(1024, SEED, number) for number in range(4)]


@pytest.fixture(scope="module")
def sky() -> MultibandSky:
    return simulate_multiband(320, SEED)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Two fields of galaxies, and three sets of bands."""
    out = tmp_path_factory.mktemp("skies")
    for number in range(2):
        galaxies.write(out / "galaxies", number, SIDE, SEED)
    for number in range(3):
        multiband.write(out / "multiband", number, SET, SEED)
    return {kind: out / kind for kind in ("galaxies", "multiband")}


def own_light(field: GalaxyField, settings: GalaxySettings) -> list[np.ndarray]:
    """(H, W) light of each galaxy of a catalogue by itself, drawn to a hundredth of the noise."""
    psf, shape = Psf.gaussian(settings.psf_arcsec / PIXEL_ARCSEC), field.image.shape
    found = []
    for row in field.catalogue.table:
        radius = row["half_light_radius"].value / PIXEL_ARCSEC
        profile = Sersic(row["sersic_index"], radius, row["axis_ratio"], row["angle"].value)
        whole = np.zeros(shape, np.float32)
        part = Part(row["flux"].value, profile)
        each = drawn([part], psf, (row["x"], row["y"]), shape, 0.01 * settings.noise)
        if each is not None:
            whole[each.window.slices] = each.light
        found.append(whole)
    return found


@pytest.mark.parametrize(
    ("kind", "writer", "size", "count"),
    [("galaxies", galaxies.write, SIDE, 2), ("multiband", multiband.write, SET, 3)],
)
def test_the_same_seed_gives_the_same_bytes_in_other_processes_and_orders(
    folders: dict[str, Path], tmp_path: Path, kind: str, writer, size: int, count: int
):
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        one = partial(writer, tmp_path, size=size, seed=SEED)
        paths = [path for each in pool.map(one, reversed(range(count))) for path in each]
    files = sorted(p.relative_to(folders[kind]) for p in folders[kind].rglob("*") if p.is_file())
    assert files == sorted(path.relative_to(tmp_path) for path in paths)
    assert files == sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    for each in files:
        assert (folders[kind] / each).read_bytes() == (tmp_path / each).read_bytes(), each


def test_another_seed_or_number_is_another_sky():
    images = [simulate_galaxies(128, *which).image for which in ((1, 0), (1, 1), (2, 0))]
    sets = [simulate_multiband(64, *which).bands["r"] for which in ((1, 0), (1, 1), (2, 0))]
    for first, second, third in (images, sets):
        assert not np.array_equal(first, second)
        assert not np.array_equal(first, third) and not np.array_equal(second, third)


@pytest.mark.parametrize(("kind", "layout"), [("galaxies", "blended"), ("multiband", "astro_rcnn")])
def test_a_folder_opens_without_findings(folders: dict[str, Path], kind: str, layout: str):
    data = open_dataset(folders[kind])
    assert data.layout == layout
    assert data.findings == ()
    assert len(data.items) == {"galaxies": 2 * (SIDE // STAMP) ** 2, "multiband": 3}[kind]


# Galaxies


def test_stamps_are_the_field_on_a_fixed_grid(folders: dict[str, Path]):
    field = simulate_galaxies(SIDE + 100, SEED, 1)  # what is beyond whole stamps is left out
    assert field.image.shape == (SIDE, SIDE)
    images = np.load(folders["galaxies"] / "stamps_WithNoise_field_001.npy", allow_pickle=False)
    truth = np.load(folders["galaxies"] / "stamps_seg_field_001.npy", allow_pickle=False)
    assert images.dtype == np.float32 and truth.dtype == np.uint8
    assert images.shape == truth.shape == (16, STAMP, STAMP)
    table = Catalogue.read(folders["galaxies"] / "catalogue_field_001.ecsv").table
    for row in table[table["stamp"] >= 0]:
        top, left = STAMP * (row["stamp"] // 4), STAMP * (row["stamp"] % 4)
        assert -0.5 <= row["y"] - top < STAMP - 0.5
        assert -0.5 <= row["x"] - left < STAMP - 0.5
    assert {-1, 0, 15} <= set(table["stamp"].tolist())
    for n in (0, 3, 9):
        top, left = STAMP * (n // 4), STAMP * (n % 4)
        box = slice(top, top + STAMP), slice(left, left + STAMP)
        np.testing.assert_array_equal(images[n], field.image[box])
        np.testing.assert_array_equal(truth[n], field.truth[box])


def test_the_first_field_is_there_as_one_image(
    folders: dict[str, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    images = list(folders["galaxies"].glob("*.fits"))
    assert [path.name for path in images] == ["image_field_000.fits"]
    image, field = open_image(images[0]), simulate_galaxies(SIDE, SEED, 0)
    assert image.unit == "uJy" and image.shape == (SIDE, SIDE)
    np.testing.assert_allclose(image.pixel_sides_arcsec, PIXEL_ARCSEC, rtol=1e-6)
    np.testing.assert_array_equal(image.cutout(Window(0, 0, SIDE, SIDE)), field.image)
    monkeypatch.setattr(galaxies, "LARGEST_IMAGE", 200)
    galaxies.write(tmp_path, 0, 256, SEED)
    assert open_image(tmp_path / "image_field_000.fits").shape == (200, 200)


def test_shares_of_the_classes_are_those_of_the_authors(fields: list[GalaxyField]):
    truth = np.concatenate([stamps(field.truth) for field in fields])
    background, one, overlap = np.bincount(truth.ravel(), minlength=3) / truth.size
    assert 0.95 < background < 0.98
    assert 0.02 < one < 0.045
    assert 0.002 < overlap < 0.01
    empty = np.mean(~(truth > 0).any((1, 2)))
    assert 0.1 < empty < 0.4
    cut = (truth[:, 0] > 0).any(1) | (truth[:, :, -1] > 0).any(1)
    assert cut.mean() > 0.1


def test_overlap_is_exactly_where_two_profiles_exceed_the_noise():
    settings = GalaxySettings(galaxies=400.0, threshold=1.5)
    field = simulate_galaxies(256, 3, settings=settings)
    above = np.array(own_light(field, settings)) > settings.threshold * settings.noise
    cover = above.sum(0)
    np.testing.assert_array_equal(field.truth, np.minimum(cover, 2))
    assert (cover == 2).any() and (cover > 2).any()
    table = field.catalogue.table
    np.testing.assert_array_equal(table["area"], above.sum((1, 2)))
    shared = [int((cover[mask] > 1).sum()) for mask in above]
    np.testing.assert_array_equal(table["shared"], shared)
    np.testing.assert_array_equal(table["blended"], np.array(shared) > 0)
    assert 0 < table["blended"].sum() < len(table)


def test_magnitudes_are_what_an_aperture_measures():
    settings = GalaxySettings(galaxies=20.0, companions=0.0, magnitudes=(20.0, 23.5))
    pulls, table = [], []
    for number in range(4):
        field = simulate_galaxies(1024, 6, number, settings)
        y, x = np.indices(field.image.shape)
        for row in field.catalogue.table:
            radius = row["half_light_radius"].value / PIXEL_ARCSEC
            reach = CUT * radius / np.sqrt(row["axis_ratio"]) + 3.0
            inside = np.hypot(x - row["x"], y - row["y"]) < min(reach, 60.0)
            others = field.catalogue.table[field.catalogue.table["id"] != row["id"]]
            apart = np.hypot(others["x"] - row["x"], others["y"] - row["y"])
            on_frame = min(row["x"], row["y"], 1023 - row["x"], 1023 - row["y"]) > 60
            if not on_frame or apart.min() < 120 or reach > 60:
                continue
            measured = float(field.image[inside].sum(dtype=float))
            error = settings.noise * np.sqrt(inside.sum())
            pulls.append((measured - row["flux"].value) / np.hypot(error, 0.01 * measured))
            table.append((row["magnitude"].value, row["flux"].value))
    assert len(pulls) > 15
    assert abs(np.mean(pulls)) < 3.0 / np.sqrt(len(pulls))
    assert 0.6 < np.std(pulls) < 1.4
    magnitude, flux = np.array(table).T
    np.testing.assert_allclose(magnitude, ZERO_POINT - 2.5 * np.log10(flux), rtol=1e-9)


def test_noise_is_what_was_asked_for_and_empty_stamps_hold_nothing_else(
    fields: list[GalaxyField],
):
    dark = np.concatenate([stamps(f.image)[~(stamps(f.truth) > 0).any((1, 2))] for f in fields])
    assert len(dark) >= 10
    noise = GalaxySettings().noise
    assert dark.std() == pytest.approx(noise, rel=0.01)
    assert abs(dark.mean()) < 0.05 * noise


def test_galaxies_grow_in_number_and_shrink_with_magnitude(fields: list[GalaxyField]):
    magnitude, radius = (
        np.concatenate([f.catalogue.table[name].value for f in fields])
        for name in ("magnitude", "half_light_radius")
    )
    counts = np.histogram(magnitude, (18, 21, 22, 23, 24, 25))[0]
    assert np.all(np.diff(counts[1:]) > 0)
    assert counts[4] / counts[2] == pytest.approx(10 ** (0.25 * 2), rel=0.35)
    medians = [np.median(radius[(magnitude > m) & (magnitude < m + 1)]) for m in (21, 22, 23, 24)]
    assert np.all(np.diff(medians) < 0)


@pytest.mark.parametrize("size", [64, 30_000])
def test_a_field_that_cannot_be_made_costs_a_sentence(tmp_path: Path, size: int):
    with pytest.raises(DataError, match=r"cannot be cut into stamps of 128; ask for 128 to 25,600"):
        galaxies.write(tmp_path, 0, size, 1)
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_field_leaves_no_images(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    saved = []

    def full(*args: object, **settings: object) -> None:
        if saved:
            raise OSError(28, "No space left on device")
        saved.append(args)

    monkeypatch.setattr(galaxies.np, "save", full)
    with pytest.raises(OutputError, match="no space left on device"):
        galaxies.write(tmp_path, 0, 128, 1)
    assert saved and {path.suffix for path in tmp_path.iterdir()} == {".ecsv", ".fits"}


# Bands


def test_masks_obey_the_authors_rule(folders: dict[str, Path]):
    place = folders["multiband"] / "set_1"
    outlines = simulate_multiband(SET, SEED, 1).outlines
    share = {"star": 0.005, "galaxy": 0.08}
    with fits.open(place / "masks.fits") as file:
        assert len(file) == 1 + len(outlines)
        for hdu, each in zip(file[1:], outlines, strict=True):
            assert isinstance(hdu, fits.CompImageHDU)
            assert hdu.header["CLASS_ID"] == {"star": 1, "galaxy": 2}[each.kind]
            assert hdu.header["OBJID"] == each.id
            light = np.zeros((SET, SET))
            light[each.drawn.window.slices] = each.drawn.light
            clear = np.abs(light / light.max() / share[each.kind] - 1.0) > 0.02
            told = hdu.data / hdu.data.max() > share[each.kind]
            np.testing.assert_array_equal(
                told[clear], (light / light.max() > share[each.kind])[clear]
            )
    things = open_dataset(place.parent).items[1].truth().objects
    assert [thing.kind for thing in things] == [each.kind for each in outlines]
    table = Catalogue.read(place / "catalogue.ecsv").table
    for number, thing in enumerate(things, 1):
        (row,) = table[table["mask"] == number]
        assert row["kind"] == thing.kind
        x_min, y_min, x_max, y_max = thing.box
        assert x_min - 1 <= row["x"] <= x_max + 1 and y_min - 1 <= row["y"] <= y_max + 1
    assert (place / "masks.fits").stat().st_size < 16_000 * len(outlines)


def test_only_what_can_be_seen_has_a_mask(sky: MultibandSky):
    table = sky.catalogue.table
    assert table["snr"].min() > 0  # all are drawn
    seen = table["mask"] > 0
    np.testing.assert_array_equal(seen, table["snr"] >= MultibandSettings().least_snr)
    assert 0 < (~seen).sum() < seen.sum()
    assert sorted(table["mask"][seen]) == list(range(1, len(sky.outlines) + 1))
    assert [each.id for each in sky.outlines] == table["id"][seen].tolist()


def test_stars_have_the_shape_of_the_psf_and_galaxies_are_wider(sky: MultibandSky):
    widths: dict[str, list[float]] = {"star": [], "galaxy": []}
    shapes = []
    for each in sky.outlines:
        window, light = each.drawn.window, each.drawn.light.astype(float)
        whole = min(window.x, window.y, 320 - window.x_end, 320 - window.y_end) > 0
        if whole:
            widths[each.kind].append(2 * np.sqrt((light > light.max() / 2).sum() / np.pi))
        if whole and each.kind == "star":
            row = sky.catalogue.table[each.id - 1]
            y, x = np.indices(light.shape, float)
            offset = np.hypot(x + window.x - row["x"], y + window.y - row["y"])
            shapes.append(np.interp((2.5, 5.0, 8.0), *_profile(offset, light / light.sum())))
    assert len(shapes) >= 4
    np.testing.assert_allclose(shapes, np.broadcast_to(shapes[0], (len(shapes), 3)), rtol=0.12)
    assert np.median(widths["galaxy"]) > 1.05 * np.median(widths["star"])
    night = np.median(widths["star"]) * 0.262 / BANDS[1].seeing_arcsec
    assert 0.6 < night < 1.6


def _profile(offset: np.ndarray, light: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean distances and light in rings of a pixel."""
    ring = np.floor(offset.ravel()).astype(int)
    counts = np.maximum(np.bincount(ring), 1)
    means = [np.bincount(ring, each.ravel()) / counts for each in (offset, light)]
    return means[0][:12], means[1][:12]


def test_the_psf_is_a_moffat_profile_of_exponent_3():
    fwhm, flux = 5.0, 1.0
    each = drawn([Part(flux)], Psf.seeing(fwhm), (100.0, 100.0), (201, 201), 1e-7)
    assert each is not None
    y, x = np.indices(each.light.shape)
    offset = np.hypot(x + each.window.x - 100.0, y + each.window.y - 100.0)
    alpha = fwhm / (2 * np.sqrt(2 ** (1 / 3) - 1))
    moffat = 2 / (np.pi * alpha**2) * (1 + (offset / alpha) ** 2) ** -3
    inside = offset < 3 * fwhm
    np.testing.assert_allclose(each.light[inside], moffat[inside], rtol=0.12)
    assert each.light.sum() == pytest.approx(flux, rel=0.005)


def test_bands_have_the_noise_and_the_light_of_their_catalogue(sky: MultibandSky):
    for band in BANDS:
        image = sky.bands[band.letter]
        assert image.dtype == np.float32
        dark = image[image < np.median(image)]
        assert np.sqrt(np.mean((dark - np.median(image)) ** 2)) == pytest.approx(
            band.noise, rel=0.06
        )
        magnitude = sky.catalogue.table[f"mag_{band.letter}"].value
        total = np.sum(10 ** (0.4 * (22.5 - magnitude)))
        # Some of the light of objects near an edge falls beyond it.
        assert float(image.sum(dtype=float)) == pytest.approx(total, rel=0.15)


def test_colours_are_those_of_stars_and_galaxies():
    objects = [
        each
        for seed in range(20)
        for each in scene(512, MultibandSettings(), np.random.default_rng(seed))
    ]
    colours = {}
    for kind in ("star", "galaxy"):
        g, r, z = np.array([each.flux for each in objects if each.kind == kind]).T
        colours[kind] = 2.5 * np.log10(r / g), 2.5 * np.log10(z / r)
    g_r, r_z = colours["star"]
    assert np.all((g_r > 0.1) & (g_r < 1.7))
    blue = g_r < 1.15
    residual = r_z[blue] - 0.55 * g_r[blue]
    assert residual.std() < 0.05
    assert np.median(r_z[g_r > 1.3]) > 1.2
    g_r, r_z = colours["galaxy"]
    assert 0.5 < np.median(g_r) < 1.1 and g_r.std() > 0.15
    assert 0.4 < np.median(r_z) < 1.1
    red = -2.5 * np.log10([each.flux[1] for each in objects if each.kind == "galaxy"]) + 22.5
    counts = np.histogram(red, (21, 22, 23, 24, 25))[0]
    assert counts[3] / counts[1] == pytest.approx(10 ** (0.34 * 2), rel=0.2)


def test_sets_lie_apart_on_the_sky_with_north_up(folders: dict[str, Path]):
    centres = []
    for number in range(3):
        image = open_image(folders["multiband"] / f"set_{number}" / "img_z.fits")
        assert image.unit == "nmgy" and image.wcs is not None
        wcs = image.wcs
        lon, lat = wcs.wcs_pix2world([[79.5, 79.5], [79.5, 89.5], [89.5, 79.5]], 0).T
        centres.append(lon[0])
        assert lat[1] - lat[0] == pytest.approx(10 * 0.262 / 3600, rel=1e-6)
        assert lon[2] < lon[0]
    assert np.diff(centres).min() > SET * 0.262 / 3600
    table = Catalogue.read(folders["multiband"] / "set_2" / "catalogue.ecsv")
    x, y = wcs.wcs_world2pix(table.table["lon"], table.table["lat"], 0)
    np.testing.assert_allclose(x, table.table["x"], atol=1e-6)
    np.testing.assert_allclose(y, table.table["y"], atol=1e-6)
    assert table.frame == "icrs"


def test_a_bright_star_is_where_the_catalogue_says(sky: MultibandSky):
    table = sky.catalogue.table
    stars = table[table["kind"] == "star"]
    row = stars[np.argmin(stars["mag_r"])]
    box = sky.bands["r"][round(row["y"]) - 3 :, round(row["x"]) - 3 :][:7, :7]
    assert ndimage.maximum_position(box) in {(3, 3), (2, 3), (3, 2), (4, 3), (3, 4)}


@pytest.mark.parametrize(("size", "word"), [(32, "small"), (5000, "large")])
def test_a_set_that_cannot_be_made_costs_a_sentence(tmp_path: Path, size: int, word: str):
    with pytest.raises(DataError, match=f"too {word} to simulate; ask for 64 to 4,096"):
        multiband.write(tmp_path, 0, size, 1)


def test_a_set_is_there_whole_or_not_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def full(*args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(multiband, "_write_masks", full)
    with pytest.raises(OutputError, match="no space left on device"):
        multiband.write(tmp_path, 0, 64, 1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("writer", [galaxies.write, multiband.write])
def test_without_galsim_one_sentence_names_the_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer
):
    monkeypatch.setitem(sys.modules, "galsim", None)
    with pytest.raises(SetupError, match=r'`pip install "napari-astroseg\[sim\]"`$'):
        writer(tmp_path, 0, 128, 1)
    assert list(tmp_path.iterdir()) == []
