"""Kept: the evaluations of this user, each a folder that the dock can show again."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from napari_astroseg.engine.report.files import JSON_FILE, PAGE_FILE, write_report
from napari_astroseg.sky.files.writing import replacing_folder

_KINDS = (".json", ".html", ".png", ".svg")


def evaluations_folder() -> Path:
    """Where they are kept; it may not be there yet."""
    return Path.home() / "astroseg" / "evaluations"


def kept() -> list[Path]:
    """Their folders, newest first."""
    files = [file for file in evaluations_folder().glob(f"*/{JSON_FILE}") if file.is_file()]
    return [file.parent for file in sorted(files, key=_changed, reverse=True)]


def fresh_folder(name: str) -> Path:
    """A folder for another one that is not there yet."""
    number = 1
    while (evaluations_folder() / f"{name}-{number}").exists():
        number += 1
    return evaluations_folder() / f"{name}-{number}"


def names_of(folders: Sequence[Path]) -> list[str]:
    """A name of its own for each of several folders: as much of the end of its path as it takes."""
    longest = max((len(folder.parts) for folder in folders), default=0)
    for parts in range(1, longest):
        names = [str(Path(*folder.parts[-parts:])) for folder in folders]
        if len(set(names)) == len(names):
            return names
    return [str(folder) for folder in folders]


def page_of(folder: Path) -> Path | None:
    """The page of an evaluation, where there is one."""
    page = folder / PAGE_FILE
    return page if page.is_file() else None


def exported(source: Path, told: dict[str, Any], target: Path) -> str:
    """Leave an evaluation's files in another folder; gives a sentence. Any thread.

    Those that lie beside it are copied; an evaluation of which there is only the JSON file is
    drawn anew.

    Raises
    ------
    OutputError
        When the folder cannot be written to.
    """
    if page_of(source) is None:
        files = write_report(target, told)
        return f"{len(files)} files written to {target}"
    files = [file for file in source.iterdir() if file.suffix in _KINDS and file.is_file()]
    with replacing_folder(target) as making:
        for file in files:
            shutil.copyfile(file, making / file.name)
    return f"{len(files)} files written to {target}"


def _changed(file: Path) -> float:
    return file.stat().st_mtime
