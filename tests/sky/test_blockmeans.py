"""Block means are the means of all pixels present, whatever the file's way of writing them."""

from __future__ import annotations

import warnings
from typing import Any

import numba
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from napari_astroseg.sky.compiled import compiled
from napari_astroseg.sky.pyramids import blockmeans
from napari_astroseg.sky.pyramids.blockmeans import Encoding, Reducer
from napari_astroseg.sky.pyramids.chunks import CHUNK

STORED = (">f4", ">f8", "<f4", "<f8", ">i2", ">i4", ">i8", "u1")


def means_of(strip: np.ndarray, encoding: Encoding, count: int, finest: int = 1) -> list[Any]:
    """What a reducer makes of one strip, a two-dimensional array for each level."""
    height, width = (-(-n // 2**count) * 2**count for n in strip.shape)
    columns = [-(-(width >> k) // CHUNK) for k in range(count + 1)]
    sizes = [0 if k < finest else columns[k] * CHUNK * CHUNK for k in range(count + 1)]
    starts = np.cumsum([0, *sizes[:-1]])
    into = np.full(sum(sizes), -99.0, np.float32)
    Reducer(encoding, strip.shape[1], count, finest).reduce(strip, into, starts)
    levels = []
    for k in range(finest, count + 1):
        chunks = into[starts[k] : starts[k] + sizes[k]].reshape(columns[k], CHUNK, CHUNK)
        rows = np.concatenate(list(chunks), axis=1)
        assert (rows[height >> k :] == -99).all(), "rows below the strip were written to"
        levels.append(rows[: height >> k, : width >> k])
    return levels


def true_means(values: np.ndarray, count: int, finest: int = 1) -> list[np.ndarray]:
    """Means over whole blocks of the values present, in double precision."""
    block = 2**count
    padded = np.full([-(-n // block) * block for n in values.shape], np.nan)
    padded[: values.shape[0], : values.shape[1]] = values
    found = []
    with warnings.catch_warnings(), np.errstate(invalid="ignore"):
        warnings.simplefilter("ignore", RuntimeWarning)
        for k in range(finest, count + 1):
            rows, columns = (n >> k for n in padded.shape)
            blocks = padded.reshape(rows, 2**k, columns, 2**k)
            found.append(np.nanmean(blocks, axis=(1, 3)))
    return found


def agree(found: list[np.ndarray], expected: list[np.ndarray]) -> bool:
    with np.errstate(over="ignore"):
        expected = [each.astype(np.float32) for each in expected]
    return all(
        a.shape == b.shape and np.allclose(a, b, rtol=2e-6, atol=1e-6, equal_nan=True)
        for a, b in zip(found, expected, strict=True)
    )


@pytest.mark.parametrize("stored", STORED)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 1100),
    count=st.integers(1, 4),
    seed=st.integers(0, 2**16),
    missing=st.sampled_from([0.0, 0.3, 0.95]),
)
@settings(max_examples=12)
def test_every_level_is_the_mean_of_the_pixels_present(
    stored: str, height: int, width: int, count: int, seed: int, missing: float
) -> None:
    rng = np.random.default_rng(seed)
    gaps = rng.random((height, width)) < missing
    dtype = np.dtype(stored)
    raw = (rng.normal(size=(height, width)) * 50 + 100).clip(0, 250).astype(dtype)
    blank, scale, zero = None, 1.0, 0.0
    if dtype.kind == "f":
        raw[gaps] = np.nan
        values = raw.astype(np.float64)
    else:
        blank, scale, zero = 7, 0.25, -30.0
        raw[raw == blank] = 8
        raw[gaps] = blank
        values = np.where(gaps, np.nan, raw * scale + zero)
    found = means_of(raw, Encoding(dtype, scale, zero, blank), count)
    assert agree(found, true_means(values, count))


def test_means_weigh_pixels_not_blocks() -> None:
    values = np.full((4, 4), 1.0, ">f4")
    values[:2, :2] = [[np.nan, np.nan], [np.nan, 5.0]]
    levels = means_of(values, Encoding(values.dtype), 2)
    assert levels[0].tolist() == [[5.0, 1.0], [1.0, 1.0]]
    assert levels[1][0, 0] == np.float32((5.0 + 12.0) / 13)  # a mean of means would say 2


def test_fine_levels_may_be_left_out() -> None:
    values = np.random.default_rng(0).normal(size=(16, 700)).astype(">f4")
    encoding = Encoding(values.dtype)
    assert agree(means_of(values, encoding, 3, 2), true_means(values.astype(float), 3, 2))


def test_a_blank_without_integers_is_no_blank() -> None:
    values = np.full((2, 2), 7.0, ">f4")
    assert means_of(values, Encoding(values.dtype, blank=7), 1)[0][0, 0] == 7.0


def test_infinite_values_stay_infinite_and_spoil_no_other_block() -> None:
    values = np.ones((4, 8), ">f4")
    values[0, 0], values[1, 3] = np.inf, -np.inf
    first, second = means_of(values, Encoding(values.dtype), 2)
    assert first[0].tolist() == [np.inf, -np.inf, 1.0, 1.0]
    assert np.isnan(second[0, 0])
    assert second[0, 1] == 1.0


def test_sums_do_not_overflow_where_means_do_not() -> None:
    values = np.full((8, 8), 3e38, ">f4")
    assert means_of(values, Encoding(values.dtype), 3)[-1][0, 0] == np.float32(3e38)
    doubles = np.full((2, 2), 1e300, ">f8")
    assert means_of(doubles, Encoding(doubles.dtype), 1)[0][0, 0] == np.inf


@pytest.mark.parametrize("height", [16, 37, 64])
@pytest.mark.parametrize("part", [2, 8, 22])
def test_a_strip_in_parts_is_the_strip(height: int, part: int) -> None:
    values = np.random.default_rng(1).normal(size=(height, 600)).astype(">f4")
    values[3:9] = np.nan
    sizes = [CHUNK * CHUNK * 2, CHUNK * CHUNK, CHUNK * CHUNK, CHUNK * CHUNK]
    starts = np.array([0, 0, *np.cumsum(sizes)[:-1]])
    whole, parted = np.full((2, sum(sizes)), -99.0, np.float32)
    Reducer(Encoding(values.dtype), 600, 4).reduce(values, whole, starts)
    reducer = Reducer(Encoding(values.dtype), 600, 4)
    for top in range(0, height, part):
        more = top + part < height
        reducer.reduce(values[top : top + part], parted, starts, above=top, more=more)
    np.testing.assert_array_equal(parted, whole)


def test_a_reducer_serves_strip_after_strip() -> None:
    values = np.random.default_rng(1).normal(size=(64, 600)).astype(">f4")
    values[3:9] = np.nan
    reducer = Reducer(Encoding(values.dtype), 600, 2)
    sizes = [CHUNK * CHUNK, CHUNK * CHUNK]
    into = np.empty(sum(sizes), np.float32)
    for top in range(0, 64, 4):
        starts = np.array([0, top // 2 * CHUNK, sizes[0] + top // 4 * CHUNK])
        reducer.reduce(values[top : top + 4], into, starts)
    found = [into[: sizes[0]], into[sizes[0] :]]
    found = [each.reshape(CHUNK, CHUNK) for each in found]
    expected = true_means(values.astype(float), 2)
    assert agree([found[0][:32, :300], found[1][:16, :150]], expected)


def test_without_a_place_to_keep_compiled_code_it_is_compiled_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    njit = numba.njit

    def homeless(**options: Any) -> Any:
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(**options)

    monkeypatch.setattr(numba, "njit", homeless)

    def double(x: float) -> float:
        return 2 * x

    assert compiled(double)(3.0) == 6.0


def test_a_full_disk_that_takes_no_compiled_code_is_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, calls = blockmeans._reduce, []

    def full_once(*arguments: Any) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise OSError(28, "No space left on device")
        whole(*arguments)

    monkeypatch.setattr(blockmeans, "_reduce", full_once)
    values = np.ones((2, 2), ">f4")
    assert means_of(values, Encoding(values.dtype), 1)[0][0, 0] == 1.0
    assert len(calls) == 2
