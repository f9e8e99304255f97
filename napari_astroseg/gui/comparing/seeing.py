"""SeeingBox: two pictures of the same sky, seen one after, beside, through and over the other."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from qtpy.QtWidgets import QVBoxLayout, QWidget

from napari_astroseg.gui.bare import bare
from napari_astroseg.gui.comparing.blink import Blink
from napari_astroseg.gui.comparing.canvas import napari_canvas
from napari_astroseg.gui.comparing.contours import Contours
from napari_astroseg.gui.comparing.fade import Fade
from napari_astroseg.gui.comparing.overlaysoff import OverlaysOff
from napari_astroseg.gui.comparing.seeingcontrols import SeeingControls, show_state
from napari_astroseg.gui.comparing.sidebyside import SideBySide
from napari_astroseg.gui.comparing.stage import Stage
from napari_astroseg.gui.comparing.swipe import Swipe
from napari_astroseg.gui.keys import Key, Keys, announce

_STEP = 0.05
_NO_PAIR = "There are no two pictures yet: open another, or bring one onto this one"


class SeeingBox(QWidget):
    """Blink, swipe, fade, side by side, contours, overlays off; each by a key, too.

    Parameters
    ----------
    viewer
        Whose layers are compared.
    """

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self._viewer = bare(viewer)
        self._compared: tuple[Any, ...] = ()
        self.stage = Stage(self._viewer, self)
        self.blink = Blink(self.stage, self._in_sight)
        self.swipe, self.fade = Swipe(self.stage), Fade(self.stage)
        self.beside = SideBySide(self._viewer, self)
        self.contours = Contours(self._viewer, self)
        self.overlays = OverlaysOff(self._viewer, self)
        self._keys = Keys(self._all_keys())
        announce(self, "Compare", self._keys.pairs)
        self.controls = SeeingControls(self._viewer, self.contours, self._keys.words)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.controls)
        self._connect()
        self._bind_keys()
        self._pair_changed()

    @property
    def pair(self) -> tuple[Any, Any] | None:
        """The two layers that are compared; None while there are no two."""
        return self.controls.pair.pair

    def set_pair(self, first_layer: Any, second_layer: Any) -> None:
        """Compare these two from now on; what is being compared ends."""
        self.controls.pair.choose(first_layer, second_layer)

    def untie(self) -> None:
        """Everything as it was before; follow the viewer no more."""
        self.stage.leave()
        self.beside.stop()
        self.contours.shut_down()
        self.overlays.set_off(False)
        self.controls.untie()
        self._keys.let_go()

    def toggle_blink(self) -> None:
        """Blink, or stop."""
        self._toggle(self.blink.on, self.blink.stop, self._start_blink)

    def toggle_swipe(self) -> None:
        """Swipe, or stop."""
        self._toggle(self.swipe.on, self.swipe.stop, self._start_swipe)

    def toggle_fade(self) -> None:
        """Fade, or stop."""
        self._toggle(self.fade.on, self.fade.stop, self._start_fade)

    def toggle_beside(self) -> None:
        """Open or close the second canvas."""
        self._toggle(self.beside.on, self.beside.stop, self._start_beside)

    def toggle_contours(self) -> None:
        """Draw contours, or none."""
        self._toggle(self.contours.layer is not None, self.contours.stop, self._start_contours)

    def toggle_overlays(self) -> None:
        """Hide what is drawn over the pictures, or show it again."""
        self.overlays.toggle()

    def step(self) -> None:
        """Show the next picture, and wait."""
        if self.pair is not None:
            self.blink.step(self.controls.pair.blinking)

    def hold(self) -> None:
        """Show the other picture, until `release`."""
        if self.pair is not None:
            self.blink.hold(self.controls.pair.blinking)

    def release(self) -> None:
        """Show again what was seen before."""
        self.blink.release()

    def turn(self) -> None:
        """Turn the divider."""
        self.swipe.turn()

    def less(self) -> None:
        """The divider or the fade towards the first picture."""
        self._move(-_STEP)

    def more(self) -> None:
        """The divider or the fade towards the second picture."""
        self._move(_STEP)

    def _all_keys(self) -> tuple[Key, ...]:
        return (
            Key("K", "blink, or stop", self.toggle_blink),
            Key("N", "the next picture, and wait", self.step),
            Key("J", "the other picture, while held", self.hold, self.release),
            Key("W", "swipe, or stop", self.toggle_swipe),
            Key("Shift+W", "turn the divider", self.turn),
            Key("G", "fade, or stop", self.toggle_fade),
            Key(",", "divider or fade towards the first", self.less),
            Key(".", "divider or fade towards the second", self.more),
            Key("Shift+J", "side by side, or not", self.toggle_beside),
            Key("Shift+K", "contours, or none", self.toggle_contours),
            Key("H", "hide all overlays, or show them again", self.toggle_overlays),
        )

    def _connect(self) -> None:
        controls = self.controls
        for button, method in {
            controls.blink: self.toggle_blink,
            controls.swipe: self.toggle_swipe,
            controls.fade: self.toggle_fade,
            controls.beside: self.toggle_beside,
            controls.contours: self.toggle_contours,
            controls.overlays: self.toggle_overlays,
            controls.next: self.step,
            controls.turn: self.turn,
        }.items():
            button.clicked.connect(_pressing(method))
        controls.rate.valueChanged.connect(self.blink.set_rate)
        controls.amount.valueChanged.connect(self._fade_to)
        controls.pair.changed.connect(self._pair_changed)
        controls.contour_row.choice.changed.connect(self._judge)
        controls.contour_row.refused.connect(controls.say)
        self.contours.refused.connect(controls.say)
        self.overlays.changed.connect(self._overlays_changed)
        self.beside.changed.connect(self._bind_keys)
        for tool in (self.blink, self.swipe, self.fade, self.beside, self.contours):
            tool.changed.connect(self._judge)

    def _toggle(self, on: bool, stop: Callable[[], None], start: Callable[[], None]) -> None:
        self.controls.say("")
        (stop if on else start)()
        self._judge()

    def _start_blink(self) -> None:
        if self.pair is not None:
            self.blink.start(self.controls.pair.blinking)

    def _start_swipe(self) -> None:
        if self.pair is not None and not self.swipe.lack:
            self.swipe.start(self.pair)

    def _start_fade(self) -> None:
        if self.pair is not None:
            self.fade.start(self.pair)

    def _start_beside(self) -> None:
        """What the canvas itself does not show is shown beside it."""
        if self.pair is not None and not self.beside.lack:
            self.beside.start(self.pair[self.stage.hidden(self.pair)])

    def _start_contours(self) -> None:
        if not self.contours.lack:
            self.controls.contour_row.start()

    def _fade_to(self, percent: int) -> None:
        self.fade.set_share(percent / 100)

    def _move(self, step: float) -> None:
        if self.swipe.on:
            self.swipe.set_place(self.swipe.place + step)
        else:
            amount = self.controls.amount
            amount.setValue(amount.value() + round(100 * step))

    def _pair_changed(self) -> None:
        """What is compared is compared no more, when others are meant."""
        meant = self.controls.pair.blinking
        if meant != self._compared:
            self._compared = meant
            self.stage.leave()
            self.beside.stop()
        self.controls.contour_row.set_pair(self.pair)
        self._judge()

    def _overlays_changed(self, off: bool) -> None:
        self.contours.set_seen(not off)
        self._judge()

    def _bind_keys(self) -> None:
        """Let both canvases listen to the keys."""
        self._keys.let_go()
        pane = self.beside.pane
        for viewer in (self._viewer, pane.model) if pane is not None else (self._viewer,):
            self._keys.bind(viewer)

    def _judge(self) -> None:
        """Show what is on; enable what can be done, and say why the rest cannot."""
        controls = self.controls
        lack = "" if self.pair is not None else _NO_PAIR
        of = controls.contour_row.lack
        show_state(controls.blink, self.blink.on, lack)
        show_state(controls.next, False, lack)
        show_state(controls.swipe, self.swipe.on, lack or self.swipe.lack)
        show_state(controls.turn, False, lack or self.swipe.lack)
        show_state(controls.fade, self.fade.on, lack)
        show_state(controls.beside, self.beside.on, lack or self.beside.lack)
        show_state(controls.contours, self.contours.layer is not None, of or self.contours.lack)
        show_state(controls.overlays, self.overlays.off, "")

    def _in_sight(self) -> bool:
        """Whether the canvas can be seen."""
        canvas = napari_canvas(self._viewer)
        if canvas is None:
            return True
        native: QWidget = canvas.native
        return native.isVisible() and not native.window().isMinimized()


def _pressing(method: Callable[[], None]) -> Callable[[bool], None]:
    """What a button calls; whether it is checked is shown elsewhere."""

    def press(_checked: bool = False) -> None:
        method()

    return press
