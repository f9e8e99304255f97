"""Provenance: what an answer was made from and with, so that it can be made again."""

from __future__ import annotations

import hashlib
import platform
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from napari_astroseg import __version__

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
