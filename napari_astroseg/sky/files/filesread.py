"""Files read: the local files that pixels come from, through whatever lies between."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from napari_astroseg.sky.files.handle import LocalHandle

_OURS = __name__.partition(".")[0]


def files_read(source: object) -> Iterator[Path]:
    """Paths of all files that `source` (pixels, planes, an image) has open or may open again.

    Every part of it is looked at, so that pixels of pixels of a file tell the file.
    """
    seen: set[int] = set()
    waiting: list[Any] = [source]
    while waiting:
        each = waiting.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        if isinstance(each, LocalHandle):
            yield each.path
        elif isinstance(each, tuple | list):
            waiting += each
        elif isinstance(each, dict):
            waiting += each.values()
        elif type(each).__module__.partition(".")[0] == _OURS:
            waiting += getattr(each, "__dict__", {}).values()
