"""DockState: what the Predict dock gives to a project: its settings, and what was predicted.

Answers are not written down but how each was asked for: the same model gives the same answer to the
same window. Whole images go on from the tiles that their run has kept.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import Field

from napari_astroseg.engine.card import ModelCard, builtin_models
from napari_astroseg.gui import layers
from napari_astroseg.gui.predicting.cuts import Cut, Known
from napari_astroseg.gui.sessions.dock import named
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.record import Count, Key, Name, Record, Share, line
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.known import Rule

if TYPE_CHECKING:
    from napari_astroseg.gui.predicting.models import ModelPicker
    from napari_astroseg.gui.predicting.predictions import Answered, Wish

_MOST = 50
_Pixel = Annotated[int, Field(ge=-(2**31), lt=2**31)]
_Side = Annotated[int, Field(ge=1, lt=2**31)]


class ModelState(Record):
    """A model in the box by its name, or one of the user's by its file."""

    name: Name = ""
    file: Key = ""


class CutState(Record):
    """As `Cut`."""

    threshold: Share = 0.5
    min_area_px: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    most_unsure: Share = 1.0

    @classmethod
    def of(cls, cut: Cut) -> CutState:
        """The same as a project has it."""
        return cls(
            threshold=cut.threshold, min_area_px=cut.min_area_px, most_unsure=cut.most_unsure
        )

    @property
    def cut(self) -> Cut:
        """The same as overlays take it."""
        return Cut(self.threshold, self.min_area_px, self.most_unsure)


class KnownState(Record):
    """As `Known`: a catalogue, and how near two centres lie; by boxes where that is not said."""

    catalogue: Key = ""
    within_arcsec: Annotated[float | None, Field(gt=0, le=3600.0)] = None

    @classmethod
    def of(cls, known: Known | None, places: Places) -> KnownState:
        """The same as a project has it."""
        if known is None:
            return cls()
        return cls(catalogue=places.key(known.catalogue), within_arcsec=known.rule.within_arcsec)

    def known(self, places: FoundPlaces) -> Known | None:
        """The same as the dock takes it; None where the catalogue is not there."""
        file = places.path(self.catalogue)
        return None if file is None else Known(file, Rule(within_arcsec=self.within_arcsec))


class AnswerState(Record):
    """One prediction: what was asked of which model."""

    layer: Name
    plane: Count | None = None
    window: tuple[_Pixel, _Pixel, _Side, _Side]
    whole: bool = False
    model: ModelState
    others: Annotated[tuple[ModelState, ...], Field(max_length=50)] = ()
    uncertainty: Name = ""
    force: bool = False
    cut: CutState = CutState()


class PredictState(Record):
    """All of the dock."""

    model: ModelState = ModelState()
    image: Name = ""
    side_px: Annotated[int, Field(ge=1, le=65_536)] = 512
    device: Name = "auto"
    uncertainty: Name = ""
    keep_earlier: bool = True
    filled: bool = False
    cut: CutState = CutState()
    known: KnownState = KnownState()
    answers: Annotated[tuple[AnswerState, ...], Field(max_length=_MOST)] = ()


def model_told(card: ModelCard | None, places: Places) -> ModelState:
    """How a model is spoken of."""
    if card is None or card.path is None:
        return ModelState()
    built_in = any(card.path == path.resolve() for path in builtin_models().values())
    file = "" if built_in else places.key(card.path)
    return ModelState(name=line(card.name), file=file)


def _file_told(file: Path, places: Places) -> ModelState:
    names = [name for name, path in builtin_models().items() if path.resolve() == file.resolve()]
    return ModelState(name=names[0]) if names else ModelState(file=places.key(file))


def file_of(state: ModelState, places: FoundPlaces) -> Path | None:
    """The file of a model that answers along; None where it is not there."""
    return places.path(state.file) if state.file else builtin_models().get(state.name)


def choose_model(picker: ModelPicker, state: ModelState, places: FoundPlaces) -> bool:
    """Choose that model, the user's own added where it is not listed; whether it is there."""
    file = places.path(state.file)
    if file is not None:
        picker.choose(file)
        card = picker.card()
        if card is None or card.path is None or file.resolve() not in (card.path, card.path.parent):
            picker.add(file)
    elif not state.file and state.name:
        picker.choose_named(state.name)
    card = picker.card()
    return card is not None and card.name == state.name


def answer_told(wish: Wish, answer: Answered, places: Places) -> AnswerState:
    """How an answer was asked for."""
    window = wish.window
    whole = layers.sky_image(wish.layer)
    return AnswerState(
        layer=named(wish.layer),
        plane=None if whole is None else plane_of(whole, wish.image),
        window=(window.x, window.y, window.width, window.height),
        whole=bool(wish.run),
        model=model_told(wish.card, places),
        others=tuple(_file_told(Path(each), places) for each in wish.options.get("others", ())),
        uncertainty=str(wish.options.get("uncertainty", "")),
        force=bool(wish.options.get("force", False)),
        cut=CutState.of(answer.cut),
    )


def plane_of(whole: SkyImage, image: SkyImage) -> int | None:
    """Which plane of a stack an image is; None for the stack, or a single image."""
    if whole.count == 1 or whole.axis is None or image.count > 1:
        return None
    labels = whole.axis.labels
    names = (f"{whole.name} [{labels[n] or n}]" for n in range(whole.count))
    return next((n for n, name in enumerate(names) if name == image.name), None)


def told(dock: Any, places: Places) -> PredictState:
    """What the dock is set to, and what is shown or still to be predicted again."""
    layer = dock.place.images.layer()
    there = [
        answer_told(wish, answer, places)
        for wish, answer in dock.predictions.answers
        if answer.shown() and wish.layer in dock.viewer_layers
    ]
    return PredictState(
        model=model_told(dock.models.card(), places),
        image=named(layer),
        side_px=dock.place.side_px,
        device=dock.place.device.currentText(),
        uncertainty=str(dock.place.unsure.currentData() or ""),
        keep_earlier=dock.place.keep.isChecked(),
        filled=dock.found.filled.isChecked(),
        cut=CutState.of(dock.found.cut),
        known=KnownState.of(dock.known.known, places),
        answers=tuple([*there, *dock.again.waiting(places)][:_MOST]),
    )


def restore(dock: Any, state: PredictState, places: FoundPlaces) -> None:
    """Be set to that; what was predicted is predicted again, one after the other."""
    dock.again.begin(state, places)


def settle(dock: Any, state: PredictState, places: FoundPlaces) -> None:
    """The settings alone."""
    choose_model(dock.models, state.model, places)
    dock.place.images.choose_named(state.image)
    dock.place.set_side(state.side_px)
    for box, at in (
        (dock.place.device, dock.place.device.findText(state.device)),
        (dock.place.unsure, dock.place.unsure.findData(state.uncertainty)),
    ):
        if at >= 0:
            box.setCurrentIndex(at)
    dock.place.keep.setChecked(state.keep_earlier)
    dock.found.filled.setChecked(state.filled)
    dock.found.set_cut(state.cut.cut)
    dock.known.set_known(state.known.known(places))
