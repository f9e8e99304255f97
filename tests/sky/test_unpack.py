"""Unpack: files compressed as a whole are unpacked once, within bounds."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import os
import pickle
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.cache import Cache
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.files.packed import unpack
from napari_astroseg.sky.files.packed.extent import BLOCK, Extent, data_bytes
from napari_astroseg.sky.files.packed.lzw import LzwReader
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.progress import Stopped
from napari_astroseg.sky.window import Window

NOTE = "unpacked to the cache, 0.0 MiB, for it cannot be read piece by piece"


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "unpacked"


def noise(shape: tuple[int, ...] = (53, 40)) -> Any:
    return np.random.default_rng(3).normal(100, 5, shape).astype("f4")


def plain(values: Any | None = None, *more: Any) -> bytes:
    file = io.BytesIO()
    hdus = [fits.PrimaryHDU(noise() if values is None else values), *more]
    fits.HDUList(hdus).writeto(file)
    return file.getvalue()


def zipped(*members: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("folder/", b"")
        for n, member in enumerate(members):
            archive.writestr(f"folder/{n}.fits", member)
    return file.getvalue()


def lzw(data: bytes, most: int = 16, clear_after: int = 10**9) -> bytes:
    """A packer in the manner of `compress`: groups of eight codes, padded where widths change."""
    out, table, width, free = bytearray([0x1F, 0x9D, 0x80 | most]), _letters(), 9, 257
    bits: list[str] = []
    string, since = b"", 0

    def flush() -> None:
        told = "".join(reversed(bits))
        size = -(-len(told) // 8)
        out.extend(int(told or "0", 2).to_bytes(size, "little"))
        bits.clear()

    def align() -> None:
        if len(bits) % 8:
            bits.extend(["0" * width] * (8 - len(bits) % 8))
        flush()

    for n in range(len(data)):
        byte = data[n : n + 1]
        if string + byte in table:
            string += byte
            continue
        bits.append(f"{table[string]:0{width}b}")
        since += 1
        if free < 1 << most:
            table[string + byte] = free
            free += 1
            if free > 1 << width and width < most:
                align()
                width += 1
        elif since > clear_after:
            bits.append(f"{256:0{width}b}")
            align()
            table, width, free, since = _letters(), 9, 257, 0
        string = byte
    bits.append(f"{table[string]:0{width}b}")
    flush()
    return bytes(out)


def _letters() -> dict[bytes, int]:
    return {bytes([n]): n for n in range(256)}


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "gz": gzip.compress,
    "gz of two members": lambda data: gzip.compress(data[:3000]) + gzip.compress(data[3000:]),
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zip": zipped,
    "Z": lzw,
}
each_packer = pytest.mark.parametrize("pack", PACKERS.values(), ids=PACKERS)


# --- whole files --------------------------------------------------------------------------


@each_packer
def test_a_packed_file_opens_as_the_plain_one_does(
    tmp_path: Path, cache: Path, pack: Callable[[bytes], bytes]
) -> None:
    """By what it is, not by its name; from the cache the second time."""
    path = tmp_path / "map.fits"
    path.write_bytes(pack(plain()))
    told: list[tuple[str, int, int | None]] = []
    image = open_image(path, progress=lambda *each: told.append(each))
    np.testing.assert_array_equal(image.cutout(Window(0, 0, 40, 53)), noise())
    assert NOTE in image.notes
    assert {what for what, _, _ in told} == {"unpacking map.fits"}
    assert told[-1][1:] == (path.stat().st_size, path.stat().st_size)
    (entry,) = cache.iterdir()
    assert entry.read_bytes() == plain()

    again = open_image(path, progress=lambda *each: pytest.fail("unpacked twice"))
    assert again.pixels.identity == image.pixels.identity
    with opened(Address.of(path)) as file:
        assert file.reads == "unpacked"
        assert file.handle.name == "map.fits"


def test_its_image_outlives_the_cache_and_travels(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(plain()))
    image = open_image(path)
    letter, pixels = pickle.dumps(image), pickle.dumps(image.pixels)
    for entry in cache.iterdir():
        entry.unlink()  # as the cache does when others need the room
    np.testing.assert_array_equal(image.cutout(Window(0, 0, 40, 53)), noise())
    np.testing.assert_array_equal(pickle.loads(letter).cutout(Window(0, 0, 40, 53)), noise())
    np.testing.assert_array_equal(pickle.loads(pixels)[0:53, 0:40], noise())


@pytest.mark.parametrize("how", ["short", "long", "link", "folder"])
def test_an_entry_that_is_not_what_was_unpacked_is_made_again(
    tmp_path: Path, cache: Path, how: str
) -> None:
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(plain()))
    open_image(path)
    (entry,) = cache.iterdir()
    planted = tmp_path / "planted.fits"
    planted.write_bytes(plain(noise() + 1))
    if how in {"short", "long"}:
        entry.write_bytes(plain()[:-2880] if how == "short" else plain() + bytes(2880))
    else:
        entry.unlink()
        entry.symlink_to(planted) if how == "link" else entry.mkdir()
    again = open_image(path)
    np.testing.assert_array_equal(again.cutout(Window(0, 0, 40, 53)), noise())
    (entry,) = cache.iterdir()
    assert not entry.is_symlink()
    assert entry.read_bytes() == plain()


def test_another_version_is_unpacked_again(tmp_path: Path) -> None:
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(plain()))
    first = open_image(path)
    path.write_bytes(gzip.compress(plain(noise() + 1)))
    os.utime(path, ns=(10**18, 10**18))
    second = open_image(path)
    np.testing.assert_array_equal(second.cutout(Window(0, 0, 40, 53)), noise() + 1)
    assert first.pixels.identity != second.pixels.identity


@each_packer
def test_one_that_was_cut_short_is_refused(
    tmp_path: Path, cache: Path, pack: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "map.fits"
    path.write_bytes(pack(plain())[:-600])
    with pytest.raises(ImageError, match=r"map.fits.* (cannot be unpacked|cut short).*fetch it"):
        open_image(path)
    assert not any(p.name.startswith(".making") for p in cache.iterdir())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(b"hello " * 99), "map.fits, unpacked, is not a FITS file"),
        (gzip.compress(b""), r"map.fits, unpacked, is empty \(0 bytes\)"),
        (gzip.compress(b"<!DOCTYPE html>"), "map.fits, unpacked, is a web page"),
        (zipped(plain(), plain()), "is a zip archive of 2 files; unpack it and open those"),
        (zipped(), "is a zip archive of 0 files"),
        (b"PK\x03\x04" + bytes(99), "cannot be unpacked"),
        (b"BZh91AY&SY" + bytes(99), "cannot be unpacked"),
        (b"\x1f\x9d" + bytes(99), "cannot be unpacked .*LZW"),
        (b"\x1f\x9d", "cannot be unpacked"),
        (b"\x1f\x9d\x90" + b"\xff" * 99, "cannot be unpacked .a code stands for nothing"),
        (b"\x1f\x8b" + bytes(99), "cannot be unpacked"),
        (gzip.compress(plain())[:-8] + bytes(8), "cannot be unpacked .CRC"),
        (b"\xfd7zXZ\x00" + bytes(99), "cannot be unpacked"),
    ],
)
def test_a_broken_packing_is_refused_in_a_sentence(
    tmp_path: Path, cache: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "map.fits"
    path.write_bytes(content)
    with pytest.raises(ImageError, match=words) as caught:
        open_image(path)
    assert "\n" not in str(caught.value)
    assert not cache.exists() or list(cache.iterdir()) == []


def test_what_follows_the_last_hdu_is_left_out(tmp_path: Path, cache: Path) -> None:
    """Tapes and bombs go on; the headers say where the file ends."""
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(plain() + bytes(50_000_000)))
    open_image(path)
    (entry,) = cache.iterdir()
    assert entry.read_bytes() == plain()


def test_unpacking_can_be_stopped_and_leaves_nothing(tmp_path: Path, cache: Path) -> None:
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(plain(noise((1500, 1500)))))

    def stop(what: str, done: int, total: int | None) -> None:
        assert total == path.stat().st_size
        assert 0 < done <= total
        raise Stopped

    with pytest.raises(Stopped):
        open_image(path, progress=stop)
    assert list(cache.iterdir()) == []
    assert open_image(path).shape == (1500, 1500)


def test_a_file_larger_than_the_cache_is_refused_before_it_is_unpacked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unpack, "CACHE", Cache("unpacked", 2**20))
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(plain(noise((600, 600)))))
    with pytest.raises(ImageError, match=r"map.fits.gz.*unpack it yourself and open the result"):
        open_image(path, progress=lambda *each: pytest.fail("unpacked all the same"))


def test_a_bomb_is_given_up(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "_FREE", 2**22)
    header = fits.PrimaryHDU(np.zeros((1, 1), "f4")).header
    header["NAXIS1"] = header["NAXIS2"] = 20_000
    path = tmp_path / "map.fits.gz"
    with gzip.open(path, "wb", 9) as file:
        file.write(header.tostring().encode() + bytes(50_000_000))
    with pytest.raises(ImageError, match=r"map.fits.gz grows beyond .* GiB, 200 times its size"):
        open_image(path)
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_to_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("ASTROSEG_CACHE", str(tmp_path / "file"))
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(plain()))
    with pytest.raises(ImageError, match=r"map.fits.gz must be unpacked.*ASTROSEG_CACHE"):
        open_image(path)


def test_a_disk_that_fills_up_meanwhile_is_told(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "map.fits.gz"
    path.write_bytes(gzip.compress(plain()))

    class Full(io.BytesIO):
        def write(self, data: Any) -> int:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "open", lambda *args: Full())
    with pytest.raises(ImageError, match=r"map.fits.gz must be unpacked.*[Nn]o space left"):
        open_image(path)
    assert list(cache.iterdir()) == []


# --- the stream of compress -----------------------------------------------------------------


@given(
    data=st.one_of(
        st.binary(min_size=1, max_size=3000),
        st.binary(min_size=1, max_size=4).map(lambda part: part * 4000),
    ),
    most=st.integers(9, 16),
    clear_after=st.sampled_from([50, 10**9]),
)
def test_lzw_gives_back_what_was_packed(data: bytes, most: int, clear_after: int) -> None:
    packed = io.BytesIO(lzw(data, most, clear_after))
    assert io.BufferedReader(LzwReader(packed)).read() == data


def test_lzw_takes_little_memory_whatever_is_packed(tmp_path: Path) -> None:
    """A table of strings, as the simple way has it, would take gigabytes for one long run."""
    data = bytes(40_000_000)
    reader = LzwReader(io.BytesIO(lzw_of_zeros(len(data))))
    tracemalloc.start()
    size = 0
    while chunk := reader.read(2**20):
        size += len(chunk)
        assert not any(chunk)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size >= len(data)
    assert peak < 20 * 2**20


def lzw_of_zeros(size: int) -> bytes:
    """Codes that each stand for one zero more than the one before."""
    codes, done = [0], 1
    while done < size and len(codes) < 65000:
        codes.append(256 + len(codes))
        done += len(codes)
    out, width = bytearray([0x1F, 0x9D, 0x90]), 9
    at = 0
    free = 256
    while at < len(codes):
        take = (1 << width) - free if width < 16 else len(codes)
        part = codes[at : at + take]
        free += len(part)
        if len(part) % 8 and width < 16:
            part = part + [0] * (8 - len(part) % 8)
        told = sum(code << (width * n) for n, code in enumerate(part))
        out += told.to_bytes(-(-len(part) * width // 8), "little")
        at += take
        width += 1
    return bytes(out)


# --- how far a file goes --------------------------------------------------------------------


@given(cuts=st.lists(st.integers(0, 40_000), max_size=6), junk=st.sampled_from([b"", b"x" * 9000]))
def test_the_extent_of_a_file_does_not_depend_on_how_it_comes_by(
    cuts: list[int], junk: bytes
) -> None:
    whole = plain(noise(), fits.ImageHDU(noise((9, 8, 7))), fits.ImageHDU())
    stream = whole + junk
    extent, kept = Extent(), 0
    for start, stop in zip([0, *sorted(cuts)], [*sorted(cuts), len(stream)], strict=True):
        kept += extent.follow(stream[start:stop])
    assert extent.promised == len(whole)
    assert extent.ended == bool(junk)
    assert len(whole) <= kept < len(whole) + BLOCK


def test_random_groups_have_data_though_their_first_axis_is_zero() -> None:
    header = fits.Header(
        {"SIMPLE": True, "BITPIX": -32, "NAXIS": 3, "NAXIS1": 0, "NAXIS2": 4, "NAXIS3": 5,
         "GROUPS": True, "PCOUNT": 2, "GCOUNT": 100}
    )  # fmt: skip
    assert data_bytes(header.tostring().encode()) == -(-4 * 100 * (2 + 20) // BLOCK) * BLOCK
    assert data_bytes(b"NAXIS   = many".ljust(80)) == 0
