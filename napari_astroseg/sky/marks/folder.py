"""The folder of a store: made whole or not at all; up to where its masks follow its journal."""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from napari_astroseg.errors import MarkError, OutputError
from napari_astroseg.sky.files.writing import replacing


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """A folder to fill, which has the name `path` only when all went well.

    Raises
    ------
    MarkError
        When something is there already.
    OutputError
        When the disk refuses.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        folder = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
        folder.mkdir()  # with the rights that all new folders of the user have
        try:
            yield folder
            if path.is_dir():
                path.rmdir()  # only an empty one goes
            folder.rename(path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except OSError as error:
        if path.exists():
            raise MarkError(f"{path} is in the way; open it, or choose another name") from error
        raise OutputError(
            f"{path} cannot be written ({(error.strerror or str(error)).lower()}); "
            "free some space or choose another folder"
        ) from error


class Applied:
    """How much of a journal the masks on disk hold for certain.

    Parameters
    ----------
    folder
        Of the masks.
    key
        Of the store.
    """

    def __init__(self, folder: Path, key: str) -> None:
        self._path = folder / "applied.json"
        self._key = key

    def read(self, end: int) -> int:
        """A byte of the journal, up to which they follow it; `end` is the last it can be.

        Raises
        ------
        MarkError
            When they follow another journal.
        """
        try:
            told = json.loads(self._path.read_bytes()[:1000])
            key, applied = told["key"], int(told["journal"])
        except FileNotFoundError:
            return 0
        except (OSError, ValueError, KeyError, TypeError, OverflowError, RecursionError) as error:
            raise self._foreign() from error
        if key != self._key or applied > end:
            raise self._foreign()
        return applied

    def write(self, end: int) -> None:
        """Say that they follow the journal up to its byte `end`.

        Raises
        ------
        OutputError
            When the disk refuses.
        """
        with (
            replacing(self._path) as temporary,
            temporary.open("w", encoding="ascii") as file,
        ):
            json.dump({"key": self._key, "journal": end}, file)
            file.flush()
            os.fsync(file.fileno())

    def _foreign(self) -> MarkError:
        folder = self._path.parent
        return MarkError(
            f"{self._path} is not of this journal; delete the folder {folder}: it is made again "
            "from the journal"
        )
