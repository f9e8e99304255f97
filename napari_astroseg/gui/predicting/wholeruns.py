"""WholeRuns: has whole images predicted run by run, and keeps the list of runs up to date."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_astroseg.engine.card import read_card
from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui import layers
from napari_astroseg.gui.images import shown_window
from napari_astroseg.gui.predicting.cuts import Cut
from napari_astroseg.gui.predicting.predictions import Predictions, Wish
from napari_astroseg.gui.predicting.runlist import RunList
from napari_astroseg.gui.predicting.runs import Run, Runs
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window


class WholeRuns(QObject):
    """Between the list, what is kept of it, and what asks the engine.

    Parameters
    ----------
    viewer
        Whose layers hold the images.
    predictions
        Asks the engine.
    device
        Tells where the network is to run.
    """

    said = Signal(str, bool)

    def __init__(
        self,
        viewer: Any,
        predictions: Predictions,
        device: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._predictions, self._device = viewer, predictions, device
        self._latest: dict[str, Wish] = {}  # by run; one asked for anew ends the one before
        self.runs = Runs(self)
        self.list = RunList(self.runs)
        self.list.resumed.connect(self.resume)
        self.list.paused.connect(lambda _run: predictions.cancel())
        self.list.removed.connect(self._remove)
        predictions.went_on.connect(self._go_on)
        predictions.ended.connect(self._end)

    def start(self, wish: Wish, view: Window | None = None) -> None:
        """Predict a whole image, as a run where that can be; tiles near `view` come first."""
        run = Run.of(wish.image, wish.card, wish.options)
        if view is not None:
            middle = view.x + view.width / 2, view.y + view.height / 2
            wish = replace(wish, options={**wish.options, "near": middle})
        if run is None:
            self._predictions.start(wish)
            return
        self._begin(self.runs.find(run.key) or run, wish)

    def resume(self, run: Run) -> None:
        """Go on with a run whose image is open."""
        found = self._open(run)
        if found is None:
            self.said.emit(f"Open {run.place} first; then this goes on from its tiles.", True)
            return
        layer, image = found
        try:
            card = read_card(run.model_file)
        except AstroSegError as error:
            self.said.emit(str(error), True)
            return
        options = {**run.options, "device": self._device()}
        cut = Cut(card.threshold, card.recipe.prediction.min_area_px)
        now = Run.of(image, card, options)
        if now is None or now.key != run.key:
            self.said.emit(
                f"{run.image} or the model has changed since; predict the whole image again.", True
            )
            return
        wish = Wish(layer, image, Window.whole(image.shape), card, cut, options)
        view = shown_window(self._viewer, layer)
        self.start(wish, view)

    def close(self) -> None:
        """The window goes: what runs is paused."""
        self.runs.close()

    def _begin(self, run: Run, wish: Wish) -> None:
        try:
            self.runs.begin(run)
        except AstroSegError as error:
            self.said.emit(str(error), True)
            return
        kept = {"store": self.runs.store(run), "resume": True}
        wish = replace(wish, options={**wish.options, **kept}, run=run.key)
        self._latest[run.key] = wish
        self._predictions.start(wish)

    def _remove(self, run: Run) -> None:
        try:
            self.runs.remove(run.key)
        except AstroSegError as error:
            self.said.emit(str(error), True)

    def _go_on(self, wish: Wish, done: int, total: int, unit: str) -> None:
        if self._latest.get(wish.run) is wish:
            self.runs.settle(wish.run, done=done, total=total, unit=unit)

    def _end(self, wish: Wish, state: str) -> None:
        if self._latest.get(wish.run) is wish:
            self.runs.settle(wish.run, state=state)

    def _open(self, run: Run) -> tuple[Any, SkyImage] | None:
        """The layer that shows a run's image, and the image."""
        for layer in self._viewer.layers:
            image = layers.sky_image(layer)
            if image is not None and run.plane is not None and run.plane < image.count:
                image = image.plane(run.plane)
            where = image.reference if image is not None else None
            if where is not None and (where.place, where.hdu, where.plane) == (
                run.place, run.hdu, run.plane,
            ):  # fmt: skip
                assert image is not None
                return layer, image
        return None
