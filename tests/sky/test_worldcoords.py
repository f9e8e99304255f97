"""World coordinates: every projection, its distortions, and what to say where there are none."""

from __future__ import annotations

import re
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.io import fits
from astropy.wcs import PRJ_CODES, WCS, DistortionLookupTable, FITSFixedWarning
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.coords.worldcoords import read_wcs, wcs_cards, window_cards
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.window import Window

SHAPE = (60, 90)
TAN: dict[str, Any] = {
    "CTYPE1": "RA---TAN", "CTYPE2": "DEC--TAN", "CRPIX1": 45.5, "CRPIX2": 30.25,
    "CRVAL1": 266.41683333333336, "CRVAL2": -29.00781, "CDELT1": -0.0031944444444444446,
    "CDELT2": 0.0031944444444444446, "CUNIT1": "deg", "CUNIT2": "deg",
}  # fmt: skip

CD = {k: v for k, v in TAN.items() if not k.startswith("CDELT")} | {
    "CD1_1": -2.5e-3, "CD1_2": 1e-4, "CD2_1": 1e-4, "CD2_2": 2.4e-3,
}  # fmt: skip


def of(code: str, **cards: Any) -> dict[str, Any]:
    """Coordinates in another projection, of pixels large enough to show it."""
    return TAN | {
        "CTYPE1": f"RA---{code}", "CTYPE2": f"DEC--{code}", "CRVAL1": 30.0, "CRVAL2": 0.0,
        "CDELT1": -0.2, "CDELT2": 0.2,
    } | cards  # fmt: skip


PROJECTIONS: dict[str, dict[str, Any]] = {
    "AZP": of("AZP", CRVAL2=40.0, PV2_1=2.0, PV2_2=30.0),
    "SZP": of("SZP", CRVAL2=40.0, PV2_1=2.0, PV2_2=170.0, PV2_3=60.0),
    "TAN": of("TAN", CRVAL2=40.0),
    "STG": of("STG", CRVAL2=40.0),
    "SIN": of("SIN", CRVAL2=40.0, PV2_1=0.1, PV2_2=-0.2),
    "ARC": of("ARC", CRVAL2=-70.0),
    "ZPN": of("ZPN", CRVAL2=40.0, PV2_0=0.0, PV2_1=1.0, PV2_2=0.0, PV2_3=-0.1),
    "ZEA": of("ZEA", CRVAL2=90.0),
    "AIR": of("AIR", CRVAL2=40.0, PV2_1=45.0),
    "CYP": of("CYP", PV2_1=1.0, PV2_2=0.707),
    "CEA": of("CEA", PV2_1=0.8),
    "CAR": of("CAR"),
    "MER": of("MER"),
    "SFL": of("SFL"),
    "PAR": of("PAR"),
    "MOL": of("MOL"),
    "AIT": of("AIT"),
    "COP": of("COP", CRVAL2=45.0, PV2_1=45.0, PV2_2=25.0),
    "COE": of("COE", CRVAL2=45.0, PV2_1=45.0, PV2_2=25.0),
    "COD": of("COD", CRVAL2=45.0, PV2_1=45.0, PV2_2=25.0),
    "COO": of("COO", CRVAL2=45.0, PV2_1=45.0, PV2_2=25.0),
    "BON": of("BON", PV2_1=45.0),
    "PCO": of("PCO"),
    "TSC": of("TSC"),
    "CSC": of("CSC"),
    "QSC": of("QSC"),
    "HPX": of("HPX", PV2_1=4.0, PV2_2=3.0),
    "XPH": of("XPH", CRVAL2=90.0, CRVAL1=0.0),
}


def wat(projection: str, *surfaces: str) -> dict[str, str]:
    """IRAF's way: a long string for each axis, cut every 68 letters, wherever that is."""
    cards = {"CTYPE1": f"RA---{projection}", "CTYPE2": f"DEC--{projection}"}
    for axis, surface in enumerate(surfaces, 1):
        for n, at in enumerate(range(0, len(surface), 68), 1):
            cards[f"WAT{axis}_{n:03}"] = surface[at : at + 68]
    return {"WAT0_001": "system=image"} | cards


SURFACE = "3. 3. 3. 2. -0.5 0.5 -0.5 0.5 1.0E-4 2.0E-3 1.0E-3 3.0E-3 -4.0E-3 5.0E-3"
TNX = wat(
    "TNX",
    f'wtype=tnx axtype=ra lngcor = "{SURFACE} "',
    f'wtype=tnx axtype=dec      latcor = "{SURFACE} "',  # cut between two numbers
)
ZPX = wat(
    "ZPX",
    f'wtype=zpx axtype=ra projp0=0. projp1=1. projp2=0. projp3=100. lngcor = "{SURFACE} "',
    f'wtype=zpx axtype=dec projp0=0. projp1=1. projp2=0. projp3=100. latcor = "{SURFACE} "',
)
CARDS: dict[str, dict[str, Any]] = PROJECTIONS | {
    "sip": TAN | {
        "CTYPE1": "RA---TAN-SIP", "CTYPE2": "DEC--TAN-SIP", "A_ORDER": 3, "B_ORDER": 3,
        "A_2_0": 1e-4, "A_1_1": -3e-5, "A_0_3": 1e-6, "B_0_2": 2e-4, "B_3_0": 1e-7,
    },
    "tpv": CD | {
        "CTYPE1": "RA---TPV", "CTYPE2": "DEC--TPV", "PV1_0": 1e-4, "PV1_1": 1.01, "PV1_5": 0.02,
        "PV2_1": 0.99, "PV2_7": -0.03,
    },
    "scamp": CD | {"PV1_0": 1e-4, "PV1_1": 1.01, "PV1_5": 0.02, "PV2_1": 0.99, "PV2_7": -0.03},
    "tnx": TAN | TNX,
    "zpx": TAN | ZPX,
    "declination first": TAN | {
        "CTYPE1": "DEC--TAN", "CTYPE2": "RA---TAN", "CRVAL1": -29.0, "CRVAL2": 266.4,
    },
    "mirrored": TAN | {"CDELT1": 0.003},
    "north pole": TAN | {"CRVAL1": 123.0, "CRVAL2": 90.0},
    "beside the south pole": TAN | {"CRVAL2": -89.97},
    "over the zero meridian": TAN | {"CRVAL1": 0.01, "CRVAL2": 60.0},
    "over longitude zero": of("CAR", CTYPE1="GLON-CAR", CTYPE2="GLAT-CAR", CRVAL1=0.0),
    "negative longitude": of("CAR", CTYPE1="GLON-CAR", CTYPE2="GLAT-CAR", CRVAL1=-10.0),
    "reference off the equator": of("CAR", CRVAL2=30.0),
    "crota": TAN | {"CROTA2": 33.3},
    "pc": TAN | {"PC1_1": 0.8, "PC1_2": -0.6, "PC2_1": 0.6, "PC2_2": 0.8},
    "old pc": TAN | {"PC001001": 0.8, "PC001002": -0.6, "PC002001": 0.6, "PC002002": 0.8},
    "cd": CD,
    "cd and cdelt": TAN | {"CD1_1": -2.5e-3, "CD1_2": 1e-4, "CD2_1": 1e-4, "CD2_2": 2.4e-3},
    "arcseconds": TAN | {
        "CUNIT1": "arcsec", "CUNIT2": "arcsec", "CDELT1": -11.5, "CDELT2": 11.5,
        "CRVAL1": 959100.6, "CRVAL2": -104428.1,
    },
    "fk4": TAN | {"RADESYS": "FK4", "EQUINOX": 1950.0},
    "old spelling": TAN | {"RADECSYS": "FK5", "EPOCH": 2000.0},
    "old equinox alone": TAN | {"EQUINOX": 1950.0},
    "latpole": of("COE", CRVAL2=45.0, PV2_1=45.0, LONPOLE=150.0, LATPOLE=40.0),
    "spectral axis": TAN | {
        "WCSAXES": 3, "CTYPE3": "VRAD", "CUNIT3": "m/s", "CRVAL3": 1e3, "CDELT3": 500.0,
        "SPECSYS": "LSRK", "RESTFRQ": 1.42e9, "PC3_3": 1.0,
    },
}  # fmt: skip
each_sky = pytest.mark.parametrize("cards", CARDS.values(), ids=CARDS)


def header_of(cards: dict[str, Any]) -> fits.Header:
    return fits.PrimaryHDU(np.zeros(SHAPE, "f4"), fits.Header(cards)).header


def image_of(cards: dict[str, Any]) -> SkyImage:
    header = header_of(cards)
    wcs, notes = read_wcs(header)
    assert notes == ()
    return SkyImage.from_array(np.zeros(SHAPE, "f4"), wcs)


def by_astropy(header: fits.Header, hdus: Any = None) -> WCS:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FITSFixedWarning)
        return WCS(header, hdus, naxis=[1, 2])


def grid() -> tuple[Any, Any]:
    y, x = np.mgrid[0 : SHAPE[0] - 1 : 7j, 0 : SHAPE[1] - 1 : 7j]
    return x, y


# --- every kind ---------------------------------------------------------------------------


def test_all_projections_are_here() -> None:
    """The 28 codes of WCSLIB's table, those of distortions apart (TPV, TNX, ZPX)."""
    assert set(PROJECTIONS) == set(PRJ_CODES)


@each_sky
def test_it_opens_and_agrees_with_astropy(tmp_path: Path, cards: dict[str, Any]) -> None:
    path = write_image(tmp_path / "a.fits", np.zeros(SHAPE, "f4"), fits.Header(cards))
    image = open_image(path)
    assert image.notes == ()
    assert image.wcs is not None
    x, y = grid()
    theirs = by_astropy(fits.getheader(path)).pixel_to_world(x, y)
    ours = image.sky(x, y)
    seen = np.isfinite(theirs.spherical.lon.deg)
    assert seen.sum() > 30
    assert (np.isfinite(ours.spherical.lon.deg) == seen).all()
    assert ours[seen].separation(theirs[seen]).arcsec.max() < 1e-6


@each_sky
def test_there_and_back(cards: dict[str, Any]) -> None:
    image = image_of(cards)
    x, y = grid()
    sky = image.sky(x, y)
    seen = np.isfinite(sky.spherical.lon.deg)
    back = image.pixel(sky[seen])
    np.testing.assert_allclose(
        back,
        (x[seen], y[seen]),
        rtol=0,
        atol=0.05 if image.wcs.wcs.ctype[0].endswith("CSC") else 2e-4,
    )


@each_sky
def test_a_window_has_the_same_sky(cards: dict[str, Any]) -> None:
    header = header_of(cards)
    whole = by_astropy(header)
    window = Window(7, 9, 20, 21)
    moved = window_cards(wcs_cards(header, read_wcs(header)[0]), window)
    x, y = np.meshgrid([0.0, 9.0, 19.0], [0.0, 11.0, 20.0])
    here = np.array(by_astropy(moved).all_pix2world(x, y, 0))
    there = np.array(whole.all_pix2world(x + window.x, y + window.y, 0))
    np.testing.assert_allclose(here, there, rtol=0, atol=1e-9)


@given(
    code=st.sampled_from(sorted(PROJECTIONS)),
    x=st.floats(0, SHAPE[1] - 1),
    y=st.floats(0, SHAPE[0] - 1),
    turn=st.floats(-180, 180),
)
def test_any_position_there_and_back(code: str, x: float, y: float, turn: float) -> None:
    image = image_of(PROJECTIONS[code] | {"CROTA2": turn})
    sky = image.sky(x, y)
    if np.isfinite(sky.spherical.lon.deg):
        again = image.sky(*image.pixel(sky))
        # CSC is a polynomial fit, and its inverse another one (Chan & O'Neill 1975).
        assert again.separation(sky).arcsec < (30 if code == "CSC" else 1e-3)


@given(lon=st.floats(-720, 720), x=st.floats(0, 89), y=st.floats(0, 59))
def test_longitudes_wrap(lon: float, x: float, y: float) -> None:
    image = image_of(TAN | {"CRVAL1": lon})
    same = image_of(TAN | {"CRVAL1": lon % 360})
    assert image.sky(x, y).separation(same.sky(x, y)).arcsec < 1e-6
    np.testing.assert_allclose(image.pixel(same.sky(x, y)), (x, y), atol=1e-6)


# --- tables -------------------------------------------------------------------------------


def table(size: float) -> DistortionLookupTable:
    """Up to so many pixels, more along y than along x."""
    ramp = np.outer(np.linspace(0, size, 7), np.linspace(0, 1, 10)).astype("f4")
    return DistortionLookupTable(ramp, (1, 1), (1, 1), (10, 10))


def distorted(names: tuple[str, ...]) -> fits.HDUList:
    """A file whose sky needs lookup tables, and its image."""
    wcs = WCS(fits.Header(TAN))
    for n, name in enumerate(names, 1):
        setattr(wcs, name, table(n))
    made = wcs.to_fits(relax=True)
    return fits.HDUList([fits.PrimaryHDU(np.zeros(SHAPE, "f4"), made[0].header), *made[1:]])


@pytest.mark.parametrize(
    "names", [("cpdis1",), ("cpdis1", "cpdis2"), ("det2im1",), ("cpdis2", "det2im1", "det2im2")]
)
def test_distortion_tables_are_used_both_ways(tmp_path: Path, names: tuple[str, ...]) -> None:
    path = tmp_path / "a.fits"
    hdus = distorted(names)
    hdus.writeto(path)
    image = open_image(path)
    assert image.wcs is not None
    (note,) = image.notes
    assert note.startswith("its distortion tables move positions by up to ")
    x, y = grid()
    whole = WCS(fits.Header(TAN))
    for n, name in enumerate(names, 1):
        setattr(whole, name, table(n))
    expected = whole.all_pix2world(x, y, 0)
    sky = image.sky(x, y)
    np.testing.assert_allclose((sky.ra.deg, sky.dec.deg), expected, rtol=0, atol=1e-10)
    np.testing.assert_allclose(image.pixel(sky), (x, y), rtol=0, atol=1e-3)
    plain = np.array(WCS(fits.Header(TAN)).all_pix2world(x, y, 0))
    assert np.abs(plain - expected).max() > 0.8 * abs(TAN["CDELT2"])


def test_what_is_written_says_that_it_lacks_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "a.fits"
    distorted(("cpdis1",)).writeto(path)
    image = open_image(path)
    window = Window(5, 6, 20, 20)
    cut = write_image(
        tmp_path / "cut.fits", image.cutout(window), window_cards(image.header, window)
    )
    header = fits.getheader(cut)
    assert "sky coordinates without the distortion tables of the original" in str(header["COMMENT"])
    assert "CPDIS1" not in header
    again = open_image(cut)
    assert again.notes == ()
    expected = SkyCoord(*WCS(fits.Header(TAN)).all_pix2world(10, 12, 0), unit="deg")
    assert again.sky(5, 6).separation(expected).arcsec < 1e-6


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda hdus: hdus.pop(1), "Extension .*not found"),
        (lambda hdus: hdus[0].header.update(CPDIS1="POLYNOMIAL"), "CPDIS1 = 'polynomial'"),
        (lambda hdus: hdus[1].header.update(NAXIS1=10**5, NAXIS2=10**5), "claims 38,147 MiB"),
    ],
)
def test_tables_that_are_missing_leave_the_rest(spoil: Any, reason: str) -> None:
    hdus = distorted(("cpdis1",))
    spoil(hdus)
    wcs, notes = read_wcs(hdus[0].header, hdus)
    assert wcs is not None
    (note,) = notes
    assert re.match(rf"its distortion tables cannot be read \(.*{reason}", note)
    assert note.endswith("; positions lack their correction, which may be some pixels")
    expected = WCS(fits.Header(TAN)).all_pix2world(10, 12, 0)
    np.testing.assert_allclose(wcs.all_pix2world(10, 12, 0), expected, atol=1e-12)


def test_without_the_file_its_tables_are_missed() -> None:
    wcs, notes = read_wcs(distorted(("cpdis1",))[0].header)
    assert wcs is not None
    assert "the file they lie in is not open" in notes[0]


def test_coordinates_in_a_table_along_another_axis(shared_data: Path) -> None:
    image = open_image(shared_data / "odd" / "astropy_tests__tab-time-last-axis.fits")
    assert image.wcs is not None
    assert image.notes == ()
    assert image.frame == "icrs"


# --- none, or broken ones -----------------------------------------------------------------

USELESS: dict[str, tuple[dict[str, Any], str]] = {
    "no scale": (
        {k: v for k, v in TAN.items() if not k.startswith("CDELT")},
        r"it gives no size of its pixels \(CDELT or CD\)",
    ),
    "zero scale": (TAN | {"CDELT1": 0.0}, "singular|zero|not"),
    "flat matrix": (TAN | {"CD1_1": 0.0, "CD1_2": 0.0, "CD2_1": 0.0, "CD2_2": 0.0}, "singular"),
    "unknown projection": (TAN | {"CTYPE1": "RA---XYZ", "CTYPE2": "DEC--XYZ"}, "."),
    "half a pair": (TAN | {"CTYPE2": "FREQ"}, "."),
    "two of a kind": (TAN | {"CTYPE2": "RA---TAN"}, "."),
    "mixed": (TAN | {"CTYPE2": "GLAT-TAN"}, "."),
    "the Sun": (TAN | {"CTYPE1": "HPLN-TAN", "CTYPE2": "HPLT-TAN"}, "its axes are HPLN-TAN"),
    "spectra": ({"CTYPE1": "WAVE", "CTYPE2": "LINEAR", "CDELT1": 1.0}, "its axes are WAVE"),
    "latitude beyond the pole": (TAN | {"CRVAL2": 123.0}, "."),
    "nonsense unit": (TAN | {"CUNIT1": "furlong"}, "."),
    "text for a number": (TAN | {"CRVAL1": "many"}, "CRVAL1 = 'many' is no number"),
    "unknown system": (TAN | {"RADESYS": "GAPPT"}, "GAPPT|determine"),
    "off the sky": (of("SIN", CRPIX1=1e6, CRPIX2=1e6), "no pixel falls on the sky"),
    "SIP without its order": (TAN | {"CTYPE1": "RA---TAN-SIP", "A_ORDER": 2}, "."),
}  # fmt: skip


@pytest.mark.parametrize(("cards", "reason"), USELESS.values(), ids=USELESS)
def test_broken_coordinates_leave_a_picture_in_pixels(
    tmp_path: Path, cards: dict[str, Any], reason: str
) -> None:
    path = write_image(tmp_path / "a.fits", np.ones(SHAPE, "f4"), fits.Header(cards))
    image = open_image(path)
    assert image.value(3, 3) == 1.0
    assert image.wcs is None
    assert len(image.header) == 0
    (note,) = image.notes
    assert note.startswith("no usable sky coordinates: ")
    assert note.endswith("; positions are in pixels")
    assert "\n" not in note
    assert re.search(reason, note)


def test_no_coordinates_at_all() -> None:
    header = fits.PrimaryHDU(np.zeros(SHAPE)).header
    assert read_wcs(header) == (
        None,
        ("no sky coordinates in its header; positions are in pixels",),
    )


@pytest.mark.parametrize(
    ("written", "frame"),
    [("J2000", "fk5"), ("icrs", "icrs"), ("ICRF2", "icrs"), ("B1950", "fk4"), ("fk5", "fk5")],
)
def test_reference_systems_as_some_write_them(written: str, frame: str) -> None:
    assert image_of(TAN | {"RADESYS": written}).frame == frame


def test_a_product_spells_its_reference_system_so_that_others_read_it(tmp_path: Path) -> None:
    source, product = tmp_path / "source.fits", tmp_path / "product.fits"
    fits.writeto(source, np.ones(SHAPE, "f4"), header_of(TAN | {"RADESYS": "J2000"}))
    image = open_image(source)
    write_image(product, image.cutout(Window.whole(image.shape)), image.header)
    header = fits.getheader(product)
    assert header["RADESYS"] == "FK5"
    assert SkyCoord.from_pixel(3, 4, WCS(header)).frame.name == "fk5"


def test_prose_and_cards_of_others_do_no_harm() -> None:
    header = header_of(TAN)
    for n in range(500):
        header.add_history(f"step {n}")
    header.add_comment("Ångström".encode("ascii", "replace").decode())
    wcs, notes = read_wcs(header)
    assert wcs is not None
    assert notes == ()
    assert "HISTORY" not in wcs_cards(header, wcs)


def test_real_files_agree_with_astropy(shared_data: Path) -> None:
    seen = 0
    for path in sorted(shared_data.rglob("*.fits")):
        try:
            image = open_image(path)
        except ImageError:  # what does not open is another test's
            continue
        if image.wcs is None or image.reference is None or image.axis is not None:
            continue
        with fits.open(path) as hdus:
            header = hdus[image.reference.hdu].header
            if "NAXIS2" not in header or header["NAXIS2"] != image.shape[0]:
                continue
            theirs = by_astropy(header, hdus)
        x, y = np.meshgrid(np.linspace(0, image.shape[1] - 1, 5), [0, image.shape[0] - 1])
        sky = image.sky(x, y).spherical
        expected = theirs.all_pix2world(x, y, 0)
        ours = [sky.lon.deg, sky.lat.deg]
        if theirs.wcs.lng == 1:
            ours.reverse()
        np.testing.assert_allclose(
            np.mod(ours, 360), np.mod(expected, 360), rtol=0, atol=1e-9, err_msg=path.name
        )
        seen += 1
    assert seen > 25


def test_a_cube_finds_its_way_back_too(tmp_path: Path) -> None:
    """Its coordinates know three sides, of which two are the picture's."""
    hdus = distorted(("det2im1",))
    hdus[0] = fits.PrimaryHDU(np.zeros((4, *SHAPE), "f4"), hdus[0].header)
    hdus[0].header["EXTEND"] = True
    hdus.writeto(tmp_path / "cube.fits")
    image = open_image(tmp_path / "cube.fits")
    x, y = grid()
    np.testing.assert_allclose(image.pixel(image.sky(x, y)), (x, y), rtol=0, atol=1e-3)


def test_a_plane_map_that_runs_past_half_a_turn_from_its_reference(tmp_path: Path) -> None:
    header = fits.Header(
        {"CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR", "CRVAL1": 0.0, "CRVAL2": 0.0,
         "CRPIX1": 250.5, "CRPIX2": 95.5, "CDELT1": -1.0, "CDELT2": 1.0}
    )  # fmt: skip
    path = tmp_path / "plane.fits"
    fits.writeto(path, np.zeros((190, 300), "f4"), header)
    image = open_image(path)
    x, y = np.array([0.0, 60.0, 249.5, 299.0]), np.array([94.5, 100.0, 94.5, 90.0])
    position = image.sky(x, y)
    np.testing.assert_allclose(position.l.deg, (249.5 - x) % 360.0, atol=1e-9)
    np.testing.assert_allclose(position.b.deg, y - 94.5, atol=1e-9)
    np.testing.assert_allclose(np.array(image.pixel(position)), [x, y], atol=1e-9)
    assert np.isnan(image.sky(10, 0).b.deg)  # 4.5 deg beyond the pole


def test_a_plane_map_wholly_past_half_a_turn_from_its_reference() -> None:
    wcs, notes = read_wcs(
        fits.Header(
            {"NAXIS": 2, "NAXIS1": 1100, "NAXIS2": 41, "CTYPE1": "GLON-CAR", "CTYPE2": "GLAT-CAR",
             "CRVAL1": 0.0, "CRVAL2": 0.0, "CRPIX1": 2950.5, "CRPIX2": 21.0, "CDELT1": -0.1,
             "CDELT2": 0.1}
        )
    )  # fmt: skip
    assert notes == ()
    image = SkyImage.from_array(np.zeros((41, 1100)), wcs)
    position = image.sky([0.0, 1099.0], [20.0, 20.0])
    np.testing.assert_allclose(position.l.deg, [294.95, 185.05], atol=1e-9)
