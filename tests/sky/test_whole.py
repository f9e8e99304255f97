"""Maps larger than memory: what is found part by part is what is found at once."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter
from scipy.sparse import csgraph
from skimage.morphology import skeletonize

from napari_astroseg.sky import spines
from napari_astroseg.sky.files.tilewriting import TILE, tile_writer
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.spines import lengths, spine, spine_lengths
from napari_astroseg.sky.structures import label_structures
from napari_astroseg.sky.tally import Tally
from napari_astroseg.sky.whole.components import components
from napari_astroseg.sky.whole.runs import Runs
from napari_astroseg.sky.window import Window

SIZES = st.tuples(st.integers(1, 30), st.integers(1, 30))


@settings(max_examples=60)
@given(SIZES, st.integers(1, 12), st.floats(0.2, 0.8), st.integers(0, 9), st.integers(0, 99))
def test_regions_of_parts_are_those_of_the_whole(size, side, threshold, least, seed):
    probability = np.random.default_rng(seed).random(size, np.float32)
    window = Window(7, 11, size[1], size[0])

    def mask_of(part):
        return probability[part.moved(-window.x, -window.y).slices] >= threshold

    found = components(window, side, mask_of, least)
    labels = np.zeros(size, np.int32)
    for part in window.parts(side):
        labels[part.moved(-window.x, -window.y).slices] = found.labels(part, mask_of(part))
    expected = label_structures(probability, threshold, least)
    assert np.array_equal(labels, expected)
    assert found.count == expected.max(initial=0)


@settings(max_examples=60)
@given(SIZES, st.integers(1, 12), st.integers(0, 99))
def test_runs_of_parts_fill_the_regions_again(size, side, seed):
    labels = np.random.default_rng(seed).integers(0, 4, size).astype(np.int32)  # they may touch
    runs, window = Runs(), Window(5, 3, size[1], size[0])
    for part in window.parts(side):
        runs.add(labels[part.moved(-5, -3).slices], part)
    again = np.zeros_like(labels)
    for number, where, mask in runs.masks():
        assert mask.any(0)[[0, -1]].all() and mask.any(1)[[0, -1]].all()  # it is just around it
        again[where.moved(-5, -3).slices][mask] = number
    assert np.array_equal(again, labels)


def test_figures_of_parts_add_up_to_those_of_the_whole():
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 5, (50, 60)).astype(np.int32)
    values, probability, spread = rng.random((3, 50, 60)).astype(np.float32)
    values[labels == 2] = np.nan
    values[3:9] = probability[:, :4] = np.nan
    once, parted, window = Tally(4, True), Tally(4, True), Window(100, 200, 60, 50)
    once.add(window, labels, values, probability, spread)
    for part in window.parts(17):
        here = part.moved(-100, -200).slices
        parted.add(part, *(each[here] for each in (labels, values, probability, spread)))
    for name, told in vars(parted.sums()).items():
        assert np.allclose(told, getattr(once.sums(), name), rtol=1e-12, equal_nan=True)
    sums = parted.sums()
    assert np.isnan(sums.mean[1]) and np.isnan(sums.peak[1]) and sums.area[1] > 0
    third = (labels == 3) & np.isfinite(probability)
    rows, columns = np.nonzero(third)
    assert sums.x[2] == pytest.approx(np.average(columns + 100, weights=probability[third]))
    assert sums.y[2] == pytest.approx(np.average(rows + 200, weights=probability[third]))
    assert sums.score[2] == pytest.approx(probability[third].mean())
    assert sums.uncertainty[2] == pytest.approx(spread[labels == 3].mean())
    assert sums.peak[2] == np.nanmax(values[labels == 3])


def test_spines_one_by_one_are_as_long_as_all_at_once(blobs):
    runs = Runs()
    runs.add(blobs, Window.whole(blobs.shape))
    places = []
    for number, where, mask in runs.masks():
        rows, columns = spine(mask)
        places.append((rows + where.y, columns + where.x, np.full(len(rows), number)))
    found = lengths(*(np.concatenate(each) for each in zip(*places, strict=True)), blobs.max())
    assert np.array_equal(found, spine_lengths(blobs))
    assert len(found) > 20 and found.max() > 10


@pytest.mark.parametrize("filled", [0.05, 0.4, 0.6, 0.9])
@pytest.mark.parametrize("smooth", [0, 1, 3])
def test_a_spine_in_pieces_is_that_of_the_whole(filled, smooth, monkeypatch):
    noise = np.random.default_rng(5).normal(size=(130, 170))
    values = gaussian_filter(noise, smooth) if smooth else noise
    mask = values > np.quantile(values, 1 - filled)
    monkeypatch.setattr(spines, "_PIECE", 40)
    monkeypatch.setattr(spines, "_AROUND", 32)
    assert spines._thick(mask) == (smooth == 3 and filled == 0.9)
    assert np.array_equal(spine(mask), np.nonzero(skeletonize(mask)))


def test_what_is_too_thick_for_pieces_is_thinned_as_one(monkeypatch):
    mask = np.zeros((150, 300), bool)
    mask[10:140, 10:290] = True
    monkeypatch.setattr(spines, "_PIECE", 40)
    monkeypatch.setattr(spines, "_AROUND", 32)
    assert spines._thick(mask)
    assert np.array_equal(spine(mask), np.nonzero(skeletonize(mask)))


def test_a_spine_is_as_long_as_its_longest_way(blobs):
    """By another search, region by region."""
    expected = []
    for number in range(1, blobs.max() + 1):
        places = np.stack(np.nonzero(skeletonize(blobs == number)), 1)
        apart = np.linalg.norm(places[:, None] - places[None], axis=2)
        ways = csgraph.csgraph_from_dense(np.where(apart < 1.5, apart, 0), null_value=0)
        away = csgraph.dijkstra(ways, indices=0)
        far = np.flatnonzero(away == away.max())[-1]
        expected.append(csgraph.dijkstra(ways, indices=far).max() + 1)
    assert np.array_equal(spine_lengths(blobs), expected)


@pytest.fixture
def blobs():
    from scipy import ndimage

    smooth = ndimage.gaussian_filter(np.random.default_rng(0).random((200, 300)), 2.5)
    return label_structures(smooth, float(np.quantile(smooth, 0.7)), 5)


@pytest.mark.parametrize("shape", [(530, 300), (100, 90), (2, 300, 40)])
@pytest.mark.parametrize("dtype", [np.float32, np.int32])
def test_a_file_of_parts_holds_what_a_file_of_all_does(tmp_path, shape, dtype):
    values = (np.random.default_rng(0).random(shape) * 100).astype(dtype)
    if dtype is np.float32:
        values[..., :50, :40] = np.nan
    cards, notes = fits.Header({"CRVAL1": 12.5}), {"MODEL": "modèle", "THRESH": 0.5}
    with (
        ThreadPoolExecutor(2) as pool,
        tile_writer(tmp_path / "parts.fits", shape, dtype, pool, cards, notes) as writer,
    ):
        for part in reversed(list(Window.whole(shape[-2:]).parts(TILE))):
            for plane, each in enumerate(values.reshape(-1, *shape[-2:])):
                writer.put(part, each[part.slices], plane)
    once = write_image(tmp_path / "once.fits", values, cards, notes=notes, compress=True)
    assert np.array_equal(fits.getdata(tmp_path / "parts.fits", 1), values, equal_nan=True)
    told, expected = (fits.getheader(path, 1) for path in (tmp_path / "parts.fits", once))
    assert told == expected
    image = open_image(tmp_path / "parts.fits")
    window = Window(3, 20, 30, 70)
    assert np.array_equal(
        image.cutout(window), values[..., 20:90, 3:33].astype(np.float32), equal_nan=True
    )


def test_a_file_whose_parts_fail_is_not_there(tmp_path):
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(ZeroDivisionError),
        tile_writer(tmp_path / "m.fits", (300, 300), np.float32, pool) as writer,
    ):
        writer.put(Window(0, 0, 300, 256), np.zeros((256, 300), np.float32))
        1 / 0  # noqa: B018
    assert not list(tmp_path.iterdir())


def test_a_heap_beyond_two_gibibytes_has_long_places(tmp_path, monkeypatch):
    monkeypatch.setattr("napari_astroseg.sky.files.tilewriting._FAR", 1000)
    values = np.arange(300 * 300, dtype=np.int32).reshape(300, 300)
    path = tmp_path / "long.fits"
    with ThreadPoolExecutor(1) as pool, tile_writer(path, values.shape, np.int32, pool) as writer:
        writer.put(Window(0, 0, 300, 300), values)
    assert fits.getheader(path, 1, disable_image_compression=True)["TFORM1"].startswith("1QB")
    assert np.array_equal(fits.getdata(path, 1), values)
    assert open_image(path).value(7, 8) == values[8, 7]
