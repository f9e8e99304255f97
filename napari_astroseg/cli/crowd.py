"""Count how many people marked each pixel of an image, and tell how well they agree.

MARKS are folders of marks on one image, one or more people's each, as the window keeps them.
Painted labels and shapes count alike; whoever has a folder is taken to have looked for everything.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_astroseg.errors import OutputError, VoteError

if TYPE_CHECKING:
    from napari_astroseg.sky.votes.agreement import Agreement
    from napari_astroseg.sky.votes.crowd import Crowd

HELP = "several people's marks of one image as votes, and how well they agree"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("marks", nargs="+", type=Path, metavar="MARKS", help="folders of marks")
    verb.add_argument(
        "--out", required=True, type=Path, metavar="F", help="FITS map of counts to write"
    )
    verb.add_argument("--class", dest="kind", metavar="NAME", help="one class alone (all)")
    verb.add_argument(
        "--at-least",
        type=int,
        default=1,
        metavar="N",
        help="people who must have marked an object to compare them on (1)",
    )
    verb.add_argument("--objects", type=Path, metavar="F", help="also write a catalogue of objects")
    verb.add_argument(
        "--gz3d", type=Path, metavar="F", help="also write it in the layout of Galaxy Zoo 3D"
    )
    verb.add_argument(
        "--as",
        dest="names",
        action="append",
        default=[],
        metavar="CLASS=KIND",
        help="what a class is there: center, star, spiral or bar",
    )
    verb.add_argument("--image", metavar="IMAGE", help="what they saw, for its picture there")
    verb.add_argument("--overwrite", action="store_true", help="replace files that are there")
    verb.add_argument("--json", action="store_true", help="print what was found as JSON")


def run(options: argparse.Namespace) -> int:
    """Count, compare, and write."""
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.sky.opening import open_image
    from napari_astroseg.sky.votes.crowd import open_crowd
    from napari_astroseg.sky.votes.crowdfile import (
        crowd_files,
        objects_of,
        write_crowd,
        write_crowd_gz3d,
    )

    names = dict(_name(word) for word in options.names)
    with steps_told(options.quiet) as progress:
        crowd = open_crowd(options.marks, progress=progress)
        kinds = (options.kind,) if options.kind else crowd.classes
        if options.objects is not None:
            _require_objects(crowd, kinds)
        if not options.overwrite:
            named = [path for path in (options.gz3d, options.objects) if path is not None]
            _require_free([*crowd_files(options.out, kinds), *named])
        several = len(crowd.people) > 1
        found = {kind: crowd.agreement(kind, options.at_least) for kind in kinds if several}
        more: list[Path] = []
        if options.gz3d is not None:
            image = open_image(options.image, progress=progress) if options.image else None
            more.append(write_crowd_gz3d(crowd, options.gz3d, image=image, names=names))
        if options.objects is not None:
            more.append(objects_of(crowd, found[kinds[0]]).write(options.objects))
        files = [*write_crowd(crowd, options.out, kinds, progress=progress), *more]
    told = _told(crowd, found, files)
    print(json.dumps(told, indent=2) if options.json else "\n".join(_words(told)))
    return 0


def _require_free(files: Sequence[Path]) -> None:
    """Refuse to replace what is there, before anything is written."""
    there = [path for path in files if path.exists()]
    if there:
        raise OutputError(f"{there[0]} is there already; name another file, or add --overwrite")


def _require_objects(crowd: Crowd, kinds: Sequence[str]) -> None:
    """Refuse a catalogue of objects that there cannot be, before anything is written."""
    if len(crowd.people) < 2:
        raise VoteError("one person alone agrees with nobody; give the marks of two or more")
    if len(kinds) != 1:
        raise VoteError(
            f"objects are those of one class, and there are {', '.join(kinds) or 'none'}; "
            "name one with --class"
        )


def _name(word: str) -> tuple[str, str]:
    kind, equals, place = word.partition("=")
    if not (kind and equals and place):
        raise VoteError(f"--as {word} names no class and kind; write it as filament=spiral")
    return kind, place


def _told(crowd: Crowd, found: dict[str, Agreement], files: list[Path]) -> dict[str, Any]:
    """What was found, for scripts; null for a figure that there is none of."""
    classes = {}
    for kind, each in found.items():
        pairs = [
            {
                "first": str(row["first"]),
                "second": str(row["second"]),
                "dice": _figure(row["dice"]),
                "kappa": _figure(row["kappa"]),
            }
            for row in each.pairs
        ]
        classes[kind] = {
            "objects": len(each.objects),
            "fleiss": _figure(each.fleiss),
            "pairs": pairs,
        }
    people = [{"name": each.name, "time": each.time.isoformat()} for each in crowd.people]
    return {"people": people, "classes": classes, "files": [str(path) for path in files]}


def _words(told: dict[str, Any]) -> list[str]:
    names = ", ".join(each["name"] for each in told["people"])
    people = len(told["people"])
    lines = [f"{people} {'person' if people == 1 else 'people'}: {names}"]
    for kind, each in told["classes"].items():
        count = f"{each['objects']} object{'s' * (each['objects'] != 1)}"
        lines.append(f"{kind}: {count}, Fleiss' kappa {_spoken(each['fleiss'])}")
        lines += [
            f"  {pair['first']} and {pair['second']}: Dice {_spoken(pair['dice'])}, "
            f"kappa {_spoken(pair['kappa'])}"
            for pair in each["pairs"]
        ]
    return [*lines, *(f"wrote {path}" for path in told["files"])]


def _figure(value: float) -> float | None:
    return float(value) if math.isfinite(value) else None


def _spoken(value: float | None) -> str:
    return "none" if value is None else f"{value:.3f}"
