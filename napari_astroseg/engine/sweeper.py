"""One of several processes that share a search: `python -m napari_astroseg.engine.sweeper`.

It is told over its standard input what to search, and trains trial after trial.
"""

from __future__ import annotations

import sys

from napari_astroseg.engine.sweep import take_part, unpacked


def main() -> None:
    """Take part until there is nothing left to try."""
    recipe, how, worker, trials = unpacked(sys.stdin.buffer.read())
    take_part(recipe, how, worker, trials)


if __name__ == "__main__":
    main()
