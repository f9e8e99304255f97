"""Simulated filament skies: known by seed, sane in numbers, written as the real data are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from scipy import ndimage

from napari_astroseg.sky.simulate import (
    FilamentSettings,
    FilamentSky,
    iter_filaments,
    simulate_filaments,
    write_filaments,
)
from napari_astroseg.sky.simulate.roi import RoiCriteria, regions_of_interest

KINDS = ("image", "target", "background", "missing", "infrared")


@pytest.fixture(scope="module")
def skies() -> list[FilamentSky]:
    return [simulate_filaments((192, 224), seed) for seed in range(4)]


def test_one_seed_is_one_sky() -> None:
    first, again, other = (simulate_filaments(96, seed) for seed in (5, 5, 6))
    for kind in KINDS:
        np.testing.assert_array_equal(getattr(first, kind), getattr(again, kind))
    assert not np.array_equal(first.image, other.image, equal_nan=True)


def test_maps_share_shape_and_types(skies: list[FilamentSky]) -> None:
    for sky in skies:
        assert all(getattr(sky, kind).shape == (192, 224) for kind in KINDS)
        assert sky.image.dtype == sky.infrared.dtype == np.float32
        assert all(getattr(sky, kind).dtype == np.uint8 for kind in KINDS[1:4])
        assert all(getattr(sky, kind).max() <= 1 for kind in KINDS[1:4])


def test_missing_is_where_the_image_is_nan() -> None:
    holed = [simulate_filaments(128, s, FilamentSettings(holes=40.0)) for s in range(3)]
    for sky in holed:
        np.testing.assert_array_equal(sky.missing == 0, np.isnan(sky.image))
        assert not np.any((sky.target | sky.background) & (sky.missing == 0))
    assert any((sky.missing == 0).any() for sky in holed)


def test_settings_without_holes_give_full_maps() -> None:
    sky = simulate_filaments(96, 1, FilamentSettings(holes=0.0, edges=0.0))
    assert sky.missing.all()
    assert np.isfinite(sky.image).all()


def test_no_target_along_a_mosaic_edge() -> None:
    for seed in range(2):
        sky = simulate_filaments(160, seed, FilamentSettings(edges=1.0, holes=0.0))
        assert sky.missing[0].mean() < sky.missing[80].mean()
        depth = ndimage.distance_transform_edt(sky.missing)
        assert not np.any(sky.target & (depth <= 8))
        assert np.any(sky.target & (depth < 14))


def test_target_and_background_are_disjoint_and_present(skies: list[FilamentSky]) -> None:
    for sky in skies:
        assert not np.any(sky.target & sky.background)
    share = np.mean([sky.target[sky.missing == 1].mean() for sky in skies])
    assert 0.03 < share < 0.25
    assert np.mean([sky.background.mean() for sky in skies]) > 0.05


def test_column_densities_are_galactic_and_skewed(skies: list[FilamentSky]) -> None:
    for sky in skies:
        density = sky.image[sky.missing == 1].astype(float)
        assert 1e20 < density.min() < density.max() < 1e24
        spread = np.log10(density).std()
        assert 0.05 < spread < 0.5
        assert density.mean() > np.median(density)


def test_targets_rise_above_their_surroundings(skies: list[FilamentSky]) -> None:
    for sky in skies:
        inside, around = _inside_and_around(sky)
        assert np.median(sky.image[inside]) > np.median(sky.image[around])


def test_filaments_are_dark_in_the_infrared() -> None:
    # Dense enough that the column absorbs; thin skies are transparent in reality, too.
    dense = FilamentSettings(log_density=(22.2, 22.5))
    for seed in range(3):
        sky = simulate_filaments((192, 224), seed, dense)
        inside, around = _inside_and_around(sky)
        assert np.median(sky.infrared[inside]) < np.median(sky.infrared[around])


def test_roi_takes_a_ridge_and_leaves_a_clump() -> None:
    rows, columns = np.indices((128, 128), dtype=float)
    ridge = 0.06 * np.exp(-0.5 * ((rows - 40) / 2.0) ** 2) * (np.abs(columns - 64) < 40)
    clump = 0.2 * np.exp(-0.5 * ((rows - 90) ** 2 + (columns - 64) ** 2) / 4.0)
    found = regions_of_interest(ridge + clump, RoiCriteria(local_weight=0.0))
    assert found[40, 40:90].all()
    assert not found[80:100, 50:80].any()


def test_local_weight_asks_more_of_a_structured_sky() -> None:
    rng = np.random.default_rng(0)
    rows = np.indices((160, 160), dtype=float)[0]
    ridge = 0.06 * np.exp(-0.5 * ((rows - 80) / 2.0) ** 2)
    rough = ndimage.gaussian_filter(rng.standard_normal((160, 160)), 1.5) * 0.15
    local = RoiCriteria(local_weight=1.0)
    assert regions_of_interest(ridge, local)[80].mean() > 0.9
    assert (
        regions_of_interest(ridge + rough, local).mean()
        < regions_of_interest(ridge + rough, RoiCriteria(local_weight=0.0)).mean()
    )


def test_files_have_the_survey_layout(tmp_path: Path) -> None:
    stranger = tmp_path / "mine.fits"
    stranger.write_bytes(b"untouched")
    paths = write_filaments(tmp_path, 2, 64, seed=3)
    assert [p.name for p in paths] == [f"{i:03d}_{kind}.fits" for i in range(2) for kind in KINDS]
    assert {p.name for p in tmp_path.iterdir()} == {p.name for p in paths} | {"mine.fits"}
    assert stranger.read_bytes() == b"untouched"
    sky = simulate_filaments(64, 4)
    with fits.open(tmp_path / "001_image.fits") as file:
        np.testing.assert_array_equal(file[0].data, sky.image)
        assert file[0].header["BUNIT"] == "cm-2"
        assert file[0].header["SIMSEED"] == 4
    assert fits.getheader(tmp_path / "001_infrared.fits")["BUNIT"] == "MJy/sr"
    assert "BUNIT" not in fits.getheader(tmp_path / "001_target.fits")
    # Again over the same names.
    assert write_filaments(tmp_path, 2, 64, seed=3) == paths


def test_skies_lie_on_the_plane_and_apart(tmp_path: Path) -> None:
    centres = []
    for path in iter_filaments(tmp_path, 3, (48, 96), seed=0):
        wcs = WCS(fits.getheader(path))
        assert list(wcs.wcs.ctype) == ["GLON-CAR", "GLAT-CAR"]
        assert wcs.wcs.crval[1] == 0.0
        assert wcs.wcs.cdelt[0] < 0 < wcs.wcs.cdelt[1]
        assert wcs.wcs.cdelt[1] * 3600 == pytest.approx(11.5)
        longitude, latitude = wcs.wcs_pix2world([[47.5, 23.5], [0.0, 23.5]], 0).T
        assert latitude == pytest.approx([0.0, 0.0], abs=1e-9)
        centres.append(longitude[0])
    apart = np.diff(sorted(set(np.round(centres, 6))))
    assert len(apart) == 2
    assert apart.min() > 96 * 11.5 / 3600


def test_files_come_one_at_a_time(tmp_path: Path) -> None:
    paths = iter_filaments(tmp_path, 100, 32)
    assert next(paths).name == "000_image.fits"
    assert not (tmp_path / "001_image.fits").exists()


def _inside_and_around(sky: FilamentSky) -> tuple[np.ndarray, np.ndarray]:
    valid = sky.missing == 1
    inside = (sky.target == 1) & valid
    near = ndimage.binary_dilation(sky.target == 1, iterations=6)
    return inside, near & ~ndimage.binary_dilation(sky.target == 1, iterations=2) & valid
