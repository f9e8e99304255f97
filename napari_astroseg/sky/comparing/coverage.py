"""Coverage: what was marked before and what is predicted now: only one, both, only the other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import astropy.units as u
import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray

from napari_astroseg.errors import ImageError
from napari_astroseg.sky.catalogue import Catalogue
from napari_astroseg.sky.comparing.footprints import Labels, areas
from napari_astroseg.sky.comparing.words import measured


@dataclass(frozen=True, eq=False)
class Covered:
    """How the structures of one map lie in those of another; one entry for each.

    Parameters
    ----------
    ids
        Labels, ascending.
    pixels
        Valid pixels of each.
    covered
        Fraction of these that the other map marks; NaN without any.
    touching
        Labels of the other map's structures that share a pixel with it.
    """

    ids: NDArray[np.int64]
    pixels: NDArray[np.int64]
    covered: NDArray[np.float64]
    touching: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def alone(self) -> int:
        """Structures that no structure of the other map touches."""
        return sum(not each for each in self.touching)

    @property
    def shared(self) -> int:
        """Structures that one of the other map touches."""
        return len(self) - self.alone


@dataclass(frozen=True, eq=False)
class Coverage:
    """Original and predicted regions of interest, one over the other, where both have data.

    Parameters
    ----------
    only_original, both, only_predicted
        Areas, with unit.
    original, predicted
        Per structure; what has no valid pixel is in neither.
    """

    only_original: u.Quantity
    both: u.Quantity
    only_predicted: u.Quantity
    original: Covered
    predicted: Covered

    @property
    def sentence(self) -> str:
        """All of it in a sentence for people."""
        both, before, now = (
            measured(area, 4) for area in (self.both, self.only_original, self.only_predicted)
        )
        return (
            f"{both} in both, {before} only in the original and {now} only predicted; "
            f"of {len(self.original)} original structures {self.original.shared} are found again, "
            f"of {len(self.predicted)} predicted ones {self.predicted.alone} are new"
        )

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        areas = ("only_original", "both", "only_predicted")
        return {
            "unit": str(self.both.unit),
            "area": {name: float(getattr(self, name).value) for name in areas},
            "structures": {
                "original": _counts(self.original, "found_again", "lost"),
                "predicted": _counts(self.predicted, "known", "new"),
            },
            "original": _each(self.original),
            "predicted": _each(self.predicted),
        }


def coverage(
    original: Labels,
    predicted: Labels,
    pixel_area: u.Quantity = 1.0 * u.pix**2,
    missing: NDArray[np.bool_] | None = None,
) -> Coverage:
    """Two maps of labelled regions on the same pixels, compared in area and in number.

    Parameters
    ----------
    original, predicted
        (H, W) labels, 0 outside.
    pixel_area
        Of one pixel.
    missing
        (H, W), True where either has no data; such pixels count for neither.

    Raises
    ------
    ImageError
        When the shapes differ.
    """
    if original.shape != predicted.shape or (
        missing is not None and missing.shape != predicted.shape
    ):
        shapes = [f"{a.shape[1]} × {a.shape[0]}" for a in (original, predicted)]
        raise ImageError(
            f"original regions of {shapes[0]} pixels do not lie on predicted ones of {shapes[1]}; "
            "align them first"
        )
    if missing is not None:
        original, predicted = np.where(missing, 0, original), np.where(missing, 0, predicted)
    before, now = original > 0, predicted > 0
    shared = before & now
    pairs, counts = np.unique(
        np.column_stack([original[shared], predicted[shared]]), axis=0, return_counts=True
    )
    return Coverage(
        int((before & ~now).sum()) * pixel_area,
        int(shared.sum()) * pixel_area,
        int((now & ~before).sum()) * pixel_area,
        _covered(original, pairs[:, 0], pairs[:, 1], counts),
        _covered(predicted, pairs[:, 1], pairs[:, 0], counts),
    )


def add_coverage(catalogue: Catalogue, found: Coverage) -> Catalogue:
    """The catalogue of predicted structures with `covered` and `original_ids`, joined by `id`."""
    table = catalogue.table.copy()
    row = {int(label): i for i, label in enumerate(found.predicted.ids)}
    at = [row.get(int(label)) for label in table["id"]]
    table["covered"] = [np.nan if i is None else found.predicted.covered[i] for i in at]
    told = ["" if i is None else " ".join(map(str, found.predicted.touching[i])) for i in at]
    table["original_ids"] = np.array(told, dtype=np.str_) if told else np.zeros(0, "U1")
    table["covered"].info.description = "fraction of it that the original regions cover"
    table["original_ids"].info.description = "numbers of the original structures that touch it"
    return Catalogue(QTable(table), catalogue.frame)


def _covered(
    labels: Labels, own: NDArray[Any], other: NDArray[Any], counts: NDArray[Any]
) -> Covered:
    """The structures of one map from the pairs that share pixels, and how many they share."""
    area = areas(labels)
    area[0] = 0
    ids = np.nonzero(area)[0].astype(np.int64)
    shared = np.bincount(own, weights=counts, minlength=len(area))[ids]
    touching: dict[int, list[int]] = {}
    for a, b in zip(own.tolist(), other.tolist(), strict=True):
        touching.setdefault(a, []).append(b)
    names = tuple(tuple(sorted(touching.get(i, ()))) for i in ids.tolist())
    return Covered(ids, area[ids], shared / area[ids], names)


def _counts(each: Covered, shared: str, alone: str) -> dict[str, int]:
    return {"all": len(each), shared: each.shared, alone: each.alone}


def _each(each: Covered) -> list[dict[str, Any]]:
    rows = zip(each.ids.tolist(), each.pixels.tolist(), each.covered.tolist(), each.touching,
               strict=True)  # fmt: skip
    return [
        {"id": label, "pixels": pixels, "covered": round(share, 4), "touching": list(touching)}
        for label, pixels, share, touching in rows
    ]
