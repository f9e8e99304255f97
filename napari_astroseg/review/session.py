"""VettingSession: a queue of detections, one verdict at a time, each kept before the next."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from napari_astroseg.errors import VettingError
from napari_astroseg.review.detections import Detections
from napari_astroseg.review.entry import Entry, Verdict
from napari_astroseg.review.keeping import Keeping
from napari_astroseg.review.plan import Plan
from napari_astroseg.review.planting import Skill, disguised, redisguised, scattered, skill
from napari_astroseg.review.queue import Queue
from napari_astroseg.review.reading import open_detections
from napari_astroseg.review.rescoring import rescored
from napari_astroseg.review.standing import Standing, standings
from napari_astroseg.review.store import Known, Store
from napari_astroseg.review.walk import Walk
from napari_astroseg.sky.progress import Progress, silent


class VettingSession(Walk):
    """One vetter at one list of detections.

    Where the vetter has judged before, it goes on with the first that has no verdict yet.

    Parameters
    ----------
    url
        A file, or `postgresql://USER@HOST/DATABASE`; an open `Store` stays open.
    detections
        A file, a folder of a prediction, a table, or `Detections`; None for the one list there is
        in the store, a number for one of several.
    vetter
        Who judges.
    plan
        Which of them come, and in which order.
    blind
        Whether the verdicts of others stay hidden.
    spill
        Folder for what the store does not take.

    Raises
    ------
    VettingError
        When the store cannot be opened, or there is nothing to judge.
    """

    def __init__(
        self,
        url: str | Path | Store,
        detections: Any = None,
        vetter: str = "",
        plan: Plan | None = None,
        *,
        blind: bool = True,
        spill: Path | None = None,
        progress: Progress = silent,
    ) -> None:
        self.vetter = " ".join(vetter.split())
        if not self.vetter:
            raise VettingError("a verdict has a vetter; give your name")
        self.owns_store = not isinstance(url, Store)
        """Whether the store is closed with the session."""
        self.store = url if isinstance(url, Store) else Store(url)
        try:
            self.list = _number(self.store, detections, progress)
            self._load()
            self._keeping = Keeping(self.store, self.list, self._digest, spill)
            self.recovered = self._keeping.recover()
            self.blind = blind
            self._standing = Standing(self.store.entries(self.list, self.vetter))
            self._shown_at = time.monotonic()
            self.plan = Plan()
            self.arrange(plan or Plan())
        except BaseException:
            if self.owns_store:
                self.store.close()
            raise

    def __enter__(self) -> VettingSession:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def verdict(self) -> Entry | None:
        """The vetter's own on the current one."""
        return None if self.current is None else self._standing.of(self.current.name)

    @property
    def digest(self) -> str:
        """Of the list, by which it is known in any store."""
        return self._digest

    @property
    def standing(self) -> Standing:
        """All of the vetter's own."""
        return self._standing

    @property
    def waiting(self) -> int:
        """Verdicts that the store has not taken yet."""
        return self._keeping.waiting

    @property
    def trouble(self) -> str:
        """Why they wait, one sentence; "" when all are stored."""
        return self._keeping.trouble

    def arrange(self, plan: Plan | None = None) -> None:
        """Make the queue anew, by another plan or the same, and go to the first without a verdict.

        Raises
        ------
        VettingError
            When an order wants what is not known; the queue stays as it is.
        """
        plan = plan or self.plan
        rows = plan.queue(self._detections, self._standing, self.vetter, self._digest)
        if plan.order == "list":  # where planted ones would come last
            rows = scattered(rows, self._known, plan.seed)
        verdicts = self._standing.verdicts.items()
        given = (
            (self._rows[name], str(entry.verdict)) for name, entry in verdicts if name in self._rows
        )
        self._queue = Queue(rows, len(self._detections), given)
        self.plan = plan
        self._go(self._queue.first_open(0))

    def judge(
        self,
        verdict: Verdict,
        *,
        on: str | None = None,
        advance: bool = True,
        **said: Any,
    ) -> Entry:
        """Judge the current detection, or the one `on` names, and go on to the next.

        The verdict is on a disk when this returns: in the store, or, while that refuses, on this
        machine's (`waiting`, `trouble`).

        Parameters
        ----------
        said
            `kind`, `same_as`, `shape`, `tags`, `note`, `rating`, `seen`, as of an `Entry`.

        Raises
        ------
        VettingError
            When it is no verdict, or there is nothing to judge.
        """
        current = self.current
        if on is None and current is None:
            raise VettingError("the queue is empty; take away the filter, or open another list")
        name = on if on is not None else current.name if current is not None else ""
        for told in filter(None, (name, said.get("same_as"))):
            if told not in self._rows:
                raise VettingError(f"{told} is none of the list; name another")
        said["tags"] = tuple(said.get("tags", ()))
        seconds = round(time.monotonic() - self._shown_at, 3)
        entry = Entry(name, self.vetter, verdict=verdict, seconds=seconds, **said)
        self._take(entry)
        if advance and on is None:
            self.next()
        return entry

    def again(self, *, advance: bool = True, seen: Mapping[str, Any] | None = None) -> Entry:
        """Judge the current detection as the last one was: verdict, kind, tags and rating.

        Parameters
        ----------
        seen
            What is on screen now.

        Raises
        ------
        VettingError
            When nothing was judged yet, or the last verdict is of that one place alone.
        """
        last = self._standing.last
        if last is None:
            raise VettingError("nothing has been judged yet; give a verdict first")
        if last.verdict in ("duplicate", "revise"):
            raise VettingError(
                f"{last.verdict} is of one object alone and cannot be repeated; give a verdict"
            )
        assert last.verdict
        return self.judge(
            last.verdict, kind=last.kind, tags=last.tags, rating=last.rating, seen=dict(seen or {}),
            advance=advance,
        )  # fmt: skip

    def undo(self) -> Entry | None:
        """Take the last verdict back, and go there; gives it, or None when there is none."""
        return self._turn("undo", self._standing.last)

    def redo(self) -> Entry | None:
        """Give again what was taken back last."""
        return self._turn("redo", self._standing.undone)

    def store_waiting(self) -> bool:
        """Ask the store again for what waits; whether all is stored."""
        return not self._keeping.waiting or self._keeping.again()

    def others(self, name: str) -> dict[str, Entry]:
        """Vetter → verdict of the others on a detection.

        Raises
        ------
        VettingError
            In a blind session.
        """
        if self.blind:
            raise VettingError("this session is blind; begin an open one to see others' verdicts")
        log = self.store.numbered(self.list, detection=name)
        all_of = standings(entry for _, entry in log)
        found = {vetter: standing.of(name) for vetter, standing in all_of.items()}
        return {who: entry for who, entry in found.items() if entry and who != self.vetter}

    def plant(self, real: Detections | None = None, false: Detections | None = None) -> None:
        """Hide known objects among those of the list, and deal the queue anew."""
        for planted, known in ((real, "real"), (false, "not")):
            if planted is not None and len(planted):
                hidden = disguised(planted, self._detections, self.plan.seed)
                self.store.plant(self.list, hidden, "real" if known == "real" else "not")
                self._load()  # their names are taken from now on
        self.arrange()

    def rescore(self, fresh: Detections) -> int:
        """Take the scores of a newer model's list, until the session is closed.

        The queue is dealt anew, what teaches the model most first.

        Returns
        -------
        How many of the list the newer one holds.

        Raises
        ------
        VettingError
            When the newer list tells no scores, or has no positions in common with this one.
        """
        found, count = rescored(self._detections, fresh)
        self._detections = redisguised(found, self._known, self.plan.seed)
        self.arrange(replace(self.plan, order="useful"))
        return count

    @property
    def known(self) -> tuple[Known, ...]:
        """Of each detection what is known of it: `real`, `not`, or "" for the list's own."""
        return self._known

    @property
    def skill(self) -> Skill:
        """What the vetter made of those that were planted."""
        return skill(self._standing, self._detections.names, self._known)

    def close(self) -> None:
        """Store what waits, if that can be, and let go of the store."""
        self._keeping.close()
        if self.owns_store:
            self.store.close()

    def _load(self) -> None:
        self._detections, self._known = self.store.detections(self.list)
        self._rows = {name: row for row, name in enumerate(self._detections.names)}
        own = self._detections
        if any(self._known):
            own = own.taken([row for row, known in enumerate(self._known) if not known])
        self._digest = own.digest

    def _turn(self, act: Any, meant: Entry | None) -> Entry | None:
        if meant is None:
            return None
        self._take(Entry(detection=meant.detection, vetter=self.vetter, act=act, of=meant.uid))
        place = self.place_of(meant.detection)
        if place is not None:
            self._go(place)
        return meant

    def _take(self, entry: Entry) -> None:
        self._keeping.keep(entry)
        self._standing.take(entry)
        if entry.detection in self._rows:
            now = self._standing.of(entry.detection)
            self._queue.note(self._rows[entry.detection], None if now is None else str(now.verdict))


def _number(store: Store, detections: Any, progress: Progress) -> int:
    if isinstance(detections, int):
        return detections
    if detections is not None:
        return store.add(open_detections(detections, progress=progress), progress)
    there = store.lists()
    if len(there) != 1:
        has = "no list" if not there else f"{len(there)} lists"
        raise VettingError(f"{store.name} has {has}; say which detections are to be judged")
    return there[0].number
