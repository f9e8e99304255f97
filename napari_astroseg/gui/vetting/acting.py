"""Acting: what the keys and buttons of judging do, while a desk is followed."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from qtpy.QtCore import QObject, Signal

from napari_astroseg.gui.comparing.blink import Blink
from napari_astroseg.gui.comparing.kinds import is_picture, lie_together
from napari_astroseg.gui.comparing.overlaysoff import OverlaysOff
from napari_astroseg.gui.comparing.stage import Stage
from napari_astroseg.gui.vetting.actions import ACTIONS, Bound, chosen_keys
from napari_astroseg.gui.vetting.desk import Desk
from napari_astroseg.gui.vetting.judgebox import JudgeBox
from napari_astroseg.gui.vetting.judged import Judged


class Acting(QObject):
    """Actions by name, and the keys that call them.

    Parameters
    ----------
    viewer
        Where keys are heard.
    judging
        What is said with a verdict.
    visible
        Whether the dock is seen.
    judged
        What is looked at; a picture without the hidden objects gives them away, and is left out.
    """

    said = Signal(str)
    pointed = Signal()  # other programs are to go where one looks

    def __init__(
        self,
        viewer: Any,
        judging: JudgeBox,
        visible: Callable[[], bool],
        judged: Judged,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._viewer, self._judging, self._judged = viewer, judging, judged
        self._desk: Desk | None = None
        self._bound: Bound | None = None
        self.stage = Stage(viewer, self)
        self.blink = Blink(self.stage, visible)
        self.overlays = OverlaysOff(viewer, self)

    def follow(self, desk: Desk | None) -> None:
        """Work for this desk from now on; None for none."""
        if desk is None:
            self.blink.stop()
            self.overlays.set_off(False)
        self._desk = desk
        self.bind()

    def act(self, name: str) -> None:
        """Do what an action is called by."""
        if self._desk is not None:
            self._calls(self._desk)[name]()

    def bind(self) -> None:
        """Let the keys work where the picture is looked at, and show them."""
        if self._bound is not None:
            self._bound.keys.let_go()
            self._bound = None
        self._judging.show_keys(chosen_keys())
        desk = self._desk
        if desk is not None:
            self._bound = Bound(self._calls(desk), {"blink": self.blink.release})
            for listener in (self._viewer, desk.layer, desk.rings.layer):
                self._bound.keys.bind(listener)

    def pictures(self) -> list[Any]:
        """The image that is judged, and other pictures of the same sky on the same pixels."""
        if self._desk is None:
            return []
        own = self._desk.layer
        others = (
            layer
            for layer in self._viewer.layers
            if is_picture(layer)
            and layer not in (own, self._judged.stood_in_for)
            and lie_together(own, layer)
        )
        return [own, *others]

    def _calls(self, desk: Desk) -> dict[str, Callable[[], None]]:
        said, box = self._said, self._judging
        calls: dict[str, Callable[[], None]] = {
            "real": lambda: desk.judge("real", **said()),
            "not": lambda: desk.judge("not", **said()),
            "unsure": lambda: desk.judge("unsure", **said()),
            "reclassify": lambda: desk.judge("reclassify", kind=box.kind, **said()),
            "duplicate": lambda: desk.judge("duplicate", same_as=box.same_as, **said()),
            "revise": lambda: desk.revise(**said()),
            "again": desk.again,
            "undo": self._undo,
            "redo": desk.redo,
            "marks": self.overlays.toggle,
            "blink": self._blink,
            "fit": desk.fit,
            "note": box.note_line.setFocus,
            "point": self.pointed.emit,
        }
        calls |= {step: partial(desk.walk, step) for step in ("next", "previous", "unjudged")}
        return {action.name: calls[action.name] for action in ACTIONS}

    def _said(self) -> dict[str, Any]:
        box = self._judging
        return {"tags": box.tags, "note": box.note, "rating": box.rating}

    def _undo(self) -> None:
        """Leave the outline that is being revised, or take the last verdict back."""
        if self._desk is not None and not self._desk.leave_outline():
            self._desk.undo()

    def _blink(self) -> None:
        """Show another picture of the same sky, while the key is held."""
        pictures = self.pictures()
        if len(pictures) > 1:
            self.blink.hold(pictures)
        else:
            self.said.emit("There is no other picture of this sky: bring one in Compare")
