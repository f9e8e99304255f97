"""The window's beat: how long the event loop is away while a prediction runs and the user pans.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/window_beat.py

A 5 ms timer notes when it fires. Five scenes, ten seconds each at most: panning at rest, while
the built-in model predicts the whole image, over the answer, while a network trains, and moving
the threshold. Predictions and trainings run in processes of their own, as they do for users.
Prints one JSON object per scene: 50th and 95th percentile and maximum of the time between beats.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from napari import Viewer
from qtpy.QtCore import Qt, QTimer
from qtpy.QtWidgets import QApplication

from napari_astroseg.gui import layers
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.train import TrainDock
from napari_astroseg.gui.workspace import open_window
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.simulate.filaments import write_filaments

SECONDS = 10.0
SIDE = 1536


def spin(until: Callable[[], object], seconds: float = 300.0) -> None:
    end = time.monotonic() + seconds
    while not until() and time.monotonic() < end:
        QApplication.processEvents()
        time.sleep(0.0005)


def beats(act: Callable[[float], None], until: Callable[[], bool] = lambda: False) -> np.ndarray:
    """Milliseconds between beats while `act(t)` is called sixty times a second."""
    times: list[float] = []
    beat, hand = QTimer(), QTimer()
    beat.setTimerType(Qt.TimerType.PreciseTimer)
    beat.timeout.connect(lambda: times.append(time.perf_counter()))
    start = time.perf_counter()
    hand.timeout.connect(lambda: act(time.perf_counter() - start))
    beat.start(5)
    hand.start(16)
    spin(lambda: until() or time.perf_counter() - start > SECONDS)
    beat.stop()
    hand.stop()
    return np.diff(times) * 1e3


def report(scene: str, gaps: np.ndarray) -> None:
    p50, p95 = np.percentile(gaps, [50, 95])
    figures = {"p50_ms": p50, "p95_ms": p95, "max_ms": gaps.max(), "beats": len(gaps)}
    print(json.dumps({"scene": scene} | {k: round(float(v), 1) for k, v in figures.items()}))


def panning(viewer: Viewer) -> Callable[[float], None]:
    _, y, x = viewer.scene.camera.center

    def pan(t: float) -> None:
        viewer.scene.camera.center = (0, y + 150 * np.sin(3 * t), x + 150 * np.cos(3 * t))

    return pan


def while_training(viewer: Viewer, folder: Path, pan: Callable[[float], None]) -> np.ndarray:
    """Beats from the first steps of a training on; then it is stopped."""
    dock = viewer.window._qt_window.findChild(TrainDock)
    recipe = dock.form.value()
    dock.form.setValue(recipe.replace(data__anywhere=2000, schedule__epochs=50))
    dock.data.set_path(folder / "sky")
    dock.out.set_path(folder / "run")
    dock.start()
    spin(lambda: ", loss " in dock.progress.words.text(), 60.0)
    assert dock.busy, dock.progress.words.text()
    gaps = beats(pan, until=lambda: not dock.busy)
    dock.stop()
    spin(lambda: not dock.busy, 30.0)
    return gaps


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = write_filaments(Path(folder) / "sky", 1, SIDE, 0)[0]
        viewer = open_window()
        layers.add_image(viewer, open_image(path))
        dock = viewer.window._qt_window.findChild(PredictDock)
        dock.place.size.setCurrentIndex(0)
        spin(lambda: False, 12.0)  # the engine warms up
        viewer.scene.camera.zoom *= 2
        pan = panning(viewer)
        report("panning at rest", beats(pan))
        dock.predict_middle()  # once, for what only the first time costs
        spin(lambda: not dock.predictions.busy)
        dock.predict_whole()
        gaps = beats(pan, until=lambda: not dock.predictions.busy)
        report("panning while predicting", gaps)
        spin(lambda: not dock.predictions.busy)
        report("panning over the answer", beats(pan))
        report("panning while training", while_training(viewer, Path(folder), pan))
        dock.predict_middle()
        spin(lambda: not dock.predictions.busy)
        dock.found.threshold.setValue(0.1)
        report("moving the threshold", beats(lambda t: dock.found.threshold.setValue(0.1 + t / 12)))
        viewer.close()


if __name__ == "__main__":
    main()
