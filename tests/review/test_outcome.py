"""What was judged comes out in every format, and what was judged apart comes together."""

from __future__ import annotations

import base64
import io
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from astropy.table import Table
from PIL import Image
from skies import galactic_wcs

from napari_astroseg.cli.main import main
from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.entry import Entry
from napari_astroseg.review.iau import iau_names
from napari_astroseg.review.merging import merge
from napari_astroseg.review.outcome import Outcome, shape_of
from napari_astroseg.review.reading import open_detections
from napari_astroseg.review.reportpdf import write_pdf
from napari_astroseg.review.session import VettingSession
from napari_astroseg.review.spill import Spill
from napari_astroseg.review.store import Store
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.shapes.shape import Shape


@pytest.fixture
def judged(tmp_path, detections):
    """A store in which two have judged, and one object is planted."""
    place = tmp_path / "verdicts.sqlite"
    with VettingSession(place, detections, "Ada") as ada:
        ada.plant(detections.taken([3]))
        ada.judge("real", tags=["ring"], note="schön", rating=5)
        ada.judge("not", note="a star")
        ada.judge("reclassify", kind="remnant")
        ada.judge("revise", shape=Shape("circle", ((30.5, 0.25),), (77.0,), frame="galactic"))
        ada.judge("real", on=ada.detections.names[-1])
    with VettingSession(place, None, "Ben") as ben:
        ben.judge("real", rating=4)
        ben.judge("real")
        ben.judge("unsure")
    return place


@pytest.mark.parametrize("ending", ["ecsv", "csv", "fits", "vot"])
def test_a_catalogue_in_every_format(judged, tmp_path, detections, ending, capsys):
    known = tmp_path / "known.csv"
    Table({"name": ["N1"], "l": [detections.lon[0]], "b": [detections.lat[0] + 0.001]}).write(known)
    out = tmp_path / f"out.{ending}"
    words = [
        "vet",
        "export",
        str(judged),
        "--out",
        str(out),
        "--prefix",
        "AS",
        "--match",
        str(known),
    ]
    assert main(words) == 0
    assert "4 of 12 detections" in capsys.readouterr().out
    kinds = {"ecsv": "ascii.ecsv", "csv": "ascii.csv", "fits": "fits", "vot": "votable"}
    table = Table.read(out, format=kinds[ending])
    rows = {str(row["id"]): row for row in table}
    assert set(rows) == {"D0", "D1", "D2", "D3"}
    first = rows["D0"]
    assert str(first["verdict"]) == "real"
    assert (first["vetters"], first["fraction_real"], first["rating"]) == (2, 1.0, 4.5)
    assert str(first["tags"]) == "ring"
    assert "sch" in str(first["notes"])
    assert str(first["cross_id"]) == "N1"
    assert first["cross_sep"] == pytest.approx(3.6, abs=0.01)
    assert str(first["name"]).startswith("AS G030.6")
    assert str(rows["D1"]["verdict"]) == "unsure"  # one to one
    assert str(rows["D2"]["kind"]) == "remnant"
    assert open_detections(out).names == ("D0", "D1", "D2", "D3")


def test_regions_show_what_was_revised(judged, tmp_path):
    out = tmp_path / "out.reg"
    assert main(["vet", "export", str(judged), "--out", str(out), "--only", "accepted"]) == 0
    text = out.read_text()
    assert 'circle(30.5,0.25,77")' in text
    assert len(open_detections(out)) == 2
    assert "tag={real}" in text


def test_a_report_holds_tables_and_stamps(judged, tmp_path, capsys):
    write_image(
        tmp_path / "map.fits", np.random.default_rng(0).normal(size=(400, 400)).astype("f4"),
        galactic_wcs(20 / 3600, 30.5).to_header(),
    )  # fmt: skip
    page = tmp_path / "report.html"
    words = [
        "vet",
        "report",
        str(judged),
        "--out",
        str(page),
        "--image",
        str(tmp_path / "map.fits"),
    ]
    assert main([*words, "--max", "1"]) == 0
    assert "wrote" in capsys.readouterr().out
    text = page.read_text()
    assert "4 of 12 detections have been judged, by 2 people" in text
    assert "Ada and Ben" in text
    assert "To be settled: 2 (1 more are left out)" in text
    assert "1.000" in text  # Ada's completeness, of one planted object
    pictures = re.findall(r"base64,([^\"]+)", text)
    assert pictures
    for each in pictures:
        assert Image.open(io.BytesIO(base64.b64decode(each))).size == (112, 112)
    assert "://" not in text and "http:" not in text
    pages = tmp_path / "report.pdf"
    words[4] = str(pages)
    assert main([*words, "--max", "1"]) == 0
    told = pages.read_bytes()
    assert told.startswith(b"%PDF")
    # Tables, and a page for each group with stamps.
    assert len(re.findall(rb"/Type /Page\b", told)) == 1 + text.count('class="stamps"><figure')
    with VettingSession(judged, 1, r"A $\formula$ of a name") as third:
        third.judge("not")
    again = write_pdf(tmp_path / "bare.pdf", Outcome.of(Store(judged), 1))
    assert len(re.findall(rb"/Type /Page\b", again.read_bytes())) == 1


def test_what_cannot_be_written_is_told(judged, tmp_path, capsys):
    assert main(["vet", "export", str(judged), "--out", str(tmp_path / "out.doc")]) == 1
    assert "nothing is written that ends in '.doc'" in capsys.readouterr().err
    assert main(["vet", "list", str(tmp_path / "none.sqlite")]) == 1
    assert "not there" in capsys.readouterr().err


def test_those_who_worked_apart_come_together(tmp_path, detections, capsys):
    places = [tmp_path / f"{who}.sqlite" for who in ("Ada", "Ben")]
    for place in places:
        with VettingSession(place, detections, place.stem) as session:
            session.plant(detections.taken([1]))
            session.judge("real")
            session.judge("not")
            session.undo()
    together = tmp_path / "all.sqlite"
    words = ["vet", "merge", str(together), *map(str, places), "--json"]
    assert main(words) == 0
    told = json.loads(capsys.readouterr().out)
    assert [(each["lists"], each["entries"]) for each in told] == [(1, 3), (0, 3)]
    assert main(words) == 0  # a second time brings nothing new
    told = json.loads(capsys.readouterr().out)
    assert [(each["lists"], each["entries"]) for each in told] == [(0, 0), (0, 0)]
    store = Store(together)
    outcome = Outcome.of(store, 1)
    assert {who: len(each) for who, each in outcome.standing.items()} == {"Ada": 1, "Ben": 1}
    assert len(outcome.detections) == 12
    assert list(outcome.known).count("real") == 1  # both had planted the same
    with pytest.raises(VettingError, match="into itself"):
        merge(store, [together])
    with pytest.raises(VettingError, match="not there"):
        merge(store, [tmp_path / "none.sqlite"])
    store.close()
    assert main(["vet", "agreement", str(together)]) == 0
    assert "Ada and Ben: 1 in common, 100.0% alike" in capsys.readouterr().out
    assert main(["vet", "list", str(together)]) == 0
    assert "6 entries by 2 vetters" in capsys.readouterr().out


def test_a_store_is_merged_while_it_is_written_to_and_planted_ones_are_told_apart(tmp_path):
    far = Detections.of(2, lon=[300.0, 300.1], lat=[0.0, 0.1], frame="galactic")
    hidden = Detections.of(1, names=["P"], lon=[300.05], lat=[0.0], frame="galactic")
    for name, planted in (("one", hidden), ("two", replace(hidden, lon=np.array([300.0505])))):
        store = Store(tmp_path / f"{name}.sqlite")
        store.plant(store.add(far), planted, "real")
        store.append(1, [Entry("1", "Ada", verdict="real")])
        (tmp_path / f"{name}.sqlite-wal").stat()  # what was written last lies beside it
        into = Store(tmp_path / "all.sqlite")
        if name == "one":
            assert [each.entries for each in merge(into, [store.url.database])] == [1]
        else:
            with pytest.raises(VettingError, match="plant the same"):
                merge(into, [store.url.database])
        into.close()
        store.close()


def test_verdicts_that_wait_are_told_and_can_be_stored(tmp_path, detections, capsys):
    place = tmp_path / "verdicts.sqlite"
    with VettingSession(place, detections, "Ada") as session:
        session.judge("real")
        spill = Spill(session.store.url, detections.digest)
        spill.append(Entry("D1", "Ada", verdict="not"))
        spill.close()
    out = tmp_path / "out.ecsv"
    assert main(["vet", "export", str(place), "--out", str(out)]) == 0
    told = capsys.readouterr().err
    assert "1 verdict waits on this machine and is left out" in told
    assert f"astroseg vet store {place}" in told
    assert main(["vet", "store", str(place), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"stored": 1}
    assert main(["vet", "store", str(place)]) == 0
    assert capsys.readouterr().out == "nothing waits\n"
    assert main(["vet", "export", str(place), "--out", str(out)]) == 0
    assert capsys.readouterr().err == ""
    assert len(open_detections(out)) == 2


def test_a_size_in_pixels_of_a_place_on_the_sky_alone_is_a_point(tmp_path):
    found = Detections.of(1, lon=[30.0], lat=[0.1], radius=[9.0], unit="px", frame="galactic")
    with VettingSession(tmp_path / "v.sqlite", found, "Ada") as session:
        shape = shape_of(Outcome.of(session.store, session.list), 0)
    assert (shape.form, shape.points, shape.frame) == ("point", ((30.0, 0.1),), "galactic")


def test_names_are_cut_off_and_never_rounded():
    assert iau_names([30.12399], [-0.04599], galactic=True) == ["G030.123-00.045"]
    # 12h34m56.789s, -1d23m45.69s
    ra = 15 * (12 + 34 / 60 + 56.789 / 3600)
    dec = -(1 + 23 / 60 + 45.69 / 3600)
    assert iau_names([ra], [dec], galactic=False, prefix="AS") == ["AS J123456.78-012345.6"]
    assert iau_names([0.1, 0.1, 0.2], [0.0] * 3, galactic=True) == [
        "G000.100+00.000a", "G000.100+00.000b", "G000.200+00.000",
    ]  # fmt: skip
    assert iau_names([np.nan], [0.0], galactic=True) == [""]
    assert iau_names([-1e-12], [0.0], galactic=True) == ["G000.000+00.000"]
    assert iau_names([360 - 1e-12], [0.0], galactic=False) == ["J000000.00+000000.0"]


def test_lists_in_pixels_have_no_names_by_position(tmp_path):
    found = Detections.of(2, x=[1, 2], y=[3, 4], radius=[5, np.nan], unit="px")
    with VettingSession(tmp_path / "a.sqlite", found, "Ada") as session:
        session.judge("real"), session.judge("real")
    out = tmp_path / "out.reg"
    assert main(["vet", "export", str(tmp_path / "a.sqlite"), "--out", str(out)]) == 0
    text = out.read_text()
    assert "circle(2,4,5)" in text
    assert "point(3,5)" in text
    assert (
        main(["vet", "export", str(tmp_path / "a.sqlite"), "--out", str(out.with_suffix(".ecsv"))])
        == 0
    )
    assert open_detections(out.with_suffix(".ecsv")).x.tolist() == [1.0, 2.0]
