"""Consensus: one answer from several vetters, by majority or by what each of them is worth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from napari_astroseg.errors import VettingError
from napari_astroseg.review.agreement import ANSWERS, UNANSWERED, Answers

Rule = Literal["majority", "weighted"]
Doubles = NDArray[np.float64]

_ROUNDS = 200
_STILL = 1e-6
_PRIOR = 1.0
"""Answers that a vetter is taken to have given right before any is seen, for each kind."""
_DOUBT = 0.25
"""And wrong, of each other kind: nobody is infallible after a few answers."""


@dataclass(frozen=True, eq=False)
class Consensus:
    """What the vetters say together.

    Parameters
    ----------
    answer
        (detections,): index into `ANSWERS`, -1 where nobody has judged.
    probability
        (detections, answers): how much speaks for each; NaN where nobody has judged.
    matrices
        (vetters, answers, answers): how often each vetter says what (column) of what is what (row).
    """

    answer: NDArray[np.int64]
    probability: Doubles
    matrices: Doubles


def consensus(answers: Answers, rule: Rule = "majority") -> Consensus:
    """One answer for each detection.

    `majority`: the most frequent; a tie is unsure. `weighted`: the most probable, with everyone's
    habits learnt from all answers at once by expectation and maximisation (Dawid & Skene 1979,
    Applied Statistics 28, 20), and a little known of everybody beforehand.

    Raises
    ------
    VettingError
        When the rule is none.
    """
    if rule == "majority":
        return _majority(answers)
    if rule == "weighted":
        return _weighted(answers)
    raise VettingError(f"{rule!r} is no rule; use majority or weighted")


def _majority(answers: Answers) -> Consensus:
    counts = answers.counts
    total = counts.sum(1)
    best = counts.argmax(1)
    tied = (counts == counts.max(1, keepdims=True)).sum(1) > 1
    answer = np.where(tied, ANSWERS.index("unsure"), best)
    probability = np.full(counts.shape, np.nan)
    probability[total > 0] = counts[total > 0] / total[total > 0, None]
    matrices = _matrices(answers, np.nan_to_num(probability))
    return Consensus(np.where(total > 0, answer, UNANSWERED), probability, matrices)


def _weighted(answers: Answers) -> Consensus:
    judged = answers.counts.sum(1) > 0
    start = _majority(answers).probability
    belief = np.where(judged[:, None], np.nan_to_num(start), 0.0)
    matrices = _matrices(answers, belief)
    for _ in range(_ROUNDS):
        before = belief
        belief = _expected(answers, matrices, belief) * judged[:, None]
        matrices = _matrices(answers, belief)
        if np.abs(belief - before).max(initial=0.0) < _STILL:
            break
    answer = np.where(judged, belief.argmax(1), UNANSWERED)
    return Consensus(answer, np.where(judged[:, None], belief, np.nan), matrices)


def _expected(answers: Answers, matrices: Doubles, belief: Doubles) -> Doubles:
    """How probable each answer is, given everyone's habits and how common it is."""
    share = belief.sum(0) + _DOUBT
    logs = np.tile(np.log(share / share.sum()), (len(belief), 1))
    for column in range(len(answers.vetters)):
        given = answers.given[:, column]
        has = given >= 0
        logs[has] += np.log(matrices[column][:, given[has]].T)
    logs -= logs.max(1, keepdims=True, initial=-np.inf)
    found = np.exp(logs)
    return np.asarray(found / found.sum(1, keepdims=True))


def _matrices(answers: Answers, belief: Doubles) -> Doubles:
    kinds = len(ANSWERS)
    matrices = np.empty((len(answers.vetters), kinds, kinds))
    for column in range(len(answers.vetters)):
        given = answers.given[:, column]
        said = np.stack([(given == code) for code in range(kinds)], 1).astype(np.float64)
        table = belief.T @ said + _DOUBT + (_PRIOR - _DOUBT) * np.eye(kinds)
        matrices[column] = table / table.sum(1, keepdims=True)
    return matrices
