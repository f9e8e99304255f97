"""The main job on the sample that comes with the package: a simulated Galactic-plane tile.

With a display it opens the window on it, predicted; without one, or with --headless, it leaves
the picture and the catalogue in a folder.
"""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "the main job on the sample"

SIZE, SEED = 768, 2023
MODEL = "filaments"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("--headless", action="store_true", help="no window, files only")
    verb.add_argument(
        "--out", type=Path, default=Path("astroseg-demo"), metavar="D", help="folder for the files"
    )


def run(options: argparse.Namespace) -> int:
    """Simulate the sample, then predict on it in the window or into the folder."""
    from napari_astroseg.cli.display import has_display
    from napari_astroseg.sky.simulate.filaments import write_filaments

    image = write_filaments(options.out / "sample", 1, SIZE, SEED)[0]
    if not options.headless and has_display():
        from napari_astroseg.gui.workspace import run_window

        run_window([image], predict_with=MODEL)
        return 0
    return _headless(options, image)


def _headless(options: argparse.Namespace, image: Path) -> int:
    from napari_astroseg.cli.progress import told
    from napari_astroseg.engine.evaluate import evaluate
    from napari_astroseg.engine.events import Finished
    from napari_astroseg.engine.outputs import predict_to_folder

    command = {"verb": "demo", "line": options.command}
    for event in told(predict_to_folder(MODEL, image, options.out, command=command), options.quiet):
        if isinstance(event, Finished):
            found = event.result["structures"]
    dice = evaluate(MODEL, image)["figures"]["dice"]
    out = options.out.absolute()
    print(f"{found} region{'s' * (found != 1)}, Dice {dice:.2f} against the simulated truth")
    print(f"picture    {out / 'preview.png'}")
    print(f"catalogue  {out / 'catalogue.ecsv'}")
    return 0
