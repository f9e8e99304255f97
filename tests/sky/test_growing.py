"""Grown levels are true block means, land whole, last, and never stand in the way."""

from __future__ import annotations

import os
import shutil
import threading
import tracemalloc
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.cache import Cache
from napari_astroseg.sky.files.fitspixels import CompressedPixels, FitsPixels
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.looks.stretch import Limits, Stretch
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pixels import PlainPixels
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.pyramids import grown as registry
from napari_astroseg.sky.pyramids import growth, growthprocess
from napari_astroseg.sky.pyramids.chunks import CHUNK
from napari_astroseg.sky.pyramids.pyramid import (
    DisplayLevel,
    Level,
    StackLevel,
    StackView,
    grow,
    grown,
    levels,
    worth_growing,
)


class Disk(NamedTuple):
    total: int
    used: int
    free: int


@pytest.fixture(autouse=True)
def _own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "cache"))
    next_session()
    yield
    next_session()


def next_session() -> None:
    """Forget what this process knows of what has been grown."""
    registry._of_images.clear()
    registry._of_identities.clear()


def noise(height: int = 4200, width: int = 2311, seed: int = 0) -> np.ndarray:
    """Noise with holes and a missing border: the four middle pixels are no block's mean."""
    rng = np.random.default_rng(seed)
    values = rng.normal(10, 3, (height, width)).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    values[:70] = values[:, -90:] = np.nan
    values[1000:1300, 400:900] = np.nan
    return values


def true_means(values: np.ndarray, factor: int, top: int) -> np.ndarray:
    padded = np.full([-(-n // top) * top for n in values.shape], np.nan)
    padded[: values.shape[0], : values.shape[1]] = values
    rows, columns = (n // factor for n in padded.shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        return np.nanmean(padded.reshape(rows, factor, columns, factor), axis=(1, 3))


def are_means(image: SkyImage, values: np.ndarray, plane: int = 0) -> bool:
    pyramid = [level.plane(plane) for level in levels(image)]
    top = pyramid[-1].factor
    return all(
        np.allclose(np.asarray(level), true_means(values, level.factor, top), equal_nan=True)
        for level in pyramid[1:]
    )


def in_file(path: Path, values: np.ndarray, **header: Any) -> Path:
    hdu = fits.PrimaryHDU(values)
    hdu.header.update(header)
    hdu.writeto(path)
    return path


def plain(folder: Path) -> tuple[SkyImage, np.ndarray]:
    values = noise()
    return open_image(in_file(folder / "sky.fits", values)), values


def doubles(folder: Path) -> tuple[SkyImage, np.ndarray]:
    values = noise().astype(np.float64)
    return open_image(in_file(folder / "sky.fits", values)), values


def scaled(folder: Path) -> tuple[SkyImage, np.ndarray]:
    stored = np.random.default_rng(0).integers(-99, 100, (4099, 2100)).astype(np.int16)
    hdu = fits.PrimaryHDU(stored)
    hdu.header.update({"BSCALE": 0.5, "BZERO": 40.0, "BLANK": -7})
    hdu.writeto(folder / "sky.fits", output_verify="ignore")
    image = open_image(folder / "sky.fits")
    values = np.where(stored == -7, np.nan, stored * 0.5 + 40.0)
    assert np.array_equal(image.pixels[0:9, 0:9], values[:9, :9], equal_nan=True)
    return image, values


def compressed(folder: Path) -> tuple[SkyImage, np.ndarray]:
    values = noise()
    packed = fits.CompImageHDU(values, compression_type="GZIP_2", quantize_level=0)
    packed.writeto(folder / "sky.fits")
    return open_image(folder / "sky.fits"), values


def in_memory(folder: Path) -> tuple[SkyImage, np.ndarray]:
    values = noise()
    return SkyImage.from_array(values), values


MAKERS = [plain, doubles, scaled, compressed, in_memory]


@pytest.mark.parametrize("make", MAKERS)
def test_grown_levels_are_block_means(
    tmp_path: Path, make: Callable[[Path], tuple[SkyImage, np.ndarray]]
) -> None:
    image, values = make(tmp_path)
    assert [level.factor for level in levels(image)] == [1, 2, 4]
    assert not are_means(image, values)
    assert not grown(image)
    assert worth_growing(image)
    landed: list[int] = []
    assert grow(image, landed=landed.append) == ()
    assert landed == [4, 2]
    assert grown(image)
    assert not worth_growing(image)
    assert are_means(image, values)
    fine = levels(image)[0]
    assert np.array_equal(fine[2000:2100, 500:600], values[2000:2100, 500:600], equal_nan=True)


@given(height=st.integers(4096, 4700), width=st.integers(1, 700), seed=st.integers(0, 99))
@settings(max_examples=6)
def test_any_shape_grows(height: int, width: int, seed: int) -> None:
    values = noise(height, width, seed) if width > 100 else np.ones((height, width), np.float32)
    image = SkyImage.from_array(values)
    grow(image)
    assert are_means(image, values)


@given(x=st.floats(1500, 3500), y=st.floats(600, 2700))
@settings(max_examples=4)
def test_a_source_keeps_its_sky_position_at_every_grown_level(x: float, y: float) -> None:
    wcs = WCS(naxis=2)
    wcs.wcs.ctype = ["GLON-CAR", "GLAT-CAR"]
    wcs.wcs.crpix, wcs.wcs.crval, wcs.wcs.cdelt = [1200, 1100], [30, 0], [-1e-3, 1e-3]
    rows, columns = np.ogrid[:3301, :4502]
    blob = np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * 7.0**2)).astype(np.float32)
    image = SkyImage.from_array(blob, wcs)
    grow(image)
    for level in levels(image):
        weights = np.nan_to_num(np.asarray(level)).astype(np.float64)
        at = []
        for axis, count in enumerate(level.shape):
            centres = (np.arange(count) + 0.5) * level.factor - 0.5
            at.append((centres * weights.sum(axis=1 - axis)).sum() / weights.sum())
        found = image.sky(at[1], at[0])
        assert found.separation(image.sky(x, y)).deg < 1e-3 * 1e-3


def test_levels_that_exist_switch_and_drop_what_they_had_sampled(tmp_path: Path) -> None:
    image, values = plain(tmp_path)
    pyramid = levels(image)
    before = np.asarray(pyramid[-1])
    grow(open_image(tmp_path / "sky.fits"))  # another image of the same file
    after = np.asarray(pyramid[-1])
    assert not np.array_equal(before, after, equal_nan=True)
    assert np.allclose(after, true_means(values, 4, 4), equal_nan=True)


def test_later_sessions_find_what_was_grown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, values = plain(tmp_path)
    grow(image)
    next_session()
    again = open_image(tmp_path / "sky.fits")
    assert grown(again)
    monkeypatch.setattr(FitsPixels, "__getitem__", refuse)
    monkeypatch.setattr(FitsPixels, "stored_block", refuse)
    assert are_means(again, values)


def refuse(*_: object) -> Any:
    raise AssertionError("pixels were read")


def test_a_changed_file_is_another(tmp_path: Path) -> None:
    image, _ = plain(tmp_path)
    grow(image)
    next_session()
    (tmp_path / "sky.fits").unlink()
    assert not grown(open_image(in_file(tmp_path / "sky.fits", noise(seed=1))))


@pytest.mark.parametrize("damage", ["cut", "noise"])
def test_a_damaged_pyramid_is_passed_over_and_made_anew(tmp_path: Path, damage: str) -> None:
    image, values = plain(tmp_path)
    grow(image)
    (entry,) = (tmp_path / "cache" / "pyramids").iterdir()
    entry.write_bytes(b"\xff" * 99 if damage == "noise" else entry.read_bytes()[:-99])
    next_session()
    again = open_image(tmp_path / "sky.fits")
    assert not grown(again)
    assert not are_means(again, values)
    assert grow(again) == ()
    assert are_means(again, values)
    next_session()
    assert grown(open_image(tmp_path / "sky.fits"))


def test_a_pyramid_that_breaks_while_it_is_drawn_gives_way_to_sampled_values(
    tmp_path: Path,
) -> None:
    image, _ = plain(tmp_path)
    sampled = np.asarray(levels(image)[-1])
    grow(image)
    pyramid = levels(image)
    (entry,) = (tmp_path / "cache" / "pyramids").iterdir()
    entry.write_bytes(b"")
    assert np.array_equal(np.asarray(pyramid[-1]), sampled, equal_nan=True)
    assert not grown(image)


def test_work_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    image, values = plain(tmp_path)
    told: list[tuple[int, int | None]] = []

    def stop(what: str, done: int, total: int | None) -> None:
        told.append((done, total))
        raise Stopped

    with pytest.raises(Stopped):
        grow(image, stop)
    assert len(told) == 1
    assert 0 < told[0][0] <= 4200 == told[0][1]
    assert not grown(image)
    assert [*(tmp_path / "cache" / "pyramids").iterdir()] == []
    told.clear()
    assert grow(image, lambda _, done, total: told.append((done, total))) == ()
    assert told[-1] == (4200, 4200)
    assert sorted(told) == told
    assert are_means(image, values)


def test_a_file_that_vanishes_is_one_sentence(tmp_path: Path) -> None:
    image, _ = plain(tmp_path)
    (tmp_path / "sky.fits").write_bytes(b"gone")
    with pytest.raises(ImageError, match=r"sky.fits"):
        grow(image)
    with pytest.raises(ImageError, match=r"sky.fits"):
        np.asarray(levels(image)[-1])
    assert not grown(image)


def test_without_a_cache_the_means_stay_in_memory_and_it_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "file"))
    image, values = plain(tmp_path)
    (note,) = grow(image)
    assert "memory" in note
    assert "ASTROSEG_CACHE" in note
    assert are_means(image, values)
    assert grow(image) == ()


def test_a_disk_that_fills_up_on_the_way_is_no_crash(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(growth.FileWriter, "put", full)
    image, values = plain(tmp_path)
    (note,) = grow(image)
    assert "No space left" in note
    assert are_means(image, values)


def test_a_process_of_its_own_grows_as_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, values = plain(tmp_path)
    told: list[int] = []
    landed: list[int] = []
    monkeypatch.setattr(growth, "_fill", refuse)  # not here
    notes = grow(image, lambda _, done, total: told.append(done), landed=landed.append, apart=True)
    assert notes == ()
    assert landed == [4, 2]
    assert told == sorted(told)
    assert are_means(image, values)


def test_a_plane_of_a_stack_grows_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, values = cube(tmp_path)
    monkeypatch.setattr(growth, "_fill", refuse)
    grow(image, plane=2, apart=True)
    assert are_means(image, values[2], 2)
    grow(image.plane(1), apart=True)
    assert are_means(image, values[1], 1)
    assert not grown(image, 0)


def test_a_process_of_its_own_can_be_stopped(tmp_path: Path) -> None:
    image, _ = plain(tmp_path)

    def stop(*_: object) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        grow(image, stop, apart=True)
    assert not grown(image)
    folder = tmp_path / "cache" / "pyramids"
    assert not folder.exists() or [*folder.iterdir()] == []


def test_a_process_of_its_own_takes_no_module_from_the_current_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, values = plain(tmp_path)
    (tmp_path / "platformdirs.py").write_text("open('ran', 'w')\nfrom os import nothing\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(growth, "_fill", refuse)  # not here
    lines: list[Any] = []
    begin = growthprocess.subprocess.Popen

    def begun(line: list[str], **options: Any) -> Any:
        lines.append(line)
        return begin(line, **options)

    monkeypatch.setattr(growthprocess.subprocess, "Popen", begun)
    grow(image, apart=True)
    assert are_means(image, values)
    assert not (tmp_path / "ran").exists()
    assert str(tmp_path) not in " ".join(lines[0])  # anyone can read a command line


@pytest.mark.parametrize("blank", [-99_999, 40_000, 10**12, 2.5, "none", True])
def test_a_blank_that_no_value_can_be_leaves_all_values(tmp_path: Path, blank: Any) -> None:
    values = np.arange(4200 * 20, dtype=np.int16).reshape(4200, 20)
    hdu = fits.PrimaryHDU(values)
    hdu.header["BLANK"] = blank
    hdu.writeto(tmp_path / "a.fits", output_verify="ignore")
    image = open_image(tmp_path / "a.fits")
    assert ("its BLANK" in " ".join(image.notes)) is (type(blank) is not int)
    np.testing.assert_array_equal(image.pixels[0:4, 0:20], values[:4])
    assert grow(image) == ()
    assert are_means(image, values.astype(np.float64))


def test_a_very_wide_image_takes_no_more_memory(tmp_path: Path) -> None:
    hdu = fits.PrimaryHDU(np.ones((1, 1), np.float32))
    hdu.header["NAXIS1"], hdu.header["NAXIS2"] = 400_000, 512
    path = tmp_path / "wide.fits"
    path.write_bytes(hdu.header.tostring().encode())
    os.truncate(path, 2880 + -(-400_000 * 512 * 4 // 2880) * 2880)  # a hole on most disks
    image = open_image(path)
    tracemalloc.start()
    try:
        grow(image)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert grown(image)
    assert peak < 512 * 2**20


def test_what_a_process_of_its_own_cannot_do_is_done_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, values = plain(tmp_path)
    monkeypatch.setattr(growthprocess.sys, "executable", str(tmp_path / "none"))
    assert grow(image, apart=True) == ()
    assert are_means(image, values)
    memory = SkyImage.from_array(values)
    grow(memory, apart=True)
    assert are_means(memory, values)


def test_what_does_not_fit_loses_its_finest_levels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, values = plain(tmp_path)
    layout = registry.layout_of(image.shape)
    coarse = [each.size for each in layout.shallower()][1]
    monkeypatch.setattr(growth, "CACHE", Cache("pyramids", coarse + 4096))
    landed: list[int] = []
    assert grow(image, landed=landed.append) == ()
    assert landed == [4]
    assert np.allclose(np.asarray(levels(image)[-1]), true_means(values, 4, 4), equal_nan=True)
    assert np.array_equal(
        np.asarray(levels(image)[1])[100:110, 100:110],
        true_means(values, 2, 4)[100:110, 100:110].astype(np.float32),
        equal_nan=True,
    )
    next_session()
    assert grown(open_image(tmp_path / "sky.fits"))


def test_older_pyramids_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    size = registry.layout_of((4200, 2311)).size
    cache = Cache("pyramids", size + 4096)
    monkeypatch.setattr(growth, "CACHE", cache)
    for seed in range(2):
        path = in_file(tmp_path / f"{seed}.fits", noise(seed=seed))
        assert grow(open_image(path)) == ()
        assert len([*cache.folder.iterdir()]) == 1
    next_session()
    assert not grown(open_image(tmp_path / "0.fits"))
    assert grown(open_image(tmp_path / "1.fits"))


def test_means_in_memory_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    image = SkyImage.from_array(noise())
    layout = registry.layout_of(image.shape)
    monkeypatch.setattr(growth, "MEMORY_BYTES", [each.size for each in layout.shallower()][1])
    landed: list[int] = []
    grow(image, landed=landed.append)
    assert landed == [4]


def test_a_very_wide_image_is_grown_without_its_finest_levels(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    image = SkyImage.from_array(noise())
    layout = registry.layout_of(image.shape)
    monkeypatch.setattr(growth, "BUFFER_BYTES", 2 * layout.grid(4)[1] * CHUNK * CHUNK * 4)
    landed: list[int] = []
    grow(image, landed=landed.append)
    assert landed == [4]


def test_who_looks_while_it_lands_sees_one_kind_or_the_other(tmp_path: Path) -> None:
    image, values = plain(tmp_path)
    sampled = np.asarray(levels(image)[-1])
    means = true_means(values, 4, 4)
    seen: list[int] = []
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            picture = np.asarray(levels(image)[-1])
            kinds = [np.array_equal(picture, sampled, equal_nan=True)]
            kinds.append(np.allclose(picture, means, equal_nan=True))
            seen.append(kinds.index(True) if any(kinds) else -1)

    viewer = threading.Thread(target=look)
    viewer.start()
    try:
        grow(image)
    finally:
        done.set()
        viewer.join()
    assert seen
    assert -1 not in seen
    assert seen == sorted(seen)


def test_two_who_grow_the_same_grow_it_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, _ = plain(tmp_path)
    passes = []
    fill = growth._fill

    def counted(*arguments: Any) -> None:
        passes.append(1)
        fill(*arguments)

    monkeypatch.setattr(growth, "_fill", counted)
    growers = [threading.Thread(target=grow, args=(image,)) for _ in range(3)]
    for each in growers:
        each.start()
    for each in growers:
        each.join()
    assert passes == [1]
    assert grown(image)


def test_small_images_have_nothing_to_grow(tmp_path: Path) -> None:
    for side in (700, 3000):
        image = open_image(in_file(tmp_path / f"{side}.fits", np.ones((side, 9), np.float32)))
        assert grown(image)
        assert not worth_growing(image)
        assert grow(image) == ()
    assert not (tmp_path / "cache").exists()


def test_what_is_far_or_has_to_be_computed_is_not_grown_unasked(tmp_path: Path) -> None:
    class Far:
        identity = name = "far"
        size = 0

    class Computed(PlainPixels):
        shape, dtype, identity = (5000, 5000), np.dtype(np.float32), "computed"

        def __getitem__(self, key: tuple[slice, slice]) -> np.ndarray:
            rows, columns = (range(*part.indices(5000)) for part in key)
            return np.add.outer(np.array(rows) * 2.0, np.array(columns)).astype(np.float32)

    image, _ = plain(tmp_path)
    far = FitsPixels(Far(), 0, image.shape, np.dtype(">f4"))  # type: ignore[arg-type]
    computed = SkyImage(Computed())
    assert worth_growing(image)
    assert not worth_growing(SkyImage(far))
    assert not worth_growing(computed)
    grow(computed)  # but whoever asks gets it
    assert np.allclose(levels(computed)[-1][10, 20], 41.5 * 2 + 81.5)


def cube(path: Path) -> tuple[SkyImage, np.ndarray]:
    values = np.stack([noise(4100, 1100, seed) for seed in range(3)])
    return open_image(in_file(path / "cube.fits", values)), values


def test_planes_are_grown_one_by_one(tmp_path: Path) -> None:
    image, values = cube(tmp_path)
    pyramid = levels(image)
    assert [level.shape for level in pyramid] == [(3, 4100, 1100), (3, 2050, 550), (3, 1025, 275)]
    assert pyramid[0].chunks == (1, CHUNK, CHUNK)
    assert (pyramid[0].ndim, len(pyramid[0]), pyramid[0].size) == (3, 3, 3 * 4100 * 1100)
    grow(image, plane=1)
    assert [grown(image, plane) for plane in range(3)] == [False, True, False]
    assert [are_means(image, values[plane], plane) for plane in range(3)] == [False, True, False]


def test_a_stack_is_sliced_as_viewers_slice(tmp_path: Path) -> None:
    image, values = cube(tmp_path)
    fine = levels(image)[0]
    assert isinstance(fine, StackLevel)
    view = fine[(slice(None), slice(100, 300, 1), slice(50, 450, 1))]
    assert isinstance(view, StackView)
    assert view.shape == (3, 200, 400)
    picture = view[(1, slice(None), slice(None))]
    assert np.array_equal(picture, values[1, 100:300, 50:450], equal_nan=True)
    assert np.array_equal(fine[2, 7:90:3, -5], values[2, 7:90:3, -5], equal_nan=True)
    assert np.array_equal(fine[-1][4000:, 9], values[-1, 4000:, 9], equal_nan=True)
    assert np.array_equal(fine[:, 2000, 7], values[:, 2000, 7], equal_nan=True)
    assert np.array_equal(
        np.asarray(fine[::-2, 90:70:-4, 60:80]), values[::-2, 90:70:-4, 60:80], equal_nan=True
    )
    assert np.asarray(fine[1:2, :10, :10]).shape == (1, 10, 10)
    assert np.asarray(fine[3:, :10, :10]).shape == (0, 10, 10)
    with pytest.raises(IndexError):
        fine[3]
    with pytest.raises(IndexError, match="3 axes"):
        fine[0, 0, 0, 0]


def test_a_slice_through_a_stack_reads_only_the_plane_that_is_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, _ = cube(tmp_path)
    read = []
    block = FitsPixels.stored_block

    def noted(pixels: FitsPixels, rows: range, columns: range) -> np.ndarray:
        read.append(pixels.offset)
        return block(pixels, rows, columns)

    monkeypatch.setattr(FitsPixels, "stored_block", noted)
    np.asarray(levels(image)[1][:, :500, :500][2, :, :])
    assert image.planes is not None
    assert set(read) == {image.planes[2].offset}


def test_a_stack_is_drawn_through_its_stretch(tmp_path: Path) -> None:
    image, values = cube(tmp_path)
    level = levels(image)[0]
    shown = DisplayLevel(level, Stretch("linear", Limits(0.0, 100.0)))
    assert shown.shape == level.shape
    view = shown[:, 100:300, 50:450]
    assert isinstance(view, StackView)
    assert np.allclose(view[1], values[1, 100:300, 50:450] / 100, equal_nan=True)
    assert np.allclose(shown[2, 100:300, 9], values[2, 100:300, 9] / 100, equal_nan=True)
    assert np.allclose(np.asarray(shown.plane(0))[500], values[0, 500] / 100, equal_nan=True)


def test_chunks_that_share_tiles_are_read_together(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = noise(1100, 2000)
    hdu = fits.CompImageHDU(values, compression_type="GZIP_2", quantize_level=0)
    hdu.writeto(tmp_path / "rows.fits")
    image = open_image(tmp_path / "rows.fits")
    assert isinstance(image.pixels, CompressedPixels)
    read = []
    get = CompressedPixels.__getitem__

    def noted(pixels: CompressedPixels, key: Any) -> np.ndarray:
        read.append(key)
        return get(pixels, key)

    monkeypatch.setattr(CompressedPixels, "__getitem__", noted)
    fine = levels(image)[0]
    assert isinstance(fine, Level)
    for left in range(0, 2000, 100):
        part = fine[600:700, left : left + 100]
        assert np.array_equal(part, values[600:700, left : left + 100], equal_nan=True)
    assert len(read) == 1


def test_a_disk_nearly_full_still_gives_the_coarse_levels(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, values = plain(tmp_path)
    coarse = [each.size for each in registry.layout_of(image.shape).shallower()][1]
    disk = Disk(100 * coarse, 89 * coarse, 11 * coarse + 8192)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: disk)
    landed: list[int] = []
    assert grow(image, landed=landed.append) == ()
    assert landed == [4]
    assert np.allclose(np.asarray(levels(image)[-1]), true_means(values, 4, 4), equal_nan=True)
