"""State: masks and values as they stand, changed by steps."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.marks.sparse import Place, SparseLabels, empty_chunk
from napari_astroseg.sky.marks.steps import Json, Labels, Step
from napari_astroseg.sky.pyramids.chunks import CHUNK
from napari_astroseg.sky.window import Window

ANNOTATOR = "annotator/"
"""What the names of annotators' values start with; `mask` is the number of their mask."""

_MOST_MASKS = 2**16 - 1
"""The largest number of a mask that a patch can tell."""


class State:
    """What all steps so far amount to.

    Parameters
    ----------
    folder
        Of the masks, a zarr array under the number of each.
    shape
        (H, W) of the image, px.
    """

    def __init__(self, folder: Path, shape: tuple[int, int]) -> None:
        self._folder = folder
        self.shape = shape
        self.values: dict[str, Json] = {}
        self._masks: dict[int, SparseLabels] = {}

    @property
    def waiting(self) -> int:
        """Bytes that are newer than the disk."""
        return sum(each.waiting for each in self._masks.values())

    @property
    def names(self) -> dict[int, str]:
        """Whose mask has which number."""
        return {
            value["mask"]: name.removeprefix(ANNOTATOR)
            for name, value in self.values.items()
            if name.startswith(ANNOTATOR)
        }

    @property
    def annotators(self) -> tuple[str, ...]:
        """Names of those who have a mask, by its number."""
        return tuple(name for _, name in sorted(self.names.items()))

    def number(self, annotator: str) -> int | None:
        """Of someone's mask; None for those who have none."""
        told = self.values.get(ANNOTATOR + annotator)
        return None if told is None else int(told["mask"])

    def mask(self, number: int) -> SparseLabels:
        """The mask of that number, which may be empty."""
        if number not in self._masks:
            folder = self._folder / str(number)
            if self._folder.is_symlink() or folder.is_symlink():  # would be written through
                raise MarkError(
                    f"{folder} is a link to another place, as marks never make; copy what it leads "
                    "to in its place"
                )
            self._masks[number] = SparseLabels(folder, self.shape)
        return self._masks[number]

    def read(self, window: Window, annotator: str) -> Labels:
        """Someone's labels in a window, 0 where nothing is."""
        labels = np.zeros(window.shape, np.uint16)
        number = self.number(annotator)
        if number is not None:
            mask = self.mask(number)
            for row, column, part in chunks_of(window, self.shape):
                chunk = mask.chunk(row, column)
                if chunk is not None:
                    own = part.moved(-column * CHUNK, -row * CHUNK)
                    labels[part.moved(-window.x, -window.y).slices] = chunk[own.slices]
        return labels

    def places(self, annotator: str) -> set[Place]:
        """Row and column of each chunk that holds any of someone's labels."""
        number = self.number(annotator)
        return set() if number is None else self.mask(number).places()

    def apply(self, step: Step, patches: bool = True) -> None:
        """Change what a step changes.

        Parameters
        ----------
        patches
            Whether its labels too, or only its values.

        Raises
        ------
        ValueError
            When the step does not belong to such an image, or is damaged.
        """
        if patches:
            for each in step.patches:
                mask = self.mask(each.mask)
                chunk = mask.chunk(each.row, each.column)
                chunk = empty_chunk() if chunk is None else chunk
                chunk[each.box.slices] = each.labels()
                mask.put(each.row, each.column, chunk)
        for edit in step.edits:
            if edit.name.startswith(ANNOTATOR):
                _check_annotator(edit.after)
            if edit.after is None:
                self.values.pop(edit.name, None)
            else:
                self.values[edit.name] = edit.after

    def check(self, step: Step) -> None:
        """Find out whether `apply` would fail, and change nothing.

        Raises
        ------
        MarkError
            When a chunk that it changes is damaged.
        ValueError
            When the step is.
        """
        for each in step.patches:
            self.mask(each.mask).chunk(each.row, each.column)
            each.labels()

    def flush(self) -> None:
        """Bring the masks on disk up to date."""
        for each in self._masks.values():
            each.flush()


def chunks_of(window: Window, shape: tuple[int, int]) -> Iterator[tuple[int, int, Window]]:
    """Row and column of each chunk under a window, and the part of the window that it holds."""
    inside = window.overlap(Window.whole(shape))
    if inside is None:
        return
    for row in range(inside.y // CHUNK, (inside.y_end - 1) // CHUNK + 1):
        for column in range(inside.x // CHUNK, (inside.x_end - 1) // CHUNK + 1):
            part = inside.overlap(Window(column * CHUNK, row * CHUNK, CHUNK, CHUNK))
            if part is not None:
                yield row, column, part


def _check_annotator(told: Any) -> None:
    if told is None:
        return
    number = told.get("mask") if isinstance(told, dict) else None
    if type(number) is not int or not 0 <= number <= _MOST_MASKS:
        raise ValueError("an annotator without a mask")
