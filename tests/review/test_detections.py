"""Detections come out of whatever holds some; what cannot be judged is told and left out."""

from __future__ import annotations

import astropy.units as u
import numpy as np
import pytest
from astropy.table import QTable, Table

from napari_astroseg.errors import CatalogueError, VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.reading import open_detections
from napari_astroseg.sky.catalogue import Catalogue


def _table() -> QTable:
    return QTable(
        {
            "id": [1, 2, 3],
            "lon": [359.9, 0.1, 12.0] * u.deg,
            "lat": [0.5, -0.5, 0.0] * u.deg,
            "x": [1.0, 2.0, 3.0],
            "y": [3.0, 4.0, 5.0],
            "radius": [0.5, 1.0, 2.0] * u.arcmin,
            "score": [0.9, 0.2, 0.5],
            "uncertainty": [0.1, 0.3, 0.2],
            "kind": ["bubble", "bubble", "ring"],
        }
    )


@pytest.mark.parametrize("ending", ["ecsv", "fits", "vot", "csv"])
def test_what_a_prediction_writes_is_read_in_every_format(tmp_path, ending):
    Catalogue(_table(), "galactic").write(tmp_path / f"catalogue.{ending}")
    found = open_detections(tmp_path)  # the folder of a prediction
    assert found.frame == "galactic"
    assert found.names == ("1", "2", "3")
    assert np.allclose(found.lon, [359.9, 0.1, 12.0])
    assert np.allclose(found.score, [0.9, 0.2, 0.5])
    assert np.allclose(found.uncertainty, [0.1, 0.3, 0.2])
    assert found.kinds == ("bubble", "bubble", "ring")
    if ending != "csv":  # which has no units
        assert found.unit == "arcsec"
        assert np.allclose(found.radius, [30.0, 60.0, 120.0])
    else:
        assert any("sizes are left out" in note for note in found.notes)


def test_areas_and_boxes_become_radii():
    table = _table()
    del table["radius"]
    table["area"] = np.pi * np.array([1.0, 4.0, 9.0]) * u.arcmin**2
    assert np.allclose(open_detections(table).radius, [60.0, 120.0, 180.0])
    table["width"], table["height"] = [6.0, 6.0, 6.0] * u.pix, [8.0, 8.0, 8.0] * u.pix
    found = open_detections(table)
    assert found.unit == "px"
    assert np.allclose(found.radius, 5.0)


def test_rows_without_a_place_are_told_and_left_out():
    table = Table({"ra": [10.0, np.nan, 20.0, 30.0], "dec": [0.0, 1.0, 95.0, 2.0]})
    found = open_detections(table)
    assert found.frame == "icrs"
    assert np.allclose(found.lon, [10.0, 30.0])
    assert found.names == ("1", "4")
    assert [note.split(":")[0] for note in found.notes] == ["row 2", "row 3"]


def test_the_same_name_twice_is_numbered():
    found = open_detections(Table({"x": [1.0, 2.0, 3.0], "y": [1.0] * 3, "name": ["A", "A", "B"]}))
    assert found.names == ("A", "A (2)", "B")
    assert found.frame is None
    assert any("more than once" in note for note in found.notes)


REGIONS = """\
# Region file format: DS9 version 4.1
galactic
circle(30.1,0.2,60") # text={one} tag={bubble}
ellipse(30.2,0.3,90",30",20)
box(30.3,0.4,60",80",0)
polygon(30.0,0.0,30.02,0.0,30.02,0.02,30.0,0.02)
circle(nonsense)
point(31,0.1)
"""


def test_regions_are_read_wherever_they_lie(tmp_path):
    (tmp_path / "found.reg").write_text(REGIONS)
    found = open_detections(tmp_path / "found.reg")
    assert found.frame == "galactic"
    assert found.names == ("one", "2", "3", "4", "5")
    assert found.kinds[0] == "bubble"
    assert np.allclose(found.lon, [30.1, 30.2, 30.3, 30.01, 31.0])
    assert np.allclose(found.radius[:4], [60, 90, 50, np.hypot(36, 36)], rtol=1e-4)
    assert np.isnan(found.radius[4])
    assert any("line 7" in note for note in found.notes)


def test_regions_in_pixels_keep_their_pixels(tmp_path):
    (tmp_path / "found.reg").write_text("image\ncircle(11,21,5)\n")
    found = open_detections(tmp_path / "found.reg")
    assert (found.x[0], found.y[0], found.radius[0], found.unit) == (10.0, 20.0, 5.0, "px")
    assert found.frame is None


def test_thirty_thousand_regions_are_read(tmp_path):
    rng = np.random.default_rng(1)
    lon, lat = rng.uniform(20, 40, 30_000), rng.uniform(-1, 1, 30_000)
    lines = [f'circle({a:.6f},{b:.6f},{30}")' for a, b in zip(lon, lat, strict=True)]
    (tmp_path / "many.reg").write_text("galactic\n" + "\n".join(lines))
    found = open_detections(tmp_path / "many.reg")
    assert len(found) == 30_000
    assert np.allclose(found.lon, lon, atol=1e-6)


@pytest.mark.parametrize(
    ("write", "what"),
    [
        (lambda path: path / "none.ecsv", "no such file"),
        (lambda path: path, "catalogue.ecsv"),
        (lambda path: _written(path / "a.csv", "p,q\n1,2\n"), "no positions"),
        (lambda path: _written(path / "a.csv", "ra,dec\nnan,2\n"), "no row"),
        (lambda path: _written(path / "a.reg", "# nothing\n"), "no region"),
        (lambda path: _written(path / "a.doc", ""), "no list of detections"),
    ],
)
def test_what_holds_no_detections_is_refused_in_a_sentence(tmp_path, write, what):
    with pytest.raises((VettingError, CatalogueError), match=what):
        open_detections(write(tmp_path))


def _written(path, text):
    path.write_text(text)
    return path


def test_the_digest_is_that_of_names_and_places(detections):
    again = Detections.of(
        len(detections), names=detections.names, lon=detections.lon + 1e-9, lat=detections.lat,
        x=detections.x, y=detections.y, frame="galactic", source="elsewhere.csv",
    )  # fmt: skip
    assert again.digest == detections.digest
    assert detections.taken(range(11)).digest != detections.digest
