"""Spread: what the uncertainty of an answer is of, in words; torch-free."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["samples", "turns", "models", "entropy"]

_OF = {
    "samples": "standard deviation of the {what} over {n} samples of the network",
    "turns": "standard deviation of the {what} over {n} turns and mirrorings of the image",
    "models": "standard deviation of the {what} over {n} answers, of several models",
    "entropy": "entropy of the {what}, bits: 1 where it is a half, 0 where it is 0 or 1",
}


@dataclass(frozen=True)
class Spread:
    """What stands behind an uncertainty.

    Parameters
    ----------
    kind
        `samples` of a probabilistic network, `turns` of the image, several `models`, or `entropy`
        of one answer, which is no spread at all.
    members
        Answers that it is taken over.
    """

    kind: Kind
    members: int = 1

    @property
    def words(self) -> str:
        """What it is, for headers, columns and tooltips."""
        return self.words_of("probability")

    def words_of(self, what: str) -> str:
        """The same, where it is not a probability that is unsure."""
        return _OF[self.kind].format(n=self.members, what=what)

    def cards(self, what: str = "probability") -> dict[str, str | int | float]:
        """The same for a FITS header."""
        return {"UNCKIND": self.kind, "UNCN": self.members, "UNCIS": self.words_of(what)}

    @property
    def largest(self) -> float:
        """The most that it can be."""
        return 1.0 if self.kind == "entropy" else 0.5
