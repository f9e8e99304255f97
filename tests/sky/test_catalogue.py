"""Catalogues survive every format with positions and frame, and refuse what is none."""

import astropy.units as u
import numpy as np
import pytest
from astropy.io import fits
from astropy.table import QTable, Table

from napari_astroseg.errors import CatalogueError
from napari_astroseg.sky.catalogue import Catalogue


@pytest.fixture
def found():
    table = QTable(
        {
            "id": [1, 2],
            "lon": [359.9, 0.1] * u.deg,
            "lat": [0.5, -0.5] * u.deg,
            "x": [1.0, 2.0],
            "y": [3.0, 4.0],
            "area": [2.0, 3.0] * u.arcmin**2,
        }
    )
    return Catalogue(table, "galactic")


@pytest.mark.parametrize("ending", ["ecsv", "fits", "vot", "xml", "csv"])
def test_every_format_keeps_positions_and_frame(found, tmp_path, ending):
    read = Catalogue.read(found.write(tmp_path / f"found.{ending}"))
    assert read.frame == "galactic"
    assert read.position.separation(found.position).max() < 1e-6 * u.arcsec
    assert np.array_equal(read.table["x"], found.table["x"])


def test_positions_in_pixels_only_are_kept_as_such(tmp_path):
    bare = Catalogue(QTable({"id": [1], "x": [5.0], "y": [6.0]}))
    for ending in ("ecsv", "csv"):
        read = Catalogue.read(bare.write(tmp_path / f"bare.{ending}"))
        assert read.frame is None
        with pytest.raises(CatalogueError, match="WCS"):
            _ = read.position


def test_the_field_s_own_column_names_are_understood(tmp_path):
    Table({"RA": [10.0], "Dec": [-3.0]}).write(tmp_path / "radec.csv")
    assert Catalogue.read(tmp_path / "radec.csv").frame == "icrs"


def test_csv_of_old_equinoxes_is_written_in_icrs(tmp_path):
    old = Catalogue(QTable({"lon": [10.0] * u.deg, "lat": [20.0] * u.deg, "x": [0.0], "y": [0.0]}),
                    "fk4")  # fmt: skip
    read = Catalogue.read(old.write(tmp_path / "old.csv"))
    assert read.frame == "icrs"
    assert read.position[0].separation(old.position[0].icrs) < 1e-6 * u.arcsec


def test_matching_goes_through_zero_longitude(found):
    moved = QTable(found.table.copy())
    moved["lon"] = (moved["lon"] + 0.001 * u.deg) % (360 * u.deg)
    mine, theirs = found.match(Catalogue(moved, "galactic"), 5 * u.arcsec)
    assert mine.tolist() == theirs.tolist() == [0, 1]
    assert len(found.match(Catalogue(moved[:0], "galactic"), 5 * u.arcsec)[0]) == 0


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("a.doc", "x", "use one of"),
        ("a.ecsv", "not a table", "cannot be read"),
        ("a.csv", "p,q\n1,2\n", "no positions"),
        ("none.csv", None, "cannot be read"),
    ],
)
def test_what_is_no_catalogue_is_refused_in_a_sentence(tmp_path, name, content, says):
    path = tmp_path / name
    if content is not None:
        path.write_text(content)
    with pytest.raises(CatalogueError, match=says):
        Catalogue.read(path)


def test_writing_to_an_unknown_format_is_refused(found, tmp_path):
    with pytest.raises(CatalogueError, match="ecsv"):
        found.write(tmp_path / "found.doc")
    assert len(found) == len(list(found)) == 2


@pytest.mark.filterwarnings("error")
def test_what_it_was_made_with_fits_into_fits(tmp_path):
    table = QTable({"id": [1], "x": [1.0], "y": [2.0]})
    table.meta.update({"image": "8 µm", "model": "filaments", "threshold": 0.5})
    Catalogue(table).write(tmp_path / "k.fits")
    header = fits.getheader(tmp_path / "k.fits", 1)
    told = [header[name] for name in ("IMAGE", "MODEL", "THRESH", "FRAME")]
    assert told == ["8 ?m", "filaments", 0.5, "pixel"]
