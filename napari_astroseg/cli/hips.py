"""Write an image as a HiPS: a folder of HEALPix tiles that Aladin and this window zoom into."""

from __future__ import annotations

import argparse
from pathlib import Path

HELP = "an image as a HiPS"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("image", metavar="IMAGE", help="FITS file, FILE[SCI,1], a prediction.zarr")
    verb.add_argument("--out", required=True, type=Path, metavar="D", help="folder of the HiPS")
    verb.add_argument("--plane", type=int, metavar="N", help="plane of a cube or band (0-based)")
    verb.add_argument(
        "--frame", choices=("galactic", "equatorial"), help="of its grid (the image's own)"
    )


def run(options: argparse.Namespace) -> int:
    """Open the image and write its HiPS."""
    from napari_astroseg.sky.opening import open_image
    from napari_astroseg.sky.spheres.hipswriting import write_hips

    image = open_image(options.image)
    if options.plane is not None:
        image = image.plane(options.plane)
    print(write_hips(image, options.out, options.frame))
    return 0
