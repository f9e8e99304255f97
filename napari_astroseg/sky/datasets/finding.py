"""Finding: one thing that is wrong in a folder: in which file, what, and what helps."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

_REMEDY = "mend it, or take it out of the folder"


@dataclass(frozen=True)
class Finding:
    """One thing that is wrong.

    Parameters
    ----------
    file
        Its path below the folder, with slashes.
    what
        What is wrong with it.
    remedy
        What helps.
    left_out
        Whether what it is about is left out of what is learnt; else it is good to know.
    """

    file: str
    what: str
    remedy: str = _REMEDY
    left_out: bool = True

    @property
    def sentence(self) -> str:
        """File, what, remedy."""
        return f"{self.file}: {self.what}; {self.remedy}"

    @classmethod
    def of(cls, file: str, error: Exception) -> Finding:
        """What an error says of a file; the errors of this package end with their remedy."""
        words = " ".join(str(error).split()) or type(error).__name__
        what, _, remedy = words.rpartition("; ")
        if not what:
            what, remedy = words, _REMEDY
        name = file.rpartition("/")[2]
        if what.startswith((f"{name} ", f"{name}: ")):
            what = what[len(name) :].lstrip(": ")
        return cls(file, what, remedy)


def below(path: Path, folder: Path) -> str:
    """The path of a file below a folder, with slashes; the whole of it if it is elsewhere."""
    if path == folder:
        return path.resolve().name
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.as_posix()
