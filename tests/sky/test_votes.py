"""Vote maps count people: areas and histograms agree, and what is no count is refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

import napari_astroseg
from napari_astroseg.errors import ImageError, VoteError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.votes.counting import agreement, tallied, trimmed
from napari_astroseg.sky.votes.gz3d import open_gz3d
from napari_astroseg.sky.votes.opening import open_votes
from napari_astroseg.sky.votes.votemap import VoteMap
from napari_astroseg.sky.votes.writing import write_votes
from napari_astroseg.sky.window import Window


def sky(scale_arcsec: float = 0.099) -> WCS:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = "RA---TAN", "DEC--TAN"
    wcs.wcs.crval, wcs.wcs.crpix = (150.0, -0.2), (10.5, 8.5)
    wcs.wcs.cdelt = -scale_arcsec / 3600, -scale_arcsec / 3600
    return wcs


def real(shared_data: Path) -> Path:
    (path,) = (shared_data / "gz3d").glob("*.fits.gz")
    return path


counts = arrays(
    np.uint16, st.tuples(st.integers(1, 9), st.integers(1, 20)), elements={"max_value": 700}
)


# --- maps ---------------------------------------------------------------------------------------


@given(counts, st.sampled_from([np.uint8, np.uint16, np.int32, np.float32, ">f8", ">i2"]))
def test_everything_follows_from_the_counts(values: np.ndarray, dtype: str) -> None:
    values = values % 200 if np.dtype(dtype).itemsize == 1 else values
    votes = VoteMap.from_array(values.astype(dtype))
    assert np.array_equal(votes.counts, values)
    assert votes.counts.dtype == (np.uint8 if values.max() < 256 else np.uint16)
    assert votes.most == values.max()
    assert np.array_equal(votes.histogram(), np.bincount(values.ravel()))
    areas = votes.areas()
    assert dict(areas) == {n: int((values >= n).sum()) for n in range(1, values.max() + 1)}
    assert areas[votes.most + 1] == 0
    assert areas.arcsec2 is None
    for n in (1, 3, 300):
        assert np.array_equal(votes.at_least(n), values >= n)


@pytest.mark.parametrize("most", [1, 5, 24, 25, 255])
def test_large_maps_of_bytes_are_counted_exactly(most: int) -> None:
    rng = np.random.default_rng(most)
    values = np.zeros((101, 331), np.uint8)
    values[20:70] = most
    values[40:60, 100:] = rng.integers(0, most + 1, (20, 231))
    bins = np.zeros(65_536, np.int64)
    tallied(values, bins, "map")
    assert np.array_equal(trimmed(bins), np.bincount(values.ravel()))
    bins[:] = 0
    tallied(values[:, 1:], bins, "part")
    assert np.array_equal(trimmed(bins), np.bincount(values[:, 1:].ravel()))


def test_a_ladder_is_its_masks_and_a_window_a_part_of_one() -> None:
    values = np.arange(70).reshape(7, 10) % 9
    votes = VoteMap.from_array(values)
    assert votes.ladder().shape == (6, 7, 10)
    assert np.array_equal(votes.ladder(), [votes.at_least(n) for n in range(1, 7)])
    assert np.array_equal(votes.at_least(4, Window(2, 1, 5, 3)), values[1:4, 2:7] >= 4)


def test_areas_on_the_sky() -> None:
    areas = VoteMap.from_array([[0, 2], [1, 2]], sky(0.5)).areas()
    assert areas.arcsec2 is not None
    np.testing.assert_allclose(areas.arcsec2, [0.75, 0.5], rtol=1e-6)
    np.testing.assert_array_equal(areas.thresholds, [1, 2])


@pytest.mark.parametrize("n", [0, -3])
def test_a_threshold_asks_for_people(n: int) -> None:
    votes = VoteMap.from_array([[1]])
    with pytest.raises(VoteError, match="give a threshold from 1 up"):
        votes.at_least(n)
    with pytest.raises(VoteError, match="give a threshold from 1 up"):
        votes.ladder([1, n])


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (-1.0, r"holds -1 at pixel \(3, 1\), and votes are never negative"),
        (0.5, r"holds 0.5 at pixel \(3, 1\), and votes are whole people"),
        (70_000.0, "more than the 65,535 votes"),
        (np.inf, "more than the 65,535 votes"),
    ],
)
def test_what_is_no_count_is_refused(value: float, words: str) -> None:
    values = np.ones((3, 5))
    values[1, 3] = value
    with pytest.raises(VoteError, match=words):
        VoteMap.from_array(values, name="map")


def test_the_bad_pixel_is_named_wherever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_astroseg.sky.votes.votemap._BAND", 10)
    values = np.zeros((9, 5))
    values[7, 2] = 1.5
    with pytest.raises(VoteError, match=r"1.5 at pixel \(2, 7\)"):
        VoteMap.from_array(values)


def test_nearly_whole_numbers_are_rounded_and_missing_ones_have_no_votes() -> None:
    votes = VoteMap.from_array([[2.0004, np.nan, 4.9996]])
    assert votes.counts.tolist() == [[2, 0, 5]]
    assert votes.histogram().tolist() == [1, 0, 1, 0, 0, 1]
    assert votes.notes == ("1 pixels without a value count as without votes",)


def test_more_votes_than_voters_are_kept_and_told() -> None:
    assert VoteMap.from_array([[15]], voters=15).notes == ()
    votes = VoteMap.from_array([[17]], voters=15)
    assert votes.at_least(17).all()
    assert "its largest count, 17, exceeds its 15 volunteers" in votes.notes[0]


def test_agreement() -> None:
    assert agreement(np.array([90, 0, 0, 10]), 3) == 1.0  # three who drew the same
    assert agreement(np.array([70, 30]), 3) == 0.0  # three who drew apart
    assert agreement(np.array([90, 0, 10]), 3) == 0.5
    assert np.isnan(agreement(np.array([90, 10]), 1))
    assert np.isnan(agreement(np.array([100]), 5))
    assert VoteMap.from_array([[2, 0]], drew=2).agreement == 1.0


def test_a_stack_is_refused() -> None:
    one = SkyImage.from_array(np.zeros((2, 2)))
    stack = SkyImage(one.pixels, planes=[one.pixels, one.pixels], name="cube")
    with pytest.raises(VoteError, match="cube is a stack of 2; give one plane"):
        VoteMap(stack)


# --- files --------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint16, np.float32, np.float64])
def test_any_map_of_counts_opens(tmp_path: Path, dtype: type) -> None:
    values = np.arange(63, dtype=dtype).reshape(7, 9)
    fits.writeto(tmp_path / "map.fits", values, sky().to_header())
    (votes,) = napari_astroseg.open_votes(tmp_path / "map.fits").values()
    assert np.array_equal(votes.counts, values)
    assert votes.name == "votes"
    assert votes.wcs is not None
    assert votes.areas().pixel_arcsec2 == pytest.approx(0.099**2)


def test_whole_numbers_are_preferred(tmp_path: Path) -> None:
    sure = fits.ImageHDU(np.full((4, 5), 3, np.int16))
    hdus = [fits.PrimaryHDU(), fits.ImageHDU(np.full((4, 5), 0.5)), sure]
    fits.HDUList(hdus).writeto(tmp_path / "two.fits")
    assert open_votes(tmp_path / "two.fits")["votes"].most == 3
    with pytest.raises(VoteError, match=r"holds 0\.5 at pixel"):
        open_votes(f"{tmp_path / 'two.fits'}[1]")


def test_what_holds_no_counts_is_refused(tmp_path: Path) -> None:
    fits.writeto(tmp_path / "sky.fits", np.random.default_rng(1).normal(size=(8, 8)))
    with pytest.raises(VoteError, match="sky holds"):
        open_votes(tmp_path / "sky.fits")
    fits.writeto(tmp_path / "cube.fits", np.zeros((3, 8, 8), np.int16), sky().to_header())
    with pytest.raises(VoteError, match="not as one map of counts; name the HDU"):
        open_votes(tmp_path / "cube.fits")
    fits.HDUList([fits.PrimaryHDU()]).writeto(tmp_path / "empty.fits")
    with pytest.raises(ImageError, match="holds no two-dimensional image"):
        open_votes(tmp_path / "empty.fits")
    with pytest.raises(VoteError, match=r"is a folder; index it as a whole with `.*index_votes`"):
        open_votes(tmp_path)
    (tmp_path / "words.fits").write_text("no stars here")
    with pytest.raises(ImageError, match="not a FITS file"):
        open_votes(tmp_path / "words.fits")
    with pytest.raises(ImageError, match="check the name"):
        open_votes(tmp_path / "absent.fits")


def test_a_map_survives_its_file(tmp_path: Path) -> None:
    votes = VoteMap.from_array(np.arange(400).reshape(20, 20), sky(), "spiral", voters=15)
    (read,) = open_votes(write_votes(tmp_path / "votes.fits", votes)).values()
    assert np.array_equal(read.counts, votes.counts)
    there, here = read.image.sky(3, 4), votes.image.sky(3, 4)
    assert there.separation(here).arcsec < 1e-6
    assert fits.getheader(tmp_path / "votes.fits", 1)["VOTERS"] == 15


# --- a real file of Galaxy Zoo 3D ---------------------------------------------------------------


def test_the_real_votes_are_those_of_the_file(shared_data: Path) -> None:
    path = real(shared_data)
    votes = open_votes(path)
    assert list(votes) == ["center", "star", "spiral", "bar"]
    for hdu, each in enumerate(votes.values(), 1):
        assert np.array_equal(each.counts, fits.getdata(path, hdu))
        assert each.counts.dtype == np.uint8
    assert (votes["center"].voters, votes["center"].drew, votes["center"].most) == (15, 14, 14)
    assert (votes["star"].voters, votes["star"].drew, votes["star"].most) == (15, 6, 6)
    assert dict(votes["star"].areas()) == {1: 97, 2: 97, 3: 97, 4: 91, 5: 91, 6: 13}
    assert (votes["spiral"].voters, votes["spiral"].most, len(votes["spiral"].areas())) == (0, 0, 0)
    assert list(open_votes(path, "star")) == list(open_votes(f"{path}[2]")) == ["star"]


def test_the_real_votes_lie_the_right_way_up(shared_data: Path) -> None:
    path = real(shared_data)
    file = open_gz3d(path)
    corners = np.array([0, 524, 0, 524]), np.array([0, 0, 524, 524])
    expected = WCS(fits.getheader(path, 1)).pixel_to_world(*corners)
    for image in (file.picture, *(each.image for each in file.votes.values())):
        assert image.sky(*corners).separation(expected).arcsec.max() < 1e-6
    assert expected[0].dec > expected[2].dec  # the first row is the northern one
    assert expected[0].ra > expected[1].ra
    theirs = np.moveaxis(fits.getdata(path, 0), -1, 0)
    assert np.array_equal(file.picture.data.compute(), theirs)
    assert file.picture.bands == ("R", "G", "B")
    assert file.votes["star"].picture is file.picture


def test_the_real_galaxy_is_known(shared_data: Path) -> None:
    file = open_gz3d(real(shared_data))
    assert file.galaxy.manga_id == "1-411"
    assert file.galaxy.iau_name == "J095555.07-001125.0"
    assert (file.galaxy.fibres, file.galaxy.nsa_id) == (37, 434)
    assert file.galaxy.more["GZ_total_classifications"] == 50
    assert file.hexagon is not None
    np.testing.assert_allclose(file.hexagon.mean(0), [261.5, 261.5], atol=0.02)
    x, y = file.hexagon.T
    there = file.picture.sky(x, y)
    assert there[0].separation(there[3]).arcsec == pytest.approx(7 * 2.5, rel=1e-3)


def test_the_real_volunteers_add_up_to_the_real_counts(shared_data: Path) -> None:
    file = open_gz3d(real(shared_data))
    for kind, each in file.votes.items():
        own = file.by_volunteer(kind)
        assert len(own) == each.voters
        assert np.array_equal(sum(own, np.zeros(each.shape, int)), each.counts)
    assert sum(votes.any() for votes in file.by_volunteer("center")) == 14


def test_another_layout_is_refused(tmp_path: Path) -> None:
    fits.writeto(tmp_path / "map.fits", np.zeros((4, 4), np.uint8))
    with pytest.raises(VoteError, match=r"map.fits is no file of Galaxy Zoo 3D.*open_votes"):
        open_gz3d(tmp_path / "map.fits")
