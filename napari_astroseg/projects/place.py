"""Places: the files, folders, addresses and surveys that a project names, each by a key.

A place is told relative to the project's folder where it lies in it or near it, so that both can
be moved together; and a file by what it holds, too, so that it is known again elsewhere.
"""

from __future__ import annotations

import hashlib
import os
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Annotated, Literal

from pydantic import Field

from napari_astroseg.projects.record import UNWRITTEN, Count, Record
from napari_astroseg.sky.files.address import is_url

PlaceKind = Literal["file", "folder", "address", "survey"]
Use = Literal["read", "write"]

_BLOCK, _BLOCKS = 2**16, 4
_NEAR = 2
"""So many folders up a place is still told relative to the project."""

_SECRET = re.compile(
    r"(^|[-_.])(token|sig|signature|key|secret|password|passwd|auth|credential|expires)($|[-_.])",
    re.IGNORECASE,
)
_LONGEST = 4096
MOST_PLACES = 50_000
_OF_WINDOWS = re.compile(r"^([A-Za-z]:|[\\/]{2}|\\)")


class Identity(Record):
    """What a file is known by.

    Parameters
    ----------
    size
        In bytes.
    modified_ns
        When it was last changed, ns since 1970.
    digest
        SHA-256 of four blocks, from its beginning to its end.
    """

    size: Count
    modified_ns: Annotated[int, Field(ge=-(2**63), lt=2**63)]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]

    @classmethod
    def of(cls, path: Path) -> Identity:
        """The identity of a file, read anew when it has changed; an OSError where it cannot be."""
        told = path.stat()
        if not path.is_file():
            raise OSError(f"{path} is no plain file")
        known = _KNOWN.get(path)
        if known is None or (known.size, known.modified_ns) != (told.st_size, told.st_mtime_ns):
            known = _KNOWN[path] = cls._read(path, told)
        return known

    @classmethod
    def _read(cls, path: Path, told: os.stat_result) -> Identity:
        seen = hashlib.sha256()
        with path.open("rb") as file:
            for block in range(_BLOCKS):
                file.seek(max(0, (told.st_size - _BLOCK) * block // (_BLOCKS - 1)))
                seen.update(file.read(_BLOCK))
        return cls(size=told.st_size, modified_ns=told.st_mtime_ns, digest=seen.hexdigest())

    def holds(self, path: Path) -> bool:
        """Whether a file is the same as then, or one that holds the same."""
        try:
            told = path.stat()
            if told.st_size != self.size:
                return False
            return told.st_mtime_ns == self.modified_ns or Identity.of(path).digest == self.digest
        except OSError:
            return False


_KNOWN: dict[Path, Identity] = {}
"""Of files that were looked at in this process: a mosaic has thousands, and is kept often."""


class Place(Record):
    """One place.

    Parameters
    ----------
    path
        Relative to the project's folder, or absolute, with `/`; an address of the network; or
        the identifier of a HiPS.
    kind
        What it is.
    use
        Whether it is only read, or written to as well.
    identity
        Of a file that was there when the project was written.
    """

    path: Annotated[str, Field(min_length=1, max_length=_LONGEST, pattern=r"^[^\x00-\x1f]+$")]
    kind: PlaceKind
    use: Use = "read"
    identity: Identity | None = None

    @property
    def remote(self) -> bool:
        """Whether looking there asks a server, or another machine."""
        return self.kind in ("address", "survey") or is_url(self.path) or _is_share(self.path)

    @property
    def name(self) -> str:
        """Its last part."""
        return self.path.rstrip("/\\").replace("\\", "/").rpartition("/")[2] or self.path

    def path_from(self, folder: Path) -> Path:
        """Where it is for a project in a folder; only for what is on this machine."""
        return Path(os.path.normpath(folder / self.path))

    def inside(self, folder: Path) -> bool:
        """Whether it lies in the project's folder, links followed."""
        if self.remote or _OF_WINDOWS.match(self.path) or PurePosixPath(self.path).is_absolute():
            return False
        path = self.path_from(folder)
        if not path.is_relative_to(folder):
            return False
        return Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))


@dataclass(frozen=True)
class Named:
    """A place as the window names it: absolute, its identity not looked at yet.

    `identity` is what a file was known by that is missing now.
    """

    path: str
    kind: PlaceKind
    use: Use = "read"
    identity: Identity | None = None


@dataclass
class Places:
    """Gathers the places of a project; gives each a key."""

    named: dict[str, Named] = field(default_factory=dict)
    _keys: dict[Named, str] = field(default_factory=dict, repr=False)

    def key(self, path: str | Path | None, kind: PlaceKind = "file", use: Use = "read") -> str:
        """The key of a place, a new one where it has none; "" for no place."""
        if path is None or not str(path):
            return ""
        text = shareable(str(path)) if is_url(str(path)) else str(path)
        if is_url(text):
            kind = "address"
        return self.key_of(Named(text, kind, use))

    def key_of(self, named: Named) -> str:
        """The key of a place as it is named; a new one where it has none.

        "" for what cannot be written down: a name that is no text, or one place too many.
        """
        key = self._keys.get(named)
        if key is None:
            path = named.path
            if len(self.named) == MOST_PLACES or len(path) > _LONGEST or UNWRITTEN.search(path):
                return ""
            key = self._keys[named] = f"p{len(self.named) + 1}"
            self.named[key] = named
        return key

    def told(self, folder: Path) -> dict[str, Place]:
        """All of them for a project in a folder; files are looked at, so not in a window's thread.

        What is not there, or cannot be read, has no identity.
        """
        return {key: _told(each, folder) for key, each in self.named.items()}


def shareable(address: str) -> str:
    """An address without the password and the signature that it may carry."""
    scheme, _, rest = address.partition("://")
    place, mark, query = rest.partition("?")
    host, slash, path = place.partition("/")
    user, at, server = host.rpartition("@")
    host = f"{user.partition(':')[0]}{at}{server}"
    query = query.partition("#")[0]
    kept = "&".join(each for each in query.split("&") if not _SECRET.search(each.partition("=")[0]))
    return f"{scheme}://{host}{slash}{path}{mark if kept else ''}{kept}"


def _told(named: Named, folder: Path) -> Place:
    path, kind, identity = named.path, named.kind, named.identity
    if kind in ("file", "folder"):
        there = Path(path).absolute()
        if kind == "file" and named.use == "read":
            with suppress(OSError):
                kind = "folder" if there.is_dir() else "file"
                identity = None if kind == "folder" else Identity.of(there)
        path = _relative(there, folder)
    return Place(path=path, kind=kind, use=named.use, identity=identity)


def _relative(path: Path, folder: Path) -> str:
    try:
        relative = os.path.relpath(path, folder)
    except ValueError:  # another drive
        return path.as_posix()
    up = Path(relative).parts.count("..")
    home = path.anchor and len(path.parts) - len(Path(relative).parts) + up <= 1
    return path.as_posix() if up > _NEAR or home else Path(relative).as_posix()


def _is_share(path: str) -> bool:
    return PureWindowsPath(path).drive.startswith("\\\\") or path.startswith(("//", "\\\\"))
