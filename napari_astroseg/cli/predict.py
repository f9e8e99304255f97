"""Predict on images and leave maps, regions, a catalogue and a picture in a folder.

With several images each gets a folder of its own name inside --out.
"""

from __future__ import annotations

import argparse
import json
import math
import re
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_astroseg.errors import CatalogueError, ImageError, OutputError, SetupError
from napari_astroseg.sky.files.address import Address, hdu_key, spoken

if TYPE_CHECKING:
    from napari_astroseg.engine.cluster import Cluster
    from napari_astroseg.engine.model import Model
    from napari_astroseg.sky.image import SkyImage
    from napari_astroseg.sky.known import Rule
    from napari_astroseg.sky.window import Window

HELP = "predict on images, headless"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument(
        "images", nargs="+", metavar="IMAGE", help="FITS images: files, URLs, FILE[SCI,1]"
    )
    verb.add_argument(
        "--model",
        required=True,
        action="append",
        help="built-in name, run folder or .safetensors; given again, several are averaged",
    )
    verb.add_argument("--out", required=True, type=Path, metavar="D", help="folder for the answer")
    place = verb.add_mutually_exclusive_group()
    place.add_argument("--window", metavar="X,Y,W,H", help="only these pixels (0-based)")
    place.add_argument(
        "--sky",
        metavar="LON,LAT,SIZE",
        help="only this square of sky: degrees in the image's own frame; SIZE may end in ' or \"",
    )
    verb.add_argument("--hdu", help="number, EXTNAME or EXTNAME,EXTVER of the image in its file")
    verb.add_argument(
        "--bands",
        action="store_true",
        help="the images are the bands of one, in the model's order (24 µm, then 8 µm; or z, r, g)",
    )
    verb.add_argument("--plane", type=int, metavar="N", help="plane of a cube or band (0-based)")
    verb.add_argument(
        "--threshold", type=float, help="probability of a region or an object (the model's own)"
    )
    verb.add_argument(
        "--samples", type=int, metavar="N", help="draws of a probabilistic network (its recipe's)"
    )
    unsure = verb.add_mutually_exclusive_group()
    unsure.add_argument(
        "--ensemble",
        type=int,
        choices=(2, 4, 8),
        metavar="N",
        help="average over N turns and mirrorings, 2, 4 or 8, whose spread is an uncertainty",
    )
    unsure.add_argument(
        "--entropy", action="store_true", help="tell the answer's entropy as its uncertainty"
    )
    verb.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    shared = verb.add_mutually_exclusive_group()
    shared.add_argument(
        "--workers",
        metavar="N",
        help="share the work among N processes of this machine; 1-4: as many as it keeps busy",
    )
    shared.add_argument(
        "--cluster", metavar="ADDRESS", help="share it on a Dask cluster: tcp://HOST:PORT"
    )
    kept = verb.add_mutually_exclusive_group()
    kept.add_argument("--resume", action="store_true", help="keep the tiles that are done")
    kept.add_argument(
        "--overwrite", action="store_true", help="replace another answer that lies in D"
    )
    verb.add_argument(
        "--known",
        type=Path,
        metavar="CATALOGUE",
        help="tell known objects from new ones, by boxes of this catalogue",
    )
    rule = verb.add_mutually_exclusive_group()
    rule.add_argument(
        "--known-share",
        type=float,
        metavar="F",
        help="known is what covers this share of a known one's box (a third)",
    )
    rule.add_argument(
        "--known-within",
        metavar="ANGLE",
        help="known is what has its centre so near to a known one's: degrees, or with ' or \"",
    )
    verb.add_argument("--force", action="store_true", help="even if unit or values do not suit")
    verb.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(options: argparse.Namespace) -> int:
    """Predict on each image in turn."""
    told = answers(options)
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        for each in told:
            found = _counted(each["structures"], each["what"])
            if each["known"] is not None:
                found += f", {each['known']} known and {each['structures'] - each['known']} new"
            print(f"{found}; see {each['out']}/preview.png")
    return 0


def answers(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Predict on each image in turn; what was found and written, plain values for JSON."""
    from napari_astroseg.cli.progress import steps_told
    from napari_astroseg.sky.opening import open_bands, open_image

    hdu = hdu_key(options.hdu, f"--hdu {options.hdu}") if options.hdu else None
    addresses = [Address.of(image, hdu) for image in options.images]
    folders = _folders(addresses[: 1 if options.bands else None], options.out)
    model = asked_model(options)
    with steps_told(options.quiet) as progress:
        if options.bands:
            images = [open_bands(addresses)]
        else:
            images = [open_image(address, progress=progress) for address in addresses]
    if options.plane is not None:
        images = [image.plane(options.plane) for image in images]
    return [
        _one(options, addresses, model, image, out)
        for image, out in zip(images, folders, strict=True)
    ]


def _folders(addresses: list[Address], out: Path) -> list[Path]:
    """Where each image's answer goes; no two share a folder, nor would where case is ignored."""
    if len(addresses) == 1:
        return [out]
    stems = [_stem(address) for address in addresses]
    folded, count = Counter(stem.casefold() for stem in stems).most_common(1)[0]
    name = next(stem for stem in stems if stem.casefold() == folded)
    if count > 1:
        raise OutputError(
            f"{count} images are called {name!r} and would share the folder {out / name}; "
            "predict them one by one, each with its own --out"
        )
    return [out / stem for stem in stems]


def _stem(address: Address) -> str:
    """The file's name without its ending, and the HDU where one is named: `map_SCI_1`."""
    key = address.hdu if isinstance(address.hdu, tuple) else (address.hdu,)
    parts = [str(part) for part in key if part is not None]
    return "_".join([Path(address.name).stem, *(re.sub(r"\W", "-", part) for part in parts)])


def _one(
    options: argparse.Namespace, addresses: list[Address], model: Any, image: SkyImage, out: Path
) -> dict[str, Any]:
    from napari_astroseg.cli.progress import told
    from napari_astroseg.engine.events import Finished
    from napari_astroseg.engine.outputs import predict_to_folder
    from napari_astroseg.engine.provenance import require_free

    command = {
        "verb": "predict",
        "image": spoken(image.reference.place) if image.reference else "",
        "bands": [spoken(address.place) for address in addresses] if options.bands else None,
        "hdu": image.reference.hdu if image.reference else None,
        "plane": image.reference.plane if image.reference else None,
        "model": model_anywhere(options.model[0]),
        "others": [model_anywhere(name) for name in options.model[1:]] or None,
        "window": options.window,
        "sky": options.sky,
        "samples": options.samples,
        "ensemble": options.ensemble,
        "entropy": options.entropy,
        "threshold": options.threshold,
        "device": options.device,
        "known": None if options.known is None else str(options.known.absolute()),
        "known_share": options.known_share,
        "known_within": options.known_within,
        "force": options.force,
        "line": options.command,
    }
    rule = asked_rule(options)
    if not (options.resume or options.overwrite):
        require_free(out, command, model.digest)
    events = predict_to_folder(
        model,
        image,
        out,
        asked_window(options, image),
        threshold=options.threshold,
        device=asked_device(options),
        resume=options.resume,
        force=options.force,
        command=command,
    )
    result: dict[str, Any] = {}
    for event in told(events, options.quiet):
        if isinstance(event, Finished):
            result = event.result
    known = None
    if options.known is not None:
        from napari_astroseg.sky.known import marked_file

        known = marked_file(Path(result["out"]) / "catalogue.ecsv", options.known, image, rule)
    return {
        "image": command["image"],
        "known": known,
        "out": result["out"],
        "structures": result["structures"],
        "what": "objects" if "objects" in result else "regions",
        "threshold": result["threshold"],
        "files": [path.name for path in result["files"]],
    }


def _counted(count: int, what: str) -> str:
    return f"{count} {what.removesuffix('s') if count == 1 else what}"


def model_anywhere(name_or_path: str) -> str:
    """A model as it can be named from any folder."""
    from napari_astroseg.engine.card import builtin_models, find_model

    if name_or_path in builtin_models():
        return name_or_path
    return str(find_model(name_or_path).absolute())


def asked_model(options: argparse.Namespace) -> Model:
    """The model, or several as one, and how it tells its uncertainty."""
    from napari_astroseg.engine.model import load_model

    first, *others = (load_model(name) for name in options.model)
    model = first.joined(others) if others else first
    if options.samples is not None:
        model = model.drawing(options.samples)
    if options.ensemble is not None:
        model = model.turned(options.ensemble)
    return model.doubting() if options.entropy else model


def asked_device(options: argparse.Namespace) -> str | Cluster:
    """Where --device, --workers and --cluster have the work done."""
    from napari_astroseg.engine.cluster import Cluster

    if options.workers is None and options.cluster is None:
        return str(options.device)
    if options.workers is None:
        return Cluster(0, options.cluster, options.device)
    least, dash, most = str(options.workers).rpartition("-")
    try:
        return Cluster(int(most), device=options.device, least=int(least) if dash else None)
    except ValueError as error:
        raise SetupError(
            f"--workers takes a number of processes, as 4, or the least and the most, as 1-4, not "
            f"{options.workers!r}"
        ) from error


def asked_rule(options: argparse.Namespace) -> Rule:
    """By what --known-share or --known-within say that a detection is known."""
    from napari_astroseg.sky.known import SHARE, Rule

    rule = options.known_share is not None or options.known_within is not None
    if rule and options.known is None:
        raise CatalogueError(
            "--known-share and --known-within say how --known is compared; give its catalogue"
        )
    if options.known_within is not None:
        (degrees,) = numbers(options.known_within, 1, "--known-within ANGLE")
        return Rule(within_arcsec=3600 * degrees)
    return Rule(SHARE if options.known_share is None else options.known_share)


def asked_window(options: argparse.Namespace, image: SkyImage) -> Window | None:
    """The window that --window or --sky names; None means all of the image."""
    from napari_astroseg.sky.window import Window

    if options.window:
        x, y, width, height = (round(n) for n in numbers(options.window, 4, "--window X,Y,W,H"))
        return Window(x, y, width, height)
    if options.sky:
        lon, lat, size = numbers(options.sky, 3, "--sky LON,LAT,SIZE")
        return image.window_on_sky(lon, lat, size)
    return None


def numbers(text: str, count: int, form: str) -> list[float]:
    """Comma-separated finite numbers; a minute or second mark divides one by 60 or 3600."""
    parts = [part.strip() for part in text.split(",")]
    try:
        if len(parts) != count:
            raise ValueError
        scale = {"'": 1 / 60, '"': 1 / 3600}
        found = [float(p.rstrip("'\"")) * scale.get(p[-1:], 1.0) for p in parts]
        if not all(map(math.isfinite, found)):
            raise ValueError
        return found
    except ValueError as error:
        raise ImageError(
            f"{form} takes {count} finite numbers between commas (degrees for the sky; a ' or \" "
            f"behind one makes it arcminutes or arcseconds), not {text!r}"
        ) from error
