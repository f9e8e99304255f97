"""Kinds: what can be simulated, each by the functions that write it.

To add one: a module with `write(out, number, size, seed)`, and a line in `KINDS`.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from napari_astroseg.errors import DataError

if TYPE_CHECKING:
    from napari_astroseg.sky.datasets.card import LayoutName

_HERE = "napari_astroseg.sky.simulate"


@dataclass(frozen=True)
class Kind:
    """One kind of simulated sky.

    Parameters
    ----------
    name
        As the command line takes it.
    title
        What is written, in words.
    layout
        Whose layout the files are in.
    n, size_px
        How many are enough to see a training work, and the usual side: what is taken unless
        others are asked for.
    least_px
        The smallest side that makes sense.
    module
        Where `write(out, number, size, seed) -> list[Path]` lies. It writes item `number` whole
        or not at all, and the item depends on its arguments alone.
    then
        What to do next, a command with `{out}` in it.
    finishes
        Whether the module has `finish(out, n, size, seed) -> list[Path]`, too: what belongs to
        all items together, such as their catalogue.
    """

    name: str
    title: str
    layout: LayoutName
    n: int
    size_px: int
    least_px: int
    module: str
    then: str
    finishes: bool = False

    def write(self, out: Path, number: int, size: int, seed: int) -> list[Path]:
        """Write one item and give its files."""
        written: list[Path] = import_module(self.module).write(out, number, size, seed)
        return written

    def finish(self, out: Path, n: int, size: int, seed: int) -> list[Path]:
        """Write what belongs to all of n items and give its files."""
        if not self.finishes:
            return []
        written: list[Path] = import_module(self.module).finish(out, n, size, seed)
        return written


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "filaments",
            "column-density maps of the Galactic plane with regions of filaments",
            "four_maps",
            8,
            512,
            64,
            f"{_HERE}.filaments",
            then="astroseg train filaments_small --data {out} --out RUN",
        ),
        Kind(
            "spirals",
            "pictures of galaxies with the spiral arms that simulated volunteers drew",
            "gz3d",
            400,
            525,
            128,
            f"{_HERE}.spirals",
            then="astroseg train spiral_arms_small --data {out} --out RUN",
        ),
        Kind(
            "galaxies",
            "fields of Sersic galaxies, many of which overlap, as stamps of 128 px",
            "blended",
            4,
            2048,
            128,
            f"{_HERE}.galaxies",
            then="astroseg train blended_galaxies_small --data {out} --out RUN",
        ),
        Kind(
            "multiband",
            "sets of g, r and z images of stars and galaxies with a mask for each",
            "astro_rcnn",
            14,
            512,
            64,
            f"{_HERE}.multiband",
            then="astroseg train astro_rcnn_small --data {out} --out RUN",
        ),
        Kind(
            "bubbles",
            "Spitzer tiles of infrared bubbles and decoys with a catalogue",
            "bubbles",
            8,
            1024,
            64,
            f"{_HERE}.bubbles",
            then="astroseg train bubbles_small --data {out} --out RUN",
            finishes=True,
        ),
    )
}
"""All kinds by name, in the order of the recipes."""


def kind_named(name: str) -> Kind:
    """The kind of that name.

    Raises
    ------
    DataError
        When there is none.
    """
    if name not in KINDS:
        raise DataError(f"nothing called {name!r} can be simulated; use one of {', '.join(KINDS)}")
    return KINDS[name]


def kinds_of(layout: str) -> list[Kind]:
    """Kinds whose files are in a layout."""
    return [kind for kind in KINDS.values() if kind.layout == layout]
