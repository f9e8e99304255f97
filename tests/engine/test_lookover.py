"""A folder looked over: card, findings and stamps as plain values that go through a pipe."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from layouts import write_galaxies, write_set

from napari_astroseg.engine.events import Finished, Preparing
from napari_astroseg.engine.lookover import look_over
from napari_astroseg.errors import DataError
from napari_astroseg.sky.datasets.card import DatasetCard


def test_sets_are_looked_over(tmp_path: Path) -> None:
    for number in range(3):
        write_set(tmp_path, number)
    (tmp_path / "set_2" / "img_r.fits").write_bytes(b"nothing")
    *before, last = look_over(tmp_path, count=4, picture_px=32)
    assert any(isinstance(event, Preparing) for event in before)
    assert isinstance(last, Finished)
    result = pickle.loads(pickle.dumps(last.result))
    card = DatasetCard.from_json(result["card"])
    assert card.layout == "astro_rcnn"
    assert card.items == 2
    assert any("set_2" in sentence for sentence in result["findings"])
    parts = [part for part, _, _ in result["stamps"]]
    assert set(parts) == {"training", "validation"}
    assert all(picture.shape == (32, 32, 3) for _, _, picture in result["stamps"])
    assert all(picture.any() for _, _, picture in result["stamps"])


def test_no_stamp_is_shown_twice(tmp_path: Path) -> None:
    for number in range(4):
        write_set(tmp_path, number)  # each smaller than a stamp: there is one of it
    *_, last = look_over(tmp_path, count=12)
    assert sorted(name for _, name, _ in last.result["stamps"]) == [f"set_{n}" for n in range(4)]


def test_a_folder_of_nothing_known_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="is empty"):
        list(look_over(tmp_path))


def test_a_threshold_is_taken(tmp_path: Path) -> None:
    write_galaxies(tmp_path)
    *_, last = look_over(tmp_path, threshold=2, count=1)
    assert DatasetCard.from_json(last.result["card"]).settings["threshold"] == 2
