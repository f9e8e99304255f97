"""Step: one thing to do in the window, told in words, and what tells that it is done."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

from qtpy.QtWidgets import QWidget

from napari_astroseg.gui.later import Docks
from napari_astroseg.gui.tour.sky import TourSky


@dataclass(frozen=True)
class Scene:
    """Where the tour goes: the viewer, its docks by their names, its window, the sample."""

    viewer: Any
    docks: Docks
    window: QWidget
    sky: TourSky


class Step(ABC):
    """What all steps can be asked.

    Parameters
    ----------
    scene
        Where it is done.
    """

    title: str
    dock: str
    """The name of the dock in question."""
    doing = "A moment …"
    """What is said while Next does it."""
    failed = "That did not work; the dock says why. Next tries again."
    """What is said when Next could not do it."""

    def __init__(self, scene: Scene) -> None:
        self.scene = scene

    @property
    @abstractmethod
    def words(self) -> str:
        """What to do, as rich text; controls by their names."""

    @property
    @abstractmethod
    def outcome(self) -> str:
        """What has come of it, once it is done."""

    @property
    @abstractmethod
    def control(self) -> QWidget:
        """The control that does it."""

    @property
    @abstractmethod
    def now(self) -> Hashable:
        """How the thing stands; None while it is not done. What changes is being worked on."""

    @property
    def there(self) -> bool:
        """Whether it needs not be done any more."""
        return self.now is not None

    @property
    def busy(self) -> bool:
        """Whether the window works on it."""
        return False

    @abstractmethod
    def act(self) -> str:
        """Do the next part of it, as the control would; what was begun."""

    def begin(self) -> None:  # noqa: B027 (most have nothing to prepare)
        """It is the user's turn."""

    def end(self) -> None:  # noqa: B027
        """The tour leaves it."""
