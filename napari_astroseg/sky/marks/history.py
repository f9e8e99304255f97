"""History: which steps stand and which were taken back, as the entries of a journal tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from napari_astroseg.sky.marks.journal import Entry
from napari_astroseg.sky.marks.steps import Step
from napari_astroseg.sky.window import Window


class History:
    """Two stacks. A new step puts an end to what could be done again, which the journal keeps."""

    def __init__(self) -> None:
        self.done: list[Entry] = []
        self.undone: list[Entry] = []

    def follow(self, entry: Entry) -> Entry:
        """Move as an entry says; the entry of the step that it is about.

        Raises
        ------
        IndexError
            When there is nothing to take back, or to do again.
        """
        if entry.act == "undo":
            self.undone.append(self.done.pop())
            return self.undone[-1]
        if entry.act == "redo":
            self.done.append(self.undone.pop())
        else:
            self.undone.clear()
            self.done.append(entry)
        return self.done[-1]


@dataclass(frozen=True)
class Change:
    """What a step, or taking it back, changed.

    Parameters
    ----------
    entry
        Of the step.
    step
        As it was done, or as it was taken back.
    names
        Whose mask has which number.
    """

    entry: Entry
    step: Step
    names: Mapping[int, str]

    @property
    def places(self) -> tuple[tuple[str, Window], ...]:
        """Whose labels changed, and where."""
        owned = (each for each in self.step.patches if each.mask in self.names)
        return tuple((self.names[each.mask], each.window) for each in owned)

    @property
    def values(self) -> tuple[str, ...]:
        """Names of the values that changed."""
        return tuple(each.name for each in self.step.edits)
