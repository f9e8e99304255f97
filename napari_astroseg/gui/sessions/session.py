"""Session: the window's project: saved, and opened again.

Opening goes by steps, each told: the file is read and checked; what lies outside its folder or on
the network is asked about; files that have moved are asked for; then layers come one by one, and
each dock takes what it was set to.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from qtpy.QtCore import QObject, QTimer, Signal

from napari_astroseg.errors import AstroSegError
from napari_astroseg.gui import layers
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.drawn.redraw import redraws_of
from napari_astroseg.gui.intake.recent import PROJECTS, Recent
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.sessions.absent import Absent
from napari_astroseg.gui.sessions.arranging import Arranging, show_view
from napari_astroseg.gui.sessions.dock import Kept
from napari_astroseg.gui.sessions.draft import Draft, gather
from napari_astroseg.gui.sessions.known import is_known, remember_digest
from napari_astroseg.gui.sessions.loading import Came, Loading
from napari_astroseg.gui.sessions.slots import asks, is_slot, project_of
from napari_astroseg.projects.finding import FoundPlaces, Question, find, questions
from napari_astroseg.projects.projectfile import ENDING, Opened, read_project


@dataclass(frozen=True)
class Asked:
    """A project of somebody else's, and what must be allowed before it is opened."""

    opened: Opened
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class Missed:
    """A project some of whose files are not where they were."""

    opened: Opened
    allowed: tuple[str, ...] | None
    moved: Mapping[str, Path]
    keys: tuple[str, ...]


class Session(QObject):
    """What is open in one window, as a project.

    Parameters
    ----------
    viewer
        The window's.
    docks
        By their names; those that can give and take a state are part of the project.
    made
        Tells which of them are there by now; the others are as they will be made. All by default.
    front, bring
        Tells the dock that lies on top, and brings one there.
    """

    said = Signal(str)
    busy_changed = Signal(str)  # what is going on; "" when nothing is
    asked = Signal(object)  # Asked
    missed = Signal(object)  # Missed
    saved = Signal(object)  # Path
    loaded = Signal()

    def __init__(
        self,
        viewer: Any,
        docks: Mapping[str, Any],
        front: Callable[[], str] = str,
        bring: Callable[[str], None] = lambda _name: None,
        made: Callable[[], Mapping[str, Any]] | None = None,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self.path: Path | None = None
        self.source: Path | None = None
        """What was opened here: a project, or what a window that is gone has left."""
        self.absent = Absent()
        self._viewer, self._docks = bare(viewer), docks
        self._front, self._bring, self._made = front, bring, made or (lambda: docks)
        self._opened: Opened | None = None
        self._found = FoundPlaces({})
        self._as_own = True
        self._arranging: Arranging | None = None
        self._reading, self._finding, self._saving = Latest(self), Latest(self), Latest(self)
        self._loading = Loading(self)
        self._restoring: list[str] = []
        self._told = ""
        for work in (self._reading, self._finding, self._saving):
            work.refused.connect(self._refuse)
        self._reading.answered.connect(self._read)
        self._finding.answered.connect(self._look)
        self._saving.answered.connect(self._is_saved)
        self._loading.came.connect(self._come)
        self._loading.ended.connect(self._restore_docks)

    @property
    def busy(self) -> bool:
        """Whether a project is being opened or written."""
        return self.opening or self._saving.busy

    @property
    def opening(self) -> bool:
        """Whether a project is being opened; until then the window is only part of it."""
        return self._opened is not None or self._reading.busy or self._finding.busy

    @property
    def changed(self) -> bool:
        """Whether something is open that no project holds as it is."""
        draft = self.draft()
        return not draft.empty and draft.told() != self._told

    def draft(self) -> Draft:
        """What is open now."""
        draft = gather(self._viewer, self._made(), self._front())
        self.absent.add_to(draft)
        return draft

    def save(self, path: Path) -> None:
        """Write the project; `saved` or `said` follows."""
        if not str(path).lower().endswith(ENDING):
            path = path.with_name(path.name.removesuffix(".json") + ENDING)
        draft = self.draft()
        self.busy_changed.emit(f"Writing {path.name} …")
        self._saving.ask(partial(_written, draft, path.absolute()))

    def open(self, path: Path) -> None:
        """Open a project in this window, in which nothing is open.

        What another window has left is no project of its own: it is the project that the window
        was, with changes, or none yet.
        """
        self._as_own = not is_slot(path)
        self.busy_changed.emit(f"Reading {path.name} …")
        self._reading.ask(partial(_read, path))

    def go_on(
        self,
        opened: Opened,
        allowed: Iterable[str] | None,
        moved: Mapping[str, Path] | None = None,
        *,
        without: bool = False,
    ) -> None:
        """Open what may be opened.

        Parameters
        ----------
        allowed
            Keys of what was asked about; None for all.
        moved
            Where missing files are, by their keys.
        without
            Whether those that are still missing are left out and not asked for.
        """
        keys = None if allowed is None else tuple(allowed)
        if keys is not None and {each.key for each in questions(opened)} <= set(keys):
            remember_digest(opened.digest)
        self.busy_changed.emit(f"Looking for the files of {opened.path.name} …")
        places = dict(moved or {})
        self._finding.ask(partial(_found, opened, keys, places, without))

    def shut_down(self) -> None:
        """End what runs."""
        for work in (self._reading, self._finding, self._saving):
            work.wait()
        self._loading.close()
        self._opened = None
        self._end_arranging()

    def _read(self, opened: Opened) -> None:
        asked = questions(opened)
        trusted = is_known(opened.digest) if self._as_own else not asks(opened.path)
        if asked and not trusted:
            self.busy_changed.emit("")
            self.asked.emit(Asked(opened, tuple(asked)))
        else:
            self.go_on(opened, None)

    def _look(self, answer: tuple[Opened, Any, dict[str, Path], bool, FoundPlaces]) -> None:
        opened, allowed, moved, without, found = answer
        missing = tuple(found.of("missing"))
        if missing and not without:
            self.busy_changed.emit("")
            self.missed.emit(Missed(opened, allowed, moved, missing))
            return
        self._opened, self._found = opened, found
        self._end_arranging()
        self._arranging = Arranging(self._viewer, opened.project.layers, self)
        self.absent = Absent()
        self.busy_changed.emit(f"Opening {opened.path.name} …")
        size = getattr(getattr(self._viewer, "canvas", None), "size", (0, 0))
        self._loading.begin(opened.project.layers, found, (int(size[0]), int(size[1])))
        for key in found.of("changed"):
            self.said.emit(
                f"{opened.project.places[key].name} holds something else than when the project "
                "was saved; check what was drawn and found on it"
            )

    def _come(self, came: Came) -> None:
        assert self._opened is not None
        if came.data is None:
            self.absent.keep(came.told, self._opened, self._found)
            self.said.emit(f"{came.told.name} is left out: {came.refused}")
            return
        data, arguments, kind = came.data
        if kind == "image":
            layer = layers.add_prepared(self._viewer, came.data)
            for redraw in redraws_of(layer):
                redraw.refused.connect(self.said)
        else:
            add = self._viewer.add_points if kind == "points" else self._viewer.add_labels
            layer = bare(add(data, **arguments))
        if self._arranging is not None:
            self._arranging.place(layer)

    def _restore_docks(self) -> None:
        """Let docks take their states one by one, the window in between."""
        assert self._opened is not None
        project = self._opened.project
        if project.view is not None and len(self._viewer.layers):
            show_view(self._viewer, project.view)
        self._restoring = [name for name in self._docks if name in project.docks]
        self._next_dock()

    def _next_dock(self) -> None:
        if self._opened is None:
            return
        if not self._restoring:
            self._settle()
            return
        name = self._restoring[0]
        try:
            dock, told = self._docks[name], self._opened.project.docks[name]
            if isinstance(dock, Kept):
                state = dock.State.model_validate_json(json.dumps(told))
                dock.restore(state, self._found)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))[:100]
            self.said.emit(f"{name} was left as it is: {where}: {first['msg'][:200]}")
        except AstroSegError as error:
            self.said.emit(f"{name}: {error}")
        finally:  # whatever befell this one, the others come, and the window is kept again
            QTimer.singleShot(0, self._after_dock)

    def _after_dock(self) -> None:
        if self._restoring:  # else it was left meanwhile
            self._restoring.pop(0)
            self._next_dock()

    def _settle(self) -> None:
        assert self._opened is not None
        opened, project = self._opened, self._opened.project
        self.source = opened.path
        if project.front in self._docks:
            self._bring(project.front)
        if self._as_own:
            self.path = opened.path
            Recent(name=PROJECTS).add([str(opened.path)])
        else:
            self.path = project_of(opened.path)
        self._opened = None
        self._told = self.draft().told() if self._as_own else ""
        self.busy_changed.emit("")
        self.loaded.emit()

    def _end_arranging(self) -> None:
        if self._arranging is not None:
            self._arranging.end()
            self._arranging.deleteLater()
            self._arranging = None

    def _is_saved(self, answer: tuple[Draft, str, Path, str]) -> None:
        draft, told, path, digest = answer
        if not self.absent.refused:
            remember_digest(digest)
        self.path, self._told = path, told
        Recent(name=PROJECTS).add([str(path)])
        self.busy_changed.emit("")
        self.saved.emit(path)
        if draft.left_out:
            names = ", ".join(draft.left_out[:5]) + (" …" if len(draft.left_out) > 5 else "")
            self.said.emit(f"Not in the project, which cannot hold it: {names}; save it as a file")

    def _refuse(self, sentence: str) -> None:
        self.busy_changed.emit("")
        self.said.emit(sentence)


def _read(path: Path) -> Opened:
    return read_project(path)


def _found(
    opened: Opened, allowed: tuple[str, ...] | None, moved: dict[str, Path], without: bool
) -> tuple[Opened, Any, dict[str, Path], bool, FoundPlaces]:
    return opened, allowed, moved, without, find(opened, allowed, moved)


def _written(draft: Draft, path: Path) -> tuple[Draft, str, Path, str]:
    told = draft.told()
    return draft, told, path, draft.write(path)
