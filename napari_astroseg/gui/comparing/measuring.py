"""Measuring: structures against images, in any thread; knows arrays and images, no layers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import astropy.units as u
import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse

from napari_astroseg.gui.comparing.lying import Floats
from napari_astroseg.gui.comparing.regions import Numbered, Regions
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.comparing.contrast import SURE
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.pixels import FloatArray, Key, MadePixels, PixelSource
from napari_astroseg.sky.progress import Progress
from napari_astroseg.sky.structures import measure, outlines
from napari_astroseg.sky.window import Window


@dataclass(frozen=True, eq=False)
class Witness:
    """An image that structures are measured in.

    Parameters
    ----------
    key
        Ending of its columns' names.
    name
        What people call it.
    image
        On the structures' pixels.
    """

    key: str
    name: str
    image: SkyImage


@dataclass(frozen=True, eq=False)
class Wish:
    """What is to be measured.

    Parameters
    ----------
    regions
        The structures.
    reference
        The image that gives them positions and values.
    witnesses
        The images to measure them in.
    original
        Regions to compare them with, None for none.
    gap_px, ring_px
        Of the rings; None for a ring as wide as its structure.
    """

    regions: Regions
    reference: SkyImage
    witnesses: tuple[Witness, ...]
    original: Regions | None = None
    gap_px: float = 2.0
    ring_px: float | None = None


class Found:
    """Structures with their figures, and where on the map each of them is.

    Parameters
    ----------
    wish
        What was asked for.
    catalogue
        One row, or *entry*, for each structure.
    labels
        (H, W) of the regions' window; entry `i` has the number `i + 1`.
    sentences
        What came out, for people.
    """

    def __init__(
        self,
        wish: Wish,
        catalogue: Catalogue,
        labels: NDArray[np.int32],
        sentences: Sequence[str] = (),
    ) -> None:
        self.wish, self.catalogue, self.sentences = wish, catalogue, tuple(sentences)
        # A map of structures is nearly empty: kept like this it costs next to nothing.
        self._labels = sparse.csr_array(labels)
        self._boxes = ndimage.find_objects(labels)

    def entry_at(self, world_x: float, world_y: float) -> int | None:
        """The structure at a world position; None where there is none."""
        x, y = np.rint(self.wish.regions.lying.to_pixels((world_x, world_y))).astype(int)
        height, width = self._labels.shape
        if not (0 <= x < width and 0 <= y < height):
            return None
        number = int(self._labels[y, x])
        return number - 1 if number else None

    def middle(self, entry: int) -> Floats:
        """World (x, y) of a structure's centre."""
        row, window = self.catalogue.table[entry], self.wish.regions.window
        at = (float(row["x"]) - window.x, float(row["y"]) - window.y)
        return self.wish.regions.lying.to_world(at)

    def outline(self, entry: int) -> list[Floats]:
        """Closed lines around a structure, world positions (x, y)."""
        down, across = self._boxes[entry]
        part = self._labels[down, across].toarray() == entry + 1
        height, width = part.shape
        lines = outlines(part.astype(np.int32), Window(across.start, down.start, width, height))
        return [self.wish.regions.lying.to_world(line) for line in lines.get(1, [])]


@dataclass(frozen=True)
class WindowPixels(MadePixels):
    """The pixels of a window of a source."""

    source: PixelSource
    window: Window

    @property
    def shape(self) -> tuple[int, int]:
        """(H, W) of the window."""
        return self.window.shape

    @property
    def identity(self) -> str | None:
        """A digest of the source's and of the window."""
        return self.made_of(self.window)

    def __getitem__(self, key: Key) -> FloatArray:
        (top, bottom, _), (left, right, _) = (
            each.indices(side) for each, side in zip(key, self.shape, strict=True)
        )
        down, across = self.window.y, self.window.x
        return self.source[down + top : down + bottom, across + left : across + right]


def found(wish: Wish, progress: Progress) -> Found:
    """Number the structures, measure each in every image, and against the original regions.

    Raises
    ------
    AstroSegError
        When the regions hold no numbered structures, or something cannot be measured.
    """
    from napari_astroseg.sky.comparing.columns import add_contrast
    from napari_astroseg.sky.comparing.contrast import contrast

    progress("numbering structures", 0, None)
    numbered = wish.regions.read()
    catalogue, sentences = _described(numbered, wish), []
    for witness in wish.witnesses:
        values = WindowPixels(witness.image.pixels, wish.regions.window)
        told = partial(_told_as, f"measuring in {witness.name}", progress)
        each = contrast(
            numbered.labels, values, gap_px=wish.gap_px, ring_px=wish.ring_px, progress=told
        )
        unit = witness.image.unit
        catalogue = add_contrast(catalogue, witness.name, each, unit, witness.key)
        sentences.append(_sentence(witness, each.significance))
    if wish.original is not None:
        progress("comparing with the original regions", 0, None)
        catalogue, words = _covered(catalogue, numbered, wish, wish.original)
        sentences.append(words)
    return Found(wish, _named(catalogue, numbered), numbered.labels, sentences)


def kinds(significance: Floats) -> NDArray[np.str_]:
    """What each structure is: `dark`, `bright`, or `unsure` below 3 standard deviations."""
    values = np.asarray(significance, float)
    with np.errstate(invalid="ignore"):
        return np.select([values <= -SURE, values >= SURE], ["dark", "bright"], "unsure")


def _described(numbered: Numbered, wish: Wish) -> Catalogue:
    """Where the structures are and how large."""
    weight = numbered.probability
    certain = weight is None
    if weight is None:
        weight = (numbered.labels > 0).astype(np.float32)
    catalogue = measure(numbered.labels, weight, wish.reference, wish.regions.window)
    if certain:
        catalogue.table.remove_column("score")
    catalogue.table.meta.update({"image": wish.reference.name, **wish.regions.about})
    return catalogue


def _covered(
    catalogue: Catalogue, numbered: Numbered, wish: Wish, known: Regions
) -> tuple[Catalogue, str]:
    """The catalogue with what the original regions cover of each structure, and that in words."""
    from napari_astroseg.sky.comparing.coverage import add_coverage, coverage

    before = known.read()
    side: u.Quantity = 1.0 * u.pix
    if wish.reference.pixel_scale_arcsec is not None:
        side = (wish.reference.pixel_scale_arcsec / 60.0) * u.arcmin
    labels, missing = before.within(known.window, wish.regions.window)
    if numbered.missing is not None:
        missing |= numbered.missing
    found = coverage(labels, numbered.labels, side**2, missing)
    touching = tuple(
        tuple(before.names[np.array(each, int) - 1].tolist()) for each in found.predicted.touching
    )
    told = replace(found, predicted=replace(found.predicted, touching=touching))
    return add_coverage(catalogue, told), f"{found.sentence[:1].upper()}{found.sentence[1:]}."


def _named(catalogue: Catalogue, numbered: Numbered) -> Catalogue:
    """The same with the numbers that the structures have on the map."""
    table = catalogue.table.copy()
    words = table["id"].info.description
    table["id"] = numbered.names
    table["id"].info.description = words
    return Catalogue(table, catalogue.frame)


def _sentence(witness: Witness, significance: Floats) -> str:
    """How many structures are dark and bright in an image."""
    counted = Counter(kinds(significance).tolist())
    unknown = int(np.isnan(significance).sum())
    unsure = counted["unsure"] - unknown
    words = f"{counted['dark']} dark and {counted['bright']} bright by {SURE:g} σ, {unsure} neither"
    return f"{witness.name}: {words}{f', {unknown} not measurable' if unknown else ''}."


def _told_as(words: str, progress: Progress, _what: str, done: int, total: int | None) -> None:
    progress(words, done, total)
