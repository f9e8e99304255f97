"""NonBubbles: classes of crops made, dropped, weighed, taken back and kept, in the Data dock."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import own_settings, spin
from qtpy.QtCore import Qt
from qtpy.QtWidgets import QAbstractButton, QAbstractSpinBox

from napari_astroseg.gui.data import DataDock
from napari_astroseg.gui.datasets.nonbubbles import NonBubbles
from napari_astroseg.gui.jobs import Engines
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.sky.clusters.choice import FILE, Choice, CropClass
from napari_astroseg.sky.simulate.making import iter_simulated

CHOICE = Choice(
    data="0" * 32,
    count=10,
    seed=0,
    classes=tuple(
        CropClass(crops=tuple((f"tile_{number}", n, 0, 40 + n) for n in range(4 - number)))
        for number in range(4)
    ),
)
STRIPS = [np.full((20, 60, 3), 40 * number, np.uint8) for number in range(4)]


@pytest.fixture
def section(qtbot: Any, tmp_path: Path) -> Any:
    """The section about a folder, with a choice in it."""
    engines = Engines()
    section = NonBubbles(engines, "gui.fake_work:part_slowly", "gui.fake_work:part_nothing")
    qtbot.addWidget(section)
    section.show()
    section.offer(tmp_path)
    section.show_choice(CHOICE, STRIPS)
    yield section
    engines.close()
    section.untie()


def test_real_tiles_are_parted_kept_and_shown_again(
    qtbot: Any, own_settings: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "tiles"
    list(iter_simulated("bubbles", folder, 2, 256, seed=3))
    dock = DataDock()
    qtbot.addWidget(dock)
    dock.resize(420, 900)
    dock.show()
    section = dock.non_bubbles
    assert not dock.beside.isVisibleTo(dock)
    assert not section.go.isEnabled() and "over first" in section.go.toolTip()
    dock.folder.set_path(folder)
    dock.go.click()
    assert spin(lambda: not dock.busy, 60)
    assert dock.beside.isVisibleTo(dock)
    assert not section.open.isEnabled() and FILE in section.open.toolTip()

    section.count.setValue(60)
    section.classes.setValue(4)
    section.go.click()
    assert section.busy and not section.go.isEnabled() and "wait" in section.go.toolTip()
    assert section.progress.button.isVisibleTo(section)
    assert spin(lambda: not section.busy, 60)
    assert len(section.rows) == 4
    assert all(row.strip.pixmap().width() == 12 * 54 - 2 for row in section.rows)
    drawn = sum(len(each.crops) for each in section.choice.classes)
    assert f"{drawn} of {drawn} crops, in 4 of 4 classes" in section.told.text()

    section.rows[2].drop.click()
    section.keep.click()
    assert spin(lambda: not section.busy)
    kept = section.choice
    assert Choice.read(folder) == kept and kept.kept == (0, 1, 3)
    dock.learn.click()
    recipe, proposed = Proposals().latest()
    assert recipe.name == "bubbles_small" and proposed == folder
    section.open.click()
    assert section.choice is None and section.rows == []
    assert spin(lambda: not section.busy, 60)
    assert section.choice == kept and section.rows[2].drop.isChecked()
    assert not section.keep.isEnabled() and "kept already" in section.keep.toolTip()
    section.rows[2].drop.click()
    assert section.keep.isEnabled()
    dock.shut_down()


def test_classes_are_dropped_and_weighed_and_that_is_taken_back(section: Any) -> None:
    assert [row.strip.pixmap().width() for row in section.rows] == [60] * 4
    assert "10 of 10 crops, in 4 of 4 classes" in section.told.text()
    assert "40 to 43 px" in section.rows[0].strip.toolTip()
    section.rows[1].drop.click()
    section.rows[0].weight.setValue(2.5)
    assert section.choice.kept == (0, 2, 3)
    assert section.choice.classes[0].weight == 2.5
    assert "7 of 10 crops, in 3 of 4 classes" in section.told.text()
    assert not section.rows[1].strip.isEnabled() and not section.rows[1].weight.isEnabled()

    section.back.click()
    assert section.rows[0].weight.value() == 1.0 and section.rows[1].drop.isChecked()
    section.back.click()
    assert section.choice == CHOICE and not section.rows[1].drop.isChecked()
    assert not section.back.isEnabled() and section.rows[1].strip.isEnabled()
    section.undo()
    assert section.choice == CHOICE


def test_one_class_at_least_is_kept_and_written(section: Any, tmp_path: Path) -> None:
    for row in section.rows:
        row.drop.click()
    assert not section.keep.isEnabled() and "keep one at least" in section.keep.toolTip()
    section.back.click()
    section.keep.click()
    assert spin(lambda: not section.busy)
    assert f"The choice is in {tmp_path / FILE}" in section.progress.words.text()
    assert Choice.read(tmp_path).kept == (3,)
    assert section.open.isEnabled()


def test_keys_drop_and_take_back(section: Any) -> None:
    section.keys["3"].activated.emit()
    assert section.choice.kept == (0, 1, 3)
    section.keys["9"].activated.emit()  # there is no such class
    section.keys["1"].activated.emit()
    assert section.choice.kept == (1, 3)
    section.keys["undo"].activated.emit()
    assert section.choice.kept == (0, 1, 3)
    context = Qt.ShortcutContext.WidgetWithChildrenShortcut
    assert all(key.context() == context for key in section.keys.values())


def test_it_is_cancelled_and_tells_how_far_it_is(section: Any, tmp_path: Path) -> None:
    section.make()
    assert section.choice is None
    assert spin(lambda: "/ 600 crops" in section.progress.bar.format())
    assert section.progress.words.text() == "Looking at crops …"
    section.stop()
    assert spin(lambda: not section.busy)
    assert section.progress.words.text() == "Stopped."
    assert section.go.isEnabled()
    section.make()
    section.offer(None)  # another folder ends it, and nothing of it is heard any more
    assert not section.busy and not section.go.isEnabled()
    spin(lambda: False, 0.3)
    assert section.progress.words.text() == ""


def test_what_cannot_be_costs_a_sentence(section: Any, tmp_path: Path) -> None:
    section.show_kept()
    assert spin(lambda: not section.busy)
    assert section.progress.words.text() == "no crop of it is clear; add tiles"
    section.show_choice(CHOICE, STRIPS)
    (tmp_path / FILE).mkdir()
    section.save()
    assert spin(lambda: not section.busy)
    assert "cannot be written" in section.progress.words.text()
    assert section.keep.isEnabled()


def test_every_control_tells_what_it_does(section: Any) -> None:
    controls = [each for kind in (QAbstractButton, QAbstractSpinBox)
                for each in section.findChildren(kind)]  # fmt: skip
    assert [each for each in controls if not each.toolTip()] == [section.progress.button]
    assert len(controls) > 12
