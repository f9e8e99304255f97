"""The masks at several thresholds as a figure: what is marked is coloured, north is up."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from skies import galactic_wcs

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.votes.ladder import ladder_figure, ladder_png, write_ladder
from napari_astroseg.sky.votes.votemap import VoteMap


def counts() -> np.ndarray:
    counts = np.zeros((40, 50), int)
    counts[5:15, 10:30] = 2
    counts[5:10, 10:30] = 5
    return counts


def test_every_threshold_has_a_panel_with_its_mask_and_area() -> None:
    figure = ladder_figure(VoteMap.from_array(counts()), (1, 3, 6))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["th = 1: 200 px", "th = 3: 100 px", "th = 6: 0 px"]
    plain = figure.axes[2].images[0].get_array()
    for axes, marked in zip(figure.axes[:2], (counts() >= 1, counts() >= 3), strict=True):
        drawn = axes.images[0].get_array()
        assert ((drawn != plain).any(-1) == marked).all()


@pytest.mark.parametrize(("step", "origin"), [(1, "lower"), (-1, "upper")])
def test_north_is_up(step: int, origin: str) -> None:
    wcs = galactic_wcs(1 / 60, 0.0)
    wcs.wcs.ctype = ["RA---TAN", "DEC--TAN"]
    wcs.wcs.cdelt = [-1 / 60, step / 60]
    figure = ladder_figure(VoteMap.from_array(counts(), wcs), (1,))
    assert figure.axes[0].images[0].origin == origin


def test_it_is_written_as_asked(tmp_path: Path) -> None:
    votes = VoteMap.from_array(np.repeat(counts(), 20, 0))
    assert Image.open(BytesIO(ladder_png(votes))).size[0] > 300
    assert b"<svg" in write_ladder(tmp_path / "a.svg", votes).read_bytes()
    assert write_ladder(tmp_path / "a.png", votes).read_bytes().startswith(b"\x89PNG")
    with pytest.raises(VoteError):
        ladder_figure(votes, (0,))
