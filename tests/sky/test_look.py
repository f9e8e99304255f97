"""Look, open, read: what is no image is refused in a sentence, and nothing is ever written to."""

from __future__ import annotations

import errno
import gc
import gzip
import os
import pickle
import re
import socket
import stat
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files import handle as handles
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.handle import HandleFile, LocalHandle
from napari_astroseg.sky.files.hdus import open_hdus
from napari_astroseg.sky.files.look import look
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.files.packed.extent import HEADER_LIMIT
from napari_astroseg.sky.files.packed.unpack import unpacked
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.info import describe
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

BLOCK = 2880


def noise(shape: tuple[int, ...] = (53, 40)) -> Any:
    return np.random.default_rng(3).normal(100, 5, shape).astype("f4")


def header_of(*cards: str, end: bool = True) -> bytes:
    lines = ["SIMPLE  =                    T", *cards, *(["END"] if end else [])]
    text = "".join(line.ljust(80) for line in lines)
    return text.ljust(-(-len(text) // BLOCK) * BLOCK).encode("latin-1")


def card(keyword: str, value: object) -> str:
    return f"{keyword:8}= {value!s:>20}"


def image_cards(bitpix: object = -32, *sides: object) -> list[str]:
    named = [card(f"NAXIS{n}", side) for n, side in enumerate(sides, 1)]
    return [card("BITPIX", bitpix), card("NAXIS", len(sides)), *named]


def refused(path: Path, words: str = "") -> str:
    """The one sentence that a file is refused with."""
    with pytest.raises(ImageError, match=words) as caught:
        open_image(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert "\n" not in sentence
    assert re.search(r"[;:] [a-z`]", sentence), "no remedy"
    return sentence


# --- what lies there ----------------------------------------------------------------------

NO_FITS: dict[str, tuple[bytes, str]] = {
    "empty": (b"", r"is empty \(0 bytes\); fetch it again"),
    "web page": (b"\n <!DOCTYPE html><html><body>404</body>", "is a web page.* fetch it again"),
    "bare html": (b"<html><head><title>Login</title>", "is a web page"),
    "xhtml": (b'<?xml version="1.0"?><html xmlns="x">', "is a web page"),
    "votable": (b'<?xml version="1.0"?><VOTABLE>', "is an XML document"),
    "lfs": (b"version https://git-lfs.github.com/spec/v1\noid", "Git LFS pointer.*git lfs pull"),
    "png": (b"\x89PNG\r\n\x1a\n" + bytes(99), "is a PNG picture"),
    "jpeg": (b"\xff\xd8\xff\xe0" + bytes(99), "is a JPEG picture"),
    "tiff": (b"II*\0" + bytes(99), "is a TIFF picture"),
    "pdf": (b"%PDF-1.4" + bytes(99), "is a PDF document"),
    "hdf5": (b"\x89HDF\r\n\x1a\n" + bytes(99), "is an HDF5 file"),
    "numpy": (b"\x93NUMPY" + bytes(99), "is a NumPy array"),
    "zeros": (bytes(5000), "holds zeros where its header should be; fetch it again"),
    "text": (b"hello " * 99, "is not a FITS file; open one that starts with SIMPLE"),
    "extension": (b"XTENSION= 'IMAGE   '".ljust(BLOCK), "a FITS extension without its primary"),
    "header text": (b"SIMPLE  =                    T\nBITPIX  = 8\n", "header saved as text"),
    "cut": (header_of()[:1000], "ends after 1000 bytes, within its first header.* fetch it again"),
}


@pytest.mark.parametrize(("content", "words"), NO_FITS.values(), ids=NO_FITS)
def test_what_is_no_fits_file_is_told_by_its_kind(
    tmp_path: Path, content: bytes, words: str
) -> None:
    path = tmp_path / "map.fits"
    path.write_bytes(content)
    refused(path, words)


def test_entries_that_hold_no_bytes(tmp_path: Path) -> None:
    folder, pipe, loop = tmp_path / "folder", tmp_path / "pipe", tmp_path / "loop"
    folder.mkdir()
    os.mkfifo(pipe)
    loop.symlink_to(loop)
    refused(folder, "is a folder; name the FITS files inside it")
    refused(pipe, "is a pipe, socket or device")  # and does not wait for a writer
    refused(loop, r"cannot be opened \(too many levels of symbolic links\)")
    refused(tmp_path / "absent.fits", "no such file.*check the name")
    refused(tmp_path / ("long" * 200), "file name too long")
    refused(Path("/dev/zero"), "is a pipe, socket or device")
    with socket.socket(socket.AF_UNIX) as server, tempfile.TemporaryDirectory() as short:
        server.bind(f"{short}/map.fits")  # its whole name may have about a hundred letters
        refused(Path(short) / "map.fits", "is a pipe, socket or device")


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    path = write_image(tmp_path / "map.fits", noise())
    (tmp_path / "link.fits").symlink_to(path)
    assert open_image(tmp_path / "link.fits").shape == (53, 40)


def test_a_file_that_nobody_may_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_image(tmp_path / "map.fits", noise())
    monkeypatch.setattr(os, "access", lambda *args: False)  # root may read anything
    refused(path, r"cannot be opened \(permission denied\); check the name and permissions")


@pytest.mark.parametrize("into", ["gone", "pipe"])
def test_a_file_that_vanishes_between_look_and_reading(tmp_path: Path, into: str) -> None:
    path = write_image(tmp_path / "map.fits", noise())
    handle = LocalHandle(path)
    path.unlink()
    if into == "pipe":
        os.mkfifo(path)  # opening it must not wait
    with pytest.raises(ImageError, match=r"map.fits"):
        handle.read(np.empty(80, np.uint8), 0)


# --- headers ------------------------------------------------------------------------------

WRONG_HEADERS: dict[str, tuple[list[str], str]] = {
    "petabyte": (image_cards(-64, 40_000_000, 30_000_000), "cut short: fetch it again"),
    "exabytes": (image_cards(-64, *[10**9] * 2), "cut short: fetch it again"),
    "beyond numbers": (image_cards(-64, 10**30, 10), r"says NAXIS1 = 1000.*which cannot be"),
    "999 axes": ([card("BITPIX", 8), card("NAXIS", 999)], "map.fits"),
    "a billion axes": ([card("BITPIX", 8), card("NAXIS", 10**9)], "NAXIS = 1000000000, which"),
    "negative": (image_cards(-32, -5, 5), "says NAXIS1 = -5, which cannot be"),
    "fraction": (image_cards(-32, 5.5, 5), r"says NAXIS1 = 5\.5, which cannot be"),
    "word": (image_cards(-32, "'many'", 5), "says NAXIS1 = 'many', which cannot be"),
    "bitpix": (image_cards(17, 4, 4), "map.fits"),
    "no bitpix": (image_cards(-32, 4, 4)[1:], "map.fits"),
    "wcsaxes": ([*image_cards(-32, 4, 4), card("WCSAXES", 10**6)], "WCSAXES = 1000000, which"),
    "parameters": (
        [*image_cards(-32, 0, 4), card("GROUPS", "T"), card("PCOUNT", 10**9)],
        "PCOUNT = 1000000000, which",
    ),
    "zero sized": (image_cards(-32, 0, 5), "no two-dimensional image"),
    "one axis": (image_cards(-32, 500), "no two-dimensional image"),
    "nothing": ([card("BITPIX", 8), card("NAXIS", 0)], "no two-dimensional image"),
}


@pytest.mark.parametrize(("cards", "words"), WRONG_HEADERS.values(), ids=WRONG_HEADERS)
def test_a_header_that_promises_what_cannot_be(
    tmp_path: Path, cards: list[str], words: str
) -> None:
    path = tmp_path / "map.fits"
    path.write_bytes(header_of(*cards) + bytes(BLOCK))
    refused(path, words)


def test_a_header_without_end_is_not_read_to_the_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "map.fits"
    path.write_bytes(header_of(*image_cards(-32, 4, 4), end=False))
    os.truncate(path, 2**36)  # 64 GiB, sparse
    read = []

    class Counted(LocalHandle):
        def read(self, into: Any, offset: int) -> None:
            read.append(into.nbytes)
            super().read(into, offset)

    handle = Counted(path)
    with pytest.raises(ImageError, match=r"map.fits: a header has no END card within 32 MiB"):
        open_hdus(handle)
    assert HEADER_LIMIT <= sum(read) < 3 * HEADER_LIMIT


def test_a_header_of_fifty_thousand_lines_of_history(tmp_path: Path) -> None:
    cards = [*image_cards(-32, 4, 4), card("CTYPE1", "'RA---TAN'"), card("CTYPE2", "'DEC--TAN'")]
    cards += [card("CDELT1", -0.1), card("CDELT2", 0.1), card("CRVAL1", 10.0)]
    cards += [f"HISTORY step {n} of the reduction" for n in range(50_000)]
    path = tmp_path / "map.fits"
    path.write_bytes(header_of(*cards) + bytes(BLOCK))
    start = time.process_time()
    image = open_image(path)
    assert time.process_time() - start < 2.0
    assert image.wcs is not None
    assert len(image.header) < 20


def test_odd_but_harmless_headers(tmp_path: Path) -> None:
    path = tmp_path / "map.fits"
    cards = [
        *image_cards(-32, 4, 4), card("OBSERVER", "'Ångström\xff'"), "COMMENT \xe9\xe8",
        "LONGSTR = 'one part&'", "CONTINUE  ' and another&'", "CONTINUE  ''",
        card("BUNIT", "'Jy/beam'"), "BROKEN  = 'no end of it", "lower   = 1", "  = ", "",
    ]  # fmt: skip
    path.write_bytes(header_of(*cards) + np.arange(16, dtype=">f4").tobytes().ljust(BLOCK, b"\0"))
    image = open_image(path)
    assert image.unit == "Jy/beam"
    assert image.value(1, 2) == 9.0
    assert describe(path)["images"][0]["unit"] == "Jy/beam"


def test_an_image_of_nothing_but_missing_data_opens(tmp_path: Path) -> None:
    path = write_image(tmp_path / "map.fits", np.full((30, 30), np.nan, "f4"))
    assert np.isnan(open_image(path).cutout(Window(0, 0, 30, 30))).all()


# --- files that change --------------------------------------------------------------------

each_packing = pytest.mark.parametrize("compress", [False, True], ids=["plain", "tiles"])


@pytest.fixture
def waiting(tmp_path: Path, compress: bool) -> tuple[Path, Any, Any]:
    """A file, its values, and its image of which nothing but the header was read."""
    values = noise((600, 600))
    path = write_image(tmp_path / "map.fits", values, compress=compress)
    os.utime(path, ns=(10**18, 10**18))
    return path, values, open_image(path)


@each_packing
def test_a_deleted_file_is_read_on(waiting: tuple[Path, Any, Any]) -> None:
    path, values, image = waiting
    path.unlink()
    np.testing.assert_array_equal(image.cutout(Window(300, 300, 9, 9)), values[300:309, 300:309])


@each_packing
def test_a_file_that_another_took_the_place_of_is_read_on(waiting: tuple[Path, Any, Any]) -> None:
    path, values, image = waiting
    write_image(path, 1 + noise((600, 600)))
    np.testing.assert_array_equal(image.cutout(Window(300, 300, 9, 9)), values[300:309, 300:309])


@each_packing
@pytest.mark.parametrize("how", ["rewritten", "truncated", "emptied"])
def test_a_file_that_changes_while_open_is_told(waiting: tuple[Path, Any, Any], how: str) -> None:
    path, _, image = waiting
    with path.open("r+b") as file:
        match how:
            case "rewritten":
                file.seek(BLOCK * 4)
                file.write(b"x" * 500_000)
            case "truncated":
                file.truncate(BLOCK * 5)
            case _:
                file.truncate(0)
    with pytest.raises(
        ImageError, match=r"map.fits.*(was changed|cut short).*open it again|reopen"
    ):
        image.cutout(Window(300, 300, 200, 200))


def test_a_file_put_in_its_place_before_it_is_opened_again_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even with the length and the time of the old one."""
    monkeypatch.setattr(handles, "_FILES_OPEN", 1)
    path = write_image(tmp_path / "map.fits", noise())
    os.utime(path, ns=(10**18, 10**18))
    image = open_image(path)
    other = open_image(write_image(tmp_path / "other.fits", noise()))
    other.value(0, 0)  # takes the one place
    write_image(path, 1 + noise())
    os.utime(path, ns=(10**18, 10**18))
    with pytest.raises(ImageError, match=r"map.fits was changed while it was open; open it again"):
        image.value(0, 0)


# --- many files, many threads -------------------------------------------------------------


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="the system does not tell")
def test_more_files_than_a_process_may_have_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handles, "_FILES_OPEN", 8)
    paths = [write_image(tmp_path / f"{n}.fits", np.full((9, 9), n, "f4")) for n in range(40)]
    before = open_files()
    images = [open_image(path) for path in paths]
    for _ in range(2):
        assert [image.value(3, 3) for image in images] == list(range(40))
    assert open_files() <= before + 8
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda n: images[n % 40].value(1, 1), range(400)))
    assert told == [n % 40 for n in range(400)]
    assert open_files() <= before + 8
    images.clear()
    gc.collect()
    assert open_files() <= before


# --- never written to ---------------------------------------------------------------------


def test_opening_writes_nothing(tmp_path: Path) -> None:
    """Not to the file, and not beside it: a folder and files that are read-only will do."""
    folder = tmp_path / "medium"
    folder.mkdir()
    paths = [
        write_image(folder / "plain.fits", noise()),
        write_image(folder / "tiles.fits", noise(), compress=True),
        write_image(folder / "whole.fits.gz", noise()),
    ]
    for path in paths:
        path.chmod(stat.S_IRUSR)
    folder.chmod(stat.S_IRUSR | stat.S_IXUSR)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}
    try:
        for path in paths:
            image = open_image(path)
            image.cutout(Window(0, 0, 20, 20))
            describe(path)
            with opened(Address.of(path)) as file, pytest.raises((OSError, ValueError)):
                file.hdus.flush()
                raise ValueError  # a flush of a read-only list is nothing
        assert {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in paths} == before
        assert sorted(folder.iterdir()) == sorted(paths)
    finally:
        folder.chmod(stat.S_IRWXU)


def test_a_file_is_opened_for_reading_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    real = os.open

    def watched(path: Any, flags: int, *args: Any) -> int:
        asked.append((str(path), flags))
        return real(path, flags, *args)

    path = write_image(tmp_path / "map.fits", noise())
    monkeypatch.setattr(os, "open", watched)
    open_image(path).value(0, 0)
    ours = [flags for name, flags in asked if name == str(path)]
    assert ours
    assert all(flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) == 0 for flags in ours)


# --- handles ------------------------------------------------------------------------------


def test_a_handle_reads_at_positions_and_travels(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes((b"SIMPLE  =".ljust(994) + bytes(range(250, 256))) * 4)
    handle, packing = look(Address.of(path))
    assert packing is None
    again = pickle.loads(pickle.dumps(handle))
    assert again.identity == handle.identity
    for each in (handle, again):
        into = np.empty(6, np.uint8)
        each.read(into, 994)
        assert into.tolist() == [250, 251, 252, 253, 254, 255]
    with pytest.raises(ImageError, match="the file ends before its image does"):
        handle.read(np.empty(6, np.uint8), 3996)


def test_a_handle_that_travels_finds_its_own_version_or_says_so(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(b"first")
    letter = pickle.dumps(LocalHandle(path, "called.fits"))
    assert pickle.loads(letter).name == "called.fits"
    os.utime(path, ns=(10**18, 10**18))
    with pytest.raises(ImageError, match=r"called\.fits was changed while it was open; open it"):
        pickle.loads(letter)
    packed = tmp_path / "map.fits.gz"
    packed.write_bytes(gzip.compress(b"SIMPLE  =".ljust(2880)))
    letter = pickle.dumps(unpacked(str(packed), LocalHandle(packed), "gzip")[0])
    assert pickle.loads(letter).name == "map.fits.gz"
    os.utime(packed, ns=(10**18, 10**18))
    with pytest.raises(ImageError, match=r"map\.fits\.gz was changed while it was open"):
        pickle.loads(letter)


def test_reads_without_positioned_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "preadv")
    values = noise()
    image = open_image(write_image(tmp_path / "map.fits", values))
    np.testing.assert_array_equal(image.cutout(Window(0, 0, 40, 53)), values)


def test_a_handle_as_a_file_object(tmp_path: Path) -> None:
    path = tmp_path / "bytes"
    path.write_bytes(bytes(range(100)))
    file = HandleFile(LocalHandle(path))
    assert (file.readable(), file.seekable(), file.writable()) == (True, True, False)
    assert file.seek(-10, os.SEEK_END) == 90
    assert file.read(4) == bytes([90, 91, 92, 93])
    assert file.tell() == 94
    assert file.seek(3, os.SEEK_CUR) == 97
    assert file.read() == bytes([97, 98, 99])
    assert file.read(1) == b""
    assert file.seek(500) == 500
    assert file.read(5) == b""


def test_reading_that_fails_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: object) -> int:
        raise OSError(errno.EIO, "Input/output error")

    path = write_image(tmp_path / "map.fits", noise())
    image = open_image(path)
    monkeypatch.setattr(os, "preadv", broken)
    with pytest.raises(ImageError, match=r"map.fits: reading failed \(input/output error\)"):
        image.value(0, 0)


# --- real files ---------------------------------------------------------------------------

BAD: dict[str, str] = {
    "astropy_tests__group_invalid.fits": "random groups",
    "astropy_tests__history_header.fits": "no two-dimensional image of any size",
    "astropy_tests__outside_sky.hdr": "ends after 1471 bytes, within its first header",
    "astropy_tests__theap-gap.fits": "holds tables but no image",
    "astropy_tests__zerowidth.fits": "holds tables but no image",
    "carta__empty2.fits": r"is empty \(0 bytes\)",
    "galsim__DECam_00154912_12_header.fits": "no two-dimensional image of any size",
    "nomtam__issue49test.fits": "holds tables but no image",
    "nomtam__test_i10.fits": "holds tables but no image",
}


@pytest.mark.parametrize(("name", "words"), BAD.items(), ids=BAD)
def test_every_bad_file_is_refused_in_a_sentence(shared_data: Path, name: str, words: str) -> None:
    refused(shared_data / "bad" / name, words)


def test_the_other_bad_files_open(shared_data: Path) -> None:
    others = sorted({path.name for path in (shared_data / "bad").iterdir()} - set(BAD))
    shapes = {name: open_image(shared_data / "bad" / name).shape for name in others}
    assert shapes == {
        "astropy_tests__blank.fits": (1, 1),
        "astropy_tests__lzw.fits.Z": (101, 101),
        "nomtam__test.fits.Z": (5, 5),
    }


def test_real_files_stay_as_they_are(shared_data: Path) -> None:
    paths = [p for f in ("bad", "odd") for p in sorted((shared_data / f).iterdir())]
    before = {path: path.stat() for path in paths}
    for path in paths:
        try:
            open_image(path).value(0, 0)
        except ImageError:
            continue
    for path, told in before.items():
        after = path.stat()
        assert (after.st_mtime_ns, after.st_size) == (told.st_mtime_ns, told.st_size)


def test_fits_that_astropy_wrote_reads_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    values = noise()
    fits.HDUList([fits.PrimaryHDU(), fits.ImageHDU(values, name="SCI")]).writeto(path)
    with opened(Address.of(path)) as file:
        assert file.reads == "lazy"
        assert file.notes == ()
        np.testing.assert_array_equal(file.hdus["SCI"].data, values)
