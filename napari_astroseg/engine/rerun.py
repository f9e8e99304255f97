"""Rerun: an answer's `provenance.json` read again, and one answer held against another.

The file may come from a stranger. What it says is checked against a record of plain values, and
nothing of it is executed: its `line` is for people.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from napari_astroseg.engine.provenance import file_digest, versions
from napari_astroseg.errors import OutputError

_MOST_BYTES = 8 * 2**20


class Command(BaseModel):
    """A prediction as the command line took it; the words that change its answer."""

    model_config = ConfigDict(extra="allow", frozen=True)

    verb: Literal["predict"]
    image: str
    model: str
    bands: list[str] | None = None
    hdu: int | None = None
    plane: int | None = None
    window: str | None = None
    sky: str | None = None
    others: list[str] | None = None
    samples: int | None = None
    ensemble: int | None = None
    entropy: bool = False
    threshold: float | None = None
    known: str | None = None
    known_share: float | None = None
    known_within: str | None = None
    device: str = "auto"
    force: bool = False

    @property
    def unknown(self) -> list[str]:
        """Words of a newer version that are not known here."""
        told = {"line", *(name for name, value in (self.model_extra or {}).items() if not value)}
        return sorted(set(self.model_extra or {}) - told)


class Input(BaseModel):
    """A file that was read."""

    path: str
    sha256: str


class Provenance(BaseModel):
    """What a `provenance.json` says."""

    command: Command
    recipe: dict[str, Any] = {}
    model: dict[str, str] = {}
    threshold: float | None = None
    finished: str = ""
    inputs: list[Input] = []
    outputs: list[str] = []
    versions: dict[str, str] = {}
    seconds: float = Field(0.0, ge=0.0)

    @classmethod
    def read(cls, path: Path) -> Provenance:
        """Read a file, or that of an answer's folder.

        Raises
        ------
        OutputError
            When there is none, or it is not one of a prediction.
        """
        path = path / "provenance.json" if path.is_dir() else path
        try:
            if path.stat().st_size > _MOST_BYTES:
                raise ValueError(f"more than {_MOST_BYTES >> 20} MiB")
            told = json.loads(path.read_text(encoding="utf-8"))
            read = cls.model_validate(told)
        except FileNotFoundError as error:
            raise OutputError(
                f"{path} is not there; name the provenance.json that a prediction left, or its "
                "folder"
            ) from error
        except (OSError, ValueError, RecursionError, ValidationError) as error:
            reason = " ".join(str(error).split())[:120]
            raise OutputError(
                f"{path} is no provenance of a prediction ({reason}); name one that "
                "`astroseg predict` wrote"
            ) from error
        if read.command.unknown:
            raise OutputError(
                f"{path} asks for {', '.join(read.command.unknown)}, which this version does not "
                "know; rerun it with the version that it names"
            )
        return read

    def changed_inputs(self) -> Iterator[str]:
        """A sentence for each file that is gone or is not what was read then."""
        for each in self.inputs:
            path = Path(each.path)
            if not path.is_file():
                yield f"{path} is not there any more"
            elif file_digest(path) != each.sha256:
                yield f"{path} has changed since"

    def changed_versions(self) -> Iterator[str]:
        """`name then → now` for each library of another version."""
        now = versions()
        for name, then in self.versions.items():
            if name in now and now[name] != then:
                yield f"{name} {then} → {now[name]}"


@dataclass(frozen=True)
class Difference:
    """How a file of one answer differs from that of another."""

    file: str
    how: str


def differences(then: Path, now: Path, files: list[str]) -> list[Difference]:
    """Hold the maps and the catalogue of two answers against each other; none when equal.

    Pictures and regions are made of these and not compared.

    Parameters
    ----------
    then, now
        Folders of the answers.
    files
        Names that the first is said to have.
    """
    found = []
    for name in files:
        if Path(name).name != name:
            continue  # a file of the answer lies in its folder
        compare = {".fits": _of_maps, ".ecsv": _of_tables}.get(Path(name).suffix)
        if compare is None:
            continue
        absent = [str(folder) for folder in (then, now) if not (folder / name).is_file()]
        how = f"not in {' or '.join(absent)}" if absent else compare(then / name, now / name)
        if how:
            found.append(Difference(name, how))
    return found


def _of_maps(then: Path, now: Path) -> str:
    from astropy.io import fits

    with fits.open(then) as first, fits.open(now) as second:
        pairs = [(a.data, b.data) for a, b in zip(first, second, strict=False) if a.is_image]
        if len(first) != len(second):
            return f"{len(first)} HDUs then, {len(second)} now"
        for old, new in pairs:
            if old is None or new is None:
                if old is not new:
                    return "an image in one of them only"
                continue
            if old.shape != new.shape:
                return f"{old.shape} pixels then, {new.shape} now"
            told = _of_values(old, new)
            if told:
                return told
    return ""


def _of_tables(then: Path, now: Path) -> str:
    from astropy.table import Table

    old, new = (Table.read(path, format="ascii.ecsv") for path in (then, now))
    if len(old) != len(new):
        return f"{len(old)} rows then, {len(new)} now"
    if old.colnames != new.colnames:
        return "other columns"
    for name in old.colnames:
        told = _of_values(np.ma.getdata(old[name]), np.ma.getdata(new[name]))
        if not np.array_equal(np.ma.getmaskarray(old[name]), np.ma.getmaskarray(new[name])):
            told = "missing in one of them only"
        if told:
            return f"column {name}: {told}"
    return ""


def _of_values(old: Any, new: Any) -> str:
    """Nothing when equal, missing values at the same places included."""
    numeric = np.issubdtype(old.dtype, np.number) and np.issubdtype(new.dtype, np.number)
    if np.array_equal(old, new, equal_nan=numeric):
        return ""
    if not numeric:
        return f"{np.count_nonzero(old != new)} of {old.size} values"
    first, second = old.astype(np.float64), new.astype(np.float64)
    missing = np.count_nonzero(np.isnan(first) != np.isnan(second))
    apart = np.abs(first - second)
    count = int(np.count_nonzero(apart > 0))
    told = f"{count} of {old.size} values, by at most {np.nanmax(apart, initial=0.0):.2g}"
    return f"{told}, {missing} missing in one only" if missing else told
