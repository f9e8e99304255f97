"""Vote index: the votes of a folder of thousands read once, as events for whoever waits."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from napari_astroseg.engine.events import Event, Finished
from napari_astroseg.engine.preparing import heard
from napari_astroseg.sky.votes.index import index_votes


def index_folder(folder: Path) -> Iterator[Event]:
    """Index the votes of a folder; what is known of it is kept in the cache.

    Yields
    ------
    `Preparing`, then `Finished` with `folder`, `maps` (how many) and `skipped` (file → why).

    Raises
    ------
    VoteError
        When it is no folder, or holds no FITS files.
    """
    found = yield from heard(lambda progress: index_votes(folder, progress=progress))
    yield Finished({"folder": str(folder), "maps": len(found), "skipped": found.skipped})
