"""Predict on images and leave maps, regions, a catalogue and a picture in a folder.

With several images each gets a folder of its own name inside --out.
"""

from __future__ import annotations

import argparse
import json
import math
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_astroseg.errors import ImageError, OutputError

if TYPE_CHECKING:
    from napari_astroseg.sky.image import SkyImage
    from napari_astroseg.sky.window import Window

HELP = "predict on images, headless"


def add(verb: argparse.ArgumentParser) -> None:
    """Declare the verb's words."""
    verb.add_argument("images", nargs="+", metavar="IMAGE", help="FITS images")
    verb.add_argument("--model", required=True, help="built-in name, run folder or .safetensors")
    verb.add_argument("--out", required=True, type=Path, metavar="D", help="folder for the answer")
    place = verb.add_mutually_exclusive_group()
    place.add_argument("--window", metavar="X,Y,W,H", help="only these pixels (0-based)")
    place.add_argument(
        "--sky",
        metavar="LON,LAT,SIZE",
        help="only this square of sky: degrees in the image's own frame; SIZE may end in ' or \"",
    )
    verb.add_argument("--hdu", help="number or EXTNAME of the image in its file")
    verb.add_argument("--threshold", type=float, help="probability of a region (the model's own)")
    verb.add_argument("--device", default="auto", help="auto, cpu, cuda or mps")
    verb.add_argument("--resume", action="store_true", help="keep the tiles that are done")
    verb.add_argument("--force", action="store_true", help="even if unit or values do not suit")
    verb.add_argument("--json", action="store_true", help="print what was written as JSON")


def run(options: argparse.Namespace) -> int:
    """Predict on each image in turn."""
    from napari_astroseg.engine.model import load_model
    from napari_astroseg.sky.opening import open_image

    folders = _folders(options.images, options.out)
    model = load_model(options.model)
    hdu = int(options.hdu) if options.hdu and options.hdu.isdigit() else options.hdu
    images = [open_image(path, hdu) for path in options.images]
    told = []
    for image, out in zip(images, folders, strict=True):
        told.append(_one(options, model, image, out))
    if options.json:
        print(json.dumps(told, indent=2))
    else:
        for each in told:
            print(f"{each['structures']} regions of interest; see {each['out']}/preview.png")
    return 0


def _folders(images: list[str], out: Path) -> list[Path]:
    """Where each image's answer goes; no two share a folder."""
    if len(images) == 1:
        return [out]
    stems = [Path(image).stem for image in images]
    name, count = Counter(stems).most_common(1)[0]
    if count > 1:
        raise OutputError(
            f"{count} images are called {name!r} and would share the folder {out / name}; "
            "predict them one by one, each with its own --out"
        )
    return [out / stem for stem in stems]


def _one(options: argparse.Namespace, model: Any, image: SkyImage, out: Path) -> dict[str, Any]:
    from napari_astroseg.cli.progress import told
    from napari_astroseg.engine.events import Finished
    from napari_astroseg.engine.outputs import predict_to_folder

    command = {
        "verb": "predict",
        "image": image.reference.place if image.reference else "",
        "hdu": image.reference.hdu if image.reference else None,
        "model": model_anywhere(options.model),
        "window": options.window,
        "sky": options.sky,
        "threshold": options.threshold,
        "device": options.device,
        "force": options.force,
        "line": options.command,
    }
    events = predict_to_folder(
        model,
        image,
        out,
        asked_window(options, image),
        threshold=options.threshold,
        device=options.device,
        resume=options.resume,
        force=options.force,
        command=command,
    )
    result: dict[str, Any] = {}
    for event in told(events, options.quiet):
        if isinstance(event, Finished):
            result = event.result
    return {
        "image": command["image"],
        "out": result["out"],
        "structures": result["structures"],
        "threshold": result["threshold"],
        "files": [path.name for path in result["files"]],
    }


def model_anywhere(name_or_path: str) -> str:
    """A model as it can be named from any folder."""
    from napari_astroseg.engine.card import builtin_models, find_model

    if name_or_path in builtin_models():
        return name_or_path
    return str(find_model(name_or_path).absolute())


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
