"""Known objects told from new ones: by boxes, in any frame, across l = 0, by any catalogue."""

import astropy.units as u
import numpy as np
import pytest
from astropy.coordinates import SkyCoord
from astropy.table import QTable
from astropy.utils.masked import Masked
from skies import galactic_wcs

from napari_astroseg.errors import CatalogueError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.known import Rule, marked_file
from napari_astroseg.sky.objectcatalogue import catalogued
from napari_astroseg.sky.objects import Objects

SIDE = 300
PX = 12 / 3600  # deg


@pytest.fixture(scope="module")
def image():
    """Around l = 0: half of its columns are at 359 degrees."""
    wcs = galactic_wcs(PX, lon=0.0)
    wcs.wcs.crpix = [SIDE / 2, SIDE / 2]
    return SkyImage.from_array(np.zeros((SIDE, SIDE), np.float32), wcs)


@pytest.fixture
def found(image, tmp_path):
    """Four boxes of 30 pixels: left and right of l = 0, on it, and far off."""
    middles = np.array([(60, 150), (240, 150), (149, 150), (40, 40)], float)
    boxes = np.concatenate([middles - 15, middles + 15], 1)
    objects = Objects(boxes, np.linspace(0.9, 0.6, 4), np.ones(4, np.int64))
    return catalogued(objects, ("bubble",), image).write(tmp_path / "catalogue.ecsv")


def known_table(image, path, frame="galactic", shift_px=0.0, side_px=30.0, **columns):
    x = np.array([60, 240, 149]) + shift_px
    where = image.sky(x, np.full(3, 150.0)).transform_to(frame)
    sides = np.full(3, side_px * PX * 60) * u.arcmin
    table = QTable({"name": ["west", "east", "zero"], "lon": where.spherical.lon.deg * u.deg,
                    "lat": where.spherical.lat.deg * u.deg})  # fmt: skip
    for name, value in (columns or {"width": sides, "height": sides}).items():
        table[name] = value
    return Catalogue(table, frame).write(path)


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
def test_what_is_known_is_told_on_either_side_of_zero(image, found, tmp_path, frame):
    known = known_table(image, tmp_path / "known.ecsv", frame)
    assert marked_file(found, known, image) == 3
    table = Catalogue.read(found).table
    assert list(table["known"]) == [True, True, True, False]
    assert list(table["known_name"])[:3] == ["west", "east", "zero"]
    assert list(table["known_share"]) == pytest.approx([1, 1, 1, 0], abs=0.02)


@pytest.mark.parametrize("shift, count", [(19.0, 3), (21.0, 0)])
def test_a_third_of_the_known_box_is_asked_for(image, found, tmp_path, shift, count):
    known = known_table(image, tmp_path / "known.ecsv", shift_px=shift)
    assert marked_file(found, known, image) == count


def test_a_radius_is_that_of_the_object_in_the_box(image, found, tmp_path):
    radius = np.full(3, 15 * PX * 60 / 1.3) * u.arcmin
    known = known_table(image, tmp_path / "known.ecsv", radius=radius)
    marked_file(found, known, image)
    assert list(Catalogue.read(found).table["known_share"])[:3] == pytest.approx([1] * 3, abs=0.02)


def test_the_milky_way_project_is_read_as_published(image, found, tmp_path):
    row = list(" " * 72)
    for first, text in ((0, "MWP2G3597000+000000"), (21, " 359.700"), (30, "   0.000")):
        row[first : first + len(text)] = text
    row[45:50] = f"{15 * PX * 60 / 1.3:5.2f}"
    known = tmp_path / "mwpdr2bubbles.dat"
    known.write_text("".join(row) + "\n")
    x, _ = image.pixel(SkyCoord(359.7, 0, unit="deg", frame="galactic"))
    assert 230 < x < 250
    assert marked_file(found, known, image) == 1
    table = Catalogue.read(found).table
    assert table["known_name"][1] == "MWP2G3597000+000000"


def test_catalogues_without_boxes_are_refused(image, found, tmp_path):
    with pytest.raises(CatalogueError, match="has no sizes; give it `width`"):
        marked_file(found, known_table(image, tmp_path / "k.ecsv", other=np.arange(3)), image)
    with pytest.raises(CatalogueError, match="in no unit of angle"):
        marked_file(found, known_table(image, tmp_path / "k.ecsv", radius=np.ones(3)), image)
    bare = Catalogue(QTable({"id": [1], "x": [1.0], "y": [1.0]})).write(tmp_path / "regions.ecsv")
    with pytest.raises(CatalogueError, match="holds none; tell it by the distance"):
        marked_file(bare, known_table(image, tmp_path / "k.ecsv"), image)


@pytest.mark.parametrize("frame", ["galactic", "icrs"])
@pytest.mark.parametrize("within, count", [(25.0, 3), (23.0, 0)])
def test_centres_may_tell_what_is_known_on_either_side_of_zero(
    image, found, tmp_path, frame, within, count
):
    """Two pixels of 12 arcsec off; sizes are not asked about."""
    known = known_table(image, tmp_path / "k.ecsv", frame, shift_px=2.0, other=np.arange(3))
    assert marked_file(found, known, image, Rule(within_arcsec=within)) == count
    table = Catalogue.read(found).table
    assert "known_share" not in table.colnames
    assert table["known_distance"][:3].to_value("arcsec") == pytest.approx([24.0] * 3, rel=1e-3)
    assert [bool(name) for name in table["known_name"]] == [count > 0] * 3 + [False]
    assert f"within {within:g} arcsec" in table["known"].info.description


def test_another_share_may_be_asked_for(image, found, tmp_path):
    known = known_table(image, tmp_path / "known.ecsv", shift_px=10.0)  # covers two thirds
    assert marked_file(found, known, image, Rule(0.6)) == 3
    assert marked_file(found, known, image, Rule(0.7)) == 0
    for rule in ({"share": 0.0}, {"share": 1.5}, {"within_arcsec": 0.0}, {"within_arcsec": 1e9}):
        with pytest.raises(CatalogueError, match="give one above 0"):
            Rule(**rule)


def test_regions_without_boxes_are_known_by_their_centres(image, tmp_path):
    where = image.sky(60.0, 150.0)
    bare = QTable({"id": [1], "lon": [where.l.deg] * u.deg, "lat": [where.b.deg] * u.deg,
                   "x": [60.0], "y": [150.0]})  # fmt: skip
    found = Catalogue(bare, "galactic").write(tmp_path / "regions.ecsv")
    known = known_table(image, tmp_path / "known.ecsv")
    assert marked_file(found, known, image, Rule(within_arcsec=5.0)) == 1


@pytest.mark.parametrize("rule", [Rule(), Rule(within_arcsec=30)])
def test_what_has_no_place_or_size_hides_nothing_else(image, found, tmp_path, rule):
    path = known_table(image, tmp_path / "known.ecsv", radius=np.full(3, 3.0) * u.arcmin)
    table = QTable.read(path)
    for name, row in (("lon", 0), ("lat", 0), ("radius", 1)):
        table[name] = Masked(table[name])
        table[name].mask[row] = True
    table["radius"][2] = 0 * u.arcmin
    table.add_row(table[2])
    table["radius"][3] = 3 * u.arcmin
    table.write(path, overwrite=True)
    near = rule.within_arcsec is not None
    assert marked_file(found, path, image, rule) == (2 if near else 1)
    assert list(Catalogue.read(found).table["known"]) == [False, near, True, False]
