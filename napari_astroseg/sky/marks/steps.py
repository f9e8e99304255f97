"""Step: what one stroke or one import changed, before and after, as bytes and back.

A patch is a rectangle within one chunk of one mask, its labels before and after compressed with
zlib; an edit is a JSON value under a name, before and after. Both can be turned round.
"""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.pyramids.chunks import CHUNK
from napari_astroseg.sky.window import Window

Labels = NDArray[np.uint16]
Json = Any
"""What a JSON file can hold."""

STORED = np.dtype("<u2")
_FRAME = struct.Struct("<HIIHHHHII")
_MOST_TEXT = 2**28
"""Bytes of a step's edits, unpacked."""


@dataclass(frozen=True)
class Patch:
    """A rectangle of one chunk, before and after.

    Parameters
    ----------
    mask
        Number of the mask.
    row, column
        Of the chunk.
    box
        Within the chunk.
    before, after
        Its labels, compressed.
    """

    mask: int
    row: int
    column: int
    box: Window
    before: bytes = field(repr=False)
    after: bytes = field(repr=False)

    @classmethod
    def between(cls, chunk: tuple[int, int, int], before: Labels, after: Labels) -> Patch | None:
        """The smallest patch that turns one state of a chunk into another; None for equal ones."""
        changed = before != after
        rows, columns = np.flatnonzero(changed.any(axis=1)), np.flatnonzero(changed.any(axis=0))
        if not rows.size:
            return None
        x, y = int(columns[0]), int(rows[0])
        box = Window(x, y, int(columns[-1]) - x + 1, int(rows[-1]) - y + 1)
        packed = (zlib.compress(_bytes(each[box.slices]), 1) for each in (before, after))
        return cls(*chunk, box, *packed)

    @property
    def window(self) -> Window:
        """Where it lies in the image; at the edges it may reach beyond."""
        return self.box.moved(self.column * CHUNK, self.row * CHUNK)

    def labels(self) -> Labels:
        """Those after it, (height, width).

        Raises
        ------
        ValueError
            When they are damaged.
        """
        length = self.box.width * self.box.height * STORED.itemsize
        return np.frombuffer(unpacked(self.after, length), STORED).reshape(self.box.shape)


@dataclass(frozen=True)
class Edit:
    """A JSON value under a name, before and after; None where there is none."""

    name: str
    before: Json
    after: Json


@dataclass(frozen=True)
class Step:
    """What changes together."""

    patches: tuple[Patch, ...] = ()
    edits: tuple[Edit, ...] = ()

    def turned(self) -> Step:
        """The step that takes this one back."""
        patches = (
            Patch(p.mask, p.row, p.column, p.box, p.after, p.before) for p in reversed(self.patches)
        )
        edits = (Edit(each.name, each.after, each.before) for each in reversed(self.edits))
        return Step(tuple(patches), tuple(edits))

    def pack(self) -> bytes:
        """As bytes, for `unpack`.

        Raises
        ------
        MarkError
            When it changes more at once than `unpack` would read.
        """
        # One by one, here and in `_edits`: json keeps all other threads waiting meanwhile.
        told = (json.dumps([each.name, each.before, each.after]) for each in self.edits)
        plain = f"[{', '.join(told)}]".encode("ascii") if self.edits else b""
        if len(plain) > _MOST_TEXT:
            raise MarkError("this changes too much at once to be taken back; do it in parts")
        text = zlib.compress(plain, 1) if plain else b""
        return b"".join([struct.pack("<I", len(text)), text, *map(_packed, self.patches)])

    @classmethod
    def unpack(cls, body: bytes) -> Step:
        """What `pack` made.

        Raises
        ------
        ValueError
            When the bytes are no step.
        """
        try:
            (length,) = struct.unpack_from("<I", body)
            start = 4 + length
            if start > len(body):
                raise ValueError("edits that go beyond the end")
            return cls(tuple(_patches(body, start)), tuple(_edits(body[4:start])))
        except (struct.error, RecursionError) as error:
            raise ValueError(str(error)) from error


def unpacked(packed: bytes, length: int, form: int = zlib.MAX_WBITS) -> bytes:
    """Exactly `length` bytes out of a zlib or gzip stream, whatever it would unpack to.

    Raises
    ------
    ValueError
        When it holds another number of bytes, or is damaged.
    """
    stream = zlib.decompressobj(form)
    try:
        data = stream.decompress(packed, length + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    if len(data) != length or not stream.eof:
        raise ValueError(f"not {length} bytes")
    return data


def _bytes(labels: Labels) -> bytes:
    return np.ascontiguousarray(labels, STORED).tobytes()


def _packed(patch: Patch) -> bytes:
    box = patch.box
    numbers = (patch.mask, patch.row, patch.column, box.x, box.y, box.width, box.height)
    frame = _FRAME.pack(*numbers, len(patch.before), len(patch.after))
    return frame + patch.before + patch.after


def _patches(body: bytes, start: int) -> Iterator[Patch]:
    while start < len(body):
        mask, row, column, x, y, width, height, before, after = _FRAME.unpack_from(body, start)
        start += _FRAME.size
        end = start + before + after
        if not (width and height and max(x + width, y + height) <= CHUNK and end <= len(body)):
            raise ValueError("a patch that lies in no chunk")
        box = Window(x, y, width, height)
        middle = start + before
        yield Patch(mask, row, column, box, body[start:middle], body[middle:end])
        start = end


def _edits(packed: bytes) -> Iterator[Edit]:
    if not packed:
        return
    stream = zlib.decompressobj()
    try:
        text = stream.decompress(packed, _MOST_TEXT)
    except zlib.error as error:
        raise ValueError(str(error)) from error
    for told in _elements(text.decode("ascii")):
        if not (isinstance(told, list) and len(told) == 3 and isinstance(told[0], str)):
            raise ValueError("an edit that is none")
        yield Edit(*told)


def _elements(text: str) -> Iterator[Any]:
    """What a JSON list holds, one after the other."""
    decode, at = json.JSONDecoder().raw_decode, 1
    if not text.startswith("["):
        raise ValueError("edits that are no list")
    while at < len(text) - 1:
        told, at = decode(text, at)
        yield told
        if text.startswith(", ", at):
            at += 2
    if text[at:] != "]":
        raise ValueError("edits that have no end")
