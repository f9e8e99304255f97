"""A crowd's drawings become counts by the rule of Galaxy Zoo 3D, and survive its layout."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skimage.draw import disk

from napari_astroseg.errors import OutputError, VoteError
from napari_astroseg.sky.votes.clusters import clusters
from napari_astroseg.sky.votes.drawings import Drawing, counted
from napari_astroseg.sky.votes.gz3d import Galaxy, open_gz3d
from napari_astroseg.sky.votes.opening import open_votes
from napari_astroseg.sky.votes.outlines import counts_inside, is_simple, outlines
from napari_astroseg.sky.votes.writing import Annotator, summed, write_gz3d_like

SHAPE = (40, 50)
SQUARE = [(10, 10), (20, 10), (20, 20), (10, 20)]
masks = arrays(bool, st.tuples(st.integers(1, 12), st.integers(1, 12)))


def path(*points: tuple[float, float]) -> np.ndarray:
    return np.array(points, float)


# --- outlines -----------------------------------------------------------------------------------


@given(masks)
@settings(max_examples=60)
def test_a_mask_survives_its_outlines(mask: np.ndarray) -> None:
    lines = outlines(mask)
    assert all(is_simple(np.vstack((line, line[:1]))) for line in lines)
    assert np.array_equal(counts_inside(lines, mask.shape), mask)


def test_holes_within_holes_survive() -> None:
    mask = np.ones((15, 17), bool)
    mask[2:12, 3:14] = False
    mask[4:9, 5:12] = True
    mask[6, 7:9] = False
    assert np.array_equal(counts_inside(outlines(mask), mask.shape), mask)


@pytest.mark.parametrize(
    ("points", "simple"),
    [
        (SQUARE, True),
        ([*SQUARE, SQUARE[0]], True),
        ([(0, 0), (0, 0), (5, 0), (5, 5), (5, 5)], True),
        ([(0, 0), (10, 10), (10, 0), (0, 10)], False),  # a bow tie
        ([(0, 0), (10, 0), (5, 0)], False),  # runs back on itself
        ([(0, 0), (10, 0), (10, 5), (5, 0)], False),  # touches itself
        ([(0, 0), (10, 0), (10, 10), (10, 0), (20, 0)], False),
        ([(0, 0), (9, 0), (9, 9), (3, 0), (0, 0)], False),
        ([(0, 0), (5, 0), (10, 0), (10, 5)], True),  # straight on is no touch
        ([(0, 0), (4, 0), (4, 4), (8, 0), (0, 0)], False),  # its last line covers its first
    ],
)
def test_what_crosses_itself(points: list[tuple[float, float]], simple: bool) -> None:
    assert is_simple(path(*points)) is simple
    assert is_simple(path(*points) * 0.37 + 100.1) is simple


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=2, max_size=7))
@settings(max_examples=200)
def test_simple_lines_are_told_as_exact_arithmetic_tells_them(
    points: list[tuple[int, int]],
) -> None:
    moved = [p for i, p in enumerate(points) if i == 0 or p != points[i - 1]]
    segments = list(pairwise(moved))

    def cross(o: tuple[int, int], a: tuple[int, int], b: tuple[int, int]) -> int:
        return (a[0] - o[0]) * (b[1] - o[1]) - (a[1] - o[1]) * (b[0] - o[0])

    def ahead(a: tuple[int, int], b: tuple[int, int], c: tuple[int, int]) -> int:
        return (b[0] - a[0]) * (c[0] - b[0]) + (b[1] - a[1]) * (c[1] - b[1])

    def on(a: tuple[int, int], b: tuple[int, int], p: tuple[int, int]) -> bool:
        within = all(min(a[i], b[i]) <= p[i] <= max(a[i], b[i]) for i in (0, 1))
        return cross(a, b, p) == 0 and within

    def met(i: int, j: int) -> bool:
        (a, b), (c, d) = segments[i], segments[j]
        shared = set()
        if j == i + 1:
            shared.add(b)
            if cross(a, b, d) == 0 and ahead(a, b, d) < 0:
                return True
        if i == 0 and j == len(segments) - 1 and moved[0] == moved[-1]:
            shared.add(a)
            if cross(c, a, b) == 0 and ahead(c, a, b) < 0:
                return True
        if cross(a, b, c) * cross(a, b, d) < 0 and cross(c, d, a) * cross(c, d, b) < 0:
            return True
        touching = {p for p in (c, d) if on(a, b, p)} | {p for p in (a, b) if on(c, d, p)}
        return bool(touching - shared)

    crossed = any(met(i, j) for i in range(len(segments)) for j in range(i + 1, len(segments)))
    assert is_simple(path(*points)) is not crossed


def test_paths_count_once_each_and_those_that_cross_themselves_never() -> None:
    other = path((15, 15), (30, 15), (30, 30.5), (15, 30.5))
    bow = path((0, 0), (30, 30), (30, 0), (0, 30))
    counts = counts_inside([path(*SQUARE), path(*SQUARE), other, bow, path((3, 3))], SHAPE)
    assert counts[12, 12] == 2
    assert counts[17, 17] == 3
    assert counts[25, 25] == 1
    assert (counts[11:20, 11:20] >= 2).all()
    assert counts[:10].sum() == counts[:, :10].sum() == 0


def test_paths_beyond_the_picture_count_inside_it() -> None:
    counts = counts_inside([path((-9, -9), (4.5, -9), (4.5, 4.5), (-9, 4.5))], SHAPE)
    assert counts.sum() == counts[:5, :5].sum() == 25
    assert not counts_inside([path((60, 0), (70, 0), (70, 9))], SHAPE).any()


# --- points -------------------------------------------------------------------------------------


def test_points_cluster_where_three_are_near() -> None:
    rng = np.random.default_rng(3)
    points = np.concatenate(
        [rng.normal((12, 20), 1, (8, 2)), rng.normal((35, 10), 1, (4, 2)), [[45, 35], [46, 35]]]
    )
    first, second = clusters(points)
    assert first.members.tolist() == list(range(8))
    assert second.members.tolist() == [8, 9, 10, 11]
    np.testing.assert_allclose(first.mean, points[:8].mean(0))
    assert first.ellipse(SHAPE)[20, 12]
    assert clusters(points[-2:]) == []
    line = path((1, 1), (2, 2), (3, 3))
    assert not clusters(line)[0].ellipse(SHAPE).any()


def test_a_point_outside_any_cluster_gives_no_vote() -> None:
    where = [(20, 20), (21, 20), (20.5, 21.3), (44, 4)]
    drawings = [Drawing(n, "", "", "points", (path(each),)) for n, each in enumerate(where)]
    votes = list(counted(drawings, SHAPE))
    assert [each.any() for each in votes] == [True, True, True, False]
    assert sum(votes, np.zeros(SHAPE, int)).max() == 3


# --- files --------------------------------------------------------------------------------------


def crowd() -> tuple[np.ndarray, list[Annotator]]:
    rng = np.random.default_rng(5)
    people = []
    for number in range(4):
        marked = {}
        for kind in ("center", "star", "spiral", "bar"):
            mask = np.zeros(SHAPE, bool)
            y, x = rng.integers(12, 28), rng.integers(12, 38)
            mask[disk((y, x), 8, shape=SHAPE)] = True
            mask[disk((y, x), 3, shape=SHAPE)] = kind != "spiral"  # a ring
            marked[kind] = mask
        people.append(Annotator(f"Zoë {number}", marked, datetime(2026, 1, number + 1, tzinfo=UTC)))
    people.append(Annotator("empty", {"bar": np.zeros(SHAPE, bool)}))
    return rng.integers(0, 256, (*SHAPE, 3), dtype=np.uint8), people


def wcs() -> fits.Header:
    return fits.Header(
        {
            "NAXIS": 2,
            "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRVAL1": 150.0, "CRVAL2": 2.0,
            "CRPIX1": 25.0, "CRPIX2": 20.0, "CDELT1": -1e-4, "CDELT2": 1e-4,
        }
    )  # fmt: skip


@pytest.mark.parametrize("ending", ["fits", "fits.gz"])
def test_a_crowd_survives_the_layout(tmp_path: Path, ending: str) -> None:
    picture, people = crowd()
    there = WCS(wcs())
    galaxy = Galaxy("1-2", "J1", 150.0, 2.0, 19, 7)
    file = write_gz3d_like(tmp_path / f"own.{ending}", picture, people, there, galaxy)
    votes = open_votes(file)
    read = open_gz3d(file)
    assert np.array_equal(read.picture.data.compute(), np.moveaxis(picture, -1, 0))
    for kind, each in votes.items():
        assert np.array_equal(each.counts, summed(people, kind, SHAPE))
        assert (each.voters, each.drew) == ((5, 4) if kind == "bar" else (4, 4))
        own = read.by_volunteer(kind)
        for votes_of_one, person in zip(own, people, strict=False):
            assert np.array_equal(votes_of_one, person.masks[kind])
        names = [drawing.name for drawing in read.drawings[kind]]
        assert names == ["Zoë 0", "Zoë 1", "Zoë 2", "Zoë 3", "empty"][: len(own)]
    assert read.drawings["spiral"][2].time == "2026-01-03 00:00:00 UTC"
    told = (read.galaxy.manga_id, read.galaxy.iau_name, read.galaxy.fibres, read.galaxy.nsa_id)
    assert told == ("1-2", "J1", 19, 7)
    expected = there.pixel_to_world(7, 30)
    assert votes["bar"].image.sky(7, 30).separation(expected).arcsec < 1e-6
    assert read.hexagon is not None


def test_a_crowd_without_a_sky_has_no_hexagon(tmp_path: Path) -> None:
    picture, people = crowd()
    read = open_gz3d(write_gz3d_like(tmp_path / "own.fits", picture, people))
    assert read.hexagon is None
    assert read.votes["bar"].wcs is None
    assert read.galaxy.fibres is None


def test_overlapping_outlines_of_one_person_exceed_the_people(tmp_path: Path) -> None:
    picture, people = crowd()
    file = write_gz3d_like(tmp_path / "own.fits", picture, people[:1])
    with fits.open(file, mode="update") as hdus:
        told = json.loads(hdus[10].data["bar_paths"][0])
        hdus[4].data = hdus[4].data * 2
        twice = fits.Column("bar_paths", "9999A", array=[json.dumps(told * 2)])
        numbers = fits.Column("classification_id", "K", array=[1])
        hdus[10] = fits.BinTableHDU.from_columns([numbers, twice])
    read = open_gz3d(file)
    assert np.array_equal(read.by_volunteer("bar")[0], read.votes["bar"].counts)
    assert "its largest count, 2, exceeds its 1 volunteers" in read.votes["bar"].notes[-1]


def test_classifications_that_make_no_sense_are_left_out_and_told(tmp_path: Path) -> None:
    picture, people = crowd()
    file = write_gz3d_like(tmp_path / "own.fits", picture, people)
    with fits.open(file, mode="update") as hdus:
        hdus[9].data["spiral_paths"][1] = "[[[1, 2], [3"
        hdus[9].data["spiral_paths"][2] = "[[[1, 2], [3, NaN]]]"
    read = open_gz3d(file)
    assert [each.number for each in read.drawings["spiral"]] == [1, 4]
    assert read.notes[0].startswith("2 of the classifications in HDU 9 make no sense")


def test_what_cannot_be_written_is_refused(tmp_path: Path) -> None:
    picture, people = crowd()
    with pytest.raises(VoteError, match=r"pass red, green and blue as \(H, W, 3\)"):
        write_gz3d_like(tmp_path / "own.fits", picture[..., 0], people)
    small = Annotator("Ann", {"bar": np.zeros((3, 3), bool)})
    with pytest.raises(VoteError, match=r"the bar mask of Ann has the shape .* same pixels"):
        write_gz3d_like(tmp_path / "own.fits", picture, [small])
    odd = Annotator("Ann", {"arms": np.zeros(SHAPE, bool)})
    with pytest.raises(VoteError, match="Ann marks 'arms'; use one of center"):
        write_gz3d_like(tmp_path / "own.fits", picture, [odd])
    (tmp_path / "taken").write_text("")
    with pytest.raises(OutputError):
        write_gz3d_like(tmp_path / "taken" / "own.fits", picture, people)
    assert not list(tmp_path.glob("*.fits"))
