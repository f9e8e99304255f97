"""Page: an evaluation as one HTML file that needs nothing else, no network and no script."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Any

from napari_astroseg.engine.report.figures import Row, rows_of
from napari_astroseg.engine.report.plots import Plot
from napari_astroseg.recipes.figurenames import words_of
from napari_astroseg.recipes.papers import PUBLISHED
from napari_astroseg.sky.webpage import webpage

MOST_WORST = 25
"""How many of the worst images are listed."""

_ABOUT = {
    "model": "Model",
    "model_digest": "its digest",
    "trained_on": "trained on",
    "recipe": "Recipe",
    "data": "Data",
    "data_digest": "their digest",
    "command": "Command",
    "finished": "Finished",
}


def page(told: Mapping[str, Any], pictures: Sequence[tuple[Plot, bytes]]) -> str:
    """The page.

    Parameters
    ----------
    told
        An evaluation with its `provenance`.
    pictures
        Each plot with the SVG file it was drawn as.
    """
    title = f"{told['provenance'].get('model', told['recipe'])}: evaluation"
    body = _BODY.format(
        figures=_table(rows_of(told)),
        paper=escape(_paper_told(told)),
        pictures="\n".join(_picture(plot, svg) for plot, svg in pictures),
        worst=_worst(told),
        provenance=_provenance(told["provenance"]),
    )
    style = files("napari_astroseg.engine.report").joinpath("page.css").read_text("utf-8")
    return webpage(title, body, style, alone=True)


def _table(rows: Sequence[Row]) -> str:
    head = "<tr><th>Figure</th><th>Name</th><th>Here</th><th>Paper</th></tr>"
    cells = (
        f"<tr><td>{escape(row.words)}</td><td><code>{escape(row.name)}</code></td>"
        f"<td>{escape(row.told)}</td><td>{escape(row.paper)}</td></tr>"
        for row in rows
    )
    return f"<table>{head}{''.join(cells)}</table>"


def _paper_told(told: Mapping[str, Any]) -> str:
    published = PUBLISHED.get(str(told.get("layout")))
    if published is None:
        return ""
    return (
        f"Paper: {published.source}; on {published.measured_on}. Other data, and mostly another "
        "network: standing beside is no reproduction."
    )


def _picture(plot: Plot, svg: bytes) -> str:
    data = base64.b64encode(svg).decode("ascii")
    return (
        f'<figure><img src="data:image/svg+xml;base64,{data}" alt="{escape(plot.title)}: '
        f'{escape(plot.y)} over {escape(plot.x or "the figures")}"></figure>'
    )


def _worst(told: Mapping[str, Any]) -> str:
    worst = told.get("worst", {"by": "", "units": []})
    units = worst["units"][:MOST_WORST]
    if not units:
        return ""
    columns = [name for name in units[0] if name not in ("name", "window")]
    layout = str(told.get("layout"))
    head = "".join(f"<th>{escape(words_of(name, layout))}</th>" for name in columns)
    rows = "".join(
        f"<tr><td>{escape(named(unit))}</td>"
        + "".join(f"<td>{escape(cell(unit.get(name)))}</td>" for name in columns)
        + "</tr>"
        for unit in units
    )
    return (
        f"<h2>Where it does worst, by {escape(words_of(worst['by'], layout))}</h2>"
        f"<table><tr><th>Image</th>{head}</tr>{rows}</table>"
    )


def named(unit: Mapping[str, Any]) -> str:
    """Which image, and which part of it."""
    window = unit.get("window")
    return f"{unit['name']} [{', '.join(map(str, window))}]" if window else str(unit["name"])


def cell(value: Any) -> str:
    """A figure of one image, or a count."""
    if value is None:
        return "–"
    return str(value) if isinstance(value, int) else f"{float(value):.3f}"


def _provenance(made: Mapping[str, Any]) -> str:
    items = [
        f"<dt>{escape(words)}</dt><dd>{escape(str(made[name]))}</dd>"
        for name, words in _ABOUT.items()
        if made.get(name)
    ]
    versions = ", ".join(f"{name} {number}" for name, number in made.get("versions", {}).items())
    if versions:
        items.append(f"<dt>Versions</dt><dd>{escape(versions)}</dd>")
    return f"<dl>{''.join(items)}</dl>"


_BODY = """\
{figures}
<p>± is one standard deviation over draws of independent pieces of the data (bootstrap).
{paper}</p>
<div class="plots">
{pictures}
</div>
{worst}
<h2>Where this comes from</h2>
{provenance}"""
