"""Part folder: where a file grows before it is whole, held by one writer at a time.

A lock in it names the process that writes. One that was killed leaves its lock behind; the next
writer finds that nobody of that number lives, and takes it over.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from napari_astroseg.errors import OutputError
from napari_astroseg.sky.cache import remove

BYTES, DONE, DONE_NEW, _LOCK = "bytes", "done.json", "done.json.new", "lock"
_OURS = {BYTES, DONE, DONE_NEW, _LOCK}


@contextmanager
def held(out: Path) -> Iterator[Path]:
    """The folder in which `out` grows, for this writer alone.

    Raises
    ------
    OutputError
        When another process writes to it, or when it is no folder of ours.
    """
    part = out.with_name(f".{out.name}.part")
    part.mkdir(parents=True, exist_ok=True)
    if part.is_symlink() or not {each.name for each in part.iterdir()} <= _OURS:
        raise OutputError(f"{part} holds other files; move it away, or choose another name")
    lock = part / _LOCK
    number = _locked(lock, out)
    try:
        yield part
    finally:
        os.close(number)
        with suppress(OSError):
            lock.unlink(missing_ok=True)
            part.rmdir()  # unless something is left to go on from


def emptied(part: Path) -> None:
    """Remove what an earlier writer has left; the lock stays."""
    for name in _OURS - {_LOCK}:
        remove(part / name)


def _locked(lock: Path, out: Path) -> int:
    """The descriptor of the lock, which is ours now."""
    for _ in range(2):
        try:
            number = os.open(lock, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            if _is_alive(lock):
                break
            lock.unlink(missing_ok=True)
        else:
            os.write(number, str(os.getpid()).encode())
            return number
    raise OutputError(
        f"{out} is being written already; wait for that to end, "
        f"or remove {lock} if nobody is writing"
    )


def _is_alive(lock: Path) -> bool:
    """Whether the process that a lock names is there; an unreadable lock may be just begun."""
    if os.name == "nt":  # a lock that is open cannot be removed there
        with suppress(OSError):
            lock.unlink(missing_ok=True)
        return lock.exists()
    try:
        os.kill(int(lock.read_text(encoding="ascii")), 0)
    except (ProcessLookupError, FileNotFoundError):
        return False
    except (OSError, ValueError, OverflowError):
        return True
    return True
