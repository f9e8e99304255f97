"""Levels: known offsets and planes are found again, through stars, noise and missing pixels."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiles import CORNERS, cut, sky, sky_header

from napari_astroseg.sky.mosaics.background import Difference, levels, overlaps, solved
from napari_astroseg.sky.mosaics.mosaic import open_mosaic, tiled
from napari_astroseg.sky.mosaics.mosaictile import Level, Tile
from napari_astroseg.sky.mosaics.tiling import TiledPixels
from napari_astroseg.sky.pixels import ArrayPixels
from napari_astroseg.sky.window import Window

SHAPE = (300, 400)


def test_offsets_are_found_and_their_mean_is_zero(tmp_path: Path) -> None:
    added = np.array([5.0, -3.0, 0.5, 8.0, -7.0, 2.0, 1.0, -6.5])
    values = sky(SHAPE)
    files = cut(tmp_path, values, sky_header(SHAPE), CORNERS, levels=added)
    mosaic = open_mosaic(files, match_background=True)
    found = np.array([tile.level.offset for tile in tiled(mosaic).tiles])
    assert found.mean() == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(found, added.mean() - added, atol=1e-4)
    seen = mosaic.pixels[:, :]
    present = np.isfinite(seen)
    np.testing.assert_allclose(seen[present], values[present] + added.mean(), atol=1e-3)


def planes_over(seed: int, noise: float = 0.0) -> tuple[list[Tile], np.ndarray]:
    """Tiles of one sky with a plane added to each, stars in one tile only, and holes."""
    rng = np.random.default_rng(seed)
    values = sky(SHAPE, seed)
    tiles = []
    for number, (x, y) in enumerate(CORNERS):
        part = values[y : y + 120, x : x + 160].astype(np.float64)
        row, column = np.indices(part.shape)
        part += rng.normal(0, 5) + rng.normal(0, 0.02) * column + rng.normal(0, 0.02) * row
        part += rng.normal(0, noise, part.shape) if noise else 0.0
        stars = rng.random(part.shape) < 0.02
        part[stars] += rng.exponential(1000, np.count_nonzero(stars))
        part[rng.random(part.shape) < 0.05] = np.nan
        tiles.append(Tile(f"t{number}", ArrayPixels(part), Window(x, y, 160, 120)))
    return tiles, values


def test_planes_flatten_every_overlap() -> None:
    tiles, _ = planes_over(3, noise=0.5)

    def disagreement(each: list[Tile]) -> float:
        worst = 0.0
        for one, other, shared in overlaps(each):
            rows, columns = range(shared.y, shared.y_end), range(shared.x, shared.x_end)
            apart = each[one].values(rows, columns) - each[other].values(rows, columns)
            if min(apart.shape) > 15:
                worst = max(worst, abs(float(np.nanmedian(apart[:, :20]))))
        return worst

    def with_levels(planes: bool) -> list[Tile]:
        found = levels(tiles, planes)
        return [
            Tile(tile.name, tile.pixels, tile.window, level=level)
            for tile, level in zip(tiles, found, strict=True)
        ]

    before, offsets, planes = (
        disagreement(tiles), disagreement(with_levels(False)), disagreement(with_levels(True))
    )  # fmt: skip
    assert before > 5
    assert planes < 0.3
    assert planes < offsets


@settings(max_examples=30)
@given(st.lists(st.floats(-1e3, 1e3), min_size=2, max_size=9), st.integers(0, 2**31))
def test_consistent_differences_are_solved_exactly(added: list[float], seed: int) -> None:
    rng = np.random.default_rng(seed)
    count = len(added)
    pairs = [(i, i + 1) for i in range(count - 1)]  # a chain, and some more
    pairs += [tuple(rng.choice(count, 2, replace=False)) for _ in range(3)]
    found = [Difference(int(i), int(j), 0, 0, added[j] - added[i], 0.1) for i, j in pairs]
    offsets = np.array([level.offset for level in solved(found, count)])
    np.testing.assert_allclose(offsets, np.mean(added) - np.array(added), atol=1e-5)


def test_tiles_that_hang_apart_are_settled_apart() -> None:
    found = [Difference(0, 1, 0, 0, 4.0, 0.1), Difference(2, 3, 0, 0, 10.0, 0.1)]
    offsets = [level.offset for level in solved(found, 5)]
    assert offsets == pytest.approx([2.0, -2.0, 5.0, -5.0, 0.0], abs=1e-9)
    assert solved([], 2) == [Level(), Level()]


def test_every_overlapping_pair_is_compared_once() -> None:
    windows = [Window(x, y, 160, 120) for x, y in CORNERS]
    empty = ArrayPixels(np.zeros((120, 160)))
    tiles = [Tile(str(number), empty, window) for number, window in enumerate(windows)]
    expected = {
        (i, j)
        for i in range(len(windows))
        for j in range(i + 1, len(windows))
        if windows[i].overlap(windows[j]) is not None
    }
    pairs = [tuple(sorted((one, other))) for one, other, _ in overlaps(tiles)]
    assert len(pairs) == len(set(pairs))
    assert set(pairs) == expected


def test_levels_of_overviews_are_those_at_their_middles() -> None:
    flat = ArrayPixels(np.zeros((64, 96)))
    tile = Tile("t", flat, Window(32, 16, 96, 64), level=Level(1.0, 0.25, -0.5))
    pixels = TiledPixels((tile,), (80, 128))
    means = pixels[16:80, 32:128].reshape(16, 4, 24, 4).mean(axis=(1, 3))
    np.testing.assert_allclose(pixels.reduced(4)[4:20, 8:32], means, atol=1e-9)
