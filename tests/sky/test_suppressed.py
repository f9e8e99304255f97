"""Probability and uncertainty as one colour: fewer the less sure, in order for every eye."""

import numpy as np
import pytest

from napari_astroseg.sky.looks.suppressed import (
    COUNT,
    DEVIATIONS,
    ROWS,
    STEPS,
    cells,
    codes,
    colours,
)


def test_each_cell_is_the_code_of_what_it_stands_for():
    unsure_of = (0.0, *DEVIATIONS)
    for code, row, low, high in cells():
        inside = np.array([low, (low + high) / 2, high - 1e-4], np.float32)
        unsure = np.full(3, unsure_of[row], np.float32)
        assert codes(inside, unsure, DEVIATIONS).tolist() == [code] * 3
    assert [cell.code for cell in cells()] == list(range(1, COUNT))
    counts = np.bincount([cell.row for cell in cells()])
    assert counts.tolist() == [STEPS >> row for row in range(ROWS)]


def test_ends_and_what_is_missing():
    probability = np.array([[0.0, 1.0, np.nan], [1.0, 0.5, 0.5]], np.float32)
    unsure = np.array([[0.0, 0.0, 0.1], [0.5, np.nan, 1.0]], np.float32)
    told = codes(probability, unsure, DEVIATIONS)
    assert told.tolist() == [[1, STEPS, 0], [COUNT - 1, 0, COUNT - 1]]
    assert colours()[0].tolist() == [0, 0, 0, 0]
    assert colours()[1, 3] == 0  # surely nothing: the sky shows through


def luminance(rgb):
    """Relative luminance of sRGB (…, 3), which every eye sees alike, near enough."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    return linear @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("row", range(ROWS))
def test_lightness_orders_each_row_and_doubt_takes_its_colour_away(row):
    table = colours()
    mine = [cell.code for cell in cells() if cell.row == row]
    light = luminance(table[mine, :3])
    assert (np.diff(light) > 0).all()
    saturation = np.ptp(table[mine, :3], axis=1).max()
    assert saturation <= (1, 0.7, 0.4, 0.1)[row]
    assert (np.diff(table[mine, 3]) >= 0).all() and table[mine[-1], 3] > 0.7
