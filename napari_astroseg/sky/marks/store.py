"""MarkStore: what was drawn on one image, in a folder of its own; every step can be taken back.

The journal is the truth: a step is in it, and on the disk, before `write` returns. The masks are
what it amounts to, brought up to date from time to time; `labels/applied.json` says up to where.
Who opens the store does the rest again, which is harmless where it was done already, as patches
set labels and add nothing. A writer that dies leaves the disk so; a reader changes nothing on it.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import MarkError, OutputError
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.marks import about, journal
from napari_astroseg.sky.marks.about import About
from napari_astroseg.sky.marks.draft import Draft
from napari_astroseg.sky.marks.folder import Applied, new_folder
from napari_astroseg.sky.marks.history import Change, History
from napari_astroseg.sky.marks.journal import Act, Entry, Journal
from napari_astroseg.sky.marks.lock import WriterLock
from napari_astroseg.sky.marks.sparse import Place
from napari_astroseg.sky.marks.state import State
from napari_astroseg.sky.marks.steps import Json, Labels, Step
from napari_astroseg.sky.window import Window

ENDING = ".marks"
"""Of a store's folder, by custom."""

_MOST_STEPS = 64
_MOST_BYTES = 2**25
"""The masks on disk are brought up to date after so many steps, or bytes that are newer."""


class MarkStore:
    """See the module's first lines; made by `create` and `open`, safe to share between threads."""

    def __init__(
        self, path: Path, told: About, entries: Journal, state: State, lock: WriterLock | None
    ) -> None:
        self.path = path
        self.about = told
        self._journal = entries
        self._state = state
        self._lock = lock
        self._applied = Applied(path / "labels", told.key)
        self._history = History()
        self._guard = threading.RLock()
        self._since = 0

    @classmethod
    def create(cls, path: str | Path, image: SkyImage) -> MarkStore:
        """A new, empty store for an image, open for writing.

        Parameters
        ----------
        path
            Of its folder, which does not exist, or is empty.

        Raises
        ------
        MarkError
            When something is there.
        OutputError
            When the disk refuses.
        """
        path = Path(path)
        told = About.of(image)
        with new_folder(path) as folder:
            (folder / about.FILE).write_text(told.text(), encoding="utf-8")
            Journal.create(folder / journal.FILE, told.key)
        return cls.open(path)

    @classmethod
    def open(cls, path: str | Path, writing: bool = True) -> MarkStore:
        """The store in a folder, in the state after its last whole step.

        Parameters
        ----------
        writing
            One at a time may. Anyone may read the steps that stood when they opened it; labels
            may be newer where the writer has brought the disk up to date since.

        Raises
        ------
        MarkError
            When it is none, or damaged, or when another is writing, or nobody can.
        """
        path = Path(path)
        told = About.read(path / about.FILE)
        lock = WriterLock(path / "lock") if writing else None
        entries = None
        try:
            entries = Journal.open(path / journal.FILE, told.key, writing)
            store = cls(path, told, entries, State(path / "labels", told.shape), lock)
            store._catch_up()
        except BaseException:
            if entries is not None:
                entries.close()
            if lock is not None:
                lock.release()
            raise
        return store

    def __enter__(self) -> MarkStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the image, px."""
        return self.about.shape

    @property
    def writable(self) -> bool:
        """Whether it was opened for writing."""
        return self._lock is not None

    @property
    def rolled_back(self) -> bool:
        """Whether the last step was found half written, and is left out."""
        return self._journal.torn

    @property
    def annotators(self) -> tuple[str, ...]:
        """Names of those who have a mask, in the order in which they came."""
        with self._guard:
            return self._state.annotators

    @property
    def done(self) -> tuple[Entry, ...]:
        """The steps that stand, oldest first."""
        with self._guard:
            return tuple(self._history.done)

    @property
    def undone(self) -> tuple[Entry, ...]:
        """The steps that can be done again, the next one last."""
        with self._guard:
            return tuple(self._history.undone)

    def read(self, window: Window, annotator: str = "") -> Labels:
        """Someone's labels in a window, (height, width); 0 where nothing is, and off the image.

        Raises
        ------
        MarkError
            When a file is damaged.
        """
        with self._guard:
            return self._state.read(window, annotator)

    def places(self, annotator: str = "") -> set[Place]:
        """Row and column of each chunk, 512 × 512, that holds any of someone's labels."""
        with self._guard:
            return self._state.places(annotator)

    def value(self, name: str) -> Json:
        """The JSON value under a name; None where there is none."""
        with self._guard:
            return self._state.values.get(name)

    def values(self, start: str = "") -> dict[str, Json]:
        """All values whose name starts so, by name."""
        with self._guard:
            found = self._state.values.items()
            return {name: value for name, value in found if name.startswith(start)}

    def write(
        self, window: Window, labels: NDArray[np.integer], name: str = "", annotator: str = ""
    ) -> Change | None:
        """Set the labels in a window as one step, on the disk when this returns.

        Parameters
        ----------
        window
            It may hang over the edges; what is off the image is left out.
        labels
            (height, width), 0 to 65 535.
        name
            Of the step, for the history.
        annotator
            Whose mask.

        Returns
        -------
        What changed; None when nothing did, which is no step.

        Raises
        ------
        MarkError
            When the labels are none, or the store is open for reading only.
        OutputError
            When the disk refuses; the store is as it was.
        """
        with self.step(name, annotator) as draft:
            draft.write(window, labels)
        return draft.change

    @contextlib.contextmanager
    def step(self, name: str = "", annotator: str = "") -> Iterator[Draft]:
        """Several changes as one step, done when the block ends, or not at all.

        `Draft.change` says afterwards what changed.

        Raises
        ------
        MarkError, OutputError
            As `write` does.
        """
        with self._guard:
            self._check_writable()
            draft = Draft(self._state, annotator)
            yield draft
            step = draft.step()
            if step.patches or step.edits:
                entry = self._act("do", name, annotator, step)
                draft.change = Change(entry, step, self._state.names)
                self._keep_up()

    def undo(self) -> Change | None:
        """Take the last step back; None when there is none.

        Raises
        ------
        MarkError, OutputError
            As `write` does.
        """
        return self._move("undo")

    def redo(self) -> Change | None:
        """Do again what was taken back last; None when there is nothing.

        Raises
        ------
        MarkError, OutputError
            As `write` does.
        """
        return self._move("redo")

    def flush(self) -> None:
        """Bring the masks on disk up to date; no step depends on it.

        Raises
        ------
        OutputError
            When the disk refuses.
        """
        with self._guard:
            if self.writable:
                self._state.flush()
                self._applied.write(self._journal.end)
                self._since = 0

    def close(self) -> None:
        """Let others write; a second call does nothing."""
        with self._guard:
            try:
                if self._since:
                    with contextlib.suppress(OutputError):  # the journal has it all
                        self.flush()
            finally:
                self._since = 0
                self._journal.close()
                if self._lock is not None:
                    self._lock.release()

    def _move(self, act: Act) -> Change | None:
        with self._guard:
            self._check_writable()
            stack = self._history.done if act == "undo" else self._history.undone
            if not stack:
                return None
            entry = stack[-1]
            step = self._step_of(entry, act, check=True)
            names = self._state.names  # who is taken back still owns the patches that go
            self._act(act, entry.name, entry.who, step)
            self._keep_up()
            return Change(entry, step, names | self._state.names)

    def _act(self, act: Act, name: str, who: str, step: Step) -> Entry:
        body = step.pack() if act == "do" else b""
        edits = bool(step.edits)
        entry = self._journal.append(act, name, who, datetime.now(UTC), body, edits)
        self._history.follow(entry)
        self._state.apply(step)
        return entry

    def _keep_up(self) -> None:
        self._since += 1
        if self._since >= _MOST_STEPS or self._state.waiting >= _MOST_BYTES:
            # What the disk refuses now stays in memory, and the next step will say so.
            with contextlib.suppress(OutputError):
                self.flush()

    def _check_writable(self) -> None:
        if not self.writable:
            raise MarkError(f"{self.path} is open for reading only; open it for writing")

    def _step_of(self, entry: Entry, act: Act, check: bool = False) -> Step:
        try:
            step = Step.unpack(self._journal.body(entry))
            step = step.turned() if act == "undo" else step
            if check:
                self._state.check(step)
            return step
        except ValueError as error:
            raise self._journal.damaged(entry.start) from error

    def _catch_up(self) -> None:
        """The state after the last entry, out of the masks on disk and the entries since."""
        applied = self._applied.read(self._journal.end)
        for entry in self._journal.entries:
            try:
                of = self._history.follow(entry)
                if not of.edits and entry.end <= applied:
                    continue
                step = self._step_of(of, entry.act)
                self._state.apply(step, patches=entry.end > applied)
            except (ValueError, IndexError) as error:
                raise self._journal.damaged(entry.start) from error
            if entry.end > applied:
                self._since += 1
                if self.writable and self._state.waiting >= _MOST_BYTES:
                    self._state.flush()
