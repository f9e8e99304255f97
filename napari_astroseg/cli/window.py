"""Open the window, with images if any are named."""

from __future__ import annotations

import argparse

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.files.address import Address

HELP = "open the window (the default)"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument(
        "images",
        nargs="*",
        metavar="IMAGE",
        help="FITS images to open (files, URLs, FILE[SCI,1]), or a project (NAME.astroseg.json)",
    )


def run(options: argparse.Namespace) -> int:
    """Hand over to the window until it is closed."""
    from napari_astroseg.cli.display import require_display

    for image in options.images:
        address = Address.of(image)
        if not address.remote and not address.path.exists():
            raise ImageError(f"{address.place} is not there; check the name")
    require_display()
    from napari_astroseg.gui.workspace import run_window

    run_window(options.images)
    return 0
