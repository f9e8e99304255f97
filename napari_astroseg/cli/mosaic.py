"""Put tiles together into one FITS file.

Tiles whose grids differ by whole pixels are placed as they are; others are resampled onto a common
grid. A TILE is a file, FILE[n] for a chip of a file, a pattern, or a folder of FITS files.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from napari_astroseg.sky.image import SkyImage

HELP = "many tiles as one file"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("tiles", nargs="+", metavar="TILE", help="FITS files, FILE[n], folders")
    verb.add_argument("--out", required=True, type=Path, metavar="F", help="the file to write")
    verb.add_argument(
        "--match-background",
        nargs="?",
        const="offset",
        choices=("offset", "plane"),
        help="add an offset (or a plane) to each tile so that overlaps agree",
    )
    verb.add_argument("--projection", metavar="CODE", help="of the common grid: TAN, SIN, CAR, …")
    verb.add_argument(
        "--scale", type=float, metavar="ARCSEC", help="side of its pixels (the finest tile's)"
    )
    verb.add_argument("--footprint", type=Path, metavar="F", help="also write tiles per pixel")
    verb.add_argument("--no-compress", action="store_true", help="write a plain image")
    verb.add_argument("--resume", action="store_true", help="go on where a run was stopped")
    verb.add_argument(
        "--overwrite",
        "--force",
        dest="force",
        action="store_true",
        help="replace files that are there",
    )
    verb.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(options: argparse.Namespace) -> int:
    """Open the tiles, write the mosaic, and the footprint if it is asked for."""
    from napari_astroseg.cli.progress import Teller, steps_told
    from napari_astroseg.errors import OutputError
    from napari_astroseg.sky.mosaics.mosaic import footprint, open_mosaic
    from napari_astroseg.sky.mosaics.mosaicfile import require_free
    from napari_astroseg.sky.mosaics.tilelist import tile_places

    if options.footprint and options.footprint.resolve() == options.out.resolve():
        raise OutputError(
            f"{options.out} cannot hold the mosaic and its footprint; give --footprint another name"
        )
    if not (options.force or options.resume):  # before tiles are compared, which may take a while
        for name in filter(None, (options.out, options.footprint)):
            require_free(name)
    match: Any = {None: False, "offset": True}.get(options.match_background, "plane")
    with steps_told(options.quiet) as progress:
        image = open_mosaic(
            tile_places(options.tiles),
            match_background=match,
            projection=options.projection and options.projection.upper(),
            scale=options.scale,
            progress=progress,
        )
    teller = Teller(options.quiet)
    for note in image.notes:
        teller.line(note)
    _write(options, image, options.out)
    if options.footprint:
        _write(options, footprint(image), options.footprint, "int16")
    print(json.dumps(_told(options, image), indent=2) if options.json else _words(options, image))
    return 0


def _write(
    options: argparse.Namespace, image: SkyImage, out: Path, dtype: str | None = None
) -> None:
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.sky.mosaics.mosaicfile import write_mosaic

    written = write_mosaic(
        image,
        out,
        compress=not options.no_compress,
        resume=options.resume,
        overwrite=options.force,
        dtype=dtype,
    )
    with steps_told(options.quiet) as progress:
        for band in written:
            progress(f"writing {out.name}", band.done, band.total)


def _words(options: argparse.Namespace, image: SkyImage) -> str:
    height, width = image.shape
    beside = f" and {options.footprint}" if options.footprint else ""
    return f"{width} × {height} px in {options.out}{beside}"


def _told(options: argparse.Namespace, image: SkyImage) -> dict[str, Any]:
    """What was written, for scripts."""
    from napari_astroseg.sky.mosaics.mosaic import tiled

    assert image.wcs is not None
    return {
        "out": str(options.out),
        "footprint": str(options.footprint) if options.footprint else None,
        "shape": list(image.shape),
        "unit": image.unit,
        "projection": "/".join(image.wcs.wcs.ctype),
        "pixel_scale_arcsec": image.pixel_scale_arcsec,
        "tiles": [
            {
                "name": tile.name,
                "window": [tile.window.x, tile.window.y, tile.window.width, tile.window.height],
                "factor": tile.factor,
                "offset": tile.level.offset,
                "slope_x": tile.level.slope_x,
                "slope_y": tile.level.slope_y,
            }
            for tile in tiled(image).tiles
        ],
        "notes": list(image.notes),
    }
