"""ResultsDock: from a model and data to figures, plots and the worst image in the viewer."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluations import made_up
from gui.fixtures_jobs import model, own_settings, sky, spin, viewer
from qtpy.QtWidgets import QApplication

from napari_astroseg.engine.report.files import JSON_FILE, as_json
from napari_astroseg.engine.report.view import View
from napari_astroseg.gui.results import ResultsDock
from napari_astroseg.gui.resultsview.kept import evaluations_folder, kept, names_of
from napari_astroseg.sky.window import Window


@pytest.fixture
def dock(viewer: Any, model: Path) -> Any:
    dock = ResultsDock(viewer, "gui.fake_work:measure", "gui.fake_work:look")
    viewer.window.add_dock_widget(dock, name="Results", area="right")
    assert spin(lambda: not dock.busy)
    yield dock
    dock.shut_down()


def keep(name: str, layout: str, **changes: Any) -> Path:
    """An evaluation in its place, as if it had been made earlier."""
    folder = evaluations_folder() / name
    folder.mkdir(parents=True)
    (folder / JSON_FILE).write_text(as_json(made_up(layout, **changes)), encoding="utf-8")
    return folder


def show(dock: ResultsDock, folder: Path) -> None:
    dock.show_folder(folder)
    assert spin(lambda: not dock.busy)


def titles(dock: ResultsDock) -> list[str]:
    return [dock.tabs.tabText(at) for at in range(dock.tabs.count())]


def test_a_model_is_measured_and_its_worst_images_are_opened(
    dock: Any, viewer: Any, tmp_path: Path
) -> None:
    assert not dock.go.isEnabled() and "folder of data" in dock.go.toolTip()
    assert not dock.export.isEnabled() and "Evaluate a model first" in dock.export.toolTip()
    dock.models.choose_named("fake")
    dock.data.set_path(tmp_path)
    dock.go.click()
    assert dock.busy and "runs already" in dock.go.toolTip()
    assert spin(lambda: not dock.busy, 90)
    assert kept() == [evaluations_folder() / "fake-1"]
    assert dock.shown.currentText() == "fake-1"
    assert dock.figures.rows()[0] == ["Dice", "0.717 ± 0.027", ""]
    assert titles(dock)[2:] == ["Pixels", "Structures", "Precision and recall", "ROC"]
    assert dock.worst.rows()[0] == ["<b>_image.fits [0, 0, 64, 64]", "0.100", "–"]
    before = list(viewer.layers)
    dock.worst.itemActivated.emit(dock.worst.item(1, 0))  # a_image.fits
    assert spin(lambda: not dock.busy, 90)
    image, truth, found = dock.unit_layers
    assert (truth.data.shape, found.data.shape) == ((64, 64), (64, 64))
    assert "amber" in dock.progress.words.text()
    boxes = np.array([[10.0, 20, 30, 40]])
    dock._seen({"view": View(sky(100), Window(0, 0, 100, 100), boxes, boxes + 5.0)})
    assert spin(lambda: not dock.busy, 60)
    _, truth, found = dock.unit_layers
    assert len(viewer.layers) == len(before) + 3 and image not in viewer.layers
    assert truth.data.shape == found.data.shape == (4, 2, 2)
    assert np.allclose(found.data[:, 0] - truth.data[:, 0], 5.0)


@pytest.mark.once
def test_two_are_seen_side_by_side_and_exported(dock: Any, tmp_path: Path) -> None:
    first = keep("a", "bubbles")
    second = keep("b", "bubbles", figures={"recall": 0.5, "f2": 0.25, "threshold": 0.5}, sizes=None)
    show(dock, first)
    dock._choose(dock.beside, second)
    dock.beside.activated.emit(dock.beside.currentIndex())
    assert spin(lambda: not dock.busy)
    heads = [dock.figures.horizontalHeaderItem(at).text() for at in range(4)]
    assert heads == ["Figure", "a", "b", "Paper"]
    rows = {row[0]: row[1:] for row in dock.figures.rows()}
    assert rows["recall"] == ["0.900 ± 0.050", "0.500 ± 0.050", "0.98"]
    assert rows["F2"] == ["–", "0.250", ""]
    assert titles(dock)[2:] == ["F2 over the score cut", "Catalogue bubbles by size"]
    dock.tabs.setCurrentIndex(2)
    assert spin(lambda: len(dock.tabs.currentWidget().drawn) == 2)
    scan = dock.tabs.currentWidget().drawn[0].getPlotItem()
    x, y = scan.listDataItems()[0].getOriginalDataset()
    assert (list(x), list(y)) == ([0.1, 0.5], [0.5, 0.75])
    dock.tabs.setCurrentIndex(3)  # the other has no sizes
    assert spin(lambda: len(dock.tabs.currentWidget().drawn) == 1)
    assert "no page" in dock.page.toolTip()
    dock.figures.selectRow(0)
    dock.figures.copy_rows()
    assert QApplication.clipboard().text().splitlines()[0] == "Figure\ta\tb\tPaper"
    dock.export_to(tmp_path / "out")
    assert spin(lambda: not dock.busy)
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {JSON_FILE, "evaluation.html", "f2-scan.png", "f2-scan.svg"} <= names


@pytest.mark.once
def test_evaluations_of_one_name_are_told_apart() -> None:
    assert names_of([Path("/a/x/1"), Path("/b/y/2")]) == ["1", "2"]
    assert names_of([Path("/a/x/1"), Path("/b/x/1")]) == ["a/x/1", "b/x/1"]
    assert names_of([Path("/1"), Path("/2/1")]) == ["/1", "2/1"]
    assert names_of([Path("1")]) == ["1"]
    assert names_of([]) == []


@pytest.mark.once
def test_what_cannot_be_shown_or_opened_is_told(dock: Any, tmp_path: Path) -> None:
    (tmp_path / JSON_FILE).write_text("{}")
    show(dock, tmp_path)
    assert "no evaluation of this package" in dock.progress.words.text()
    assert dock.figures.rowCount() == 0 and not dock.export.isEnabled()
    show(dock, keep("untold", "four_maps"))
    dock.worst.itemActivated.emit(dock.worst.item(0, 0))
    assert "does not tell its model" in dock.progress.words.text()


@pytest.mark.once
def test_every_layout_has_its_plots_drawn(dock: Any) -> None:
    for layout, drawn in (("gz3d", 5), ("astro_rcnn", 3), ("blended", 5)):
        show(dock, keep(layout, layout))
        assert dock.tabs.count() == 2 + drawn
        for at in range(2, dock.tabs.count()):
            dock.tabs.setCurrentIndex(at)
            assert spin(lambda: len(dock.tabs.currentWidget().drawn) == 1)


@pytest.mark.once
def test_measuring_is_stopped(viewer: Any, model: Path, tmp_path: Path) -> None:
    dock = ResultsDock(viewer, "gui.fake_work:part_slowly")
    dock.models.choose_named("fake")
    dock.data.set_path(tmp_path)
    dock.evaluate()
    assert spin(lambda: "/ 600" in dock.progress.bar.format())
    dock.progress.button.click()
    assert spin(lambda: not dock.busy)
    assert dock.progress.words.text() == "Stopped."
    assert kept() == []
    dock.shut_down()
