"""One history of the window: named steps of whoever did them, taken back and done again."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gui.fixtures_jobs import job_threads, model, own_settings, sky, spin, viewer
from gui.fixtures_marks import dock, drag, kept, started
from gui.test_sessions import write
from napari.components import ViewerModel

from napari_astroseg.gui import layers
from napari_astroseg.gui.history.editmenu import EditMenu
from napari_astroseg.gui.history.history import MOST, Gone, History, NotNow, Step, history_of
from napari_astroseg.gui.history.layersteps import LayerSteps
from napari_astroseg.gui.look import looks
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.predicting.cuts import Cut
from napari_astroseg.sky.looks.limits import Limits
from napari_astroseg.sky.opening import open_image


class Number:
    """Something that is changed in steps."""

    def __init__(self, history: History) -> None:
        self.value, self._history = 0, history

    def set(self, value: int, one: object = None) -> None:
        before, self.value = self.value, value
        step = Step(f"to {value}", lambda: self._be(before), lambda: self._be(value), one=one)
        self._history.done(step)

    def _be(self, value: int) -> None:
        self.value = value


def names(steps: list[Step]) -> list[str]:
    return [step.name for step in steps]


def test_steps_go_back_and_on(qapp: Any) -> None:
    history = History()
    number = Number(history)
    for value in (1, 2, 3):
        number.set(value)
    history.undo()
    history.undo()
    assert (number.value, names(history.past), names(history.future)) == (
        1, ["to 1"], ["to 3", "to 2"]
    )  # fmt: skip
    history.redo()
    assert number.value == 2
    number.set(7)
    assert history.future == []
    for value in range(MOST):
        number.set(value, one="slider")
    assert names(history.past) == ["to 1", "to 2", "to 7", f"to {MOST - 1}"]
    history.undo()
    assert number.value == 7, "a drag is one step"
    for value in range(MOST + 9):
        number.set(value)
    assert len(history.past) == MOST


@pytest.mark.once
def test_what_cannot_be_taken_back_is_told(qapp: Any) -> None:
    history, told = History(), []
    history.said.connect(told.append)

    def refuse(error: Exception) -> Callable[[], None]:
        def turn() -> None:
            raise error

        return turn

    history.undo()
    history.done(Step("one", int, int))
    history.done(Step("two", refuse(Gone("its layer is gone")), int))
    history.undo()
    assert (names(history.past), history.future) == (["one"], [])
    history.done(Step("three", refuse(NotNow("it is being written")), int))
    history.undo()
    assert names(history.past) == ["one", "three"]
    assert told == [
        "Nothing to take back",
        "“two” is left as it is: its layer is gone",
        "“three” is left as it is: it is being written",
    ]
    with history.quiet():
        history.done(Step("four", int, int))
    assert names(history.past) == ["one", "three"]


@pytest.mark.once
def test_a_log_of_its_own_stays_the_same_whoever_turns_it(qapp: Any) -> None:
    history, log, asked = History(), object(), []
    turns = (lambda: asked.append("undo"), lambda: asked.append("redo"))
    number = Number(history)
    history.done(Step("stroke 1", *turns, owner=log))
    number.set(5)
    history.done(Step("stroke 2", *turns, owner=log))
    history.undo()
    history.undo()
    history.undo()
    history.went(log, "undo")  # both answers come late, when all is taken back already
    history.went(log, "undo")
    assert (asked, number.value, history.past) == (["undo", "undo"], 0, [])
    history.redo()
    history.went(log, "redo")
    history.redo()
    assert names(history.past) == ["stroke 1", "to 5"]
    history.went(log, "undo")  # by the dock's own button
    assert (names(history.past), names(history.future)) == (["to 5"], ["stroke 2", "stroke 1"])
    history.went(log, "redo")
    assert names(history.past) == ["to 5", "stroke 1"]
    history.forget(log)
    assert (names(history.past), history.future) == (["to 5"], [])


def test_layers_come_go_move_and_change_their_names(qapp: Any) -> None:
    viewer, history = ViewerModel(), History()
    watch = LayerSteps(viewer, history)
    states = [[]]

    def state() -> list[tuple[int, str]]:
        return [(id(layer), layer.name) for layer in viewer.layers]

    def did(count: int = 1) -> None:
        watch.settle()
        assert len(history.past) == len(states) - 1 + count
        states.append(state())

    data = np.zeros((4, 4))
    one = viewer.add_image(data, name="one")
    viewer.add_points(name="two")
    did()
    viewer.add_image(data, name="three")
    did()
    one.name = "first"
    did()
    viewer.layers.move(0, 3)
    did()
    viewer.layers.remove(viewer.layers["two"])
    did()
    viewer.add_image(data, metadata={"astroseg_prediction": {}})
    watch.settle()
    viewer.layers.remove(viewer.layers[-1])
    watch.settle()
    assert names(history.past) == [
        "Added “one” and 1 more", "Added “three”", "Layer “one” renamed to “first”",
        "Order of layers", "Removed “two”",
    ]  # fmt: skip
    for expected in reversed(states[:-1]):
        history.undo()
        assert state() == expected
    for expected in states[1:]:
        history.redo()
        assert state() == expected
    viewer.layers.remove(one)
    watch.settle()
    history.undo()
    with history.quiet():
        viewer.layers.remove(one)
    told: list[str] = []
    history.said.connect(told.append)
    for _ in range(4):
        history.undo()
    assert "the layer “first” is not in the list" in told[-2]
    watch.shut_down()


@pytest.mark.once
def test_docks_share_it(own_settings: Path, qapp: Any, model: Path, tmp_path: Path) -> None:
    viewer = ViewerModel()
    opening = MosaicDock(viewer)
    predict = PredictDock(viewer, target="gui.fake_work:predict")
    history = history_of(viewer)
    watch = LayerSteps(viewer, history)
    image = layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    predict.models.choose_named("fake")
    predict.predict_middle()
    assert spin(lambda: not predict.predictions.busy)
    (answer,) = (overlay for _, overlay in predict.predictions.answers)
    cut = answer.cut
    predict.found.threshold.setValue(0.9)
    predict.found.min_area.setValue(33)
    viewer.layers.selection.active = image
    looks.wear(image, looks.Look("sqrt", Limits(3.1, 3.9), None, "viridis", 1.0))
    opening.appearance.history.settle()
    later = answer.cut
    shown = list(viewer.layers)
    viewer.layers.remove(answer.layers[1])  # both of its layers go
    assert len(viewer.layers) == len(shown) - 2
    watch.settle()
    assert names(history.past)[-3:] == [
        "Least area 33 px", "Look of “a”", "Removed the prediction by fake, 64 × 64 px"
    ]  # fmt: skip
    history.undo()
    assert [id(layer) for layer in viewer.layers] == [id(layer) for layer in shown]
    assert predict.predictions.current is answer
    assert predict.found.cut == later
    history.undo()
    assert looks.look_of(image).kind != "sqrt"
    history.undo()
    assert answer.cut == Cut(0.9, cut.min_area_px)
    history.undo()
    assert (answer.cut, predict.found.cut) == (cut, cut)
    history.undo()
    assert list(viewer.layers) == [image]
    assert predict.predictions.current is None
    for _ in range(4):
        history.redo()
    assert looks.look_of(image).kind == "sqrt"
    assert answer.cut == later
    assert spin(lambda: answer.settled)
    opening.appearance.history.undo()
    assert names(history.future) == ["Removed the prediction by fake, 64 × 64 px", "Look of “a”"]
    watch.shut_down()
    for each in (predict, opening):
        each.shut_down()
    assert spin(lambda: not job_threads())


@pytest.mark.once
def test_a_stroke_is_a_step_among_others(dock: Any, tmp_path: Path) -> None:
    history = history_of(dock._viewer)
    layer = started(dock, tmp_path / "own.marks")
    clean = layer.data.copy()
    dock.tools.buttons["paint"].click()
    drag(layer, (100, 200), (140, 200))
    assert spin(lambda: not dock.busy)
    drawn = layer.data.copy()
    assert names(history.past) == ["Marks: brush"]
    history.undo()
    assert spin(lambda: not dock.busy)
    assert np.array_equal(layer.data, clean)
    dock.tools.redo.click()
    assert spin(lambda: not dock.busy)
    assert np.array_equal(layer.data, drawn)
    assert (names(history.past), history.future) == (["Marks: brush"], [])
    dock.stop_drawing()
    assert history.past == [], "closed marks are another window's to change"


def test_the_menu_names_the_step_and_a_key_takes_it_back(viewer: Any, own_settings: Path) -> None:
    menu = EditMenu(viewer.window._qt_window, viewer)
    assert not menu.undo_action.isEnabled()
    layer = viewer.add_image(np.zeros((8, 8)), name="sky & stars")
    layer.name = "sky"
    menu.layers.settle()
    assert menu.undo_action.text().startswith("Undo: Layer “sky && stars” renamed")
    handler = viewer.window._qt_viewer.canvas._key_map_handler
    handler.press_key("Control-Z")
    assert layer.name == "sky & stars"
    menu.steps.aboutToShow.emit()
    assert [action.isChecked() for action in menu.steps.actions()] == [False, True]
    menu.steps.actions()[1].trigger()
    assert layer not in viewer.layers
    menu.steps.aboutToShow.emit()
    menu.steps.actions()[0].trigger()
    assert layer.name == "sky"
    assert layer in viewer.layers
    handler.press_key("Control-Z")
    handler.press_key("Control-Shift-Z")
    assert layer.name == "sky"
    menu.begin()
    assert not menu.undo_action.isEnabled()
    menu.shut_down()
    handler.press_key("Control-Z")
    assert layer.name == "sky"


@pytest.mark.once
def test_a_layer_that_is_taken_away_holds_no_pixels(
    own_settings: Path, qapp: Any, tmp_path: Path
) -> None:
    viewer, history = ViewerModel(), History()
    layers.settle(viewer)
    watch = LayerSteps(viewer, history)
    layer = layers.add_image(viewer, open_image(write(tmp_path / "a.fits")))
    watch.settle()
    finest = layer.data[0].level
    before = np.asarray(finest.level[:30, :30])
    assert finest.level.cache.held > 0
    viewer.layers.remove(layer)
    assert finest.level.cache.held == 0
    history.undo()
    assert layer in viewer.layers
    assert np.array_equal(finest.level[:30, :30], before, equal_nan=True), "it is read again"
    viewer.layers.clear()
    watch.shut_down()
    assert spin(lambda: not finest.reads.busy)
