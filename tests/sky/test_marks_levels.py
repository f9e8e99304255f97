"""What was drawn is seen from far away, counted, named and written as it was drawn."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from skies import galactic_wcs

from napari_astroseg.errors import MarkError, OutputError
from napari_astroseg.sky.fourmaps import open_four_maps
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks import export
from napari_astroseg.sky.marks.classes import (
    DEFAULTS,
    LARGEST,
    MarkClass,
    classes_of,
    new_class,
    put_class,
    remove_class,
)
from napari_astroseg.sky.marks.levels import MarkLevels, halved, places_under
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.window import Window

SHAPE = (1100, 4300)  # 3 × 9 chunks, factors 1, 2, 4


def image(shape: tuple[int, int] = SHAPE) -> SkyImage:
    nothing = np.broadcast_to(np.zeros((), np.float32), shape)
    wcs = galactic_wcs()
    return SkyImage(ArrayPixels(nothing), wcs, wcs.to_header(), name="my image.fits")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[MarkStore]:
    with MarkStore.create(tmp_path / "field.marks", image()) as made:
        yield made


def draw(store: MarkStore, x: int, y: int, side: int, label: int, who: str = "") -> object:
    return store.write(Window(x, y, side, side), np.full((side, side), label), "brush", who)


def expected(store: MarkStore, shape: tuple[int, int], who: str = "") -> list[np.ndarray]:
    """The levels, from the whole image at once."""
    found = [store.read(Window(0, 0, shape[1], shape[0]), who)]
    while max(found[-1].shape) >= 2048:
        found.append(halved(found[-1]))
    return found


def check(levels: MarkLevels, who: str = "") -> None:
    wanted = expected(levels.store, levels.shapes[0], who)
    assert [level.shape for level in levels.levels] == [each.shape for each in wanted]
    for level, values in zip(levels.levels, wanted, strict=True):
        assert np.array_equal(np.asarray(level), values)
    found = np.bincount(wanted[0].ravel())
    assert levels.counts == {n: int(found[n]) for n in range(1, len(found)) if found[n]}


@given(arrays(np.uint16, (4, 6), elements=st.integers(0, 3)))
def test_a_block_has_the_label_that_most_of_it_has(labels: np.ndarray) -> None:
    small = halved(labels)
    for row in range(2):
        for column in range(3):
            block = labels[2 * row : 2 * row + 2, 2 * column : 2 * column + 2].ravel()
            drawn = block[block > 0]
            most = max(((drawn == n).sum() for n in drawn), default=0)
            best = [n for n in drawn if (drawn == n).sum() == most] or [0]
            black = row % 2 == column % 2
            assert small[row, column] == (min(best) if black else max(best))


def test_levels_follow_every_step_forth_and_back(store: MarkStore) -> None:
    draw(store, 500, 500, 40, 1)
    draw(store, 4200, 1000, 300, 2)  # over two edges of the image
    levels = MarkLevels(store)
    assert levels.factors == (1, 2, 4)
    assert not np.asarray(levels.levels[-1]).any()
    levels.build()
    check(levels)
    for x, y, side, label in ((480, 490, 60, 3), (1000, 300, 700, 1), (500, 500, 20, 0)):
        change = draw(store, x, y, side, label)
        assert change is not None
        windows = levels.follow(change)
        assert windows and all(each.overlap(Window(x, y, side, side)) for each in windows)
        check(levels)
    for _ in range(3):
        levels.follow(store.undo())
        check(levels)
    levels.follow(store.redo())
    check(levels)


def test_each_has_levels_of_their_own(store: MarkStore) -> None:
    ada = MarkLevels(store, "Ada")
    assert ada.follow(draw(store, 10, 10, 30, 1, "Bea")) == []
    assert ada.counts == {}
    assert ada.follow(draw(store, 700, 10, 30, 2, "Ada"))
    check(ada, "Ada")
    assert ada.counts == {2: 900}
    assert store.places("Ada") == {(0, 1)}
    assert store.places("nobody") == set()


def test_a_level_is_read_like_an_array(store: MarkStore) -> None:
    levels = MarkLevels(store)
    levels.follow(draw(store, 600, 700, 300, 5))
    finest = levels.levels[0]
    whole = np.asarray(finest)
    assert len(finest) == whole.shape[0]
    assert finest.size == whole.size
    assert finest[710, 620] == 5
    assert np.array_equal(finest[650:1100:7, 590:920], whole[650:1100:7, 590:920])
    assert np.array_equal(finest[::-1][5], whole[::-1][5])
    assert finest[5:5, :].shape == (0, whole.shape[1])
    assert levels.read(0, Window(-50, -50, 20, 20)).sum() == 0


def test_much_is_drawn_and_all_is_held(store: MarkStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("napari_astroseg.sky.marks.levels._UNPACKED", 3)
    levels = MarkLevels(store)
    levels.follow(draw(store, 0, 0, 1100, 4))
    check(levels)
    assert len(levels._unpacked) <= 3


def test_drawing_goes_on_while_what_was_drawn_is_read(store: MarkStore) -> None:
    random = np.random.default_rng(1)
    for _ in range(12):
        x, y = random.integers(0, (4000, 1000))
        draw(store, int(x), int(y), 200, int(random.integers(1, 4)))
    levels = MarkLevels(store)
    reading = threading.Thread(target=levels.build)
    reading.start()
    for _ in range(12):
        x, y = random.integers(0, (4000, 1000))
        change = draw(store, int(x), int(y), 90, int(random.integers(0, 4)))
        if change is not None:
            levels.follow(change)
    reading.join()
    check(levels)


def test_a_view_never_waits_for_the_store(store: MarkStore) -> None:
    levels = MarkLevels(store)
    levels.follow(store.write(Window(0, 0, 1400, 900), np.ones((900, 1400), int)))
    began, done = threading.Event(), threading.Event()

    def hold() -> None:
        with store.step("a slow disk"):
            began.set()
            done.wait(10)

    holder = threading.Thread(target=hold)
    holder.start()
    began.wait(10)
    start = time.perf_counter()
    assert levels.read(0, Window(0, 0, 1400, 900)).all()
    took = time.perf_counter() - start
    done.set()
    holder.join()
    assert took < 8.0  # and not the ten seconds of the slow one


def test_reading_can_be_stopped(store: MarkStore) -> None:
    draw(store, 0, 0, 600, 1)

    def stop(what: str, done: int, total: int | None) -> None:
        assert (what, done, total) == ("reading what was drawn", 0, 4)
        raise Stopped

    levels = MarkLevels(store)
    with pytest.raises(Stopped):
        levels.build(stop)
    assert levels.counts == {}


def test_places_under_a_window() -> None:
    assert set(places_under(Window(511, 1023, 2, 1))) == {(1, 0), (1, 1)}


# --- classes ------------------------------------------------------------------------------------


def classes(store: MarkStore) -> tuple[MarkClass, ...]:
    return classes_of(store.values("class/"))


def test_classes_are_changed_and_taken_back(store: MarkStore) -> None:
    assert classes(store) == DEFAULTS
    added = new_class(DEFAULTS)
    assert (added.label, added.key) == (len(DEFAULTS) + 1, str(len(DEFAULTS) + 1))
    with store.step("add class") as draft:
        put_class(draft, DEFAULTS, replace(added, name="  dark   cloud "))
    assert classes(store)[-1].name == "dark cloud"
    assert len(classes(store)) == len(DEFAULTS) + 1
    with store.step("change key") as draft:
        put_class(draft, classes(store), replace(classes(store)[-1], key="1"))
    assert [each.key for each in classes(store)][:2] == ["", "2"]
    store.undo()
    store.undo()
    assert classes(store) == DEFAULTS
    with store.step("rename class") as draft:
        put_class(draft, DEFAULTS, replace(DEFAULTS[0], name="spine"))
    assert classes(store) == (replace(DEFAULTS[0], name="spine"), *DEFAULTS[1:])


def test_a_class_goes_with_its_pixels_and_comes_back_with_them(store: MarkStore) -> None:
    draw(store, 400, 400, 300, 1)
    draw(store, 450, 450, 20, 2)
    before = store.read(Window(0, 0, 1100, 1100))
    with store.step("remove class") as draft:
        remove_class(draft, classes(store), 1, store.places())
    assert [each.label for each in classes(store)] == [2, 3, 4, 5]
    after = store.read(Window(0, 0, 1100, 1100))
    assert np.array_equal(after, np.where(before == 1, 0, before))
    store.undo()
    assert np.array_equal(store.read(Window(0, 0, 1100, 1100)), before)
    assert classes(store) == DEFAULTS


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "Bubble"])
def test_names_that_are_none_or_taken_are_refused(store: MarkStore, name: str) -> None:
    with pytest.raises(MarkError, match="class"), store.step() as draft:
        put_class(draft, DEFAULTS, replace(DEFAULTS[0], name=name))
    assert not store.done


def test_there_is_always_a_class_and_never_too_many(store: MarkStore) -> None:
    with pytest.raises(MarkError, match="only class; rename"), store.step() as draft:
        remove_class(draft, DEFAULTS[:1], 1, set())
    many = tuple(MarkClass(n, f"c{n}", "#000000") for n in range(1, LARGEST + 1))
    with pytest.raises(MarkError, match="255 classes"):
        new_class(many)
    assert new_class(many[1:]).label == 1
    assert new_class(many[:-1], "stream").name == "stream"


@pytest.mark.parametrize(
    "told",
    [
        "filament",
        {"name": "filament"},
        {"name": 1, "colour": "#000000", "key": ""},
        {"name": "a", "colour": "red", "key": ""},
        {"name": "a", "colour": "#000000", "key": "0"},
    ],
)
def test_a_strangers_class_is_checked(told: object) -> None:
    with pytest.raises(MarkError, match="describes no class; restore"):
        classes_of({"class/1": told})
    with pytest.raises(MarkError, match="describes no class"):
        classes_of({"class/0": {"name": "a", "colour": "#000000", "key": ""}})
    assert classes_of({"shape/1": told}) == DEFAULTS


# --- export -------------------------------------------------------------------------------------


def test_labels_and_masks_are_written_with_their_sky(store: MarkStore, tmp_path: Path) -> None:
    draw(store, 100, 200, 700, 1)
    draw(store, 150, 300, 50, 2)
    told: list[tuple[int, int | None]] = []
    path = export.write_labels(
        store, tmp_path / "labels.fits", "", DEFAULTS, lambda _, n, of: told.append((n, of))
    )
    assert told[-1] == (5, 5)
    wanted = store.read(Window.whole(SHAPE))
    with fits.open(path) as file:
        assert np.array_equal(file[1].data, wanted)
        assert file[1].header["BITPIX"] == 8
        assert file[1].header["CLASS2"] == "bubble"
        assert WCS(file[1].header).wcs.crval == pytest.approx(store.about.wcs.wcs.crval)
    assert path.stat().st_size < 400_000
    path = export.write_mask(store, tmp_path / "mask.fits", "", DEFAULTS[1])
    with fits.open(path) as file:
        assert np.array_equal(file[1].data, wanted == 2)
        assert file[1].header["MARKED"] == "bubble"
    draw(store, 0, 0, 5, 300)
    export.write_labels(store, path, "", DEFAULTS)
    with fits.open(path) as file:
        assert file[1].data[0, 0] == 300
        assert file[1].data.dtype.itemsize == 2


def test_nothing_is_left_of_what_was_stopped_or_refused(store: MarkStore, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def stop(what: str, done: int, total: int | None) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        export.write_labels(store, out / "labels.fits", "", DEFAULTS, stop)
    assert list(out.iterdir()) == []
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        export.write_labels(store, tmp_path / "file" / "labels.fits", "", DEFAULTS)


def test_a_field_to_learn_from_is_what_a_recipe_reads(tmp_path: Path) -> None:
    values = np.random.default_rng(0).normal(5, 1, (900, 1200)).astype(np.float32)
    wcs = galactic_wcs()
    own = replace(SkyImage.from_array(values, wcs, "cm-2", "my image.fits"), header=wcs.to_header())
    with MarkStore.create(tmp_path / "own.marks", own) as store:
        with pytest.raises(MarkError, match="nothing is drawn"):
            export.learning_window(store, "Ada")
        draw(store, 300, 200, 100, 1, "Ada")
        draw(store, 600, 500, 30, 5, "Ada")
        window = export.learning_window(store, "Ada")
        assert window == Window(236, 136, 458, 458)
        folder = export.write_field(
            store, own, tmp_path / "data", "Ada", DEFAULTS[0], DEFAULTS[4], window
        )
        assert {path.name for path in folder.iterdir()} == {
            "my_image_image.fits", "my_target_target.fits", "my_background_background.fits",
        }  # fmt: skip
        (field,) = open_four_maps(folder)
        assert field.conservative
        assert np.array_equal(field.values, values[window.slices])
        there = store.read(window, "Ada")
        assert np.array_equal(field.target, there == 1)
        assert np.array_equal(field.background, there == 5)
        x, y = field.image.pixel(own.sky(300, 200))
        assert (float(x), float(y)) == pytest.approx((64, 64))
        with pytest.raises(MarkError, match="these marks are for"):
            other = SkyImage.from_array(values[:10])
            export.write_field(store, other, folder, "Ada", DEFAULTS[0], None, window)


def test_a_background_of_an_earlier_mask_is_not_learnt_with(tmp_path: Path) -> None:
    own = SkyImage.from_array(np.ones((300, 300), np.float32), name="own.fits")
    with MarkStore.create(tmp_path / "own.marks", own) as store:
        draw(store, 100, 100, 20, 1, "Ada")
        window, folder = Window(0, 0, 300, 300), tmp_path / "data"
        export.write_field(store, own, folder, "Ada", DEFAULTS[0], DEFAULTS[4], window)
        with pytest.raises(MarkError, match=r"own_background\.fits is of an earlier mask; remove"):
            export.write_field(store, own, folder, "Ada", DEFAULTS[0], None, window)
        (folder / "own_background.fits").unlink()
        export.write_field(store, own, folder, "Ada", DEFAULTS[0], None, window)
        (field,) = open_four_maps(folder)
        assert not field.conservative
