"""First draw: how long a window takes to show a file, and an array of 1000 × 1000 in memory.

Run as `python -m napari_astroseg.bench.first_draw FILE SECONDS`: in a process of its own, for
OpenGL and torch's compiler do not go together. Prints two lists of seconds as JSON.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from pathlib import Path

import napari
import numpy as np

from napari_astroseg.bench.plan import Plan
from napari_astroseg.bench.timing import Pair, in_turn
from napari_astroseg.gui import layers
from napari_astroseg.sky.opening import open_image

_SIZE = (1400, 900)


def main(path: Path, budget_s: float) -> None:
    """Time both in one window, in turn."""
    viewer = napari.Viewer()
    viewer.window.resize(*_SIZE)
    layers.settle(viewer)
    small = np.random.default_rng(0).random((1000, 1000), dtype=np.float32)

    def drawn() -> None:
        viewer.screenshot(flash=False)  # draws, and waits for it
        viewer.layers.clear()

    def file() -> None:
        layers.add_image(viewer, open_image(path))
        drawn()

    def array() -> None:
        viewer.add_image(small)
        drawn()

    pair = Pair(*in_turn(Plan(budget_s=budget_s), file, array))
    print(json.dumps(asdict(pair)))
    viewer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), float(sys.argv[2]))
