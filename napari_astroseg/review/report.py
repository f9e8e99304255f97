"""Report: what was judged, by whom, how alike, with stamps: one page to be read or printed.

All is in the one file, pictures too; nothing is fetched when it is read.
"""

from __future__ import annotations

import base64
import io
import math
from collections.abc import Sequence
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

_SIDE = 112
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
    parts = [_summary(outcome), _people(outcome), _alike(outcome)]
    if image is not None:
        for code, answer in enumerate(ANSWERS):
            rows = np.flatnonzero(outcome.agreed.answer == code)
            parts.append(_stamps(_TITLES[answer], outcome, image, rows, most, progress))
        unsettled = np.array(outcome.answers.disagreements, np.int64)
        parts.append(_stamps("To be settled", outcome, image, unsettled, most, progress))
    title = f"Vetting of {outcome.detections.source or 'detections'}"
    text = webpage(title, "".join(parts), _STYLE, alone=True)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _summary(outcome: Outcome) -> str:
    total = len(outcome.detections)
    judged = int((outcome.agreed.answer >= 0).sum())
    counts = [int((outcome.agreed.answer == code).sum()) for code in range(len(ANSWERS))]
    rows = [(word, f"{n:,}", _share(n, judged)) for word, n in zip(ANSWERS, counts, strict=True)]
    told = f"<p>{judged:,} of {total:,} detections have been judged, "
    told += (
        f"by {len(outcome.standing):,} {'person' if len(outcome.standing) == 1 else 'people'}.</p>"
    )
    return told + _table(("answer", "detections", "of those judged"), rows)


def _people(outcome: Outcome) -> str:
    rows = [
        (
            each.vetter,
            f"{each.judged:,}",
            *(f"{each.counts[word]:,}" for word in ANSWERS),
            _figure(each.seconds, 1),
            _figure(each.skill.completeness),
            _figure(each.skill.false_alarms),
        )
        for each in habits(outcome.standing, outcome.names, outcome.known)
    ]
    heads = ("vetter", "judged", *ANSWERS, "s each", "completeness", "false alarms")
    note = "<p>Completeness and false alarms are measured on objects that were planted.</p>"
    return "<h2>Who judged</h2>" + _table(heads, rows) + (note if any(outcome.known) else "")


def _alike(outcome: Outcome) -> str:
    found = pairs(outcome.answers)
    if not found:
        return ""
    rows = [
        (
            f"{each.first} and {each.second}",
            f"{each.both:,}",
            f"{each.alike:.1%}",
            _figure(each.kappa),
        )
        for each in found
    ]
    told = f"<p>Fleiss’ kappa of all: {_figure(fleiss_kappa(outcome.answers.counts))}. "
    told += f"{len(outcome.answers.disagreements):,} detections are judged differently.</p>"
    heads = ("two vetters", "both judged", "alike", "Cohen’s kappa")
    return "<h2>How alike</h2>" + told + _table(heads, rows)


def _stamps(
    title: str,
    outcome: Outcome,
    image: SkyImage,
    rows: NDArray[np.int64],
    most: int,
    progress: Progress,
) -> str:
    if not len(rows):
        return ""
    score = outcome.detections.score[rows]
    shown = rows[np.argsort(np.where(np.isnan(score), np.inf, -score), kind="stable")][:most]
    figures = []
    for done, row in enumerate(shown.tolist()):
        progress(f"drawing {title.lower()}", done, len(shown))
        figures.append(_figure_of(outcome, image, row))
    left = len(rows) - len(shown)
    more = f" ({left:,} more are left out)" if left else ""
    return (
        f"<h2>{title}: {len(rows):,}{more}</h2>"
        f'<div class="stamps">{"".join(filter(None, figures))}</div>'
    )


def _figure_of(outcome: Outcome, image: SkyImage, row: int) -> str:
    """One stamp with its circle and words; "" where it lies off the image."""
    shape = shape_of(outcome, row)
    if shape.on_sky and image.wcs is None:
        return ""
    (there,) = in_pixels([shape], image)
    if there is None:
        return ""
    x, y = np.mean(there.points, axis=0)
    radius = max(there.sizes, default=_POINT_PX)
    half = min(max(_ROOM * radius, _LEAST_PX), _LARGEST_PX / 2)
    window = Window.around(float(x), float(y), round(2 * half))
    if Window.whole(image.shape).overlap(window) is None:
        return ""
    name = outcome.detections.names[row]
    said = ", ".join(f"{e.vetter}: {e.verdict}" for e in outcome.entries(row))
    circle = _SIDE / 2 * radius / half
    return (
        f'<figure><svg width="{_SIDE}" height="{_SIDE}" role="img" aria-label="{escape(name)}">'
        f'<image href="data:image/png;base64,{_png(image, window)}" width="{_SIDE}" '
        f'height="{_SIDE}"/><circle cx="{_SIDE / 2}" cy="{_SIDE / 2}" r="{circle:.1f}"/></svg>'
        f"<figcaption><b>{escape(name)}</b> {escape(said)}</figcaption></figure>"
    )


def _png(image: SkyImage, window: Window) -> str:
    values = image.plane(0).cutout(window)
    steps = np.linspace(0, window.width - 1, _SIDE).round().astype(int)
    seen = values[steps[::-1][:, None], steps]  # the top row is the highest
    scaled = np.asarray(stretch_of(values)(np.ma.masked_invalid(seen)).filled(0.0), np.float64)
    picture = Image.fromarray((np.clip(scaled, 0, 1) * 255).astype(np.uint8))
    told = io.BytesIO()
    picture.save(told, "png", optimize=True)
    return base64.b64encode(told.getvalue()).decode("ascii")


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(each)}</th>" for each in heads)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"


def _figure(value: float, digits: int = 3) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else "–"
