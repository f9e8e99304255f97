"""Many simulated skies: the same whoever makes them and when, and none of them twice."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from napari_astroseg.errors import AstroSegError, DataError, OutputError
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.simulate import making
from napari_astroseg.sky.simulate.filaments import write_filaments
from napari_astroseg.sky.simulate.kinds import KINDS, Kind, kinds_of
from napari_astroseg.sky.simulate.making import RECORD, iter_simulated

SIDES = {"filaments": 64, "spirals": 128, "galaxies": 256, "multiband": 96, "bubbles": 160}


def digests(folder: Path) -> dict[str, str]:
    """The bytes of all files but the record, whose lines may come in any order."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != RECORD)
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def write(out: Path, number: int, size: int, seed: int) -> list[Path]:
    path = out / f"{number}.txt"
    path.write_text(f"{size} {seed}")
    return [path]


@pytest.fixture
def texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kind whose items are a few letters."""
    kind = Kind("texts", "letters", "four_maps", 2, 8, 1, __name__, "")
    monkeypatch.setitem(KINDS, "texts", kind)
    monkeypatch.setattr(Kind, "write", lambda self, *given: write(*given))


@pytest.mark.parametrize("kind", list(KINDS))
def test_every_kind_opens_as_its_layout_without_findings(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("galsim") if kind in ("galaxies", "multiband") else None
    paths = list(iter_simulated(kind, tmp_path, 2, SIDES[kind], seed=6))
    assert paths
    assert all(path.is_file() for path in paths)
    dataset = open_dataset(tmp_path)
    assert dataset.layout == KINDS[kind].layout
    assert dataset.report == []
    assert [found.name for found in kinds_of(dataset.layout)] == [kind]


def test_several_processes_make_what_one_makes(tmp_path: Path) -> None:
    list(iter_simulated("filaments", tmp_path / "one", 3, 64, seed=2))
    list(iter_simulated("filaments", tmp_path / "two", 3, 64, seed=2, workers=2))
    write_filaments(tmp_path / "plain", 3, 64, seed=2)
    assert digests(tmp_path / "one") == digests(tmp_path / "two") == digests(tmp_path / "plain")


def test_who_is_stopped_goes_on_where_they_were(texts: None, tmp_path: Path) -> None:
    skies = iter_simulated("texts", tmp_path, 3)
    next(skies)
    skies.close()
    (tmp_path / "0.txt").write_text("kept")
    assert [path.name for path in iter_simulated("texts", tmp_path, 3)] == ["1.txt", "2.txt"]
    assert (tmp_path / "0.txt").read_text() == "kept"
    (tmp_path / "1.txt").unlink()
    assert [path.name for path in iter_simulated("texts", tmp_path, 4)] == ["1.txt", "3.txt"]


def test_a_line_that_a_killed_run_left_torn_is_passed_over(texts: None, tmp_path: Path) -> None:
    list(iter_simulated("texts", tmp_path, 2))
    record = tmp_path / RECORD
    record.write_text(record.read_text()[:-8])
    assert [path.name for path in iter_simulated("texts", tmp_path, 2)] == ["1.txt"]
    assert list(iter_simulated("texts", tmp_path, 2)) == []


def test_a_folder_of_other_skies_is_refused(texts: None, tmp_path: Path) -> None:
    list(iter_simulated("texts", tmp_path, 1, seed=1))
    with pytest.raises(DataError, match=r"seed 1, .* name another folder"):
        next(iter_simulated("texts", tmp_path, 1, seed=2))
    assert (tmp_path / "0.txt").read_text() == "8 1"


def test_a_catalogue_leaves_nobody_out(tmp_path: Path) -> None:
    size = SIDES["bubbles"]
    list(iter_simulated("bubbles", tmp_path, 3, size))
    (catalogue,) = tmp_path.glob("*.dat")
    whole = catalogue.read_bytes()
    list(iter_simulated("bubbles", tmp_path, 1, size))
    assert catalogue.read_bytes() == whole


def test_a_process_that_dies_costs_a_sentence_and_nothing_that_was_done(tmp_path: Path) -> None:
    kind = Kind("texts", "letters", "four_maps", 2, 8, 1, "dyingsky", "")
    with pytest.raises(OutputError, match="what is done is kept"):
        list(making._made(kind, tmp_path, [0, 1, 2], 8, 0, 2))


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (("cows", 1, 64), "filaments, "),
        (("filaments", 0, 64), "at least 1"),
        (("filaments", 1, 8), "at least 64 pixels"),
        (("filaments", 1, 64, -1), "give 0 or more"),
        (("filaments", 1, 64, 0, 0), "give 1 or more"),
    ],
)
def test_senseless_wishes_cost_a_sentence(
    given: tuple[str, int, int], says: str, tmp_path: Path
) -> None:
    kind, *numbers = given
    with pytest.raises(AstroSegError, match=says):
        next(iter_simulated(kind, tmp_path / "out", *numbers))
    assert not (tmp_path / "out").exists()


def test_a_record_of_a_stranger_does_no_harm(texts: None, tmp_path: Path) -> None:
    list(iter_simulated("texts", tmp_path, 1))
    with (tmp_path / RECORD).open("a") as file:
        file.write("\n" + json.dumps({"number": 1, "files": 7}) + '\n{"number": []}\n[1]\nx\n')
    assert [path.name for path in iter_simulated("texts", tmp_path, 2)] == ["1.txt"]
