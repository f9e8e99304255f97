"""Soak: hours of seeded random actions in the real window, on a map of 20 000² pixels.

    xvfb-run -a -s "-screen 0 1600x1000x24" python benchmarks/soak.py WORK [--minutes 120]

Opens, pans, zooms, predicts, cancels, moves the threshold, judges, takes back, does again, removes
layers, saves the project, closes the window and opens it again with the project. After each minute
a line tells memory, threads, processes and open files, of this process and of its children, and
which actions there were. At the end the slopes after the first tenth: memory is to grow by less
than 5 MB a minute, the others not at all. Exit status 1 where one does, where a job is stuck for
two minutes, or where an action raised an error.
"""

from __future__ import annotations

import argparse
import faulthandler
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from qtpy.QtWidgets import QApplication

from napari_astroseg.bench.fields import write_survey
from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.history.editmenu import EditMenu
from napari_astroseg.gui.sessions.menu import ProjectMenu
from napari_astroseg.gui.workspace import open_window

SIDE = 20_000
STUCK_S = 120.0
MOST_MB = 5.0
"""That memory may grow by in a minute."""
DETECTIONS = 1000
_KEYS = ("real", "not", "unsure", "next", "undo", "redo")
WARM = 0.1
"""Of the time, after which slopes are taken."""


def main() -> int:
    """Do as the command line says; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--minutes", type=float, default=120.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--side", type=int, default=SIDE)
    options = parser.parse_args()
    faulthandler.enable()
    options.work.mkdir(parents=True, exist_ok=True)
    soak = Soak(options.work, options.side, np.random.default_rng(options.seed))
    sys.excepthook = soak.failed
    rows, end = [], time.monotonic() + 60 * options.minutes
    while time.monotonic() < end:
        minute = time.monotonic() + 60
        while time.monotonic() < minute:
            soak.act()
        rows.append(soak.counts())
        print(json.dumps(rows[-1] | {"done": dict(soak.done)}), flush=True)
    soak.close()
    warm = rows[int(WARM * len(rows)) :]
    slopes = {name: slope([row[name] for row in warm]) for name in rows[0]}
    bad = [name for name, value in slopes.items() if value > (MOST_MB if name == "MB" else 0.2)]
    print(json.dumps({"a minute": slopes, "errors": soak.errors, "grow": bad}))
    return 1 if bad or soak.errors else 0


class Soak:
    """A window, and what is done in it."""

    def __init__(self, work: Path, side: int, rng: np.random.Generator) -> None:
        self.work, self.rng, self.side = work, rng, side
        self.map = next(iter(work.glob("*map.fits")), None) or write_survey(work / "map.fits", side)
        self.list = self._detections()
        self.project = work / "work.astroseg.json"
        self.project.unlink(missing_ok=True)
        self.done: Counter[str] = Counter()
        self.errors: list[str] = []
        self.viewer: Any = None
        self.actions: dict[Callable[[], None], float] = {
            self.look: 30, self.predict: 4, self.cancel: 2, self.cut: 6, self.judge: 10,
            self.undo: 6, self.redo: 4, self.remove: 1, self.save: 1, self.reopen: 0.5,
        }  # fmt: skip
        self.open(self.map)

    def act(self) -> None:
        """One action at random, then what it sets in motion."""
        chances = np.array(list(self.actions.values()))
        number = int(self.rng.choice(len(chances), p=chances / chances.sum()))
        action = list(self.actions)[number]
        try:
            action()
        except Exception as error:
            self.errors.append(f"{action.__name__}: {error!r}")
        self.done[action.__name__] += 1
        self.spin(float(self.rng.uniform(0.02, 0.3)))

    def failed(self, kind: type[BaseException], error: BaseException, _trace: Any) -> None:
        """Note an error that Qt met."""
        self.errors.append(f"{kind.__name__}: {error}")

    def spin(self, seconds: float = 0.0, until: Callable[[], object] | None = None) -> None:
        """Let the window work for so long, or until something holds."""
        end = time.monotonic() + (STUCK_S if until else seconds)
        while time.monotonic() < end:
            QApplication.processEvents()
            if until and until():
                return
            time.sleep(0.002)
        if until:
            line = sys._getframe(1).f_lineno
            self.errors.append(f"stuck for {STUCK_S:g} s, as line {line} waits")

    def open(self, place: Path) -> None:
        """A window with the map, or the project, and its docks."""
        made: list[bool] = []
        self.viewer = open_window([place], then=lambda: made.append(True))
        window = self.viewer.window._qt_window
        self.edit, self.menu = window.findChild(EditMenu), window.findChild(ProjectMenu)
        docks = self.viewer.window.dock_widgets
        self.opening = docks["Open"]
        self.spin(until=lambda: made and not self.menu.session.busy and not self.opening.busy)
        self.predicting, self.vetting = docks["Predict"].dock, docks["Vet"].dock
        self.predicting.place.force.setChecked(True)

    def close(self) -> None:
        """Close the window, and let its processes end."""
        self.viewer.close()
        self.viewer = None
        self.spin(until=lambda: not workers())

    def look(self) -> None:
        """Pan or zoom; bring the map back where its opening was taken back."""
        if not len(self.viewer.layers):
            self.opening.open_files([self.map])
            self.spin(until=lambda: not self.opening.busy)
        camera = camera_of(self.viewer)
        camera.center = (0, *self.rng.uniform(0, self.side, 2))
        camera.zoom = float(10 ** self.rng.uniform(-1.5, 0.5))

    def predict(self) -> None:
        """Predict a window somewhere; an earlier prediction is cut short."""
        if self.predicting.place.images.layer() is not None:
            self.predicting.place.set_side(int(self.rng.choice([256, 512])))
            self.predicting.predict_around(self.rng.uniform(2000, self.side - 2000, 2))

    def cancel(self) -> None:
        """Stop what is predicted, or wait for it."""
        if self.rng.random() < 0.5:
            self.predicting.cancel()
        self.spin(until=lambda: not self.predicting.predictions.busy)

    def cut(self) -> None:
        """Move the threshold."""
        self.predicting.found.threshold.setValue(float(self.rng.uniform(0.1, 0.9)))

    def judge(self) -> None:
        """Judge, or begin to."""
        if self.vetting.desk is None and not self.vetting.busy:
            self.vetting.open.choose_file(self.list)
            self.vetting.open.who.setText("Soak")
            self.vetting.open.store.setText(str(self.work / "verdicts.sqlite"))
            self.vetting.start()
        self.spin(until=lambda: not self.vetting.busy)
        if self.vetting.desk is not None:
            self.vetting.act(
                str(self.rng.choice(["real", "not", "unsure", "next", "undo", "redo"]))
            )

    def undo(self) -> None:
        """Take the last step back."""
        self.edit.undo()

    def redo(self) -> None:
        """Do it again."""
        self.edit.redo()

    def remove(self) -> None:
        """Remove a layer of a prediction, hidden or not."""
        named = [each for each in self.viewer.layers if "·" in each.name]
        if named:
            layer = named[int(self.rng.integers(len(named)))]
            layer.visible = bool(self.rng.random() < 0.5)
            self.spin(0.1)
            self.viewer.layers.remove(layer)

    def save(self) -> None:
        """Save the project."""
        self.menu.session.save(self.project)
        self.spin(until=lambda: not self.menu.session.busy)

    def reopen(self) -> None:
        """Save, close the window, and open the project in a new one."""
        self.save()
        self.close()
        self.open(self.project)

    def counts(self) -> dict[str, float]:
        """Memory (MB), threads, processes and open files."""
        own = psutil.Process()
        every = [own, *own.children(recursive=True)]
        return {
            "MB": round(own.memory_info().rss / 1e6, 1),
            "threads": own.num_threads(),
            "processes": len(every),
            "files": own.num_fds() if hasattr(own, "num_fds") else len(own.open_files()),
        }

    def _detections(self) -> Path:
        at = np.random.default_rng(1).uniform(1500, self.side - 1500, (DETECTIONS, 2))
        path = self.work / "found.csv"
        rows = (f"{n},{x:.1f},{y:.1f},20" for n, (x, y) in enumerate(at))
        path.write_text("id,x,y,radius\n" + "\n".join(rows) + "\n")
        return path


def workers() -> list[psutil.Process]:
    """Child processes but for the one that serves this process to its end."""
    found = []
    for child in psutil.Process().children(recursive=True):
        with suppress(psutil.NoSuchProcess):
            if not any("resource_tracker" in word for word in child.cmdline()):
                found.append(child)
    return found


def slope(values: list[float]) -> float:
    """Growth for each step, by least squares; 0 of fewer than three."""
    if len(values) < 3:
        return 0.0
    return round(float(np.polyfit(np.arange(len(values)), values, 1)[0]), 3)


if __name__ == "__main__":
    sys.exit(main())
