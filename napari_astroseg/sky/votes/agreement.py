"""Agreement: how well several people's masks of one field agree, per pair, as a crowd, per object.

Over the pixels of the field, with a and b pixels marked by two people, both of them marking c:

* Dice's coefficient, 2 c / (a + b) (Dice 1945, Ecology 26, 297);
* Cohen's kappa, (o − e) / (1 − e), with o the share of pixels on which the two agree and e the
  share on which they would if each marked as many pixels at random (Cohen 1960, Educational and
  Psychological Measurement 20, 37);
* Fleiss' kappa, the same for all people at once: o is the mean over pixels of the share of pairs
  of people who agree, e = p² + (1 − p)² with p the share of all answers that mark (Fleiss 1971,
  Psychological Bulletin 76, 378).

What is 0 / 0 is NaN: two empty masks share no object, and who marks nothing, or all, together with
another who does so is not told from chance. Kappas depend on how much empty sky the field shows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import astropy.units as u
import numpy as np
from astropy.table import QTable
from numpy.typing import NDArray
from scipy import ndimage, sparse

from napari_astroseg.errors import VoteError
from napari_astroseg.sky.structures import EIGHT
from napari_astroseg.sky.votes.counting import Histogram
from napari_astroseg.sky.votes.writing import Annotator

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Agreement:
    """How well people agree on one field.

    Parameters
    ----------
    names
        Who they are.
    fleiss
        Fleiss' kappa of all of them.
    pairs
        A row for each two: `first`, `second`, `dice`, `kappa`, `both` and `either` (area they
        mark, pixel²).
    objects
        A row for each object: `id`, `x`, `y` (centre, pixel), `area` (pixel²), `marked` (how many
        people marked any of it), `dice` (mean over the pairs of which one or both did).
    object_pairs
        A row for each object and each two people of which one or both marked it: `object`,
        `first`, `second`, `dice`.
    """

    names: tuple[str, ...]
    fleiss: float
    pairs: QTable
    objects: QTable
    object_pairs: QTable


def agreement_of(annotators: Sequence[Annotator], kind: str, at_least: int = 1) -> Agreement:
    """How well those who looked for a kind of thing agree on it; see `agreement_on`."""
    own = [each for each in annotators if kind in each.masks]
    return agreement_on([each.masks[kind] for each in own], [each.name for each in own], at_least)


def agreement_on(
    masks: Sequence[Mask],
    names: Sequence[str] | None = None,
    at_least: int = 1,
    *,
    pixels: int | None = None,
) -> Agreement:
    """How well masks of one field, one for each person, agree.

    Parameters
    ----------
    masks
        (H, W) each.
    names
        Of the people; by default their numbers from 1.
    at_least
        An object is an 8-connected region marked by so many people: 1 for the union. To each
        belong those pieces of a person's mask that touch it, with all of their pixels.
    pixels
        Of the whole field, where the masks show the part of it that anybody marked.

    Raises
    ------
    VoteError
        When there are fewer than two masks, their shapes differ, or no object can be so.
    """
    people = tuple(map(str, names if names is not None else range(1, len(masks) + 1)))
    stack = _stacked(masks, people, at_least)
    votes = stack.sum(0, dtype=np.int64)
    histogram = np.bincount(votes.ravel(), minlength=len(stack) + 1)
    field = votes.size if pixels is None else pixels
    if field < votes.size:
        raise VoteError(
            f"a field of {field:,} pixels cannot hold masks of {votes.size:,}; give all of it"
        )
    histogram[0] += field - votes.size
    objects, object_pairs = _objects(stack, votes >= at_least, people)
    pairs = _pairs(stack, people, field)
    return Agreement(people, fleiss_kappa(histogram), pairs, objects, object_pairs)


def dice_coefficient(first: int, second: int, both: int) -> float:
    """Dice's coefficient of two sets of so many pixels with so many in common; NaN for empty."""
    return 2 * both / (first + second) if first + second else np.nan


def cohen_kappa(first: int, second: int, both: int, pixels: int) -> float:
    """Cohen's kappa of two masks of `first` and `second` pixels; NaN where chance explains all."""
    neither = pixels - first - second + both
    by_chance = first * second + (pixels - first) * (pixels - second)  # × pixels², exact
    if by_chance == pixels**2:
        return np.nan
    return (pixels * (both + neither) - by_chance) / (pixels**2 - by_chance)


def fleiss_kappa(histogram: Histogram) -> float:
    """Fleiss' kappa of n people from the number of pixels that 0, 1 … n of them marked.

    NaN for one person, without pixels, and where nobody marks anything or all mark everything.
    """
    people, pixels = len(histogram) - 1, int(histogram.sum())
    votes = range(people + 1)
    counts = [int(count) for count in histogram]
    marked = sum(count * n for count, n in zip(counts, votes, strict=True))
    left = people * pixels - marked
    if people < 2 or not marked or not left:
        return np.nan
    agreeing = sum(
        count * (n * (n - 1) + (people - n) * (people - n - 1))
        for count, n in zip(counts, votes, strict=True)
    ) / (pixels * people * (people - 1))
    by_chance = (marked**2 + left**2) / (people * pixels) ** 2
    return (agreeing - by_chance) / (1 - by_chance)


def _stacked(masks: Sequence[Mask], names: Sequence[str], at_least: int) -> Mask:
    """(people, H, W)."""
    if len(masks) < 2:
        raise VoteError(f"{len(masks)} masks cannot agree or disagree; give those of two or more")
    if len(names) != len(masks):
        raise VoteError(f"{len(names)} names cannot belong to {len(masks)} masks; name each once")
    if not 1 <= at_least <= len(masks):
        raise VoteError(
            f"{at_least} of {len(masks)} people cannot have marked an object; "
            f"ask for 1 to {len(masks)}"
        )
    shape = np.shape(masks[0])
    for name, mask in zip(names, masks, strict=True):
        if np.shape(mask) != shape or len(shape) != 2:
            raise VoteError(
                f"the mask of {name} has the shape {np.shape(mask)} and that of {names[0]} "
                f"{shape}; draw on the same pixels"
            )
    return np.stack([np.asarray(mask, bool) for mask in masks])


def _pairs(stack: Mask, names: Sequence[str], pixels: int) -> QTable:
    """The table of pairs, in a field of so many pixels."""
    areas = [int(np.count_nonzero(mask)) for mask in stack]
    rows = []
    for a, b in combinations(range(len(stack)), 2):
        both = int(np.count_nonzero(stack[a] & stack[b]))
        dice = dice_coefficient(areas[a], areas[b], both)
        kappa = cohen_kappa(areas[a], areas[b], both, pixels)
        rows.append((names[a], names[b], dice, kappa, both, areas[a] + areas[b] - both))
    table = QTable(rows=rows, names=("first", "second", "dice", "kappa", "both", "either"))
    for name in ("both", "either"):
        table[name] = table[name] * u.pixel**2
    return table


def _objects(stack: Mask, wanted: Mask, names: Sequence[str]) -> tuple[QTable, QTable]:
    """The table of objects, and that of objects and pairs."""
    labels, count = ndimage.label(wanted, EIGHT)
    numbers = np.arange(1, count + 1)
    pieces = [ndimage.label(mask, EIGHT)[0] for mask in stack]
    marked = stack.any(0)
    within = labels[marked]
    told = [each[marked] for each in pieces]
    own = [_joint(within, each) > 0 for each in told]  # objects × pieces of a person
    areas = np.stack(
        [touching @ np.bincount(each)[1:] for touching, each in zip(own, told, strict=True)]
    )
    pairs = list(combinations(range(len(stack)), 2))
    shared = [
        np.asarray(((own[a] @ _joint(told[a], told[b])).multiply(own[b])).sum(1)).ravel()
        for a, b in pairs
    ]
    sums = np.stack([areas[a] + areas[b] for a, b in pairs])
    with np.errstate(invalid="ignore"):
        dice = 2.0 * np.stack(shared) / sums
    centres = np.array(ndimage.center_of_mass(wanted, labels, numbers)).reshape(-1, 2)
    one = (sums > 0).sum(0)  # an object has marks of somebody, so it has a pair
    objects = QTable(
        {
            "id": numbers,
            "x": centres[:, 1] * u.pixel,
            "y": centres[:, 0] * u.pixel,
            "area": np.bincount(labels.ravel(), minlength=count + 1)[1:] * u.pixel**2,
            "marked": (areas > 0).sum(0),
            "dice": np.nansum(dice, 0) / one,
        }
    )
    number, pair = np.nonzero(sums.T > 0)
    first, second = np.array(pairs).T
    people = np.array(names)
    columns = {
        "object": numbers[number],
        "first": people[first[pair]],
        "second": people[second[pair]],
        "dice": dice.T[number, pair],
    }
    return objects, QTable(columns)


def _joint(first: NDArray[np.int32], second: NDArray[np.int32]) -> sparse.csr_array:
    """How many pixels bear the labels i + 1 and j + 1, both (pixels,) from 0 for none."""
    both = (first > 0) & (second > 0)
    shape = (int(first.max(initial=0)), int(second.max(initial=0)))
    ones = np.ones(int(both.sum()), np.int64)
    table = sparse.coo_array((ones, (first[both] - 1, second[both] - 1)), shape=shape)
    return table.tocsr()
