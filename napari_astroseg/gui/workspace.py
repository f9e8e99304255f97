"""Workspace: the `astroseg` window, a napari viewer with our docks as tabs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from threading import Thread
from typing import Any

import napari
import numpy as np
from napari.layers import Image
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

from napari_astroseg.gui import layers
from napari_astroseg.gui.compare import CompareDock
from napari_astroseg.gui.data import DataDock
from napari_astroseg.gui.draw import DrawDock
from napari_astroseg.gui.drawn.units import know_units
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.results import ResultsDock
from napari_astroseg.gui.sessions.menu import ProjectMenu
from napari_astroseg.gui.sessions.session import Session
from napari_astroseg.gui.train import TrainDock
from napari_astroseg.gui.vet import VetDock
from napari_astroseg.gui.votes import VotesDock

TITLE = "AstroSeg"
DOCKS: dict[str, Callable[[Any], Any]] = {
    "Open": MosaicDock,
    "Draw": DrawDock,
    "Votes": VotesDock,
    "Data": DataDock,
    "Train": TrainDock,
    "Predict": PredictDock,
    "Compare": CompareDock,
    "Vet": VetDock,
    "Results": ResultsDock,
}
"""In the order of the work: an image, the truth about it, learning, finding, judging, measuring."""
_SIZE = (1400, 900)


def open_window(
    places: Sequence[str | Path] = (), *, predict_with: str | None = None, show: bool = True
) -> napari.Viewer:
    """A viewer with our docks as tabs at its right; images open in it as soon as they are read.

    Parameters
    ----------
    places
        FITS images, folders or URLs, or a project; what cannot be opened costs a sentence, not the
        window.
    predict_with
        Name of a built-in model: turn to Predict and predict the middle of the first image.
    show
        Whether the window is shown at once.

    Returns
    -------
    The viewer; the event loop is the caller's.
    """
    viewer = napari.Viewer(title=TITLE, show=show)
    viewer.window.resize(*_SIZE)
    layers.settle(viewer)
    docks = {name: made(viewer) for name, made in DOCKS.items()}
    opening, predicting = docks["Open"], docks["Predict"]
    tabs = {
        name: viewer.window.add_dock_widget(
            _scrolled(dock) if dock is predicting else dock, name=name, area="right", tabify=True
        )
        for name, dock in docks.items()
    }
    tabs["Open"].raise_()
    _keep_projects(viewer, docks, tabs)
    QTimer.singleShot(0, tabs["Open"].raise_)  # again, after napari has restored its own layout
    if predict_with is not None:
        opening.settled.connect(partial(_predict, opening, predicting, tabs, predict_with))
    opening.open_files(places)
    return viewer


def _keep_projects(viewer: napari.Viewer, docks: dict[str, Any], tabs: dict[str, Any]) -> None:
    """Let what is open be saved as a project, and opened again."""
    window = tabs["Open"].window()
    session = Session(
        viewer,
        docks,
        front=lambda: next((n for n, tab in tabs.items() if not _hidden(tab)), ""),
        bring=lambda name: tabs[name].raise_(),
        parent=window,
    )
    menu = ProjectMenu(window, session, lambda name: setattr(viewer, "title", f"{name} – {TITLE}"))
    docks["Open"].project_wanted.connect(menu.open)
    docks["Open"].closed.connect(menu.shut_down)
    menu.offer_lost()


def _hidden(tab: QWidget) -> bool:
    return bool(tab.visibleRegion().isEmpty())


def _predict(
    opening: MosaicDock, predicting: PredictDock, tabs: dict[str, QWidget], model: str
) -> None:
    """Predict the middle of the image that has just been opened, if nothing was predicted yet."""
    if predicting.predictions.last is None and predicting.place.images.layer() is not None:
        tabs["Predict"].raise_()
        predicting.models.choose_named(model)
        predicting.predict_middle()


def run_window(places: Sequence[str | Path] = (), *, predict_with: str | None = None) -> None:
    """Open the window and stay until it is closed."""
    open_window(places, predict_with=predict_with)
    settle_in()
    napari.run()


def settle_in() -> Thread:
    """Have what the first image would wait for done in the background; gives the thread.

    napari reads its table of units when the first layer is made, for 200 ms. And Python's full
    search for garbage goes through some 300 000 objects of the libraries, none of which ever is
    any, and stops the window for 150 to 200 ms whenever enough has been added: what is in memory
    by now is left out of it. That is for a process of our own, not where the docks are guests in
    somebody else's napari.
    """
    thread = Thread(target=_settle_in, name="astroseg settle", daemon=True)
    thread.start()
    return thread


def _settle_in() -> None:
    know_units()
    Image(np.zeros((2, 2), np.float32))
    gc.freeze()


def _scrolled(dock: QWidget) -> QScrollArea:
    """A dock that scrolls where the screen is lower than it."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setWidget(dock)
    return area
