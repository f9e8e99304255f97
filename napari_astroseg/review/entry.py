"""Entry: one line of the log of verdicts; it is never changed, and undoing adds another."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal, cast, get_args
from uuid import uuid4

from napari_astroseg.errors import MarkError, VettingError
from napari_astroseg.sky.shapes.shape import Shape

Verdict = Literal["real", "not", "unsure", "reclassify", "duplicate", "revise"]
Act = Literal["judge", "undo", "redo"]

VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
ACCEPTED = ("real", "reclassify", "revise")
"""Verdicts by which there is something."""
MOST_STARS = 5

_LONGEST_WORD = 200
_LONGEST_NOTE = 10_000
_MOST_TAGS = 50
_LONGEST_SEEN = 2**16
_LONGEST_SHAPE = 2**19
_LONGEST_JSON = 2**20


@dataclass(frozen=True)
class Entry:
    """What one vetter did, checked as it is made.

    Parameters
    ----------
    detection
        Name of what was judged.
    vetter
        Who judged.
    act
        A verdict, or one taken back, or given again.
    verdict
        Of a `judge`; "" otherwise.
    of
        `uid` of the verdict that is taken back or given again.
    kind
        What it is instead, of a `reclassify`.
    same_as
        Name of the other, of a `duplicate`.
    shape
        Where its edge runs, of a `revise`.
    tags, note
        Why.
    rating
        1 to 5 stars; None for none.
    seen
        What was on screen: layers, stretch, the model's digest; of JSON's kinds.
    seconds
        For how long it had been looked at; NaN where nobody measured.
    time
        When.
    uid
        Tells it from all others, of any store.

    Raises
    ------
    VettingError
        When there is no such verdict.
    """

    detection: str
    vetter: str
    act: Act = "judge"
    verdict: Verdict | Literal[""] = ""
    of: str = ""
    kind: str = ""
    same_as: str = ""
    shape: Shape | None = None
    tags: tuple[str, ...] = ()
    note: str = ""
    rating: int | None = None
    seen: Mapping[str, Any] = field(default_factory=dict, compare=False)
    seconds: float = field(default=float("nan"), compare=False)
    time: datetime = field(default_factory=lambda: datetime.now(UTC), compare=False)
    uid: str = field(default_factory=lambda: uuid4().hex)

    def __post_init__(self) -> None:
        if self.act not in get_args(Act):
            raise VettingError(f"{self.act!r} is no act; use one of {', '.join(get_args(Act))}")
        if not self.vetter.strip():
            raise VettingError("a verdict has a vetter; give your name")
        if self.act == "judge":
            self._check_verdict()
        elif not self.of:
            raise VettingError(f"{self.act} is of a verdict; name it")
        if self.rating is not None and not 1 <= self.rating <= MOST_STARS:
            raise VettingError(f"a rating of {self.rating} is none; give 1 to {MOST_STARS}")
        words = (
            self.detection,
            self.vetter,
            self.of,
            self.kind,
            self.same_as,
            self.uid,
            *self.tags,
        )
        if max(map(len, words)) > _LONGEST_WORD or len(self.tags) > _MOST_TAGS:
            raise VettingError(
                f"give names and tags of at most {_LONGEST_WORD} letters, and {_MOST_TAGS} tags"
            )
        try:
            seen = json.dumps(dict(self.seen), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise VettingError(
                f"what was seen cannot be kept ({error}); give numbers and texts"
            ) from error
        if len(seen) > _LONGEST_SEEN:
            raise VettingError("what was seen is too long to be kept; tell less of it")
        if self.shape is not None and len(json.dumps(self.shape.to_json())) > _LONGEST_SHAPE:
            raise VettingError("its outline has too many corners to be kept; draw it with fewer")
        if len(self.note) > _LONGEST_NOTE:
            raise VettingError(f"a note of over {_LONGEST_NOTE:,} letters is too long; shorten it")

    def _check_verdict(self) -> None:
        if self.verdict not in VERDICTS:
            raise VettingError(f"{self.verdict!r} is no verdict; use one of {', '.join(VERDICTS)}")
        if self.verdict == "reclassify" and not self.kind.strip():
            raise VettingError("reclassify says what it is instead; give its kind")
        if self.verdict == "duplicate" and self.same_as in ("", self.detection):
            raise VettingError("duplicate says of what; name the other detection")
        if self.verdict == "revise" and self.shape is None:
            raise VettingError("revise says where its edge runs; give a shape")

    def to_json(self) -> dict[str, Any]:
        """What `from_json` reads."""
        return {
            "uid": self.uid,
            "detection": self.detection,
            "vetter": self.vetter,
            "time": self.time.astimezone(UTC).isoformat(),
            "act": self.act,
            "verdict": self.verdict,
            "of": self.of,
            "kind": self.kind,
            "same_as": self.same_as,
            "shape": None if self.shape is None else self.shape.to_json(),
            "tags": list(self.tags),
            "note": self.note,
            "rating": self.rating,
            "seen": dict(self.seen),
            "seconds": self.seconds if math.isfinite(self.seconds) else None,
        }

    @classmethod
    def from_json(cls, told: Any) -> Entry:
        """The entry that a JSON value describes.

        Raises
        ------
        VettingError
            When it describes none.
        """
        try:
            shape, rating, seconds = told["shape"], told["rating"], told["seconds"]
            return cls(
                detection=_text(told["detection"]),
                vetter=_text(told["vetter"]),
                act=cast(Act, _text(told["act"])),  # what it can be is checked as it is made
                verdict=cast(Verdict, _text(told["verdict"])),
                of=_text(told["of"]),
                kind=_text(told["kind"]),
                same_as=_text(told["same_as"]),
                shape=None if shape is None else Shape.from_json(shape),
                tags=tuple(_text(tag) for tag in told["tags"]),
                note=_text(told["note"]),
                rating=None if rating is None else int(rating),
                seen=dict(told["seen"]),
                seconds=float("nan") if seconds is None else float(seconds),
                time=datetime.fromisoformat(_text(told["time"])).astimezone(UTC),
                uid=_text(told["uid"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError, MarkError) as error:
            reason = " ".join(str(error).split())[:100] or type(error).__name__
            raise VettingError(
                f"a verdict is described by what makes none ({reason}); restore it from a copy"
            ) from error


def parsed(text: Any) -> Any:
    """What a JSON text of bounded length says.

    Raises
    ------
    VettingError
        When it is none.
    """
    if not isinstance(text, str) or len(text) > _LONGEST_JSON:
        raise VettingError("a verdict is too long to be one; restore the store from a copy")
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise VettingError(
            "a verdict is not written as one (no JSON); restore the store from a copy"
        ) from error


def _text(told: Any) -> str:
    if not isinstance(told, str):
        raise TypeError(f"{told!r} where a text should be")
    return told
