"""Proposals: what another dock would have trained, in one small file that Train watches.

Docks do not know one another: a threshold chosen for votes, or a folder looked over, becomes a
recipe and a folder here, and Train shows both, now or when it is opened. Nothing is started.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from qtpy.QtCore import QFileSystemWatcher, QObject, Signal

from napari_astroseg.errors import RecipeError
from napari_astroseg.gui.settings import user_folder
from napari_astroseg.recipes.recipe import Recipe
from napari_astroseg.sky.files.writing import replacing


class Proposals(QObject):
    """The recipe and the folder proposed last in this process.

    Parameters
    ----------
    folder
        Where its file lies; the user's configuration folder by default.
    """

    came = Signal(object, object)  # a Recipe, a Path

    def __init__(self, parent: QObject | None = None, folder: Path | None = None) -> None:
        super().__init__(parent)
        folder = folder or user_folder()
        folder.mkdir(parents=True, exist_ok=True)
        self._file = folder / "proposal.json"
        self._known = self._text()
        self._watcher = QFileSystemWatcher([str(folder)], self)
        self._watcher.directoryChanged.connect(self._look)

    def make(self, recipe: Recipe, data: Path, start_from: str = "") -> None:
        """Propose to learn `recipe` from the folder `data`.

        Parameters
        ----------
        start_from
            A model to begin with; fresh weights by default.

        Raises
        ------
        OutputError
            When the user's configuration folder takes no file.
        """
        told = {"process": os.getpid(), "recipe": recipe.to_yaml(), "data": str(data.resolve())}
        told["start_from"] = start_from
        with replacing(self._file) as temporary:
            temporary.write_text(json.dumps(told, indent=1), encoding="utf-8")
        self._look()

    def latest(self) -> tuple[Recipe, Path] | None:
        """What was proposed last; None where it was by another window, or cannot be read."""
        try:
            told = json.loads(self._text())
            if told["process"] != os.getpid():
                return None
            return Recipe.from_yaml(told["recipe"]), Path(told["data"])
        except (ValueError, TypeError, KeyError, RecipeError):
            return None

    @property
    def start_from(self) -> str:
        """The model that the latest begins with; "" for fresh weights."""
        try:
            return str(json.loads(self._text()).get("start_from", ""))
        except (ValueError, AttributeError):
            return ""

    def _text(self) -> str:
        try:
            return self._file.read_text(encoding="utf-8")
        except OSError:
            return ""

    def _look(self, _folder: str = "") -> None:
        text = self._text()
        if text == self._known:
            return
        self._known = text
        latest = self.latest()
        if latest is not None:
            self.came.emit(*latest)
