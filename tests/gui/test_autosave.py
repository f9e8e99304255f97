"""What is open outlives the window that dies, and is offered back once."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gui.fixtures_jobs import own_settings, sky, spin
from gui.test_sessions import opened, refuse, saved, write
from napari.components import ViewerModel
from qtpy.QtWidgets import QMainWindow

from napari_astroseg.gui import layers
from napari_astroseg.gui.sessions import draft
from napari_astroseg.gui.sessions.autosave import Autosave
from napari_astroseg.gui.sessions.menu import ProjectMenu
from napari_astroseg.gui.sessions.session import Session
from napari_astroseg.gui.sessions.slots import Slot, is_slot, left_behind
from napari_astroseg.projects.projectfile import read_project
from napari_astroseg.sky.opening import open_image


@pytest.fixture
def window(
    own_settings: Path, qapp: Any, qtbot: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Any:
    """Main windows with a menu of projects, for viewers without a canvas."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    made: list[tuple[Any, ProjectMenu]] = []

    def make() -> tuple[Any, ProjectMenu]:
        main, viewer = QMainWindow(), ViewerModel()
        qtbot.addWidget(main)
        menu = ProjectMenu(main, Session(viewer, {}, parent=main))
        made.append((main, menu))
        return viewer, menu

    yield make
    for _, menu in made:
        menu.shut_down()


def look(menu: ProjectMenu) -> None:
    menu.autosave.look()
    assert spin(lambda: not menu.autosave.busy)


def die(menu: ProjectMenu) -> None:
    """What the system does for a process that is killed."""
    menu.autosave.slot.release()
    menu.autosave._timer.stop()


def test_a_window_that_died_is_offered_once_and_opened_again(window: Any, tmp_path: Path) -> None:
    viewer, menu = window()
    look(menu)
    assert left_behind() == []
    assert not menu.autosave.slot.folder.exists(), "an empty window keeps nothing"
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    layers.add_image(viewer, sky(32))
    look(menu)
    slot = menu.autosave.slot
    assert is_slot(slot.path)
    assert left_behind() == [], "a window that lives is not offered"
    first = slot.path.stat().st_mtime_ns
    look(menu)
    assert slot.path.stat().st_mtime_ns == first, "what has not changed is not written again"
    viewer.layers[0].visible = False
    look(menu)
    assert slot.path.stat().st_mtime_ns > first
    die(menu)

    other, again = window()
    again.offer_lost()
    assert "ended unexpectedly" in again.bar.text
    assert "ramp, a" in again.bar.text
    again.bar.buttons[0].click()
    assert spin(lambda: not again.session.busy)
    assert [(each.name, each.visible) for each in other.layers] == [("a", False), ("ramp", True)]
    assert again.session.path is None
    _, late = window()
    late.offer_lost()
    assert late.bar.text == "", "it is opened already"
    assert slot.folder.exists(), "until it is kept by the window that has it now"
    look(again)
    assert not slot.folder.exists()
    die(again)
    late.offer_lost()
    late.bar.buttons[1].click()
    assert left_behind() == []


def test_a_window_that_was_closed_is_not_called_lost(window: Any, tmp_path: Path) -> None:
    viewer, menu = window()
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    menu._window.show()
    menu._window.close()
    menu.shut_down()
    (left,) = left_behind()
    assert left.closed
    assert left.names == ("a",)
    _, other = window()
    other.offer_lost()
    assert other.bar.text == ""

    viewer, saving = window()
    layers.add_image(viewer, open_image(tmp_path / "a.fits"))
    saved(saving.session, tmp_path / "work.astroseg.json")
    look(saving)
    saving._window.show()
    saving._window.close()
    saving.shut_down()
    assert len(left_behind()) == 1, "what a project has is not kept twice"


def test_a_project_that_was_open_is_that_project_again(window: Any, tmp_path: Path) -> None:
    viewer, menu = window()
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    path = saved(menu.session, tmp_path / "work.astroseg.json")
    viewer.layers[0].opacity = 0.25
    look(menu)
    die(menu)
    other, again = window()
    again.offer_lost()
    assert "work: a" in again.bar.text
    again.bar.buttons[0].click()
    assert spin(lambda: not again.session.busy)
    assert again.session.path == path
    assert again.session.changed
    assert other.layers[0].opacity == 0.25


def test_what_cannot_be_opened_again_now_stays_for_later(window: Any, tmp_path: Path) -> None:
    viewer, menu = window()
    file = write(tmp_path / "maps" / "a.fits")
    layers.add_image(viewer, open_image(file))
    look(menu)
    die(menu)
    lost = menu.autosave.slot.path
    file.parent.rename(tmp_path / "away")

    other, again = window()
    again.open(lost)
    assert spin(lambda: again.dialog is not None)
    again.dialog.reject()
    layers.add_image(other, sky(32))
    look(again)
    assert lost.exists(), "it was not opened"
    again._window.show()
    again._window.close()
    again.shut_down()
    assert lost in [each.path for each in left_behind()]

    (tmp_path / "away").rename(file.parent)
    third, last = window()
    last.open(lost)
    assert spin(lambda: not last.session.busy)
    assert [each.name for each in third.layers] == ["a"]
    look(last)
    assert not lost.exists()


@pytest.mark.once
def test_a_disk_that_refuses_is_told_and_tried_again(
    window: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, menu = window()
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    with monkeypatch.context() as full:
        full.setattr(draft, "write_project", refuse)
        look(menu)
        look(menu)
        assert menu.bar.text.count("no space is left") == 1
        menu.autosave.keep_last()
        assert not menu.autosave.slot.path.exists()
    look(menu)
    assert menu.autosave.slot.path.exists()


@pytest.mark.once
def test_what_changes_while_the_window_closes_is_kept(window: Any, tmp_path: Path) -> None:
    viewer, menu = window()
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    menu.autosave.look()
    viewer.layers[0].opacity = 0.25
    menu.autosave.keep_last()  # the answer of the one before has not been heard yet
    assert read_project(menu.autosave.slot.path).project.layers[0].opacity == 0.25


@pytest.mark.once
def test_what_was_not_allowed_is_asked_about_again(window: Any, tmp_path: Path) -> None:
    viewer, menu = window()
    for place in ("project/a.fits", "private/b.fits"):
        layers.add_image(viewer, open_image(write(tmp_path / place)))
    path = saved(menu.session, tmp_path / "project" / "work.astroseg.json")
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")  # a stranger's

    other, careful = window()
    asked: list[Any] = []
    careful.session.asked.connect(asked.append)
    careful.open(path)
    assert spin(lambda: len(asked) == 1)
    careful.session.go_on(asked[0].opened, ())
    assert spin(lambda: len(other.layers) > 0 and not careful.session.busy)
    assert [each.name for each in other.layers] == ["a"]
    copy = saved(careful.session, tmp_path / "project" / "copy.astroseg.json")
    look(careful)
    die(careful)
    for number, place in enumerate((copy, careful.autosave.slot.path), start=2):
        _, menu = window()
        menu.session.asked.connect(asked.append)
        menu.open(place)
        assert spin(lambda wanted=number: len(asked) == wanted)
        assert [each.place.name for each in asked[-1].questions if "private" in each.place.path]


def test_old_windows_are_forgotten(window: Any, tmp_path: Path) -> None:
    viewer, menu = window()
    layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    look(menu)
    text = menu.autosave.slot.path.read_bytes()
    for number in range(9):
        folder = menu.autosave.slot.folder.with_name(f"2020-{number}")
        folder.mkdir()
        (folder / menu.autosave.slot.path.name).write_bytes(text)
        os.utime(folder / menu.autosave.slot.path.name, (number, number))
    assert [each.path.parent.name for each in left_behind()] == [
        f"2020-{n}" for n in range(8, 2, -1)
    ]
    assert not menu.autosave.slot.folder.with_name("2020-0").exists()


SCRIPT = """
import sys, time
from pathlib import Path
from napari.components import ViewerModel
from qtpy.QtWidgets import QApplication
from napari_astroseg.gui import layers
from napari_astroseg.gui.sessions.autosave import Autosave
from napari_astroseg.gui.sessions.session import Session
from napari_astroseg.sky.opening import open_image

application = QApplication([])
viewer = ViewerModel()
session = Session(viewer, {})
autosave = Autosave(session, every_ms=20)
autosave.kept.connect(lambda path: print(path, flush=True))
layers.add_image(viewer, open_image(sys.argv[1]))
application.exec_() if hasattr(application, "exec_") else application.exec()
"""


@pytest.mark.once
def test_a_process_that_is_killed_leaves_a_sound_project(window: Any, tmp_path: Path) -> None:
    image = write(tmp_path / "a.fits")
    words = [sys.executable, "-c", SCRIPT, str(image)]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    path = Path(process.stdout.readline().strip())
    assert left_behind() == [], "it is held while the process lives"
    process.send_signal(signal.SIGKILL)
    process.wait(30)
    process.stdout.close()
    (lost,) = left_behind()
    assert (lost.path, lost.closed, lost.names) == (path, False, ("a",))
    viewer, menu = window()
    menu.offer_lost()
    menu.bar.buttons[0].click()
    assert spin(lambda: not menu.session.busy)
    assert [layer.name for layer in viewer.layers] == ["a"]
