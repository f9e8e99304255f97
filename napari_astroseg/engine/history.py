"""History: one line per epoch of a run, kept beside its checkpoint."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from napari_astroseg.engine.events import EpochDone
from napari_astroseg.errors import OutputError, TrainingError
from napari_astroseg.sky.files.writing import replacing

HISTORY_FILE = "history.jsonl"
_LARGEST = 2**24
"""Letters beyond which nothing is read."""
_EPOCH = TypeAdapter(EpochDone)


class History:
    """The file `history.jsonl` of a run's folder."""

    def __init__(self, out: Path) -> None:
        self._path = out / HISTORY_FILE

    def begin(self) -> None:
        """Start afresh."""
        with replacing(self._path) as temporary:
            temporary.write_text("", encoding="utf-8")

    def add(self, done: EpochDone) -> None:
        """Write down one epoch.

        Raises
        ------
        OutputError
            When the disk takes no more.
        """
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(asdict(done)) + "\n")
        except OSError as error:
            raise OutputError(
                f"{self._path} cannot be written ({(error.strerror or str(error)).lower()}); free "
                "some space and run again with --resume"
            ) from error

    def kept(self, epochs: int) -> list[dict[str, Any]]:
        """The rows of the first `epochs` epochs; a row beyond them is cut off.

        Raises
        ------
        TrainingError
            When the file does not hold so many.
        """
        try:
            lines = self._path.read_text(encoding="utf-8").splitlines()[:epochs]
            rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
        except (OSError, ValueError) as error:
            raise self._lost() from error
        if len(rows) < epochs:
            raise self._lost()
        with replacing(self._path) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        return rows

    def _lost(self) -> TrainingError:
        return TrainingError(
            f"{self._path} does not hold the epochs that the checkpoint counts; put it back, or "
            "start again without --resume"
        )


def read_history(out: Path) -> Iterator[EpochDone]:
    """The epochs that lie in a run's folder, anybody's, as far as they can be read."""
    try:
        with (out / HISTORY_FILE).open(encoding="utf-8") as file:
            lines = file.read(_LARGEST).splitlines()
    except (OSError, ValueError):
        return
    for line in lines:
        try:
            yield _EPOCH.validate_python(json.loads(line))
        except (ValueError, RecursionError):
            return
