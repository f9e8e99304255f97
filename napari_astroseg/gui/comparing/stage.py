"""Stage: layers that take each other's place, and how they looked before they went on.

Which of them is seen is said by their opacity alone: the graphics card mixes what it already has,
nothing is read or sliced again, camera and limits stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_astroseg.gui import moments
from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.kinds import is_picture
from napari_astroseg.gui.ties import Ties

_MIXING = "translucent_no_depth"
"""How layers on stage are drawn over one another; other ways of napari know no opacity."""


class Stage(QObject):
    """The layers that are being compared, and the other pictures, which are dark meanwhile.

    Parameters
    ----------
    viewer
        Whose layers they are.
    parent
        Its owner.
    """

    left = Signal()

    def __init__(self, viewer: Any, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._viewer = viewer
        self._layers: tuple[Any, ...] = ()
        self._before: list[tuple[Any, float, str, bool]] = []
        self._ties = Ties(self)

    @property
    def viewer(self) -> Any:
        """Whose layers they are."""
        return self._viewer

    @property
    def layers(self) -> tuple[Any, ...]:
        """Who is on stage, in the order in which they were called; nobody when it is empty."""
        return self._layers

    def hidden(self, layers: Sequence[Any]) -> int:
        """Which of some layers follows the one that is seen, by the order of their calling."""
        called = [bare(each) for each in layers]
        seen = [n for n, each in enumerate(called) if each.visible and each.opacity > 0]
        order = [bare(each) for each in self._viewer.layers]
        top = max(seen, key=lambda n: order.index(called[n]), default=-1)
        return (top + 1) % len(called)

    def enter(self, layers: Sequence[Any]) -> None:
        """Call layers on stage, in place of those that are there."""
        self.leave()
        self._layers = tuple(bare(each) for each in layers)
        present = [bare(each) for each in self._viewer.layers]
        others = [each for each in present if each.visible and is_picture(each)]
        changed = {id(each): each for each in (*self._layers, *others)}.values()
        moments.note(self, changed)
        for layer in changed:
            self._before.append((layer, layer.opacity, layer.blending, layer.visible))
        for layer, *_ in self._before:
            if layer in self._layers:
                _set(layer, visible=True, blending=_MIXING)
            else:
                _set(layer, opacity=0.0)
        for layer in {id(each): each for each in (*self._layers, *present)}.values():
            if layer in self._layers or is_picture(layer):
                self._ties.tie(layer.events.visible, self._turned)
        self._ties.tie(self._viewer.layers.events.removed, self._removed)
        self._ties.tie(self._viewer.layers.events.inserted, self._inserted)

    def show(self, shares: Sequence[float]) -> None:
        """Let each layer be seen so much, 0 to 1."""
        for layer, share in zip(self._layers, shares, strict=True):
            _set(layer, opacity=share)

    def show_only(self, layer: Any) -> None:
        """Let one layer be seen, and no other."""
        self.show([float(each is bare(layer)) for each in self._layers])

    def mix(self, share: float) -> None:
        """Let the last layer be seen so much, and under it or over it the first.

        At 0 and at 1 nothing shines through where the one that is seen has no data.
        """
        first, last = self._layers[0], self._layers[-1]
        present = [bare(each) for each in self._viewer.layers]
        if present.index(last) > present.index(first):
            self.show([float(share < 1.0), share])
        else:
            self.show([1.0 - share, float(share > 0.0)])

    def leave(self) -> None:
        """Give every layer back what it had."""
        self._restore(None)

    def _restore(self, but: Any) -> None:
        if not self._layers:
            return
        self._ties.untie()
        before, self._before, self._layers = self._before, [], ()
        for layer, opacity, blending, visible in before:
            _set(layer, opacity=opacity, blending=blending)
            if layer is not but:
                _set(layer, visible=visible)
        moments.forget(self)
        self.left.emit()

    def _turned(self, event: Any) -> None:
        """Somebody has shown or hidden a picture: that is how it stays."""
        self._restore(bare(event.source))

    def _removed(self, event: Any) -> None:
        if any(layer is bare(event.value) for layer, *_ in self._before):
            self.leave()

    def _inserted(self, event: Any) -> None:
        """A new picture would cover the stage."""
        if is_picture(event.value):
            self.leave()


def _set(layer: Any, **looks: Any) -> None:
    """Change how a layer looks; what is so already would be sliced or drawn again for nothing."""
    for name, value in looks.items():
        if getattr(layer, name) != value:
            setattr(layer, name, value)
