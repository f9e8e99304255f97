"""Keys: what is done by a key anywhere in the window, and given back when it ends.

All keys are announced here, whoever listens to them, so that they can be shown on one sheet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary, WeakMethod

from napari.utils.key_bindings import coerce_keybinding
from qtpy.QtCore import Qt
from qtpy.QtGui import QKeySequence
from qtpy.QtWidgets import QShortcut, QWidget

Pairs = tuple[tuple[str, str], ...]
"""Keys, and what each does."""

_SPOKEN = {",": "Comma", ".": "Full stop"}
_ANNOUNCED: WeakKeyDictionary[Any, dict[str, Callable[[], Pairs]]] = WeakKeyDictionary()


def announce(owner: Any, title: str, told: Pairs | Callable[[], Pairs]) -> None:
    """Have keys shown under a title for as long as their owner lives.

    Parameters
    ----------
    told
        The keys; or what tells them, where the user can change them. It must not hold the owner.
    """
    _ANNOUNCED.setdefault(owner, {})[title] = told if callable(told) else lambda: told


def announced() -> list[tuple[str, list[tuple[str, str]]]]:
    """All keys by title, in the order in which they were announced; each once."""
    groups: dict[str, dict[str, str]] = {}
    for titles in list(_ANNOUNCED.values()):
        for title, told in titles.items():
            groups.setdefault(title, {}).update(told())
    return [(title, list(pairs.items())) for title, pairs in groups.items()]


def spoken(key: str) -> str:
    """A key as people read it: Ctrl+Z, Comma, N."""
    written = key.upper() if len(key) == 1 else key.replace("Control", "Ctrl").replace("-", "+")
    return _SPOKEN.get(key, written)


def shortcuts(
    widget: QWidget, title: str, keys: dict[str, tuple[str, Callable[[], Any]]], *, inside: bool
) -> None:
    """Let keys, in Qt's spelling, call functions, and announce them.

    Parameters
    ----------
    keys
        Key → what it does, in words and as a function.
    inside
        Whether only while the keyboard is in the widget, and not anywhere in its window.
    """
    for key, (_, call) in keys.items():
        shortcut = QShortcut(QKeySequence(key), widget)
        if inside:
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        shortcut.activated.connect(call)
    announce(widget, title, tuple((key, does) for key, (does, _) in keys.items()))


@dataclass(frozen=True)
class Key:
    """A key, in napari's spelling, and what it does.

    Parameters
    ----------
    key
        Such as "K" or "Shift+K".
    meaning
        In words, for a list.
    press
        A method of an object that lives as long as the key is wanted.
    release
        Another, called when the key is let go.
    """

    key: str
    meaning: str
    press: Callable[[], None]
    release: Callable[[], None] | None = None


class Keys:
    """Keys that are bound to viewers, until they are let go.

    Parameters
    ----------
    keys
        All of them.
    """

    def __init__(self, keys: tuple[Key, ...]) -> None:
        self.keys = keys
        self._bound: list[tuple[Any, str, Any, Any]] = []  # and what the key did before

    @property
    def words(self) -> str:
        """All keys and what they do, a line for each."""
        return "\n".join(f"{spoken(key)}: {does}" for key, does in self.pairs)

    @property
    def pairs(self) -> Pairs:
        """The keys, and what each does."""
        return tuple((each.key, each.meaning) for each in self.keys)

    def bind(self, viewer: Any) -> None:
        """Let a viewer listen to them."""
        for each in self.keys:
            call = _held(each) if each.release is not None else _pressed(each)
            before = viewer.keymap.get(coerce_keybinding(each.key))
            viewer.bind_key(each.key, call, overwrite=True)
            self._bound.append((viewer, each.key, call, before))

    def let_go(self) -> None:
        """Let no viewer listen any more; keys do again what they did before."""
        for viewer, key, call, before in reversed(self._bound):
            if viewer.keymap.get(coerce_keybinding(key)) is not call:
                continue  # somebody else has taken it since
            viewer.bind_key(key, None)
            if before is not None:
                viewer.bind_key(key, before)
        self._bound.clear()


def _pressed(key: Key) -> Callable[[Any], None]:
    method = WeakMethod(key.press)

    def press(_viewer: Any) -> None:
        call = method()
        if call is not None:
            call()

    return press


def _held(key: Key) -> Callable[[Any], Iterator[None]]:
    """What napari calls at a press, and goes on with when the key is let go."""
    assert key.release is not None
    method, other = WeakMethod(key.press), WeakMethod(key.release)

    def press(_viewer: Any) -> Iterator[None]:
        call = method()
        if call is not None:
            call()
        yield
        call = other()
        if call is not None:
            call()

    return press
