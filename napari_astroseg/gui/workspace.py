"""Workspace: the `astroseg` window, a napari viewer with our docks as tabs."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from functools import partial
from importlib import import_module
from pathlib import Path
from threading import Thread
from typing import Any

import napari
import numpy as np
from napari.layers import Image
from qtpy.QtCore import QEvent, Qt, QTimer
from qtpy.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget

from napari_astroseg.gui import layers
from napari_astroseg.gui.drawn.units import know_units
from napari_astroseg.gui.history.editmenu import EditMenu
from napari_astroseg.gui.later import Docks
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.gui.sessions.menu import ProjectMenu
from napari_astroseg.gui.sessions.session import Session
from napari_astroseg.gui.tour.tour import Tour

TITLE = "AstroSeg"
_GUI = "napari_astroseg.gui"
DOCKS = {
    "Draw": f"{_GUI}.draw:DrawDock",
    "Votes": f"{_GUI}.votes:VotesDock",
    "Data": f"{_GUI}.data:DataDock",
    "Train": f"{_GUI}.train:TrainDock",
    "Predict": f"{_GUI}.predict:PredictDock",
    "Compare": f"{_GUI}.compare:CompareDock",
    "Vet": f"{_GUI}.vet:VetDock",
    "Results": f"{_GUI}.results:ResultsDock",
}
"""What follows *Open*, in the order of the work: the truth about an image, learning, finding,
judging, measuring."""
_SIZE = (1400, 900)
_WIDTH_CHARS = 82
"""Of a dock: what the names of all tabs take, and a line of controls."""


def open_window(
    places: Sequence[str | Path] = (),
    *,
    predict_with: str | None = None,
    show: bool = True,
    then: Callable[[], Any] = bool,
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
    then
        Called when all docks are made, which goes on behind the first picture.

    Returns
    -------
    The viewer; the event loop is the caller's.
    """
    viewer = napari.Viewer(title=TITLE, show=show)
    viewer.window.resize(*_SIZE)
    layers.settle(viewer)
    opening = MosaicDock(viewer)
    window = viewer.window.add_dock_widget(opening, name="Open", area="right").window()
    docks = Docks(viewer, {"Open": opening}, DOCKS, {"Predict"}, window)
    for name, place in docks.places.items():
        viewer.window.add_dock_widget(
            place, name=name, area="right", tabify=True, add_vertical_stretch=False
        )
    tabs = {name: dock.parent() for name, dock in viewer.window.dock_widgets.items()}
    edit = EditMenu(window, viewer)
    _keep_projects(viewer, docks, tabs, edit)
    _make_room(tabs["Open"])
    # Again, after napari has restored its own layout.
    QTimer.singleShot(0, partial(_make_room, tabs["Open"]))
    if predict_with is not None:
        opening.settled.connect(partial(_predict, docks, tabs, predict_with))
    opening.open_files(places)
    opening.closed.connect(docks.close)
    docks.make_behind(lambda: opening.busy, then)
    return viewer


def _keep_projects(
    viewer: napari.Viewer, docks: Docks, tabs: dict[str, Any], edit: EditMenu
) -> None:
    """Let what is open be saved as a project, and opened again."""
    window = tabs["Open"].window()

    def bring(name: str) -> None:
        tabs[name].raise_()

    session = Session(
        viewer,
        docks,
        front=lambda: next((n for n, tab in tabs.items() if not _hidden(tab)), ""),
        bring=bring,
        made=docks.made,
        parent=window,
    )
    opening = docks["Open"]
    menu = ProjectMenu(
        window,
        session,
        lambda name: setattr(viewer, "title", f"{name} – {TITLE}"),
        lambda: opening.busy,
    )
    opening.opens_projects = True
    opening.project_wanted.connect(menu.open)
    for ended in (menu, edit):
        opening.closed.connect(ended.shut_down)
    edit.said.connect(menu.bar.say)
    session.loaded.connect(edit.begin)
    menu.offer_lost()
    tour = Tour(viewer, docks, window, bring, viewer.window.help_menu)
    opening.closed.connect(tour.end)
    QTimer.singleShot(0, partial(_welcome, viewer, opening, menu, tour))


def _welcome(viewer: napari.Viewer, opening: MosaicDock, menu: ProjectMenu, tour: Tour) -> None:
    """Offer something to begin with while nothing is open."""
    from napari_astroseg.gui.welcome.page import WelcomePage  # the first picture does not need it

    session, window = menu.session, opening.window()
    if not isinstance(window, QMainWindow) or window.centralWidget() is None:
        return  # it has been closed meanwhile
    page = WelcomePage(viewer, window.centralWidget())
    page.wait_for(lambda: opening.busy or session.opening)
    page.files_wanted.connect(opening.ask_for_files)
    page.folder_wanted.connect(opening.ask_for_folder)
    page.project_wanted.connect(menu.ask_which)
    page.places_wanted.connect(opening.open_files)
    page.keys_wanted.connect(menu.show_keys)
    page.tour_wanted.connect(tour.start)
    for ended in (opening.settled, session.loaded, session.asked, session.missed):
        ended.connect(page.judge)
    opening.closed.connect(page.shut_down)
    page.judge()


def _make_room(tab: QDockWidget) -> None:
    """Bring a dock to the front, as wide as the docks behind it need that are not made yet."""
    window = tab.window()
    tab.raise_()
    if isinstance(window, QMainWindow):
        width = tab.fontMetrics().averageCharWidth() * _WIDTH_CHARS
        window.resizeDocks([tab], [width], Qt.Orientation.Horizontal)


def _hidden(tab: QWidget) -> bool:
    return bool(tab.visibleRegion().isEmpty())


def _predict(docks: Docks, tabs: dict[str, QWidget], model: str) -> None:
    """Predict the middle of the image that has just been opened, if nothing was predicted yet."""
    predicting = docks["Predict"]
    if predicting.predictions.last is None and predicting.place.images.layer() is not None:
        tabs["Predict"].raise_()
        predicting.models.choose_named(model)
        predicting.predict_middle()


def run_window(places: Sequence[str | Path] = (), *, predict_with: str | None = None) -> None:
    """Open the window and stay until it is closed."""
    viewer = open_window(places, predict_with=predict_with, then=gc.freeze)
    settle_in()
    napari.run()
    del viewer
    clear_away()


def clear_away() -> None:
    """Have what a closed window leaves destroyed, widgets with their parents, before Python ends.

    PyQt, at the end of a process, destroys what is left one by one; where that takes children
    along, it loses its way and the process with it.
    """
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    QApplication.processEvents()
    gc.unfreeze()
    gc.collect()


def settle_in() -> Thread:
    """Have what the first image would wait for done in the background; gives the thread.

    napari reads its table of units when the first layer is made, for 200 ms, and the limits of that
    layer and their plot come with libraries that take as long to load. And Python's full search
    for garbage goes through some 300 000 objects of the libraries, none of which ever is any, and
    stops the window for 150 to 200 ms whenever enough has been added: what is in memory by now is
    left out of it. That is for a process of our own, not where the docks are guests in somebody
    else's napari.
    """
    thread = Thread(target=_settle_in, name="astroseg settle", daemon=True)
    thread.start()
    return thread


def _settle_in() -> None:
    know_units()
    for name in ("napari_astroseg.gui.look.limitcurve", "astropy.visualization"):
        import_module(name)
    Image(np.zeros((2, 2), np.float32))
    gc.freeze()
