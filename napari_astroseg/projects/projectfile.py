"""Project files: JSON that people can read, written whole or not at all, and read in bounds."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import ValidationError

from napari_astroseg import __version__
from napari_astroseg.errors import ProjectError
from napari_astroseg.projects.project import SCHEMA, Project
from napari_astroseg.sky.files.writing import replacing

ENDING = ".astroseg.json"
MOST_BYTES = 64 * 2**20


@dataclass(frozen=True)
class Opened:
    """A project as it was read.

    Parameters
    ----------
    project
        What it says.
    path
        Where it lies.
    digest
        SHA-256 of the file: whether it is one that this user wrote.
    """

    project: Project
    path: Path
    digest: str

    @property
    def folder(self) -> Path:
        """What its relative places are relative to."""
        return self.path.parent


def is_project(place: str | Path) -> bool:
    """Whether a name is that of a project."""
    return str(place).lower().endswith(ENDING)


def kept_folder(path: Path) -> Path:
    """Where images lie that were only in memory: beside the project."""
    return path.with_name(path.name[: -len(ENDING)] + ".astroseg-files")


def write_project(project: Project, path: Path) -> str:
    """Write a project; gives the file's digest.

    Raises
    ------
    OutputError
        When it cannot be written; what was there before is as it was.
    """
    now = datetime.now(UTC).isoformat(timespec="seconds")
    told = project.model_copy(update={"written": now, "by": f"napari-astroseg {__version__}"})
    text = told.model_dump_json(indent=1, exclude_defaults=True, exclude={"astroseg_project"})
    text = f'{{\n "astroseg_project": {SCHEMA},{text[1:]}\n'
    with replacing(path) as temporary:
        temporary.write_bytes(text.encode())  # as it is digested, on every system
    return hashlib.sha256(text.encode()).hexdigest()


def read_project(path: Path) -> Opened:
    """Read a project; nothing that it names is touched.

    Raises
    ------
    ProjectError
        When it cannot be read, is no project, or is one of a newer version.
    """
    try:
        # With `..` all places would lie outside; links stay as they are named.
        path = Path(os.path.abspath(path))  # noqa: PTH100
        with path.open("rb") as file:
            text = file.read(MOST_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ProjectError(
            f"{path.name} cannot be read ({reason.lower()}); check the name"
        ) from error
    if len(text) > MOST_BYTES:
        raise ProjectError(
            f"{path.name} is longer than any project ({MOST_BYTES >> 20} MiB); choose another file"
        )
    _refuse_other_versions(text, path.name)
    try:
        project = Project.model_validate_json(text)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "it"
        raise ProjectError(
            f"{path.name} is no sound project: {where[:200]}: {first['msg'][:200]}; correct the "
            "file, or open an older copy"
        ) from error
    return Opened(project, path, hashlib.sha256(text).hexdigest())


def _refuse_other_versions(text: bytes, name: str) -> None:
    try:
        told = json.loads(text)
        version = told.get("astroseg_project") if isinstance(told, dict) else None
    except (ValueError, RecursionError) as error:
        raise ProjectError(f"{name} is no JSON text; choose an {ENDING} file") from error
    if isinstance(version, int) and version > SCHEMA:
        raise ProjectError(
            f"{name} was written by a newer version (projects {version}, this one reads up to "
            f"{SCHEMA}); install a newer napari-astroseg"
        )
    if version != SCHEMA or isinstance(version, bool):
        raise ProjectError(f"{name} is no project of this program; choose an {ENDING} file")
