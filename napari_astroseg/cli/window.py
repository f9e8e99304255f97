"""Open the window, with images if any are named."""

from __future__ import annotations

import argparse
from pathlib import Path

from napari_astroseg.errors import ImageError

HELP = "open the window (the default)"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("images", nargs="*", type=Path, metavar="IMAGE", help="FITS images to open")


def run(options: argparse.Namespace) -> int:
    """Hand over to the window until it is closed."""
    from napari_astroseg.cli.display import require_display

    missing = next((path for path in options.images if not path.exists()), None)
    if missing is not None:
        raise ImageError(f"{missing} is not there; check the name")
    require_display()
    from napari_astroseg.gui.workspace import run_window

    run_window(options.images)
    return 0
