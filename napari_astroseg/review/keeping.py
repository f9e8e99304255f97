"""Keeping: every verdict into the store, or onto this machine's disk until the store takes it."""

from __future__ import annotations

import time
from pathlib import Path

from napari_astroseg.errors import OutputError, VettingError
from napari_astroseg.review.entry import Entry
from napari_astroseg.review.spill import Spill
from napari_astroseg.review.store import Store

AGAIN_S = 10.0
"""After which a store that refused is asked again."""


class Keeping:
    """What comes in is kept in its order, somewhere, when `keep` returns.

    Parameters
    ----------
    store, number
        Where the log of a list is.
    digest
        Of that list.
    folder
        For what the store does not take; by default in the user's state.
    """

    def __init__(self, store: Store, number: int, digest: str, folder: Path | None = None) -> None:
        self._store = store
        self._number = number
        self._spill = Spill(store.url, digest, folder)
        self._waiting: list[Entry] = []
        self._in_memory: list[Entry] = []
        self._refused_at = float("-inf")
        self.trouble = ""
        """Why entries wait, one sentence; "" when all are stored."""

    @property
    def waiting(self) -> int:
        """Entries that are not in the store yet."""
        return len(self._waiting)

    @property
    def only_in_memory(self) -> int:
        """Entries that no disk has taken; they are lost if the process is killed now."""
        return len(self._in_memory)

    def recover(self) -> int:
        """Store what an earlier session had to leave on this disk; gives how many there were.

        A file that is not understood in whole stays where it is.

        Raises
        ------
        VettingError
            When the store refuses.
        """
        left = self._spill.left()
        for path, (entries, understood, size) in left.items():
            self._store.append(self._number, entries)
            if understood:
                self._spill.forget(path, size)
        return sum(len(each.entries) for each in left.values())

    def keep(self, entry: Entry) -> None:
        """Keep one more entry. `trouble` says where it is if the store refused."""
        self._waiting.append(entry)
        if time.monotonic() - self._refused_at >= AGAIN_S:
            self.again()
        if self._waiting:
            self._set_aside([*self._in_memory, entry])

    def again(self) -> bool:
        """Ask the store again for all that waits; whether it took it."""
        try:
            self._store.append(self._number, self._waiting)
        except VettingError as error:
            self._refused_at = time.monotonic()
            self.trouble = str(error)
            return False
        self._waiting.clear()
        self._in_memory.clear()
        self._refused_at = float("-inf")
        self.trouble = ""
        self._spill.forget(self._spill.path)
        return True

    def close(self) -> None:
        """Ask a last time, and write no more; what waits is on this disk, for the next session."""
        if self._waiting:
            self.again()
        self._spill.close()

    def _set_aside(self, entries: list[Entry]) -> None:
        for at, entry in enumerate(entries):
            try:
                self._spill.append(entry)
            except OutputError as error:
                self._in_memory = entries[at:]
                self.trouble = f"{self.trouble.rstrip('.')}; and {error}"
                return
        self._in_memory = []
