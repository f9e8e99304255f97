"""PredictDock: click on the sky, see what a model finds there, move the threshold, save."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QGroupBox, QVBoxLayout, QWidget

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.history.history import Gone, Step, history_of
from napari_astroseg.gui.images import shown_window
from napari_astroseg.gui.keys import Key, Keys, announce
from napari_astroseg.gui.predicting import dockstate
from napari_astroseg.gui.predicting.again import Again
from napari_astroseg.gui.predicting.click import ClickMode
from napari_astroseg.gui.predicting.cuts import Cut, Known
from napari_astroseg.gui.predicting.dockstate import PredictState
from napari_astroseg.gui.predicting.extramaps import BOTH, UNCERTAINTY
from napari_astroseg.gui.predicting.found import FoundPanel
from napari_astroseg.gui.predicting.knownbox import KnownBox
from napari_astroseg.gui.predicting.models import ModelPicker
from napari_astroseg.gui.predicting.place import PlacePanel
from napari_astroseg.gui.predicting.predictions import TARGET, Answered, Predictions, Wish
from napari_astroseg.gui.predicting.wholeruns import WholeRuns
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.gui.shelf import Shelf
from napari_astroseg.gui.ties import Ties
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.recipes.data import BlendedData
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.window import Window


class PredictDock(QWidget):
    """One model, one image, and windows of it predicted where the user asks.

    Parameters
    ----------
    napari_viewer
        The viewer; napari passes it in.
    target
        The prediction by name, `module:function`.
    """

    State = PredictState

    def __init__(self, napari_viewer: Any, target: str = TARGET) -> None:
        super().__init__()
        self._viewer = bare(napari_viewer)
        self._ties = Ties(self)
        self._keys = Keys(
            (
                Key("R", "predict the last window again", self.repeat),
                Key("U", "the uncertainty, or the probability again", self.turn_uncertainty),
                Key("Shift+U", "both in one picture, or the probability again", self.turn_both),
                Key("Escape", "stop; tiles that are done stay", self.cancel),
            )
        )
        self._build(target)
        self._connect()
        self._follow_model()

    @property
    def viewer_layers(self) -> list[Any]:
        """The viewer's layers."""
        return list(self._viewer.layers)

    def state(self, places: Places) -> PredictState:
        """What it is set to, for a project."""
        return dockstate.told(self, places)

    def restore(self, state: PredictState, places: FoundPlaces) -> None:
        """Be set to that again."""
        dockstate.restore(self, state, places)

    def predict_around(self, position: Any) -> None:
        """Predict the window of the chosen size around a world position."""
        layer = self.place.images.layer()
        if layer is not None:
            y, x = np.asarray(layer.world_to_data(position))[-2:]
            self._ask(Window.around(float(x), float(y), self.place.side_px))

    def predict_middle(self) -> None:
        """Predict the window of the chosen size in the middle of the image."""
        layer = self.place.images.layer()
        if layer is not None:
            self.predict_around(np.mean(layer.extent.world, axis=0))

    def predict_view(self) -> None:
        """Predict what the canvas shows of the image."""
        layer = self.place.images.layer()
        if layer is not None:
            self._ask(shown_window(self._viewer, layer))

    def predict_whole(self) -> None:
        """Predict the image from edge to edge, what is in view first."""
        self._ask(None)

    def repeat(self) -> None:
        """Predict the last window again, with the model and device chosen now."""
        last, card = self.predictions.last, self.models.card()
        if last is not None and card is not None and last.layer in self._viewer.layers:
            wish = (last.layer, last.image, last.window, card, self.found.cut, self._options())
            self.predictions.start(Wish(*wish))

    def cancel(self) -> None:
        """Stop the running prediction; tiles that are done stay."""
        self.again.stop()
        self.predictions.cancel()

    def turn_uncertainty(self) -> None:
        """Show how unsure the current answer is, where it tells, or its probability again."""
        self.found.turn_to(UNCERTAINTY)

    def turn_both(self) -> None:
        """Show probability and uncertainty in one map, or the probability again."""
        self.found.turn_to(BOTH)

    def shut_down(self) -> None:
        """End what runs and let go of the viewer: the dock has been closed."""
        self.click.set_on(False)
        self.place.by_click.setChecked(False)
        self._ties.untie()
        self.place.images.untie()
        self._keys.let_go()
        self.again.stop()
        self.predictions.close()
        self.whole.close()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def _build(self, target: str) -> None:
        self.models = ModelPicker(Shelf(self))
        self.place = PlacePanel(self._viewer)
        self.progress = ProgressLine()
        self.found, self.known = FoundPanel(), KnownBox()
        self.click = ClickMode(self._viewer, self)
        self.predictions = Predictions(self._viewer, self.progress, self, target)
        self.whole = WholeRuns(self._viewer, self.predictions, self.place.device.currentText, self)
        self.again = Again(self)
        self.fold = Fold("Whole images", self.whole.list, opened=bool(self.whole.runs.items))
        column = QVBoxLayout(self)
        column.addWidget(_box("Model", self.models))
        column.addWidget(_box("Where", self.place))
        column.addWidget(self.progress)
        column.addWidget(_box("Regions", self.found))
        column.addWidget(Fold("Known and new", self.known, opened=False))
        column.addWidget(self.fold)
        column.addStretch(1)

    def _connect(self) -> None:
        self.place.by_click.toggled.connect(self.click.set_on)
        self.place.by_view.clicked.connect(self.predict_view)
        self.place.by_whole.clicked.connect(self.predict_whole)
        self.click.clicked.connect(self.predict_around)
        self.progress.stopped.connect(self.cancel)
        self.models.changed.connect(self._follow_model)
        self.models.refused.connect(partial(self.progress.say, trouble=True))
        self.place.images.changed.connect(self._judge)
        self.place.keep.toggled.connect(self._keep)
        for panel in (self.found, self.known):
            panel.said.connect(self._say)
        self.found.stepped.connect(self._step)
        self.known.changed.connect(self._mark)
        self.predictions.current_changed.connect(self._show_current)
        self.predictions.misfit.connect(self.place.force.show)
        self.whole.said.connect(self._say)
        self.again.said.connect(self._say)
        self._ties.tie(self._viewer.layers.selection.events.active, self._follow_layer)
        self._ties.tie(self._viewer.layers.events.removed, self._forget_removed)
        self._keys.bind(self._viewer)
        announce(self, "Predict", self._keys.pairs)

    def _judge(self) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        lack = ""
        if self.models.card() is None:
            lack = "There is no model yet: train one in Train, or add one above"
        elif self.place.images.layer() is None:
            lack = "There is no image yet: open one in Open, or drop a FITS file on the window"
        self.place.allow(lack)

    def _follow_model(self) -> None:
        card = self.models.card()
        if card is not None and self.predictions.current is None:
            self.found.set_cut(Cut(card.threshold, card.recipe.prediction.min_area_px))
        self.place.together.offer(card, self.models.named)
        self.place.offer_uncertainty("" if card is None else told_already(card.recipe))
        self._judge()

    def _follow_layer(self, _event: Any = None) -> None:
        active = self._viewer.layers.selection.active
        if active is not None:
            self.predictions.follow_layer(active)

    def _forget_removed(self, _event: Any = None) -> None:
        self.predictions.forget_removed()

    def _keep(self, keep: bool) -> None:
        self.predictions.keep_earlier = keep

    def _step(self, overlay: Answered, before: Cut) -> None:
        """A cut that was moved by hand is a step; a drag is one."""
        after = overlay.cut
        which, name = "threshold", f"Threshold {after.threshold:g}"
        if after.min_area_px != before.min_area_px:
            which, name = "area", f"Least area {after.min_area_px:,} px"
        elif after.most_unsure != before.most_unsure:
            which, name = "unsure", f"Uncertainty up to {after.most_unsure:g}"
        back, again = (partial(self._cut_again, overlay, cut) for cut in (before, after))
        history_of(self._viewer).done(Step(name, back, again, one=(which, id(overlay))))

    def _cut_again(self, overlay: Answered, cut: Cut) -> None:
        if not overlay.shown():
            raise Gone("the prediction is not shown any more")
        if overlay is self.predictions.current:
            self.found.set_cut(cut)
        else:
            overlay.set_cut(cut)

    def _mark(self, known: Known | None) -> None:
        self.found.known = known

    def _say(self, words: str, trouble: bool) -> None:
        self.progress.say(words, trouble=trouble)

    def _show_current(self, overlay: Answered | None) -> None:
        self.found.show_overlay(None)
        if overlay is not None:
            self.found.set_cut(overlay.cut)
            self.found.show_overlay(overlay)
        self.known.show_overlay(overlay)

    def _options(self) -> dict[str, Any]:
        chosen = {"device": self.place.device.currentText()}
        if self.place.uncertainty:
            chosen["uncertainty"] = self.place.uncertainty
        others = self.place.together.chosen
        if others:
            chosen["others"] = [str(path) for path in others]
        return chosen | ({"force": True} if self.place.force.isChecked() else {})

    def _ask(self, window: Window | None) -> None:
        """Predict `window`, or all, of the chosen image; a sentence when that cannot be."""
        layer, card = self.place.images.layer(), self.models.card()
        if layer is None or card is None:
            return
        try:
            image = self.place.images.image(card.recipe.data.bands)
            if image is None:
                self._say("That layer is no plane of sky; choose another.", True)
                return
            inside = (window or Window.whole(image.shape)).clipped(image.shape)
        except AstroSegError as error:
            self._say(str(error), True)
            return
        wish = Wish(layer, image, inside, card, self.found.cut, self._options())
        if window is None:
            self.fold.open()
            self.whole.start(wish, shown_window(self._viewer, layer))
        else:
            self.predictions.start(wish)


def told_already(recipe: Recipe) -> str:
    """Why the uncertainty of a model is not for the user to choose; "" where it is."""
    if isinstance(recipe.data, BlendedData):
        return "This model draws samples, whose standard deviation is its uncertainty"
    return ""


def _box(title: str, content: QWidget) -> QGroupBox:
    box = QGroupBox(title)
    QVBoxLayout(box).addWidget(content)
    return box
