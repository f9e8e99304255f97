"""`astroseg crowd` as a person types it: counts and agreement of several people's marks."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from shapedsky import sky

from napari_astroseg.cli.main import main
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.marks.store import MarkStore
from napari_astroseg.sky.votes.gz3d import open_gz3d
from napari_astroseg.sky.votes.opening import open_votes
from napari_astroseg.sky.window import Window


def astroseg(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.fixture
def folders(tmp_path: Path) -> list[Path]:
    """Ada and Bo, who half agree on a filament of 40 × 10 px; Ada marks a bubble, too."""
    made = []
    for name, x in (("Ada", 20), ("Bo", 40)):
        with MarkStore.create(tmp_path / f"{name}.marks", sky()) as store:
            store.write(Window(x, 30, 40, 10), np.ones((10, 40), int), "stroke", name)
            if name == "Ada":
                store.write(Window(200, 30, 9, 9), np.full((9, 9), 2), "stroke", name)
        made.append(store.path)
    return made


def test_words_tell_who_agrees(folders, tmp_path, capsys):
    out = tmp_path / "votes.fits"
    assert astroseg("crowd", *folders, "--out", out, "--class", "filament") == 0
    told = capsys.readouterr()
    assert told.out.splitlines()[0] == "2 people: Ada, Bo"
    assert told.out.splitlines()[1].startswith("filament: 1 object, Fleiss' kappa 0.49")
    assert told.out.splitlines()[2].startswith("  Ada and Bo: Dice 0.500, kappa 0.49")
    assert told.out.splitlines()[3] == f"wrote {out}"
    assert told.err == ""
    assert open_votes(out)["votes"].areas()[2] == 200


def test_counts_that_are_there_are_replaced_only_when_told(folders, tmp_path, capsys):
    words = ("crowd", *folders, "--out", tmp_path / "v.fits")
    assert astroseg(*words) == 0
    before = (tmp_path / "v_bubble.fits").stat().st_mtime_ns
    assert astroseg(*words) == 1
    assert "v_bubble.fits is there already; name another" in capsys.readouterr().err
    assert (tmp_path / "v_bubble.fits").stat().st_mtime_ns == before
    assert astroseg(*words, "--overwrite") == 0


def test_one_person_alone_is_counted(folders, tmp_path, capsys):
    out = tmp_path / "votes.fits"
    assert astroseg("crowd", folders[0], "--out", out, "--class", "filament") == 0
    assert capsys.readouterr().out.splitlines() == ["1 person: Ada", f"wrote {out}"]


def test_json_and_all_files(folders, tmp_path, capsys):
    out, objects, gz3d = (tmp_path / name for name in ("v.fits", "o.ecsv", "g.fits.gz"))
    words = ("--gz3d", gz3d, "--as", "filament=spiral", "--as", "bubble=bar", "--json")
    assert astroseg("crowd", *folders, "--out", out, *words) == 0
    told = json.loads(capsys.readouterr().out)
    assert [each["name"] for each in told["people"]] == ["Ada", "Bo"]
    assert told["classes"]["bubble"]["pairs"][0]["dice"] == 0
    names = ["v_bubble.fits", "v_filament.fits", "g.fits.gz"]
    assert [Path(each).name for each in told["files"]] == names
    assert open_gz3d(gz3d).votes["spiral"].most == 2
    line = ("crowd", *folders, "--out", out, "--class", "filament", "--at-least", 2)
    assert astroseg(*line, "--objects", objects) == 0
    assert Catalogue.read(objects).table["area"][0].value == 200


def test_one_person_is_counted_and_agrees_with_nobody(folders, tmp_path, capsys):
    line = ("crowd", folders[1], "--out", tmp_path / "v.fits", "--json")
    assert astroseg(*line) == 0
    assert json.loads(capsys.readouterr().out)["classes"] == {}
    assert astroseg(*line, "--objects", tmp_path / "o.ecsv") == 1
    assert "one person alone agrees with nobody; give" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--as", "filament"], "--as filament names no class and kind; write it as"),
        (["--class", "arm"], "nobody marked 'arm'; choose one of bubble, filament"),
        (["--objects", "o.ecsv"], "there are bubble, filament; name one with --class"),
        (["--gz3d", "g.fits"], "has no place for 'bubble'; say which of center"),
        (["--at-least", "3"], "3 of 2 people cannot have marked an object"),
    ],
)
def test_what_cannot_be_meant_is_one_line(folders, tmp_path, capsys, words, why):
    assert astroseg("crowd", *folders, "--out", tmp_path / "v.fits", *words) == 1
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert why in told
    assert told.count("\n") == 1
    assert not list(tmp_path.glob("*.fits"))


def test_marks_of_another_image(folders, tmp_path, capsys):
    MarkStore.create(tmp_path / "x.marks", sky("galactic")).close()
    assert astroseg("crowd", *folders, tmp_path / "x.marks", "--out", tmp_path / "v.fits") == 1
    assert "x.marks marks another image (field, 300 × 240 px) than" in capsys.readouterr().err
    assert not (tmp_path / "v.fits").exists()
