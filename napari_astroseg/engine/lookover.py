"""Look over: what a folder to learn from holds, as events for whoever waits for it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_astroseg.engine.events import Event, Finished, Preparing
from napari_astroseg.engine.preparing import heard
from napari_astroseg.errors import AstroSegError, DataError
from napari_astroseg.sky.datasets.card import LayoutName
from napari_astroseg.sky.datasets.dataset import Dataset, Stamp
from napari_astroseg.sky.datasets.opening import open_dataset
from napari_astroseg.sky.datasets.pictures import colours_of, stamp_picture
from napari_astroseg.sky.datasets.split import Part
from napari_astroseg.sky.progress import Progress

SIDES = {"four_maps": 64, "gz3d": 525, "astro_rcnn": 256, "bubbles": 300, "blended": 128}
"""Side of the stamps that are shown of a layout, px: what its network sees."""


def look_over(
    folder: Path,
    layout: LayoutName | None = None,
    threshold: int = 3,
    count: int = 12,
    picture_px: int = 128,
) -> Iterator[Event]:
    """Check a folder to learn from and draw some stamps of it.

    Yields
    ------
    `Preparing`, then `Finished` with `card` (JSON), `findings` (sentences; those because of which
    something is left out come first) and `stamps`: part, name of the item, and picture
    (picture_px, picture_px, 3) of up to `count` stamps of training and of validation.

    Raises
    ------
    DataError
        When it is no folder, or in no known layout.
    """

    def checked(progress: Progress) -> Dataset:
        data = open_dataset(folder, layout, threshold=threshold, progress=progress)
        progress("reading every byte for the digest", 0, None)
        data.card  # noqa: B018 (its digest is kept)
        return data

    data = yield from heard(checked)
    shown: list[tuple[Part, str, Any]] = []
    colours = colours_of(data.card)
    stamps = [stamp for part in ("training", "validation") for stamp in _stamps(data, part, count)]
    for done, (part, stamp) in enumerate(stamps):
        yield Preparing("drawing stamps", done, len(stamps))
        item = data.items[stamp.item]
        try:
            picture = stamp_picture(item, item.truth(), stamp, picture_px, colours)
        except (AstroSegError, OSError):
            continue  # it was read a moment ago: the folder is being changed
        shown.append((part, item.name, picture))
    findings = sorted(data.findings, key=lambda finding: not finding.left_out)
    yield Finished(
        {
            "card": data.card.to_json(),
            "findings": [finding.sentence for finding in findings],
            "stamps": shown,
        }
    )


def _stamps(data: Dataset, part: Part, count: int) -> list[tuple[Part, Stamp]]:
    """Up to `count` stamps of a part; smaller ones where none of the usual side fits."""
    side = SIDES[data.layout]
    while side >= 16:
        try:
            return [(part, stamp) for stamp in dict.fromkeys(data.stamps(count, side, part))]
        except DataError:
            side //= 2
    return []
