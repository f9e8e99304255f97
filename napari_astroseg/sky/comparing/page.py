"""Page: a comparison as a folder that a browser opens: a summary, and pictures per structure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from napari_astroseg.sky.comparing.comparison import Comparison, Seen
from napari_astroseg.sky.comparing.pictures import outline_path, windows_of, write_picture
from napari_astroseg.sky.comparing.words import measured, percent, signed
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.webpage import webpage
from napari_astroseg.sky.window import Window

MOST = 60
"""Structures with pictures, unless something else is asked for."""

PICTURES = "pictures"
"""Folder of the pictures, beside the page."""

_PREDICTED_ON = "inferno"
_COMPARED = "gray"


def write_page(
    path: Path,
    comparison: Comparison,
    title: str,
    plot: Path | None = None,
    most: int = MOST,
    progress: Progress = silent,
) -> list[Path]:
    """Write the page, and its pictures into a folder beside it.

    Parameters
    ----------
    plot
        A picture beside the page, to be shown on it.
    most
        How many structures get pictures: those of the highest score, or without scores those of
        the largest significance in the first image.
    progress
        Called with each structure.

    Returns
    -------
    The page, and each picture.
    """
    order = ranked(comparison)
    shown = order[:most]
    windows = windows_of(comparison.prediction.labels, shown)
    written, sections = [], []
    for done, label in enumerate(shown):
        progress("drawing structures", done, len(shown))
        window = windows[label]
        panels = []
        for key, image, colours in _panels(comparison):
            name = f"{label:05d}_{key}.png"
            written.append(write_picture(path.parent / PICTURES / name, image, window, colours))
            panels.append(_panel(comparison, label, window, name, image.name, key))
        sections.append(_section(comparison, label, panels))
    body = _BODY.format(
        summary=_summary(comparison),
        plot=f'<img class="plot" src="{escape(plot.name)}" alt="contrast and significance">'
        if plot is not None
        else "",
        told=escape(_told(len(shown), len(order), comparison)),
        sections="\n".join(sections),
    )
    style = files("napari_astroseg.sky.comparing").joinpath("page.css").read_text("utf-8")
    text = webpage(title, body, style, alone=False)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return [path, *written]


def ranked(comparison: Comparison) -> list[int]:
    """Numbers of all structures, the most telling first."""
    table = comparison.catalogue.table
    by = table[_rank_column(comparison)]
    size = np.abs(np.nan_to_num(np.asarray(by, float), nan=0.0))
    return [int(label) for label in np.asarray(table["id"])[np.argsort(-size, kind="stable")]]


def _rank_column(comparison: Comparison) -> str:
    named = "score" in comparison.catalogue.table.colnames
    return "score" if named else f"significance_{comparison.seen[0].key}"


def _told(shown: int, count: int, comparison: Comparison) -> str:
    by = "score" if _rank_column(comparison) == "score" else "significance"
    if shown < count:
        return f"The {shown} structures of the highest {by}; {count - shown} more are left out here"
    return f"All {count} structures, by {by}"


def _panels(comparison: Comparison) -> list[tuple[str, SkyImage, str]]:
    """What is drawn side by side: what was predicted on, then each image held against it."""
    own = comparison.prediction.image
    first = [] if own is None else [("predicted_on", own, _PREDICTED_ON)]
    return first + [(f"in_{seen.key}", seen.image, _COMPARED) for seen in comparison.seen]


def _panel(
    comparison: Comparison, label: int, window: Window, file: str, name: str, key: str
) -> str:
    """A picture with the outlines over it, and its figures beneath."""
    labels = comparison.prediction.labels[window.slices]
    lines = [("other", (labels > 0) & (labels != label)), ("own", labels == label)]
    if comparison.original is not None:
        lines.insert(0, ("original", comparison.original[window.slices] > 0))
    paths = "".join(f'<path class="{kind}" d="{outline_path(mask)}"/>' for kind, mask in lines)
    size = f'width="{window.width}" height="{window.height}"'
    figures = [_figures(comparison, seen, label) for seen in comparison.seen
               if key == f"in_{seen.key}"]  # fmt: skip
    return (
        f'<figure><svg viewBox="0 0 {window.width} {window.height}" role="img" '
        f'aria-label="{escape(name)}">'
        f'<image href="{PICTURES}/{escape(file)}" {size} preserveAspectRatio="none"/>{paths}</svg>'
        f"<figcaption><b>{escape(name)}</b>{''.join(figures)}</figcaption></figure>"
    )


def _figures(comparison: Comparison, seen: Seen, label: int) -> str:
    row = int(np.searchsorted(seen.contrast.ids, label))
    found = seen.contrast
    contrast, sure = float(found.contrast[row]), float(found.significance[row])
    words = []
    if math.isfinite(contrast):
        words.append(f"contrast {percent(contrast)}")
    if math.isfinite(sure):
        words.append(f"{signed(sure, '.1f')} standard errors")
    reason = str(found.reason[row])
    return f"<br>{escape(', '.join([*words, *([reason] if reason else [])]))}"


def _section(comparison: Comparison, label: int, panels: Sequence[str]) -> str:
    table = comparison.catalogue.table
    row = table[int(np.nonzero(np.asarray(table["id"]) == label)[0][0])]
    words = [f"structure {label}"]
    if comparison.catalogue.frame is not None:
        lon, lat = (float(row[name].to_value("deg")) for name in ("lon", "lat"))
        galactic = comparison.catalogue.frame == "galactic"
        words.append(f"{'l, b' if galactic else 'α, δ'} = {lon:.4f}°, {signed(lat, '.4f')}°")
    told = [name for name in ("area", "length", "score", "covered") if name in table.colnames]
    words += [
        f"{name} {measured(row[name], 3)}" for name in told if np.isfinite(_number(row[name]))
    ]
    heading = escape(", ".join(words))
    return f'<section id="s{label}"><h3>{heading}</h3><div>{"".join(panels)}</div></section>'


def _number(value: Any) -> float:
    return float(getattr(value, "value", value))


def _summary(comparison: Comparison) -> str:
    items = []
    for seen in comparison.seen:
        items.append(f"{seen.sentence}.")
        items.append(f"{seen.image.name} lies on the prediction's pixels: "
                     f"{seen.placed.how.sentence}.")  # fmt: skip
        items += [f"{seen.image.name}: {note}." for note in seen.image.notes if _own(note)]
    if comparison.coverage is not None:
        items.append(f"Original and predicted regions: {comparison.coverage.sentence}.")
    items += [f"{note}." for note in comparison.prediction.notes]
    return "".join(f"<li>{escape(item)}</li>" for item in items)


def _own(note: str) -> bool:
    """Whether a note is of the image itself: whom to thank, what it covers; not how it lies."""
    return not note.startswith("aligned with ")


_BODY = """\
<ul>{summary}</ul>
{plot}
<h2>{told}</h2>
<p class="key"><span class="own">this structure</span> <span class="other">others</span>
<span class="original">original regions</span> (point at a picture to see it without lines)</p>
{sections}"""
