"""CompareDock: the same sky in other eyes, laid over the image that is looked at."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any
from weakref import WeakKeyDictionary

from napari.layers import Layer
from qtpy.QtCore import QEvent, Qt
from qtpy.QtWidgets import QFrame, QScrollArea, QVBoxLayout, QWidget

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui import layers
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.anchoring import AnchorBox
from napari_astroseg.gui.comparing.bringbox import BringBox
from napari_astroseg.gui.comparing.bringing import Bringing, Brought, Choose, Refused, Wish
from napari_astroseg.gui.comparing.brought import (
    Compared,
    brought_before,
    compared,
    grid_told,
    place,
)
from napari_astroseg.gui.comparing.dockstate import (
    CompareState,
    asked_again,
    settle,
    told,
    told_again,
    worn,
)
from napari_astroseg.gui.comparing.measure import MeasureBox
from napari_astroseg.gui.comparing.origins import FromFile, FromLayer, FromSurvey, Match, Origin
from napari_astroseg.gui.comparing.seeing import SeeingBox
from napari_astroseg.gui.cursor import words
from napari_astroseg.gui.drawn.apart import keep_apart
from napari_astroseg.gui.fold import Fold
from napari_astroseg.gui.intake.picker import Picker
from napari_astroseg.gui.look.looks import look_of
from napari_astroseg.gui.look.remembered import Look
from napari_astroseg.gui.notice import Notice
from napari_astroseg.gui.progress import ProgressLine
from napari_astroseg.gui.ties import Ties
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.sky.files.address import HduKey
from napari_astroseg.sky.grids.align import align
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.surveys.kept import KeptField
from napari_astroseg.sky.surveys.survey import Survey, survey

_STEPS = 1000
_NO_HIPS = "{} names no survey of the list; give a HiPS id, which looks like CDS/P/2MASS/K"
_COLOURS = "Three surveys make one colour picture: in the dock Open, under Colour."
_COLOURS_TIP = "What is brought here lies on one grid: choose three, reddest first, and Make RGB"


class CompareDock(QWidget):
    """Brings other images of the same sky onto the reference, to be seen and measured there.

    Parameters
    ----------
    napari_viewer
        The viewer; napari passes it in.
    """

    State = CompareState

    def __init__(self, napari_viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(napari_viewer)
        self._bringing = Bringing(self)
        self._followed: FromSurvey | None = None
        self._origins: WeakKeyDictionary[Any, tuple[Origin, Any]] = WeakKeyDictionary()
        self._restored: tuple[CompareState, FoundPlaces] | None = None
        self._ties = Ties(self)
        layers.settle(self._viewer)
        self._build()
        self._connect()
        self._follow_choice()

    @property
    def busy(self) -> bool:
        """Whether something is on its way."""
        return self._bringing.busy

    def show_over(self, thing: Any) -> None:
        """Lay a Survey, a KeptField or an image layer over the reference."""
        if isinstance(thing, Survey):
            self._ask(FromSurvey(thing))
        elif isinstance(thing, KeptField):
            self._ask(FromSurvey(thing.survey, thing.field))
        else:
            self.match(self.bring.layer, thing, align)

    def show_hips(self, hips_id: str) -> None:
        """Lay the survey of this HiPS id over the reference."""
        try:
            meant = survey(hips_id)
        except AstroSegError as error:
            self.notice.say(str(error))
            return
        if "/" in meant.hips:
            self._ask(FromSurvey(meant))
        else:
            self.notice.say(_NO_HIPS.format(meant.name))

    def show_file(self, path: str) -> None:
        """Lay an image in a file over the reference; a picker asks where it has several."""
        self._ask(FromFile(path))

    def match(self, reference: Any, layer: Any, how: Match) -> None:
        """Lay the image of a layer over that of another, put onto its pixels in this way."""
        image = self._image(layer)
        if image is None:
            self.notice.say(f"{layer.name} is no plane of sky; choose another image")
        else:
            self._ask(FromLayer(image, layer.name, layer, how), reference)

    @property
    def viewer_layers(self) -> list[Any]:
        """The viewer's layers."""
        return [bare(layer) for layer in self._viewer.layers]

    def image_of(self, layer: Any) -> SkyImage | None:
        """A layer's image, of a stack the plane in view."""
        return self._image(layer)

    def origins(self) -> Iterator[tuple[Any, Origin, Any]]:
        """Each layer that was brought, where it came from, and the layer that it lies over."""
        there = self.viewer_layers
        for layer in there:
            origin, onto = self._origins.get(layer, (None, None))
            if origin is not None and onto in there and compared(layer) is not None:
                yield layer, origin, onto

    def state(self, places: Places) -> CompareState:
        """What it is set to, for a project."""
        if self._restored is not None:
            return told_again(*self._restored, places)
        return told(self, places)

    def restore(self, state: CompareState, places: FoundPlaces) -> None:
        """Be set to that again: bring what was brought, then compare what was compared."""
        self._restored = state, places
        by_name = {layer.name: layer for layer in self.viewer_layers}
        for each in state.brought:
            origin, onto = asked_again(self, each, places), by_name.get(each.reference)
            if origin is not None and onto is not None:
                self._ask(origin, onto, worn(each.look))
        self._settle()

    def _settle(self) -> None:
        if self._restored is not None and not self.busy:
            (state, _), self._restored = self._restored, None
            settle(self, state)

    def cancel(self) -> None:
        """Bring nothing more."""
        self.bring.follow.setChecked(False)
        self._bringing.cancel()

    def shut_down(self) -> None:
        """End what runs and let go of the viewer: the dock has been closed."""
        for tied in (self.bring, self.anchors, self.seeing, self.measuring):
            tied.untie()
        self._ties.untie()
        self._bringing.close()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def _build(self) -> None:
        self.bring = BringBox(self._viewer)
        self.progress = ProgressLine()
        self.notice = Notice()
        self.told = words()
        self.told.hide()
        self.seeing = SeeingBox(self._viewer)
        self.anchors = AnchorBox(self._viewer)
        self.measuring = MeasureBox(self._viewer)
        colours = words()
        colours.setText(_COLOURS)
        colours.setToolTip(_COLOURS_TIP)
        colours.setEnabled(False)
        self.by_hand = Fold("Match by hand", self.anchors, opened=False)
        folds = (
            Fold("See", self.seeing),
            Fold("Measure", self.measuring, opened=False),
            self.by_hand,
        )
        inside = QWidget()
        column = QVBoxLayout(inside)
        column.setSpacing(6)
        for part in (self.bring, self.progress, self.notice, self.told, *folds, colours):
            column.addWidget(part)
        column.addStretch(1)
        area = QScrollArea()
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setWidgetResizable(True)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        around.addWidget(area)

    def _connect(self) -> None:
        self.bring.wanted.connect(self.show_over)
        self.bring.hips_wanted.connect(self.show_hips)
        self.bring.file_wanted.connect(self.show_file)
        self.bring.sources.refused.connect(self.notice.say)
        self.bring.moved.connect(self._follow_view)
        self.bring.changed.connect(self._follow_choice)
        self.anchors.wanted.connect(self.match)
        self.progress.stopped.connect(self.cancel)
        self._ties.tie(self._viewer.layers.events.removed, self._forget)
        self._bringing.answered.connect(self._take)
        self._bringing.progressed.connect(self._show_progress)
        self._bringing.ended.connect(self.progress.end)
        self._bringing.ended.connect(self._settle)

    def _ask(self, origin: Origin, reference: Any = None, look: Look | None = None) -> None:
        """Bring something onto the reference; a sentence when that cannot be."""
        self.notice.clear()
        layer = reference or self.bring.layer
        onto = None if layer is None else self._image(layer)
        if onto is None:
            self.notice.say("There is no plane of sky to lay it over; open an image first")
            return
        try:
            before = brought_before(self._viewer, origin.key, grid_told(onto))
        except AstroSegError as error:
            self.notice.say(str(error))
            return
        if not self.busy:
            self.progress.begin(f"Asking for {origin.name} …")
        own = before or (origin.layer if isinstance(origin, FromLayer) else None)
        look = look or look_of(own)
        view, onto = self.bring.view(layer, onto), replace(onto, name=layer.name)
        self._bringing.ask(Wish(origin, layer, onto, view, look, compared(before)))

    def _image(self, layer: Any) -> SkyImage | None:
        """A layer's image, of a stack the plane in view; None for what is no plane of sky."""
        return layers.image_in_view(self._viewer, layer) or layers.adopt(layer)

    def _take(self, answer: Any) -> None:
        if isinstance(answer, Brought):
            self._show(answer)
        elif isinstance(answer, Choose):
            self._choose(answer)
        elif isinstance(answer, Refused):
            self._complain(answer)

    def _show(self, brought: Brought) -> None:
        """Draw what has come, tell how exactly it lies, and pair it with the reference."""
        wish, about = brought.wish, brought.about
        if wish.layer not in self._viewer.layers:
            self.notice.say(f"{wish.onto.name} has been closed; choose another reference")
            return
        layer = self._shown(brought)
        if layer is None:  # what was shown already has been closed meanwhile
            self._bringing.ask(replace(wish, shown=None))
            return
        self._origins[layer] = wish.origin, wish.layer
        for each in (wish.layer, layer):
            if not each.visible:  # napari draws again whatever it is told
                each.visible = True
        if isinstance(wish.origin, FromLayer) and wish.origin.layer is not layer:
            wish.origin.layer.visible = False
        if isinstance(wish.origin, FromSurvey):
            self._followed = replace(wish.origin, field=None)
            self.bring.sources.look_for_kept()
        apart = keep_apart(self._viewer, [layer])
        if apart:
            self.notice.say(apart)
        if wish.view.window is None:
            self._viewer.reset_view()
        self._tell(about)
        self.seeing.set_pair(wish.layer, layer)

    def _shown(self, brought: Brought) -> Any:
        """The layer that shows what was brought; None where it has been closed meanwhile."""
        wish = brought.wish
        if brought.data is not None:
            return place(self._viewer, wish.layer, brought.data)
        if isinstance(wish.origin, FromLayer):
            return wish.origin.layer if wish.origin.layer in self._viewer.layers else None
        return brought_before(self._viewer, brought.about.key, brought.about.grid)

    def _choose(self, question: Choose) -> None:
        """Ask which of a file's images is meant."""
        assert isinstance(question.wish.origin, FromFile)
        picker = Picker(question.wish.origin.place, question.entries, self.window())
        picker.chosen.connect(partial(self._bring_chosen, question.wish))
        picker.show()
        picker.raise_()
        picker.activateWindow()

    def _bring_chosen(self, wish: Wish, hdus: tuple[HduKey, ...]) -> None:
        assert isinstance(wish.origin, FromFile)
        for hdu in hdus:
            self._ask(FromFile(wish.origin.place, hdu))

    def _complain(self, refused: Refused) -> None:
        """Say why nothing has come, and what can be had instead."""
        if isinstance(refused.wish.origin, FromSurvey):
            self._followed = None
            self.bring.sources.show_kept()
        if refused.by_hand:
            self.by_hand.open()
        self.notice.say(refused.sentence)

    def _tell(self, about: Compared) -> None:
        note = "" if about.field is None else about.field.note
        lines = (f"{about.name}: {about.how.sentence}", note, about.attribution)
        self.told.setText("\n".join(line for line in lines if line))
        self.told.show()

    def _forget(self, _event: Any = None) -> None:
        """Nothing is told any more of layers that have all been closed."""
        if not self._viewer.layers:
            self._followed = None
            self.notice.clear()
            self.told.clear()
            self.told.hide()
            self.seeing.controls.say("")

    def _show_progress(self, what: str, done: int, total: int | None) -> None:
        self.progress.say(f"{what[:1].upper()}{what[1:]} …")
        share = round(_STEPS * min(1.0, done / total)) if total else 0
        self.progress.bar.show_state(share, _STEPS if total else 0, "")

    def _follow_view(self) -> None:
        """Fetch the survey shown last anew, for the view has come to rest."""
        if self._followed is not None:
            self._ask(self._followed)

    def _follow_choice(self) -> None:
        """Offer to match by hand the image that is selected in the list, or was so last."""
        chosen = self.bring.sources.chosen
        last = self.anchors.image if self.anchors.image in self._viewer.layers else None
        self.anchors.set_pair(self.bring.layer, chosen if isinstance(chosen, Layer) else last)
