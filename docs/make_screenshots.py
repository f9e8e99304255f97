"""Make the pictures of the documentation from the real window, on generated skies.

    python docs/make_screenshots.py [--only window predict compare train mosaic …]

Needs a display (`xvfb-run -a -s "-screen 0 1600x1000x24" python docs/make_screenshots.py` will
do). The user's settings, models and cache are left alone.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from screenshots import opening, simulated, truth, working

MAKERS: dict[str, Callable[[], None]] = {
    "compare": working.compare,
    "vetting": working.vetting,
    "results": working.results,
    "votes": truth.votes,
    "draw": truth.draw,
    "shapes": truth.shapes,
    "data": truth.data,
    "non-bubbles": truth.non_bubbles,
    "welcome": opening.welcome,
    "tour": opening.tour,
    "mosaic": opening.mosaic,
    "rgb": opening.rgb,
    "picker": opening.picker,
    "cube": opening.cube,
    "preview": working.preview,
    "bubbles": simulated.bubbles,
    "galaxies": simulated.galaxies,
    "uncertainty": working.uncertainty,
    "stars": working.stars,
    "spirals": simulated.spirals,
}
KINDS = ("window", "predict", "train", "runs", *MAKERS)


def main() -> None:
    """Make what was asked for, in a folder that goes away."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=KINDS)
    only = set(parser.parse_args().only)
    with tempfile.TemporaryDirectory() as folder:
        os.environ["NAPARI_CONFIG"] = str(Path(folder) / "napari.yaml")
        os.environ["ASTROSEG_CACHE"] = str(Path(folder) / "cache")
        os.chdir(folder)
        from qtpy.QtCore import QStandardPaths

        QStandardPaths.setTestModeEnabled(True)  # what is remembered goes to a test's place
        generic = QStandardPaths.StandardLocation.GenericConfigLocation
        remembered = Path(QStandardPaths.writableLocation(generic)) / "astroseg"
        if "qttest" in str(remembered):  # and what was remembered there is forgotten
            shutil.rmtree(remembered, ignore_errors=True)
        if {"window", "predict"} & only:
            working.window_and_predict(only)
        if {"train", "runs"} & only:
            working.training(only)
        for name, make in MAKERS.items():
            if name in only:
                make()


if __name__ == "__main__":
    main()
