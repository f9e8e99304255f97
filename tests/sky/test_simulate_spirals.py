"""Simulated spirals: known by seed, in the layout of Galaxy Zoo 3D, arms where volunteers drew."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from scipy import ndimage

from napari_astroseg.errors import DataError, OutputError
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.simulate import SpiralSettings, simulate_spirals
from napari_astroseg.sky.simulate.sdsspicture import bundle_radius
from napari_astroseg.sky.simulate.spiralarm import Arm
from napari_astroseg.sky.simulate.spirals import SpiralSky, write
from napari_astroseg.sky.simulate.spiralscene import SHAPES, Galaxy, scene
from napari_astroseg.sky.simulate.volunteers import crowd
from napari_astroseg.sky.votes.drawings import counted
from napari_astroseg.sky.votes.gz3d import open_gz3d
from napari_astroseg.sky.votes.outlines import is_simple

SIZE = 128
ARMED = SpiralSettings(shares=(0, 0, 0, 0, 1, 1, 0), contrast=(0.9, 1.7))


def votes(sky: SpiralSky, kind: str = "spiral") -> np.ndarray:
    shape = sky.picture.shape[:2]
    return sum(counted(sky.crowd.drawings[kind], shape), np.zeros(shape))


@pytest.fixture(scope="module")
def armed() -> list[SpiralSky]:
    """Galaxies with arms that nobody overlooks, and that people were asked for."""
    skies = (simulate_spirals(SIZE, 3, number, ARMED) for number in range(20))
    return [sky for sky in skies if sky.galaxy.evident > 0.6 and sky.crowd.drawings["spiral"]]


@pytest.fixture(scope="module")
def crowds() -> list[tuple[Galaxy, np.ndarray]]:
    """Many galaxies and the votes for arms in them, without pictures, on small pixels."""
    found = []
    for number in range(200):
        first, second = np.random.default_rng([8, number]).spawn(2)
        galaxy, settings = scene(first, SpiralSettings()), SpiralSettings()
        said = crowd(galaxy, np.empty((0, 2)), np.empty(0), 105, second, settings)
        shape = (105, 105)
        found.append((galaxy, sum(counted(said.drawings["spiral"], shape), np.zeros(shape))))
    return found


def test_one_seed_is_one_file_in_whatever_order_it_is_written(tmp_path: Path) -> None:
    first = [write(tmp_path / "a", number, SIZE, 7)[0] for number in (0, 1, 2)]
    again = [write(tmp_path / "b", number, SIZE, 7)[0] for number in (2, 0, 1)]
    assert {path.name: path.read_bytes() for path in first} == {
        path.name: path.read_bytes() for path in again
    }
    assert len({path.read_bytes() for path in first}) == 3
    other = write(tmp_path / "c", 0, SIZE, 8)[0]
    assert other.name != first[0].name
    assert not np.array_equal(fits.getdata(other), fits.getdata(first[0]))


def test_files_are_laid_out_as_the_real_one(shared_data: Path, tmp_path: Path) -> None:
    real = next((shared_data / "gz3d").glob("*.fits.gz"))
    ours = write(tmp_path, 1, 525, 0)[0]
    with fits.open(real) as theirs, fits.open(ours) as mine:
        assert [hdu.name for hdu in mine] == [hdu.name for hdu in theirs]
        for number, (left, right) in enumerate(zip(mine, theirs, strict=True)):
            assert type(left) is type(right)
            if number < 5:
                assert left.data.dtype == right.data.dtype
                assert left.data.shape == right.data.shape
                assert list(left.header) == list(right.header)
                for key in ("CRPIX1", "CRPIX2", "PC1_1", "PC2_2", "CDELT1", "CTYPE1", "CUNIT2"):
                    assert left.header[key] == right.header[key]
            else:
                assert left.columns.names == right.columns.names
            if number in (5, 6, 7):
                assert left.columns.formats == right.columns.formats
        for kind, hdu in (("spiral", 9), ("bar", 10)):
            asked = len(mine[hdu].data)
            assert asked in (0, 15)
            assert (mine[hdu].columns[f"{kind}_paths"].format == "D") == (asked == 0)


def test_row_0_is_the_north_and_clusters_say_where_they_are(tmp_path: Path) -> None:
    path = write(tmp_path, 0, SIZE, 0)[0]
    with fits.open(path) as file:
        wcs = WCS(file[1].header)
        ra, dec = wcs.wcs_pix2world([[0, 0], [0, SIZE - 1], [SIZE - 1, 0]], 0).T
        assert dec[0] > dec[1] and ra[0] > ra[2]
        assert (dec[0] - dec[1]) * 3600 == pytest.approx(525 * 0.099 * (SIZE - 1) / SIZE, rel=1e-3)
        about = file[5].data[0]
        assert (about["ra"], about["dec"]) == pytest.approx(tuple(wcs.wcs.crval), rel=1e-6)
        cluster = file[6].data[0]
        there = wcs.wcs_pix2world([[cluster["x"], cluster["y"]]], 1)[0]
        assert (cluster["ra"], cluster["dec"]) == pytest.approx(tuple(there), abs=1e-7)
        area = wcs.proj_plane_pixel_scales()[1].to_value("deg") ** 2
        assert cluster["var_dec"] == pytest.approx(cluster["var_y"] * area, rel=1e-3)
        assert file[1].data.max() == cluster["count"] > 10
        points = [json.loads(row["center_points"]) for row in file[8].data]
        assert all(len(point) == 2 for told in points for point in told)


def test_reading_the_drawings_gives_the_counts(tmp_path: Path) -> None:
    read = 0
    for number in (0, 1, 3, 8):
        file = open_gz3d(write(tmp_path, number, SIZE, 5)[0])
        assert file.notes == ()
        assert file.galaxy.manga_id == f"90005-{number + 1}"
        for kind, told in file.votes.items():
            drawn = sum(file.by_volunteer(kind), np.zeros((SIZE, SIZE)))
            assert np.array_equal(told.counts, drawn)
            assert told.voters in (0, 15)
            read += int(told.most > 0)
    assert read >= 8


def test_arms_are_drawn_where_they_are(armed: list[SpiralSky]) -> None:
    assert len(armed) > 8
    shares = []
    for sky in armed:
        marked = votes(sky) >= 3
        shares.append((marked & sky.arms).sum() / (marked | sky.arms).sum())
    assert np.mean(shares) > 0.5
    assert np.quantile(shares, 0.1) > 0.3


def test_arms_are_brighter_and_bluer_than_what_lies_between(armed: list[SpiralSky]) -> None:
    brighter, bluer = [], []
    for sky in armed:
        galaxy = sky.galaxy
        columns, rows = np.meshgrid(*[(np.arange(SIZE) + 0.5) * 525 / SIZE - 0.5] * 2)
        radius = galaxy.plane(columns, rows)[0]
        ring = (radius > 0.8 * galaxy.radius) & (radius < 1.6 * galaxy.radius)
        on, off = sky.picture[ring & sky.arms], sky.picture[ring & ~sky.arms]
        brighter.append(on.mean() / off.mean())
        bluer.append(on[:, 2].mean() / on[:, 0].mean() / (off[:, 2].mean() / off[:, 0].mean()))
    assert np.mean(np.array(brighter) > 1.03) > 0.9
    assert np.median(bluer) > 1.015  # a red star may lie upon an arm


def test_a_quarter_of_the_galaxies_has_arms_and_most_of_these_are_spirals(
    crowds: list[tuple[Galaxy, np.ndarray]],
) -> None:
    """Rey Deutsch et al. count 7 193 with arms of 29 813."""
    marked = [counts.max() >= 3 for _, counts in crowds]
    assert np.mean(marked) == pytest.approx(0.24, abs=0.05)
    right = [bool(galaxy.arms) for (galaxy, _), found in zip(crowds, marked, strict=True) if found]
    assert np.mean(right) > 0.95
    assert {galaxy.shape for galaxy, _ in crowds} == set(SHAPES)


def test_area_falls_with_the_threshold_and_counts_may_exceed_the_people(
    crowds: list[tuple[Galaxy, np.ndarray]],
) -> None:
    ladder = np.array([[(counts >= n).mean() for n in range(1, 7)] for _, counts in crowds])
    areas = [column[column > 0].mean() for column in ladder.T]
    assert all(left > right for left, right in pairwise(areas))
    assert 0.03 < areas[2] < 0.10
    assert max(counts.max() for _, counts in crowds) > 15


def test_people_differ_and_err(armed: list[SpiralSky]) -> None:
    drawn = [each for sky in armed for each in sky.crowd.drawings["spiral"]]
    assert 0.02 < np.mean([each.empty for each in drawn]) < 0.3
    lines = [line for each in drawn for line in each.lines]
    assert 0.004 < np.mean([not is_simple(line) for line in lines if len(line) > 2]) < 0.3
    assert any(len(line) < 3 for line in lines)
    shape = (SIZE, SIZE)
    on = [
        (counts * sky.arms).sum() / counts.sum()
        for sky in armed
        for counts in counted(sky.crowd.drawings["spiral"], shape)
        if counts.any()
    ]
    assert min(on) < 0.4 and np.median(on) > 0.55


def test_centres_and_stars_are_marked_by_those_who_see_them(armed: list[SpiralSky]) -> None:
    for sky in armed:
        counts = votes(sky, "center")
        at = np.array(ndimage.center_of_mass(counts == counts.max()))[::-1]
        middle = (np.array((sky.galaxy.x, sky.galaxy.y)) + 0.5) * SIZE / 525 - 0.5
        assert np.hypot(*(at - middle)) < 1.5
        assert counts.max() >= 10
        marks = [bool(each.lines) for each in sky.crowd.drawings["star"]]
        assert not all(marks)
    assert any(votes(sky, "star").max() >= 3 for sky in armed)


def test_pictures_are_as_the_real_one(shared_data: Path) -> None:
    real = fits.getdata(next((shared_data / "gz3d").glob("*.fits.gz"))).astype(float)
    nobody = SpiralSettings(shares=(1, 0, 0, 0, 0, 0, 0), stars=0.0, neighbours=0.0)
    ours = simulate_spirals(525, 4, 0, nobody).picture.astype(float)
    theirs, mine = real[20:140, 400:500].reshape(-1, 3), ours[:60, :60].reshape(-1, 3)
    assert mine.mean(0) == pytest.approx(theirs.mean(0), abs=3.0)
    assert mine.std(0) == pytest.approx(theirs.std(0), rel=0.25)
    across = (ours[263, :, 0] + ours[263, :, 2]) / 2 - ours[263, :, 1]
    corner = 262 - bundle_radius(_fibres(4, nobody))
    assert across[:262].argmax() == pytest.approx(corner, abs=2.0)


def test_the_outline_is_that_of_the_real_picture() -> None:
    assert bundle_radius(37) == pytest.approx(77.5, abs=0.5)


@pytest.mark.parametrize("pitch", [0.2, -0.5])
def test_an_arm_keeps_its_angle_to_circles(pitch: float) -> None:
    arm = Arm(0.3, pitch, 20.0, 90.0, 5.0, 1.0)
    radius = np.array([30.0, 30.001])
    azimuth = arm.crest(radius)
    slope = np.diff(radius) / (radius[0] * np.diff(azimuth))
    assert np.arctan(slope)[0] == pytest.approx(pitch, rel=1e-3)
    assert arm.across(radius, azimuth) == pytest.approx(0.0, abs=1e-9)
    beyond = arm.across(radius[:1], azimuth[:1] + 0.01)[0]
    assert beyond == pytest.approx(0.3 * np.sin(abs(pitch)), rel=1e-3)
    assert arm.along(np.array([19.0, 45.0, 91.0])) == pytest.approx([0.0, 1.0, 0.0])


def test_places_in_the_plane_and_in_the_picture_belong_together() -> None:
    galaxy = scene(np.random.default_rng(3), SpiralSettings())
    radius, azimuth = np.array([10.0, 60.0]), np.array([1.0, -2.0])
    back = galaxy.plane(*galaxy.seen(radius, azimuth).T)
    assert np.allclose(back, (radius, azimuth))


def test_a_folder_is_one_to_learn_from(tmp_path: Path) -> None:
    for number in range(3):
        write(tmp_path, number, SIZE, 6)
    data = open_dataset(tmp_path)
    assert data.layout == "gz3d" and data.report == [] and len(data.items) == 3


def test_a_file_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be written .*choose another folder"):
        write(tmp_path / "file", 0, 128, 1)
    with pytest.raises(DataError, match="ask for at most"):
        simulate_spirals(4000)


def _fibres(seed: int, settings: SpiralSettings) -> int:
    return simulate_spirals(128, seed, 0, settings).galaxy.fibres
