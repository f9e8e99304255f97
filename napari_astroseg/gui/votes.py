"""VotesDock: crowd votes on the sky, the mask at a threshold, and what becomes of it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QEvent
from qtpy.QtWidgets import QFileDialog

from napari_astroseg.errors import OutputError
from napari_astroseg.gui import layers
from napari_astroseg.gui.buttons import allow
from napari_astroseg.gui.jobs import Engines
from napari_astroseg.gui.keys import Key, Keys, announce
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.proposals import Proposals
from napari_astroseg.gui.ties import Ties
from napari_astroseg.gui.voting import dockstate
from napari_astroseg.gui.voting.ballot import Ballot, ballot_of, open_ballot
from napari_astroseg.gui.voting.controls import VoteControls
from napari_astroseg.gui.voting.dockstate import VotesState
from napari_astroseg.gui.voting.foldertable import FolderTable
from napari_astroseg.gui.voting.ladder import LadderWindow
from napari_astroseg.gui.voting.volunteers import Volunteers
from napari_astroseg.gui.voting.votelayers import METADATA, VoteLayers
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.coords.worldcoords import wcs_cards
from napari_astroseg.sky.files.writing import write_image
from napari_astroseg.sky.votes.votemap import VoteMap

PRESET = "spiral_arms_small"
_FIRST_THRESHOLD = 3
_FILES = "Votes (*.fits *.fits.gz *.fit *.fts *.fz);;All files (*)"


class VotesDock(VoteControls):
    """The votes on one field at a time, of a file, a layer, or a row of a folder's table.

    Parameters
    ----------
    napari_viewer
        Where they are shown; napari passes it in.
    """

    State = VotesState

    def __init__(self, napari_viewer: Any) -> None:
        self._viewer = napari_viewer
        self._engines = Engines()
        super().__init__(Volunteers(napari_viewer), FolderTable(self._engines))
        self.ballot: Ballot | None = None
        self._layers, self._ties = VoteLayers(napari_viewer), Ties(self)
        self._opening, self._saving = Latest(self), Latest(self)
        self._wanted, self._at = "", 0
        self._proposals = Proposals(self)
        self._keys = Keys(
            (
                Key("[", "a vote less", self.lower),
                Key("]", "a vote more", self.raise_),
                Key("n", "the next volunteer's drawing", self.volunteers.next),
            )
        )
        self._keys.bind(napari_viewer)
        announce(self, "Votes", self._keys.pairs)
        self._connect()
        self._judge()

    @property
    def votes(self) -> VoteMap | None:
        """The map that is shown."""
        return None if self.ballot is None else self.ballot.maps[self.kind.currentText()]

    @property
    def threshold(self) -> int:
        """Votes from which a pixel belongs to the mask."""
        return int(self.number.value())

    @property
    def mask(self) -> Any:
        """The mask's layer; None while nothing is shown."""
        return self._layers.mask

    @property
    def busy(self) -> bool:
        """Whether votes are being read or written."""
        return self._opening.busy or self._saving.busy

    def state(self, places: Places) -> VotesState:
        """What it is set to, for a project."""
        return dockstate.told(self, places)

    def restore(self, state: VotesState, places: FoundPlaces) -> None:
        """Be set to that again."""
        dockstate.restore(self, state, places)

    def open_votes(self, place: str | Path, kind: str = "", threshold: int = 0) -> None:
        """Read a file and show its votes, from a threshold on unless that is 0."""
        self._wanted, self._at = kind, threshold
        self.notice.clear()
        self.told.setText(f"Reading {Path(place).name} …")
        self._opening.ask(partial(open_ballot, place))

    def open_layer(self) -> None:
        """Show the votes of the selected layer."""
        image = layers.image_in_view(self._viewer, self._viewer.layers.selection.active)
        if image is not None:
            self._wanted = ""
            self.notice.clear()
            self._opening.ask(partial(ballot_of, image))

    def lower(self) -> None:
        """Ask for a vote less."""
        self.number.stepDown()

    def raise_(self) -> None:
        """Ask for a vote more."""
        self.number.stepUp()

    def save_mask(self, path: Path) -> None:
        """Write the mask as FITS with its sky coordinates."""
        if self.votes is not None:
            self._saving.ask(partial(_write_mask, path, self.votes, self.threshold))

    def train(self) -> None:
        """Propose to Train a recipe with this threshold, and the folder of the file."""
        if self.ballot is None or self.ballot.galaxy is None or self.ballot.place is None:
            return
        recipe = Recipe.preset(PRESET).replace(
            data__marked=self.kind.currentText(), data__threshold=self.threshold
        )
        folder = self.ballot.place.parent
        try:
            self._proposals.make(recipe, folder)
        except OutputError as error:
            self.told.setText(str(error))
            return
        self.told.setText(
            f"{self.kind.currentText()} at {self.threshold} votes, on all of {folder.name}, "
            "is in the Train dock now"
        )

    def show_ladder(self) -> LadderWindow | None:
        """Show the masks at six thresholds side by side."""
        if self.votes is None:
            return None
        window = LadderWindow(self.votes, self)
        window.show()
        return window

    def shut_down(self) -> None:
        """End what runs: the dock has been closed."""
        self._keys.let_go()
        self._ties.untie()
        self.table.untie()
        self._engines.close()
        self._opening.wait()
        self._saving.wait()

    def event(self, event: QEvent) -> bool:
        """Shut down when napari takes the dock out of its window."""
        if event.type() == QEvent.Type.ParentChange and self.parent() is None:
            self.shut_down()
        return bool(super().event(event))

    def _connect(self) -> None:
        self.choose.clicked.connect(lambda _: self._ask_which())
        self.take.clicked.connect(lambda _: self.open_layer())
        self.ladder.clicked.connect(lambda _: self.show_ladder())
        self.save.clicked.connect(lambda _: self._ask_where())
        self.learn.clicked.connect(lambda _: self.train())
        self.kind.currentIndexChanged.connect(lambda _: self._show_kind())
        self.slider.valueChanged.connect(self.number.setValue)
        self.number.valueChanged.connect(self._show_threshold)
        self.plot.dragged.connect(self.number.setValue)
        self.table.picked.connect(self.open_votes)
        self._opening.answered.connect(self._show_ballot)
        self._opening.refused.connect(self._refuse)
        self._saving.answered.connect(lambda path: self.told.setText(f"The mask is in {path}"))
        self._saving.refused.connect(self.notice.say)
        selection = self._viewer.layers.selection.events.active
        self._ties.tie(selection, self._selected)
        self._ties.tie(self._viewer.layers.events.removed, self._judge)

    def _show_ballot(self, ballot: Ballot) -> None:
        self.ballot = ballot
        self.kind.blockSignals(True)
        self.kind.clear()
        self.kind.addItems(list(ballot.maps))
        known = self._wanted if self._wanted in ballot.maps else ballot.first
        self.kind.setCurrentText(known)
        self.kind.blockSignals(False)
        self._layers.show_ballot(ballot)
        self._show_kind()
        if self._at:
            self.number.setValue(self._at)
            self._at = 0

    def _show_kind(self) -> None:
        """Show what was marked of the kind that is chosen, the threshold kept if it can be."""
        votes = self.votes
        if votes is None or self.ballot is None:
            return
        most = max(votes.most, 1)
        threshold = min(self.threshold if self.number.maximum() > 1 else _FIRST_THRESHOLD, most)
        for control in (self.slider, self.number):
            control.blockSignals(True)
            control.setRange(1, most)
            control.setValue(threshold)
            control.blockSignals(False)
        self.plot.show_votes(votes)
        self._layers.show_votes(votes, threshold)
        galaxy = self.ballot.galaxy
        self.volunteers.offer(() if galaxy is None else galaxy.drawings[self.kind.currentText()])
        self.told.setText(_told(self.ballot, votes))
        self._show_threshold(threshold)
        self._judge()

    def _show_threshold(self, threshold: int) -> None:
        self.slider.blockSignals(True)
        self.slider.setValue(threshold)
        self.slider.blockSignals(False)
        votes = self.votes
        if votes is None:
            return
        self._layers.set_threshold(threshold)
        self.plot.show_threshold(threshold)
        areas = votes.areas()
        on_sky = areas.arcsec2
        pixels = areas[threshold]
        sky = "" if on_sky is None or not pixels else f" = {on_sky[threshold - 1]:,.1f} arcsec²"
        self.area.setText(f"{pixels:,} px{sky}")

    def _refuse(self, sentence: str) -> None:
        self.told.setText("" if self.ballot is None else _told(self.ballot, self.votes))
        self.notice.say(sentence)

    def _selected(self, _event: Any = None) -> None:
        """Turn the view as the layer wants it that the user has come to."""
        layer = self._viewer.layers.selection.active
        image = layers.sky_image(layer)
        if image is not None:
            layers.turn_north(self._viewer, image)
        self._judge()

    def _judge(self, _event: Any = None) -> None:
        """Enable what can be done; say in the tooltips why the rest cannot."""
        active = self._viewer.layers.selection.active
        own = active is not None and METADATA in active.metadata
        lack = "" if layers.sky_image(active) is not None and not own else (
            "Select a layer of counts first"
        )  # fmt: skip
        allow(self.take, lack, "Take the selected layer for a map of votes")
        self.choose.setToolTip("A file of Galaxy Zoo 3D, or any FITS map of counts")
        none = "" if self.ballot is not None else "Open votes first"
        allow(self.ladder, none, "The masks at one to six votes side by side")
        allow(self.save, none, "Save the mask as FITS with its sky coordinates")
        whole = self.ballot is not None and self.ballot.galaxy is not None
        plain = (
            "" if whole else "A recipe learns from files of Galaxy Zoo 3D, not from plain counts"
        )
        allow(self.learn, none or plain, "Show a recipe with this threshold in the Train dock, for "
              "all files of this one's folder")  # fmt: skip
        for control in (self.kind, self.slider, self.number):
            control.setEnabled(not none)

    def _ask_which(self) -> None:
        name, _ = QFileDialog.getOpenFileName(self, "Open votes", "", _FILES)
        if name:
            self.open_votes(name)

    def _ask_where(self) -> None:
        start = f"{self.kind.currentText()}_{self.threshold}.fits"
        name, _ = QFileDialog.getSaveFileName(self, "Save the mask", start, "FITS (*.fits)")
        if name:
            self.save_mask(Path(name))


def _told(ballot: Ballot, votes: VoteMap | None) -> str:
    """What the user should know of a field and of one of its maps, a line for each."""
    lines = [ballot.name]
    if votes is None:
        return ballot.name
    if votes.voters:
        lines.append(f"{votes.voters} volunteers were asked, {votes.drew} of them drew")
    if np.isfinite(votes.agreement):
        lines.append(f"one who drew agrees with another on {votes.agreement:.0%} of the pixels")
    notes = () if ballot.galaxy is None else ballot.galaxy.notes
    return "\n".join([*lines, *votes.notes, *notes])


def _write_mask(path: Path, votes: VoteMap, threshold: int) -> Path:
    """A mask as FITS."""
    cards = None if votes.wcs is None else wcs_cards(votes.header, votes.wcs)
    notes: dict[str, str | int | float] = {
        "MARKED": votes.name, "VOTES": threshold, "OF": votes.image.name
    }  # fmt: skip
    mask = votes.at_least(threshold).astype(np.uint8)
    return write_image(path, mask, cards, "", notes, compress=True)
