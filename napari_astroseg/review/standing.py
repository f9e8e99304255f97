"""Standing: what a log of verdicts amounts to."""

from __future__ import annotations

from collections.abc import Iterable

from napari_astroseg.review.entry import Entry


class Standing:
    """The verdicts of one vetter that stand, and what can be taken back or given again.

    Of several verdicts on one detection the last stands; when it is taken back, the one before.

    Parameters
    ----------
    entries
        The log so far, in its order.
    """

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._given: dict[str, list[Entry]] = {}
        self._done: list[Entry] = []
        self._undone: list[Entry] = []
        for entry in entries:
            self.take(entry)

    def __len__(self) -> int:
        """How many detections have a verdict."""
        return len(self._given)

    def __contains__(self, detection: str) -> bool:
        return detection in self._given

    def of(self, detection: str) -> Entry | None:
        """The verdict on a detection; None while there is none."""
        given = self._given.get(detection)
        return given[-1] if given else None

    @property
    def verdicts(self) -> dict[str, Entry]:
        """Name of a detection → the verdict on it."""
        return {name: given[-1] for name, given in self._given.items()}

    @property
    def last(self) -> Entry | None:
        """What undo would take back."""
        return self._done[-1] if self._done else None

    @property
    def undone(self) -> Entry | None:
        """What redo would give again."""
        return self._undone[-1] if self._undone else None

    @property
    def depth(self) -> tuple[int, int]:
        """How many verdicts can be taken back, and given again."""
        return len(self._done), len(self._undone)

    def latest(self, count: int) -> list[Entry]:
        """So many that undo would take back, the last one last."""
        return self._done[-count:] if count > 0 else []

    def take(self, entry: Entry) -> None:
        """One more entry of the log; one that takes back what does not stand changes nothing."""
        if entry.act == "judge":
            self._give(entry)
            self._undone.clear()
        elif entry.act == "undo":
            meant = _removed(self._done, entry.of)
            if meant is not None:
                _removed(self._given[meant.detection], meant.uid)
                if not self._given[meant.detection]:
                    del self._given[meant.detection]
                self._undone.append(meant)
        else:
            meant = _removed(self._undone, entry.of)
            if meant is not None:
                self._give(meant)

    def _give(self, entry: Entry) -> None:
        self._given.setdefault(entry.detection, []).append(entry)
        self._done.append(entry)


def standings(entries: Iterable[Entry]) -> dict[str, Standing]:
    """Vetter → what stands of theirs, in the order in which they first judged."""
    found: dict[str, Standing] = {}
    for entry in entries:
        found.setdefault(entry.vetter, Standing()).take(entry)
    return found


def _removed(entries: list[Entry], uid: str) -> Entry | None:
    for at in range(len(entries) - 1, -1, -1):
        if entries[at].uid == uid:
            return entries.pop(at)
    return None
