"""Look over a folder to learn from: its layout, parts, class balance and digest, what is wrong.

Every image is read once. What is wrong with single files is told, one sentence each, and does not
keep the others out.
"""

from __future__ import annotations

import argparse
import json
import math
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from napari_astroseg.cli import nonbubbles
from napari_astroseg.errors import DataError

if TYPE_CHECKING:
    from napari_astroseg.sky.datasets.card import DatasetCard, PartCounts
    from napari_astroseg.sky.datasets.dataset import Dataset

HELP = "what a folder to learn from holds, and what is wrong with it"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("folder", type=Path, metavar="DIR", help="folder of images with their truth")
    verb.add_argument("--layout", metavar="NAME", help="whose layout (what it looks like)")
    verb.add_argument(
        "--threshold",
        type=int,
        default=3,
        metavar="N",
        help="votes from which a pixel of Galaxy Zoo 3D belongs to a class (3)",
    )
    verb.add_argument(
        "--catalogue", type=Path, metavar="F", help="of bubbles (the .dat file of the folder)"
    )
    nonbubbles.add(verb)
    verb.add_argument("--out", type=Path, metavar="F", help="also write the card as JSON")
    verb.add_argument("--json", action="store_true", help="print card and findings as JSON")


def run(options: argparse.Namespace) -> int:
    """Check the folder, and tell what it holds."""
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.sky.datasets.opening import open_dataset
    from napari_astroseg.sky.files.writing import replacing

    with steps_told(options.quiet) as progress:
        data = open_dataset(
            options.folder,
            options.layout,
            threshold=options.threshold,
            catalogue=options.catalogue,
            progress=progress,
        )
        progress("reading every byte for the digest", 0, None)
        card = data.card
        choice = nonbubbles.chosen(options, data, progress)
    if options.out is not None:
        with replacing(options.out) as temporary:
            temporary.write_text(card.to_json() + "\n", encoding="utf-8")
    if options.json:
        findings = [asdict(finding) for finding in data.findings]
        told = {"card": card.model_dump(), "findings": findings}
        if choice is not None:
            told["non_bubbles"] = nonbubbles.described(*choice)
        print(json.dumps(told, indent=2))
    else:
        classes = [] if choice is None else nonbubbles.told(*choice)
        print("\n".join([*_holds(card), *_report(data), *classes]))
    if not len(data):
        raise DataError(
            f"{options.folder} has nothing that can be learnt from; mend what its report tells"
        )
    return 0


def _holds(card: DatasetCard) -> list[str]:
    """What a dataset holds, in words."""
    lines = [f"{card.name}: {card.layout}, {_counted(card.items, 'image')}, digest {card.digest}"]
    if card.settings:
        told = ", ".join(f"{name} {value:g}" for name, value in card.settings.items())
        lines.append(f"  settings: {told}")
    for part, counts in card.parts.items():
        kept = [_counted(counts.items, "image"), *_pixels(card, part), *_objects(counts)]
        lines.append(f"  {part}: " + "; ".join(kept))
    return lines


def _pixels(card: DatasetCard, part: str) -> list[str]:
    """The class balance of the pixels of a part; nothing where only objects are told apart."""
    counts = card.parts[part]
    if not counts.pixels or not counts.labelled:
        return []
    shares = ", ".join(
        f"{name} {share:.2%}" for name, share in card.balance(part).items() if math.isfinite(share)
    )
    without = f", {counts.unlabelled:,} unlabelled" if counts.unlabelled else ""
    return [f"{shares} of {_counted(counts.labelled, 'labelled pixel')}{without}"]


def _objects(counts: PartCounts) -> list[str]:
    return [_counted(number, kind) for kind, number in counts.objects.items()]


def _report(data: Dataset) -> list[str]:
    """What is wrong, and where."""
    if not data.findings:
        return ["nothing is wrong"]
    out = sum(finding.left_out for finding in data.findings)
    told = f"for {out:,} of which something is left out" if out else "nothing is left out"
    head = f"{_counted(len(data.findings), 'finding')}, {told}:"
    marks = {True: "left out", False: "good to know"}
    return [head, *(f"  {marks[each.left_out]}: {each.sentence}" for each in data.findings)]


def _counted(count: int, what: str) -> str:
    if count == 1:
        return f"1 {what}"
    return f"{count:,} {what[:-1]}ies" if what.endswith("y") else f"{count:,} {what}s"
