"""What is in a file: pictures and stacks whatever the order of their axes, and their labels."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import Address
from napari_astroseg.sky.files.contents import Contents, contents
from napari_astroseg.sky.files.opened import opened
from napari_astroseg.sky.info import describe
from napari_astroseg.sky.opening import open_image, pictures

SKY = {"CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 4.0, "CRPIX2": 3.0, "CRVAL1": 83.6,
       "CRVAL2": -5.4, "CDELT1": -0.001, "CDELT2": 0.0011}  # fmt: skip
VELOCITY = {"CTYPE3": "VRAD", "CRVAL3": 12300.0, "CDELT3": 500.0, "CRPIX3": 1.0, "CUNIT3": "m/s"}


def held(path: Path) -> Contents:
    with opened(Address.of(path)) as file:
        return contents(file)


def written(
    path: Path, values: NDArray[Any], cards: dict[str, Any] | None = None, compress: bool = False
) -> Path:
    kind = fits.CompImageHDU if compress else fits.ImageHDU
    hdu = kind(values)
    hdu.header.update(cards or {})
    fits.HDUList([fits.PrimaryHDU(), hdu]).writeto(path)
    return path


def numbers(shape: tuple[int, ...], dtype: str = "f4") -> NDArray[Any]:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def shuffled(cards: dict[str, Any], axes: dict[str, str]) -> dict[str, Any]:
    """The same cards with their axes numbered otherwise."""
    return {key[:-1] + axes.get(key[-1], key[-1]): value for key, value in cards.items()}


# --- which axes are the picture -----------------------------------------------------------


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(
    ("shape", "kind", "seen"),
    [
        ((6, 7), "image", (6, 7)),
        ((1, 1, 6, 7), "image", (6, 7)),
        ((6, 7, 1), "image", (6, 7)),
        ((6, 1, 7), "image", (6, 7)),
        ((1, 20, 6, 7), "cube", (20, 6, 7)),
        ((20, 1, 6, 7), "cube", (20, 6, 7)),
        ((20, 6, 1, 7), "cube", (20, 6, 7)),
        ((20, 6, 7, 1), "cube", (20, 6, 7)),
        ((5, 6, 7), "multiband", (5, 6, 7)),
        ((2, 3, 6, 7), "cube", (6, 6, 7)),
        ((1, 7), "image", (1, 7)),
    ],
)
def test_axes_of_length_one_are_dropped_wherever_they_are(
    tmp_path: Path, shape: tuple[int, ...], kind: str, seen: tuple[int, ...], compress: bool
) -> None:
    values = numbers(shape)
    path = written(tmp_path / "a.fits", values, compress=compress)
    (entry,) = pictures(path)
    assert (entry.kind, entry.role, entry.hdu) == (kind, "science", 1)
    image = open_image(path)
    np.testing.assert_array_equal(image.data.compute(), values.reshape(seen))
    assert (image.planes is None) == (kind == "image")


def test_a_spectrum_at_one_place_is_a_cube_of_single_pixels(tmp_path: Path) -> None:
    values = numbers((30, 1, 1))
    image = open_image(written(tmp_path / "a.fits", values, SKY | VELOCITY))
    assert (image.count, image.shape, image.frame) == (30, (1, 1), "icrs")
    np.testing.assert_array_equal(image.data.compute(), values)


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(
    ("order", "axes"),
    [
        ((1, 2, 0), {"1": "2", "2": "3", "3": "1"}),  # velocity fastest
        ((1, 0, 2), {"2": "3", "3": "2"}),  # velocity between the axes of the sky
        ((0, 1, 2), {}),
    ],
)
def test_the_axes_of_the_sky_are_the_picture_wherever_they_are(
    tmp_path: Path, order: tuple[int, ...], axes: dict[str, str], compress: bool
) -> None:
    cube = numbers((20, 6, 7))
    path = written(
        tmp_path / "a.fits", cube.transpose(order), shuffled(SKY | VELOCITY, axes), compress
    )
    image = open_image(path)
    assert (image.count, image.shape) == (20, (6, 7))
    assert image.axis is not None and image.axis.labels[1] == "12.80 km/s"
    for plane in (0, 7, 19):
        source = image.plane(plane).pixels
        np.testing.assert_array_equal(source[slice(None), slice(None)], cube[plane])
        np.testing.assert_array_equal(source[1:6:2, 5:0:-2], cube[plane][1:6:2, 5:0:-2])
        assert source[2:2, :].shape == (0, 7)
    there = image.sky([0, 5], [1, 4])
    theirs = WCS(fits.Header(SKY)).pixel_to_world([0, 5], [1, 4])
    assert there.separation(theirs).arcsec.max() < 1e-6
    assert image.header["CRVAL1"] == 83.6 and image.header["CTYPE2"] == "DEC--TAN"


def test_a_position_velocity_picture_is_a_picture_without_sky(tmp_path: Path) -> None:
    values = numbers((1, 25, 30))
    cards = {"CTYPE1": "GLON-CAR", "CTYPE2": "VRAD", "CTYPE3": "GLAT-CAR", "CDELT1": -0.1}
    image = open_image(written(tmp_path / "pv.fits", values, cards))
    np.testing.assert_array_equal(image.data.compute(), values[0])
    assert image.wcs is None and "no usable sky coordinates" in image.notes[0]


def test_scaled_integers_keep_their_scale_when_the_axes_lie_otherwise(tmp_path: Path) -> None:
    stored = numbers((6, 7, 20), "i2")
    path = tmp_path / "a.fits"
    cards = shuffled(SKY | VELOCITY, {"1": "2", "2": "3", "3": "1"})
    fits.PrimaryHDU(stored, fits.Header(cards)).writeto(path)
    raw = bytearray(path.read_bytes())
    with fits.open(path) as hdus:
        header, start = hdus[0].header, hdus[0].fileinfo()["datLoc"]
    header.update(BSCALE=0.5, BZERO=3.0, BLANK=11)
    path.write_bytes(header.tostring(padding=True).encode("ascii") + bytes(raw[start:]))
    expected = np.where(stored == 11, np.nan, stored * 0.5 + 3.0).transpose(2, 0, 1)
    np.testing.assert_array_equal(open_image(path).data.compute(), expected)


def test_a_plane_of_a_stack_that_was_cut_short_is_refused(tmp_path: Path) -> None:
    path = written(tmp_path / "a.fits", numbers((20, 60, 70)))
    with path.open("r+b") as file:
        file.truncate(200_000)
    with pytest.raises(ImageError, match=r"a.fits.* cut short: fetch it again"):
        open_image(path)


# --- colours and bands --------------------------------------------------------------------


@pytest.mark.parametrize("compress", [False, True])
@pytest.mark.parametrize(("colours", "names"), [(3, "RGB"), (4, "RGBA")])
@pytest.mark.parametrize("fastest", [False, True])
def test_a_colour_picture_is_three_bands(
    tmp_path: Path, colours: int, names: str, fastest: bool, compress: bool
) -> None:
    planes = np.random.default_rng(1).integers(0, 256, (colours, 9, 8), dtype=np.uint8)
    stored = planes.transpose(1, 2, 0) if fastest else planes
    path = written(tmp_path / "rgb.fits", stored, SKY, compress)
    assert [entry.kind for entry in pictures(path)] == ["rgb"]
    assert held(path).kind == "multiband"
    image = open_image(path)
    assert "".join(image.bands) == names
    np.testing.assert_array_equal(image.data.compute(), planes)
    theirs = WCS(fits.Header(SKY)).pixel_to_world(2, 3)
    assert image.sky(2, 3).separation(theirs).arcsec < 1e-6


def test_three_planes_of_velocity_are_no_colours(tmp_path: Path) -> None:
    path = written(tmp_path / "a.fits", numbers((3, 9, 8), "u1"), SKY | VELOCITY)
    assert held(path).kind == "cube"


@pytest.mark.parametrize(
    ("cards", "names"),
    [
        ({}, ("1", "2", "3")),
        ({"FILTER1": "g", "FILTER2": "r", "FILTER3": "i"}, ("g", "r", "i")),
        ({"FILTER0": "g", "FILTER1": "r", "FILTER2": "i"}, ("g", "r", "i")),
        ({"BAND01": "J", "BAND02": "H", "BAND03": "K"}, ("J", "H", "K")),
        ({"BANDS": "u,g,r", "CTYPE3": "BAND"}, ("u", "g", "r")),
        ({"FILTERS": "F435W F606W F814W"}, ("F435W", "F606W", "F814W")),
        ({"FILTER1": "CLEAR1L", "FILTER2": "F814W"}, ("1", "2", "3")),
    ],
)
def test_bands_are_named_as_the_header_names_them(
    tmp_path: Path, cards: dict[str, str], names: tuple[str, ...]
) -> None:
    path = written(tmp_path / "a.fits", numbers((3, 9, 8)), SKY | cards)
    image = open_image(path)
    assert image.bands == names
    assert image.plane(1).bands == (names[1],)
    assert image.plane(1).name == f"a [{names[1]}]"


def test_many_unnamed_planes_are_a_cube(tmp_path: Path) -> None:
    assert held(written(tmp_path / "a.fits", numbers((16, 5, 5)))).kind == "multiband"
    assert held(written(tmp_path / "b.fits", numbers((17, 5, 5)))).kind == "cube"
    assert open_image(tmp_path / "b.fits").bands == ("",)


# --- labels -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("cards", "first", "second"),
    [
        (VELOCITY, "12.30 km/s", "12.80 km/s"),
        (VELOCITY | {"CUNIT3": "km/s", "CRVAL3": 12.3, "CDELT3": 1.0}, "12.3 km/s", "13.3 km/s"),
        (VELOCITY | {"CUNIT3": "", "CTYPE3": "VELO-LSR"}, "12.30 km/s", "12.80 km/s"),
        ({"CTYPE3": "FREQ", "CRVAL3": 1.42e9, "CDELT3": 1e6}, "1.4200 GHz", "1.4210 GHz"),
        ({"CTYPE3": "FREQ", "CRVAL3": 8.1e7, "CDELT3": -1e5, "CUNIT3": "Hz"}, "81.00 MHz",
         "80.90 MHz"),
        ({"CTYPE3": "WAVE", "CRVAL3": 2.2e-6, "CDELT3": 1e-8, "CUNIT3": "m"}, "2.200 µm",
         "2.210 µm"),
        ({"CTYPE3": "AWAV", "CRVAL3": 4750.0, "CD3_3": 1.25, "CUNIT3": "Angstrom"},
         "4750.0 Angstrom", "4751.2 Angstrom"),
        ({"CTYPE3": "TIME", "CRVAL3": 0.0, "CDELT3": 30.0, "CUNIT3": "s"}, "0 s", "30 s"),
        ({"CTYPE3": "STOKES", "CRVAL3": 1.0, "CDELT3": 1.0}, "I", "Q"),
        ({"CTYPE3": "STOKES", "CRVAL3": -5.0, "CDELT3": -1.0}, "XX", "YY"),
        ({"CTYPE3": "VRAD", "CRVAL3": 1.0, "CDELT3": 0.0}, "1", "2"),
        ({"CTYPE3": "VRAD", "CRVAL3": "here"}, "1", "2"),
        ({"CTYPE3": "WAVE-LOG", "CRVAL3": 1e-6, "CDELT3": 1e-7, "CUNIT3": "m"}, "1.00 µm",
         "1.11 µm"),
    ],
)  # fmt: skip
def test_planes_are_called_by_their_place_on_the_third_axis(
    tmp_path: Path, cards: dict[str, Any], first: str, second: str
) -> None:
    cards = {"CRPIX3": 1.0} | cards
    image = open_image(written(tmp_path / "a.fits", numbers((4, 5, 6)), SKY | cards))
    assert image.axis is not None
    assert (image.axis.kind, tuple(image.axis.labels)[:2]) == ("plane", (first, second))
    assert image.plane(1).name == f"a [{second}]"
    assert image.plane(1).bands == ("",)


def test_two_stacked_axes_give_joint_labels(tmp_path: Path) -> None:
    cards = SKY | VELOCITY | {"CTYPE4": "STOKES", "CRVAL4": 1.0, "CDELT4": 1.0, "CRPIX4": 1.0}
    values = numbers((2, 3, 5, 6))
    image = open_image(written(tmp_path / "a.fits", values, cards))
    assert image.axis is not None
    assert list(image.axis.labels) == [
        f"{stokes}, {v} km/s" for stokes in "IQ" for v in ("12.30", "12.80", "13.30")
    ]
    np.testing.assert_array_equal(image.plane(4).data.compute(), values[1, 1])


def test_labels_cost_nothing_until_they_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    header = fits.Header(
        [("SIMPLE", True), ("BITPIX", 8), ("NAXIS", 3), ("NAXIS1", 1), ("NAXIS2", 1)]
    )
    header["NAXIS3"] = 50_000_000
    header.update(VELOCITY)
    with path.open("wb") as file:
        file.write(header.tostring(padding=True).encode("ascii"))
        file.truncate(file.tell() + 2880 * (50_000_000 // 2880 + 1))
    image = open_image(path)
    assert image.axis is not None
    assert image.axis.labels[49_999_999] == "25000011.80 km/s"
    with pytest.raises(ImageError, match="no plane 50000000"):
        image.plane(50_000_000)


# --- files --------------------------------------------------------------------------------


def galaxy_zoo(path: Path, maps: int = 4) -> Path:
    rng = np.random.default_rng(2)
    picture = rng.integers(0, 256, (21, 22, 3), dtype=np.uint8)
    counts = [fits.ImageHDU(np.full((21, 22), n, float)) for n in range(maps)]
    columns = [fits.Column("classification_id", "J", array=[1]), fits.Column("x", "J", array=[1])]
    tables = [fits.BinTableHDU.from_columns(columns) for _ in range(3)]
    fits.HDUList([fits.PrimaryHDU(picture), *counts, *tables]).writeto(path)
    return path


def test_votes_are_told_and_named(tmp_path: Path) -> None:
    path = galaxy_zoo(tmp_path / "gz.fits")
    found = held(path)
    assert found.kind == "votes"
    assert [entry.name for entry in found.entries] == ["", "center", "star", "spiral", "bar"]
    assert [(table.hdu, table.rows, table.columns) for table in found.tables] == [
        (hdu, 1, ("classification_id", "x")) for hdu in (5, 6, 7)
    ]
    assert open_image(path).bands == ("R", "G", "B")
    assert open_image(f"{path}[spiral]").value(0, 0) == 2.0
    assert held(galaxy_zoo(tmp_path / "few.fits", maps=3)).kind == "multiband"


def test_the_real_votes(shared_data: Path) -> None:
    (path,) = (shared_data / "gz3d").glob("*.fits.gz")
    assert held(path).kind == "votes"
    image = open_image(path)
    theirs, centre = fits.getdata(path, 0), fits.getdata(path, 1)
    np.testing.assert_array_equal(image.data.compute(), theirs.transpose(2, 0, 1))
    np.testing.assert_array_equal(open_image(path, "center").data.compute(), centre)
    expected = WCS(fits.getheader(path, 1)).pixel_to_world(100, 400)
    assert image.sky(100, 400).separation(expected).arcsec < 1e-6


def fields(path: Path, names: list[str], shift: float = 0.0, **cards: Any) -> Path:
    hdus: list[Any] = [fits.PrimaryHDU()]
    for number, name in enumerate(names):
        hdu = fits.ImageHDU(np.full((8, 9), number, np.float32), fits.Header(SKY | cards))
        if name.startswith("FILTER="):
            hdu.header["FILTER"] = name.removeprefix("FILTER=")
        else:
            hdu.header["EXTNAME"] = name
        hdu.header["CRVAL1"] += number * shift
        hdus.append(hdu)
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.mark.parametrize(
    ("names", "bands"),
    [
        (["g", "r", "i"], ("g", "r", "i")),
        (["FILTER=F606W", "FILTER=F814W"], ("F606W", "F814W")),
        (["r", "R"], ("r", "R")),
    ],
)
def test_bands_in_hdus_of_their_own_open_as_one(
    tmp_path: Path, names: list[str], bands: tuple[str, ...]
) -> None:
    path = fields(tmp_path / "bands.fits", names)
    assert held(path).kind == "multiband"
    image = open_image(path)
    assert image.bands == bands
    assert [image.plane(n).value(1, 1) for n in range(image.count)] == [*range(len(bands))]
    last = open_image(path, names[-1]) if "=" not in names[-1] else open_image(path, len(names))
    assert last.count == 1 and last.value(0, 0) == len(names) - 1


@pytest.mark.parametrize(
    ("names", "shift"),
    [(["g", "r"], 0.1), (["left", "right"], 0.0), (["g", "notes"], 0.0), (["g", "g"], 0.0)],
)
def test_images_that_are_not_bands_of_one_field_stay_apart(
    tmp_path: Path, names: list[str], shift: float
) -> None:
    path = fields(tmp_path / "apart.fits", names, shift)
    assert held(path).kind == "image"
    assert open_image(path).count == 1


def test_cards_that_cannot_be_read_cost_what_they_say_only(tmp_path: Path) -> None:
    path = written(tmp_path / "a.fits", numbers((3, 9, 8)), SKY | {"BUNIT": "Jy", "FILTER1": "g"})
    raw = path.read_bytes()
    raw = raw.replace(b"BUNIT   = 'Jy      '", b"BUNIT   = Jy / beam ")
    path.write_bytes(raw.replace(b"FILTER1 = 'g       '", b"FILTER1 = g / r     "))
    image = open_image(path)
    assert (image.unit, image.bands) == ("", ("1", "2", "3"))
    assert image.wcs is not None


@pytest.mark.parametrize(
    ("card", "hides"),
    [
        ("ZBITPIX =                   19", False),
        ("ZNAXIS  = 'many    '          ", True),
        ("ZNAXIS1 =   T", True),
    ],
)
def test_a_broken_image_among_others(tmp_path: Path, card: str, hides: bool) -> None:
    extensions = [fits.CompImageHDU(numbers((9, 8)) + n, name=f"N{n}") for n in range(3)]
    path = tmp_path / "a.fits"
    fits.HDUList([fits.PrimaryHDU(), *extensions]).writeto(path)
    raw = path.read_bytes()
    header = raw.index(b"XTENSION", raw.index(b"XTENSION") + 8)
    at = raw.index(card[:9].encode(), header)
    path.write_bytes(raw[:at] + card.encode() + raw[at + len(card) :])
    np.testing.assert_array_equal(open_image(path).data.compute(), numbers((9, 8)))
    with pytest.raises(ImageError, match=r"a\.fits.*;"):
        open_image(path, 2).data.compute()
    told = describe(path)
    if hides:  # nobody can tell where it ends
        assert [image["hdu"] for image in told["images"]] == [1]
        assert any("from HDU 2 on it cannot be read: a.fits" in note for note in told["notes"])
        return
    assert [image["hdu"] for image in told["images"]] == [1, 3]
    assert any("cannot be read as FITS in HDU 2" in note for note in told["notes"])
    np.testing.assert_array_equal(open_image(path, "N2").data.compute(), numbers((9, 8)) + 2)


def test_a_damaged_extension_is_told(tmp_path: Path) -> None:
    path = fields(tmp_path / "a.fits", ["left", "right"])
    raw = path.read_bytes()
    at = raw.rindex(b"XTENSION= 'IMAGE")
    path.write_bytes(raw[:at] + b"XTENSION= 'IMAGE\xff\x00" + raw[at + 18 :])
    assert open_image(path).notes == ("from HDU 2 on it cannot be read: fetch the file again",)


def test_what_precedes_a_broken_hdu_opens(tmp_path: Path) -> None:
    path = fields(tmp_path / "a.fits", ["left", "right"])
    blocks = bytearray(path.read_bytes())
    at = blocks.rindex(b"END" + b" " * 77)
    blocks[at : at + 3] = b"XXX"
    path.write_bytes(blocks)
    image = open_image(path)
    assert image.value(0, 0) == 0.0
    assert "HDU 2 cannot be read" in image.notes[0]
    with pytest.raises(ImageError, match="no HDU 'right'"):
        open_image(path, "right")


def test_an_hdu_by_its_number_needs_no_other_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "many.fits"
    hdus = [fits.ImageHDU(np.ones((4, 4), "f4"), name=n) for n in ("SCI", "ERR", *["X"] * 400)]
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(path)
    with opened(Address.of(path)) as file:
        assert len(contents(file, 1).entries) == 257
        assert len(contents(file).entries) == 402
    image = open_image(path, 1)
    assert image.uncertainty is not None
    assert "its uncertainty and mask were looked for up to HDU 257 of its file" in image.notes
    assert open_image(path, 300).notes == open_image(path, "SCI").notes
