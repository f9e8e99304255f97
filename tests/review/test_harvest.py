"""Verdicts become a folder that a network learns from: truth, and negatives that were rejected."""

from __future__ import annotations

import pytest
from layouts import bubble_row, write_tile

from napari_astroseg.cli.main import main
from napari_astroseg.errors import OutputError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.harvest import CATALOGUE, harvest
from napari_astroseg.review.outcome import Outcome
from napari_astroseg.review.session import VettingSession
from napari_astroseg.sky.clusters.choice import Choice
from napari_astroseg.sky.datasets.bubblecatalogue import read_bubbles
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.shapes.shape import Shape


@pytest.fixture
def folder(tmp_path):
    """Tiles of one degree, 30 arcsec a pixel, and three bubbles in them."""
    folder = tmp_path / "tiles"
    for lon in (1.0, 2.0, 3.0, 4.0, 5.0):
        write_tile(folder, lon)
    rows = [bubble_row(n, lon, 0.1, 2.0) for n, lon in enumerate((1.0, 2.0, 4.0))]
    (folder / "mwp.dat").write_text("\n".join(rows) + "\n")
    return folder


def test_truth_and_hard_negatives(folder, tmp_path, capsys):
    source = open_dataset(folder)
    training = {source.items[number].name for number in source.of("training")}
    lon = next(lon for lon in (1.0, 2.0, 4.0) if f"spitzer_{lon * 100:05.0f}+0000_rgb" in training)
    found = Detections.of(
        5, lon=[lon, lon + 0.2, lon - 0.2, 2.0 if lon != 2.0 else 4.0, 200.0],
        lat=[0.1, -0.2, -0.25, 0.1, 0.0], radius=[120.0, 90, 100, 120, 60], frame="galactic",
        names=["known", "new", "false", "wrong", "far"],
    )  # fmt: skip
    place = tmp_path / "verdicts.sqlite"
    with VettingSession(place, found, "Ada") as session:
        session.judge("revise", shape=Shape("circle", ((lon, 0.1),), (180.0,), frame="galactic"))
        session.judge("real")
        session.judge("not")
        session.judge("not")
        session.judge("not")
    out = tmp_path / "out"
    words = ["vet", "harvest", str(place), "--data", str(folder), "--out", str(out)]
    assert main([*words, "--negatives", "60", "--weight", "2"]) == 0
    told = capsys.readouterr().out
    assert "3 bubbles (1 added, 1 revised, 1 removed)" in told
    data = open_dataset(out)
    bubbles, refused = read_bubbles(out / CATALOGUE, out)
    assert not refused
    majors = sorted((round(each.lon, 2), each.major) for each in bubbles)
    assert (round(lon, 2), 3.0) in majors
    assert (round(lon + 0.2, 2), 1.5) in majors
    choice = Choice.read(out)
    stamps, chances = choice.stamps(data)  # it is of this folder, and all lie on training tiles
    choice.stamps(open_dataset(out, validation=0.1))  # as a recipe has it whose share is smaller
    anywhere, rejected = choice.classes
    assert rejected.weight == 2.0
    name, x, y, side = rejected.crops[0]
    image = next(item.image for item in data.items if item.name == name)
    middle = image.sky(x + (side - 1) / 2, y + (side - 1) / 2).spherical
    assert middle.lon.deg == pytest.approx(lon - 0.2, abs=0.01)
    assert middle.lat.deg == pytest.approx(-0.25, abs=0.01)
    assert side == pytest.approx(1.7 * 2 * 1.3 * 100 / 30, abs=1)
    assert chances[-len(rejected.crops) :].sum() == pytest.approx(2 / 3)
    assert len(stamps) == len(anywhere.crops) + len(rejected.crops)
    assert "no negative: they lie on no tile" in told
    outcome_again = [*words[:-1], str(tmp_path / "out")]
    assert main(outcome_again) == 1
    assert "there already" in capsys.readouterr().err


def test_a_bubble_that_one_detection_of_two_was_accepted_for_stays(folder, tmp_path):
    found = Detections.of(
        3, lon=[1.0, 1.004, 2.0], lat=[0.1] * 3, radius=[120.0] * 3, frame="galactic",
        names=["whole", "part", "wrong"],
    )  # fmt: skip
    with VettingSession(tmp_path / "v.sqlite", found, "Ada") as session:
        for verdict in ("real", "not", "not"):
            session.judge(verdict)
        made = harvest(Outcome.of(session.store, session.list), folder, tmp_path / "out", count=10)
    assert (made.bubbles, made.added, made.replaced, made.removed) == (2, 0, 0, 1)
    bubbles, _ = read_bubbles(made.folder / CATALOGUE, made.folder)
    assert sorted(round(each.lon, 3) for each in bubbles) == [1.0, 4.0]


def test_nothing_judged_is_nothing_to_learn_from(folder, tmp_path, detections, capsys):
    with VettingSession(tmp_path / "v.sqlite", detections, "Ada") as session:
        session.judge("unsure")
        outcome = Outcome.of(session.store, session.list)
    (tmp_path / "there").mkdir()
    with pytest.raises(OutputError, match="there already"):
        harvest(outcome, folder, tmp_path / "there")
    words = ["vet", "harvest", str(tmp_path / "v.sqlite"), "--data", str(folder)]
    assert main([*words, "--out", str(tmp_path / "out")]) == 1
    assert "judge some first" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_tiles_are_copied_where_there_are_no_links(folder, tmp_path, monkeypatch):
    def no_links(place, target):
        raise NotImplementedError("os.link() not available on this system")

    monkeypatch.setattr("pathlib.Path.hardlink_to", no_links)
    found = Detections.of(1, lon=[1.3], lat=[-0.2], radius=[90.0], frame="galactic")
    with VettingSession(tmp_path / "v.sqlite", found, "Ada") as session:
        session.judge("real")
        made = harvest(Outcome.of(session.store, session.list), folder, tmp_path / "out", count=10)
    tiles = [path for item in open_dataset(made.folder).items for path in item.files[:-1]]
    assert tiles and all(path.stat().st_nlink == 1 for path in tiles)
