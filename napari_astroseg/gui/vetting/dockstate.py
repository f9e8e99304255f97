"""DockState: what the Vet dock gives to a project: list, store, queue, and the place in it.

Verdicts are in their store; the project says which one, and where the vetter was.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from napari_astroseg.gui.sessions.dock import named
from napari_astroseg.gui.vetting.begin import InStore
from napari_astroseg.projects.finding import FoundPlaces
from napari_astroseg.projects.place import Places
from napari_astroseg.projects.record import Key, Name, Record, line
from napari_astroseg.review.orders import ORDERS


class QueueState(Record):
    """Which come, and in which order: the words of the controls."""

    order: Name = "list"
    shown: Name = ""
    novelty: Name = ""
    lowest: Name = ""
    highest: Name = ""
    least: Name = ""
    most: Name = ""
    tags: Name = ""
    region: Name = ""
    within_arcsec: Annotated[float, Field(ge=0.0, le=1e6)] = 60.0
    overlap: Annotated[int, Field(ge=1, le=1000)] = 1
    reference: Key = ""


_LINES = ("lowest", "highest", "least", "most", "tags", "region")


class VetState(Record):
    """What is judged, and how far it was; who judges is whoever opens it."""

    image: Name = ""
    layer: Name = ""
    digest: Name = ""
    file: Key = ""
    from_store: bool = False
    store: Key = ""
    queue: QueueState = QueueState()
    blind: bool = True
    fitted: bool = False
    judging: bool = False
    current: Name = ""


def told(dock: Any, places: Places) -> VetState:
    """What the dock is set to, and where its queue stands."""
    box, desk = dock.open, dock.desk
    judging = desk is not None or dock.is_opening
    image, layer = dock.judged.bare(box.images.layer()), box.layer
    current = None if desk is None else desk.session.current
    return VetState(
        image=named(image),
        layer=named(layer),
        digest="" if desk is None else desk.session.digest,
        file=places.key(_absolute(box.path)) if judging else "",
        from_store=box.from_store,
        store=places.key(_absolute(box.store.text().strip()), "file", "write") if judging else "",
        queue=_queue_told(dock.queue, places),
        blind=box.blind.isChecked(),
        fitted=dock.judging.fitted,
        judging=judging,
        current=named(current),
    )


def restore(dock: Any, state: VetState, places: FoundPlaces) -> None:
    """Be set to that; a queue that was open is opened again, at its place."""
    box = dock.open
    if not box.images.choose_named(state.image):
        return
    layers = {layer.name: layer for layer in box.offered}
    if state.layer in layers:
        box.choose_layer(layers[state.layer])
    elif state.from_store:
        box.choose_store()
    elif places.where(state.file):
        box.choose_file(places.where(state.file))
    _restore_queue(dock.queue, state.queue, places)
    box.blind.setChecked(state.blind)
    dock.judging.zoom.setCurrentIndex(int(state.fitted))
    if not state.judging or not places.where(state.store):
        return
    box.store.setText(places.where(state.store))
    if state.layer in layers or state.from_store or box.path:
        dock.start(at=state.current)
    elif state.layer and state.digest:  # predicted again, which takes its time; the list is kept
        dock.start(at=state.current, kept=InStore(state.digest))


def _queue_told(box: Any, places: Places) -> QueueState:
    reference = box.reference.text().strip()
    return QueueState(
        order=ORDERS[box.order.currentIndex()],
        shown=box.shown.currentText(),
        novelty=box.novelty.currentText(),
        within_arcsec=float(box.within.value()),
        overlap=box.overlap.value(),
        reference=places.key(_absolute(reference)),
        **{name: line(getattr(box, name).text()) for name in _LINES},
    )


def _restore_queue(box: Any, state: QueueState, places: FoundPlaces) -> None:
    if state.order in ORDERS:
        box.order.setCurrentIndex(ORDERS.index(state.order))
    for choice, words in ((box.shown, state.shown), (box.novelty, state.novelty)):
        if choice.findText(words) >= 0:
            choice.setCurrentText(words)
    box.within.setValue(state.within_arcsec)
    box.overlap.setValue(state.overlap)
    box.reference.setText(places.where(state.reference))
    for name in _LINES:
        getattr(box, name).setText(getattr(state, name))


def _absolute(place: str) -> str:
    """A place as it can be spoken of elsewhere."""
    return place if not place or "://" in place else str(Path(place).expanduser().absolute())
