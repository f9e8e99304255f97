"""Apart: a training in a process of its own that can go on without the window; torch-free.

The child is a session of its own and runs `python -P -m napari_astroseg.engine.apartworker`. What
it says goes into a file of the run's folder (`eventlog`), which any window can follow. Its standard
input is its leash: when that ends, the window is gone, and unless it has been told `keep`, the
child stops. It also stops when a file called `stop` comes into its folder; no process is ever
looked for by its number.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import IO

from napari_astroseg.engine.eventlog import begin_log
from napari_astroseg.engine.order import Order
from napari_astroseg.engine.runlock import is_held, occupied
from napari_astroseg.engine.service import child_environment
from napari_astroseg.errors import OutputError

STOP_FILE, WORDS_FILE = "stop", "stderr.txt"
KEEP, DROP = b"keep\n", b"drop\n"
_SPARE_CORES = 1
_LONGEST_WORDS = 2000


class Apart:
    """A child that trains, on a leash.

    Parameters
    ----------
    order
        What it trains; left in its folder, too.
    target
        The generator of events by name, `module:function`, called with recipe and how.

    Raises
    ------
    TrainingError
        When another process trains in that folder.
    OutputError
        When the folder cannot be written to.
    """

    def __init__(self, order: Order, target: str) -> None:
        order = order.absolute
        self.out = order.out
        if is_held(self.out):
            raise occupied(self.out)
        order.write()
        self.kept = False
        with _opened(self.out / WORDS_FILE) as words:
            begin_log(self.out)
            (self.out / STOP_FILE).unlink(missing_ok=True)
            self._child = subprocess.Popen(
                [sys.executable, "-P", "-m", "napari_astroseg.engine.apartworker"],
                stdin=subprocess.PIPE,
                stdout=words,
                stderr=words,
                env=child_environment(max(1, (os.cpu_count() or 1) - _SPARE_CORES)),
                start_new_session=True,
                creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            )
        self._say(json.dumps([target, order.to_json()]).encode() + b"\n")

    @property
    def pid(self) -> int:
        """Its process number."""
        return self._child.pid

    @property
    def alive(self) -> bool:
        """Whether it is up."""
        return self._child.poll() is None

    @property
    def status(self) -> int | None:
        """Its exit status; None while it is up."""
        return self._child.poll()

    def keep(self, kept: bool = True) -> None:
        """Have it go on whatever becomes of this process, or end with it."""
        self.kept = kept
        self._say(KEEP if kept else DROP)

    def stop(self) -> None:
        """Ask it to stop at its next event; it is not waited for."""
        ask_to_stop(self.out)

    def let_go(self) -> None:
        """Let go of the leash: it stops within seconds, or goes on if it is to be kept."""
        assert self._child.stdin is not None
        if self._child.stdin.closed:
            return
        with suppress(BrokenPipeError):  # it went first
            self._child.stdin.close()
        # Somebody has to hear how it ends, or it stays in the system's list of processes.
        threading.Thread(target=self._child.wait, name="astroseg end", daemon=True).start()

    def close(self, patience_s: float = 3.0) -> None:
        """End it: politely, then for certain; whole epochs are on disk."""
        assert self._child.stdin is not None
        self.stop()
        with suppress(BrokenPipeError):
            self._child.stdin.close()
        try:
            self._child.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def _say(self, words: bytes) -> None:
        assert self._child.stdin is not None
        with suppress(BrokenPipeError):  # it is gone, and its log tells why
            self._child.stdin.write(words)
            self._child.stdin.flush()


def last_words(out: Path) -> str:
    """The last line that a training's process left when it died; "" where there is none."""
    try:
        with (out / WORDS_FILE).open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _LONGEST_WORDS))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()
    except OSError:
        return ""
    return lines[-1] if lines else ""


def ask_to_stop(out: Path) -> None:
    """Ask whoever trains in a folder to stop at its next event."""
    try:
        (out / STOP_FILE).touch()
    except OSError as error:
        raise OutputError(
            f"{out} cannot be written to ({(error.strerror or str(error)).lower()}), so that the "
            "training there cannot be told to stop; free some space"
        ) from error


def _opened(path: Path) -> IO[bytes]:
    try:
        return path.open("wb")
    except OSError as error:
        raise OutputError(
            f"{path} cannot be written ({(error.strerror or str(error)).lower()}); choose another "
            "folder"
        ) from error
