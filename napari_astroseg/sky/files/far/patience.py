"""Patience: how long far files are waited for, how often asked again, and what is said then."""

from __future__ import annotations

import re
from dataclasses import dataclass

from napari_astroseg.errors import ImageError

PATIENCE_S = 30.0
"""A server that says nothing is given up after this many seconds, all tries together."""
SLOWEST = 64 * 2**10
"""Bytes a second: a server that is slower is given up too."""
PAUSES_S = (0.25, 1.0, 3.0)
"""Between one try and the next."""
SIDE_BY_SIDE = 6
"""Requests to one server at a time, as browsers have it."""


class Transient(Exception):
    """A failure that may pass: the question is put again."""


class NotThere(ImageError):
    """There is nothing at the URL."""


class NoAnswer(ImageError):
    """The server cannot be asked, or does not answer: no use in asking it for anything else."""


@dataclass(frozen=True)
class Version:
    """What a server tells of a file to know it again.

    Parameters
    ----------
    size
        Bytes; -1 where it was not told.
    etag, modified
        As the server writes them; "" where it does not.
    """

    size: int
    etag: str = ""
    modified: str = ""

    def differs(self, other: Version) -> bool:
        """Whether they are two versions of a file.

        Mirrors behind one name may each write tags of their own: a tag alone tells nothing
        where the times agree.
        """
        if -1 not in (self.size, other.size) and self.size != other.size:
            return True
        told = [(self.etag, other.etag), (self.modified, other.modified)]
        same = [one == two for one, two in told if one and two]
        return bool(same) and not any(same)


def allowed(count: int) -> float:
    """Seconds for fetching so many bytes."""
    return PATIENCE_S + count / SLOWEST


def changed(name: str) -> ImageError:
    """The sentence for a file that is another one by now."""
    return ImageError(f"{name} was changed while it was open; open it again")


def reason(error: BaseException) -> str:
    """A few words on an error, without passwords and signatures of URLs."""
    if isinstance(error, TimeoutError):
        return f"no answer within {PATIENCE_S:g} s"
    words = " ".join(str(error).split())
    words = re.sub(r"://[^/\s@]*@", "://", words)
    words = re.sub(r" ssl:\S+", "", words)  # aiohttp's own mark, no news to anyone
    words = re.sub(r"\?[^\s'\")>]+", "", words)
    return words[:160] or type(error).__name__
