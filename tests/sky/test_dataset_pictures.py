"""Stamps as people look at them: the truth drawn where it lies, the right way up."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
from skies import galactic_wcs

from napari_astroseg.sky.datasets.card import DatasetCard, PartCounts
from napari_astroseg.sky.datasets.dataset import Stamp
from napari_astroseg.sky.datasets.pictures import colours_of, stamp_picture
from napari_astroseg.sky.datasets.truth import Item, Thing, Truth
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

RED, BLUE = (255, 0, 0), (0, 0, 255)


def picture(values: np.ndarray, truth: Truth | None, window: Window, wcs=None, side=None):
    image = partial(SkyImage.from_array, values, wcs, name="x")
    item = Item("x", (Path("x"),), image, None)
    colours = {"arm": RED, "bubble": BLUE}
    return stamp_picture(item, truth, Stamp(0, window), side or window.width, colours)


def drawn(pixels: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    return (pixels == colour).all(-1)


def test_the_outline_of_a_class_lies_on_its_edge_and_north_is_up() -> None:
    rng = np.random.default_rng(0)
    values = rng.normal(size=(40, 40)).astype(np.float32)
    mask = np.zeros((40, 40), bool)
    mask[5:15, 10:30] = True
    seen = drawn(picture(values, Truth({"arm": mask}), Window(0, 0, 40, 40)), RED)[::-1]
    assert seen[5, 10:30].all()
    assert seen[14, 10:30].all()
    assert not seen[7:13, 12:28].any()
    assert seen.sum() == 2 * 20 + 2 * 8


def test_a_picture_whose_rows_run_south_is_not_turned() -> None:
    values = np.zeros((20, 20), np.float32)
    values[0] = 100.0
    up = galactic_wcs(1 / 60, 0.0)
    down = galactic_wcs(1 / 60, 0.0)
    down.wcs.cdelt = [-1 / 60, -1 / 60]
    window = Window(0, 0, 20, 20)
    assert picture(values, None, window, up)[-1].min() == 255
    assert picture(values, None, window, down)[0].min() == 255


@pytest.mark.parametrize("x", [-5, 0, 12])
def test_a_box_is_drawn_where_it_lies_and_cut_at_the_edge(x: int) -> None:
    values = np.random.default_rng(0).normal(size=(60, 60)).astype(np.float32)
    truth = Truth(objects=(Thing("bubble", "b", (10.0, 20.0, 29.0, 39.0)),))
    seen = drawn(picture(values, truth, Window(x, 10, 40, 40), side=80), BLUE)[::-1]
    rows, columns = np.nonzero(seen)
    assert rows.min() == 2 * 10 + 1
    assert columns.min() == max(2 * (10 - x) + 1, 0) or x == 12
    assert columns.max() == 2 * (29 - x) + 1
    # Half a pixel in, where the centres of its corners lie.
    assert rows.max() == 2 * 29 + 1


def test_masks_of_objects_are_drawn_and_missing_pixels_are_black() -> None:
    values = np.random.default_rng(0).normal(size=(3, 30, 30)).astype(np.float32)
    mask = np.ones((6, 6), bool)
    truth = Truth(objects=(Thing("bubble", "b", (4, 4, 9, 9), Window(4, 4, 6, 6), mask),))
    values[:, 20:] = np.nan
    item = Item("x", (Path("x"),), lambda: _stack(values), None)
    seen = stamp_picture(item, truth, Stamp(0, Window(0, 0, 30, 30)), 30, {"bubble": BLUE})[::-1]
    assert drawn(seen, BLUE).sum() == 20
    assert not seen[20:].any()


def _stack(values: np.ndarray) -> SkyImage:
    from napari_astroseg.sky.stack import stacked

    bands = [SkyImage.from_array(band, name=name) for band, name in zip(values, "grz", strict=True)]
    return stacked(bands, tuple("grz"), "x")


def test_every_class_has_a_colour_of_its_own() -> None:
    counts = PartCounts(items=1, pixels={"a": 1, "background": 2}, objects={"star": 1, "galaxy": 2})
    card = DatasetCard(
        layout="gz3d", name="x", items=1, parts={"training": counts}, settings={}, findings=0,
        left_out=0, digest="0" * 32,
    )  # fmt: skip
    colours = colours_of(card)
    assert list(colours) == ["a", "star", "galaxy"]
    assert len(set(colours.values())) == 3
