"""One of several processes that train together: `python -m napari_astroseg.engine.rank`.

It is told over its standard input what to train, and does its share of each step.
"""

from __future__ import annotations

import sys

from napari_astroseg.engine.ranks import unpacked
from napari_astroseg.engine.train import train


def main() -> None:
    """Train along until the training ends."""
    recipe, run = unpacked(sys.stdin.buffer.read())
    for _ in train(recipe, run):
        pass


if __name__ == "__main__":
    main()
