"""Making: many simulated skies, several at a time, and none of them twice.

What is done is told in a file beside it, a line for each item, so that whoever is stopped goes on
where they were: an item depends on its number and the seed alone, whoever makes it and when.
"""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path

from napari_astroseg import __version__
from napari_astroseg.errors import DataError, OutputError
from napari_astroseg.sky.simulate.kinds import Kind, kind_named

RECORD = "simulated.jsonl"


def iter_simulated(
    kind: str, out: Path, n: int, size: int | None = None, seed: int = 0, workers: int = 1
) -> Iterator[Path]:
    """Make n items of a kind, giving each file's path as soon as its item is done.

    Items that an earlier run of the same kind, size and seed has made are left as they are, and
    are not given again. Files of the same names are replaced, others are left alone.

    Parameters
    ----------
    kind
        One of `KINDS`.
    size
        Side in pixels; None for what is usual for the kind.
    workers
        Processes. More than one need a script that is guarded by `if __name__ == "__main__"`.

    Raises
    ------
    DataError
        When what is asked for makes no sense, or the folder holds other skies.
    OutputError
        When a file cannot be written; what was done is kept.
    """
    chosen = kind_named(kind)
    size = chosen.size_px if size is None else size
    _require_sense(chosen, n, size, seed, workers)
    out = Path(out)
    record = Record.begun(out, {"kind": kind, "size": size, "seed": seed, "version": __version__})
    todo = [number for number in range(n) if number not in record.done]
    if todo:
        for number, paths in _made(chosen, out, todo, size, seed, min(workers, len(todo))):
            record.add(number, paths)
            yield from paths
    # More may be there already: what belongs to all of them shall leave none of them out.
    count = max(n, 1 + max(record.done, default=-1))
    yield from chosen.finish(out, count, size, seed)


@dataclass(frozen=True)
class Record:
    """What a folder of simulated skies holds.

    Parameters
    ----------
    path
        The file: first what all items share, then a line for each item.
    done
        Numbers of the items whose files are all there.
    """

    path: Path
    done: frozenset[int]

    @classmethod
    def begun(cls, out: Path, shared: dict[str, str | int]) -> Record:
        """The record of a folder, a new one where there is none.

        Raises
        ------
        DataError
            When the folder's is of other skies.
        OutputError
            When it cannot be written.
        """
        path = out / RECORD
        lines = _lines(path)
        if lines and lines[0] != shared:
            raise DataError(
                f"{out} holds other simulated skies ({_told(lines[0])}); name another folder, or "
                f"delete that one to have {_told(shared)}"
            )
        told = ((line.get("number"), line.get("files")) for line in lines[1:])
        done = (number for number, files in told if isinstance(number, int) and _all(out, files))
        record = cls(path, frozenset(done))
        if not lines:
            record._append(shared, "w")
        return record

    def add(self, number: int, paths: list[Path]) -> None:
        """Write down that an item is done."""
        files = [path.relative_to(self.path.parent).as_posix() for path in paths]
        self._append({"number": number, "files": files}, "a")

    def _append(self, told: object, mode: str) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open(mode, encoding="utf-8") as file:
                file.write("\n" + json.dumps(told))  # a line torn before stays by itself
        except OSError as error:
            raise OutputError(
                f"{self.path} cannot be written ({(error.strerror or str(error)).lower()}); "
                "free some space or choose another folder"
            ) from error


def _lines(path: Path) -> list[dict[str, object]]:
    """The lines of a record that are whole; a killed run may leave the last one torn."""
    found: list[dict[str, object]] = []
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, NotADirectoryError):
        return found
    except OSError as error:
        raise DataError(f"{path} cannot be read; check its permissions") from error
    for line in text.splitlines():
        try:
            told = json.loads(line)
        except ValueError:
            continue
        if isinstance(told, dict):
            found.append(told)
    return found


def _all(out: Path, files: object) -> bool:
    """Whether all files of an item are there."""
    return isinstance(files, list) and all((out / str(name)).is_file() for name in files)


def _told(shared: dict[str, object] | dict[str, str | int]) -> str:
    """What all items share, in words."""
    words = {key: shared.get(key, "?") for key in ("kind", "size", "seed", "version")}
    return "{kind} of {size} px, seed {seed}, by version {version}".format(**words)


def _require_sense(kind: Kind, n: int, size: int, seed: int, workers: int) -> None:
    if n < 1 or size < kind.least_px:
        raise DataError(f"simulate at least 1 of {kind.name}, of at least {kind.least_px} pixels")
    if seed < 0:
        raise DataError(f"a seed of {seed} seeds nothing; give 0 or more")
    if workers < 1:
        raise DataError(f"{workers} processes make nothing; give 1 or more")


def _made(
    kind: Kind, out: Path, numbers: list[int], size: int, seed: int, workers: int
) -> Iterator[tuple[int, list[Path]]]:
    """Items as they are done; closing this waits for those at work and begins no more."""
    if workers == 1:
        for number in numbers:
            yield number, kind.write(out, number, size, seed)
        return
    # Not forked: a process with threads and a lock taken in one of them would not come back.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context)
    try:
        asked = {pool.submit(kind.write, out, number, size, seed): number for number in numbers}
        for answer in as_completed(asked):
            yield asked[answer], answer.result()
    except BrokenProcessPool as error:
        raise OutputError(
            f"a process that made skies in {out} was ended from outside, perhaps for want of "
            "memory; run it again with fewer workers: what is done is kept"
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)
