"""Put one image on the pixels of another and write it as FITS.

Positions are those of an affine map where it is measured to lie within --tolerance of the exact
ones all over the frame, else the exact ones. Images without sky coordinates are matched pixel by
pixel (--pixels), or by points that are the same in both (--anchors).
"""

from __future__ import annotations

import argparse
import csv
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_astroseg.errors import CatalogueError, ImageError, OutputError
from napari_astroseg.sky.files.address import Address

if TYPE_CHECKING:
    from napari_astroseg.sky.grids.align import Aligned
    from napari_astroseg.sky.grids.anchors import Pair
    from napari_astroseg.sky.image import SkyImage

HELP = "one image on the pixels of another"

COLUMNS = ("x", "y", "onto_x", "onto_y")
"""Of a table of anchors: pixels of IMAGE, and of REFERENCE."""


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("image", metavar="IMAGE", help="what to show: a file, URL or FILE[SCI,1]")
    verb.add_argument(
        "--onto", required=True, metavar="REFERENCE", help="whose pixels to show it on"
    )
    verb.add_argument("--out", required=True, type=Path, metavar="F", help="the file to write")
    verb.add_argument(
        "--sampling",
        choices=("bilinear", "nearest"),
        help="how values are taken (nearest for labels and masks, else bilinear)",
    )
    verb.add_argument(
        "--tolerance",
        type=float,
        metavar="PX",
        help="how far an affine map may be off; 0 for exact positions (0.25)",
    )
    verb.add_argument(
        "--conserve-flux",
        action="store_true",
        help="values are sums over a pixel (counts): scale them with its area",
    )
    match = verb.add_mutually_exclusive_group()
    match.add_argument("--pixels", action="store_true", help="pixel on pixel; the sky is not asked")
    match.add_argument(
        "--anchors",
        type=Path,
        metavar="FILE.csv",
        help=f"by pairs of points: columns {', '.join(COLUMNS)}, 0-based pixels",
    )
    verb.add_argument("--plane", type=int, metavar="N", help="plane of a cube or band (0-based)")
    verb.add_argument("--compress", action="store_true", help="in tiles, without loss (GZIP_2)")
    verb.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    verb.add_argument(
        "--overwrite",
        "--force",
        dest="force",
        action="store_true",
        help="replace a file that is there",
    )
    verb.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(options: argparse.Namespace) -> int:
    """Open both, align, and write."""
    from napari_astroseg.cli.progress import Teller, steps_told
    from napari_astroseg.sky.mosaics.mosaicfile import require_free, write_mosaic
    from napari_astroseg.sky.opening import open_image

    _require_sense(options)
    if not (options.force or options.resume):
        require_free(options.out)
    with steps_told(options.quiet) as progress:
        image = _plane(open_image(options.image, progress=progress), options.plane)
        onto = open_image(options.onto, progress=progress)
        aligned = _aligned(options, image, onto)
    Teller(options.quiet).line(f"{image.name} on {onto.name}: {aligned.how.sentence}")
    written = write_mosaic(
        aligned.image,
        options.out,
        compress=options.compress,
        resume=options.resume,
        overwrite=options.force,
    )
    with steps_told(options.quiet) as progress:
        for band in written:
            progress(f"writing {options.out.name}", band.done, band.total)
    print(
        json.dumps(_told(options, aligned), indent=2) if options.json else _words(options, aligned)
    )
    return 0


def _require_sense(options: argparse.Namespace) -> None:
    """Refuse what cannot be meant, before anything is opened."""
    by_hand = "--pixels" if options.pixels else "--anchors" if options.anchors else ""
    if by_hand and (options.conserve_flux or options.tolerance is not None):
        other = "--conserve-flux" if options.conserve_flux else "--tolerance"
        raise ImageError(f"{other} asks for the sky and {by_hand} does without; leave one out")
    reference = Address.of(options.onto)
    here = not reference.remote and reference.path.exists() and options.out.exists()
    if here and reference.path.samefile(options.out):
        raise OutputError(f"{options.out} is the reference; give another name with --out")


def _plane(image: SkyImage, plane: int | None) -> SkyImage:
    """The one plane that is to be written."""
    if plane is None and image.count > 1:
        raise ImageError(
            f"{image.name} is a stack of {image.count} planes; name one with --plane (0-based)"
        )
    return image.plane(plane or 0)


def _aligned(options: argparse.Namespace, image: SkyImage, onto: SkyImage) -> Aligned:
    from napari_astroseg.sky.grids.align import TOLERANCE_PX, align, match_pixels
    from napari_astroseg.sky.grids.anchors import match_anchors

    if options.pixels:
        return match_pixels(image, onto)
    if options.anchors:
        return match_anchors(image, onto, _pairs(options.anchors), options.sampling)
    try:
        return align(
            image,
            onto,
            sampling=options.sampling,
            tolerance_px=TOLERANCE_PX if options.tolerance is None else options.tolerance,
            conserve_flux=options.conserve_flux,
        )
    except ImageError as error:
        if image.wcs is not None and onto.wcs is not None:
            raise
        raise ImageError(f"{error}, or match them with --pixels or --anchors") from error


def _pairs(path: Path) -> list[Pair]:
    """The points of a table."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            rows = [[float(row[name]) for name in COLUMNS] for row in csv.DictReader(file)]
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise CatalogueError(f"{path} cannot be read ({why}); check the name") from error
    except (KeyError, TypeError, ValueError) as error:  # no such column, cells short, no number
        raise CatalogueError(
            f"{path.name} is no table of anchors; give the columns {', '.join(COLUMNS)}, "
            "with 0-based pixels in every row"
        ) from error
    return [((x, y), (onto_x, onto_y)) for x, y, onto_x, onto_y in rows]


def _words(options: argparse.Namespace, aligned: Aligned) -> str:
    height, width = aligned.image.shape
    return f"{width} × {height} px in {options.out} ({aligned.how.told})"


def _told(options: argparse.Namespace, aligned: Aligned) -> dict[str, Any]:
    """What was written, for scripts; null for a figure that there is none of."""
    how = aligned.how
    by_sky = how.kind in ("same", "affine", "exact")
    return {
        "out": str(options.out),
        "shape": list(aligned.image.shape),
        "unit": aligned.image.unit,
        "kind": how.kind,
        "error_px": _figure(how.error_px),
        "tolerance_px": how.tolerance_px if by_sky else None,
        "affine_error_px": _figure(how.affine_error_px),
        "sampling": how.sampling,
        "flux_conserved": how.flux,
        "values": how.values,
        "sentence": how.sentence,
    }


def _figure(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
