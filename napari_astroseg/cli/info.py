"""What FITS files hold and how they will be read; no pixels beyond a coarse sample are touched."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from napari_astroseg.errors import ImageError

HELP = "what FITS files hold"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("files", nargs="+", metavar="FILE", help="FITS files")
    verb.add_argument("--json", action="store_true", help="print a JSON list, one object per file")


def run(options: argparse.Namespace) -> int:
    """Describe every file; a file that cannot be read does not keep the others from it."""
    from napari_astroseg.sky.info import describe

    told, status = [], 0
    for file in options.files:
        try:
            told.append(describe(file))
        except ImageError as error:
            print(f"error: {error}", file=sys.stderr)
            told.append({"path": file, "kind": "none", "images": [], "notes": [str(error)]})
            status = 1
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        print("\n".join(_words(each) for each in told if each["images"] or not status))
    return status


def _words(told: dict[str, Any]) -> str:
    lines = [f"{told['path']}: {told['kind']}"]
    for image in told["images"]:
        height, width = image["shape"]
        scale = image["pixel_scale_arcsec"]
        parts = [
            f"{width} × {height} px",
            image["dtype"],
            image["unit"] or "no unit",
            image["projection"] or "no sky coordinates",
        ]
        if scale is not None:
            parts.append(f"{scale:.4g}″/px")
        if image["centre"] is not None:
            lon, lat = image["centre"]
            parts.append(f"centre {lon:.4f}, {lat:.4f} deg {image['frame']}")
        parts.append(f"{image['missing_fraction']:.1%} missing")
        name = f" “{image['name']}”" if image["name"] else ""
        lines.append(f"  HDU {image['hdu']}{name}: " + ", ".join(parts))
    return "\n".join(lines + [f"  note: {note}" for note in told["notes"]])
