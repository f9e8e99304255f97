"""ScoreStore: scores of galaxies found so far, kept on disk, so that a killed run resumes."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.engine.linestore import LineStore, whole_lines

Told = NDArray[np.float64]


class ScoreStore:
    """Scores of detections, some at a time.

    Parameters
    ----------
    work
        What makes two runs the same work, as text.
    resume
        Keep what the file holds of this very work: detections change with the threshold, and
        what was said of others is of no use.

    Raises
    ------
    OutputError
        When the disk refuses.
    """

    def __init__(self, path: Path, work: str, resume: bool) -> None:
        lines = whole_lines(path) if resume else []
        if lines[:1] != [work]:
            lines = [work]
        self._told: dict[int, Told] = {}
        for line in lines[1:]:
            each = json.loads(line)
            self._told[each["first"]] = np.array(each["told"], np.float64)
        self._lines = LineStore(path, lines)

    def get(self, first: int) -> Told | None:
        """The scores (figures, n) of the detections from number `first` on, if they are there."""
        return self._told.get(first)

    def put(self, first: int, told: Told) -> None:
        """Keep scores; errors as of `LineStore.add`."""
        self._lines.add(json.dumps({"first": first, "told": told.tolist()}))
        self._told[first] = told
