"""Regionfile: region files of DS9 and CASA read onto an image, and written."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import regions

from napari_astroseg.errors import MarkError
from napari_astroseg.sky.files.writing import replacing
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.shapes.ds9 import Ds9Reader
from napari_astroseg.sky.shapes.ds9writing import ds9_lines
from napari_astroseg.sky.shapes.imported import Collector, Imported
from napari_astroseg.sky.shapes.interop import crtf, of_region
from napari_astroseg.sky.shapes.placing import frame_of, in_frame, in_pixels
from napari_astroseg.sky.shapes.shape import Shape

_LONGEST_LINE = 2**23
"""Bytes: a polygon of 100 000 vertices in full."""
_TOLD_EVERY = 5000
_CRTF = b"#CRTF"


def read_regions(
    path: str | Path,
    image: SkyImage,
    *,
    who: str = "",
    when: datetime | None = None,
    everywhere: bool = False,
    progress: Progress = silent,
) -> Imported:
    """The shapes of a region file that lie on an image.

    Parameters
    ----------
    path
        Of DS9 (`.reg`) or CASA (`.crtf`); which, its first line says.
    image
        Its header places physical pixels, its WCS what is on the sky.
    who, when
        Who brings them, and when.
    everywhere
        Whether those off the image are read too.
    progress
        Hears of bytes read; what it raises ends the reading.

    Returns
    -------
    Shapes, and a sentence for each line that cannot be read, or lies off the image.

    Raises
    ------
    MarkError
        When the file cannot be read as text, or holds far too many.
    """
    path = Path(path)
    found = Collector(image, path.name, everywhere=everywhere)
    try:
        with path.open("rb") as file:
            start = file.read(2**16)
            if b"\0" in start:
                raise MarkError(
                    f"{path.name} is no region file: it holds bytes that are no text; "
                    "save the regions from DS9 again"
                )
            file.seek(0)
            total = path.stat().st_size
            if start.startswith(_CRTF):
                _read_crtf(file, found, who, when, (progress, path.name, total))
            else:
                _read_ds9(file, Ds9Reader(image, found, who, when), found, (progress, path, total))
    except OSError as error:
        raise MarkError(
            f"{path} cannot be read ({(error.strerror or str(error)).lower()}); check its name"
        ) from error
    return found.done()


def write_regions(
    path: str | Path, shapes: Sequence[Shape], image: SkyImage, *, comments: Sequence[str] = ()
) -> Path:
    """Write shapes as a region file, for CASA if it ends in `.crtf`, else for DS9.

    CASA's hold one frame: the image's, or pixels where any shape is in pixels.

    Raises
    ------
    MarkError
        When CASA's format cannot hold them.
    OutputError
        When the disk refuses.
    """
    path = Path(path)
    if path.suffix.lower() == ".crtf":
        text = _as_crtf(shapes, image)
    else:
        text = "\n".join(ds9_lines(shapes, comments)) + "\n"
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def _read_ds9(
    file: BinaryIO, reader: Ds9Reader, found: Collector, told: tuple[Progress, Path, int]
) -> None:
    progress, path, total = told
    number = 0
    while line := file.readline(_LONGEST_LINE):
        number += 1
        if not number % _TOLD_EVERY:
            progress(f"reading {path.name}", file.tell(), total)
        if len(line) == _LONGEST_LINE and not line.endswith(b"\n"):
            found.skip(f"line {number:,}", "it is too long for a region; split it")
            while (line := file.readline(_LONGEST_LINE)) and not line.endswith(b"\n"):
                pass
            continue
        # Macs of old ended lines by a carriage return alone.
        for each in line.decode("utf-8-sig", "replace").rstrip("\r\n").split("\r"):
            reader.line(number, each)


def _read_crtf(
    file: BinaryIO,
    found: Collector,
    who: str,
    when: datetime | None,
    told: tuple[Progress, str, int],
) -> None:
    """Line by line, so that one that cannot be read spoils no other; globals go before each."""
    progress, name, total = told
    common = ""
    for number, raw in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
        line = raw.decode("utf-8", "replace").strip()
        progress(f"reading {name}", file.tell(), total)
        if line.startswith("global"):
            common += line + "\n"
            continue
        if not line or line.startswith("#"):
            if line and not line.encode().startswith(_CRTF):
                found.comment(line)
            continue
        where = f"line {number:,}"
        try:
            for shape in _crtf_shapes(common + line, who, when):
                found.add(where, shape)
        except MarkError as error:
            found.skip(where, str(error))


def _crtf_shapes(text: str, who: str, when: datetime | None) -> list[Shape]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read = regions.Regions.parse(text, format="crtf")
    except Exception as error:
        # Its parser raises whatever breaks inside a line.
        reason = " ".join(str(error).split())[:100] or type(error).__name__
        raise MarkError(f"it is no region that is known ({reason}); draw it anew") from error
    return [of_region(region, who, when) for region in read]


def _as_crtf(shapes: Sequence[Shape], image: SkyImage) -> str:
    if any(not shape.on_sky for shape in shapes):
        placed = [shape for shape in in_pixels(shapes, image) if shape is not None]
        return crtf(placed, "pixel")
    frame = frame_of(image) if image.wcs is not None else "icrs"
    return crtf(in_frame(shapes, frame), frame)
