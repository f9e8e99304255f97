"""Draft: changes that become one step when they are done, and nothing before."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.marks.history import Change
from napari_astroseg.sky.marks.sparse import Place, empty_chunk, packed_chunk, unpacked_chunk
from napari_astroseg.sky.marks.state import ANNOTATOR, State, chunks_of
from napari_astroseg.sky.marks.steps import Edit, Json, Labels, Patch, Step
from napari_astroseg.sky.pyramids.chunks import CHUNK
from napari_astroseg.sky.window import Window

_MOST = np.iinfo(np.uint16).max


class Draft:
    """Changes to a state that is not touched.

    Parameters
    ----------
    state
        As it stands.
    annotator
        Whose mask is drawn on.
    """

    def __init__(self, state: State, annotator: str) -> None:
        self._state = state
        self._annotator = annotator
        self._patches: list[Patch] = []
        self._edits: dict[str, Edit] = {}
        self._drawn: dict[Place, bytes] = {}
        self.change: Change | None = None
        """What changed, once it is done; None before, and when nothing did."""

    def write(self, window: Window, labels: NDArray[np.integer]) -> None:
        """Set the labels in a window; what is off the image is left out.

        Raises
        ------
        MarkError
            When they are no labels, or of another shape than the window.
        """
        values = _checked(window, labels)
        for row, column, part in chunks_of(window, self._state.shape):
            new = values[part.moved(-window.x, -window.y).slices]
            before = self._chunk(row, column)
            if before is None:
                if not new.any():
                    continue
                before = empty_chunk()
            after = before.copy()
            after[part.moved(-column * CHUNK, -row * CHUNK).slices] = new
            self._replace(row, column, before, after)

    def read(self, window: Window) -> Labels:
        """The annotator's labels in a window, with the changes so far."""
        labels = np.zeros(window.shape, np.uint16)
        for row, column, part in chunks_of(window, self._state.shape):
            chunk = self._chunk(row, column)
            if chunk is not None:
                own = part.moved(-column * CHUNK, -row * CHUNK)
                labels[part.moved(-window.x, -window.y).slices] = chunk[own.slices]
        return labels

    def value(self, name: str) -> Json:
        """The value under a name, with the changes so far; None where there is none."""
        edit = self._edits.get(name)
        return self._state.values.get(name) if edit is None else edit.after

    def values(self, start: str = "") -> dict[str, Json]:
        """All values whose name starts so, by name, with the changes so far."""
        found = {name: told for name, told in self._state.values.items() if name.startswith(start)}
        for name, edit in self._edits.items():
            if name.startswith(start):
                found[name] = edit.after
        return {name: told for name, told in found.items() if told is not None}

    def set(self, name: str, value: Json) -> None:
        """Set the value under a name; None takes it away."""
        edit = self._edits.get(name)
        before = self._state.values.get(name) if edit is None else edit.before
        self._edits[name] = Edit(name, before, value)

    def step(self) -> Step:
        """All of it."""
        edits = [each for each in self._edits.values() if each.before != each.after]
        return Step(tuple(self._patches), tuple(edits))

    def _chunk(self, row: int, column: int) -> Labels | None:
        packed = self._drawn.get((row, column))
        if packed is not None:
            return unpacked_chunk(packed)
        number = self._state.number(self._annotator)
        return None if number is None else self._state.mask(number).chunk(row, column)

    def _replace(self, row: int, column: int, before: Labels, after: Labels) -> None:
        patch = Patch.between((self._number(), row, column), before, after)
        if patch is not None:
            self._patches.append(patch)
            self._drawn[row, column] = packed_chunk(after)

    def _number(self) -> int:
        """Of the annotator's mask, who gets one with the first label."""
        name = ANNOTATOR + self._annotator
        if self.value(name) is None:
            number = max(self._state.names, default=-1) + 1
            self.set(name, {"mask": number, "time": datetime.now(UTC).isoformat()})
        return int(self.value(name)["mask"])


def _checked(window: Window, labels: NDArray[np.integer]) -> Labels:
    values = np.asarray(labels)
    if values.shape != window.shape:
        raise MarkError(
            f"labels of the shape {values.shape} do not fill a window of {window.shape}; "
            "pass one label for each of its pixels"
        )
    kind = values.dtype.kind
    fit = kind == "b" or (
        kind in "iu" and values.min(initial=0) >= 0 and values.max(initial=0) <= _MOST
    )
    if not fit:
        raise MarkError(f"labels are whole numbers from 0 to {_MOST:,}; round them, or renumber")
    return values.astype(np.uint16, copy=False)
