"""One of several processes that share a search: `python -m napari_astroseg.engine.sweeper`.

It is told over its standard input what to search, and trains trial after trial. When that ends, the
search is gone, however it went, and so is this process; whole epochs are on disk.
"""

from __future__ import annotations

import os
import threading
from io import FileIO

from napari_astroseg.engine.sweep import take_part, unpacked


def main() -> None:
    """Take part until there is nothing left to try, or nobody left to try it for."""
    pipe = FileIO(0, closefd=False)  # without a buffer, whose lock a thread would die with
    recipe, how, worker, trials = unpacked(pipe.readline())
    threading.Thread(target=_end_with, args=(pipe,), name="leash", daemon=True).start()
    take_part(recipe, how, worker, trials)


def _end_with(pipe: FileIO) -> None:
    pipe.read()
    os._exit(1)


if __name__ == "__main__":
    main()
