"""Queuefile: who comes next in a queue, as a catalogue."""

from __future__ import annotations

import astropy.units as u
from astropy.table import QTable

from napari_astroseg.review.session import VettingSession
from napari_astroseg.sky.catalogue import Catalogue


def open_rows(session: VettingSession) -> list[int]:
    """Rows of the queue that have no verdict of the session's vetter, in their order."""
    names = session.detections.names
    return [row for row in session.queue if names[row] not in session.standing]


def queue_of(session: VettingSession) -> Catalogue:
    """A row for each that is still to be judged, in the order in which they come.

    Returns
    -------
    Columns `id`, `lon`, `lat` (deg; where they are on the sky), `x`, `y` (px), `radius`, `score`,
    `uncertainty`, `kind`.
    """
    rows = open_rows(session)
    own = session.detections.taken(rows)
    table = QTable({"id": list(own.names)} if rows else {"id": [""][:0]})
    if own.frame is not None:
        table["lon"], table["lat"] = own.lon * u.deg, own.lat * u.deg
    table["x"], table["y"] = own.x, own.y
    table["radius"] = own.radius * (u.arcsec if own.unit == "arcsec" else u.pix)
    table["score"], table["uncertainty"] = own.score, own.uncertainty
    table["kind"] = list(own.kinds) if rows else [""][:0]
    return Catalogue(table, own.frame)
