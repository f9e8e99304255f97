"""Again: what a project's predictions were, asked for again one after the other.

What the user asks for meanwhile goes first; cancelling one ends them all.
"""

from __future__ import annotations

from typing import Any

from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.engine.card import ModelCard
from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui import layers
from napari_astroseg.gui.look.colourdata import colours_of
from napari_astroseg.gui.predicting.dockstate import (
    AnswerState,
    ModelState,
    PredictState,
    choose_model,
    file_of,
    settle,
)
from napari_astroseg.gui.predicting.predictions import Wish
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window


class Again(QObject):
    """The answers of one project that have not come yet.

    Parameters
    ----------
    dock
        Whose predictions they are.
    """

    said = Signal(str, bool)

    def __init__(self, dock: Any) -> None:
        super().__init__(dock)
        self._dock = dock
        self._state = PredictState()
        self._places = FoundPlaces({})
        self._left: list[AnswerState] = []
        self._total = 0
        self._now: Wish | None = None
        dock.predictions.ended.connect(self._ended)

    @property
    def busy(self) -> bool:
        """Whether answers are still to come."""
        return bool(self._left)

    def begin(self, state: PredictState, places: FoundPlaces) -> None:
        """Ask for all that was predicted, then set the dock as it was."""
        self._state, self._places = state, places
        self._left = list(state.answers)
        self._total = len(self._left)
        settle(self._dock, state, places)
        self._next()

    def waiting(self, places: Places) -> list[AnswerState]:
        """What has not come yet, for another project."""
        return [
            each.model_copy(
                update={
                    "model": self._model_again(each.model, places),
                    "others": tuple(self._model_again(other, places) for other in each.others),
                }
            )
            for each in self._left
        ]

    def stop(self) -> None:
        """Ask for nothing more."""
        self._left.clear()
        self._now = None

    def _next(self) -> None:
        while self._left and not self._dock.predictions.busy:
            state = self._left[0]
            try:
                wish = self._wish(state)
            except AstroSegError as error:
                self.said.emit(str(error), True)
                wish = None
            if wish is None:
                self._left.pop(0)
                continue
            done = self._total - len(self._left) + 1
            if self._start(wish, state.whole):
                self.said.emit(f"Predicting again, {done} of {self._total} …", False)
                return
            self._left.pop(0)  # it was refused, in words

    def _start(self, wish: Wish, whole: bool) -> bool:
        """Whether it has begun."""
        if whole:
            self._dock.whole.start(wish)
            self._now = self._dock.predictions.last
        else:
            self._now = wish
            self._dock.predictions.start(wish)
        return bool(self._dock.predictions.busy)

    def _ended(self, wish: Any, state: str) -> None:
        """One has come, or was cut short: the user cancelled it, or wished for something else."""
        if not self._left:
            return
        if wish is self._now:
            self._now = None
            if state == "done":
                self._left.pop(0)
            elif not self._dock.predictions.busy:
                self.stop()
                self.said.emit("Stopped; the rest of the project's predictions is left out.", False)
                return
        if not self._left:
            QTimer.singleShot(0, self._finish)
        else:
            QTimer.singleShot(0, self._next)

    def _finish(self) -> None:
        settle(self._dock, self._state, self._places)

    def _wish(self, state: AnswerState) -> Wish | None:
        """What was asked for; None, and a sentence, where that cannot be asked any more."""
        dock = self._dock
        layer = next((each for each in dock.viewer_layers if each.name == state.layer), None)
        card = self._card(state.model)
        image = None if layer is None or card is None else _image(layer, state, card)
        if layer is None or card is None or image is None:
            lack = f"the model {state.model.name}" if card is None else f"the image {state.layer}"
            self.said.emit(f"One prediction is left out: {lack} is not there.", True)
            return None
        window = Window(*state.window).clipped(image.shape)
        options: dict[str, Any] = {"device": dock.place.device.currentText()}
        if state.uncertainty:
            options["uncertainty"] = state.uncertainty
        if state.force:
            options["force"] = True
        others = [file_of(each, self._places) for each in state.others]
        if any(each is None for each in others):
            self.said.emit("One prediction is left out: not all of its models are there.", True)
            return None
        if others:
            options["others"] = [str(each) for each in others]
        return Wish(layer, image, window, card, state.cut.cut, options)

    def _card(self, model: ModelState) -> ModelCard | None:
        models = self._dock.models
        return models.card() if choose_model(models, model, self._places) else None

    def _model_again(self, model: ModelState, places: Places) -> ModelState:
        where = self._places.where(model.file)
        if not where:
            return model.model_copy(update={"file": ""})
        return model.model_copy(update={"file": places.key(where)})


def _image(layer: Any, state: AnswerState, card: ModelCard) -> SkyImage | None:
    colours = colours_of(layer)
    if colours is not None:
        return colours.picture
    whole = layers.sky_image(layer) or layers.adopt(layer)
    if whole is None or state.plane is None:
        several = card.recipe.data.bands > 1
        return whole if whole is None or whole.count == 1 or several else whole.plane(0)
    return whole.plane(state.plane) if state.plane < whole.count else None
