"""`astroseg dataset` as a person types it: what a folder holds, what is wrong, what is written."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from layouts import bubble_row, write_galaxies, write_set, write_tile
from PIL import Image
from skies import write_four_maps

from napari_astroseg.cli.main import main
from napari_astroseg.sky.clusters.choice import Choice
from napari_astroseg.sky.datasets.card import DatasetCard
from napari_astroseg.sky.datasets.opening import open_dataset


def astroseg(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.fixture
def sets(tmp_path: Path) -> Path:
    """Five sets of one star of 9² px and one galaxy of 15² px, one of which lacks a band."""
    folder = tmp_path / "sets"
    for number in range(5):
        write_set(folder, number)
    (folder / "set_3" / "img_r.fits").unlink()
    return folder


def test_words_tell_what_a_folder_holds_and_what_is_wrong(sets, capsys):
    assert astroseg("dataset", sets) == 0
    told = capsys.readouterr()
    card = open_dataset(sets).card
    first, *lines = told.out.splitlines()
    assert first == f"sets: astro_rcnn, 4 images, digest {card.digest}"
    assert "  settings: validation 0.2" in lines
    (training,) = [line for line in lines if line.startswith("  training: 3 images; ")]
    galaxy = card.parts["training"].pixels["galaxy"] / (3 * 48 * 48)
    assert f"galaxy {galaxy:.2%}" in training and "of 6,912 labelled pixels" in training
    assert training.endswith("3 stars; 3 galaxies")
    (validation,) = [line for line in lines if line.startswith("  validation: 1 image; ")]
    assert validation.endswith("1 star; 1 galaxy")
    assert "1 finding, for 1 of which something is left out:" in lines
    assert "  left out: set_3: lacks img_r.fits; add it, or remove the set" in lines
    assert told.err == ""  # no terminal, so no progress


def test_json_and_the_written_card_are_those_of_the_dataset(sets, tmp_path, capsys):
    out = tmp_path / "new" / "card.json"
    assert astroseg("dataset", sets, "--json", "--out", out) == 0
    told = json.loads(capsys.readouterr().out)
    data = open_dataset(sets)
    assert DatasetCard.from_json(json.dumps(told["card"])) == data.card
    assert DatasetCard.from_json(out.read_text()) == data.card
    assert [f"{each['file']}: {each['what']}; {each['remedy']}" for each in told["findings"]] == (
        data.report
    )
    assert [each["left_out"] for each in told["findings"]] == [True]


def test_a_sound_folder_is_said_to_be_sound(tmp_path, capsys):
    write_four_maps(tmp_path)
    assert astroseg("dataset", tmp_path) == 0
    told = capsys.readouterr().out
    assert "four_maps" in told and "unlabelled" in told and told.endswith("nothing is wrong\n")


def test_a_threshold_of_votes_changes_what_is_learnt(tmp_path, capsys):
    write_galaxies(tmp_path)
    shares = []
    for threshold in (1, 5):
        assert astroseg("dataset", tmp_path, "--threshold", threshold, "--json") == 0
        card = DatasetCard(**json.loads(capsys.readouterr().out)["card"])
        shares.append(card.balance()["spiral"])
    assert shares == [60 / 720, 0]  # four people drew it
    assert astroseg("dataset", tmp_path, "--threshold", 0) == 1
    assert "give a threshold from 1 up" in capsys.readouterr().err


def test_a_catalogue_may_lie_elsewhere(tmp_path, capsys):
    folder = tmp_path / "tiles"
    write_tile(folder, 0.0)
    catalogue = tmp_path / "mine.dat"
    catalogue.write_text(bubble_row(1, 359.9, 0.1, 2.0))
    assert astroseg("dataset", folder) == 1
    assert "has no catalogue of bubbles" in capsys.readouterr().err
    assert astroseg("dataset", folder, "--catalogue", catalogue) == 0
    assert "1 image; 1 bubble" in capsys.readouterr().out


def test_non_bubbles_are_drawn_and_dropped(tmp_path, capsys):
    folder = tmp_path / "tiles"
    for lon in (0.0, 3.0):
        write_tile(folder, lon)
    (folder / "bubbles.dat").write_text(bubble_row(1, 359.9, 0.1, 2.0))
    assert astroseg("dataset", folder, "--drop", "1") == 1
    assert "draw and choose non-bubbles first" in capsys.readouterr().err
    assert astroseg("dataset", folder, "--non-bubbles", 30, "--classes", 3, "--drop", "2") == 0
    lines = capsys.readouterr().out.splitlines()
    choice = Choice.read(folder)
    assert choice.kept == (0, 2)
    at = lines.index(f"non-bubbles: 3 classes, digest {choice.digest}")
    assert [line.split(":")[0].strip() for line in lines[at + 1 :]] == ["1", "2", "3"]
    assert lines[at + 2].endswith("px, dropped") and lines[at + 3].endswith("px, weight 1")
    with Image.open(folder / "non_bubbles.png") as picture:
        assert picture.size == (16 * 66 - 2, 3 * 66)
    assert astroseg("dataset", folder, "--non-bubbles", 30) == 1
    assert "is there already; remove it" in capsys.readouterr().err
    assert astroseg("dataset", folder, "--drop", "", "--json") == 0
    told = json.loads(capsys.readouterr().out)["non_bubbles"]
    assert [each["dropped"] for each in told["classes"]] == [False] * 3
    assert told["notes"] == []
    assert told["digest"] == Choice.read(folder).digest
    (folder / "non_bubbles.json").unlink()
    (folder / "bubbles.dat").write_text(
        "\n".join(bubble_row(n, lon, 0.0, 16.0) for n, lon in enumerate((0.0, 3.0), 1))
    )
    assert astroseg("dataset", folder, "--non-bubbles", 500, "--classes", 3) == 0
    assert "of 500 crops found a place" in capsys.readouterr().out.splitlines()[-1]
    for words, reason in (("x", "names no classes"), ("4", "there is no class 4")):
        assert astroseg("dataset", folder, "--drop", words) == 1
        assert reason in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["nowhere"], "is no folder"),
        (["sets", "--layout", "cows"], "use one of bubbles, astro_rcnn"),
        (["sets", "--layout", "gz3d"], "name the folder above"),
        (["sets", "--out", "sets"], "cannot be written"),
    ],
)
def test_what_cannot_be_is_one_line_and_status_one(words, reason, sets, capsys, monkeypatch):
    monkeypatch.chdir(sets.parent)
    assert astroseg("dataset", *words) == 1
    told = capsys.readouterr()
    assert told.out == "" and reason in told.err and len(told.err.splitlines()) == 1


def test_a_folder_of_which_nothing_can_be_used_is_reported_and_is_status_one(tmp_path, capsys):
    place = write_set(tmp_path, 0)
    for band in "grz":
        (place / f"img_{band}.fits").write_bytes(b"no FITS")
    assert astroseg("dataset", tmp_path, "--layout", "astro_rcnn") == 1
    told = capsys.readouterr()
    assert "astro_rcnn, 0 images" in told.out and "left out: set_0: " in told.out
    assert "nothing that can be learnt from" in told.err
