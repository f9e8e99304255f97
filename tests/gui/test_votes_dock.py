"""VotesDock: from counts to a mask at a threshold, and on to a file, a figure, a recipe."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from astropy.wcs import WCS
from gui.fixtures_jobs import job_threads, own_settings, spin
from qtpy.QtCore import QCoreApplication, QEvent

from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.gui.votes import VotesDock
from napari_astroseg.gui.voting.ladder import LadderWindow
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.votes.votemap import VoteMap
from napari_astroseg.sky.votes.writing import Annotator, write_gz3d_like, write_votes

SHAPE = (60, 80)


def galaxy(folder: Path, number: int = 0) -> Path:
    """Five people who draw the same arm, each a little shorter; rows run from north to south."""
    people = []
    for n in range(5):
        arm = np.zeros(SHAPE, bool)
        arm[20:30, 10 : 70 - 10 * n] = True
        people.append(Annotator(f"p{n}", {"spiral": arm}, datetime(2026, 1, n + 1, tzinfo=UTC)))
    wcs = WCS(naxis=2)
    wcs.wcs.ctype, wcs.wcs.crval = ["RA---TAN", "DEC--TAN"], [150.0, 2.0]
    wcs.wcs.crpix, wcs.wcs.cdelt = [40, 30], [-1e-4, -1e-4]
    picture = np.random.default_rng(number).integers(0, 255, (*SHAPE, 3), np.uint8)
    path = folder / f"gz3d_1-{number}_37_100{number}.fits.gz"
    return write_gz3d_like(path, picture, people, wcs)


@pytest.fixture
def dock(make_napari_viewer: Any, own_settings: Path) -> Any:
    viewer = make_napari_viewer(show=True)
    dock = VotesDock(viewer)
    viewer.window.add_dock_widget(dock)
    yield dock
    dock.shut_down()
    assert spin(lambda: not job_threads())


def opened(dock: VotesDock, place: Path) -> None:
    dock.open_votes(place)
    assert spin(lambda: not dock.busy and dock.ballot is not None)


def masked(dock: VotesDock) -> np.ndarray:
    """What the graphics card draws above its limits."""
    low, high = dock.mask.contrast_limits
    assert high - low < 0.1
    return np.asarray(dock.mask.data) > (low + high) / 2


def test_a_galaxy_is_shown_north_up_with_its_mask_live(dock: Any, tmp_path: Path) -> None:
    assert not dock.save.isEnabled()
    assert "first" in dock.save.toolTip()
    opened(dock, galaxy(tmp_path))
    votes = dock.ballot.maps["spiral"]
    assert dock.kind.currentText() == "spiral"
    assert dock.threshold == 3
    assert dock.slider.maximum() == 5
    for threshold in (1, 2, 5, 3):
        dock.slider.setValue(threshold)
        assert (masked(dock) == votes.at_least(threshold)).all()
        assert f"{votes.areas()[threshold]:,} px" in dock.area.text()
        assert "arcsec²" in dock.area.text()
    up, _ = dock._viewer.scene.camera.orientation2d
    assert str(getattr(up, "value", up)) == "down"
    assert [layer.metadata.get("astroseg_votes") for layer in dock._viewer.layers] == [
        "picture", "counts", "mask",
    ]  # fmt: skip
    thresholds, pixels = dock.plot.areas
    assert thresholds == [1, 2, 3, 4, 5]
    assert pixels == [600, 500, 400, 300, 200]
    assert "5 volunteers were asked, 5 of them drew" in dock.told.text()


def test_keys_move_the_threshold_and_step_through_volunteers(dock: Any, tmp_path: Path) -> None:
    opened(dock, galaxy(tmp_path))
    dock.raise_()
    assert dock.threshold == 4
    dock.lower()
    dock.lower()
    assert dock.threshold == 2
    dock.volunteers.next()
    assert dock.volunteers.layer.data[0][:, 1].max() == pytest.approx(69.5)
    assert "p0" in dock.volunteers.words.text()
    dock.volunteers.next()
    assert dock.volunteers.layer.data[0][:, 1].max() == pytest.approx(59.5)
    dock.kind.setCurrentText("bar")
    assert dock.volunteers.layer is None
    assert dock.threshold == 1


def test_mask_and_ladder_are_saved_and_a_recipe_is_proposed(dock: Any, tmp_path: Path) -> None:
    opened(dock, galaxy(tmp_path))
    dock.save_mask(tmp_path / "mask.fits")
    assert spin(lambda: not dock.busy)
    with fits.open(tmp_path / "mask.fits") as file:
        assert (file[1].data == dock.votes.at_least(3)).all()
        assert file[1].header["VOTES"] == 3
        assert WCS(file[1].header).wcs.crval == pytest.approx([150.0, 2.0])
    window = dock.show_ladder()
    # PyQt5 has None where PyQt6 has a pixmap of nothing.
    assert spin(lambda: bool(window.picture.pixmap() and window.picture.pixmap().width()))
    window.write(tmp_path / "ladder.svg")
    assert spin((tmp_path / "ladder.svg").exists)
    window.close()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)  # no loop runs in tests
    assert not dock.findChildren(LadderWindow)
    dock.learn.click()
    recipe, folder = Proposals().latest()
    assert recipe.data.threshold == 3
    assert recipe.data.marked == "spiral"
    assert folder == tmp_path


def test_plain_counts_and_layers_are_votes_and_others_are_refused(
    dock: Any, tmp_path: Path
) -> None:
    counts = np.zeros((50, 40), np.uint8)
    counts[10:20] = 7
    opened(dock, write_votes(tmp_path / "counts.fits", VoteMap.from_array(counts)))
    assert (masked(dock) == (counts >= 3)).all()
    assert not dock.learn.isEnabled()
    assert "Galaxy Zoo 3D" in dock.learn.toolTip()
    fits.writeto(tmp_path / "sky.fits", np.full((9, 9), 0.5, np.float32))
    dock.open_votes(tmp_path / "sky.fits")
    assert spin(lambda: not dock.busy)
    assert "whole people" in dock.notice.text
    assert dock.ballot.name == "counts.fits"
    layer = layers.add_image(dock._viewer, SkyImage.from_array(counts.T.astype(float), name="mine"))
    dock._viewer.layers.selection.active = layer
    assert dock.take.isEnabled()
    dock.take.click()
    assert spin(lambda: not dock.busy and dock.ballot.name == "mine")
    assert (masked(dock) == (counts.T >= 3)).all()


def test_large_counts_are_drawn_by_levels(dock: Any) -> None:
    counts = np.zeros((5000, 300), np.uint8)
    counts[2500:] = 4
    votes = VoteMap.from_array(counts)
    dock._layers.show_votes(votes, 2)
    assert [level.shape for level in dock.mask.data] == [(5000, 300), (2500, 150)]
    dock._layers.show_votes(VoteMap.from_array(counts[:200]), 2)
    y, x = camera_of(dock._viewer).center[-2:]
    assert (round(y), round(x)) == (100, 150), "a smaller galaxy is looked at, too"


def test_a_folder_is_indexed_filtered_and_opened_by_row(dock: Any, tmp_path: Path) -> None:
    for number in range(3):
        galaxy(tmp_path, number)
    (tmp_path / "gz3d_1-9_37_9.fits.gz").write_bytes(b"nothing")
    table = dock.table
    table.folder.set_path(tmp_path)
    table.go.click()
    assert spin(lambda: not table.busy, 60)
    assert "12 maps" in table.words.text()
    assert "1-9" in table.skipped.item(0).text()
    table.kind.setCurrentText("spiral")
    assert table.rows.rows.rowCount() == 3
    table.least.setValue(6)
    assert table.rows.rows.rowCount() == 0
    table.least.setValue(5)
    table.text.setText("1-2_")
    assert table.rows.rows.rowCount() == 1
    table.rows.picked.emit(0)
    assert spin(lambda: not dock.busy and dock.ballot is not None)
    assert dock.ballot.name.startswith("gz3d_1-2_")
    assert dock.kind.currentText() == "spiral"
