"""Make the pictures of the documentation from the real window.

    python docs/make_screenshots.py [--only window predict train preview]

Needs a display (a virtual one will do). The user's settings and models are left alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

IMAGES = Path(__file__).resolve().parent / "images"
SIZE = (1400, 900)
PATIENCE_S = 900.0
KINDS, CLICK_YX = ("window", "predict", "train", "preview"), (300.0, 440.0)
SMALL = {
    "data.split": {"area_px": 96}, "data.anywhere": 150, "schedule.epochs": 24,
    "schedule.decay_every": 12,
}  # fmt: skip


def wait_for(done: Callable[[], bool]) -> None:
    """Let the window live until `done`, then a moment more for it to draw."""
    from qtpy.QtTest import QTest

    until = time.monotonic() + PATIENCE_S
    while not done():
        if time.monotonic() > until:
            sys.exit(f"error: nothing came within {PATIENCE_S:.0f} s; run it where less else runs")
        QTest.qWait(20)
    QTest.qWait(2000)


def dock(viewer: Any, name: str, kind: type) -> Any:
    """One of our docks, brought to the front."""
    from qtpy.QtWidgets import QDockWidget

    inner = viewer.window.dock_widgets[name]
    frame = inner
    while not isinstance(frame, QDockWidget):
        frame = frame.parent()
    frame.raise_()
    return inner if isinstance(inner, kind) else inner.findChild(kind)


def sample_window() -> Any:
    """The window with the demo's sample in it; what it remembers goes to a test's place."""
    from qtpy.QtCore import QStandardPaths

    QStandardPaths.setTestModeEnabled(True)
    from napari_astroseg.cli import demo
    from napari_astroseg.gui.workspace import open_window
    from napari_astroseg.sky.simulate import write_filaments

    viewer = open_window([write_filaments(Path("sample"), 1, demo.SIZE, demo.SEED)[0]])
    viewer.window.resize(*SIZE)
    wait_for(lambda: True)
    return viewer


def shoot(viewer: Any, name: str) -> None:
    """The whole window as it is."""
    viewer.screenshot(str(IMAGES / f"{name}.png"), canvas_only=False, flash=False)
    print(IMAGES / f"{name}.png")


def window_and_predict(viewer: Any) -> None:
    """The sample predicted as a whole; then a click, close up."""
    from napari_astroseg.gui.mosaic import MosaicDock
    from napari_astroseg.gui.predict import PredictDock

    predicting = dock(viewer, "Predict", PredictDock)
    predicting.models.choose_named("filaments")
    predicting.predict_whole()
    wait_for(lambda: not predicting.predictions.busy)
    next(each for each in viewer.layers if each.name.startswith("probab")).visible = False
    dock(viewer, "Open", MosaicDock)
    viewer.cursor.position = CLICK_YX
    wait_for(lambda: True)
    shoot(viewer, "window")
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


def training(viewer: Any) -> None:
    """A small network half-way through its training on simulated skies."""
    from napari_astroseg.gui.train import TrainDock
    from napari_astroseg.recipes.recipe import Recipe
    from napari_astroseg.sky.simulate import write_filaments

    write_filaments(Path("skies"), 4, 384, seed=100)
    train = dock(viewer, "Train", TrainDock)
    train.data.set_path(Path("skies"))
    train.out.set_path(Path("runs/small"))
    train.preset.setCurrentText("filaments_small")
    train.form.setValue(Recipe.preset("filaments_small").replace(**SMALL))
    train.start()
    wait_for(lambda: len(train.curves.epochs) >= 18 or not train.busy)
    shoot(viewer, "train")
    train.stop()
    wait_for(lambda: not train.busy)


def preview() -> None:
    """The picture that the demo leaves."""
    command = [sys.executable, "-m", "napari_astroseg", "demo", "--headless", "--out", "demo"]
    subprocess.run(command, check=True)
    shutil.copy("demo/preview.png", IMAGES / "preview.png")
    print(IMAGES / "preview.png")


def main() -> None:
    """Make what was asked for, in a folder that goes away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "napari.yaml")
        os.chdir(folder)
        if set(options.only) - {"preview"}:
            viewer = sample_window()
            if {"window", "predict"} & set(options.only):
                window_and_predict(viewer)
            if "train" in options.only:
                training(viewer)
            viewer.close()
        if "preview" in options.only:
            preview()


if __name__ == "__main__":
    main()
