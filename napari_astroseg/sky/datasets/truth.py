"""Truth: what is to be learnt of one image, as masks of its pixels or as objects in boxes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.sky.datasets.finding import Finding
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Thing:
    """One object.

    Parameters
    ----------
    kind
        `star`, `galaxy`, `bubble`.
    name
        In its catalogue, or where its file keeps it.
    box
        (x_min, y_min, x_max, y_max) of its edges, px, with pixel centres at whole numbers.
    window, mask
        Where its mask lies and the mask there, (height, width); None for what is only a box.
    """

    kind: str
    name: str
    box: tuple[float, float, float, float]
    window: Window | None = None
    mask: Mask | None = None


@dataclass(frozen=True, eq=False)
class Truth:
    """What is to be learnt of one image (H, W).

    Parameters
    ----------
    pixels
        Class → where it is, (H, W); classes may overlap.
    objects
        Its objects, one by one.
    labelled
        (H, W) where a pixel teaches at all; None: everywhere.
    findings
        What of it could not be used.
    """

    pixels: Mapping[str, Mask] = field(default_factory=dict)
    objects: tuple[Thing, ...] = ()
    labelled: Mask | None = None
    findings: tuple[Finding, ...] = ()

    def within(self, area: Mask) -> Truth:
        """The classes of the pixels in an area (H, W) alone, as one line of them; no objects."""
        labelled = None if self.labelled is None else self.labelled[area]
        return Truth({name: mask[area] for name, mask in self.pixels.items()}, (), labelled)

    def counts(self, classes: Sequence[str], kinds: Sequence[str]) -> list[int]:
        """Pixels of each class, of background, labelled, unlabelled; then objects of each kind.

        No pixels at all where they are not told apart.
        """
        objects = [sum(each.kind == kind for each in self.objects) for kind in kinds]
        if not classes:
            return [0, 0, 0, *objects]
        masks = [self.pixels[name] for name in classes]
        labelled = np.ones(masks[0].shape, bool) if self.labelled is None else self.labelled
        inside = int(np.count_nonzero(labelled))
        taken = int(np.count_nonzero(np.logical_or.reduce(masks) & labelled))
        pixels = [int(np.count_nonzero(mask & labelled)) for mask in masks]
        return [*pixels, inside - taken, inside, labelled.size - inside, *objects]


@dataclass(frozen=True, eq=False)
class Item:
    """One image with what is to be learnt of it; read when it is asked for.

    Parameters
    ----------
    name
        Its file or folder below the dataset's, `[7]` for the eighth image of a file.
    files
        All that it is made of.
    opening
        Opens the image; its headers are read, its pixels are not.
    learning
        Reads the truth of that image; None where the folder holds none.
    group
        Items of one group are never parted; "" for a group of its own.
    """

    name: str
    files: tuple[Path, ...]
    opening: Callable[[], SkyImage]
    learning: Callable[[SkyImage], Truth] | None
    group: str = ""

    @property
    def image(self) -> SkyImage:
        """The image, or the stack of its bands; opened anew at every call.

        Raises
        ------
        AstroSegError
            When it cannot be read.
        """
        return self.opening()

    def truth(self) -> Truth | None:
        """What is to be learnt, read anew at every call; None where nothing is known.

        Raises
        ------
        AstroSegError
            When it cannot be read, or does not fit the image.
        """
        return None if self.learning is None else self.learning(self.image)


@dataclass(frozen=True, eq=False)
class Listing:
    """What a folder offers, before it is checked.

    Parameters
    ----------
    items
        All that look usable.
    classes, kinds
        What pixels, and objects, are told apart as.
    findings
        What is wrong so far.
    settings
        All that the truth depends on but the files.
    validation
        The share of groups kept for validation unless another is asked for.
    known
        `Truth.counts` of each item where they are known without reading it, -1 where one is not.
    """

    items: Sequence[Item]
    classes: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    settings: Mapping[str, float] = field(default_factory=dict)
    validation: float = 0.2
    known: NDArray[np.int64] | None = None
