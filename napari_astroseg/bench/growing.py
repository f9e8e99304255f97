"""Growing: how long the pyramid of a file takes, and how much memory.

Run as `python -m napari_astroseg.bench.growing FILE ROUNDS`: in a process of its own, whose
memory can be counted. The pyramid of the last round stays in the cache (`$ASTROSEG_CACHE`).
Prints `Grown` as JSON.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from napari_astroseg.bench.memory import Memory
from napari_astroseg.sky.cache import remove
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.opening import open_image
from napari_astroseg.sky.pyramids.grown import CACHE, means_of
from napari_astroseg.sky.pyramids.pyramid import grow


@dataclass(frozen=True)
class Grown:
    """What was measured.

    Parameters
    ----------
    seconds
        Of each round, from the open file to the pyramid on disk.
    peak_mib
        Most memory, over that of a process that has the file open; compiler included.
    """

    seconds: tuple[float, ...]
    peak_mib: float


def main(path: Path, rounds: int) -> Grown:
    """Grow the pyramid of a file, several times."""
    open_image(path)
    memory = Memory()
    grow(SkyImage.from_array(np.zeros((4096, 4096), np.float32)))  # it compiles, or loads
    _once(path)
    seconds = tuple(_once(path) for _ in range(rounds))
    return Grown(seconds, memory.peak_mib())


def _once(path: Path) -> float:
    image = open_image(path)
    remove(CACHE.folder / means_of(image).name)
    begun = time.perf_counter()
    grow(image)
    return time.perf_counter() - begun


if __name__ == "__main__":
    print(json.dumps(asdict(main(Path(sys.argv[1]), int(sys.argv[2])))))
