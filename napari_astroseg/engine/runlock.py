"""RunLock: whether somebody trains in a run's folder; a process that died does not."""

from __future__ import annotations

import time
from io import FileIO
from pathlib import Path
from types import TracebackType

from napari_astroseg.errors import OutputError, TrainingError
from napari_astroseg.sky.files.locking import BUSY, is_locked, lock

LOCK_FILE = "training.lock"
_PATIENCE_S = 2.0
"""Longer than anybody takes to look whether a folder is held."""


class RunLock:
    """The right to train in a folder, until it is left or the process ends.

    Parameters
    ----------
    out
        The folder; made where it is missing.
    patience_s
        For so long another one that holds it is waited for.

    Raises
    ------
    TrainingError
        When another process has it.
    OutputError
        When the folder cannot be written to.
    """

    def __init__(self, out: Path, patience_s: float = _PATIENCE_S) -> None:
        self._out, self._patience_s = out, patience_s
        try:
            out.mkdir(parents=True, exist_ok=True)
            self._file = FileIO(out / LOCK_FILE, "a+")
            self._hold()
        except OSError as error:
            raise OutputError(
                f"{out} cannot be held for a training ({(error.strerror or str(error)).lower()}); "
                "choose another folder"
            ) from error

    def __enter__(self) -> RunLock:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.release()

    def release(self) -> None:
        """Let others train there."""
        self._file.close()

    def _hold(self) -> None:
        until = time.monotonic() + self._patience_s
        while True:
            try:
                lock(self._file)
                return
            except OSError as error:
                if error.errno not in BUSY or time.monotonic() > until:
                    self._file.close()
                    if error.errno in BUSY:
                        raise occupied(self._out) from error
                    raise
            time.sleep(0.05)


def is_held(out: Path) -> bool:
    """Whether a process trains in a folder now; False where that cannot be told."""
    try:
        with FileIO(out / LOCK_FILE, "r") as file:
            return is_locked(file)
    except OSError:  # no such file, or a file system that locks nothing
        return False


def occupied(out: Path) -> TrainingError:
    """The sentence for a folder that another process trains in."""
    return TrainingError(
        f"another process trains in {out} now; watch it there, stop it, or name another folder"
    )
