"""Journal: what was done, one entry after another, in a file that only grows.

Layout, little-endian: 8 bytes of magic and 16 of the store's key; then the entries, each a frame
(tag, lengths and checksums of what follows, a checksum of the frame), a JSON text that says who
did what and when, and a body of bytes. An entry is on disk before the next one begins, so only the
last can be half written: it counts as not done, and a writer cuts it off.
"""

from __future__ import annotations

import json
import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from napari_astroseg.errors import MarkError, OutputError

FILE = "journal"
_MAGIC = b"ASTROMRK"
_HEAD = len(_MAGIC) + 16
_TAG = b"STEP"
_FRAME = struct.Struct("<4sIQIII")
_MOST_TEXT = 2**16
_PIECE = 2**20

Act = Literal["do", "undo", "redo"]


@dataclass(frozen=True)
class Entry:
    """One entry, without its body.

    Parameters
    ----------
    start, end
        Bytes of the file.
    act
        Something new, or the last step taken back, or done again.
    name
        Of what was done.
    who
        Who did it; "" for nobody in particular.
    time
        When.
    edits
        Whether its body holds more than patches.
    length, checksum
        Of its body.
    """

    start: int
    end: int
    act: Act
    name: str
    who: str
    time: datetime
    edits: bool
    length: int
    checksum: int


class Journal:
    """The entries of a file, and its end to append to; made by `create` and `open`."""

    def __init__(self, path: Path, writing: bool) -> None:
        self.path = path
        self.torn = False
        """Whether the file ended in a half-written entry."""
        self.entries: list[Entry] = []
        try:
            self._file = path.open("r+b" if writing else "rb", buffering=0)
            self._size = path.stat().st_size
        except OSError as error:
            raise MarkError(
                f"{path} cannot be opened ({(error.strerror or str(error)).lower()}); "
                "restore it from a copy"
            ) from error

    @staticmethod
    def create(path: Path, key: str) -> None:
        """Write a journal without entries."""
        with path.open("xb") as file:
            file.write(_MAGIC + bytes.fromhex(key))
            file.flush()
            os.fsync(file.fileno())

    @classmethod
    def open(cls, path: Path, key: str, writing: bool) -> Journal:
        """The journal of the store with that key, a half-written end left out.

        Raises
        ------
        MarkError
            When it is another's, or damaged.
        """
        journal = cls(path, writing)
        try:
            if journal._read(0, _HEAD) != _MAGIC + bytes.fromhex(key):
                raise MarkError(f"{path} is not the journal of these marks; restore it from a copy")
            journal.entries = list(journal._whole_entries())
            if journal.torn and writing:
                journal._cut(journal.end)
        except BaseException:
            journal.close()
            raise
        return journal

    @property
    def end(self) -> int:
        """The byte after the last entry."""
        return self.entries[-1].end if self.entries else _HEAD

    def append(
        self, act: Act, name: str, who: str, time: datetime, body: bytes, edits: bool = False
    ) -> Entry:
        """Add an entry; it is on disk when this returns.

        Raises
        ------
        OutputError
            When the disk refuses; the journal is as it was.
        """
        told = {"act": act, "name": name[:1000], "who": who[:1000], "time": time.isoformat()}
        text = json.dumps(told | {"edits": edits}).encode("ascii")
        sums = zlib.crc32(text), zlib.crc32(body)
        frame = struct.pack("<4sIQII", _TAG, len(text), len(body), *sums)
        start = self.end
        try:
            self._file.seek(start)
            left = memoryview(frame + struct.pack("<I", zlib.crc32(frame)) + text + body)
            end = start + len(left)
            while left:
                left = left[self._file.write(left) :]
            os.fsync(self._file.fileno())
        except OSError as error:
            self._cut(start)
            raise OutputError(
                f"{self.path} cannot be written ({(error.strerror or str(error)).lower()}); "
                "free some space, then do it again"
            ) from error
        entry = Entry(start, end, act, name, who, time, edits, len(body), sums[1])
        self.entries.append(entry)
        return entry

    def body(self, entry: Entry) -> bytes:
        """An entry's bytes, checked.

        Raises
        ------
        MarkError
            When they are not as they were written.
        """
        body = self._read(entry.end - entry.length, entry.length)
        if len(body) < entry.length or zlib.crc32(body) != entry.checksum:
            raise self.damaged(entry.start)
        return body

    def damaged(self, at: int) -> MarkError:
        """What to say of bytes that make no sense."""
        return MarkError(f"{self.path} is damaged at byte {at:,}; restore it from a copy")

    def close(self) -> None:
        """No more comes."""
        self._file.close()

    def _whole_entries(self) -> Iterator[Entry]:
        start = _HEAD
        entry = None
        while start < self._size:
            following = self._entry(start)
            if following is None:
                if self._goes_on(start + 1):
                    raise self.damaged(start)
                self.torn = True
                break
            if entry is not None:
                yield entry
            entry, start = following, following.end
        if entry is None:
            return
        # What power failed on can be as long as it should be, and hold something else.
        if not self.torn and not self._is_sound(entry):
            self.torn = True
            return
        yield entry

    def _entry(self, start: int) -> Entry | None:
        """The entry that begins there; None where none does, or one that goes beyond the end."""
        frame = self._read(start, _FRAME.size)
        if len(frame) < _FRAME.size:
            return None
        tag, text_length, length, text_sum, checksum, frame_sum = _FRAME.unpack(frame)
        if tag != _TAG or zlib.crc32(frame[:-4]) != frame_sum or text_length > _MOST_TEXT:
            return None
        end = start + _FRAME.size + text_length + length
        text = self._read(start + _FRAME.size, text_length)
        if end > self._size or zlib.crc32(text) != text_sum:
            return None
        try:
            return _told(json.loads(text), start, end, length, checksum)
        except (ValueError, KeyError, TypeError, RecursionError):
            return None

    def _goes_on(self, start: int) -> bool:
        """Whether a whole entry begins anywhere from there on."""
        overlap = _FRAME.size
        while start < self._size:
            piece = self._read(start, _PIECE + overlap)
            found = piece.find(_TAG)
            while found >= 0:
                if self._entry(start + found) is not None:
                    return True
                found = piece.find(_TAG, found + 1)
            start += _PIECE
        return False

    def _is_sound(self, entry: Entry) -> bool:
        return zlib.crc32(self._read(entry.end - entry.length, entry.length)) == entry.checksum

    def _read(self, start: int, length: int) -> bytes:
        try:
            self._file.seek(start)
            pieces = bytearray()
            while len(pieces) < length:
                piece = self._file.read(length - len(pieces))
                if not piece:
                    break
                pieces += piece
            return bytes(pieces)
        except OSError as error:
            raise MarkError(
                f"{self.path} cannot be read ({(error.strerror or str(error)).lower()}); "
                "copy it to another disk"
            ) from error

    def _cut(self, end: int) -> None:
        """Leave out what lies behind."""
        try:
            self._file.truncate(end)
            os.fsync(self._file.fileno())
        except OSError:  # it stays half written, which is left out whenever it is opened
            self.torn = True


def _told(told: Any, start: int, end: int, length: int, checksum: int) -> Entry:
    if told["act"] not in get_args(Act):
        raise ValueError(told["act"])
    time = datetime.fromisoformat(told["time"])
    words = str(told["name"]), str(told["who"])
    return Entry(start, end, told["act"], *words, time, bool(told["edits"]), length, checksum)
