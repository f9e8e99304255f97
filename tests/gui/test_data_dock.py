"""DataDock: from a folder to its card, its stamps and its findings, and on to Train."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gui.fixtures_jobs import own_settings, spin
from layouts import write_set, write_stamps
from skies import write_four_maps

from napari_astroseg.gui.data import DataDock
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.sky.datasets.card import DatasetCard


@pytest.fixture
def dock(qtbot: Any, own_settings: Path) -> Any:
    dock = DataDock()
    qtbot.addWidget(dock)
    dock.show()
    yield dock
    dock.shut_down()


def looked_over(dock: DataDock, folder: Path) -> None:
    dock.folder.set_path(folder)
    dock.go.click()
    assert dock.busy
    assert not dock.go.isEnabled()
    assert spin(lambda: not dock.busy, 60)


def test_maps_are_looked_over_and_proposed_to_train(dock: Any, tmp_path: Path) -> None:
    assert "folder first" in dock.go.toolTip()
    assert "over first" in dock.learn.toolTip()
    write_four_maps(tmp_path / "maps", "a")
    looked_over(dock, tmp_path / "maps")
    assert dock.progress.words.text() == "Nothing is wrong"
    assert "four_maps" in dock.view.text()
    assert dock.stamps.count() > 1
    assert not dock.wrong.isVisibleTo(dock)
    dock.save_card(tmp_path / "card.json")
    assert DatasetCard.from_json((tmp_path / "card.json").read_text()) == dock.card
    dock.learn.click()
    recipe, folder = Proposals().latest()
    assert recipe.name == "filaments_small"
    assert folder == tmp_path / "maps"


def test_what_is_wrong_is_listed(dock: Any, tmp_path: Path) -> None:
    for number in range(2):
        write_set(tmp_path / "sets", number)
    (tmp_path / "sets" / "set_1" / "img_r.fits").write_bytes(b"nothing")
    looked_over(dock, tmp_path / "sets")
    assert dock.wrong.isVisibleTo(dock)
    assert "set_1" in dock.findings.item(0).text()
    assert dock.learn.isEnabled()
    (tmp_path / "stamps").mkdir()
    write_stamps(tmp_path / "stamps")
    looked_over(dock, tmp_path / "stamps")
    dock.learn.click()
    recipe, folder = Proposals().latest()
    assert recipe.name == "blended_galaxies_small"
    assert folder == tmp_path / "stamps"
    (tmp_path / "empty").mkdir()
    looked_over(dock, tmp_path / "empty")
    assert "is empty" in dock.progress.words.text()
    assert dock.card is None
    assert dock.stamps.count() == 0
