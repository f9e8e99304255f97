"""Trainings that go on without their window, wait for one another, and tell how they go."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from gui.fake_training import stamps
from gui.fixtures_jobs import alive, own_settings, spin

from napari_astroseg.engine.apart import ask_to_stop
from napari_astroseg.engine.events import EpochDone, MemoryUsed, StepDone
from napari_astroseg.engine.order import Order
from napari_astroseg.engine.run import Run, Sweep
from napari_astroseg.engine.runlock import RunLock, is_held
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.gui.train import TrainDock
from napari_astroseg.gui.training.closing import Choice
from napari_astroseg.gui.training.pace import Pace
from napari_astroseg.gui.training.queue import Queue
from napari_astroseg.gui.training.searching import THRESHOLDS, SearchDialog
from napari_astroseg.gui.training.strip import Strip
from napari_astroseg.recipes.recipe import Recipe

pytestmark = pytest.mark.once
FAKE = {"target": "gui.fake_training:train", "search": "gui.fake_training:search"}


def shown(qtbot: Any, folder: Path, epochs: int = 500) -> TrainDock:
    dock = TrainDock(**FAKE)
    qtbot.addWidget(dock)
    dock.show()
    if not dock.busy:
        dock.data.set_path(folder)
        dock.out.set_path(folder / "run")
        dock.form.setValue(dock.form.value().replace(schedule__epochs=epochs))
    return dock


def order_of(folder: Path, name: str, epochs: int = 1) -> Order:
    recipe = Recipe.preset("filaments_small").replace(schedule__epochs=epochs)
    return Order(recipe, Run(folder, folder / name, name=name))


def test_while_it_trains_it_tells_how_it_goes(
    qtbot: Any, own_settings: Path, tmp_path: Path
) -> None:
    dock = shown(qtbot, tmp_path)
    dock.go.click()
    course, labels = dock.course, dock.course.gauges.labels
    assert spin(lambda: len(dock.curves.epochs) >= 2 and labels["left"].text())
    assert labels["rate"].text() == "100 stamps/s"
    assert labels["left"].text().endswith("left")
    assert labels["main"].text() == "memory 300 MiB"
    assert labels["device"].text() == "GPU 1.0 GiB of 4.0 GiB"
    assert spin(lambda: course.strip.epoch)
    thumbs = course.strip.thumbnails
    assert [len(row) for row in thumbs] == [3, 3, 3]
    assert "never trained on" in thumbs[2][0].toolTip()
    epoch = course.strip.epoch
    assert spin(lambda: course.strip.epoch > epoch)
    assert dock.curves.figures.chosen == ["dice"]
    dock.curves.figures.choose("dice", False)
    assert spin(lambda: "dice" not in dock.curves.best.text())
    dock.curves.log.setChecked(True)
    dock.halt.click()
    assert spin(lambda: not dock.busy)
    assert not labels["rate"].text()
    dock.shut_down()


def test_examples_sharpen_the_right_way_up(qtbot: Any) -> None:
    strip = Strip()
    qtbot.addWidget(strip)
    assert strip.isHidden()

    def green(row: int, height: int) -> int:
        return strip.thumbnails[row][0].pixmap().toImage().pixelColor(20, height).green()

    strip.show_examples(stamps(1))
    first = green(2, 50)
    strip.show_examples(stamps(2))
    assert green(0, 5) == green(0, 50) == 100
    assert first < green(2, 50) < green(1, 50)  # below, where rows begin
    assert green(1, 5) == green(2, 5) == 45  # the image, dimmed
    strip.clear()
    assert strip.epoch is None


def test_pace_is_smooth_and_counts_down() -> None:
    now = [0.0]
    pace = Pace(10, lambda: now[0])
    assert (pace.rate, pace.left_s) == (None, None)
    for step in range(1, 11):
        now[0] += 1
        pace.step(StepDone(step, 20, 1, 0.5, 50.0 if step < 10 else 100.0))
    assert pace.rate is not None
    assert 50 < pace.rate < 75
    assert pace.left_s == pytest.approx(190)
    now[0] = 20
    pace.epoch(EpochDone(1, 10, 0.5, {}, 1e-3, True, 22.0))
    assert pace.left_s == pytest.approx(9 * 22)
    now[0] += 10
    assert pace.left_s == pytest.approx(9 * 22 - 10)
    pace.epoch(EpochDone(10, 10, 0.5, {}, 1e-3, True, 22.0))
    assert pace.left_s == 0


def test_a_kept_training_is_picked_up_and_stopped_by_the_next_window(
    qtbot: Any, own_settings: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shown(qtbot, tmp_path)
    first.go.click()
    assert spin(lambda: first.curves.epochs)
    (pid,) = first.pids
    asked: list[bool] = []
    monkeypatch.setattr(first, "ask_closing", lambda: asked.append(True) or Choice.KEEP)
    assert first._may_close()
    assert first._may_close()
    assert asked == [True]  # what is kept is not asked about again
    first.shut_down()
    assert alive(pid)
    second = shown(qtbot, tmp_path)
    assert second.busy
    assert second.out.path() == tmp_path / "run"
    assert second.form.value().schedule.epochs == 500
    assert spin(lambda: len(second.curves.epochs) >= 3)
    numbers = [event.epoch for event in second.curves.epochs]
    assert numbers == list(range(1, len(numbers) + 1))
    assert second._may_close()
    second.halt.click()
    assert spin(lambda: not second.busy)
    assert "kept" in second.progress.words.text()
    assert spin(lambda: not alive(pid))
    second.shut_down()


def test_a_detached_training_leaves_the_dock_free_and_can_be_looked_at(
    qtbot: Any, own_settings: Path, tmp_path: Path
) -> None:
    dock = shown(qtbot, tmp_path)
    assert not dock.detach.isEnabled()
    dock.enqueue.click()  # nothing runs: it begins at once
    assert spin(lambda: dock.curves.epochs)
    assert dock.out.path() != tmp_path / "run"
    dock.detach.click()
    assert not dock.busy
    assert dock.queue.items[0].state == "detached"
    assert is_held(tmp_path / "run")
    dock.out.set_path(tmp_path / "other")
    dock.out.set_path(tmp_path / "run")  # looked at again
    assert dock.busy
    dock.halt.click()
    assert spin(lambda: not dock.busy)
    with RunLock(tmp_path / "run"):  # somebody else's, of whom nothing is known
        (tmp_path / "run" / "order.json").unlink()
        dock.out.set_path(tmp_path / "other")
        dock.out.set_path(tmp_path / "run")
        assert not dock.busy
        dock.resume.click()
        assert "another process trains" in dock.progress.words.text()
    dock.shut_down()


def test_the_queue_is_put_in_order_and_worked_off(
    qtbot: Any, own_settings: Path, tmp_path: Path
) -> None:
    dock = shown(qtbot, tmp_path)
    dock.go.click()
    line = dock.line
    for name in ("a", "b", "c"):
        dock.add_to_queue(order_of(tmp_path, name))
    assert "runs already" in line.go.toolTip()
    line.list.setCurrentRow(2)
    line.up.click()
    assert [item.order.out.name for item in dock.queue.waiting] == ["a", "c", "b"]
    line.list.setCurrentRow(2)
    assert not line.down.isEnabled()
    line.out.click()
    line.list.setCurrentRow(0)
    line.out.click()
    dock.halt.click()
    assert spin(lambda: not dock.busy)
    assert len(dock.queue.waiting) == 1  # what was stopped by hand sets nothing going
    assert line.go.isEnabled()
    dock.out.set_path(tmp_path / "short")
    dock.form.setValue(dock.form.value().replace(schedule__epochs=1))
    dock.go.click()  # what ends by itself does
    assert spin(lambda: not dock.queue.waiting and not dock.busy)
    assert [item.state for item in dock.queue.items] == ["done"]
    assert "Dice = 0.600" in dock.queue.items[0].told
    assert [path.name for path in Shelf().paths()] == ["c", "short"]
    dock.shut_down()


def test_what_waits_outlives_the_window_and_belongs_to_one(
    own_settings: Path, tmp_path: Path
) -> None:
    queue = Queue()
    queue.add(order_of(tmp_path, "a"))
    queue.add(order_of(tmp_path, "b"))
    assert Queue().why_not
    assert queue.take() is not None
    queue.release()
    again = Queue()
    assert [item.order for item in again.items] == [order_of(tmp_path, "b")]
    assert again.holds(tmp_path / "b")
    assert not again.holds(tmp_path / "a")
    again.release()
    file = own_settings / "astroseg" / "queue" / "queue.json"
    for wrong in ("{", "{}", '["x", 1]'):
        file.write_text(wrong)
        empty = Queue()
        assert not empty.items
        empty.release()


def test_a_search_fills_its_table_and_ends_on_the_shelf(
    qtbot: Any, own_settings: Path, tmp_path: Path
) -> None:
    dock = shown(qtbot, tmp_path)
    how = Sweep(tmp_path, tmp_path / "search", (THRESHOLDS,), grid=True)
    dock.add_to_queue(Order(Recipe.preset("spiral_arms_small"), how))
    assert dock.busy
    table = dock.course.trials
    assert spin(lambda: table.rowCount() >= 2)
    assert dock.queue.items[0].state == "running"
    assert spin(lambda: not dock.busy)
    cells = [[table.item(row, n).text() for n in range(4)] for row in range(3)]
    assert cells == [
        ["0", "complete", "0.8000", "1"],
        ["1", "complete", "0.9000", "2"],
        ["2", "complete", "0.8000", "3"],
    ]
    assert [table.item(row, 0).font().bold() for row in range(3)] == [False, True, False]
    assert "trial 1 (data.threshold=2), Jaccard = 0.900" in dock.progress.words.text()
    assert Shelf().paths() == [tmp_path / "search" / "trial-0001"]
    dock.out.set_path(how.out)
    (how.out / "study.jsonl").touch()
    dock._judge()
    assert "resume it" in dock.go.toolTip()
    dock.resume.click()
    assert Order.read(how.out).how.resume
    assert spin(lambda: table.rowCount() >= 1)
    dock.halt.click()
    assert spin(lambda: not dock.busy)
    dock.shut_down()


def test_a_search_is_asked_for_in_words(qtbot: Any, own_settings: Path, tmp_path: Path) -> None:
    arms = Recipe.preset("spiral_arms_small")
    dialog = SearchDialog(arms, tmp_path, tmp_path / "search", "cpu")
    qtbot.addWidget(dialog)
    dialog.thresholds.click()
    assert "6 trainings of 36 epochs" in dialog.told.text()
    order = dialog.order()
    assert order.how == Sweep(tmp_path, tmp_path / "search", (THRESHOLDS,), grid=True, device="cpu")
    dialog.words.setPlainText("data.threshold=[1, 0]")
    assert not dialog.ok.isEnabled()
    assert "data.threshold" in dialog.told.text()
    dialog.rates.click()
    assert dialog.ok.isEnabled()
    dialog.folder.set_path(tmp_path)
    assert "holds something already" in dialog.ok.toolTip()
    maps = SearchDialog(Recipe.preset("filaments_small"), tmp_path, tmp_path / "s", "cpu")
    qtbot.addWidget(maps)
    assert not maps.thresholds.isEnabled()
    assert "votes" in maps.thresholds.toolTip()
