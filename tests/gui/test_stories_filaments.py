"""Filaments of a real map: found, seen in the infrared, judged, given on, and there again."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from gui.fixtures_stories import story
from gui.story import Story, names
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QPushButton
from scipy import ndimage

from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.simulate.observe import infrared_view
from napari_astroseg.sky.simulate.settings import FilamentSettings

MAP = "HIGAL_L_Fil10_N"
RIDGE = 143, 160
"""The brightest pixel of the filament that the map was cut out for, 8.8e22 cm^-2."""
LIT = 280, 149
"""The brightest pixel of another; in the infrared made up here it shines by itself."""


def test_filaments(story: Story, shared_data: Path, tmp_path: Path) -> None:
    map_file = shared_data / "filaments" / f"{MAP}.fits"
    infrared = write_infrared(tmp_path / "infrared.fits", map_file)
    story.open()
    story.shot("welcome")
    story.drop(map_file)
    story.wait(lambda: MAP in names(story.viewer), "the map")
    regions = find(story, tmp_path)
    compare(story, infrared, len(regions))
    vetted = vet(story, regions, tmp_path)
    come_back(story, tmp_path)
    go_on_with(story, vetted, tmp_path)


def find(story: Story, folder: Path) -> Any:
    """Click, then the whole map; gives the table that was saved."""
    predict = story.turn_to("Predict")
    story.choose(predict.place.size, "256 × 256 px")
    story.press(predict.place.by_click)
    story.click_sky(*RIDGE)
    story.predicted()
    story.shot("click")
    (clicked,) = story.layers("regions")
    assert clicked.data.shape[1] == 256 and clicked.get_value(RIDGE[::-1], world=True)
    story.press(predict.place.by_click)
    story.tick(predict.place.keep, False)
    story.press(predict.place.by_whole)
    story.predicted()
    (whole,) = story.layers("regions")
    assert whole.data.shape == (315, 315)
    file = folder / "regions.ecsv"
    story.press(predict.found.save, dialog=story.file(file))
    story.wait(file.is_file, "the catalogue")
    story.shot("whole")
    regions = Catalogue.read(file).table
    assert predict.found.summary.text().startswith(f"{len(regions)} regions")
    for place, peak in ((RIDGE, 8.80e22), (LIT, 4.81e22)):
        number = whole.get_value(place[::-1], world=True)
        assert regions["peak_value"][number - 1].value == pytest.approx(peak, rel=0.01)
    return regions


def compare(story: Story, infrared: Path, count: int) -> None:
    """The same sky in the infrared, where one filament is dark and another one shines."""
    dock = story.turn_to("Compare")
    story.press(dock.bring.file_button, dialog=story.file(infrared))
    story.wait(lambda: not dock.busy and dock.told.text(), "the infrared")
    assert "within 0.0" in dock.told.text() and not dock.notice.text
    story.shot("infrared")
    measuring = dock.measuring
    story.unfold(dock, "Measure")
    story.press(measuring.question.start)
    story.wait(lambda: not measuring.busy, "the figures")
    story.see(measuring.table)
    story.shot("measured")
    found = measuring.found
    assert len(found.catalogue) == count
    dark, lit = (found.catalogue.table[found.entry_at(*place)] for place in (RIDGE, LIT))
    assert dark["significance_infrared"] < -5.0 and -0.5 < dark["contrast_infrared"] < -0.1
    assert lit["significance_infrared"] > 5.0
    assert np.nanmedian(found.catalogue.table["contrast_infrared"]) < 0.0


def vet(story: Story, regions: Any, folder: Path) -> Path:
    """The surest come first: two are real, one is not; gives the file with the verdicts."""
    dock = story.turn_to("Vet")
    story.type(dock.open.who, "Ada")
    story.type(dock.open.store, str(folder / "verdicts.sqlite"))
    story.unfold(dock, "Queue")
    story.choose(dock.queue.order, "score, the highest first")
    story.press(dock.open.start)
    story.wait(lambda: not dock.busy and dock.desk is not None, "the first one")
    for key in (Qt.Key.Key_1, Qt.Key.Key_1, Qt.Key.Key_3):
        story.key(key)
        story.wait(lambda: not dock.busy, "a verdict")
    story.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    story.wait(lambda: not dock.busy, "the verdict taken back")
    story.key(Qt.Key.Key_2)
    story.wait(lambda: not dock.busy, "a verdict")
    story.shot("vetted")
    assert dock.judging.counts.text() == "2 real, 1 not"
    file = folder / "vetted.ecsv"
    story.press(dock.open.export, dialog=story.file(file))
    story.wait(file.is_file, "what was judged")
    judged = Catalogue.read(file).table
    surest = regions[np.argsort(-regions["score"], kind="stable")[:3]]
    surest.sort("id")
    assert [int(each) for each in judged["id"]] == list(surest["id"])
    for column in ("lon", "lat"):
        np.testing.assert_allclose(judged[column].value, surest[column].value, atol=1e-6)
    return file


def come_back(story: Story, folder: Path) -> None:
    """Save all that is open, close the window, and open it again from the welcome page."""
    project = folder / "morning.astroseg.json"
    story.choose_action(story.menu.menu, "Save project", dialog=story.file(project))
    story.wait(lambda: "Saved as" in story.menu.bar.text, "the project")
    before = [each.name for each in story.viewer.layers]
    (regions,) = story.layers("regions")
    labels, title = regions.data.copy(), story.dock("Vet").judging.title.text()
    story.close()
    story.open()
    story.shot("again")
    row = next(each for each in story.welcome.findChildren(QPushButton) if each.text() == "morning")
    story.press(row)
    story.wait(lambda: len(story.viewer.layers) and not story.menu.session.busy, "the project")
    story.predicted()
    vetting = story.turn_to("Vet")
    story.wait(lambda: not vetting.busy and vetting.desk is not None, "the queue")
    story.wait(lambda: len(story.viewer.layers) == len(before), "all layers")
    story.shot("back")
    assert sorted(each.name for each in story.viewer.layers) == sorted(before)
    assert np.array_equal(story.layers("regions")[0].data, labels)
    assert vetting.judging.title.text() == title
    assert vetting.judging.counts.text() == "2 real, 1 not"


def go_on_with(story: Story, vetted: Path, folder: Path) -> None:
    """What was exported is itself a list to judge."""
    dock = story.turn_to("Vet")
    story.press(dock.open.close_button)
    story.choose(dock.open.source, "a file or a prediction's folder")
    story.press(dock.open.browse, dialog=story.file(vetted))
    story.type(dock.open.store, str(folder / "second.sqlite"))
    story.press(dock.open.start)
    story.wait(lambda: not dock.busy and dock.desk is not None, "the first one")
    story.shot("vetted-again")
    assert dock.judging.title.text().endswith("1 of 3") and not dock.notice.text


def write_infrared(path: Path, map_file: Path) -> Path:
    """What the map's sky would be at 8 um, on finer pixels turned against the map's."""
    with fits.open(map_file) as hdus:
        column, header = np.nan_to_num(hdus[0].data, nan=1e22), hdus[0].header
    y, x = np.indices(column.shape)
    lit = 3e23 * np.exp(-((x - LIT[0]) ** 2 + (y - LIT[1]) ** 2) / (2 * 8.0**2))
    random = np.random.default_rng(8)
    seen = infrared_view(column, lit, FilamentSettings(), random)
    middle = WCS(header).pixel_to_world(157, 157).icrs
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crpix = ["RA---TAN", "DEC--TAN"], [400.5, 400.5]
    wcs.wcs.crval, wcs.wcs.cdelt = [middle.ra.deg, middle.dec.deg], [-6 / 3600, 6 / 3600]
    rows, columns = np.indices((800, 800))
    there = WCS(header).world_to_pixel(wcs.pixel_to_world(columns, rows))
    values = ndimage.map_coordinates(seen, there[::-1], order=1, cval=np.nan)
    write_image(path, values.astype(np.float32), wcs.to_header(), "MJy/sr")
    return path
