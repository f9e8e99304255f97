"""Mosaic files: what was looked at is what is written; a kill costs a band, never a wrong file."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import subprocess
import sys
import tracemalloc
import warnings
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray
from tiles import CORNERS, cut, sky, sky_header

from napari_astroseg.errors import ImageError, OutputError
from napari_astroseg.sky.files import appending
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.mosaics.mosaic import footprint, open_mosaic
from napari_astroseg.sky.mosaics.mosaicfile import BandWritten, write_mosaic
from napari_astroseg.sky.opening import open_image

SHAPE = (300, 400)
FORMS = pytest.mark.parametrize("compress", [True, False])


def tall(tmp_path: Path) -> list[Path]:
    """Tiles of a sky several bands high."""
    folder = tmp_path / "tiles"
    folder.mkdir()
    values = sky((1500, 300))
    corners = [(0, y) for y in range(0, 1400, 200)] + [(120, 40)]
    levels = np.linspace(-2, 2, len(corners))
    return cut(folder, values, sky_header(values.shape), corners, (300, 180), levels)


def values_in(path: Path) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with fits.open(path) as hdus:
            hdus.verify("exception")
            shown = hdus[0] if hdus[0].data is not None else hdus[1]
            return np.asarray(shown.data)


def parts(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.startswith("."))


@FORMS
@pytest.mark.parametrize("shape", [(300, 400), (1, 1), (700, 5), (257, 1025)])
def test_the_file_holds_the_values(tmp_path: Path, compress: bool, shape: tuple[int, int]) -> None:
    values = sky(shape)
    values[:1, : shape[1] // 2] = np.nan
    image = SkyImage.from_array(values, WCS(sky_header(shape)), "MJy/sr")
    out = tmp_path / "new" / "m.fits"
    told = list(write_mosaic(image, out, compress=compress))
    assert told[-1] == BandWritten(len(told), len(told))
    np.testing.assert_array_equal(values_in(out), values)
    again = open_image(out)
    np.testing.assert_array_equal(again.pixels[:, :], values)
    assert again.unit == "MJy/sr"
    assert out.stat().st_size % 2880 == 0
    assert parts(out.parent) == []


@FORMS
@pytest.mark.parametrize("dtype", ["int16", "int32", "uint8", "float64"])
def test_counts_may_be_stored_as_integers(tmp_path: Path, compress: bool, dtype: str) -> None:
    files = cut(tmp_path, sky(SHAPE), sky_header(SHAPE), CORNERS)
    counts = footprint(open_mosaic(files))
    list(write_mosaic(counts, tmp_path / "f.fits", compress=compress, dtype=dtype))
    seen = values_in(tmp_path / "f.fits")
    assert seen.dtype.newbyteorder("=") == np.dtype(dtype)
    np.testing.assert_array_equal(seen, counts.pixels[:, :])


@FORMS
def test_sky_unit_and_history_are_told(tmp_path: Path, compress: bool) -> None:
    files = tall(tmp_path)
    mosaic = open_mosaic(files, match_background=True, projection="CAR")
    list(write_mosaic(mosaic, tmp_path / "m.fits", compress=compress))
    header = fits.getheader(tmp_path / "m.fits", 1 if compress else 0)
    assert header["BUNIT"] == "MJy/sr"
    assert header["PIXELSID"] == mosaic.pixels.identity
    history = "".join(str(line).ljust(72) for line in header["HISTORY"])
    for tile in mosaic.pixels.tiles:
        assert f"tile {tile.name} at ({tile.window.x}, {tile.window.y})" in history
        assert f"plus {tile.level.offset:.9g}" in history
    again = open_image(tmp_path / "m.fits")
    there = again.sky([10, 200], [20, 900])
    assert mosaic.sky([10, 200], [20, 900]).separation(there).arcsec.max() < 1e-6


@FORMS
def test_a_stopped_run_goes_on_to_the_same_file(
    tmp_path: Path, compress: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(appending, "_BAND_PIXELS", 60_000)  # several bands of plain rows, too
    mosaic = open_mosaic(tall(tmp_path), match_background="plane")
    total = len(list(write_mosaic(mosaic, tmp_path / "whole.fits", compress=compress)))
    out = tmp_path / "stopped.fits"
    assert total > 3
    writing = write_mosaic(mosaic, out, compress=compress)
    assert [next(writing), next(writing)] == [BandWritten(1, total), BandWritten(2, total)]
    writing.close()
    assert not out.exists() and parts(tmp_path) == [".stopped.fits.part"]
    told = list(write_mosaic(mosaic, out, compress=compress, resume=True))
    assert len(told) == total - 2
    assert out.read_bytes() == (tmp_path / "whole.fits").read_bytes()
    assert parts(tmp_path) == []
    assert list(write_mosaic(mosaic, out, compress=compress, resume=True)) == []  # all is done


def test_a_killed_run_goes_on_to_the_same_file(tmp_path: Path) -> None:
    files = tall(tmp_path)
    list(write_mosaic(files, tmp_path / "whole.fits"))
    slow = (
        "import sys, time\n"
        "from pathlib import Path\n"
        "from napari_astroseg.sky.mosaics.mosaicfile import write_mosaic\n"
        "for band in write_mosaic(sys.argv[2:], Path(sys.argv[1])):\n"
        "    print(band.done, flush=True)\n"
        "    time.sleep(0.3 if band.done < 3 else 60)\n"
    )
    out = tmp_path / "killed.fits"
    words = [sys.executable, "-c", slow, str(out), *map(str, files)]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        while child.stdout.readline() != "3\n":
            assert child.poll() is None
        child.send_signal(signal.SIGKILL)
    assert not out.exists()
    with (tmp_path / ".killed.fits.part" / "bytes").open("ab") as file:
        file.write(b"half a band" * 10**6)  # what a kill leaves is cut off
    told = list(write_mosaic(files, out, resume=True))
    assert told[0].done == 4
    assert out.read_bytes() == (tmp_path / "whole.fits").read_bytes()


def test_other_inputs_are_not_mixed_in(tmp_path: Path) -> None:
    files = tall(tmp_path)
    out = tmp_path / "m.fits"
    next(write_mosaic(open_mosaic(files), out))
    for other in (open_mosaic(files[:-1]), open_mosaic(files, match_background=True)):
        with pytest.raises(OutputError, match="begun from other tiles or settings"):
            next(write_mosaic(other, out, resume=True))
    with pytest.raises(OutputError, match="begun from other tiles or settings"):
        next(write_mosaic(open_mosaic(files), out, resume=True, compress=False))
    os.utime(files[0], ns=(1, 1))
    with pytest.raises(OutputError, match="begun from other tiles or settings"):
        next(write_mosaic(open_mosaic(files), out, resume=True))
    list(write_mosaic(open_mosaic(files), out))  # without resume it begins again
    np.testing.assert_array_equal(values_in(out), open_mosaic(files).pixels[:, :])


@pytest.mark.parametrize("damage", ["no note", "half a note", "no bytes"])
def test_what_is_left_and_of_no_use_is_begun_again(tmp_path: Path, damage: str) -> None:
    files = tall(tmp_path)
    out = tmp_path / "m.fits"
    next(write_mosaic(files, out))
    part = tmp_path / ".m.fits.part"
    if damage == "no note":
        (part / "done.json").unlink()
    elif damage == "half a note":
        (part / "done.json").write_text('{"key": "', encoding="utf-8")
    else:
        (part / "bytes").write_bytes(b"")
    assert next(iter(write_mosaic(files, out, resume=True))).done == 1


def test_files_that_are_there_are_kept(tmp_path: Path) -> None:
    files = tall(tmp_path)
    out = tmp_path / "m.fits"
    out.write_bytes(b"precious")
    with pytest.raises(OutputError, match="is there already"):
        next(write_mosaic(files, out))
    assert out.read_bytes() == b"precious"
    list(write_mosaic(files, out, overwrite=True))
    assert values_in(out).shape == (1500, 300)
    before = files[0].read_bytes()
    (tmp_path / "link.fits").symlink_to(files[0])
    for name in (files[0], tmp_path / "link.fits"):
        with pytest.raises(OutputError, match="is one of the tiles"):
            next(write_mosaic(files, name, overwrite=True))
    assert files[0].read_bytes() == before
    with pytest.raises(OutputError, match="is a folder"):
        next(write_mosaic(files, tmp_path))


def test_a_full_disk_is_told_and_what_was_done_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = tall(tmp_path)
    out = tmp_path / "m.fits"
    writing = write_mosaic(files, out)
    next(writing)

    def full(number: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(OutputError, match="no space left on device"):
            list(writing)
    assert json.loads((tmp_path / ".m.fits.part" / "done.json").read_text())["bands"] == 1
    assert next(iter(write_mosaic(files, out, resume=True))).done == 2
    usage = type("Usage", (), {"free": 1000})
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(OutputError, match="its disk has"):
        next(write_mosaic(files, tmp_path / "plain.fits", compress=False))


def test_a_tile_that_breaks_is_named_and_nothing_is_left_under_the_name(tmp_path: Path) -> None:
    files = tall(tmp_path)
    writing = write_mosaic(files, tmp_path / "m.fits")
    next(writing)
    for file in files[3:]:
        file.write_bytes(b"")
    with pytest.raises(ImageError, match="field_0"):
        list(writing)
    assert not (tmp_path / "m.fits").exists()


@FORMS
def test_memory_does_not_grow_with_the_picture(tmp_path: Path, compress: bool) -> None:
    class Endless:
        shape, dtype, ndim, identity = (900, 100_000), np.dtype(np.float32), 2, "endless"

        def __getitem__(self, key: tuple[slice, slice]) -> NDArray[np.float32]:
            size = [len(range(n)[part]) for n, part in zip(self.shape, key, strict=True)]
            return np.ones(size, np.float32)

    tracemalloc.start()
    try:
        list(write_mosaic(SkyImage(Endless()), tmp_path / "m.fits", compress=compress))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 100 * 2**20  # of 343 MiB


def test_files_that_are_read_are_never_written_to(tmp_path: Path) -> None:
    header = sky_header(SHAPE)
    names = ("SCI", "ERR")
    chips = [fits.ImageHDU(sky(SHAPE), header, name=name) for name in names]
    fits.HDUList([fits.PrimaryHDU(), *chips]).writeto(tmp_path / "both.fits")
    image = open_image(tmp_path / "both.fits")
    assert image.uncertainty is not None
    bare = replace(image.uncertainty, reference=None)
    for each in (image.uncertainty, bare):
        with pytest.raises(OutputError, match="files that are read"):
            next(write_mosaic(each, tmp_path / "both.fits", overwrite=True))
    tiles = cut(tmp_path, sky(SHAPE), header, CORNERS[:2], unit="")
    inner = open_mosaic(tiles)
    outer = open_mosaic([inner, image])
    for file in (*tiles, tmp_path / "both.fits"):
        with pytest.raises(OutputError, match="files that are read"):
            next(write_mosaic(outer, file, overwrite=True))
        assert np.isfinite(values_in(file)).all()


def test_one_writer_at_a_time(tmp_path: Path) -> None:
    files, out = tall(tmp_path), tmp_path / "m.fits"
    first = write_mosaic(files, out)
    next(first)
    for resume in (False, True):
        with pytest.raises(OutputError, match="is being written already"):
            next(write_mosaic(files, out, resume=resume))
    list(first)
    np.testing.assert_array_equal(values_in(out), open_mosaic(files).pixels[:, :])
    assert parts(tmp_path) == []


def test_the_lock_of_a_dead_process_is_taken_over(tmp_path: Path) -> None:
    files, out = tall(tmp_path), tmp_path / "m.fits"
    next(write_mosaic(files, out))
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    lock = tmp_path / ".m.fits.part" / "lock"
    assert not lock.exists()
    lock.write_text(str(dead.pid), encoding="ascii")
    assert next(iter(write_mosaic(files, out, resume=True))).done == 2


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    part = tmp_path / ".m.fits.part"
    part.mkdir()
    (part / "thesis.tex").write_text("years", encoding="utf-8")
    with pytest.raises(OutputError, match="holds other files"):
        next(write_mosaic(tall(tmp_path), tmp_path / "m.fits"))
    assert [each.name for each in part.iterdir()] == ["thesis.tex"]


@FORMS
def test_only_the_same_whole_file_needs_no_writing(tmp_path: Path, compress: bool) -> None:
    mosaic = open_mosaic(cut(tmp_path, sky(SHAPE), sky_header(SHAPE), CORNERS))
    out = tmp_path / "m.fits"
    list(write_mosaic(mosaic, out, compress=compress))
    assert list(write_mosaic(mosaic, out, compress=compress, resume=True)) == []
    for other in ({"compress": not compress}, {"compress": compress, "dtype": "float64"}):
        with pytest.raises(OutputError, match="is there already"):
            next(write_mosaic(mosaic, out, resume=True, **other))
    os.truncate(out, out.stat().st_size - 2880)
    with pytest.raises(OutputError, match="is there already"):
        next(write_mosaic(mosaic, out, compress=compress, resume=True))
