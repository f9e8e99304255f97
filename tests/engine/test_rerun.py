"""What a provenance says, from friends and from strangers, and how two answers differ."""

import json
from argparse import Namespace

import numpy as np
import pytest
from astropy.io import fits
from astropy.table import Table

from napari_astroseg.cli.main import parsed
from napari_astroseg.cli.rerun import words
from napari_astroseg.engine.rerun import Command, Difference, Provenance, differences
from napari_astroseg.errors import OutputError

SOUND = {"command": {"verb": "predict", "image": "/maps/a.fits", "model": "filaments"}}


def write(folder, told):
    path = folder / "provenance.json"
    path.write_text(told if isinstance(told, str) else json.dumps(told))
    return path


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("no JSON", "is no provenance of a prediction"),
        ("[" * 100_000, "is no provenance of a prediction"),
        ([1, 2], "is no provenance of a prediction"),
        (
            {"command": {"verb": "rm", "image": "a", "model": "b"}},
            "name one that `astroseg predict`",
        ),
        ({"command": SOUND["command"] | {"sharpening": 3}}, "asks for sharpening"),
    ],
)
def test_what_is_no_provenance_is_refused(tmp_path, told, said):
    with pytest.raises(OutputError, match=said):
        Provenance.read(write(tmp_path, told))


def test_an_absent_one_is_a_sentence(tmp_path):
    with pytest.raises(OutputError, match="that a prediction left"):
        Provenance.read(tmp_path)


def test_no_word_of_a_stranger_passes_for_an_option(tmp_path):
    bad = "--out=/somewhere/else"
    command = Command(verb="predict", image=bad, model="--force", window="-1,0,2,2", sky="--force")
    asked = Namespace(image=None, model=None, device=None)
    options = parsed(words(command.model_copy(update={"sky": None}), asked, tmp_path))
    assert options.out == tmp_path and options.images == [bad]
    assert options.model == ["--force"] and not options.force and options.window == "-1,0,2,2"


def test_changed_files_and_versions_are_told(tmp_path):
    kept, gone = tmp_path / "kept.fits", tmp_path / "gone.fits"
    kept.write_bytes(b"other")
    inputs = [{"path": str(path), "sha256": "0" * 64} for path in (kept, gone)]
    told = SOUND | {"inputs": inputs, "versions": {"numpy": "1.0", "unknown": "2"}}
    read = Provenance.read(write(tmp_path, told))
    assert list(read.changed_inputs()) == [
        f"{kept} has changed since",
        f"{gone} is not there any more",
    ]
    assert list(read.changed_versions()) == [f"numpy 1.0 → {np.__version__}"]


def test_answers_are_held_against_each_other(tmp_path):
    then, now = tmp_path / "then", tmp_path / "now"
    values = np.array([[0.25, np.nan], [0.5, 0.75]], np.float32)
    for folder in (then, now):
        folder.mkdir()
        fits.CompImageHDU(values).writeto(folder / "same.fits")
        Table({"id": [1, 2], "name": ["a", "b"]}).write(folder / "same.ecsv")
        (folder / "preview.png").write_text(folder.name)
    names = ["same.fits", "same.ecsv", "preview.png", "../up.fits"]
    assert differences(then, now, names) == []
    fits.writeto(then / "map.fits", values)
    other = values.copy()
    other[0, 0], other[1, 1] = 0.5, np.nan
    fits.writeto(now / "map.fits", other)
    Table({"name": ["a", "b"]}).write(then / "names.ecsv")
    Table({"name": ["a", "c"]}).write(now / "names.ecsv")
    Table({"id": [1]}).write(then / "rows.ecsv")
    Table({"id": [1, 2]}).write(now / "rows.ecsv")
    for folder, second in ((then, 1.0), (now, np.nan)):
        table = Table({"x": np.ma.masked_invalid([0.5, second])}, masked=True)
        table["x"].data.data[1] = 1.0
        table.write(folder / "gaps.ecsv")
    fits.writeto(then / "one.fits", values)
    files = ["map.fits", "names.ecsv", "rows.ecsv", "gaps.ecsv", "one.fits"]
    assert differences(then, now, files) == [
        Difference("map.fits", "1 of 4 values, by at most 0.25, 1 missing in one only"),
        Difference("names.ecsv", "column name: 1 of 2 values"),
        Difference("rows.ecsv", "1 rows then, 2 now"),
        Difference("gaps.ecsv", "column x: missing in one of them only"),
        Difference("one.fits", f"not in {now}"),
    ]
