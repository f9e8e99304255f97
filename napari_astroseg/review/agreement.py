"""Agreement: how alike vetters judge, and how each of them judges.

* Cohen's kappa of two, (o − e) / (1 − e): o the share of detections that both judged alike, e the
  share that they would by chance, each with their own habits (Cohen 1960, Educational and
  Psychological Measurement 20, 37).
* Fleiss' kappa of all: o the share of pairs of answers to one detection that are alike, averaged
  over detections with two answers or more, e the sum of squared shares of all these answers
  (Fleiss 1971, Psychological Bulletin 76, 378). His answers are equally many for each detection;
  where they are not, each detection counts once.

What is 0 / 0 is NaN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.review.entry import ACCEPTED, Entry
from napari_astroseg.review.planting import Skill, skill
from napari_astroseg.review.standing import Standing
from napari_astroseg.review.store import Known

Counts = NDArray[np.int64]

ANSWERS = ("real", "not", "unsure", "duplicate")
"""What verdicts come down to; what is reclassified or revised is real."""
UNANSWERED = -1


@dataclass(frozen=True, eq=False)
class Answers:
    """Who said what of which detection.

    Parameters
    ----------
    vetters
        In the order in which they began.
    names
        Of the detections.
    given
        (detections, vetters): index into `ANSWERS`, -1 where there is none.
    """

    vetters: tuple[str, ...]
    names: tuple[str, ...]
    given: Counts

    @property
    def counts(self) -> Counts:
        """(detections, answers): how many gave each."""
        return np.stack([(self.given == code).sum(1) for code in range(len(ANSWERS))], 1)

    @property
    def disagreements(self) -> list[int]:
        """Rows with different answers, the most evenly divided first."""
        counts = self.counts
        total = counts.sum(1)
        split = 1.0 - counts.max(1, initial=0) / np.maximum(total, 1)
        rows = np.flatnonzero((split > 0) & (total > 0))
        found: list[int] = rows[np.lexsort((rows, -total[rows], -split[rows]))].tolist()
        return found


@dataclass(frozen=True)
class Pair:
    """Two vetters: on how many detections they both have an answer, how alike, and kappa."""

    first: str
    second: str
    both: int
    alike: float
    kappa: float


@dataclass(frozen=True)
class Habits:
    """How one vetter judges: answers by kind, the median time for one, and what is measured."""

    vetter: str
    judged: int
    counts: Mapping[str, int]
    seconds: float
    skill: Skill


def code_of(entry: Entry) -> int:
    """The answer that a verdict comes down to."""
    return ANSWERS.index("real" if entry.verdict in ACCEPTED else str(entry.verdict))


def answers_of(standing: Mapping[str, Standing], names: Sequence[str]) -> Answers:
    """What stands of each vetter, as one table."""
    rows = {name: row for row, name in enumerate(names)}
    given = np.full((len(names), len(standing)), UNANSWERED, np.int64)
    for column, each in enumerate(standing.values()):
        for name, entry in each.verdicts.items():
            if name in rows:
                given[rows[name], column] = code_of(entry)
    return Answers(tuple(standing), tuple(names), given)


def confusion(first: Counts, second: Counts) -> Counts:
    """(answers, answers): how often the first said the one (row) and the second the other."""
    both = (first >= 0) & (second >= 0)
    table = np.zeros((len(ANSWERS), len(ANSWERS)), np.int64)
    np.add.at(table, (first[both], second[both]), 1)
    return table


def cohen_kappa(table: Counts) -> float:
    """Cohen's kappa from a table of confusion."""
    total = int(table.sum())
    alike = total * int(np.trace(table))
    by_chance = int((table.sum(0) * table.sum(1)).sum())
    return (alike - by_chance) / (total**2 - by_chance) if total**2 > by_chance else np.nan


def fleiss_kappa(counts: Counts) -> float:
    """Fleiss' kappa from how many gave each answer to each detection, (detections, answers)."""
    counts = counts[counts.sum(1) >= 2]
    if not len(counts):
        return np.nan
    people = counts.sum(1)
    alike = float((((counts**2).sum(1) - people) / (people * (people - 1))).mean())
    by_chance = float(((counts.sum(0) / counts.sum()) ** 2).sum())
    return (alike - by_chance) / (1 - by_chance) if by_chance < 1 else np.nan


def pairs(answers: Answers) -> list[Pair]:
    """Each two vetters with detections in common."""
    found = []
    for one, other in combinations(range(len(answers.vetters)), 2):
        table = confusion(answers.given[:, one], answers.given[:, other])
        both = int(table.sum())
        if both:
            alike = float(np.trace(table)) / both
            names = answers.vetters[one], answers.vetters[other]
            found.append(Pair(*names, both, alike, cohen_kappa(table)))
    return found


def habits(
    standing: Mapping[str, Standing], names: Sequence[str], known: Sequence[Known]
) -> list[Habits]:
    """How each vetter judges.

    Parameters
    ----------
    known
        What is known of each detection, as `Store.detections` tells.
    """
    found = []
    for vetter, each in standing.items():
        entries = list(each.verdicts.values())
        counts = dict.fromkeys(ANSWERS, 0)
        for entry in entries:
            counts[ANSWERS[code_of(entry)]] += 1
        times = np.array([entry.seconds for entry in entries])
        times = times[np.isfinite(times)]
        median = float(np.median(times)) if len(times) else np.nan
        found.append(Habits(vetter, len(entries), counts, median, skill(each, names, known)))
    return found
