"""What an empty window offers, and the sheet of all keys."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import job_threads, own_settings, sky, spin
from gui.test_sessions import write
from napari.components import ViewerModel
from qtpy.QtCore import QMimeData, QPointF, Qt, QUrl
from qtpy.QtGui import QDropEvent
from qtpy.QtWidgets import QPushButton, QWidget

from napari_astroseg.gui import layers
from napari_astroseg.gui.comparing.seeing import SeeingBox
from napari_astroseg.gui.intake.recent import PROJECTS, Recent
from napari_astroseg.gui.keys import announced
from napari_astroseg.gui.keysheet import KeySheet
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.gui.vetting.actions import choose_key, key_pairs
from napari_astroseg.gui.welcome.page import WelcomePage
from napari_astroseg.gui.welcome.samples import SAMPLES, SampleMaker


@pytest.fixture
def page(
    own_settings: Path, qapp: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """The page over a widget of 800 × 600."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    covered = QWidget()
    qtbot.addWidget(covered)
    covered.resize(800, 600)
    covered.show()
    page = WelcomePage(ViewerModel(), covered)
    page.keeps = covered
    yield page
    page.shut_down()
    assert spin(lambda: not job_threads(), 15)


def rows(page: WelcomePage) -> dict[str, QPushButton]:
    return {row.text(): row for row in page.findChildren(QPushButton)}


def test_it_covers_an_empty_window_and_vanishes(page: Any, tmp_path: Path) -> None:
    image = write(tmp_path / "a.fits")
    Recent().add([str(image)])
    project = tmp_path / "work.astroseg.json"
    project.touch()
    Recent(name=PROJECTS).add([str(project)])
    busy = [True]
    page.wait_for(lambda: busy[0])
    page.judge()
    assert page.isHidden(), "something is being opened"
    busy[0] = False
    page.judge()
    assert page.isVisible()
    assert page.size() == page.keeps.size()
    page.keeps.resize(700, 500)
    assert spin(lambda: page.size() == page.keeps.size(), 15)
    asked: list[Any] = []
    page.places_wanted.connect(asked.append)
    page.files_wanted.connect(lambda: asked.append("files"))
    page.keys_wanted.connect(lambda: asked.append("keys"))
    there = rows(page)
    for name in ("a.fits", "work", "Open FITS images…", "Keys"):
        there[name].click()
    assert asked == [[str(image)], [str(project)], "files", "keys"]
    assert all(row.focusPolicy() & Qt.FocusPolicy.TabFocus for row in there.values())
    layers.add_image(page._viewer, sky(32))
    assert page.isHidden()
    page._viewer.layers.clear()
    assert page.isVisible(), "and comes again when all is closed"


def test_long_names_do_not_widen_it(page: Any, tmp_path: Path) -> None:
    image = write(tmp_path / f"{'long' * 40}.fits")
    Recent().add([str(image)])
    page.judge()
    row = rows(page)[image.name]
    assert spin(lambda: 0 < row.width() < page.width() / 2, 15)
    assert page.widget().width() <= page.width()
    assert "…" in row.written and image.name in row.toolTip()
    assert rows(page)["Keys"].written == "Keys"


def test_what_is_dropped_on_it_is_opened(page: Any, tmp_path: Path) -> None:
    page.judge()
    asked: list[Any] = []
    page.places_wanted.connect(asked.append)
    for name in ("a.fits", "work.astroseg.json", "notes.txt"):
        (tmp_path / name).touch()
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(tmp_path / name))])
        event = QDropEvent(
            QPointF(9, 9), Qt.DropAction.CopyAction, data,
            Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier,
        )  # fmt: skip
        page.dropEvent(event)
    assert asked == [[str(tmp_path / "a.fits")], [str(tmp_path / "work.astroseg.json")]]


@pytest.mark.once
def test_a_sample_is_made_once_and_opened(page: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    small = SAMPLES[0].__class__("Small", "filaments", 64, "a small one", ("_image.fits",))
    asked: list[Any] = []
    page.places_wanted.connect(asked.append)
    page.judge()
    page._make(small)
    assert "small" in page.told.text()
    assert spin(lambda: len(asked) == 1)
    (path,) = asked[0]
    first = Path(path).stat().st_mtime_ns
    page._make(small)
    assert len(asked) == 2
    assert Path(path).stat().st_mtime_ns == first
    twofold = replace(small, files=("_image.fits", "_truth.fits"))
    assert twofold.wanted([Path(path)]) == [], "what was left half made is none"
    assert {sample.kind for sample in SAMPLES} == {
        "filaments", "spirals", "bubbles", "multiband", "galaxies"
    }  # fmt: skip


def test_all_keys_are_on_one_sheet(own_settings: Path, qapp: Any, qtbot: Any) -> None:
    viewer = ViewerModel()
    box, dock = SeeingBox(viewer), MosaicDock(viewer)
    qtbot.addWidget(box)
    qtbot.addWidget(dock)
    sheet = KeySheet()
    qtbot.addWidget(sheet)
    assert "Compare: K: blink, or stop" in sheet.text
    assert "Open: Shift+S: the next stretch" in sheet.text
    assert "Open: Ctrl+L: go to a place" in sheet.text
    choose_key("real", "Shift+Y")
    assert ("Shift+Y", "real: it is what it is taken for") in key_pairs()
    box.untie()
    dock.shut_down()
    sheet.close()
