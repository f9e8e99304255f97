"""EventLog, LogReader: what a training says, in a small file that anybody can follow; torch-free.

Steps are written ever more rarely, at a thousandth of the time so far, so that a week's training
leaves a few megabytes. Of the example stamps the newest alone are kept, beside it.
"""

from __future__ import annotations

import json
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from napari_astroseg.engine.events import (
    EpochDone,
    Event,
    ExamplesDone,
    Finished,
    MemoryUsed,
    Preparing,
    Started,
    StepDone,
    TrialBegun,
    TrialDone,
    Warned,
)
from napari_astroseg.engine.service import Ended, Failure
from napari_astroseg.errors import OutputError
from napari_astroseg.sky.files.writing import replacing

LOG_FILE, EXAMPLES_FILE = "events.jsonl", "examples.npz"
Said = Event | Ended | Failure

_RECORDS: tuple[type[Said], ...] = (
    *(Preparing, Started, Warned, StepDone, EpochDone, MemoryUsed, TrialBegun, TrialDone),
    *(Finished, Ended, Failure),
)
_KINDS = {kind.__name__: TypeAdapter[Said](kind) for kind in _RECORDS}
_OFTEN = (Preparing, StepDone, MemoryUsed)
_SHARE, _LEAST_S, _MOST_S = 1e-3, 0.1, 10.0
_ARRAYS = ("image", "truth", "answer")
_MOST_STAMPS, _LARGEST = 64, 16 * 2**20
"""Stamps, and bytes, beyond which a file of examples is none of ours."""
_CHUNK, _LONGEST_LINE = 2**16, 2**18


class EventLog:
    """The log of a run's folder, begun afresh."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._began = time.monotonic()
        self._last: dict[type, float] = defaultdict(lambda: -np.inf)
        begin_log(out)
        self._file = (out / LOG_FILE).open("a", encoding="utf-8")

    def write(self, said: Said) -> None:
        """Write down what was said, or leave it out where the like was said a moment ago.

        Raises
        ------
        OutputError
            When the disk takes no more.
        """
        if isinstance(said, _OFTEN) and not self._due(type(said)):
            return
        if isinstance(said, ExamplesDone):
            self._keep(said)
            self._line({"said": "ExamplesDone", "epoch": said.epoch})
        elif type(said).__name__ in _KINDS:
            self._line({"said": type(said).__name__, **asdict(said)})

    def close(self) -> None:
        """Nothing more will be said."""
        self._file.close()

    def _due(self, kind: type) -> bool:
        now = time.monotonic()
        pause = min(max(_SHARE * (now - self._began), _LEAST_S), _MOST_S)
        if now - self._last[kind] < pause:
            return False
        self._last[kind] = now
        return True

    def _line(self, told: dict[str, Any]) -> None:
        try:
            self._file.write(json.dumps(told, default=str) + "\n")
            self._file.flush()
        except OSError as error:
            raise OutputError(
                f"{self._out / LOG_FILE} cannot be written "
                f"({(error.strerror or str(error)).lower()}); free some space and --resume"
            ) from error

    def _keep(self, said: ExamplesDone) -> None:
        arrays: dict[str, Any] = {name: getattr(said, name) for name in _ARRAYS}
        arrays |= {"epoch": np.array(said.epoch), "classes": np.array(said.classes)}
        with replacing(self._out / EXAMPLES_FILE) as temporary, temporary.open("wb") as file:
            np.savez(file, **arrays)


class LogReader:
    """Follows the log of a run's folder, from its beginning."""

    def __init__(self, out: Path) -> None:
        self._out = out
        self._at, self._rest = 0, b""

    def read(self) -> list[Said]:
        """What was written since, as far as a few milliseconds reach; [] where there is no more.

        Lines that say nothing this version knows are left out.
        """
        try:
            with (self._out / LOG_FILE).open("rb") as file:
                file.seek(self._at)
                chunk = file.read(_CHUNK)
        except OSError:
            return []  # not begun yet, or gone
        self._at += len(chunk)
        *lines, self._rest = (self._rest + chunk).split(b"\n")
        if len(self._rest) > _LONGEST_LINE:  # no line of ours
            self._rest = b""
        return [said for line in lines for said in self._said(line)]

    def _said(self, line: bytes) -> Iterator[Said]:
        try:
            told = json.loads(line)
            kind = told.pop("said")
            if kind == "ExamplesDone":
                yield from read_examples(self._out, int(told["epoch"]))
            else:
                yield _KINDS[kind].validate_python(told)
        except (ValueError, TypeError, KeyError, AttributeError):
            return


def begin_log(out: Path) -> None:
    """Take away what an earlier training said in a folder."""
    for name in (LOG_FILE, EXAMPLES_FILE):
        (out / name).unlink(missing_ok=True)


def read_examples(out: Path, epoch: int | None = None) -> Iterator[ExamplesDone]:
    """The examples that lie in a folder; nothing where they are of another epoch, or none."""
    try:
        with zipfile.ZipFile(out / EXAMPLES_FILE) as parcel:
            if sum(each.file_size for each in parcel.infolist()) > _LARGEST:
                return
        with np.load(out / EXAMPLES_FILE, allow_pickle=False) as held:
            image, truth, answer = (held[name] for name in _ARRAYS)
            classes = tuple(str(name) for name in held["classes"])
            of_epoch = int(held["epoch"])
        count, *sides = image.shape[:3]
    except (OSError, ValueError, KeyError, TypeError, MemoryError, zipfile.BadZipFile):
        return
    planes = (count, len(classes), *sides)
    fits = image.shape == (count, *sides, 3) and truth.shape == answer.shape == planes
    bytes_all = {each.dtype for each in (image, truth, answer)} == {np.dtype(np.uint8)}
    if count <= _MOST_STAMPS and fits and bytes_all and epoch in {None, of_epoch}:
        yield ExamplesDone(of_epoch, classes, image, truth, answer)
