"""Measuring: the figures are those of the sky floor, and table, plot and map are one."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import astropy.units as u
import numpy as np
import pyqtgraph as pg
import pytest
from astropy.table import QTable
from gui.fixtures_jobs import sky, spin
from qtpy.QtCore import QEvent, QPoint, QPointF, Qt
from qtpy.QtGui import QGuiApplication, QMouseEvent
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_astroseg.engine.events import TileDone
from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.comparing import measuring
from napari_astroseg.gui.comparing.measure import MeasureBox
from napari_astroseg.gui.comparing.plot import ContrastPlot
from napari_astroseg.gui.comparing.regions import Numbered
from napari_astroseg.gui.comparing.rows import CatalogueModel
from napari_astroseg.gui.comparing.table import CatalogueTable
from napari_astroseg.gui.predicting import overlays
from napari_astroseg.gui.predicting.click import ClickMode
from napari_astroseg.gui.predicting.cuts import Cut
from napari_astroseg.gui.predicting.overlays import Overlay
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.comparing.contrast import contrast
from napari_astroseg.sky.comparing.coverage import coverage
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.structures import label_structures
from napari_astroseg.sky.window import Window

pytestmark = pytest.mark.gui

SIDE = 300
PLACES = {3: (40, 60, 0.6), 7: (150, 120, 0.9), 12: (220, 240, 1.5), 20: (90, 210, 1.0)}
"""Number on the map: row, column, and how bright the second image is there."""


def numbered() -> np.ndarray:
    """Four structures of 9 × 21 pixels, with gaps between their numbers."""
    labels = np.zeros((SIDE, SIDE), np.int32)
    for number, (row, column, _) in PLACES.items():
        labels[row - 4 : row + 5, column - 10 : column + 11] = number
    return labels


def infrared(seed: int = 0, name: str = "8 µm") -> SkyImage:
    """Noise around 10, darker or brighter in the structures, on the first image's grid."""
    values = 10.0 + np.random.default_rng(seed).normal(0.0, 0.4, (SIDE, SIDE))
    labels = numbered()
    for number, (_, _, factor) in PLACES.items():
        values[labels == number] *= factor
    return SkyImage.from_array(values.astype(np.float32), sky(SIDE).wcs, "MJy/sr", name)


@pytest.fixture
def shown(viewer: Any) -> Any:
    """A viewer with an image, its infrared view and a Labels layer of structures over them."""
    layers.add_image(viewer, sky(SIDE))
    layers.add_image(viewer, infrared())
    viewer.add_labels(numbered(), name="regions")
    return viewer


@pytest.fixture
def boxes(viewer: Any) -> Iterator[Any]:
    """Makes boxes in the viewer's window."""
    made: list[MeasureBox] = []

    def make() -> MeasureBox:
        box = MeasureBox(viewer)
        viewer.window.add_dock_widget(box, name="Measure", area="right")
        spin(lambda: False, 0.05)
        made.append(box)
        return box

    yield make
    for box in made:
        box.untie()


@pytest.fixture
def box(shown: Any, boxes: Any) -> MeasureBox:
    """A box that has measured."""
    made: MeasureBox = boxes()
    measured(made)
    return made


def measured(box: MeasureBox) -> Catalogue:
    box.question.start.click()
    assert spin(lambda: not box.busy, 120)  # the first of all compiles
    assert box.found is not None, box.progress.words.text()
    return box.found.catalogue


def layer(viewer: Any, name: str) -> Any:
    return viewer.layers[name]


def centre(viewer: Any) -> tuple[float, float]:
    """World x, y in the middle of the canvas."""
    camera = camera_of(viewer)
    return float(camera.center[-1]), float(camera.center[-2])


def look_at(viewer: Any, x: float, y: float, zoom: float = 4.0) -> None:
    camera = camera_of(viewer)
    camera.zoom, camera.center = zoom, (y, x)
    spin(lambda: False, 0.1)


def canvas(viewer: Any) -> Any:
    return viewer.window._qt_viewer.canvas.native


def drag(widget: Any, start: QPoint, across: int) -> None:
    """Press, move and let go; QTest's own moves hold no button on every Qt."""
    button, none = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QTest.mousePress(widget, button, pos=start)
    for x in range(0, across + 1, 20):
        at = start + QPoint(x, 0)
        places = QPointF(at), QPointF(widget.mapToGlobal(at))
        move = QMouseEvent(QEvent.Type.MouseMove, *places, Qt.MouseButton.NoButton, button, none)
        QApplication.sendEvent(widget, move)
        spin(lambda: False, 0.02)
    QTest.mouseRelease(widget, button, pos=start + QPoint(across, 0))


def test_the_figures_are_those_of_contrast(box: MeasureBox, shown: Any) -> None:
    table = box.found.catalogue.table
    expected = contrast(numbered(), infrared().pixels)
    assert table["id"].tolist() == expected.ids.tolist() == sorted(PLACES)
    for name in ("contrast", "significance", "difference", "error", "ring"):
        column = table[f"{name}_8_um"]
        np.testing.assert_array_equal(getattr(column, "value", column), getattr(expected, name))
    assert table["ring_8_um"].unit == u.MJy / u.sr
    dark, faint, bright, none = (table["contrast_8_um"][i] for i in range(4))
    assert dark == pytest.approx(-0.4, abs=0.02) and faint == pytest.approx(-0.1, abs=0.02)
    assert bright == pytest.approx(0.5, abs=0.02) and abs(none) < 0.02
    assert "score" not in table.colnames  # nobody predicted these
    assert box.progress.words.text() == "8 µm: 2 dark and 1 bright by 3 σ, 1 neither."
    shown_text = box.table.rows.data(box.table.rows.index(0, 1), Qt.ItemDataRole.DisplayRole)
    assert box.table.rows.names[:3] == ["id", "contrast_8_um", "significance_8_um"]
    assert shown_text == f"{dark:.3f}".replace("-", "−")

    box.question.gap.setValue(5)
    box.question.ring.setValue(9)
    table = measured(box).table
    expected = contrast(numbered(), infrared().pixels, gap_px=5, ring_px=9)
    np.testing.assert_array_equal(table["significance_8_um"], expected.significance)


@pytest.mark.parametrize("as_mask", [False, True])
def test_a_prediction_is_measured_in_its_window(
    viewer: Any, boxes: Any, monkeypatch: pytest.MonkeyPatch, as_mask: bool
) -> None:
    monkeypatch.setattr(overlays, "CONTOUR_PX", 0)  # outlines have to be compiled first
    if as_mask:
        monkeypatch.setattr(overlays, "LABELS_PX", 100)
    image, window = sky(SIDE), Window(20, 10, 270, 250)
    base = layers.add_image(viewer, image)
    layers.add_image(viewer, infrared())
    probability = np.where(numbered() > 0, 0.9, 0.1).astype(np.float32)[window.slices]
    overlay = Overlay(viewer, base, image, window, "model", Cut(0.5, 10))
    overlay.put(TileDone(Window(0, 0, *window.shape[::-1]).moved(window.x, window.y),
                         probability[None], 1, 1))  # fmt: skip
    assert spin(lambda: overlay.settled)
    made = boxes()

    assert made.question.structures.count() == 1
    assert [each.name for each in made.question.images.ticked()] == ["8 µm"]
    table = measured(made).table

    labels = label_structures(probability, 0.5, 10)
    expected = contrast(labels, infrared().cutout(window))
    np.testing.assert_allclose(table["significance_8_um"], expected.significance)
    np.testing.assert_allclose(table["score"], 0.9, atol=1e-6)
    assert table.meta == {"image": image.name, "model": "model", "threshold": 0.5}
    rows = {(round(row["y"]), round(row["x"])) for row in table}
    assert rows == {place[:2] for place in PLACES.values()}
    entry = made.found.entry_at(120.0, 150.0)
    assert table["x"][entry] == pytest.approx(120) and table["y"][entry] == pytest.approx(150)
    overlay.remove()


def test_the_parts_of_a_mask_are_its_structures_if_it_has_any(viewer: Any, boxes: Any) -> None:
    layers.add_image(viewer, sky(SIDE))
    layers.add_image(viewer, infrared())
    viewer.add_labels((numbered() > 0).astype(np.uint8), name="truth")
    made = boxes()
    assert measured(made).table["id"].tolist() == [1, 2, 3, 4]
    assert made.both.isVisible()
    layer(viewer, "truth").data = np.zeros((SIDE, SIDE), np.uint8)
    assert len(measured(made)) == 0 and not made.both.isVisible()


def test_an_image_of_numbered_regions_is_measured_and_another_refused(
    viewer: Any, boxes: Any
) -> None:
    grid = sky(SIDE).wcs
    layers.add_image(viewer, sky(SIDE))
    layers.add_image(viewer, infrared())
    layers.add_image(viewer, SkyImage.from_array(numbered(), grid, name="regions.fits"))
    noise = np.random.default_rng(1).normal(size=(SIDE, SIDE)).astype(np.float32)
    layers.add_image(viewer, SkyImage.from_array(noise, grid, name="noise"))
    mask = SkyImage.from_array((numbered() > 0).astype(np.uint8), grid, name="mask.fits")
    layers.add_image(viewer, mask)
    made = boxes()
    made.question.structures.choose(layer(viewer, "regions.fits"))
    assert [each.name for each in made.question.images.ticked()] == ["noise", "8 µm"]
    made.question.images.tick(layer(viewer, "noise"), on=False)
    assert measured(made).table["id"].tolist() == sorted(PLACES)

    made.question.structures.choose(layer(viewer, "noise"))
    made.question.start.click()
    assert spin(lambda: not made.busy)
    assert "holds values between whole numbers" in made.progress.words.text()


def test_original_regions_are_compared(box: MeasureBox, shown: Any) -> None:
    original = np.zeros((SIDE, SIDE), np.int32)
    original[140:152, 100:130] = 500
    original[10:20, 250:260] = 9
    shown.add_labels(original, name="known")
    box.question.structures.choose(layer(shown, "regions"))
    box.question.original.choose(layer(shown, "known"))

    table = measured(box).table

    arcmin = sky(SIDE).pixel_scale_arcsec / 60.0 * u.arcmin
    expected = coverage(original, numbered(), arcmin**2)
    np.testing.assert_array_equal(table["covered"], expected.predicted.covered)
    assert table["original_ids"].tolist() == ["", "500", "", ""]
    assert expected.sentence[1:] in box.progress.words.text()


def test_what_lacks_is_said_where_it_is_disabled(viewer: Any, boxes: Any) -> None:
    made = boxes()
    start = made.question.start
    assert not start.isEnabled() and "no structures yet" in start.toolTip()
    viewer.add_labels(numbered(), name="regions")
    assert not start.isEnabled() and "Tick an image" in start.toolTip()
    layers.add_image(viewer, SkyImage.from_array(np.ones((50, 60)), name="small"))
    assert not made.question.images.fitting() and not start.isEnabled()
    layers.add_image(viewer, infrared())
    assert start.isEnabled()
    made.question.original.choose(layer(viewer, "regions"))
    assert not start.isEnabled() and "themselves" in start.toolTip()
    made.question.original.setCurrentIndex(0)
    layer(viewer, "regions").translate = (0.5, 0.0)
    made.question.structures.refresh()
    assert not start.isEnabled() and "whole pixels" in start.toolTip()
    assert not made.save.isEnabled() and "measure first" in made.save.toolTip()


def test_a_row_goes_to_the_map_and_keeps_the_zoom(box: MeasureBox, shown: Any) -> None:
    look_at(shown, 60, 40, zoom=8.0)
    entry = sorted(PLACES).index(12)
    box.table.selectRow(box.table.rows.row(entry))

    row, column, _ = PLACES[12]
    assert centre(shown) == pytest.approx((column, row), abs=0.01)
    assert camera_of(shown).zoom == 8.0
    outline = box.map.outline
    assert spin(outline.isVisible)
    middle = outline.geometry().center()
    at = canvas(shown).rect().center()
    assert abs(middle.x() - at.x()) <= 8 and abs(middle.y() - at.y()) <= 8
    assert outline.width() == pytest.approx(21 * 8 + 12, abs=3)
    assert box.plotted.points._mark.getData()[0][0] == box.found.catalogue.table[
        "significance_8_um"][entry]  # fmt: skip

    before = centre(shown)
    look_at(shown, before[0] + 3, before[1] + 2, zoom=8.0)
    box.pick(entry)
    assert centre(shown) == (before[0] + 3, before[1] + 2)  # it is in view


def test_a_click_on_the_map_selects_the_row(box: MeasureBox, shown: Any) -> None:
    row, column, _ = PLACES[7]
    box.table.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    look_at(shown, column, row)
    before = centre(shown)
    QTest.mouseClick(canvas(shown), Qt.MouseButton.LeftButton, pos=canvas(shown).rect().center())

    entry = sorted(PLACES).index(7)
    assert box.entry == entry
    chosen = box.table.selectionModel().selectedRows()
    assert [box.table.rows.entry(index.row()) for index in chosen] == [entry]
    assert box.table.visualRect(chosen[0]).intersects(box.table.viewport().rect())
    assert len(box.plotted.points._mark.getData()[0]) == 1
    assert centre(shown) == before

    look_at(shown, 5, 5)
    QTest.mouseClick(canvas(shown), Qt.MouseButton.LeftButton, pos=canvas(shown).rect().center())
    assert box.entry is None and not box.map.outline.isVisible()


def test_a_drag_and_a_click_that_means_something_else_select_nothing(
    box: MeasureBox, shown: Any
) -> None:
    row, column, _ = PLACES[7]
    look_at(shown, column, row)
    middle = canvas(shown).rect().center()
    drag(canvas(shown), middle, 80)
    assert centre(shown) != (column, row)  # napari panned
    assert box.entry is None

    look_at(shown, column, row)
    other = ClickMode(shown)
    places: list[Any] = []
    other.clicked.connect(places.append)
    other.set_on(True)
    QTest.mouseClick(canvas(shown), Qt.MouseButton.LeftButton, pos=middle)
    assert len(places) == 1 and box.entry is None
    other.set_on(False)
    QTest.mouseClick(canvas(shown), Qt.MouseButton.LeftButton, pos=middle)
    assert len(places) == 1 and box.entry is not None


def test_points_are_picked_and_axes_chosen(box: MeasureBox, shown: Any) -> None:
    look_at(shown, 150, 150, zoom=8.0)
    plot = box.plotted.points.plot
    table = box.found.catalogue.table
    entry = int(np.argmin(table["contrast_8_um"]))
    at = plot.getViewBox().mapViewToScene(
        pg.Point(table["significance_8_um"][entry],
                                      table["contrast_8_um"][entry])
    )  # fmt: skip
    place = plot.mapFromScene(at)
    QTest.mouseClick(plot.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert spin(lambda: box.entry == entry)
    row, column, _ = PLACES[int(table["id"][entry])]
    assert centre(shown) == pytest.approx((column, row), abs=0.01)

    plotted = box.plotted
    plotted.along.setCurrentText("Area")
    assert plotted.points.plot.getAxis("bottom").labelText == "area (arcmin²)"
    np.testing.assert_array_equal(plotted.points._x, table["area"].value)
    plotted.up.setCurrentText("Significance")
    np.testing.assert_array_equal(plotted.points._y, table["significance_8_um"])
    assert plotted.points._lines[0, -3.0].isVisible()
    assert not plotted.points._lines[90, -3.0].isVisible()
    drawn = {kind: len(points.getData()[0]) for kind, points in plotted.points._points.items()}
    assert drawn == {"dark": 2, "bright": 1, "unsure": 1}


def test_sorting_keeps_the_selection_and_puts_the_unknown_last(qtbot: Any) -> None:
    view = CatalogueTable()
    qtbot.addWidget(view)
    table = QTable({"id": [4, 5, 6, 7], "x": np.zeros(4), "y": np.zeros(4)})
    table["contrast_a"] = [0.2, np.nan, -0.5, 0.1]
    table["ring_a"] = [1.0, 2.0, np.nan, 4.0] * u.Jy
    view.show_catalogue(Catalogue(table))
    heard: list[Any] = []
    view.picked.connect(heard.append)
    view.selectRow(2)
    assert heard == [2] and view.entry == 2

    def ids() -> list[str]:
        return [view.rows.data(view.rows.index(row, 0)) for row in range(4)]

    view.sortByColumn(1, Qt.SortOrder.AscendingOrder)
    assert ids() == ["6", "7", "4", "5"] and view.entry == 2 and view.currentIndex().row() == 0
    view.sortByColumn(1, Qt.SortOrder.DescendingOrder)
    assert ids() == ["4", "7", "6", "5"] and view.entry == 2 and view.currentIndex().row() == 2
    assert heard == [2]
    assert view.rows.data(view.rows.index(3, 1)) == "–"
    across = Qt.Orientation.Horizontal
    ring = view.rows.names.index("ring_a")
    assert view.rows.headerData(ring, across) == "ring (Jy)\na"
    view.selectAll()
    view.copy_rows()
    lines = QGuiApplication.clipboard().text().splitlines()
    assert lines[0].split("\t") == ["id", "contrast_a", "x", "y", "ring_a (Jy)"]
    assert lines[4].split("\t") == ["5", "nan", "0.0", "0.0", "2.0"]


def test_many_rows_are_copied_behind_the_scenes(qtbot: Any) -> None:
    view = CatalogueTable()
    qtbot.addWidget(view)
    count = 3000
    view.show_catalogue(Catalogue(QTable({name: np.arange(count) for name in ("id", "x", "y")})))
    QGuiApplication.clipboard().clear()
    view.selectAll()
    view.copy_rows()
    assert spin(lambda: QGuiApplication.clipboard().text().count("\n") == count + 1)
    view.untie()


def test_the_catalogue_is_written_or_it_is_said_why_not(box: MeasureBox, tmp_path: Path) -> None:
    contrasts = box.found.catalogue.table["contrast_8_um"]
    for ending in (".ecsv", ".fits", ".vot", ".csv"):
        file = tmp_path / f"compared{ending}"
        box.write(file)
        assert spin(lambda: not box.busy)
        assert box.progress.words.text() == f"4 structures written to {file}"
        again = Catalogue.read(file)
        np.testing.assert_allclose(again.table["contrast_8_um"], contrasts)
        assert again.frame == "galactic" and again.table["id"].tolist() == sorted(PLACES)
    box.write(tmp_path / "compared.doc")
    assert spin(lambda: not box.busy)
    assert "no catalogue format ends in '.doc'" in box.progress.words.text()


class Held:
    """Work that goes on until it is told to stop."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.calls = threading.Event(), 0
        self._found = measuring.found
        monkeypatch.setattr("napari_astroseg.gui.comparing.measure.found", self)

    def __call__(self, wish: Any, progress: Any) -> Any:
        self.calls += 1
        self.begun.set()
        if self.calls > 1:
            return self._found(wish, progress)
        pause = threading.Event()
        for step in range(2000):
            progress("measuring in the dark", step, 2000)
            pause.wait(0.01)
        raise AstroSegError("nobody stopped it; look at the test")


def test_the_running_one_gives_way_to_a_new_one_and_to_cancel(
    shown: Any, boxes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    made = boxes()
    made.question.start.click()
    assert spin(held.begun.is_set)
    assert spin(lambda: "in the dark" in made.progress.words.text())
    made.question.ring.setValue(6)
    assert len(measured(made).table) == 4
    assert held.calls == 2 and made.found.wish.ring_px == 6

    before, held.calls = made.found, 0
    made.question.start.click()
    assert made.busy
    made.progress.button.click()
    assert spin(lambda: not made.busy)
    assert made.progress.words.text() == "Stopped" and made.found is before


def test_closing_while_measuring_leaves_nothing(
    shown: Any, boxes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = Held(monkeypatch)
    made = boxes()
    callbacks = len(shown.mouse_drag_callbacks)
    made.question.start.click()
    assert spin(held.begun.is_set)
    made.untie()
    shown.layers.clear()
    assert not [each for each in threading.enumerate() if "Thread-" in each.name and each.daemon
                and each.is_alive() and "_work" in each.name]  # fmt: skip
    assert len(shown.mouse_drag_callbacks) == callbacks
    assert made.question.structures.count() == 1  # it follows the viewer no more


def test_regions_that_change_or_go_leave_the_table(box: MeasureBox, shown: Any) -> None:
    box.pick(1)
    assert spin(box.map.outline.isVisible)
    layer(shown, "regions").data = np.roll(numbered(), 3)
    assert "measure again" in box.progress.words.text()
    shown.layers.remove("regions")
    assert not box.map.outline.isVisible()
    assert box.table.rows.rowCount() == 4 and box.save.isEnabled()


def test_regions_are_cut_to_a_window_and_missing_beyond_their_own() -> None:
    missing = numbered() == 12
    known = Numbered(numbered(), np.arange(1, 21), missing=missing)
    own, wanted = Window(100, 50, SIDE, SIDE), Window(90, 180, 250, 400)
    labels, unknown = known.within(own, wanted)
    whole = np.zeros((700, 700), np.int32)
    whole[own.slices] = numbered()
    np.testing.assert_array_equal(labels, whole[wanted.slices])
    beyond = np.ones((700, 700), bool)
    beyond[own.slices] = missing
    np.testing.assert_array_equal(unknown, beyond[wanted.slices])
    assert known.within(own, Window(0, 0, 50, 50))[1].all()


def test_the_model_counts_only_its_own(qtbot: Any) -> None:
    model = CatalogueModel()
    assert model.rowCount() == model.columnCount() == 0
    model.show_catalogue(Catalogue(QTable({"id": [1], "x": [2.0], "y": [3.0]})))
    assert model.rowCount(model.index(0, 0)) == 0 and model.rowCount() == 1


def test_sure_points_are_in_the_first_view_or_counted(qtbot: Any) -> None:
    plot = ContrastPlot()
    qtbot.addWidget(plot)
    plot.resize(300, 250)
    plot.show()
    dice = np.random.default_rng(2)
    significance = np.concatenate([dice.uniform(-2, 2, 400), [-9.0, 7.0, -5000.0]])
    contrasts = np.concatenate([dice.uniform(-0.2, 0.2, 400), [-0.5, 0.6, -0.4]])
    plot.show_axes("significance", "contrast", sigma_x=True, sigma_y=False)
    plot.show_points(significance, contrasts, significance)
    (left, right), (low, high) = plot.plot.viewRange()
    assert -20 < left < -9 and 7 < right < 20
    assert low < -0.5 and high > 0.6
    assert plot.beyond.isVisible() and plot.beyond.text() == "1 beyond the edge"
    plot.plot.setRange(xRange=(-6000, 10), yRange=(-1, 1))
    assert not plot.beyond.isVisible()


def test_an_empty_plot_can_be_clicked(qtbot: Any) -> None:
    plot = ContrastPlot()
    qtbot.addWidget(plot)
    assert plot.nearest(10.0, 10.0) is None
    plot.show_points(np.array([np.nan]), np.array([1.0]), np.array([np.nan]))
    plot.show_entry(0)
    assert plot.nearest(10.0, 10.0) is None
