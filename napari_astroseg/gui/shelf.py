"""Shelf: the user's own models, or trainings, kept in one small file that every dock watches.

Docks do not know one another: what Train puts on the shelf, Predict finds there, in this
window or in another one, now or tomorrow.
"""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from qtpy.QtCore import QFileSystemWatcher, QObject, Signal

from napari_astroseg.gui.settings import user_folder
from napari_astroseg.sky.files.writing import replacing

RUNS = "runs.json"
"""Trainings that a window began, ended or not."""

_MOST = 50


class Shelf(QObject):
    """Paths of run folders and model files, newest first.

    Parameters
    ----------
    folder
        Where its file lies; the user's configuration folder by default.
    name
        Of the file: the models, or `RUNS`.
    """

    changed = Signal()

    def __init__(
        self, parent: QObject | None = None, folder: Path | None = None, name: str = "models.json"
    ) -> None:
        super().__init__(parent)
        folder = folder or user_folder()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / name
        self._known = self.paths()
        # The folder is watched, for the file itself is replaced whenever it changes.
        self._watcher = QFileSystemWatcher([str(folder)], self)
        self._watcher.directoryChanged.connect(self._look)

    def paths(self) -> list[Path]:
        """What is on the shelf and still exists."""
        try:
            names = json.loads(self._file.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return []
        return [Path(name) for name in names if isinstance(name, str) and Path(name).exists()]

    def add(self, path: Path) -> None:
        """Put a run's folder or a model file first on the shelf.

        Raises
        ------
        OutputError
            When the user's configuration folder takes no file.
        """
        path = path.resolve()
        names = [str(path), *(str(other) for other in self.paths() if other != path)]
        with replacing(self._file) as temporary:
            temporary.write_text(json.dumps(names[:_MOST], indent=1), encoding="utf-8")
        self._known = self.paths()
        self.changed.emit()

    def _look(self, _folder: str = "") -> None:
        with suppress(OSError):
            paths = self.paths()
            if paths != self._known:
                self._known = paths
                self.changed.emit()
