"""What FITS files hold and how they will be read; no pixels beyond a coarse sample are touched."""

from __future__ import annotations

import argparse
import json
import math
import sys
from typing import Any

from napari_astroseg.errors import AstroSegError

HELP = "what FITS files hold"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="FITS files, URLs, HiPS folders, zarr stores of predictions; FILE[SCI,1]",
    )
    verb.add_argument("--json", action="store_true", help="print a JSON list, one object per file")


def run(options: argparse.Namespace) -> int:
    """Describe every file; a file that cannot be read does not keep the others from it."""
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.sky.info import describe

    told, failed = [], []
    for file in options.files:
        try:
            with steps_told(options.quiet) as progress:
                told.append(describe(file, progress))
        except AstroSegError as error:
            print(f"error: {error}", file=sys.stderr)
            notes = [str(error)]
            failed.append(
                {"path": file, "kind": "none", "images": [], "tables": [], "notes": notes}
            )
            told.append(failed[-1])
    if options.json:
        print(json.dumps(told, indent=2))
    elif len(told) > len(failed):
        print("\n".join(_words(each) for each in told if each not in failed))
    return 1 if failed else 0


def _words(told: dict[str, Any]) -> str:
    lines = [f"{told['path']}: {told['kind']}"]
    lines += [_image(image) for image in told["images"]]
    lines += [_table(table) for table in told["tables"]]
    return "\n".join(lines + [f"  note: {note}" for note in told["notes"]])


def _image(image: dict[str, Any]) -> str:
    parts = [
        _size(image),
        image["dtype"],
        image["unit"] or "no unit",
        image["projection"] or "no sky coordinates",
    ]
    if image["pixel_scale_arcsec"] is not None:
        parts.append(_pixel(*image["pixel_sides_arcsec"]))
    if image["centre"] is not None:
        lon, lat = image["centre"]
        parts.append(f"centre {lon:.4f}, {lat:.4f} deg {image['frame']}")
    missing = image["missing_fraction"]
    parts.append("values unreadable" if missing is None else f"about {missing:.1%} missing")
    if image["role"] in ("uncertainty", "mask"):
        parts.append(image["role"])
    relatives = [what for what in ("uncertainty", "mask") if image[what] is not None]
    parts += [f"{what} in HDU {image[what]}" for what in relatives]
    return f"  HDU {image['hdu']}{_quoted(image['name'], image['version'])}: " + ", ".join(parts)


def _size(image: dict[str, Any]) -> str:
    """`256 × 192 px`, with the planes of a stack before it."""
    width, height = image["width"], image["height"]
    planes = image["planes"]
    if planes is None:
        return f"{width} × {height} px"
    banded = planes["axis"] == "band" and planes["labels"] is not None
    names = ", ".join(planes["labels"]) if banded else f"{planes['first']} to {planes['last']}"
    what = "bands" if planes["axis"] == "band" else f"planes of {planes['axis']}"
    return f"{planes['count']} {what} ({names}) of {width} × {height} px"


def _table(table: dict[str, Any]) -> str:
    size = f"{_counted(table['rows'], 'row')}, {_counted(len(table['columns']), 'column')}"
    return f"  HDU {table['hdu']}{_quoted(table['name'])}: table, {size}"


def _counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


def _quoted(name: str, version: int = 1) -> str:
    """A name behind the number of its HDU, with its version where that is not the first."""
    if not name:
        return ""
    return f" “{name}”" if version == 1 else f" “{name},{version}”"


def _pixel(width: float, height: float) -> str:
    """The size of a pixel in words; both sides where they differ."""
    if abs(width - height) > 0.01 * width:
        return f"{width:.4g}″ × {height:.4g}″/px"
    return f"{math.sqrt(width * height):.4g}″/px"
