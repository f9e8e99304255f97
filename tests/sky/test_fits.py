"""FITS in and out: the same values as astropy, or one sentence that says what to do."""

from __future__ import annotations

import errno
import os
import pickle
import stat
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS, FITSFixedWarning
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError, OutputError
from napari_astroseg.sky.coords.worldcoords import wcs_cards, window_cards
from napari_astroseg.sky.files.fitspixels import CompressedPixels, FitsPixels
from napari_astroseg.sky.files.writing import replacing, write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.spheres.healpix import HealpixPixels
from napari_astroseg.sky.window import Window

SHAPE = (37, 53)
STORED = ["u1", "i2", "i4", "i8", "f4", "f8"]


def noise(dtype: str, shape: tuple[int, ...] = SHAPE, seed: int = 0) -> NDArray[Any]:
    """Seeded values that use the type's range; floats have a few NaN."""
    rng = np.random.default_rng(seed)
    kind = np.dtype(dtype)
    if kind.kind == "f":
        values = rng.normal(1e3, 1e2, shape).astype(kind)
        values[..., 3, 5] = np.nan
        return values
    # 64-bit integers up to 2^53 fit a float64 exactly.
    limit = min(np.iinfo(kind).max, 2**53)
    return rng.integers(0, limit, shape, dtype=kind, endpoint=True)


def write(path: Path, values: NDArray[Any], **cards: Any) -> Path:
    """A plain FITS file with these stored values and cards, odd ones too."""
    fits.PrimaryHDU(values).writeto(path, overwrite=True)
    if cards:
        with fits.open(path, do_not_scale_image_data=True) as hdus:
            header, stored = hdus[0].header, path.read_bytes()[hdus[0].fileinfo()["datLoc"] :]
        header.update(cards)
        path.write_bytes(header.tostring(padding=True).encode("ascii") + stored)
    return path


def whole(image: SkyImage) -> NDArray[Any]:
    return np.asarray(image.pixels[slice(None), slice(None)])


def same(ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    assert ours.dtype.isnative
    assert ours.dtype.kind == "f"
    np.testing.assert_array_equal(ours, theirs.astype(ours.dtype))


# --- values -------------------------------------------------------------------------------


@pytest.mark.parametrize("stored", STORED)
def test_every_stored_type_reads_as_astropy_reads_it(tmp_path: Path, stored: str) -> None:
    path = write(tmp_path / "a.fits", noise(stored))
    image = open_image(path)
    assert isinstance(image.pixels, FitsPixels)
    assert image.shape == SHAPE
    assert image.dtype == (np.float32 if stored in {"u1", "i2", "f4"} else np.float64)
    same(whole(image), fits.getdata(path))
    same(image.data.compute(), fits.getdata(path))


@pytest.mark.parametrize(
    ("stored", "unsigned"), [("i1", None), ("u2", None), ("u4", None), ("u8", 2**53)]
)
def test_unsigned_and_signed_types_that_fits_stores_shifted(
    tmp_path: Path, stored: str, unsigned: int | None
) -> None:
    values = noise(stored) if unsigned is None else noise("i8").astype("u8")
    path = write(tmp_path / "a.fits", values)
    assert fits.getheader(path)["BZERO"] != 0
    np.testing.assert_allclose(whole(open_image(path)), values, rtol=1e-12, atol=2048)
    if unsigned is None:
        same(whole(open_image(path)), values)


@pytest.mark.parametrize("stored", STORED)
def test_scaled_values(tmp_path: Path, stored: str) -> None:
    path = write(tmp_path / "a.fits", noise(stored), BSCALE=0.25, BZERO=-7.5)
    theirs = fits.getdata(path)
    np.testing.assert_allclose(whole(open_image(path)), theirs, rtol=1e-6)


@pytest.mark.parametrize("stored", ["u1", "i2", "i4", "i8"])
@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_blank_integers_are_missing(tmp_path: Path, stored: str, scale: float) -> None:
    values = noise(stored)
    values[4:9, 10:20] = 77
    path = write(tmp_path / "a.fits", values, BLANK=77, BSCALE=scale)
    ours = whole(open_image(path))
    np.testing.assert_array_equal(np.isnan(ours), values == 77)
    known = values != 77
    np.testing.assert_allclose(ours[known], values[known] * scale, rtol=1e-6)


def test_blank_means_nothing_for_floats(tmp_path: Path) -> None:
    path = write(tmp_path / "a.fits", np.full(SHAPE, 3, "f4"), BLANK=3)
    assert np.isfinite(whole(open_image(path))).all()


@pytest.mark.parametrize("leading", [(1,), (1, 1)])
def test_axes_of_length_one_are_dropped(tmp_path: Path, leading: tuple[int, ...]) -> None:
    values = noise("f4", (*leading, *SHAPE))
    plain = write(tmp_path / "plain.fits", values)
    same(whole(open_image(plain)), values.reshape(SHAPE))
    packed = write_image(tmp_path / "packed.fits", values, compress=True)
    same(whole(open_image(packed)), values.reshape(SHAPE))


@pytest.mark.parametrize("stored", ["u1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("kind", ["RICE_1", "GZIP_1", "GZIP_2", "HCOMPRESS_1"])
@pytest.mark.parametrize("tile", [(16, 16), (1, 53)])
def test_tile_compressed_images(
    tmp_path: Path, stored: str, kind: str, tile: tuple[int, int]
) -> None:
    if kind == "HCOMPRESS_1":
        tile = (16, 16) if tile == (16, 16) else SHAPE  # no side below four pixels
    values = noise(stored)
    if kind in {"RICE_1", "HCOMPRESS_1"} and stored == "i4":
        values //= 2**16  # what these can hold without loss
    path = tmp_path / "a.fits"
    hdu = fits.CompImageHDU(values, compression_type=kind, tile_shape=tile)
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    image = open_image(path)
    assert isinstance(image.pixels, CompressedPixels)
    same(whole(image), fits.getdata(path))
    same(image.cutout(Window(20, 7, 25, 19)), fits.getdata(path)[7:26, 20:45])


def test_compressed_integers_with_scale_and_blank(tmp_path: Path) -> None:
    values = noise("i2")
    values[2, 3] = -32768
    hdu = fits.CompImageHDU(values, tile_shape=(16, 16))
    hdu.header["BLANK"] = -32768
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    with fits.open(path, mode="update", disable_image_compression=True) as hdus:
        hdus[1].header["ZBLANK"] = -32768
        hdus[1].header["BSCALE"] = 0.5
        hdus[1].header["BZERO"] = 10.0
    ours = whole(open_image(path))
    assert np.isnan(ours[2, 3])
    known = values != -32768
    np.testing.assert_allclose(ours[known], values[known] * 0.5 + 10.0, rtol=1e-6)


def at(length: int) -> st.SearchStrategy[slice]:
    """Slices as numpy takes them: open, negative, stepped, backwards, empty, past the end."""
    ends = st.none() | st.integers(-length - 5, length + 5)
    return st.builds(slice, ends, ends, st.sampled_from([None, 1, 2, 3, 7, -1, -4]))


@pytest.fixture(scope="module")
def stored_once(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[SkyImage, NDArray]]:
    """One image of each reader, and its values."""
    folder = tmp_path_factory.mktemp("windows")
    values = noise("f4")
    write(folder / "plain.fits", values)
    write_image(folder / "packed.fits", values, compress=True)
    images = {name: open_image(folder / f"{name}.fits") for name in ("plain", "packed")}
    images["memory"] = SkyImage.from_array(values)
    return {name: (image, values) for name, image in images.items()}


@pytest.mark.parametrize("reader", ["plain", "memory"])
@given(rows=at(SHAPE[0]), columns=at(SHAPE[1]))
def test_any_two_slices_give_what_numpy_gives(
    stored_once: dict[str, tuple[SkyImage, NDArray[Any]]], reader: str, rows: slice, columns: slice
) -> None:
    image, values = stored_once[reader]
    np.testing.assert_array_equal(image.pixels[rows, columns], values[rows, columns])


@pytest.mark.parametrize("reader", ["plain", "packed", "memory"])
@given(
    window=st.builds(
        Window, st.integers(-80, 80), st.integers(-80, 80), st.integers(1, 90), st.integers(1, 90)
    )
)
def test_a_hanging_window_is_filled_with_nan(
    stored_once: dict[str, tuple[SkyImage, NDArray[Any]]], reader: str, window: Window
) -> None:
    image, values = stored_once[reader]
    padded = np.pad(values, 200, constant_values=np.nan)
    expected = padded[window.moved(200, 200).slices]
    cutout = image.cutout(window)
    assert cutout.dtype == np.float32
    assert cutout.flags.c_contiguous
    np.testing.assert_array_equal(cutout, expected)


def test_reads_where_the_system_has_no_positioned_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = noise("i4")
    path = write(tmp_path / "a.fits", values)
    monkeypatch.delattr(os, "preadv", raising=False)
    image = open_image(path)
    same(whole(image), values)
    same(image.cutout(Window(5, 6, 7, 8)), values[6:14, 5:12].astype("f4"))
    os.truncate(path, path.stat().st_size - 2880)
    with pytest.raises(ImageError, match="ends before its image does"):
        whole(image)


# --- choosing the HDU ---------------------------------------------------------------------


@pytest.fixture
def several(tmp_path: Path) -> Path:
    path = tmp_path / "several.fits"
    table = fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1, 2])])
    science = fits.ImageHDU(noise("f4", seed=1), name="SCI")
    error = fits.ImageHDU(noise("f8", seed=2), name="ERR")
    science.header["BUNIT"] = " Jy/beam "
    fits.HDUList([fits.PrimaryHDU(), table, science, error]).writeto(path)
    return path


def test_by_default_the_first_image(several: Path) -> None:
    image = open_image(several)
    assert image.reference is not None
    assert (image.reference.hdu, image.reference.path) == (2, several)
    assert image.unit == "Jy/beam"
    assert image.name == "several"


@pytest.mark.parametrize("hdu", [3, "ERR", "err"])
def test_an_hdu_by_number_or_name(several: Path, hdu: int | str) -> None:
    image = open_image(str(several), hdu)
    same(whole(image), noise("f8", seed=2))
    assert image.name == f"several [{hdu}]"


@pytest.mark.parametrize("hdu", [9, "NOPE"])
def test_an_absent_hdu(several: Path, hdu: int | str) -> None:
    with pytest.raises(ImageError, match=r"several.fits has no HDU .*; `astroseg info several"):
        open_image(several, hdu)


@pytest.mark.parametrize("hdu", [0, 1])
def test_an_hdu_without_an_image(several: Path, hdu: int) -> None:
    with pytest.raises(ImageError, match=r"holds no two-dimensional image; `astroseg info"):
        open_image(several, hdu)


def test_a_relative_path_is_read_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = noise("f4")
    write(tmp_path / "a.fits", values)
    monkeypatch.chdir(tmp_path)
    image = open_image("a.fits")
    monkeypatch.chdir("/")
    same(whole(image), values)


# --- files that hold nothing to show ------------------------------------------------------


def header_of(naxes: tuple[int, ...], bitpix: int = -32) -> bytes:
    """A header that promises data which do not follow."""
    header = fits.Header([("SIMPLE", True), ("BITPIX", bitpix), ("NAXIS", len(naxes))])
    for axis, n in enumerate(naxes, 1):
        header[f"NAXIS{axis}"] = n
    return header.tostring(padding=True).encode("ascii")


def a_table(path: Path) -> None:
    fits.BinTableHDU.from_columns([fits.Column("a", "J", array=[1])]).writeto(path)


def a_truncated_image(path: Path) -> None:
    write(path, noise("f4", (200, 300)))
    os.truncate(path, 2880 + 200 * 300 * 2)


def random_groups(path: Path) -> None:
    fits.GroupsHDU(
        fits.GroupData(np.zeros((3, 4, 4), "f4"), bitpix=-32, parnames=["x"], pardata=[[1, 2, 3]])
    ).writeto(path)


NOTHING_TO_SHOW: list[tuple[str, Callable[[Path], object], str]] = [
    ("empty", lambda p: p.write_bytes(b""), r"is empty \(0 bytes\); fetch it again"),
    ("folder", lambda p: p.mkdir(), "is a folder; name the FITS files inside it"),
    ("absent", lambda p: None, "no such file.*check the name"),
    ("text", lambda p: p.write_text("hello " * 99), "is not a FITS file; open one"),
    ("one byte", lambda p: p.write_bytes(b"S"), "is not a FITS file"),
    (
        "lfs",
        lambda p: p.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\n"),
        "is a Git LFS pointer, not data; run `git lfs pull` first",
    ),
    ("cut in the header", lambda p: p.write_bytes(header_of((4, 4))[:1000]), "fetch it again"),
    ("cut in the data", a_truncated_image, r"promises [\d,]+ bytes .* holds [\d,]+;.*cut short"),
    ("header alone", lambda p: p.write_bytes(header_of((64, 64))), "cut short: fetch it again"),
    ("no data", lambda p: fits.PrimaryHDU().writeto(p), "no two-dimensional image of any size"),
    ("one axis", lambda p: write(p, np.zeros(9)), "holds no two-dimensional image"),
    ("no columns", lambda p: p.write_bytes(header_of((0, 5))), "no two-dimensional image"),
    ("petabytes", lambda p: p.write_bytes(header_of((40_000_000, 30_000_000))), "fetch it again"),
    ("table", a_table, "holds tables but no image; open it in a table viewer"),
    ("groups", random_groups, "no two-dimensional image"),
    ("empty cube", lambda p: p.write_bytes(header_of((0, 5, 5))), "no two-dimensional image"),
    ("bad bitpix", lambda p: p.write_bytes(header_of((4, 4), 17) + bytes(2880)), "map.fits"),
]


@pytest.mark.parametrize(
    ("make", "words"), [case[1:] for case in NOTHING_TO_SHOW], ids=[c[0] for c in NOTHING_TO_SHOW]
)
def test_what_cannot_be_shown_is_refused_in_one_line(
    tmp_path: Path, make: Callable[[Path], object], words: str
) -> None:
    path = tmp_path / "map.fits"
    make(path)
    with pytest.raises(ImageError, match=words) as caught:
        open_image(path)
    sentence = str(caught.value)
    assert "map.fits" in sentence
    assert "\n" not in sentence
    assert ";" in sentence or ":" in sentence  # what is wrong; what to do


def test_a_file_that_may_not_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write(tmp_path / "map.fits", noise("f4"))

    def refuse(*args: object, **kwargs: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ImageError, match=r"map.fits: reading failed \(permission denied\)"):
        open_image(path)


def test_a_scale_that_is_no_number(tmp_path: Path) -> None:
    path = write(tmp_path / "map.fits", noise("i2"), BSCALE="large")
    with pytest.raises(ImageError, match=r"map.fits cannot be read as FITS"):
        open_image(path)


@pytest.mark.parametrize("left", [0, 2880, 2880 + 4 * 53 * 20])
def test_a_file_that_shrinks_while_open(tmp_path: Path, left: int) -> None:
    path = write(tmp_path / "map.fits", noise("f4"))
    image = open_image(path)
    image.cutout(Window(0, 0, 2, 2))
    os.truncate(path, left)
    with pytest.raises(ImageError, match=r"map.fits: the file ends .*; it was cut short"):
        image.cutout(Window(0, 30, 5, 5))


def test_a_compressed_file_that_shrinks_while_open(tmp_path: Path) -> None:
    path = write_image(tmp_path / "map.fits", noise("f4", (600, 600)), compress=True)
    image = open_image(path)
    image.cutout(Window(0, 0, 2, 2))
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(ImageError, match=r"map.fits: the file ends .*; it was cut short .*fetch"):
        image.cutout(Window(500, 500, 50, 50))


def test_a_damaged_tile(tmp_path: Path) -> None:
    path = write_image(tmp_path / "map.fits", noise("f4", (300, 300)), compress=True)
    blocks = bytearray(path.read_bytes())
    blocks[-60_000:-2880] = os.urandom(1) * (60_000 - 2880)
    path.write_bytes(blocks)
    with pytest.raises(ImageError, match="a compressed tile cannot be unpacked"):
        whole(open_image(path))


# --- sky coordinates ----------------------------------------------------------------------

TAN = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 20.5, "CRPIX2": 11.25,
    "CRVAL1": 266.41683333333336, "CRVAL2": -29.00781, "CDELT1": -0.0031944444444444446,
    "CDELT2": 0.0031944444444444446, "CUNIT1": "deg", "CUNIT2": "deg",
}  # fmt: skip
CARDS: dict[str, dict[str, Any]] = {
    "cdelt": TAN,
    "crota": TAN | {"CROTA2": 33.3, "EQUINOX": 2000.0},
    "pc": TAN | {"PC1_1": 0.8, "PC1_2": -0.6, "PC2_1": 0.6, "PC2_2": 0.8},
    "old pc": TAN | {"PC001001": 0.8, "PC001002": -0.6, "PC002001": 0.6, "PC002002": 0.8},
    "cd": {k: v for k, v in TAN.items() if not k.startswith("CDELT")}
    | {"CD1_1": -2.5e-3, "CD1_2": 1.1111111111111111e-4, "CD2_1": 1e-4, "CD2_2": 2.4e-3},
    "galactic": TAN | {"CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR", "CRVAL2": 0.0},
    "third axis": TAN | {"WCSAXES": 3, "CTYPE3": "FREQ", "CRVAL3": 1e9, "CDELT3": 1e6},
    "fk4": TAN | {"RADESYS": "FK4", "EQUINOX": 1950.0},
    "latitude first": TAN
    | {"CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": -29.0, "CRVAL2": 266.4},
    "sip": TAN
    | {
        "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 2, "B_ORDER": 2,
        "A_2_0": 1.234567890123e-4, "A_1_1": -3.3e-5, "B_0_2": 2.2222222e-4, "B_1_1": 1e-5,
        "AP_ORDER": 1, "BP_ORDER": 1, "AP_1_0": -1e-6, "BP_0_1": -2e-6,
    },
    "tpv": TAN
    | {"CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_0": 1e-4, "PV1_1": 1.01, "PV2_1": 0.99},
    "zpn": TAN
    | {"CTYPE1": "RA---ZPN", "CTYPE2": "DEC--ZPN", "PV2_1": 1.0, "PV2_3": 42.0, "LONPOLE": 170.0},
}  # fmt: skip
each_sky = pytest.mark.parametrize("cards", CARDS.values(), ids=CARDS)


def positions(header: fits.Header, x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return np.array(WCS(header, naxis=[1, 2]).all_pix2world(x, y, 0))


@each_sky
def test_a_window_keeps_its_place_on_the_sky(tmp_path: Path, cards: dict[str, Any]) -> None:
    path = write(tmp_path / "a.fits", noise("f4"), **cards)
    image = open_image(path)
    assert image.notes == ()
    window = Window(7, 9, 20, 21)
    moved = window_cards(image.header, window)
    cut = write_image(tmp_path / "cut.fits", image.cutout(window), moved)
    y, x = np.mgrid[0:21:4, 0:20:4]
    expected = positions(fits.getheader(path), x + window.x, y + window.y)
    np.testing.assert_allclose(positions(fits.getheader(cut), x, y), expected, rtol=0, atol=1e-9)
    again = open_image(cut)
    here, there = again.sky(x, y), image.sky(x + window.x, y + window.y)
    assert here.frame.name == there.frame.name
    assert here.separation(there).deg.max() < 1e-9


@each_sky
def test_sky_cards_are_copied_as_they_are(tmp_path: Path, cards: dict[str, Any]) -> None:
    path = write(tmp_path / "a.fits", noise("f4"), OBJECT="M 8", **cards)
    header, copied = fits.getheader(path), open_image(path).header
    wanted = [k for k in cards if not k.endswith("3") and k != "WCSAXES"]
    assert {k: copied[k] for k in wanted} == {k: header[k] for k in wanted}
    assert "OBJECT" not in copied
    assert copied.get("WCSAXES", 2) == 2


def test_a_window_of_a_schmidt_plate_moves_its_corner_on_the_plate() -> None:
    plate = fits.Header({"CRPIX1": 5.0, "CRPIX2": 6.0, "CNPIX1": 1000, "CNPIX2": 2000})
    moved = window_cards(plate, Window(7, 9, 20, 21))
    assert dict(moved) == {"CRPIX1": -2.0, "CRPIX2": -3.0, "CNPIX1": 1007, "CNPIX2": 2009}


def test_an_image_without_coordinates_says_so(tmp_path: Path) -> None:
    image = open_image(write(tmp_path / "a.fits", noise("f4")))
    assert image.wcs is None
    assert image.notes == ("no sky coordinates in its header; positions are in pixels",)
    assert len(image.header) == 0
    assert len(window_cards(image.header, Window(3, 4, 5, 6))) == 0


@pytest.mark.parametrize(
    "cards",
    [
        {"CTYPE1": "WAVE", "CTYPE2": "LINEAR"},
        TAN | {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"},  # the Sun's disk
        TAN | {"CTYPE1": "ELON-TAN", "CTYPE2": "ELAT-TAN"},  # astropy would call it ICRS
        TAN | {"RADESYS": "GAPPT"},
        {"CTYPE1": "RA---TAN", "CTYPE2": "GLAT-TAN"},
        TAN | {"CD1_1": 0.0, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.0},
        TAN | {"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"},
        # an orthographic sky of which none of these pixels is part
        TAN | {"CTYPE1": "RA---SIN", "CTYPE2": "DEC--SIN", "CRPIX1": 1e6, "CRPIX2": 1e6},
    ],
)
def test_useless_coordinates_become_a_note(tmp_path: Path, cards: dict[str, Any]) -> None:
    image = open_image(write(tmp_path / "a.fits", noise("f4"), **cards))
    assert image.wcs is None
    assert len(image.header) == 0
    (note,) = image.notes
    assert note.startswith("no usable sky coordinates: ")
    assert note.endswith("; positions are in pixels")
    assert "\n" not in note


def test_an_all_sky_map_with_an_empty_middle_keeps_its_sky(tmp_path: Path) -> None:
    """The middle of the array may lie off the sky while other parts do not."""
    cards = TAN | {
        "CTYPE1": "GLON-SIN", "CTYPE2": "GLAT-SIN", "CDELT1": -3.0, "CDELT2": 3.0,
        "CRPIX1": -10.0, "CRPIX2": 19.0,
    }  # fmt: skip
    image = open_image(write(tmp_path / "a.fits", noise("f4"), **cards))
    assert image.wcs is not None
    assert not np.isfinite(image.sky(SHAPE[1] / 2, SHAPE[0] / 2).spherical.lon.deg)


# --- writing ------------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize("stored", ["u1", "i2", "i4", "f4", "f8"])
@pytest.mark.parametrize("planes", [(), (3,)])
def test_what_is_written_is_read_back(
    tmp_path: Path, stored: str, compress: bool, planes: tuple[int, ...]
) -> None:
    values = noise(stored, (*planes, *SHAPE))
    header = fits.Header(TAN)
    path = write_image(
        tmp_path / "out" / "a.fits", values, header, "cm-2", {"MODEL": "small"}, compress
    )
    with fits.open(path) as hdus:
        hdu = hdus[1] if compress else hdus[0]
        np.testing.assert_array_equal(hdu.data, values)
        assert hdu.header["BUNIT"] == "cm-2"
        assert hdu.header["MODEL"] == "small"
        assert hdu.header["CRVAL1"] == TAN["CRVAL1"]
    assert [p.name for p in path.parent.iterdir()] == ["a.fits"]


def test_a_gz_name_packs_the_whole_file(tmp_path: Path) -> None:
    path = write_image(tmp_path / "a.fits.gz", noise("f4"))
    assert path.read_bytes()[:2] == b"\x1f\x8b"
    np.testing.assert_array_equal(fits.getdata(path), noise("f4"))


def test_it_is_written_with_the_users_own_permissions(tmp_path: Path) -> None:
    ordinary = tmp_path / "ordinary"
    ordinary.touch()
    path = write_image(tmp_path / "a.fits", noise("f4"))
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_a_full_disk_leaves_the_old_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_image(tmp_path / "a.fits", noise("f4", seed=1))
    before = path.read_bytes()

    def fill_up(self: fits.HDUList, file: Any, *args: object, **kwargs: object) -> None:
        file.write(b"SIMPLE")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fits.HDUList, "writeto", fill_up)
    with pytest.raises(OutputError, match=r"a.fits cannot be written \(no space left .*free some"):
        write_image(path, noise("f4", seed=2))
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.fits"]


def test_an_interruption_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(KeyboardInterrupt), replacing(path) as temporary:
        temporary.write_text("half of the n")
        raise KeyboardInterrupt
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_place_that_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"a.fits cannot be written .*choose another folder"):
        write_image(tmp_path / "file" / "a.fits", noise("f4"))


# --- travelling ---------------------------------------------------------------------------


@pytest.mark.parametrize("compress", [False, True])
def test_an_image_and_its_pixels_travel_to_another_process(tmp_path: Path, compress: bool) -> None:
    values = noise("f4", (1, *SHAPE))
    path = write_image(tmp_path / "a.fits", values, fits.Header(TAN), "Jy", compress=compress)
    image = open_image(path)
    image.cutout(Window(0, 0, 2, 2))  # a file is open now, and stays behind
    letter = pickle.dumps(image)
    assert len(letter) < 1000
    again = pickle.loads(letter)
    assert (again.name, again.unit, again.reference) == (image.name, "Jy", image.reference)
    same(whole(again), values[0])
    same(pickle.loads(pickle.dumps(image.pixels))[slice(None), slice(None)], values[0])
    assert again.sky(3, 4).separation(image.sky(3, 4)).deg < 1e-12


# --- real files ---------------------------------------------------------------------------


def test_every_real_file_opens_as_astropy_opens_it_or_says_why_not(shared_data: Path) -> None:
    opened, refused = [], []
    for path in sorted(
        file for folder in ("odd", "bad", "filaments") for file in (shared_data / folder).iterdir()
    ):
        try:
            image = open_image(path)
        except ImageError as error:
            sentence = str(error)
            assert path.name in sentence
            assert "\n" not in sentence
            refused.append(path.name)
            continue
        if isinstance(image.pixels, HealpixPixels):
            continue  # tests/sky/test_healpix.py compares those
        assert image.reference is not None
        ours = image.cutout(Window.whole(image.shape))
        theirs = fits.getdata(path, image.reference.hdu)
        np.testing.assert_allclose(
            ours, theirs.reshape(ours.shape).astype(np.float32), rtol=1e-6, err_msg=path.name
        )
        assert (image.wcs is None) == any("sky coordinates" in note for note in image.notes)
        if image.wcs is not None:
            assert image.pixel_scale_arcsec is not None
            y, x = np.mgrid[0 : image.shape[0] : 9j, 0 : image.shape[1] : 9j]
            header = fits.getheader(path, image.reference.hdu)
            header.pop("CTYPE3", None)  # -TAB would want the whole file
            theirs = positions(header, x, y)
            moved = window_cards(image.header, Window(-30, 40, 10, 10))
            ours = positions(moved, x + 30, y - 40)
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-9, err_msg=path.name)
        opened.append(path.name)
    assert "HIGAL_L_Fil10_N.fits" in opened
    assert "carta__empty2.fits" in refused
    assert len(opened) > len(refused) > 5


def test_wcs_cards_without_a_sky_are_none() -> None:
    assert len(wcs_cards(fits.Header(TAN), None)) == 0
