"""Record: what every part of a project is, immutable, of known fields, each bounded.

A project may come from a stranger. What is read of one is these records and nothing else: an
unknown field, another type or a number out of bounds refuses the file. No record holds a path;
the files of a project are its places, each with a key, so that all of them can be shown before
any is touched.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, model_serializer

PLACE_KEY = r"^(p[0-9]{1,6})?$"
_LONGEST = 300
UNWRITTEN = re.compile(r"[\x00-\x1f\ud800-\udfff]")
"""Characters that the name of a file or a layer may have, and no line of text."""


class Record(BaseModel):
    """Fields of the given types and no others; numbers are finite."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, allow_inf_nan=False
    )


class Tagged(Record):
    """A record whose `kind` tells it from others, and is always written."""

    kind: str

    @model_serializer(mode="wrap")
    def _tagged(self, written: Any) -> dict[str, Any]:
        return {"kind": self.kind, **written(self)}


Name = Annotated[str, Field(max_length=_LONGEST, pattern=r"^[^\x00-\x1f]*$")]
"""A word or a line: of a layer, a model, a person."""


def line(text: str) -> str:
    """A text as a `Name` holds it: in one line, and cut where it is too long."""
    return UNWRITTEN.sub(" ", text)[:_LONGEST]


Key = Annotated[str, Field(pattern=PLACE_KEY)]
"""Which place of the project is meant; "" for none."""

SomeKey = Annotated[str, Field(pattern=PLACE_KEY, min_length=1)]
"""The same where there has to be one."""

Number = Annotated[float, Field(ge=-1e300, le=1e300)]
Share = Annotated[float, Field(ge=0.0, le=1.0)]
Count = Annotated[int, Field(ge=0, le=2**53)]
