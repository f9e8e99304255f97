"""Actions: what is done by a key while judging, and the keys that the user has chosen."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from napari.utils.key_bindings import coerce_keybinding

from napari_astroseg.errors import VettingError
from napari_astroseg.gui.keys import Key, Keys, Pairs
from napari_astroseg.gui.settings import remember, remembered

_REMEMBERED = "vetting keys"


@dataclass(frozen=True)
class Action:
    """Something that a key does.

    Parameters
    ----------
    name
        Within the program.
    key
        In napari's spelling, unless the user has chosen another.
    meaning
        In words.
    """

    name: str
    key: str
    meaning: str


ACTIONS = (
    Action("real", "1", "real: it is what it is taken for"),
    Action("not", "2", "not: it is nothing, or an artefact"),
    Action("unsure", "3", "unsure"),
    Action("reclassify", "4", "real, but something else: the kind beside the button"),
    Action("duplicate", "5", "duplicate of the one beside the button"),
    Action("revise", "6", "real, with the outline that I drag; again to keep it"),
    Action("again", "0", "the same as the last verdict"),
    Action("next", "E", "the next one, without a verdict"),
    Action("previous", "Q", "the one before"),
    Action("unjudged", "Shift+E", "the next without a verdict"),
    Action("undo", "Control-Z", "take the last verdict back"),
    Action("redo", "Control-Shift-Z", "give it again"),
    Action("marks", "M", "hide all marks, or show them again"),
    Action("blink", "B", "the comparison picture, while held"),
    Action("fit", "Z", "zoom so that it fits the canvas"),
    Action("note", "Shift+N", "write a note"),
    Action("point", "Shift+P", "point TOPCAT, Aladin or DS9 at this one (SAMP)"),
)


def chosen_keys() -> dict[str, str]:
    """Name of each action → its key."""
    keys = {action.name: action.key for action in ACTIONS}
    try:
        told = json.loads(remembered(_REMEMBERED, "{}"))
    except ValueError:
        return keys
    if isinstance(told, dict):
        keys |= {name: key for name, key in told.items() if name in keys and _sound(key)}
    return keys


def key_pairs() -> Pairs:
    """The keys as they are chosen now, and what each does."""
    keys = chosen_keys()
    return tuple((keys[action.name], action.meaning) for action in ACTIONS)


def choose_key(name: str, key: str) -> None:
    """Let an action have another key from now on.

    Raises
    ------
    VettingError
        When there is no such key, or another action has it.
    """
    keys = chosen_keys()
    if not _sound(key):
        raise VettingError(f"{key or 'nothing'} is no key; press one, such as K or Shift+K")
    for other, taken in keys.items():
        if other != name and coerce_keybinding(taken) == coerce_keybinding(key):
            meaning = next(action.meaning for action in ACTIONS if action.name == other)
            raise VettingError(f"{key} is taken by “{meaning}”; change that first")
    remember(_REMEMBERED, json.dumps(keys | {name: key}))


def forget_keys() -> None:
    """Let all have their first keys again."""
    remember(_REMEMBERED, "{}")


class _Press:
    """What a key calls, as an object that the keys can hold weakly."""

    def __init__(self, call: Callable[[], None], release: Callable[[], None] | None) -> None:
        self._call, self._release = call, release

    def press(self) -> None:
        self._call()

    def release(self) -> None:
        if self._release is not None:
            self._release()


class Bound:
    """The actions as keys of viewers and layers.

    Parameters
    ----------
    calls
        Name of an action → what it does.
    releases
        The same for those that last while a key is held.
    """

    def __init__(
        self,
        calls: Mapping[str, Callable[[], None]],
        releases: Mapping[str, Callable[[], None]],
    ) -> None:
        keys = chosen_keys()
        self._presses = {
            action.name: _Press(calls[action.name], releases.get(action.name)) for action in ACTIONS
        }
        self.keys = Keys(
            tuple(
                Key(
                    keys[action.name],
                    action.meaning,
                    self._presses[action.name].press,
                    self._presses[action.name].release if action.name in releases else None,
                )
                for action in ACTIONS
            )
        )


def _sound(key: object) -> bool:
    if not isinstance(key, str) or not key:
        return False
    try:
        coerce_keybinding(key)
    except (ValueError, TypeError, KeyError):
        return False
    return True
