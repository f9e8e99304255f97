"""Files: an evaluation in a folder, written and read again."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from napari_astroseg.engine.report.drawing import drawn
from napari_astroseg.engine.report.figures import rows_of
from napari_astroseg.engine.report.page import page
from napari_astroseg.engine.report.plots import plots_of
from napari_astroseg.errors import DataError
from napari_astroseg.sky.files.writing import replacing_folder
from napari_astroseg.sky.progress import Progress, silent

JSON_FILE, PAGE_FILE = "evaluation.json", "evaluation.html"

_LARGEST = 64 * 2**20
_PARTS = {"recipe": str, "model": str, "data": str, "figures": dict, "errors": dict}


def as_json(told: Mapping[str, Any]) -> str:
    """An evaluation as JSON text, null for figures that do not exist: JSON knows no NaN."""
    return json.dumps(_without_nan(dict(told)), indent=2, allow_nan=False, ensure_ascii=False)


def write_report(folder: Path, told: Mapping[str, Any], progress: Progress = silent) -> list[Path]:
    """Write an evaluation into a folder: JSON, page, and each plot as PNG and SVG.

    Parameters
    ----------
    told
        What `evaluate` tells, and its `provenance`.

    Returns
    -------
    The files, JSON and page first.

    Raises
    ------
    OutputError
        When the folder cannot be written to.
    """
    text = as_json(told)
    kept, plots = json.loads(text), plots_of(json.loads(text))
    pictures = []
    for number, plot in enumerate(plots):
        progress("drawing plots", number, len(plots))
        pictures.append(drawn(plot))
    contents = {JSON_FILE: f"{text}\n".encode()}
    svgs = [(plot, made["svg"]) for plot, made in zip(plots, pictures, strict=True)]
    contents[PAGE_FILE] = page(kept, svgs).encode()
    for plot, made in zip(plots, pictures, strict=True):
        stem = re.sub(r"[^\w-]+", "-", plot.name)  # classes' names are in it
        contents |= {f"{stem}.{kind}": content for kind, content in made.items()}
    with replacing_folder(folder) as making:
        for name, content in contents.items():
            (making / name).write_bytes(content)
    return [folder / name for name in contents]


def read_evaluation(path: Path) -> dict[str, Any]:
    """An evaluation, from its JSON file or the folder that holds it.

    Raises
    ------
    DataError
        When there is none, or it cannot be shown.
    """
    file = path / JSON_FILE if path.is_dir() else path
    try:
        if file.stat().st_size > _LARGEST:
            raise ValueError("it is too large")
        told = json.loads(file.read_text(encoding="utf-8"))
        for part, kind in _PARTS.items():
            if not isinstance(told[part], kind):
                raise TypeError(f"its {part} is no {kind.__name__}")
        told.setdefault("provenance", {})
        page(told, [])  # whatever is asked of it later is asked here
        rows_of(told)
        plots_of(told)
    except OSError as error:
        raise DataError(
            f"{file} cannot be read ({(error.strerror or str(error)).lower()}); choose a folder "
            f"that holds {JSON_FILE}, or evaluate again"
        ) from error
    except (ValueError, TypeError, KeyError, AttributeError, IndexError) as error:
        raise DataError(
            f"{file} is no evaluation of this package ({error}); choose another, or evaluate again"
        ) from error
    return dict(told)


def _without_nan(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {name: _without_nan(each) for name, each in value.items()}
    return [_without_nan(each) for each in value] if isinstance(value, list | tuple) else value
