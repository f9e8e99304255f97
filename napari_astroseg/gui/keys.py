"""Keys: what is done by a key anywhere in the window, and given back when it ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from weakref import WeakMethod


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
        self._bound: list[tuple[Any, str]] = []

    @property
    def words(self) -> str:
        """All keys and what they do, a line for each."""
        spoken = {",": "Comma", ".": "Full stop"}
        return "\n".join(f"{spoken.get(each.key, each.key)}: {each.meaning}" for each in self.keys)

    def bind(self, viewer: Any) -> None:
        """Let a viewer listen to them."""
        for each in self.keys:
            call = _held(each) if each.release is not None else _pressed(each)
            viewer.bind_key(each.key, call, overwrite=True)
            self._bound.append((viewer, each.key))

    def let_go(self) -> None:
        """Let no viewer listen any more."""
        for viewer, key in self._bound:
            viewer.bind_key(key, None)
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
