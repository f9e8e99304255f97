"""ReportPdf: the report as pages of A4: tables first, then stamps by verdict."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_pdf import PdfPages
from matplotlib.figure import Figure
from matplotlib.patches import Circle

from napari_astroseg.errors import VettingError
from napari_astroseg.review.outcome import Outcome
from napari_astroseg.review.report import MOST, SIDE, Stamp, Table, groups, stamp_of, tables
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent

_A4_IN = 8.27, 11.69
_ROWS, _COLUMNS = 7, 6
_LINES = 52
"""Of a table on a page."""
_WIDEST = 0.14
"""Of a column of figures, in widths of a page."""
_RING = "#4fd0ff"
_LARGE = 13
_PLAIN: dict[str, Any] = {"parse_math": False}
"""Names are a stranger's, and a `$` in one begins no formula."""


def write_pdf(
    path: str | Path,
    outcome: Outcome,
    image: SkyImage | None = None,
    *,
    most: int = MOST,
    progress: Progress = silent,
) -> Path:
    """Write the pages; parameters and errors as of `write_report`."""
    path = Path(path)
    if not outcome.standing:
        raise VettingError("nothing has been judged yet; judge some first")
    title = f"Vetting of {outcome.detections.source or 'detections'}"
    with replacing(path) as temporary, PdfPages(temporary, metadata={"Title": title}) as pages:
        for page in _tables(title, tables(outcome)):
            pages.savefig(page)
        for words, rows, left in groups(outcome, most) if image is not None else ():
            stamps = []
            for done, row in enumerate(rows):
                progress(f"drawing {words.lower()}", done, len(rows))
                stamp = stamp_of(outcome, image, row) if image is not None else None
                stamps += [stamp] if stamp is not None else []
            more = f" ({left:,} more are left out)" if left else ""
            for page in _stamps(f"{words}: {len(rows) + left:,}{more}", stamps):
                pages.savefig(page)
    return path


def _tables(title: str, told: Sequence[Table]) -> Iterator[Figure]:
    """Tables below one another, on as many pages as they need."""
    page, y = _page(title), 0.91
    for table in (part for each in told for part in _parted(each)):
        lines = len(table.rows) + 6  # heading, words, heads and note
        if y - 0.9 * lines / _LINES < 0.04 and y < 0.91:
            yield page
            page, y = _page(title), 0.91
        y = _put(page, table, y)
    yield page


def _parted(table: Table) -> list[Table]:
    """A table in parts that fit on a page."""
    most = _LINES - 8
    rows = [table.rows[first : first + most] for first in range(0, len(table.rows), most)]
    return [replace(table, rows=each) for each in rows] or [table]


def _put(page: Figure, table: Table, y: float) -> float:
    """Write a table from a height downwards; gives where it ends."""
    step = 0.9 / _LINES
    if table.heading:
        page.text(0.08, y, table.heading, size=11, weight="bold", **_PLAIN)
        y -= 1.5 * step
    if table.words:
        page.text(0.08, y, table.words, size=9, **_PLAIN)
        y -= 1.5 * step
    figures = max(1, len(table.heads) - 1)
    places = 0.36 + min(_WIDEST, 0.58 / max(1, figures - 1)) * np.arange(figures)
    for number, row in enumerate((table.heads, *table.rows)):
        style: dict[str, Any] = {"weight": "bold", "size": 5.5} if number == 0 else {"size": 8}
        page.text(0.08, y, row[0][:32], **style, **_PLAIN)
        for place, cell in zip(places, row[1:], strict=False):
            page.text(place, y, cell, ha="right", **style, **_PLAIN)
        y -= step
    if table.note:
        page.text(0.08, y, table.note, size=7, **_PLAIN)
        y -= step
    return y - step


def _stamps(title: str, stamps: Sequence[Stamp]) -> Iterator[Figure]:
    each = _ROWS * _COLUMNS
    for first in range(0, len(stamps), each):
        page = _page(title)
        for at, stamp in enumerate(stamps[first : first + each]):
            row, column = divmod(at, _COLUMNS)
            width = 0.86 / _COLUMNS
            height = width * _A4_IN[0] / _A4_IN[1]
            step = 0.88 / _ROWS
            axes = page.add_axes(
                (0.07 + column * width, 0.93 - row * step - height, 0.94 * width, 0.94 * height)
            )
            axes.imshow(stamp.picture, cmap="gray", vmin=0, vmax=255)
            middle = (SIDE - 1) / 2
            axes.add_patch(Circle((middle, middle), stamp.circle, fill=False, ec=_RING, lw=0.6))
            axes.set_axis_off()
            words = f"{stamp.name[:24]}\n{stamp.said[:32]}"
            axes.text(0, SIDE + 4, words, size=5, va="top", **_PLAIN)
        yield page


def _page(title: str) -> Figure:
    page = Figure(figsize=_A4_IN)
    page.text(0.07, 0.96, title, size=_LARGE, weight="bold", **_PLAIN)
    return page
