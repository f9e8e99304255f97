"""Keeping: what is in memory only, as FITS files beside a project.

A file is called after what it holds, so what has not changed is not written again.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.files.writing import replacing, write_image
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import ArrayPixels

MOST_PX = 2**26
"""Larger images in memory are not kept: they would take longer to write than a rest lasts."""
MOST_LABELLED_PX = 2**23
"""Larger labels in memory are not kept: they are copied in the window's thread."""

_OURS = re.compile(r"^(image|labels)-[0-9a-f]{16}\.fits$")
_NAMES: WeakKeyDictionary[SkyImage, str] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class Kept:
    """Something to be kept: an image in memory, labels, or a file that another project kept."""

    what: SkyImage | NDArray[Any] | Path

    @property
    def tag(self) -> str:
        """Equal for what need not be written again; told in milliseconds."""
        if isinstance(self.what, np.ndarray):
            return f"labels {zlib.crc32(np.ascontiguousarray(self.what).data)} {self.what.shape}"
        return f"image {id(self.what)}"

    def write(self, folder: Path) -> Path:
        """Write it, if it is not there yet; any thread.

        Raises
        ------
        OutputError
            When it cannot be written.
        """
        path = folder / self._name()
        if path.exists():
            return path
        if isinstance(self.what, Path):
            with replacing(path) as temporary:
                shutil.copyfile(self.what, temporary)
        elif isinstance(self.what, SkyImage):
            values = self.what.pixels[:, :]
            write_image(path, values, self.what.header, self.what.unit, compress=True)
        else:
            write_image(path, self.what, compress=True)
        return path

    def _name(self) -> str:
        if isinstance(self.what, Path):
            return self.what.name
        if isinstance(self.what, SkyImage):
            name = _NAMES.get(self.what)
            if name is None:
                values = self.what.pixels[:, :]
                cards = self.what.header.tostring()
                name = _NAMES[self.what] = f"image-{_digest(values, cards)}.fits"
            return name
        return f"labels-{_digest(self.what, '')}.fits"


def can_keep(image: SkyImage) -> bool:
    """Whether an image is in memory only, and small enough to be kept."""
    height, width = image.shape
    return isinstance(image.pixels, ArrayPixels) and image.count == 1 and height * width <= MOST_PX


def forget_others(folder: Path, names: set[str]) -> None:
    """Delete what was kept in a folder and is no part of the project any more.

    What a system does not let go of while it is open goes with a later project.
    """
    if folder.is_dir():
        for path in folder.iterdir():
            if _OURS.match(path.name) and path.name not in names:
                with suppress(OSError):
                    path.unlink(missing_ok=True)


def _digest(values: NDArray[Any], cards: str) -> str:
    seen = hashlib.sha256(f"{values.shape} {values.dtype.str} {cards}".encode())
    seen.update(np.ascontiguousarray(values).data)
    return seen.hexdigest()[:16]
