"""ObjectStore: objects found so far, kept on disk piece by piece, so that a killed run resumes.

A text file: what the work is, then one line for each piece that is done.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import astuple, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from napari_astroseg.engine.linestore import LineStore, whole_lines
from napari_astroseg.errors import OutputError
from napari_astroseg.sky.doubts import Doubts
from napari_astroseg.sky.instances import Footprint, Instances
from napari_astroseg.sky.objects import Objects
from napari_astroseg.sky.window import Window


class Piece(NamedTuple):
    """What was found in some windows, and how many of them, or of their pixels, held data."""

    objects: Objects
    looked: int


class ObjectStore:
    """See the module's first lines.

    Parameters
    ----------
    work
        What makes two runs the same work, as text.
    resume
        Keep the pieces that the file already holds; else begin anew.

    Raises
    ------
    OutputError
        When `resume` is asked and the file belongs to another work, or the disk refuses.
    """

    def __init__(self, path: Path, work: str, resume: bool) -> None:
        self._pieces: dict[int, Piece] = {}
        lines = whole_lines(path) if resume else []
        if lines and lines[0] != work:
            raise OutputError(
                f"{path} holds the objects of another model, image or window; leave out --resume, "
                "or give another --out"
            )
        for line in lines[1:]:
            number, piece = _read(line)
            self._pieces[number] = piece
        self._lines = LineStore(path, (work, *lines[1:]))

    def get(self, number: int) -> Piece | None:
        """A piece that is done."""
        return self._pieces.get(number)

    def put(self, number: int, piece: Piece) -> None:
        """Keep a piece; errors as of `LineStore.add`."""
        objects = piece.objects
        line = json.dumps(
            {
                "piece": number,
                "looked": piece.looked,
                "boxes": objects.boxes.tolist(),
                "scores": objects.scores.tolist(),
                "classes": objects.classes.tolist(),
                **_masks_told(objects),
                **_doubts_told(objects),
            }
        )
        self._lines.add(line)
        self._pieces[number] = piece


def _read(line: str) -> tuple[int, Piece]:
    values = json.loads(line)
    objects = Objects(
        np.array(values["boxes"], float).reshape(-1, 4),
        np.array(values["scores"], float),
        np.array(values["classes"], np.int64),
    )
    if "masks" in values:
        masks = tuple(_mask(*each) for each in values["masks"])
        objects = Instances(objects.boxes, objects.scores, objects.classes, masks)
    if "doubts" in values:
        doubts = Doubts(*(np.array(each, float) for each in values["doubts"]))
        objects = replace(objects, doubts=doubts)
    return values["piece"], Piece(objects, values["looked"])


def _doubts_told(objects: Objects) -> dict[str, list[Any]]:
    """How unsure scores and edges are, and how many answers hold each; nothing where not told."""
    doubts = objects.doubts
    if doubts is None or doubts.edge is None or doubts.seen is None:
        return {}
    return {"doubts": [each.tolist() for each in (doubts.score, doubts.edge, doubts.seen)]}


def _masks_told(objects: Objects) -> dict[str, list[Any]]:
    """Window and pixels of each mask, eight pixels a byte; nothing of objects without."""
    if not isinstance(objects, Instances):
        return {}
    told = [
        [astuple(window), b64encode(np.packbits(mask).tobytes()).decode()]
        for window, mask in objects.masks
    ]
    return {"masks": told}


def _mask(place: list[int], pixels: str) -> Footprint:
    window = Window(*place)
    bits = np.unpackbits(
        np.frombuffer(b64decode(pixels), np.uint8), count=window.width * window.height
    )
    return Footprint(window, bits.reshape(window.shape).astype(bool))
