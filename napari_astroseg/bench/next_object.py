"""Next object: a key pressed in the Vet dock, until the verdict is kept and the next is drawn.

Run as `python -m napari_astroseg.bench.next_object JSON` (an `Order`): in a process of its own, as
memory is counted. Prints `Judged` as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

import napari
import numpy as np
from qtpy.QtWidgets import QApplication

from napari_astroseg.bench.memory import Memory
from napari_astroseg.gui import layers
from napari_astroseg.gui.aids.view import camera_of
from napari_astroseg.gui.vet import VetDock
from napari_astroseg.gui.workspace import settle_in
from napari_astroseg.sky.opening import open_image

_SIZE = (1400, 900)
_PAUSE_S = 0.35
"""From one object to the next key, as of a hand that is fast."""
_ZOOM = 1.5
_STAMPS = 100
_STEP = 40.0
"""A bare move of the camera, px: what is seen has been read."""
_PATIENCE_S = 600.0


@dataclass(frozen=True)
class Order:
    """What to measure.

    Parameters
    ----------
    mosaic, detections
        Files.
    store
        That verdicts are kept in, made here.
    keys
        How often a verdict is given.
    rest_s
        Before anything is measured: the mosaic's overview is made meanwhile.
    """

    mosaic: str
    detections: str
    store: str
    keys: int
    rest_s: float = 5.0


@dataclass
class Judged:
    """What was measured; times in seconds.

    Parameters
    ----------
    opened, again
        From *Start* to the first object, of a new list and of one that the store has.
    stored
        From a key to the verdict on the disk.
    shown
        From a key to the end of the first picture of the next object.
    bare
        From moving the camera by as much to the end of the picture, while nothing is judged.
    sheet, stamps
        From *Sheet* to all stamps of a page, and how many these are.
    peak_mib
        Most memory while the list was opened, over that before.
    """

    opened: float = 0.0
    again: float = 0.0
    stored: list[float] = field(default_factory=list)
    shown: list[float] = field(default_factory=list)
    bare: list[float] = field(default_factory=list)
    sheet: float = 0.0
    stamps: int = 0
    peak_mib: float = 0.0


def main(order: Order) -> Judged:
    """Carry out an order in a viewer of its own."""
    viewer = napari.Viewer()
    viewer.window.resize(*_SIZE)
    layers.settle(viewer)
    settle_in().join()
    layers.add_image(viewer, open_image(order.mosaic))
    dock = VetDock(viewer)
    viewer.window.add_dock_widget(dock, name="Vet", area="right")
    _until(lambda: False, order.rest_s)
    dock.open.choose_file(order.detections)
    dock.open.who.setText("Bench")
    dock.open.store.setText(order.store)
    told, before = Judged(), Memory()
    told.opened = _opened(dock)
    told.peak_mib = before.peak_mib()
    dock.open.close_button.click()
    told.again = _opened(dock)
    camera_of(viewer).zoom = _ZOOM
    _until(lambda: False, 1.0)
    _judge(viewer, dock, order.keys, told)
    _sheet(dock, told)
    dock.shut_down()
    viewer.close()
    return told


def _opened(dock: Any) -> float:
    begun = time.perf_counter()
    dock.start()
    _until(lambda: dock.desk is not None)
    return time.perf_counter() - begun


def _judge(viewer: Any, dock: Any, keys: int, told: Judged) -> None:
    """Give verdicts by keys, one after the other, each when the last has come to rest.

    A bare move follows each, so that a drifting machine hits both.
    """
    canvas = viewer.window._qt_viewer.canvas
    scene, handler, desk = canvas._scene_canvas, canvas._key_map_handler, dock.desk
    times: dict[str, float] = {}
    judge = desk.session.judge

    def timed(*words: Any, **said: Any) -> Any:
        entry = judge(*words, **said)
        times.setdefault("stored", time.perf_counter())
        return entry

    def moved() -> None:
        times["moved"] = time.perf_counter()

    def drawn(_event: Any) -> None:
        if "moved" in times and "drawn" not in times:
            scene.context.finish()
            times["drawn"] = time.perf_counter()

    desk.session.judge = timed
    desk.shown.connect(moved)
    scene.events.draw.connect(drawn, position="last")
    for number in range(keys):
        times.clear()
        begun = time.perf_counter()
        handler.press_key("12"[number % 2])
        handler.release_key("12"[number % 2])
        _until(lambda: "drawn" in times)
        told.stored.append(times["stored"] - begun)
        told.shown.append(times["drawn"] - begun)
        _until(lambda: False, _PAUSE_S)
        times.clear()
        begun = times["moved"] = time.perf_counter()
        camera_of(viewer).center = np.add(camera_of(viewer).center, (0.0, _STEP, _STEP))
        _until(lambda: "drawn" in times)
        told.bare.append(times["drawn"] - begun)
        _until(lambda: False, _PAUSE_S)
    desk.session.judge = judge
    scene.events.draw.disconnect(drawn)


def _sheet(dock: Any, told: Judged) -> None:
    """Have a whole page of stamps made."""
    session = dock.desk.session
    told.stamps = min(_STAMPS, len(session.queue) - session.place)
    dock.show_sheet()
    begun = time.perf_counter()
    dock.sheet.many.setCurrentIndex(dock.sheet.many.count() - 1)
    _until(lambda: not dock.sheet.busy and dock.sheet.stamps.count() == told.stamps)
    told.sheet = time.perf_counter() - begun


def _until(done: Callable[[], bool], patience_s: float = _PATIENCE_S) -> None:
    """Let the event loop run until something is so."""
    end = time.perf_counter() + patience_s
    while not done() and time.perf_counter() < end:
        QApplication.processEvents()
        time.sleep(0.0005)


if __name__ == "__main__":
    given = json.loads(sys.argv[1])
    print(json.dumps(asdict(main(Order(**given)))))
