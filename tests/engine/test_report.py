"""The report of an evaluation: its table, its plots, its page, and its JSON read again."""

from __future__ import annotations

import base64
import io
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from evaluations import made_up
from matplotlib.image import imread

from napari_astroseg.engine.report.drawing import drawn
from napari_astroseg.engine.report.figures import rows_of
from napari_astroseg.engine.report.files import (
    JSON_FILE,
    PAGE_FILE,
    as_json,
    read_evaluation,
    write_report,
)
from napari_astroseg.engine.report.plots import plots_of
from napari_astroseg.errors import DataError
from napari_astroseg.recipes.papers import PUBLISHED

PLOTS = {
    "four_maps": ["dice", "structures", "precision-recall", "roc"],
    "gz3d": ["histogram-accuracy", "histogram-precision", "histogram-jaccard", "agreement", "area"],
    "astro_rcnn": ["precision-recall-star", "precision-recall-galaxy", "average-precision"],
    "blended": [
        "completeness-purity",
        "reliability",
        "magnitude-detected",
        "magnitude-iou",
        "magnitude-variance",
    ],
    "bubbles": ["f2-scan", "sizes"],
}


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("report") / "out"
    write_report(folder, made_up())
    return folder


@pytest.mark.parametrize("layout", PLOTS)
def test_each_recipe_has_the_plots_of_its_source(layout: str) -> None:
    told = json.loads(as_json(made_up(layout)))
    plots = plots_of(told)
    assert [plot.name for plot in plots] == PLOTS[layout]
    for plot in plots:
        for line in plot.lines:
            assert len(line.x) == len(line.y) and len(line.error) in (0, len(line.y))
        for bars in plot.bars:
            assert len(bars.edges) == len(bars.heights) + 1
            assert len(plot.ticks) in (0, len(bars.heights))
    stated = PUBLISHED[layout].figures
    rows = {row.name: row for row in rows_of(told)}
    assert list(rows) == list(told["figures"])
    for name in stated.keys() & rows.keys():
        assert rows[name].paper == stated[name]


def test_figures_are_told_with_their_errors() -> None:
    maps = {row.name: row.told for row in rows_of(made_up())}
    assert maps == {"dice": "0.717 ± 0.027", "new": "–", "threshold": "0.446"}
    bubbles = {row.name: row.told for row in rows_of(made_up("bubbles"))}
    assert (bubbles["bubbles"], bubbles["new"]) == ("40", "12 ± 2.5")
    assert rows_of(made_up("gz3d"))[0].told == "7\u202f453"


def test_curves_and_bars_are_drawn() -> None:
    """Both colours are seen, and the same numbers make the same bytes."""
    (scan, sizes) = plots_of(made_up("bubbles"))
    for plot in (scan, sizes):
        made = drawn(plot)
        picture = imread(io.BytesIO(made["png"]), format="png")[..., :3]
        for colour in ("#0072b2", "#d55e00"):
            rgb = np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
            assert np.count_nonzero(np.abs(picture - rgb).max(-1) < 0.02) > 20
        assert ET.fromstring(made["svg"]).tag.endswith("svg")
    assert drawn(sizes) == drawn(sizes)


def test_the_folder_holds_all_of_it(report: Path) -> None:
    names = {path.name for path in report.iterdir()}
    pictures = {f"{name}.{kind}" for name in PLOTS["four_maps"] for kind in ("png", "svg")}
    assert names == {JSON_FILE, PAGE_FILE} | pictures
    told = read_evaluation(report)
    assert told == read_evaluation(report / JSON_FILE)
    assert told["figures"] == {"dice": 0.7171, "new": None, "threshold": 0.446}


def test_the_page_needs_nothing_else_and_believes_nobody(report: Path) -> None:
    text = (report / PAGE_FILE).read_text(encoding="utf-8")
    assert "<script" not in text and "http" not in re.sub("http-equiv", "", text)
    assert "a &lt;model&gt;" in text and "<model>" not in text
    assert "&lt;b&gt;_image.fits [0, 0, 64, 64]" in text
    assert "0.717 ± 0.027" in text and "0123456789abcdef" not in text.split("</table>")[0]
    assert "astroseg evaluate m &#x27;a &amp; b&#x27;" in text and "numpy 2.0" in text
    sources = re.findall(r'src="([^"]*)"', text)
    assert len(sources) == 4
    for source in sources:
        head, data = source.split(",")
        assert head == "data:image/svg+xml;base64"
        assert ET.fromstring(base64.b64decode(data)).tag.endswith("svg")


@pytest.mark.parametrize(
    "content",
    [
        "no JSON",
        "[]",
        '{"recipe": "x"}',
        as_json({**made_up(), "figures": []}),
        as_json({**made_up(), "thresholds": {"threshold": 3}}),
        as_json({**made_up(), "figures": {"dice": "much"}}),
        as_json({**made_up(), "worst": {"by": "dice", "units": [{"dice": 1}]}}),
    ],
)
def test_what_is_no_evaluation_is_refused(content: str, tmp_path: Path) -> None:
    (tmp_path / JSON_FILE).write_text(content)
    with pytest.raises(DataError, match="evaluate again"):
        read_evaluation(tmp_path)


def test_where_there_is_none_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot be read"):
        read_evaluation(tmp_path)


def test_names_in_an_evaluation_lead_nowhere(tmp_path: Path) -> None:
    told: dict[str, Any] = made_up("gz3d")
    told["histograms"] = {"../../away": [1, 2]}
    files = write_report(tmp_path / "out", told)
    assert {path.parent for path in files} == {tmp_path / "out"}
