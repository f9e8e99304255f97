"""The tour: walked by Next, by the real controls, and left in the middle."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from astropy.io import fits
from astropy.table import Table
from gui.fixtures_jobs import job_threads, own_settings, sky, spin
from gui.test_predict_dock import click
from gui.test_workspace import opened
from qtpy.QtCore import QEvent, QRect, Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication, QFileDialog, QWidget

from napari_astroseg.gui import settings, workspace
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.tour import guide
from napari_astroseg.gui.tour.card import Card
from napari_astroseg.gui.tour.guide import Guide
from napari_astroseg.gui.tour.tour import Tour
from napari_astroseg.gui.welcome.page import WelcomePage
from napari_astroseg.review.store import Store
from napari_astroseg.sky.window import Window

SIDE = 320


class FakePredict(PredictDock):
    """Its probability is the image's value."""

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__(napari_viewer, target="gui.fake_work:predict")


@pytest.fixture
def sample(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The sample's folder, with a ramp from 0 to 1 in it, and no model that takes its time."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setitem(workspace.DOCKS, "Predict", f"{__name__}:FakePredict")
    monkeypatch.setattr(guide, "LOOK_MS", 20)
    monkeypatch.setattr(guide, "REST_LOOKS", 2)
    folder = settings.data_folder() / "samples" / "filaments"
    folder.mkdir(parents=True)
    ramp = sky(SIDE)
    header = ramp.wcs.to_header()
    values = ramp.cutout(Window.whole((SIDE, SIDE)))
    for name, unit, there in (("image", "cm-2", values), ("infrared", "MJy/sr", 1 - values)):
        header["BUNIT"] = unit
        fits.writeto(folder / f"000_{name}.fits", there, header)
    return folder


@pytest.fixture
def toured(opened: Any, sample: Path) -> Any:
    """A window without an image, its docks and its tour, which has begun by the page's row."""
    viewer = opened()
    window = viewer.window._qt_window
    assert spin(lambda: window.findChild(WelcomePage) is not None)
    page, tour = window.findChild(WelcomePage), window.findChild(Tour)
    assert spin(page.isVisible)
    page.offer.take.click()
    assert isinstance(tour.guide, Guide)
    yield viewer, tour._docks, tour
    tour.end()
    assert spin(lambda: not tour._docks["Vet"].busy and not job_threads())


def reached(tour: Tour, at: int) -> bool:
    """Whether the tour comes to the step at this place."""
    return spin(lambda: tour.guide.at == at) and tour.guide.card.isVisible()


def front(docks: Any, name: str) -> bool:
    return not docks[name].visibleRegion().isEmpty()


def verdicts(store: Path) -> list[str]:
    held = Store(store)
    try:
        number = held.lists()[0].number
        return [str(entry.verdict) for entry in held.entries(number)]
    finally:
        held.close()


def test_next_does_all_of_it(toured: Any, sample: Path) -> None:
    viewer, docks, tour = toured
    own, model = docks["Vet"].open.store.text(), docks["Predict"].found.cut.threshold
    for at, step in enumerate(tour.guide.steps):
        assert tour.guide.step is step
        assert spin(lambda step=step: front(docks, step.dock)), step.title
        assert step.control.isEnabled() or step.dock in ("Compare", "Vet")
        tour.guide.card.next.click()
        assert reached(tour, at + 1), (step.title, tour.guide.card.told.text())
        assert tour.guide.card.told.text().startswith("✓")
    names = [layer.name.split(" · ")[0] for layer in viewer.layers]
    assert names == ["000_image", "000_infrared.fits on 000_image", "probability", "regions"]
    assert docks["Predict"].found.cut.threshold != model
    assert docks["Compare"].seeing.swipe.on
    assert len(Table.read(sample / "regions.ecsv")) == 1
    assert verdicts(sample / "tour.sqlite") == ["real"]
    assert docks["Vet"].desk is None, "the tour closes its own list"
    assert docks["Vet"].open.store.text() == own and not Path(own).exists()
    assert settings.remembered("verdict store") == own
    shown = [layer.name for layer in viewer.layers]
    tour.guide.card.end.click()
    assert tour.guide is None
    assert [layer.name for layer in viewer.layers] == shown


@pytest.mark.once
def test_the_real_controls_do_it(
    toured: Any, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, docks, tour = toured
    card = tour.guide.card
    assert tour.guide.step.control.text() == "Filaments"
    tour.guide.step.control.click()
    assert reached(tour, 1)
    place = docks["Predict"].place
    assert tour.guide.step.control is place.by_click
    place.by_click.click()
    click(viewer, 150.0, 170.0)
    assert reached(tour, 2)
    assert not place.by_click.isChecked()
    docks["Predict"].found.threshold.setValue(0.7)
    assert reached(tour, 3)
    assert "0.70" in card.told.text()
    infrared = str(sample / "000_infrared.fits")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (infrared, ""))
    comparing = docks["Compare"]
    tour.guide.step.control.click()
    swipe = comparing.seeing.controls.swipe
    assert spin(lambda: tour.guide.step.control is swipe and swipe.isEnabled())
    assert tour.guide.at == 3, "to bring it is not to compare it yet"
    swipe.click()
    assert reached(tour, 4)
    vetting = docks["Vet"]
    vetting.open.start.click()
    assert spin(lambda: vetting.desk is not None and not vetting.busy)
    assert tour.guide.at == 4
    assert settings.remembered("verdict store") != vetting.open.store.text()
    vetting.judging.buttons["not"].click()
    assert reached(tour, 5)
    assert verdicts(sample / "tour.sqlite") == ["not"]
    saved = tmp_path / "mine.csv"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(saved), ""))
    tour.guide.step.control.click()
    assert reached(tour, 6)
    assert saved.is_file() and str(saved) in card.told.text()
    window = viewer.window._qt_window
    window.activateWindow()
    assert spin(window.isActiveWindow)
    QTest.keyClick(window, Qt.Key.Key_Escape)
    assert spin(lambda: tour.guide is None)


@pytest.mark.once
def test_back_and_what_cannot_be_done(toured: Any, sample: Path) -> None:
    _viewer, docks, tour = toured
    card = tour.guide.card
    assert not card.back.isEnabled()
    tour.start()
    assert tour.guide.card is card, "one tour at a time"
    card.next.click()
    assert reached(tour, 1)
    card.back.click()
    assert reached(tour, 0)
    assert "already" in card.words.text()
    card.next.click()
    assert tour.guide.at == 1, "what is done needs not be done again"
    card.next.click()
    assert reached(tour, 2)
    docks["Predict"]._viewer.layers.clear()
    assert spin(lambda: docks["Predict"].predictions.current is None)
    card.next.click()
    assert spin(lambda: "go back" in card.told.text())
    assert tour.guide.at == 2


@pytest.mark.once
def test_a_window_that_is_closed_ends_it(toured: Any) -> None:
    viewer, docks, tour = toured
    own = docks["Vet"].open.store.text()
    tour.guide._go(4)
    assert docks["Vet"].open.store.text() != own
    docks["Vet"].open.start.click()
    QApplication.sendEvent(viewer.window._qt_window, QEvent(QEvent.Type.Close))
    assert tour.guide is None
    assert docks["Vet"].open.store.text() == own


@pytest.mark.once
def test_help_offers_it_and_the_page_only_once(opened: Any, sample: Path) -> None:
    viewer = opened()
    window = viewer.window._qt_window
    assert spin(lambda: window.findChild(WelcomePage) is not None)
    page = window.findChild(WelcomePage)
    assert spin(page.isVisible)
    assert page.offer.isVisible()
    page.offer.leave.click()
    assert not page.offer.isVisible()
    assert not WelcomePage(viewer, page.parentWidget()).offer.wanted, "nor in the next window"
    tour, menu = window.findChild(Tour), viewer.window.help_menu
    menu.rebuild()
    menu.aboutToShow.emit()
    assert menu.actions()[0] is tour.action
    tour.action.trigger()
    assert tour.guide is not None
    tour.end()


@pytest.mark.once
@pytest.mark.parametrize("points", [9, 22])
def test_the_card_leaves_its_control_free(qapp: Any, qtbot: Any, points: int) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(1000, 700)
    window.setStyleSheet(f"* {{ font-size: {points}pt; }}")
    card = Card(window)
    window.show()
    card.say("✓ Something has been done.")
    card.show_step(
        "Save the catalogue", "Press <b>Save</b>: " + "a row for each region, " * 9, 2, 6
    )
    controls = [QRect(650, 10, 90, 30), QRect(650, 660, 90, 30)]
    if points < 20:  # larger ones leave no room below or above
        controls.append(QRect(300, 300, 200, 40))
    for control in controls:
        card.lie_beside(QRect(600, 0, 400, 700), control)
        assert window.rect().contains(card.geometry())
        assert not card.geometry().intersects(control)
        assert card.geometry().right() < 600
