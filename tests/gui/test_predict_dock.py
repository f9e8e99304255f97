"""PredictDock: a click becomes layers; everything else a user may do on the way."""
# ruff: noqa: F401, F811 (fixtures)

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import wrapt
from gui.fixtures_jobs import alive, job_threads, model, own_settings, sky, spin, viewer
from gui.make_model import write_model
from layouts import write_set
from qtpy.QtCore import QPoint, Qt
from qtpy.QtTest import QTest

from napari_astroseg.gui import layers
from napari_astroseg.gui.look.colourdata import native_data
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.predicting.overlays import METADATA
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.opening import open_bands, open_image
from napari_astroseg.sky.votes.writing import Annotator, write_gz3d_like
from napari_astroseg.sky.window import Window

pytestmark = pytest.mark.gui


def add(viewer: Any, work: str = "predict") -> PredictDock:
    dock = PredictDock(viewer, target=f"gui.fake_work:{work}")
    viewer.window.add_dock_widget(dock, name="Predict", area="right")
    dock.models.choose_named("fake")
    return dock


def click(viewer: Any, y: float, x: float, drag: float = 0.0) -> None:
    """A press and a release in the canvas, at a world position, as napari hands them on."""
    from napari.utils.interactions import (
        mouse_move_callbacks,
        mouse_press_callbacks,
        mouse_release_callbacks,
    )

    def event(kind: str, moved: float = 0.0) -> Any:
        values = {"type": kind, "position": (y, x), "pos": np.array([50.0 + moved, 50.0])}
        return wrapt.ObjectProxy(Mouse(**values))

    mouse_press_callbacks(viewer, event("mouse_press"))
    if drag:
        mouse_move_callbacks(viewer, event("mouse_move", drag))
    mouse_release_callbacks(viewer, event("mouse_release", drag))


class Mouse:
    """What a mouse callback looks at."""

    def __init__(self, **values: Any) -> None:
        self.button, self.modifiers, self.is_dragging, self.handled = 1, (), True, False
        self.dims_displayed = [0, 1]
        self.__dict__.update(values)


def overlays(viewer: Any, role: str = "probability") -> list[Any]:
    return [each for each in viewer.layers if each.metadata.get(METADATA, {}).get("role") == role]


def done(dock: PredictDock) -> bool:
    ended = spin(lambda: not dock.predictions.busy)
    overlay = dock.predictions.current
    return ended and (overlay is None or spin(lambda: overlay.settled))


def test_a_picture_is_predicted_in_all_its_colours(
    viewer: Any, model: Path, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 255, (80, 80, 3)).astype(np.uint8)
    file = write_gz3d_like(tmp_path / "galaxy.fits", picture, [Annotator("a", {})])
    layer = layers.add_prepared(viewer, native_data(open_image(file)))
    viewer.layers.selection.active = layer
    dock = add(viewer, "colours")
    assert dock.place.images.layer() is layer
    dock.place.by_whole.click()
    assert done(dock)
    (shade,) = overlays(viewer)
    assert np.allclose(np.asarray(shade.data), picture.mean(2) / 255, atol=1e-6)
    assert shade.metadata[METADATA]["image"].count == 3
    catalogue = tmp_path / "found.ecsv"
    assert "galaxy" in dock.predictions.current.image.name
    dock.found.write(catalogue)
    assert spin(catalogue.exists)
    assert len(Catalogue.read(catalogue))


def test_a_stack_is_predicted_in_all_its_bands_by_a_model_of_several(
    viewer: Any, model: Path, tmp_path: Path
) -> None:
    write_model(model, recipe=Recipe.preset("astro_rcnn_small"))
    place = write_set(tmp_path, 0)
    image = open_bands([place / f"img_{band}.fits" for band in "zrg"], "set")
    layer = layers.add_image(viewer, image)
    viewer.layers.selection.active = layer
    dock = add(viewer, "colours")
    assert dock.place.images.image().count == 1
    dock.place.by_whole.click()
    assert done(dock)
    (shade,) = overlays(viewer)
    assert shade.metadata[METADATA]["image"].count == 3
    wanted = image.cutout(Window.whole(image.shape)).mean(0) / 255
    assert np.allclose(np.asarray(shade.data), wanted, atol=1e-6)


def test_a_click_becomes_two_layers_in_the_right_place(viewer: Any, model: Path) -> None:
    dock = add(viewer)
    dock.place.size.setCurrentIndex(0)
    dock.place.by_click.click()
    click(viewer, 200.0, 300.0)
    assert spin(lambda: dock.predictions.busy)
    assert done(dock)
    (shade,), (regions,) = overlays(viewer), overlays(viewer, "regions")
    window = Window.around(300, 200, 256)
    for layer in (shade, regions):
        assert tuple(layer.translate) == (window.y, window.x)
        assert layer.data.shape == (256, 256)
        note = layer.metadata[METADATA]
        assert (note["model"], note["window"]) == ("fake", window)
        assert note["image"] is layers.sky_image(viewer.layers[0])
    np.testing.assert_array_equal(shade.data, sky().cutout(window))
    assert shade.data.dtype == np.float32
    np.testing.assert_array_equal(regions.data > 0, shade.data >= dock.found.cut.threshold)
    assert viewer.layers.selection.active is viewer.layers[0]
    assert dock.found.summary.text().startswith("1 region, ")
    assert "this is a fake" in dock.progress.words.text()


def test_a_real_press_and_release_in_the_canvas(viewer: Any, model: Path) -> None:
    dock = add(viewer)
    dock.place.by_click.click()
    spin(lambda: False, 0.3)
    canvas = viewer.window._qt_viewer.canvas.native
    middle = canvas.rect().center()
    QTest.mouseClick(canvas, Qt.MouseButton.LeftButton, pos=middle)
    assert dock.predictions.busy
    assert done(dock)
    window = dock.predictions.current.window
    assert window.x + window.width / 2 == pytest.approx(300, abs=3)
    assert window.y + window.height / 2 == pytest.approx(300, abs=3)
    QTest.mousePress(canvas, Qt.MouseButton.LeftButton, pos=middle)
    for step in range(1, 6):
        QTest.mouseMove(canvas, middle + QPoint(20 * step, 0))
    QTest.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=middle + QPoint(100, 0))
    assert not dock.predictions.busy


def test_only_a_plain_click_predicts_and_only_while_asked_to(viewer: Any, model: Path) -> None:
    dock = add(viewer)
    click(viewer, 200.0, 300.0)
    dock.place.by_click.click()
    click(viewer, 200.0, 300.0, drag=30.0)
    viewer.add_labels(np.zeros((600, 600), int)).mode = "paint"
    click(viewer, 200.0, 300.0)
    assert not dock.predictions.busy
    dock.place.by_click.click()
    viewer.layers.selection.active = viewer.layers[0]
    click(viewer, 200.0, 300.0)
    assert not dock.predictions.busy


def test_the_threshold_is_live_and_monotone(viewer: Any, model: Path) -> None:
    dock = add(viewer)
    dock.predict_around((300.0, 300.0))
    assert done(dock)
    (regions,) = overlays(viewer, "regions")
    areas = []
    for threshold in (0.2, 0.4, 0.6, 0.8, 1.0):
        dock.found.threshold.setValue(threshold)
        expected = int((dock.predictions.current.probability >= threshold).sum())
        assert spin(lambda expected=expected: (regions.data > 0).sum() == expected)
        assert regions.metadata[METADATA]["threshold"] == pytest.approx(threshold)
        areas.append(expected)
    assert areas == sorted(areas, reverse=True)
    assert areas[0] > areas[-1]
    dock.found.threshold.setValue(0.2)
    dock.found.min_area.setValue(600 * 600)
    assert spin(lambda: not regions.data.any())
    assert spin(lambda: dock.found.summary.text().startswith("0 regions"))


def test_cancel_keeps_the_tiles_that_are_done(viewer: Any, model: Path) -> None:
    dock = add(viewer, "slow")
    dock.predict_whole()
    assert spin(lambda: overlays(viewer))
    dock.cancel()
    assert spin(lambda: not dock.predictions.busy)
    known = np.isfinite(overlays(viewer)[0].data)
    assert known.any()
    assert not known.all()
    assert "Stopped" in dock.progress.words.text()


def test_a_new_click_supersedes(viewer: Any, model: Path) -> None:
    dock = add(viewer, "slow_unless_small")
    dock.predict_whole()
    assert spin(lambda: overlays(viewer))
    dock.place.size.setCurrentIndex(0)
    dock.predict_around((300.0, 300.0))
    assert done(dock)
    assert spin(lambda: len(overlays(viewer)) == 1)
    assert overlays(viewer)[0].data.shape == (256, 256)
    assert np.isfinite(overlays(viewer)[0].data).all()


def test_the_same_window_again_replaces_and_another_is_kept(viewer: Any, model: Path) -> None:
    dock = add(viewer)
    dock.place.size.setCurrentIndex(0)
    for position in ((300.0, 300.0), (300.0, 300.0), (200.0, 300.0)):
        dock.predict_around(position)
        assert done(dock)
    assert len(overlays(viewer)) == len(overlays(viewer, "regions")) == 2
    dock.repeat()
    assert done(dock)
    assert len(overlays(viewer)) == 2
    dock.place.keep.setChecked(False)
    dock.repeat()
    assert done(dock)
    assert len(overlays(viewer)) == 1


def test_the_selected_answer_is_the_one_that_the_slider_moves(viewer: Any, model: Path) -> None:
    dock = add(viewer)
    dock.place.size.setCurrentIndex(0)
    dock.predict_around((200.0, 300.0))
    assert done(dock)
    first = dock.predictions.current
    dock.predict_around((400.0, 300.0))
    assert done(dock)
    second = dock.predictions.current
    dock.found.threshold.setValue(0.7)
    viewer.layers.selection.active = first.layers[1]
    assert dock.predictions.current is first
    assert dock.found.cut.threshold == first.cut.threshold == 0.5
    dock.found.threshold.setValue(0.3)
    assert (first.cut.threshold, second.cut.threshold) == (0.3, 0.7)


def test_a_deleted_overlay_is_forgotten(viewer: Any, model: Path) -> None:
    dock = add(viewer, "slow")
    dock.predict_whole()
    assert spin(lambda: overlays(viewer))
    viewer.layers.remove(overlays(viewer)[0])
    assert not overlays(viewer, "regions")
    assert dock.predictions.current is None
    spin(lambda: False, 0.5)
    assert not overlays(viewer)
    dock.cancel()
    assert spin(lambda: not dock.predictions.busy)


def test_a_deleted_image_takes_its_button_along(viewer: Any, model: Path) -> None:
    dock = add(viewer)
    dock.predict_whole()
    assert done(dock)
    viewer.layers.clear()
    assert not dock.place.by_whole.isEnabled()
    dock.repeat()
    assert not dock.predictions.busy


def test_a_misfit_is_a_sentence_and_can_be_overruled(viewer: Any, model: Path) -> None:
    dock = add(viewer, "misfit")
    assert not dock.place.force.isVisible()
    dock.predict_whole()
    assert done(dock)
    words = "This image does not suit the model; choose another"
    assert dock.progress.words.text() == words
    assert not overlays(viewer)
    dock.place.force.setChecked(True)
    dock.repeat()
    assert done(dock)
    assert overlays(viewer)


def test_a_click_beside_the_image_is_a_sentence(viewer: Any, model: Path) -> None:
    dock = add(viewer)
    dock.predict_around((300.0, 5000.0))
    assert not dock.predictions.busy
    assert "choose one that touches it" in dock.progress.words.text()


def test_a_killed_engine_is_a_sentence_and_the_next_click_works(viewer: Any, model: Path) -> None:
    dock = add(viewer, "slow_unless_small")
    dock.predict_whole()
    assert spin(lambda: overlays(viewer))
    os.kill(dock.predictions.pids[0], signal.SIGKILL)
    assert spin(lambda: not dock.predictions.busy)
    assert "try again" in dock.progress.words.text()
    dock.place.size.setCurrentIndex(0)
    dock.predict_around((300.0, 300.0))
    assert done(dock)
    assert "Done" in dock.progress.words.text()


def test_the_window_lives_while_a_prediction_runs(viewer: Any, model: Path) -> None:
    from qtpy.QtCore import QTimer

    dock = add(viewer, "slow")
    beats: list[int] = []
    beat = QTimer()
    beat.timeout.connect(lambda: beats.append(1))
    dock.predict_whole()
    beat.start(5)
    assert spin(lambda: overlays(viewer))
    before = len(beats)
    for step in range(20):
        viewer.scene.camera.center = (0, 300 + step, 300)
        spin(lambda: False, 0.02)
    assert dock.predictions.busy
    assert len(beats) > before + 10
    dock.cancel()
    assert spin(lambda: not dock.predictions.busy)


@pytest.mark.parametrize("how", ["viewer", "dock"])
def test_closing_mid_run_leaves_no_orphans(make_napari_viewer: Any, model: Path, how: str) -> None:
    viewer = make_napari_viewer(show=True)
    layers.add_image(viewer, sky())
    dock = add(viewer, "slow")
    dock.predict_whole()
    assert spin(lambda: overlays(viewer))
    pids = dock.predictions.pids
    assert pids
    assert all(alive(pid) for pid in pids)
    if how == "viewer":
        viewer.close()
    else:
        viewer.window.remove_dock_widget(dock)
    assert spin(lambda: not any(alive(pid) for pid in pids) and not job_threads())
    if how == "dock":
        click(viewer, 300.0, 300.0)
        viewer.layers.clear()
        assert not dock.predictions.busy


def test_whatever_cannot_be_done_says_why(make_napari_viewer: Any, own_settings: Path) -> None:
    viewer = make_napari_viewer()
    dock = add(viewer)
    for path in [dock.models._list.itemText(0)] if dock.models.card() else []:
        assert path
    if dock.models.card() is None:
        assert "model" in dock.place.by_click.toolTip()
        write_model(own_settings / "run" / "model.safetensors")
        dock.models.add(own_settings / "run")
    assert not dock.place.by_click.isEnabled()
    assert "image" in dock.place.by_click.toolTip()
    layers.add_image(viewer, sky())
    assert dock.place.by_click.isEnabled()
    assert "pans" in dock.place.by_click.toolTip()


def test_another_docks_model_appears_and_a_bad_one_is_refused(
    viewer: Any, model: Path, own_settings: Path
) -> None:
    dock = add(viewer)
    names = [dock.models._list.itemText(i) for i in range(dock.models._list.count())]
    run = own_settings / "run7"
    write_model(run / "model.safetensors", "run7")
    Shelf().add(run)
    assert spin(lambda: dock.models._list.count() == len(names) + 1)
    assert dock.models.card().name == "fake"
    bad = own_settings / "bad.safetensors"
    bad.write_bytes(b"no")
    dock.models.add(bad)
    assert "not a safetensors model" in dock.progress.words.text()


def test_the_catalogue_is_written(viewer: Any, model: Path, tmp_path: Path) -> None:
    dock = add(viewer)
    assert not dock.found.save.isEnabled()
    dock.predict_whole()
    assert done(dock)
    assert dock.found.save.isEnabled()
    file = tmp_path / "regions.ecsv"
    dock.found.write(file)
    assert spin(file.exists)
    assert spin(lambda: "1 region written" in dock.progress.words.text())
    assert len(Catalogue.read(file)) == 1
    dock.found.write(tmp_path / "regions.nonsense")
    assert spin(lambda: "no catalogue format" in dock.progress.words.text())


def test_a_big_window_is_drawn_at_several_resolutions(make_napari_viewer: Any, model: Path) -> None:
    viewer = make_napari_viewer(show=True)
    layers.add_image(viewer, sky(4500))
    dock = add(viewer)
    dock.predict_whole()
    assert done(dock)
    (shade,), (regions,) = overlays(viewer), overlays(viewer, "regions")
    assert shade.multiscale
    assert regions.multiscale
    coarse = np.asarray(shade.data[-1])
    fine = np.asarray(shade.data[0])[:4500, :4500]
    np.testing.assert_array_equal(fine, sky(4500).cutout(Window.whole((4500, 4500))))
    factor = shade.data[0].shape[0] // coarse.shape[0]
    mean = fine[: factor * 500, : factor * 500].reshape(500, factor, 500, factor).mean((1, 3))
    np.testing.assert_allclose(coarse[:500, :500], mean, atol=1e-5)
    dock.found.threshold.setValue(0.75)
    assert spin(lambda: regions.contrast_limits[1] == pytest.approx(0.75))
    assert spin(lambda: dock.predictions.current.summary.area_px == int((fine >= 0.75).sum()))


def test_keys(viewer: Any, model: Path) -> None:
    dock = add(viewer, "slow")
    canvas = viewer.window._qt_viewer.canvas.native
    dock.predict_whole()
    assert spin(lambda: overlays(viewer))
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert spin(lambda: not dock.predictions.busy)
    QTest.keyClick(canvas, Qt.Key.Key_R)
    assert dock.predictions.busy
    QTest.keyClick(canvas, Qt.Key.Key_Escape)
    assert spin(lambda: not dock.predictions.busy)


def test_this_view_is_what_the_canvas_shows(viewer: Any, model: Path) -> None:
    dock = add(viewer)
    spin(lambda: False, 0.3)
    viewer.scene.camera.zoom = 8 * viewer.scene.camera.zoom
    viewer.scene.camera.center = (0, 150, 450)
    spin(lambda: False, 0.5)
    # As the canvas is now: with the answer's layers come taller controls, and the window grows.
    height, width = np.array(viewer.canvas.size) / viewer.scene.camera.zoom
    dock.place.by_view.click()
    assert done(dock)
    window = dock.predictions.current.window
    assert window.width == pytest.approx(width, abs=4)
    assert window.height == pytest.approx(height, abs=4)
    assert window.x + window.width / 2 == pytest.approx(450, abs=3)
    assert window.y + window.height / 2 == pytest.approx(150, abs=3)
