"""Working: from prediction to verdict, and from training to figures."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np

from screenshots.skies import write
from screenshots.stage import IMAGES, SIZE, dock, keep, sample_window, shoot, wait_for, window

CLICK_YX = (300.0, 440.0)
SMALL = {
    "data.split": {"area_px": 96}, "data.anywhere": 150, "schedule.epochs": 24,
    "schedule.decay_every": 12,
}  # fmt: skip
TINY = {
    "family.channels": [8, 16, 24, 32], "family.bottleneck": 48, "data.anywhere": 40,
    "schedule.epochs": 16, "schedule.decay_every": 8,
}  # fmt: skip


def window_and_predict(only: set[str]) -> None:
    """The sample predicted as a whole; then a click, close up."""
    from napari_astroseg.gui.mosaic import MosaicDock
    from napari_astroseg.gui.predict import PredictDock

    viewer = sample_window()
    predicting = dock(viewer, "Predict", PredictDock)
    predicting.models.choose_named("filaments")
    predicting.predict_whole()
    wait_for(lambda: not predicting.predictions.busy)
    next(each for each in viewer.layers if each.name.startswith("probab")).visible = False
    dock(viewer, "Open", MosaicDock)
    viewer.cursor.position = CLICK_YX
    wait_for(lambda: True)
    if "window" in only:
        shoot(viewer, "window")
    if "predict" in only:
        predicting = dock(viewer, "Predict", PredictDock)
        while len(viewer.layers) > 1:  # an answer's two layers go together
            viewer.layers.pop()
        predicting.place.size.setCurrentIndex(0)
        predicting.predict_around(CLICK_YX)
        wait_for(lambda: not predicting.predictions.busy)
        viewer.scene.camera.center = (0.0, *CLICK_YX)
        viewer.scene.camera.zoom = 2.6
        wait_for(lambda: True)
        shoot(viewer, "predict")
    viewer.close()


def compare() -> None:
    """The sample's regions over its mid-infrared view, which is swiped in and measured."""
    from qtpy.QtWidgets import QScrollArea

    from napari_astroseg.gui.compare import CompareDock
    from napari_astroseg.gui.fold import Fold
    from napari_astroseg.gui.predict import PredictDock

    viewer = sample_window()
    predicting = dock(viewer, "Predict", PredictDock)
    predicting.models.choose_named("filaments")
    predicting.predict_whole()
    wait_for(lambda: not predicting.predictions.busy)
    next(each for each in viewer.layers if each.name.startswith("probab")).visible = False
    comparing = dock(viewer, "Compare", CompareDock)
    comparing.show_file("sample/000_infrared.fits")
    wait_for(lambda: not comparing.busy)
    comparing.seeing.toggle_swipe()
    measuring = comparing.measuring
    next(each for each in comparing.findChildren(Fold) if each.isAncestorOf(measuring)).open()
    measuring.question.ask()
    wait_for(lambda: not measuring.busy and measuring.found is not None)
    measuring.pick(0, go=False)
    comparing.findChild(QScrollArea).ensureWidgetVisible(measuring, 0, 0)
    wait_for(lambda: True)
    shoot(viewer, "compare")
    viewer.close()


def training(only: set[str]) -> None:
    """A small network half-way through its training on simulated skies; then beside another."""
    from PIL import Image

    from napari_astroseg.gui.train import TrainDock
    from napari_astroseg.recipes.recipe import Recipe
    from napari_astroseg.sky.simulate import write_filaments

    viewer = sample_window()
    write_filaments(Path("skies"), 4, 384, seed=100)
    train = dock(viewer, "Train", TrainDock)
    train.data.set_path(Path("skies"))
    train.out.set_path(Path("runs/small"))
    train.preset.setCurrentText("filaments_small")
    recipe = Recipe.preset("filaments_small").replace(**(SMALL | TINY))
    train.form.setValue(recipe)
    train.start()
    train.out.set_path(Path("runs/slower"))
    train.form.setValue(recipe.replace(schedule__learning_rate=3e-4))
    train.add_to_queue()
    train.out.set_path(Path("runs/small"))
    train.course.tabs.setCurrentIndex(0)
    wait_for(lambda: len(train.curves.epochs) >= 12 or not train.busy, 0)
    if "train" in only:
        shoot(viewer, "train", 224)
    if "runs" in only:
        wait_for(lambda: not train.busy and not train.queue.waiting)
        comparison = train.show_comparison()
        wait_for(lambda: len(comparison.runs) == 2)
        comparison.grab().save("runs.png")
        keep(Image.open("runs.png").convert("RGB"), "runs")
        comparison.close()
    train.queue.remove(train.queue.items[-1])
    train.stop()
    wait_for(lambda: not train.busy)
    viewer.close()


def vetting() -> None:
    """Bubbles and decoys of a simulated tile, being judged."""
    from napari_astroseg.gui.vet import VetDock
    from napari_astroseg.sky.simulate import simulate_bubbles

    tile = simulate_bubbles(1024, seed=3, number=1)
    found = [*tile.bubbles, *tile.decoys]
    write(Path("tile.fits"), tile.bands["g"], tile.wcs.to_header())
    lon, lat = tile.wcs.pixel_to_world_values(
        [each.x for each in found], [each.y for each in found]
    )
    rng = np.random.default_rng(1)
    rows = [
        f"{number},{a % 360:.6f},{b:.6f},{60 * each.major:.1f},{score:.3f},bubble"
        for number, (a, b, each, score) in enumerate(
            zip(lon, lat, found, rng.uniform(0.5, 1, len(found)), strict=True), 1
        )
    ]
    header = "id,l,b,radius_arcsec,score,kind"
    Path("found.csv").write_text("\n".join([header, *rows]), encoding="utf-8")
    viewer = window([Path("tile.fits")])[0]
    vet = dock(viewer, "Vet", VetDock)
    vet.open.choose_file(Path("found.csv").absolute())
    vet.open.who.setText("Ada")
    vet.open.store.setText(str(Path("verdicts.sqlite").absolute()))
    vet.queue.order.setCurrentIndex(1)
    vet.start()
    wait_for(lambda: vet.desk is not None and not vet.busy)
    vet.judging.zoom.setCurrentIndex(1)
    for verdict in ("real", "real", "not", "real", "unsure"):
        vet.act(verdict)
        wait_for(lambda: not vet.busy, 50)
    vet.judging.tag_line.setText("broken rim")
    wait_for(lambda: not vet.busy)
    shoot(viewer, "vetting", 255)
    viewer.close()


def results() -> None:
    """The model in the box measured on unseen skies, and the one on which it does worst."""
    from napari_astroseg.gui.results import ResultsDock
    from napari_astroseg.gui.workspace import open_window
    from napari_astroseg.sky.simulate import write_filaments

    os.environ["HOME"] = str(Path.cwd())  # where evaluations are kept
    write_filaments(Path("unseen"), 3, 384, seed=9000)
    viewer = open_window()
    viewer.window.resize(*SIZE)
    wait_for(lambda: True)  # until napari has restored its own layout
    measured = dock(viewer, "Results", ResultsDock)
    measured.models.choose_named("filaments")
    measured.data.set_path(Path("unseen"))
    measured.evaluate()
    wait_for(lambda: not measured.busy)
    measured.worst.itemActivated.emit(measured.worst.item(0, 0))
    wait_for(lambda: not measured.busy)
    shoot(viewer, "results")
    viewer.close()


def uncertainty() -> None:
    """Filaments of the sample, close up: how probable and how unsure, in one map."""
    from napari_astroseg.gui.predict import PredictDock

    viewer = sample_window()
    predicting = dock(viewer, "Predict", PredictDock)
    predicting.models.choose_named("filaments")
    predicting.place.unsure.setCurrentIndex(predicting.place.unsure.findData("turns"))
    predicting.place.size.setCurrentIndex(0)
    predicting.predict_around(CLICK_YX)
    wait_for(lambda: not predicting.predictions.busy)
    predicting.turn_both()
    viewer.scene.camera.center = (0.0, *CLICK_YX)
    viewer.scene.camera.zoom = 2.6
    wait_for(lambda: predicting.predictions.current.settled)
    shoot(viewer, "uncertainty", 0)  # its legend has more colours than a palette spares
    viewer.close()


def stars() -> None:
    """Stars and galaxies of a simulated set, filled, from the model's own score up."""
    from napari_astroseg.gui import layers
    from napari_astroseg.gui.predict import PredictDock
    from napari_astroseg.gui.workspace import open_window
    from napari_astroseg.sky.opening import open_bands
    from napari_astroseg.sky.simulate import multiband

    multiband.write(Path("sets"), 0, 256, 9000)
    (place,) = Path("sets").glob("set_*")
    viewer = open_window()
    viewer.window.resize(*SIZE)
    wait_for(lambda: True)  # until napari has restored its own layout
    layers.add_image(viewer, open_bands([place / f"img_{band}.fits" for band in "zrg"]))
    predicting = dock(viewer, "Predict", PredictDock)
    predicting.models.choose_named("astro_rcnn_small")
    predicting.place.unsure.setCurrentIndex(predicting.place.unsure.findData("turns"))
    predicting.predict_whole()
    wait_for(lambda: not predicting.predictions.busy)
    wait_for(lambda: predicting.predictions.current.settled)
    viewer.reset_view()
    shoot(viewer, "stars", 0)
    viewer.close()


def preview() -> None:
    """The picture that the demo leaves."""
    command = [sys.executable, "-m", "napari_astroseg", "demo", "--headless", "--out", "demo"]
    subprocess.run(command, check=True)
    shutil.copy("demo/preview.png", IMAGES / "preview.png")
    print(IMAGES / "preview.png")
