"""Runs: predictions of whole images that can be paused, and outlive the window.

Each has a folder of its own, with its tiles and what is known of it; so a window that is killed
loses no tile, and two windows do not work on one run.
"""

from __future__ import annotations

import json
import shutil
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_astroseg.engine.card import ModelCard
from napari_astroseg.engine.runlock import RunLock, is_held
from napari_astroseg.errors import AstroSegError, OutputError
from napari_astroseg.gui.settings import data_folder
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import digest

_FOLDER, _FILE = "predictions", "run.json"
PAUSED, RUNNING, DONE = "paused", "running", "done"


@dataclass(frozen=True)
class Run:
    """A prediction of a whole image.

    Parameters
    ----------
    key
        Equal for the same image, model and options only; the name of its folder.
    image, place, hdu, plane
        What is predicted: its name, and where it lies.
    model, model_file
        By what.
    options
        Words of the prediction that change its answer.
    objects
        Whether it finds objects rather than pixels.
    done, total, unit
        How far it has come.
    state
        `paused`, `running` or `done`.
    """

    key: str
    image: str
    place: str
    hdu: int
    plane: int | None
    model: str
    model_file: str
    options: dict[str, Any]
    objects: bool
    done: int = 0
    total: int = 0
    unit: str = "tiles"
    state: str = PAUSED

    @classmethod
    def of(cls, image: SkyImage, card: ModelCard, options: dict[str, Any]) -> Run | None:
        """The run of an image by a model; None of one that is not in a file of its own."""
        where, file = image.reference, card.path
        if where is None or file is None or image.pixels.identity is None:
            return None
        told = {name: value for name, value in options.items() if name != "device"}
        same = (image.pixels.identity, file, file.stat().st_mtime_ns, sorted(told.items()))
        named = (image.name, where.place, where.hdu, where.plane, card.name, str(file))
        return cls(digest(*same), *named, told, bool(card.recipe.data.kinds))

    @property
    def words(self) -> str:
        """How far it has come, in words."""
        far = f"{self.done} of {self.total} {self.unit}" if self.total else "not begun"
        return self.state if self.state == DONE else f"{self.state}, {far}"


class Runs(QObject):
    """All runs of this user, newest first.

    Parameters
    ----------
    folder
        Where they are kept; the user's data folder by default.
    """

    changed = Signal()

    def __init__(self, parent: QObject | None = None, folder: Path | None = None) -> None:
        super().__init__(parent)
        self._folder = (folder or data_folder()) / _FOLDER
        self._held: dict[str, RunLock] = {}
        self.items: list[Run] = self._read()

    def find(self, key: str) -> Run | None:
        """The run of that key."""
        return next((run for run in self.items if run.key == key), None)

    def store(self, run: Run) -> Path:
        """Where the engine keeps what it has done."""
        return self._folder / run.key / ("objects.jsonl" if run.objects else "prediction.zarr")

    def begin(self, run: Run) -> None:
        """Note that it runs, in this window.

        Raises
        ------
        OutputError
            When another window works on it, or its folder cannot be written.
        """
        if run.key not in self._held:
            try:
                self._held[run.key] = RunLock(self._folder / run.key, patience_s=0.0)
            except OutputError:
                raise
            except AstroSegError as error:
                raise OutputError(
                    f"another window predicts {run.image} by {run.model}; go on there, or close it"
                ) from error
        self.items = [each for each in self.items if each.key != run.key]
        self.items.insert(0, run)
        self.settle(run.key, state=RUNNING)

    def settle(self, key: str, **changes: Any) -> None:
        """Note how a run goes; one that runs no more is free for other windows."""
        for at, run in enumerate(self.items):
            if run.key == key:
                now = self.items[at] = replace(run, **changes)
                if now.state != RUNNING:
                    self._release(key)
                if now.state != run.state or changes.keys() == {"state"}:
                    self._write(now)
                self.changed.emit()

    def remove(self, key: str) -> None:
        """Forget a run and delete its tiles.

        Raises
        ------
        OutputError
            When another window works on it.
        """
        if key not in self._held and is_held(self._folder / key):
            raise OutputError("another window predicts this now; pause it there first")
        self.items = [run for run in self.items if run.key != key]
        self._release(key)
        shutil.rmtree(self._folder / key, ignore_errors=True)
        self.changed.emit()

    def close(self) -> None:
        """Leave all of them to other windows, paused."""
        for run in list(self.items):
            if run.key in self._held:
                self.settle(run.key, state=PAUSED)

    def _release(self, key: str) -> None:
        lock = self._held.pop(key, None)
        if lock is not None:
            lock.release()

    def _write(self, run: Run) -> None:
        with suppress(OutputError), replacing(self._folder / run.key / _FILE) as temporary:
            temporary.write_text(json.dumps(asdict(run)), encoding="utf-8")

    def _read(self) -> list[Run]:
        """Those on disk; one that ran in a window that is gone is paused."""
        found = []
        for path in self._folder.glob(f"*/{_FILE}"):
            with suppress(OSError, ValueError, TypeError):
                run = Run(**json.loads(path.read_text(encoding="utf-8")))
                gone = run.state == RUNNING and not is_held(path.parent)
                changed = path.stat().st_mtime
                found.append((changed, replace(run, state=PAUSED) if gone else run))
        return [run for _, run in sorted(found, key=lambda each: -each[0])]
