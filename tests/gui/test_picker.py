"""The picker: several images in one file, seen and chosen without stopping the window."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from astropy.io import fits
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_astroseg.gui import layers
from napari_astroseg.gui.intake.picker import Picker, families
from napari_astroseg.gui.intake.thumbnails import SIDE, thumbnail
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import pictures


def image_hdu(name: str, value: float, shape: tuple[int, int] = (40, 60)) -> fits.ImageHDU:
    ramp = np.add.outer(np.arange(shape[0]), np.arange(shape[1])) + value
    hdu = fits.ImageHDU(ramp.astype(np.float32), name=name)
    hdu.header["BUNIT"] = "MJy/sr"
    return hdu


@pytest.fixture
def two_chips(tmp_path: Path) -> Path:
    """Two science images, each with uncertainty and flags, and an exposure map."""
    hdus: list[Any] = [fits.PrimaryHDU()]
    for version in (1, 2):
        for name in ("SCI", "ERR", "DQ"):
            hdus.append(image_hdu(name, 100.0 * version))
            hdus[-1].header["EXTVER"] = version
    hdus.append(image_hdu("EXP", 5.0, (20, 30)))
    path = tmp_path / "chips.fits"
    fits.HDUList(hdus).writeto(path)
    return path


@pytest.fixture
def dock(viewer: Any) -> MosaicDock:
    dock = MosaicDock(viewer)
    viewer.window.add_dock_widget(dock)
    return dock


def asked(dock: MosaicDock, path: Path, qtbot: Any) -> Picker:
    """The picker that opens for a file."""
    dock.open_files([path])
    qtbot.waitUntil(lambda: bool(pickers()) and not dock.busy, timeout=20_000)
    (picker,) = pickers()
    return picker


def pickers() -> list[Picker]:
    found = [w for w in QApplication.topLevelWidgets() if isinstance(w, Picker)]
    return [picker for picker in found if picker.isVisible()]


def rows(picker: Picker) -> list[list[str]]:
    items = [picker.list.topLevelItem(row) for row in range(picker.list.topLevelItemCount())]
    return [[item.text(column) for column in range(4)] for item in items]


def test_a_family_is_one_row_and_the_science_image_is_chosen(
    dock: MosaicDock, viewer: Any, two_chips: Path, qtbot: Any
) -> None:
    picker = asked(dock, two_chips, qtbot)
    assert not picker.isModal()
    assert rows(picker) == [
        ["SCI\nwith uncertainty ERR and mask DQ", "60 × 40 px", "MJy/sr", "image"],
        ["SCI,2\nwith uncertainty ERR and mask DQ", "60 × 40 px", "MJy/sr", "image"],
        ["EXP", "30 × 20 px", "MJy/sr", "image"],
    ]
    assert picker.hdus == (1,)
    assert not viewer.layers
    picker.reject()


def test_the_first_column_holds_its_words(dock: MosaicDock, two_chips: Path, qtbot: Any) -> None:
    picker = asked(dock, two_chips, qtbot)
    item = picker.list.topLevelItem(0)
    widest = picker.list.fontMetrics().horizontalAdvance("with uncertainty ERR and mask DQ")
    assert picker.list.columnWidth(0) >= SIDE + widest
    assert picker.list.visualItemRect(item).height() >= SIDE
    picker.reject()


def test_thumbnails_come_as_they_are_made(dock: MosaicDock, two_chips: Path, qtbot: Any) -> None:
    picker = asked(dock, two_chips, qtbot)
    items = [picker.list.topLevelItem(row) for row in range(3)]
    qtbot.waitUntil(lambda: all(not item.icon(0).isNull() for item in items), timeout=30_000)
    picture = items[0].icon(0).pixmap(SIDE, SIDE).toImage()
    low, high = picture.pixelColor(1, picture.height() - 2), picture.pixelColor(58, 1)
    assert low.lightness() < high.lightness()  # brighter to the right and upwards
    picker.reject()


def test_keys_choose_and_open(dock: MosaicDock, viewer: Any, two_chips: Path, qtbot: Any) -> None:
    picker = asked(dock, two_chips, qtbot)
    QTest.keyClick(picker.list, Qt.Key.Key_Down)
    assert picker.hdus == (4,)
    QTest.keyClick(picker.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: len(viewer.layers) == 3, timeout=20_000)
    assert layers.sky_image(viewer.layers[0]).value(0, 0) == 200.0
    assert [layer.visible for layer in viewer.layers] == [True, False, False]
    assert viewer.layers.selection.active is viewer.layers[0]
    assert not pickers()


def test_several_can_be_chosen(dock: MosaicDock, viewer: Any, two_chips: Path, qtbot: Any) -> None:
    picker = asked(dock, two_chips, qtbot)
    QTest.keyClick(picker.list, Qt.Key.Key_End, Qt.KeyboardModifier.ShiftModifier)
    assert picker.hdus == (1, 4, 7)
    assert picker.open_button.text() == "Open 3 images"
    picker.list.clearSelection()
    assert not picker.open_button.isEnabled()
    picker.list.selectAll()
    picker.open_button.click()
    qtbot.waitUntil(lambda: not dock.busy and len(viewer.layers) == 7, timeout=20_000)
    names = [layer.name for layer in viewer.layers]
    assert names[::3] == ["chips [SCI,1]", "chips [SCI,2]", "chips [EXP]"]


def test_escape_leaves_everything_as_it_was(
    dock: MosaicDock, viewer: Any, two_chips: Path, qtbot: Any
) -> None:
    picker = asked(dock, two_chips, qtbot)
    QTest.keyClick(picker.list, Qt.Key.Key_Escape)
    assert not pickers()
    assert not viewer.layers
    assert not dock.busy


@pytest.mark.parametrize("names", [["SCI"], ["SCI", "ERR", "DQ"], [""], ["SCI", "EXP"]])
def test_where_it_is_plain_nobody_is_asked(
    dock: MosaicDock, viewer: Any, tmp_path: Path, qtbot: Any, names: list[str]
) -> None:
    path = tmp_path / "plain.fits"
    fits.HDUList([fits.PrimaryHDU(), *(image_hdu(name, 1.0) for name in names)]).writeto(path)
    dock.open_files([path])
    qtbot.waitUntil(lambda: not dock.busy, timeout=20_000)
    assert not pickers()
    assert layers.sky_image(viewer.layers[0]).reference.hdu == 1


def test_a_named_hdu_is_not_asked_about(
    dock: MosaicDock, viewer: Any, two_chips: Path, qtbot: Any
) -> None:
    dock.open_files([f"{two_chips}[SCI,2]"])
    qtbot.waitUntil(lambda: not dock.busy, timeout=20_000)
    assert not pickers()
    assert layers.sky_image(viewer.layers[0]).value(0, 0) == 200.0


def test_a_broken_image_has_no_thumbnail_and_a_sentence(
    dock: MosaicDock, viewer: Any, two_chips: Path, qtbot: Any
) -> None:
    two_chips.write_bytes(two_chips.read_bytes()[:-2880])  # the last image is cut short
    picker = asked(dock, two_chips, qtbot)
    picker.list.setCurrentItem(picker.list.topLevelItem(picker.list.topLevelItemCount() - 1))
    QTest.keyClick(picker.list, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: not dock.busy and bool(dock.notice.text), timeout=20_000)
    assert dock.notice.text.startswith("chips.fits")


def test_families_of_a_real_file(shared_data: Path) -> None:
    entries = pictures(shared_data / "odd" / "fitsrs__HST_NICMOS.fits")
    told = {entry.name: [each.name for each in kin] for entry, kin in families(entries)}
    assert told == {"SCI": ["ERR", "DQ"], "SAMP": [], "TIME": []}


def test_a_thumbnail_shows_the_whole_small_and_upright() -> None:
    values = np.zeros((3000, 1500), np.float32)
    values[2000:, :] = 100.0
    picture = thumbnail(SkyImage.from_array(values))
    assert picture.dtype == np.uint8
    assert 0.9 * SIDE < max(picture.shape) <= SIDE
    assert picture.shape[0] == pytest.approx(2 * picture.shape[1], abs=2)
    assert picture[2].mean() > picture[-2].mean()


def test_a_thumbnail_of_nothing_is_black() -> None:
    assert not thumbnail(SkyImage.from_array(np.full((30, 40), np.nan))).any()
