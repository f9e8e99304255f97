"""Provenance: what an answer was made from and with, so that it can be made again."""

from __future__ import annotations

import hashlib
import json
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from napari_astroseg import __version__
from napari_astroseg.errors import OutputError
from napari_astroseg.sky.files.writing import replacing

if TYPE_CHECKING:
    from napari_astroseg.engine.model import Model
    from napari_astroseg.sky.image import SkyImage

_PACKAGES = ("astropy", "numpy", "scikit-image", "scipy", "torch")


def versions() -> dict[str, str]:
    """Versions of this package, Python, and the libraries that an answer depends on."""
    ours = {"napari-astroseg": __version__, "python": platform.python_version()}
    return ours | {name: version(name) for name in _PACKAGES}


def file_digest(path: Path) -> str:
    """SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def record(
    command: dict[str, Any], inputs: list[Path], outputs: list[Path], seconds: float
) -> dict[str, Any]:
    """The content of `provenance.json`.

    Parameters
    ----------
    command
        The verb and its arguments, enough to run it again.
    inputs, outputs
        Files read and written; inputs are told with their digests.
    """
    return {
        "command": command,
        "inputs": [{"path": str(path), "sha256": file_digest(path)} for path in inputs],
        "outputs": [path.name for path in outputs],
        "versions": versions(),
        "machine": {"system": platform.platform(), "processor": platform.machine()},
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
        "seconds": round(seconds, 2),
    }


def write_provenance(
    out: Path,
    model: Model,
    image: SkyImage,
    command: dict[str, Any],
    files: list[Path],
    seconds: float,
) -> Path:
    """Write the `provenance.json` of an answer, with its model and recipe."""
    places = [image.plane(number).reference for number in range(image.count)]
    sources = [place.path for place in places if place is not None and place.path is not None]
    inputs = [model.card.path] if model.card.path is not None else []
    inputs += list(dict.fromkeys(sources))
    path = out / "provenance.json"
    content = record(command, [p for p in inputs if p.is_file()], files, seconds)
    content["model"] = {"name": model.card.name, "digest": model.digest}
    asked = command.get("threshold")
    content["threshold"] = model.card.threshold if asked is None else asked
    content["recipe"] = model.recipe.model_dump(mode="json")
    with replacing(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
    return path


def require_free(out: Path, command: dict[str, Any], digest: str) -> None:
    """Refuse a folder that holds another answer than what this command would make again.

    Parameters
    ----------
    digest
        Of the model.

    Raises
    ------
    OutputError
        When it holds one, or files of one that nothing tells the origin of.
    """
    path = out / "provenance.json"
    if path.exists():
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            same = told["model"]["digest"] == digest
            if same and _asked(told["command"]) == _asked(json.loads(json.dumps(command))):
                return
            held = f"an answer of {told['model']['name']} on {told['command']['image'] or 'bands'}"
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            held = "an answer"
    elif any((out / name).exists() for name in ("probability.fits", "catalogue.ecsv")):
        held = "files of a prediction"
    else:
        return
    raise OutputError(
        f"{out} holds {held}, asked for otherwise; give another --out, keep its tiles with "
        "--resume, or replace it with --overwrite"
    )


def _asked(command: dict[str, Any]) -> dict[str, Any]:
    """What of a command changes its answer."""
    return {key: value for key, value in command.items() if key not in ("line", "device", "force")}
