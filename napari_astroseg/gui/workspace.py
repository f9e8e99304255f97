"""Workspace: the `astroseg` window, a napari viewer with the docks Open, Predict and Train."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import napari
from qtpy.QtCore import QTimer
from qtpy.QtWidgets import QFrame, QScrollArea, QWidget

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui import layers
from napari_astroseg.gui.mosaic import MosaicDock
from napari_astroseg.gui.predict import PredictDock
from napari_astroseg.gui.train import TrainDock
from napari_astroseg.sky.opening import open_image

TITLE = "AstroSeg"
_SIZE = (1400, 900)


def open_window(
    paths: Sequence[Path] = (), *, predict_with: str | None = None, show: bool = True
) -> napari.Viewer:
    """A viewer with our docks as tabs at its right, and images open in it.

    Parameters
    ----------
    paths
        FITS images; one that cannot be opened costs a sentence in Open, not the window.
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
    opening, predicting, training = MosaicDock(viewer), PredictDock(viewer), TrainDock(viewer)
    docks = {"Open": opening, "Predict": _scrolled(predicting), "Train": training}
    tabs = {
        name: viewer.window.add_dock_widget(dock, name=name, area="right", tabify=True)
        for name, dock in docks.items()
    }
    complaints = []
    for path in paths:
        try:
            layers.add_image(viewer, open_image(path))
        except AstroSegError as error:
            complaints.append(str(error))
    if complaints:
        opening.notice.say("\n".join(complaints))
    front = "Open" if complaints or not viewer.layers else "Predict"
    tabs[front].raise_()
    QTimer.singleShot(0, tabs[front].raise_)  # again, after napari has restored its own layout
    if predict_with is not None and viewer.layers:
        predicting.models.choose_named(predict_with)
        QTimer.singleShot(0, predicting.predict_middle)
    return viewer


def run_window(paths: Sequence[Path] = (), *, predict_with: str | None = None) -> None:
    """Open the window and stay until it is closed."""
    open_window(paths, predict_with=predict_with)
    napari.run()


def _scrolled(dock: QWidget) -> QScrollArea:
    """A dock that scrolls where the screen is lower than it."""
    area = QScrollArea()
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setWidgetResizable(True)
    area.setWidget(dock)
    return area
