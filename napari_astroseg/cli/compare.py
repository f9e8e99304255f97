"""Hold a prediction against other images of the same sky, to see whether it is real.

Every structure is measured against the ring around it in each SURVEY_IMAGE, wherever that lies on
the sky: dark lanes have a negative contrast in the near and mid infrared. PREDICTION is a folder
left by `astroseg predict`, or a FITS file of labelled regions. Leaves the catalogue with columns
for each image, a plot, and compare.html with pictures of the structures.
"""

from __future__ import annotations

import argparse
import json
import math
import re
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_astroseg.errors import OutputError
from napari_astroseg.sky.files.address import Address, spoken_with_hdu

if TYPE_CHECKING:
    from napari_astroseg.sky.comparing.comparison import Comparison, Seen
    from napari_astroseg.sky.comparing.coverage import Coverage

_OURS = re.compile(
    r"catalogue\.ecsv|coverage\.json|contrast\.png|compare\.html|pictures/\d{5,}_\w+\.png"
)
"""What this verb calls its files."""

HELP = "a prediction against other images of its sky"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument(
        "prediction", metavar="PREDICTION", help="folder left by predict, or a FITS file of regions"
    )
    verb.add_argument(
        "images", nargs="+", metavar="SURVEY_IMAGE", help="FITS images: files, URLs, FILE[SCI,1]"
    )
    verb.add_argument("--out", required=True, type=Path, metavar="D", help="folder for the answer")
    verb.add_argument(
        "--original",
        metavar="REGIONS",
        help="regions known before: a FITS map (labels, or 0 and 1), or a folder left by predict",
    )
    verb.add_argument(
        "--ring", type=float, metavar="PX", help="width of the ring (as the structure's, 4 to 16)"
    )
    verb.add_argument(
        "--gap", type=float, default=2.0, metavar="PX", help="between structure and ring (2)"
    )
    verb.add_argument(
        "--max", type=int, default=60, metavar="N", help="structures with pictures (60)"
    )
    verb.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(options: argparse.Namespace) -> int:
    """Open all, measure, and write."""
    from napari_astroseg.cli.progress import Teller, steps_told
    from napari_astroseg.sky.comparing.comparison import compare
    from napari_astroseg.sky.comparing.regionmap import open_prediction, open_regions
    from napari_astroseg.sky.opening import open_image
    from napari_astroseg.sky.surveys.kept import thanked

    begun = time.perf_counter()
    _require_sense(options)
    with steps_told(options.quiet) as progress:
        prediction = open_prediction(options.prediction)
        images = [thanked(open_image(image, progress=progress)) for image in options.images]
        original = open_regions(options.original, progress) if options.original else None
        found = compare(
            prediction, images, original, gap_px=options.gap, ring_px=options.ring,
            progress=progress,
        )  # fmt: skip
        teller = Teller(options.quiet)
        for note in prediction.notes:
            teller.line(note)
        for seen in found.seen:
            teller.line(f"{seen.image.name}: {seen.placed.how.sentence}")
        files = _write(options, found, progress)
        _remove_earlier(options.out, files)
        seconds = time.perf_counter() - begun
        files.append(_write_provenance(options, found, files, seconds))
    print(json.dumps(_told(options, found, files), indent=2) if options.json else _words(found))
    if not options.json:
        print(f"see {options.out}/compare.html")
    return 0


def _require_sense(options: argparse.Namespace) -> None:
    """Refuse what cannot be meant, before anything is opened."""
    if options.max < 0:
        raise OutputError(f"--max {options.max} is no number of structures; give 0 or more")
    if options.out.exists() and not options.out.is_dir():
        raise OutputError(f"{options.out} is a file; give a folder with --out")
    if (options.out / "regions.fits").exists():
        raise OutputError(
            f"{options.out} holds a prediction, whose catalogue stays as it is; "
            "give another folder with --out"
        )


def _write(options: argparse.Namespace, found: Comparison, progress: Any) -> list[Path]:
    """Every file of the answer; each is whole or not there."""
    from napari_astroseg.sky.comparing.page import write_page
    from napari_astroseg.sky.comparing.plot import write_plot
    from napari_astroseg.sky.files.writing import replacing

    out: Path = options.out
    files = [found.catalogue.write(out / "catalogue.ecsv")]
    if found.coverage is not None:
        with replacing(out / "coverage.json") as temporary:
            text = json.dumps(found.coverage.as_dict(), indent=2)
            temporary.write_text(f"{text}\n", encoding="utf-8")
        files.append(out / "coverage.json")
    plot = write_plot(out / "contrast.png", found)
    title = f"{Address.of(options.prediction).name} in other eyes"
    pages = write_page(out / "compare.html", found, title, plot, options.max, progress)
    return [*files, plot, *pages]


def _remove_earlier(out: Path, files: list[Path]) -> None:
    """Take away what an earlier run says it left in the folder, and this one has not written."""
    try:
        content = json.loads((out / "provenance.json").read_text(encoding="utf-8"))
        names = content["outputs"] if content["command"]["verb"] == "compare" else []
        earlier = {out / name for name in names if _OURS.fullmatch(name)}
    except (OSError, ValueError, KeyError, TypeError):
        return
    here = out.resolve()
    for path in earlier - set(files):
        inside = path.parent.resolve() in (here, here / "pictures")  # not by a link to elsewhere
        if inside and path.is_file():
            path.unlink()


def _write_provenance(
    options: argparse.Namespace, found: Comparison, files: list[Path], seconds: float
) -> Path:
    """What the answer was made from and with."""
    from napari_astroseg.engine.provenance import record
    from napari_astroseg.sky.files.writing import replacing

    first, *images = map(Address.of, (options.prediction, *options.images))
    last = [Address.of(options.original)] if options.original else []
    regions = [first, *last]
    paths = [
        each.path / "regions.fits" if each.is_folder and each in regions else each.path
        for each in (first, *images, *last)
        if not each.remote
    ]
    command = {
        "verb": "compare",
        "prediction": spoken_with_hdu(options.prediction),
        "images": [spoken_with_hdu(image) for image in options.images],
        "original": options.original and spoken_with_hdu(options.original),
        "gap_px": options.gap,
        "ring_px": options.ring,
        "line": options.command,
    }
    source = found.prediction.source
    if source is not None and not source.remote:
        paths.append(source.path)
    inputs = [path for path in dict.fromkeys(paths) if path.is_file()]
    content = record(command, inputs, files, seconds)
    content["outputs"] = [path.relative_to(options.out).as_posix() for path in files]
    path: Path = options.out / "provenance.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def _words(found: Comparison) -> str:
    lines = [seen.sentence for seen in found.seen]
    return "\n".join(lines + ([found.coverage.sentence] if found.coverage is not None else []))


def _told(options: argparse.Namespace, found: Comparison, files: list[Path]) -> dict[str, Any]:
    """What was written, for scripts."""
    return {
        "out": str(options.out),
        "structures": len(found.catalogue),
        "images": [_image(seen) for seen in found.seen],
        "coverage": None if found.coverage is None else _covered(found.coverage),
        "files": [path.relative_to(options.out).as_posix() for path in files],
    }


def _covered(coverage: Coverage) -> dict[str, Any]:
    """All of it but the single structures."""
    told = coverage.as_dict()
    return {name: told[name] for name in ("unit", "area", "structures")}


def _image(seen: Seen) -> dict[str, Any]:
    middle = seen.middle
    return {
        "name": seen.image.name,
        "key": seen.key,
        "alignment": seen.placed.how.sentence,
        "error_px": seen.placed.how.error_px if seen.placed.how.kind != "pixels" else None,
        "measured": seen.contrast.measured,
        "with_contrast": seen.contrasted,
        "median_contrast": middle if math.isfinite(middle) else None,
        "darker": seen.darker,
        "brighter": seen.brighter,
    }
