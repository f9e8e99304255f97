"""Blocks: the parts of a far file that were fetched, kept up to a bound, each fetched once.

What is wanted is rounded to blocks; neighbouring blocks are asked for together; who wants a
block that another thread has asked for waits for that answer. Reading on and on asks for more
each time, up to one long request.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future

BLOCK = 128 * 2**10
"""Bytes: as many as come in the time of a question or so, and few for a lone header."""
SPAN = 4 * 2**20
"""Longest request, bytes: what one failed request costs."""
GROUP = 16 * 2**20
"""Fetched at once, bytes: what reading needs in memory beside the kept blocks."""
KEPT = 64 * 2**20
"""Blocks kept, bytes."""

_READERS = 16
"""So many places are remembered at which somebody may read on."""

Part = tuple[memoryview, int]
"""Bytes to be filled, and where in the file they start."""


class Blocks:
    """A file's bytes through blocks.

    Parameters
    ----------
    size
        Length of the file, bytes.
    fetch
        Gives the bytes of several spans of it, all of them or an error.
    """

    def __init__(self, size: int, fetch: Callable[[list[range]], list[bytes]]) -> None:
        self._size = size
        self._fetch = fetch
        self._lock = threading.Lock()
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        self._coming: dict[int, Future[bytes]] = {}
        self._ends: OrderedDict[int, int] = OrderedDict()

    @property
    def held(self) -> int:
        """Bytes kept now."""
        with self._lock:
            return sum(map(len, self._kept.values()))

    def start_with(self, start: bytes) -> None:
        """Keep the file's first bytes, which came by the way."""
        with self._lock:
            for at in range(0, len(start), BLOCK):
                if min(at + BLOCK, self._size) <= len(start):
                    self._keep(at // BLOCK, start[at : at + BLOCK])

    def fill(self, parts: Sequence[Part]) -> None:
        """Fill every part; parts in ascending order cost least."""
        for group in _groups(parts):
            wanted = sorted({number for view, at in group for number in _numbers(view, at)})
            blocks = self._gathered(wanted)
            for view, at in group:
                for number in _numbers(view, at):
                    start = number * BLOCK
                    first, last = max(at, start), min(at + len(view), start + BLOCK)
                    view[first - at : last - at] = blocks[number][first - start : last - start]

    def _gathered(self, wanted: list[int]) -> dict[int, bytes]:
        """The wanted blocks: kept, asked for by another thread, or fetched now."""
        blocks: dict[int, bytes] = {}
        coming: dict[int, Future[bytes]] = {}
        with self._lock:
            for number in wanted:
                if number in self._kept:
                    self._kept.move_to_end(number)
                    blocks[number] = self._kept[number]
                elif number in self._coming:
                    coming[number] = self._coming[number]
            missing = [n for n in wanted if n not in blocks and n not in coming]
            mine = {number: Future[bytes]() for number in self._with_ahead(missing)}
            self._coming.update(mine)
        if mine:
            blocks.update(self._fetched(mine))
        for number, answer in coming.items():
            blocks[number] = answer.result()
        return blocks

    def _with_ahead(self, missing: list[int]) -> list[int]:
        """Missing blocks, and those after them if reading goes on where it ended before."""
        if not missing or missing[-1] - missing[0] != len(missing) - 1:
            return missing
        run = self._ends.pop(missing[0], 0)
        more = max(0, min(2 * run, SPAN // BLOCK) - len(missing))
        end = min(missing[-1] + 1 + more, -(-self._size // BLOCK))
        ahead = []
        for number in range(missing[-1] + 1, end):
            if number in self._kept or number in self._coming:
                break
            ahead.append(number)
        self._ends[missing[-1] + 1 + len(ahead)] = len(missing) + len(ahead)
        if len(self._ends) > _READERS:
            self._ends.popitem(last=False)
        return missing + ahead

    def _fetched(self, mine: dict[int, Future[bytes]]) -> dict[int, bytes]:
        """Fetch the blocks that this thread has taken on, and tell whoever waits for them."""
        spans = [
            range(run.start * BLOCK, min(run.stop * BLOCK, self._size)) for run in _runs(list(mine))
        ]
        try:
            answers = self._fetch(spans)
        except BaseException as error:
            with self._lock:
                for number, waiting in mine.items():
                    del self._coming[number]
                    waiting.set_exception(error)
            raise
        blocks = {}
        for span, answer in zip(spans, answers, strict=True):
            for at in range(0, len(span), BLOCK):
                blocks[(span.start + at) // BLOCK] = bytes(answer[at : at + BLOCK])
        with self._lock:
            for number, waiting in mine.items():
                del self._coming[number]
                self._keep(number, blocks[number])
                waiting.set_result(blocks[number])
        return blocks

    def _keep(self, number: int, block: bytes) -> None:
        self._kept[number] = block
        while len(self._kept) > KEPT // BLOCK:
            self._kept.popitem(last=False)


def _numbers(view: memoryview, at: int) -> range:
    """Numbers of the blocks under a part."""
    return range(at // BLOCK, -(-(at + len(view)) // BLOCK)) if len(view) else range(0)


def _groups(parts: Sequence[Part]) -> Iterator[list[Part]]:
    """Parts, the long ones cut, in groups that need no more than `GROUP` bytes of blocks."""
    group: list[Part] = []
    numbers: set[int] = set()
    for view, at in parts:
        start = 0
        while start < len(view):
            stop = min(len(view), (at + start) // GROUP * GROUP + GROUP - at)
            piece = view[start:stop], at + start
            needed = numbers.union(_numbers(*piece))
            if group and len(needed) > GROUP // BLOCK:
                yield group
                group, needed = [], set(_numbers(*piece))
            group.append(piece)
            numbers, start = needed, stop
    if group:
        yield group


def _runs(numbers: list[int]) -> Iterator[range]:
    """Runs of neighbouring numbers, none longer than a request."""
    start = 0
    for place in range(1, len(numbers) + 1):
        over = place == len(numbers) or numbers[place] != numbers[place - 1] + 1
        if over or place - start == SPAN // BLOCK:
            yield range(numbers[start], numbers[place - 1] + 1)
            start = place
