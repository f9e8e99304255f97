"""Begin: from what the user chose to an open session, in a background thread."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from napari_astroseg.errors import VettingError
from napari_astroseg.gui.layers import layer_data
from napari_astroseg.gui.vetting.desk import Opened
from napari_astroseg.gui.vetting.placed import Placed
from napari_astroseg.gui.vetting.queuewish import QueueWish
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.fakes import hidden_image
from napari_astroseg.review.reading import open_detections
from napari_astroseg.review.session import VettingSession
from napari_astroseg.review.store import Store
from napari_astroseg.sky.image import SkyImage

_STORE_WAIT_S = 1.0
"""For a store that another writes to, before a verdict is kept elsewhere."""
_LARGEST = 2**22


@dataclass(frozen=True)
class InStore:
    """A list that is in the store already, known by its digest; what it came from is not needed."""

    digest: str


@dataclass(frozen=True)
class Wish:
    """What is to be judged.

    Parameters
    ----------
    source
        A path, what makes detections, the number of a list in the store, its digest, or None for
        the one list there.
    image
        That they are looked at on.
    store, vetter, blind
        As of a `VettingSession`.
    queue
        Which of them come, and in which order.
    """

    source: str | int | InStore | Callable[[], Detections] | None
    image: SkyImage
    store: str
    vetter: str
    queue: QueueWish = field(default_factory=QueueWish)
    blind: bool = True


def begin(wish: Wish) -> Opened:
    """Read the detections, open the store, and find the first to judge.

    Raises
    ------
    AstroSegError
        When any of it cannot be.
    """
    detections: Detections | int | None = None
    if callable(wish.source):
        detections = wish.source()
    elif isinstance(wish.source, int):
        detections = wish.source
    elif isinstance(wish.source, str):
        detections = open_detections(wish.source, wish.image)
    if not wish.store:
        raise VettingError("verdicts are kept in a file; name one")
    store = Store(wish.store, wait_s=_STORE_WAIT_S)
    try:
        if isinstance(wish.source, InStore):
            detections = store.number_of(wish.source.digest)
            if detections is None:
                raise VettingError(f"{store.name} has not that list any more; choose detections")
        session = VettingSession(store, detections, wish.vetter, blind=wish.blind)
        session.owns_store = True
        session.arrange(wish.queue.plan(session.detections.frame))
        placed = Placed(session.detections, wish.image)
        image, prepared = wish.image, None
        if "real" in session.known:
            places = placed.x, placed.y, placed.radius
            image = hidden_image(image, session.detections, session.known, places)
            prepared = layer_data(image)
    except BaseException:
        store.close()
        raise
    model = model_of(Path(wish.source)) if isinstance(wish.source, str) else ""
    notes = detections.notes if isinstance(detections, Detections) else ()
    return Opened(session, placed, image, model, notes, prepared)


def model_of(place: Path) -> str:
    """The digest of the model that left a prediction; "" where nothing tells it."""
    path = (place if place.is_dir() else place.parent) / "provenance.json"
    try:
        if path.stat().st_size > _LARGEST:
            return ""
        told = json.loads(path.read_text("utf-8"))
        return str(told["model"]["digest"])[:200]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return ""
