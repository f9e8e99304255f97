"""Moments: what is shown or hidden for a while only, and how those layers look apart from it.

Whoever changes layers for a while notes them here first, so that a project that is saved meanwhile
keeps how they look in the long run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

from napari_astroseg.gui.bare import bare

_NOTED: WeakKeyDictionary[Any, WeakKeyDictionary[Any, Seen]] = WeakKeyDictionary()
"""Layer → who has noted it, the earliest first."""


@dataclass(frozen=True)
class Seen:
    """How a layer is drawn over others, as napari has it."""

    visible: bool
    opacity: float
    blending: str

    @classmethod
    def of(cls, layer: Any) -> Seen:
        """That of this moment."""
        return cls(bool(layer.visible), float(layer.opacity), str(layer.blending))


def note(owner: Any, layers: Iterable[Any]) -> None:
    """Note how layers look before their owner changes them for a while."""
    for layer in map(bare, layers):
        seen = lasting(layer)
        _NOTED.setdefault(layer, WeakKeyDictionary())[owner] = seen


def forget(owner: Any) -> None:
    """What an owner has changed is back, or stays as it is."""
    for noted in _NOTED.values():
        noted.pop(owner, None)


def lasting(layer: Any) -> Seen:
    """How a layer looks but for what is changed for a while."""
    noted: Mapping[Any, Seen] = _NOTED.get(bare(layer), {})
    return next(iter(noted.values()), None) or Seen.of(layer)
