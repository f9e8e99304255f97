"""Report: what was judged, by whom, how alike, with stamps: one page to be read or printed.

All is in the one file, pictures too; nothing is fetched when it is read.
"""

from __future__ import annotations

import base64
import io
import math
from dataclasses import dataclass
from html import escape
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from napari_astroseg.errors import VettingError
from napari_astroseg.review.agreement import ANSWERS, fleiss_kappa, habits, pairs
from napari_astroseg.review.outcome import Outcome, shape_of
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.preview import stretch_of
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.shapes.placing import in_pixels
from napari_astroseg.sky.webpage import webpage
from napari_astroseg.sky.window import Window

MOST = 200
"""Stamps of each answer, unless something else is asked for."""

SIDE = 112
"""Of a stamp, px."""
_ROOM = 1.7
_LEAST_PX, _LARGEST_PX = 12, 2048
_POINT_PX = 12.0
_TITLES = {"real": "Real", "not": "Not", "unsure": "Unsure", "duplicate": "Duplicates"}
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; margin: 2em auto; max-width: 62em; color: #222; }
table { border-collapse: collapse; margin: 0.6em 0 1.4em; }
th, td { padding: 0.2em 0.9em 0.2em 0; text-align: right; border-bottom: 1px solid #ddd; }
th:first-child, td:first-child { text-align: left; }
.stamps { display: flex; flex-wrap: wrap; gap: 8px; }
figure { margin: 0; width: 112px; break-inside: avoid; }
figcaption { font-size: 11px; overflow-wrap: anywhere; }
svg { display: block; background: #000; }
circle { fill: none; stroke: #4fd0ff; stroke-width: 1; }
h2 { break-after: avoid; }
"""


def write_report(
    path: str | Path,
    outcome: Outcome,
    image: SkyImage | None = None,
    *,
    most: int = MOST,
    progress: Progress = silent,
) -> Path:
    """Write the page.

    Parameters
    ----------
    image
        For stamps; without it the page has tables only.
    most
        Stamps of each answer, those of the highest score.
    progress
        Called with each stamp.

    Raises
    ------
    VettingError
        When nothing has been judged.
    OutputError
        When it cannot be written.
    """
    path = Path(path)
    if not outcome.standing:
        raise VettingError("nothing has been judged yet; judge some first")
    parts = [_as_html(table) for table in tables(outcome)]
    for words, rows, left in groups(outcome, most) if image is not None else ():
        figures = []
        for done, row in enumerate(rows):
            progress(f"drawing {words.lower()}", done, len(rows))
            stamp = stamp_of(outcome, image, row) if image is not None else None
            figures.append("" if stamp is None else _figure_of(stamp))
        more = f" ({left:,} more are left out)" if left else ""
        parts.append(
            f"<h2>{words}: {len(rows) + left:,}{more}</h2>"
            f'<div class="stamps">{"".join(figures)}</div>'
        )
    title = f"Vetting of {outcome.detections.source or 'detections'}"
    text = webpage(title, "".join(parts), _STYLE, alone=True)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


@dataclass(frozen=True)
class Table:
    """A table of the report, with a heading and a sentence before it, which may be empty."""

    heading: str
    words: str
    heads: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""


@dataclass(frozen=True, eq=False)
class Stamp:
    """One detection as it is shown.

    Parameters
    ----------
    picture
        (SIDE, SIDE) from 0 to 255, the highest row first.
    circle
        Its radius there, px.
    name, said
        What it is called, and who said what.
    """

    picture: NDArray[np.uint8]
    circle: float
    name: str
    said: str


def tables(outcome: Outcome) -> list[Table]:
    """What was judged, by whom, and how alike."""
    found = [_summary(outcome), _people(outcome)]
    return [*found, *_alike(outcome)]


def groups(outcome: Outcome, most: int) -> list[tuple[str, list[int], int]]:
    """Of each answer and of what is to be settled: words, first rows by score, how many more."""
    answers = [
        (_TITLES[answer], np.flatnonzero(outcome.agreed.answer == code))
        for code, answer in enumerate(ANSWERS)
    ]
    answers.append(("To be settled", np.array(outcome.answers.disagreements, np.int64)))
    found = []
    for words, rows in answers:
        score = outcome.detections.score[rows]
        first = rows[np.argsort(np.where(np.isnan(score), np.inf, -score), kind="stable")][:most]
        if len(rows):
            found.append((words, first.tolist(), len(rows) - len(first)))
    return found


def stamp_of(outcome: Outcome, image: SkyImage, row: int) -> Stamp | None:
    """One detection on the image; None where it lies off it."""
    shape = shape_of(outcome, row)
    if shape.on_sky and image.wcs is None:
        return None
    (there,) = in_pixels([shape], image)
    if there is None:
        return None
    x, y = np.mean(there.points, axis=0)
    radius = max(there.sizes, default=_POINT_PX)
    half = min(max(_ROOM * radius, _LEAST_PX), _LARGEST_PX / 2)
    window = Window.around(float(x), float(y), round(2 * half))
    if Window.whole(image.shape).overlap(window) is None:
        return None
    said = ", ".join(f"{e.vetter}: {e.verdict}" for e in outcome.entries(row))
    circle = SIDE / 2 * radius / half
    return Stamp(_picture(image, window), circle, outcome.detections.names[row], said)


def _summary(outcome: Outcome) -> Table:
    total = len(outcome.detections)
    judged = int((outcome.agreed.answer >= 0).sum())
    counts = [int((outcome.agreed.answer == code).sum()) for code in range(len(ANSWERS))]
    rows = tuple(
        (word, f"{n:,}", _share(n, judged)) for word, n in zip(ANSWERS, counts, strict=True)
    )
    who = "person" if len(outcome.standing) == 1 else "people"
    words = (
        f"{judged:,} of {total:,} detections have been judged, by {len(outcome.standing):,} {who}."
    )
    return Table("", words, ("answer", "detections", "of those judged"), rows)


def _people(outcome: Outcome) -> Table:
    rows = tuple(
        (
            each.vetter,
            f"{each.judged:,}",
            *(f"{each.counts[word]:,}" for word in ANSWERS),
            _figure(each.seconds, 1),
            _figure(each.skill.completeness),
            _figure(each.skill.false_alarms),
        )
        for each in habits(outcome.standing, outcome.names, outcome.known)
    )
    heads = ("vetter", "judged", *ANSWERS, "s each", "completeness", "false alarms")
    note = "Completeness and false alarms are measured on objects that were planted."
    return Table("Who judged", "", heads, rows, note if any(outcome.known) else "")


def _alike(outcome: Outcome) -> list[Table]:
    found = pairs(outcome.answers)
    if not found:
        return []
    rows = tuple(
        (
            f"{each.first} and {each.second}",
            f"{each.both:,}",
            f"{each.alike:.1%}",
            _figure(each.kappa),
        )
        for each in found
    )
    words = f"Fleiss’ kappa of all: {_figure(fleiss_kappa(outcome.answers.counts))}. "
    words += f"{len(outcome.answers.disagreements):,} detections are judged differently."
    heads = ("two vetters", "both judged", "alike", "Cohen’s kappa")
    return [Table("How alike", words, heads, rows)]


def _as_html(table: Table) -> str:
    heading = f"<h2>{escape(table.heading)}</h2>" if table.heading else ""
    words, note = (f"<p>{escape(each)}</p>" if each else "" for each in (table.words, table.note))
    head = "".join(f"<th>{escape(each)}</th>" for each in table.heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in table.rows
    )
    return f"{heading}{words}<table><tr>{head}</tr>{body}</table>{note}"


def _figure_of(stamp: Stamp) -> str:
    """A stamp with its circle and words."""
    told = io.BytesIO()
    Image.fromarray(stamp.picture).save(told, "png", optimize=True)
    png, middle = base64.b64encode(told.getvalue()).decode("ascii"), SIDE / 2
    return (
        f'<figure><svg width="{SIDE}" height="{SIDE}" role="img" '
        f'aria-label="{escape(stamp.name)}">'
        f'<image href="data:image/png;base64,{png}" width="{SIDE}" '
        f'height="{SIDE}"/><circle cx="{middle}" cy="{middle}" r="{stamp.circle:.1f}"/></svg>'
        f"<figcaption><b>{escape(stamp.name)}</b> {escape(stamp.said)}</figcaption></figure>"
    )


def _picture(image: SkyImage, window: Window) -> NDArray[np.uint8]:
    values = image.plane(0).cutout(window)
    steps = np.linspace(0, window.width - 1, SIDE).round().astype(int)
    seen = values[steps[::-1][:, None], steps]  # the top row is the highest
    scaled = np.asarray(stretch_of(values)(np.ma.masked_invalid(seen)).filled(0.0), np.float64)
    return (np.clip(scaled, 0, 1) * 255).astype(np.uint8)


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _figure(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"
