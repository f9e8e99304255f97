"""Tiled: tile-compressed images are unpacked where they are looked at, whatever the file says."""

from __future__ import annotations

import functools
import gc
import gzip
import io
import json
import subprocess
import sys
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.fitspixels import CompressedFile
from napari_astroseg.sky.files.handle import LocalHandle
from napari_astroseg.sky.files.packed import codecs, kepttiles, tiled
from napari_astroseg.sky.files.packed.extent import BLOCK
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window


def noise(shape: tuple[int, ...] = (53, 40)) -> Any:
    return np.random.default_rng(3).normal(100, 5, shape).astype("f4")


# --- tiles --------------------------------------------------------------------------------

TILES = [(1, 70), (16, 16), (20, 33), (48, 70)]


def compressed(path: Path, values: Any, kind: str, tile: tuple[int, ...], **how: Any) -> Path:
    how = {"quantize_level": 0} | how
    hdu = fits.CompImageHDU(values, compression_type=kind, tile_shape=tile, **how)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path, overwrite=True)
    return path


def same_as_astropy(path: Path, hdu: int = 1) -> None:
    with fits.open(path, memmap=False) as hdus:
        theirs = hdus[hdu].data
    ours = CompressedFile(LocalHandle(path)).read(hdu, (slice(None),) * theirs.ndim)
    np.testing.assert_array_equal(ours.astype(theirs.dtype), theirs)


@pytest.mark.parametrize("tile", TILES, ids=str)
@pytest.mark.parametrize("stored", ["u1", "i2", "u2", "i4", "f4", "f8"])
@pytest.mark.parametrize("kind", ["GZIP_1", "GZIP_2", "RICE_1", "HCOMPRESS_1", "PLIO_1"])
def test_tiles_are_unpacked_as_astropy_does(
    tmp_path: Path, kind: str, stored: str, tile: tuple[int, int]
) -> None:
    floats = stored[0] == "f"
    if (kind == "PLIO_1" and stored in {"f4", "f8", "u2"}) or (
        kind == "HCOMPRESS_1" and min(tile) < 4
    ):
        pytest.skip("there is no such compression")
    values = np.abs(noise((48, 70))).astype(stored)
    for how in [{}] if not floats else _quantised(kind):
        if floats:
            values[5:9, 10:30] = np.nan if how else 0
            values[20] = 0
        same_as_astropy(compressed(tmp_path / "a.fits", values, kind, tile, **how))


def _quantised(kind: str) -> list[dict[str, Any]]:
    ways = [
        {"quantize_level": level, "quantize_method": method, "dither_seed": 9999}
        for level in (4, 16)
        for method in (-1, 1, 2)
    ]
    return ways + ([{}] if kind.startswith("GZIP") else [])


def test_a_long_tile_goes_through_the_whole_dither(tmp_path: Path) -> None:
    same_as_astropy(
        compressed(
            tmp_path / "a.fits", noise((300, 200)), "RICE_1", (300, 200), quantize_level=4,
            quantize_method=2, dither_seed=10_000,
        )
    )  # fmt: skip


@given(
    keys=st.tuples(
        *(
            st.one_of(
                st.integers(0, n - 1),
                st.slices(n),
            )
            for n in (3, 48, 70)
        )
    )
)
def test_any_slices_of_a_cube_of_tiles(tmp_path_factory: Any, keys: tuple[Any, ...]) -> None:
    values = np.random.default_rng(1).integers(-99, 99, (3, 48, 70)).astype("i2")
    folder = tmp_path_factory.getbasetemp()
    path = folder / "cube.fits"
    if not path.exists():
        compressed(path, values, "RICE_1", (2, 20, 33))
    np.testing.assert_array_equal(CompressedFile(LocalHandle(path)).read(1, keys), values[keys])


def test_scaled_integers_and_blanks(tmp_path: Path) -> None:
    hdu = fits.CompImageHDU(
        np.arange(3360, dtype="i2").reshape(48, 70),
        fits.Header({"BLANK": 77, "BUNIT": "Jy"}),
        compression_type="RICE_1",
    )
    path = tmp_path / "a.fits"
    hdu.writeto(path)
    with fits.open(path, mode="update", disable_image_compression=True) as hdus:
        hdus[1].header["BSCALE"], hdus[1].header["BZERO"] = 0.5, 100.0
    values = open_image(path).cutout(Window(0, 0, 70, 48)).reshape(-1)
    expected = np.arange(3360) * 0.5 + 100
    expected[77] = np.nan
    np.testing.assert_array_equal(values, expected.astype("f4"))


def test_real_tiles_are_unpacked_as_astropy_does(shared_data: Path) -> None:
    found = 0
    for path in sorted(shared_data.rglob("*.f*")):
        if path.suffix == ".gz" or path.stat().st_size == 0:
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            with fits.open(path) as hdus:
                numbers = [n for n, h in enumerate(hdus) if isinstance(h, fits.CompImageHDU)]
            for number in numbers:
                same_as_astropy(path, number)
                found += 1
    assert found > 10


def test_only_the_tiles_under_a_window_are_read(tmp_path: Path) -> None:
    path = compressed(tmp_path / "a.fits", noise((640, 640)), "GZIP_1", (64, 64))
    read: list[int] = []

    class Counted(LocalHandle):
        def read(self, into: Any, offset: int) -> None:
            read.append(into.nbytes)
            super().read(into, offset)

    file = CompressedFile(Counted(path))
    file.read(1, (slice(0, 1), slice(0, 1)))
    start = len(read)
    file.read(1, (slice(100, 120), slice(100, 200)))
    assert len(read) - start == 3  # columns 64 to 255 of one row of tiles
    file.read(1, (slice(100, 120), slice(100, 200)))
    assert len(read) - start == 3  # and they are kept
    assert sum(read[start:]) < path.stat().st_size / 20


# --- tiles that lie ---------------------------------------------------------------------------


def edited(path: Path, **cards: Any) -> Path:
    with fits.open(path, mode="update", disable_image_compression=True) as hdus:
        hdus[1].header.update(cards)
    return path


@pytest.mark.parametrize(
    ("kind", "cards"),
    [
        ("RICE_1", {"ZVAL1": 0}),  # the decoder would never end
        ("RICE_1", {"ZVAL2": 1_000_000}),  # and here read gigabytes beyond its array
        ("RICE_1", {"ZVAL1": -5}),
        ("RICE_1", {"ZCMPTYPE": "MAGIC_9"}),
        ("RICE_1", {"ZTILE1": 0}),
        ("RICE_1", {"ZTILE2": 7}),
        ("RICE_1", {"ZBITPIX": 17}),
        ("RICE_1", {"ZNAXIS1": 9000}),
        ("RICE_1", {"THEAP": 10**15}),
        ("RICE_1", {"TFORM1": "1XYZ"}),
        ("HCOMPRESS_1", {"ZTILE1": 70, "ZTILE2": 4, "ZNAXIS2": 1}),
        ("GZIP_1", {"ZCMPTYPE": "HCOMPRESS_1"}),
        ("GZIP_1", {"ZCMPTYPE": "PLIO_1"}),
        ("GZIP_1", {"ZCMPTYPE": "NOCOMPRESS"}),
        ("PLIO_1", {"ZCMPTYPE": "GZIP_2"}),
    ],
)
def test_tiles_that_are_not_what_their_header_says(
    tmp_path: Path, kind: str, cards: dict[str, Any]
) -> None:
    values = np.abs(noise((48, 70))).astype("i2")
    path = edited(compressed(tmp_path / "map.fits", values, kind, (16, 35)), **cards)
    with pytest.raises(ImageError, match=r"map.fits.*[;:] "):
        image = open_image(path)
        image.cutout(Window.whole(image.shape))


@pytest.mark.parametrize("kind", ["GZIP_1", "GZIP_2", "RICE_1", "HCOMPRESS_1", "PLIO_1"])
@given(data=st.data())
def test_no_bytes_break_a_decoder(kind: str, data: st.DataObject) -> None:
    """It gives values, or raises; a crash of the process would end the test run."""
    codec = codecs.Codec(kind, np.dtype("i4"))
    sound = _sound(kind)
    packed = bytearray(sound)
    for at, byte in data.draw(
        st.lists(st.tuples(st.integers(0, len(sound) - 1), st.integers(0, 255)), max_size=8)
    ):
        packed[at] = byte
    packed = packed[: data.draw(st.integers(0, len(sound)))]
    try:
        values = codec.raw(bytes(packed), (16, 16))
    except Exception as error:
        assert not isinstance(error, (MemoryError, SystemError))
    else:
        assert values.shape == (16, 16)


@functools.cache
def _sound(kind: str) -> bytes:
    return one_tile(kind, np.random.default_rng(4).integers(0, 500, (16, 16)).astype("i4"))


def one_tile(kind: str, values: Any) -> bytes:
    """The packed bytes of an image in one tile."""
    file = io.BytesIO()
    hdu = fits.CompImageHDU(values, compression_type=kind, tile_shape=values.shape)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(file)
    file.seek(0)
    with fits.open(file, disable_image_compression=True) as hdus:
        return (
            hdus[1].data["COMPRESSED_DATA"][0].astype(">i2" if kind == "PLIO_1" else "u1").tobytes()
        )


def test_a_gzip_tile_that_grows_beyond_its_tile_is_given_up() -> None:
    bomb = gzip.compress(bytes(300_000_000), 9)
    codec = codecs.Codec("GZIP_1", np.dtype("i4"))
    with pytest.raises(ValueError, match="longer than its tile"):
        codec.raw(bomb, (16, 16))


PEAK = """
import json, re, sys
from pathlib import Path
from napari_astroseg.errors import ImageError
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window
import astropy.io.fits.hdu.compressed._codecs, napari_astroseg.sky.pyramids.pyramid

def peak_kib():  # not getrusage, which counts what the parent took
    return int(re.search("VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

before = peak_kib()
words, seen = "", []
try:
    image = open_image(sys.argv[1])
    height, width = image.shape
    for y, x in ((0, 0), (height // 2, width // 2), (height - 64, width - 64)):
        seen.append(float(image.cutout(Window(x, y, 64, 64)).mean()))
    if height < 10_000:
        napari_astroseg.sky.pyramids.pyramid.levels(image)[-1][..., :, :]
except ImageError as error:
    words = str(error)
print(json.dumps([(peak_kib() - before) / 1024, seen, words]))
"""


linux = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="it tells no peak")


def peak_mib(path: Path) -> tuple[float, list[float], str]:
    """Memory that showing a file takes a process of its own, MiB; values seen; words of refusal."""
    told = subprocess.run(
        [sys.executable, "-c", PEAK, str(path)],
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    peak, seen, words = json.loads(told.stdout.splitlines()[-1])
    return peak, seen, words


def bomb(path: Path, kind: str, side: int, tile: tuple[int, int], packed: bytes) -> Path:
    """A constant image: every row of its table points to one and the same tile."""
    rows = -(-side // tile[0]) * -(-side // tile[1])
    table = fits.BinTableHDU.from_columns(
        [fits.Column("COMPRESSED_DATA", "1PB()", array=[np.zeros(1, np.uint8)] * rows)]
    )
    header = table.header
    header.update(
        {"ZIMAGE": True, "ZCMPTYPE": kind, "ZBITPIX": 32, "ZNAXIS": 2, "ZNAXIS1": side,
         "ZNAXIS2": side, "ZTILE1": tile[1], "ZTILE2": tile[0], "PCOUNT": len(packed)}
    )  # fmt: skip
    pointers = np.tile(np.array([len(packed), 0], ">i4"), rows).tobytes()
    data = pointers + packed
    start = fits.PrimaryHDU().header.tostring() + header.tostring()
    path.write_bytes(start.encode() + data.ljust(-(-len(data) // BLOCK) * BLOCK, b"\0"))
    return path


@linux
@pytest.mark.parametrize(
    ("kind", "side", "tile", "opens"),
    [
        ("RICE_1", 8_124, (1, 8_124), True),  # 264 MB in rows
        ("RICE_1", 65_536, (256, 256), True),  # 17 GB in squares
        ("HCOMPRESS_1", 65_536, (256, 256), True),
        ("GZIP_1", 8_124, (8_124, 8_124), True),  # 264 MB in one tile
        ("GZIP_1", 65_536, (65_536, 65_536), False),
        ("RICE_1", 65_536, (65_536, 65_536), False),
        ("HCOMPRESS_1", 65_536, (65_536, 65_536), False),
        ("PLIO_1", 65_536, (65_536, 65_536), False),
    ],
)
def test_a_bomb_of_tiles_takes_no_more_memory_than_is_shown(
    tmp_path: Path, kind: str, side: int, tile: tuple[int, int], opens: bool
) -> None:
    small = tile if tile[0] < 9000 else (64, 64)
    if (kind, tile) == ("GZIP_1", (8_124, 8_124)):
        packed = gzip.compress(np.full(side * side, 7, ">i4").tobytes(), 9)
    else:
        packed = one_tile(kind, np.full(small, 7, "i4"))
    path = bomb(tmp_path / "map.fits", kind, side, tile, packed)
    assert path.stat().st_size < 2_000_000
    peak, seen, words = peak_mib(path)
    assert peak < 512
    if opens:
        assert words == ""
        assert seen == [7.0, 7.0, 7.0]
    else:
        assert "too large to be unpacked piece by piece; unpack it with `funpack`" in words


@linux
def test_a_bomb_that_is_packed_as_a_whole_takes_no_memory(tmp_path: Path) -> None:
    header = fits.PrimaryHDU(np.zeros((1, 1), "f4")).header
    header["NAXIS1"] = header["NAXIS2"] = 8_124
    path = tmp_path / "map.fits.gz"
    with gzip.open(path, "wb", 9) as file:
        file.write(header.tostring().encode())
        for _ in range(8_124):
            file.write(bytes(4 * 8_124))
    assert path.stat().st_size < 300_000
    peak, seen, words = peak_mib(path)
    assert (words, seen) == ("", [0.0, 0.0, 0.0])
    assert peak < 512


def test_kept_tiles_are_bounded_and_go_with_their_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = kepttiles.KeptTiles()
    monkeypatch.setattr(tiled, "kept", kept)
    monkeypatch.setattr(kepttiles, "KEPT_BYTES", 100_000)
    path = compressed(tmp_path / "a.fits", noise((640, 640)), "GZIP_1", (64, 64))
    image: SkyImage | None = open_image(path)
    assert image is not None
    image.cutout(Window.whole(image.shape))
    assert 0 < kept._bytes <= 100_000
    assert sum(tile.nbytes for tile in kept._tiles.values()) == kept._bytes
    del image
    gc.collect()
    assert kept._bytes == 0
