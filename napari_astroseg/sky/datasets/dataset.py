"""Dataset: a checked folder of images and truth, with its card, its findings and its stamps."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.datasets.card import DatasetCard, LayoutName, PartCounts
from napari_astroseg.sky.datasets.finding import Finding, below
from napari_astroseg.sky.datasets.split import PARTS, Part
from napari_astroseg.sky.datasets.truth import Item
from napari_astroseg.sky.window import Window

_FORMAT = "1"


@dataclass(frozen=True)
class Stamp:
    """One place to learn from: which item, and where in it; it may hang over the edge."""

    item: int
    window: Window


@dataclass(frozen=True, eq=False)
class Dataset:
    """A folder to learn from.

    Parameters
    ----------
    folder
        Where it lies.
    layout
        Whose layout it is in.
    items
        All that can be used, in the order of their names.
    parts
        The part of each item; empty where every image is parted by areas of sky.
    counts
        What each part holds.
    settings
        All that truth and split depend on but the files.
    findings
        What is wrong, and where.
    """

    folder: Path
    layout: LayoutName
    items: Sequence[Item]
    parts: tuple[Part, ...]
    counts: dict[Part, PartCounts]
    settings: dict[str, float]
    findings: tuple[Finding, ...]

    def __len__(self) -> int:
        """Number of usable items."""
        return len(self.items)

    @property
    def report(self) -> list[str]:
        """What is wrong, one sentence each: file, what, remedy."""
        return [finding.sentence for finding in self.findings]

    @property
    def digest(self) -> str:
        """32 hexadecimal digits of all files used and of the settings.

        The same for a copy of the folder elsewhere. Every byte is read once, when it is first
        asked for.
        """
        return self._digests[0]

    @property
    def unparted_digest(self) -> str:
        """The same, whichever share of the items validates."""
        return self._digests[1]

    @cached_property
    def _digests(self) -> tuple[str, str]:
        """With all settings, and without `validation`."""
        files = {path for item in self.items for path in item.files}
        told = sorted((self._name(path), path) for path in files)
        unparted = {name: value for name, value in self.settings.items() if name != "validation"}
        totals = []
        for settings in (self.settings, unparted):
            words = json.dumps([_FORMAT, self.layout, sorted(settings.items())])
            totals.append(hashlib.sha256(words.encode()))
        for name, path in told:
            with path.open("rb") as file:
                content = hashlib.file_digest(file, "sha256").digest()
            for total in totals:
                total.update(f"\0{name}\0".encode("utf-8", "surrogateescape"))
                total.update(content)
        whole, without = (total.hexdigest()[:32] for total in totals)
        return whole, without

    def _name(self, path: Path) -> str:
        """A file's path below the folder, or its bare name where it lies elsewhere."""
        return below(path, self.folder) if path.is_relative_to(self.folder) else path.name

    @cached_property
    def card(self) -> DatasetCard:
        """What it holds, in a few numbers."""
        return DatasetCard(
            layout=self.layout,
            name=self.folder.resolve().name,
            items=len(self),
            parts={part: self.counts[part] for part in PARTS if part in self.counts},
            settings=self.settings,
            findings=len(self.findings),
            left_out=sum(finding.left_out for finding in self.findings),
            digest=self.digest,
        )

    def of(self, part: Part) -> NDArray[np.intp]:
        """Numbers of the items of a part; all of them where images are parted by areas."""
        if not self.parts:
            return np.arange(len(self) if part in self.counts else 0)
        return np.flatnonzero(np.array(self.parts) == part)

    def stamps(self, count: int, size_px: int, part: Part = "training") -> list[Stamp]:
        """Up to `count` square stamps of a part, drawn by the digest alone.

        Of the same digest they are always the same, and the first of many are those of few. A
        training stamp touches no pixel of sky that validates.

        Raises
        ------
        DataError
            When the size is below 1, or no such stamp fits in that part.
        """
        from napari_astroseg.sky.datasets.drawing import drawn  # it imports this module

        return drawn(self, count, size_px, part)
