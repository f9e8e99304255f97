"""Pyramid files give back what was put, and are believed only where they can be."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_astroseg.sky.pyramids.chunks import CHUNK
from napari_astroseg.sky.pyramids.pyramidfile import FileStore, FileWriter, Layout, MemoryStore

LAYOUT = Layout((2100, 5000), 4)
SIDES = st.integers(1, 70_000)


def put_all(store: FileWriter | MemoryStore, layout: Layout) -> dict[int, np.ndarray]:
    """Fill a store with noise, its rows of chunks in any order; the levels' values."""
    rng, levels = np.random.default_rng(0), {}
    for factor in reversed(layout.factors):
        rows, columns = layout.grid(factor)
        values = rng.normal(size=(rows * CHUNK, columns * CHUNK)).astype(np.float32)
        for row in reversed(range(rows)):
            line = values[row * CHUNK : (row + 1) * CHUNK]
            store.put(factor, row, line.reshape(CHUNK, columns, CHUNK).swapaxes(0, 1))
        height, width = layout.level_shape(factor)
        levels[factor] = values[:height, :width]
    return levels


def written(path: Path, layout: Layout = LAYOUT, identity: str = "abc") -> dict[int, np.ndarray]:
    writer = FileWriter(path, layout, identity)
    levels = put_all(writer, layout)
    writer.close()
    return levels


@given(height=SIDES, width=SIDES, count=st.integers(0, 8))
def test_levels_lie_one_after_the_other_coarsest_first(height: int, width: int, count: int) -> None:
    layout = Layout((height, width), 2**count)
    assert layout.factors == tuple(2**k for k in range(count, 0, -1))
    ends = [layout.start(factor) for factor in layout.factors] + [layout.size]
    for factor, start, end in zip(layout.factors, ends[:-1], ends[1:], strict=True):
        rows, columns = layout.grid(factor)
        assert end - start == rows * columns * CHUNK * CHUNK * 4
        level_height, level_width = layout.level_shape(factor)
        assert (level_height * factor, level_width * factor) == layout.level_shape(1)
        assert rows * CHUNK >= level_height > (rows - 1) * CHUNK
        assert columns * CHUNK >= level_width > (columns - 1) * CHUNK
    sizes = [each.size for each in layout.shallower()]
    assert len(sizes) == count
    assert sizes == sorted(sizes, reverse=True)


@pytest.mark.parametrize("in_file", [True, False])
def test_a_store_gives_back_what_was_put(tmp_path: Path, in_file: bool) -> None:
    if in_file:
        levels = written(tmp_path / "p")
        store = FileStore.find(tmp_path / "p", LAYOUT, "abc")
        assert store is not None
    else:
        store = MemoryStore(LAYOUT)
        levels = put_all(store, LAYOUT)
    for factor, values in levels.items():
        rows, columns = LAYOUT.grid(factor)
        for row in range(rows):
            for column in range(columns):
                expected = values[row * CHUNK :, column * CHUNK :][:CHUNK, :CHUNK]
                found = store.chunk(factor, row, column)
                assert found is not None
                assert found.dtype == np.float32
                assert np.array_equal(found, expected)


def test_the_file_is_as_long_as_its_layout_says(tmp_path: Path) -> None:
    written(tmp_path / "p")
    assert (tmp_path / "p").stat().st_size == LAYOUT.size


def test_a_file_without_the_finest_level_opens_and_says_so(tmp_path: Path) -> None:
    coarse = Layout(LAYOUT.shape, LAYOUT.top, finest=4)
    written(tmp_path / "p", coarse)
    store = FileStore.find(tmp_path / "p", LAYOUT, "abc")
    assert store is not None
    assert store.layout.factors == (4,)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda data: data[:-1],
        lambda data: data[: len(data) // 2],
        lambda data: data + b"\0",
        lambda data: b"",
        lambda data: b"SIMPLE  =" + data[9:],
        lambda data: data.replace(b'"version": 1', b'"version": 0', 1),
        lambda data: data.replace(b"2100", b"2101", 1),
        lambda data: data.replace(b"abc", b"abd", 1),
        lambda data: b"\xff" * len(data),
    ],
    ids=[
        "cut",
        "halved",
        "longer",
        "empty",
        "foreign",
        "older",
        "other-shape",
        "other-identity",
        "noise",
    ],
)
def test_what_is_not_whole_or_not_ours_does_not_open(tmp_path: Path, spoil: object) -> None:
    written(tmp_path / "p")
    data = (tmp_path / "p").read_bytes()
    (tmp_path / "p").write_bytes(spoil(data))  # type: ignore[operator]
    assert FileStore.find(tmp_path / "p", LAYOUT, "abc") is None


def test_a_folder_or_nothing_does_not_open(tmp_path: Path) -> None:
    assert FileStore.find(tmp_path, LAYOUT, "abc") is None
    assert FileStore.find(tmp_path / "none", LAYOUT, "abc") is None


def test_a_file_that_has_left_its_folder_still_serves(tmp_path: Path) -> None:
    levels = written(tmp_path / "p")
    store = FileStore.find(tmp_path / "p", LAYOUT, "abc")
    assert store is not None
    if os.name != "nt":  # Windows keeps files that are open
        (tmp_path / "p").unlink()
    found = store.chunk(2, 0, 1)
    assert found is not None
    assert np.array_equal(found, levels[2][:CHUNK, CHUNK : 2 * CHUNK])


def test_a_file_that_was_cut_while_open_gives_nothing(tmp_path: Path) -> None:
    written(tmp_path / "p")
    store = FileStore.find(tmp_path / "p", LAYOUT, "abc")
    assert store is not None
    os.truncate(tmp_path / "p", LAYOUT.size // 2)
    assert store.chunk(2, 0, 1) is None
