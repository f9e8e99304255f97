"""Crops without bubbles: none touches an object, a gap or the edge; drawn by the digest."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from layouts import TILE, bubble_row, write_set, write_tile
from skies import galactic_wcs

from napari_astroseg.errors import DataError
from napari_astroseg.sky.datasets.bubblecatalogue import read_bubbles
from napari_astroseg.sky.datasets.negatives import draw_negatives, squares
from napari_astroseg.sky.datasets.occupied import Gaps, Occupied
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.datasets.sizes import SizeLaw
from napari_astroseg.sky.datasets.tiles import boxes
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import PlainPixels
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.window import Window

sizes = st.integers(1, 60)
fills = st.sampled_from(["circle", "box"])


@st.composite
def objects(draw) -> np.ndarray:
    """(N, 4) boxes here and there, also beyond the edges."""
    count = draw(st.integers(0, 12))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    middle = rng.uniform(-20, 140, (count, 2))
    half = rng.uniform(0.3, 25, (count, 1)) * rng.choice([[1, 1], [1, 0.6]], count)
    return np.concatenate((middle - half, middle + half), 1)


@given(objects(), fills, st.integers(0, 2**32 - 1), st.booleans())
def test_no_negative_touches_an_object_a_gap_or_the_edge(edges, fill, seed, gap) -> None:
    rng = np.random.default_rng(seed)
    values = np.ones((110, 120), np.float32)
    if gap:
        values[rng.integers(110), rng.integers(120)] = np.nan
        values[60:70, 0:9] = np.inf
    image = SkyImage.from_array(values)
    occupied = Occupied.on(image.shape, edges, fill)
    drawn = squares(image, occupied, Gaps.of(image, [0]), rng.integers(1, 140, 40), rng)
    for window in drawn:
        assert window.overlap(Window.whole(image.shape)) == window
        crop = image.cutout(window)
        assert np.isfinite(crop).all()
        # What is drawn from a tile whose objects are NaN holds no NaN.
        assert np.isfinite(Occupied(edges, fill).blanked(crop, window)).all()
    if not len(edges) and not gap:
        assert len(drawn) == sum(side <= 110 for side in _sides(seed))


def _sides(seed: int) -> list[int]:
    return np.random.default_rng(seed).integers(1, 140, 40).tolist()


@given(objects(), fills, st.integers(0, 90), st.integers(0, 90), sizes)
def test_touching_is_by_area_and_not_by_pixel_centres(edges, fill, x, y, size) -> None:
    occupied = Occupied(edges, fill)
    (told,) = occupied.touched(*(np.array([n]) for n in (x, y, size)))
    fine = 40
    steps = (np.arange(size * fine) + 0.5) / fine - 0.5
    seen = False
    for left, low, right, top in edges:
        across, up = (x + steps - (left + right) / 2), (y + steps - (low + top) / 2)
        if fill == "box":
            seen |= bool((abs(across) < (right - left) / 2).any()) & bool(
                (abs(up) < (top - low) / 2).any()
            )
        else:
            away = (across / (right - left) * 2) ** 2
            seen |= bool((away.min() + ((up / (top - low) * 2) ** 2).min()) < 1)
    if seen:
        assert told
    elif told:  # nearer than the steps tell
        grown = Occupied(edges + np.array([-1, -1, 1, 1]) * 0.02, fill)
        assert grown.touched(*(np.array([n]) for n in (x, y, size)))[0]


def test_many_squares_and_objects_are_compared_block_by_block(monkeypatch) -> None:
    rng = np.random.default_rng(0)
    edges = rng.uniform(0, 500, (50, 2)).repeat(2, 0).reshape(50, 4)
    edges[:, 2:] += rng.uniform(1, 40, (50, 1))
    x, y, size = (rng.integers(1, top, 300) for top in (500, 500, 30))
    whole = Occupied(edges).touched(x, y, size)
    monkeypatch.setattr("napari_astroseg.sky.datasets.occupied._PAIRS", 333)
    assert np.array_equal(Occupied(edges).touched(x, y, size), whole)
    assert 0 < whole.sum() < 300
    assert Occupied(edges[:0]).touched(x, y, size).sum() == 0


@given(st.floats(0.2, 4000), st.floats(0, 2.5), st.integers(0, 2**32 - 1), st.integers(1, 500))
def test_sizes_stay_within_their_ends(median, scatter, seed, least) -> None:
    law = SizeLaw(median, scatter)
    drawn = law.drawn(np.random.default_rng(seed), 200, least, least + 300)
    assert drawn.min() >= least and drawn.max() <= least + 300
    assert len(drawn) == 200


def test_sizes_follow_their_law_and_the_law_its_sizes() -> None:
    law = SizeLaw(90.0, 0.4)
    drawn = law.drawn(np.random.default_rng(0), 20_000, 5, 9000)
    assert np.median(drawn) == pytest.approx(90, rel=0.02)
    found = SizeLaw.fitted(drawn)
    assert (found.median, found.scatter) == pytest.approx((90, 0.4), rel=0.02)
    cut = law.drawn(np.random.default_rng(0), 20_000, 60, 120)
    whole = drawn[(drawn >= 60) & (drawn <= 120)]
    assert np.quantile(cut, [0.1, 0.5, 0.9]) == pytest.approx(
        np.quantile(whole, [0.1, 0.5, 0.9]), rel=0.03
    )
    few = SizeLaw.fitted([3.0, np.nan, 3.0])
    assert (few.median, few.scatter) == (pytest.approx(3), 0.85)
    assert law.scaled(2).median == 180
    with pytest.raises(DataError, match="no object has a size"):
        SizeLaw.fitted([np.nan, -1.0, 0.0])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three tiles of one degree; bubbles on them, one cut by an edge, one that no tile shows."""
    folder = tmp_path / "tiles"
    for lon in (0.0, 3.0, 6.0):
        write_tile(folder, lon)
    rows = [
        bubble_row(1, 359.9, 0.1, 4.0),
        bubble_row(2, 0.5, -0.1, 3.0),  # half of it beyond the edge: not learnt, yet left out
        bubble_row(3, 3.1, 0.0, 2.0),
        bubble_row(4, 6.1, 0.2, 1.0),
        bubble_row(5, 120.0, 0.2, 1.0),
    ]
    (folder / "bubbles.dat").write_text("\n".join(rows))
    return folder


def test_crops_of_a_folder_lie_clear_of_every_bubble_of_the_catalogue(folder: Path) -> None:
    data = open_dataset(folder)
    assert sum(len(item.truth().objects) for item in data.items) == 3
    found, _ = read_bubbles(folder / "bubbles.dat", folder)
    for part in ("training", "validation"):
        drawn = draw_negatives(data, 150, part)
        images = {number: data.items[number].image for number in data.of(part).tolist()}
        assert len(drawn) == 150 and drawn.notes == ()
        assert {stamp.item for stamp in drawn.stamps} == set(data.of(part).tolist())
        for stamp in drawn.stamps:
            image, window = images[stamp.item], stamp.window
            assert window.overlap(Window.whole(image.shape)) == window
            assert min(window.width, window.height) >= 24
            every = Occupied.on(image.shape, boxes(image, found))
            assert np.isfinite(every.blanked(np.ones(window.shape), window)).all()
    law = SizeLaw.fitted([2 * 1.7 * 1.3 * major for major in (4, 3, 2, 1, 1)])
    assert drawn.law == law


def test_the_same_digest_and_seed_draw_the_same_crops(folder: Path) -> None:
    first, again = (draw_negatives(open_dataset(folder), 40, seed=3) for _ in range(2))
    assert first == again
    data = open_dataset(folder)
    others = [
        draw_negatives(data, 40, seed=4),
        draw_negatives(data, 40, "validation", seed=3),
    ]
    assert all(other.stamps != first.stamps for other in others)


def test_crops_keep_off_missing_pixels_of_the_fed_bands_alone(folder: Path) -> None:
    data = open_dataset(folder)
    (number,) = data.of("validation").tolist()
    place = folder / data.items[number].name
    image = data.items[number].image
    for band in "gb":
        values = image.plane("rgb".index(band)).cutout(Window.whole(image.shape))
        half = slice(0, TILE // 2) if band == "g" else slice(0, TILE)
        values[half] = np.nan
        write_image(place / f"{band}.fits", values, image.header, "MJy/sr")
    if not np.isfinite(values).any():  # b would be left out as a whole
        values[0, 0] = 1.0
        write_image(place / "b.fits", values, image.header, "MJy/sr")
    data = open_dataset(folder)
    drawn = draw_negatives(data, 60, "validation")
    assert all(stamp.window.y >= TILE // 2 for stamp in drawn.stamps)
    assert len(drawn) > 30


def test_what_is_full_costs_a_sentence_and_no_time(folder: Path) -> None:
    rows = [bubble_row(n, lon, 0.0, 55.0) for n, lon in enumerate((0.0, 3.0, 6.0), 1)]
    (folder / "bubbles.dat").write_text("\n".join(rows))
    with pytest.raises(DataError, match="no crop of tiles is clear of its 3 bubbles"):
        draw_negatives(open_dataset(folder), 500)


def test_fewer_than_asked_for_are_told(folder: Path) -> None:
    # All but strips beside the tiles' edges is occupied, and most crops are too large for these.
    rows = [bubble_row(n, lon, 0.0, 16.0) for n, lon in enumerate((0.0, 3.0, 6.0), 1)]
    lines = [*rows, bubble_row(9, 400.0, 0.0, 1.0)]
    (folder / "bubbles.dat").write_text("\n".join(lines))
    drawn = draw_negatives(open_dataset(folder), 200)
    assert 0 < len(drawn) < 200
    assert f"{len(drawn)} of 200 crops found a place" in drawn.notes[0]
    assert "1 rows of the catalogue make no sense" in drawn.notes[1]


def test_a_training_crop_shows_nothing_of_a_tile_that_validates(tmp_path: Path) -> None:
    for lon in (0.0, 0.6, 1.2, 1.8, 2.4):  # each overlaps its neighbours
        write_tile(tmp_path, lon)
    (tmp_path / "bubbles.dat").write_text(bubble_row(1, 0.1, 0.1, 1.0))
    data = open_dataset(tmp_path)
    validating = [data.items[n].image for n in data.of("validation").tolist()]
    images = {number: data.items[number].image for number in data.of("training").tolist()}
    for stamp in draw_negatives(data, 60).stamps:
        image, window = images[stamp.item], stamp.window
        x, y = np.meshgrid([window.x, window.x_end - 1], [window.y, window.y_end - 1])
        for tile in validating:
            column, row = tile.pixel(image.sky(x, y))
            inside = (column > -0.5) & (column < TILE - 0.5) & (row > -0.5) & (row < TILE - 0.5)
            assert not inside.any()


def test_what_makes_no_sense_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="0 is no number of crops"):
        draw_negatives(open_dataset(folder), 0)
    with pytest.raises(DataError, match="no tile in its unlabelled part"):
        draw_negatives(open_dataset(folder), 5, "unlabelled")
    write_set(tmp_path / "sets", 0)
    with pytest.raises(DataError, match="name a folder of the layout bubbles"):
        draw_negatives(open_dataset(tmp_path / "sets"), 5)


def test_it_can_be_stopped(folder: Path) -> None:
    data = open_dataset(folder)
    told = []

    def progress(what: str, done: int, total: int | None) -> None:
        told.append((done, total))
        if len(told) == 3:
            raise Stopped

    with pytest.raises(Stopped):
        draw_negatives(data, 5, progress=progress)
    assert told == [(TILE * n, 4 * TILE) for n in (1, 2, 3)]


class _Sky(PlainPixels):
    """10 000² pixels of nothing with a gap, in no memory."""

    shape = (10_000, 10_000)
    dtype = np.dtype(np.float32)
    identity = None

    def __getitem__(self, key):
        rows, columns = (len(range(*part.indices(10_000))) for part in key)
        values = np.zeros((rows, columns), np.float32)
        if key[0].start <= 4000 < key[0].stop:
            values[4000 - key[0].start, :3000] = np.nan
        return values


def test_a_tile_of_a_hundred_million_pixels_takes_little() -> None:
    rng = np.random.default_rng(0)
    image = SkyImage(_Sky(), galactic_wcs(1.2 / 3600))
    middle, half = rng.uniform(0, 10_000, (400, 2)), rng.lognormal(4.3, 0.8, (400, 1))
    occupied = Occupied.on(image.shape, np.concatenate((middle - half, middle + half), 1))
    gaps = Gaps.of(image, [0])
    sides = SizeLaw(200, 0.85).drawn(rng, 3000, 24, 10_000)
    drawn = squares(image, occupied, gaps, sides, rng)
    assert len(drawn) > 2700
    assert not any(w.y <= 4000 < w.y_end and w.x < 3000 for w in drawn)


@pytest.mark.parametrize(("median", "size"), [(5.0, 24), (5000.0, 300)])
def test_sizes_far_from_what_is_allowed_are_the_nearest_that_is(median: float, size: int) -> None:
    drawn = SizeLaw(median, 0.01).drawn(np.random.default_rng(0), 10, 24, 300)
    assert (drawn == size).all()
