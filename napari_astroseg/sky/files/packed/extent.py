"""Extent: how far the headers of a FITS file say it goes, followed as its bytes come by."""

from __future__ import annotations

import math
import re

BLOCK = 2880
HEADER_LIMIT = 32 * 2**20
"""Longest header that is read, bytes: eight times one of 50 000 cards."""

_CARD = re.compile(rb"(BITPIX|NAXIS\d*|PCOUNT|GCOUNT|GROUPS) *= *([^ /]+)")
_END = b"END" + b" " * 77


class Extent:
    """Follows a stream of a FITS file from HDU to HDU."""

    def __init__(self) -> None:
        self._header = bytearray()
        self._data = 0
        self.promised = 0
        """Bytes to the end of the last HDU whose header was seen."""
        self.ended = False
        """Whether what came last is no HDU any more."""

    def follow(self, chunk: bytes) -> int:
        """How many bytes of `chunk` belong to the file; fewer than all once it has `ended`."""
        at = 0
        while at < len(chunk) and not self.ended:
            if self._data:
                step = min(self._data, len(chunk) - at)
                self._data -= step
            else:
                step = min(BLOCK - len(self._header) % BLOCK, len(chunk) - at)
                self._header += chunk[at : at + step]
                if len(self._header) % BLOCK == 0 and not self._goes_on():
                    self.ended = True
                    break
            at += step
        return at

    def _goes_on(self) -> bool:
        """Whether the header that grew by a block is one."""
        if not self._header.startswith((b"SIMPLE", b"XTENSION")):
            return False
        if self._has_end():
            self._data = data_bytes(bytes(self._header))
            self.promised += len(self._header) + self._data
            self._header.clear()
        return len(self._header) <= HEADER_LIMIT

    def _has_end(self) -> bool:
        return any(
            self._header[at : at + 80] == _END
            for at in range(len(self._header) - BLOCK, len(self._header), 80)
        )


def data_bytes(header: bytes) -> int:
    """Length of the data that follow a header, whole blocks; 0 where it does not say."""
    cards: dict[bytes, bytes] = {}
    for at in range(0, len(header), 80):
        found = _CARD.match(header, at, at + 80)
        if found is not None:
            cards.setdefault(found[1], found[2])
    try:
        axes = [int(cards[b"NAXIS%d" % n]) for n in range(1, int(cards[b"NAXIS"]) + 1)]
        item = abs(int(cards[b"BITPIX"])) // 8
        extra, groups = int(cards.get(b"PCOUNT", b"0")), int(cards.get(b"GCOUNT", b"1"))
    except (KeyError, ValueError):
        return 0
    if len(axes) > 1 and axes[0] == 0 and cards.get(b"GROUPS") == b"T":
        axes = axes[1:]
    size = item * groups * (extra + math.prod(axes)) if axes else 0
    return -(-max(0, size) // BLOCK) * BLOCK
