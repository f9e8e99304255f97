"""Predictions: what has been asked of the engine, and the overlays that came of it.

One prediction runs at a time: a new wish cancels the one before. Layers appear with the first
answer, so that a call that fails leaves nothing behind; tiles done before a cancellation stay.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any, TypeAlias

from qtpy.QtCore import QObject, Signal

from napari_astroseg.engine.card import ModelCard
from napari_astroseg.engine.events import Event, ObjectsDone, Started, TileDone, Warned
from napari_astroseg.engine.service import Call
from napari_astroseg.errors import JobFailed
from napari_astroseg.gui.history.history import Gone, Step, history_of
from napari_astroseg.gui.jobs import Engines, Job
from napari_astroseg.gui.latest import Latest
from napari_astroseg.gui.predicting.cuts import Cut
from napari_astroseg.gui.predicting.drawing import compile_ahead
from napari_astroseg.gui.predicting.extramaps import ExtraMaps
from napari_astroseg.gui.predicting.objectoverlay import ObjectOverlay
from napari_astroseg.gui.predicting.overlays import Overlay
from napari_astroseg.gui.progress import ProgressLine, duration
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.window import Window

Answered: TypeAlias = Overlay | ObjectOverlay

TARGET = "napari_astroseg.engine.predict:predict"


@dataclass(frozen=True, eq=False)
class Wish:
    """A prediction that was asked for; `run` names the run of a whole image that it is."""

    layer: Any
    image: SkyImage
    window: Window
    card: ModelCard
    cut: Cut
    options: dict[str, Any]
    run: str = ""

    @property
    def key(self) -> tuple[Any, ...]:
        """Equal for wishes whose answers take each other's place."""
        return id(self.layer), self.image.name, self.window, self.card.path


class Predictions(QObject):
    """Asks, listens, and keeps the overlays.

    Parameters
    ----------
    viewer
        Where overlays are shown.
    progress
        Where to say how it goes.
    owner
        The dock; nothing outlives it.
    target
        The prediction by name, `module:function`.
    """

    current_changed = Signal(object)  # Overlay or None
    went_on = Signal(object, int, int, str)  # wish, done, total, unit
    ended = Signal(object, str)  # wish; whether it is `done` or `paused`
    misfit = Signal()  # the image does not suit the model

    def __init__(self, viewer: Any, progress: ProgressLine, owner: QObject, target: str) -> None:
        super().__init__(owner)
        self._viewer, self._progress, self._target = viewer, progress, target
        self._engines = Engines(owner, ahead=target.partition(":")[0])
        self._job: Job | None = None
        self._warnings: list[str] = []
        self._overlays: dict[tuple[Any, ...], Answered] = {}
        self._wishes: dict[tuple[Any, ...], Wish] = {}
        self._spare: Answered | None = None  # of a wish that was cut short by the next
        self.current: Answered | None = None
        self.last: Wish | None = None
        self.keep_earlier = True
        self._engines.warm()
        self._ahead = Latest(self)
        self._ahead.ask(compile_ahead)

    @property
    def busy(self) -> bool:
        """Whether a prediction runs."""
        return self._job is not None

    @property
    def answers(self) -> list[tuple[Wish, Answered]]:
        """What was asked for, and the overlays that show it, the oldest first."""
        return [(self._wishes[key], overlay) for key, overlay in self._overlays.items()]

    @property
    def pids(self) -> list[int]:
        """Process numbers of the engine."""
        return self._engines.pids

    def start(self, wish: Wish) -> None:
        """Begin `wish`, and cancel what runs."""
        if self._job is not None:
            self._job.cancel()
        self.last = wish
        self._warnings.clear()
        name, window = wish.card.name, wish.window
        self._progress.begin(f"Asking {name} about {window.width} × {window.height} px …")
        arguments = (str(wish.card.path), wish.image, window)
        job = self._job = self._engines.start(Call(self._target, arguments, wish.options))
        answer = _Answer(wish)
        job.event.connect(partial(self._hear, job, answer))
        job.finished.connect(partial(self._finish, job, answer))
        job.failed.connect(partial(self._fail, job))
        job.finished.connect(lambda _result: self.ended.emit(wish, "done"))
        job.failed.connect(lambda _error: self.ended.emit(wish, "paused"))
        job.stopped.connect(lambda: self.ended.emit(wish, "paused"))
        job.stopped.connect(partial(self._stop, job, answer))

    def cancel(self) -> None:
        """Stop what runs; tiles that are done stay."""
        if self._job is not None:
            self._progress.say("Stopping after this tile …")
            self._job.cancel()

    def close(self) -> None:
        """End the engine."""
        self._job = None
        self._engines.close()
        self._ahead.wait()

    def follow_layer(self, layer: Any) -> None:
        """Make the overlay that `layer` belongs to the current one."""
        for overlay in self._overlays.values():
            if layer in overlay.layers and overlay is not self.current:
                self._make_current(overlay)

    def forget_removed(self) -> None:
        """Drop overlays of which the user has deleted a layer."""
        gone = [key for key, overlay in self._overlays.items() if not overlay.shown()]
        for key in gone:
            wish, overlay = self._wishes[key], self._overlays[key]
            self._drop(key)
            self._step(f"Removed the {_named(wish)}", wish, overlay, came=False)

    def _hear(self, job: Job, answer: _Answer, event: Event) -> None:
        if job is not self._job:
            return
        if isinstance(event, Started):
            answer.unit = event.unit
            self._progress.advance(0, event.total, event.unit)
            self._progress.say(f"{event.what}, on {event.device}")
        elif isinstance(event, Warned):
            self._warnings.append(event.message)
            self._progress.say(event.message, trouble=True)
        elif isinstance(event, (TileDone, ObjectsDone)):
            if answer.overlay is None:
                answer.overlay = self._new_overlay(answer.wish, event)
                answer.shows = type(event)
            if not isinstance(event, answer.shows):  # objects come with a map of their scores
                return
            answer.done = f"{event.done} of {event.total} {answer.unit}"
            if answer.overlay.shown():
                answer.overlay.put(event)
            self._progress.advance(event.done, event.total, answer.unit)
            self.went_on.emit(answer.wish, event.done, event.total, answer.unit)

    def _finish(self, job: Job, answer: _Answer, result: dict[str, Any]) -> None:
        if job is not self._job:
            return
        self._end()
        if answer.overlay is not None and answer.overlay.shown():
            answer.overlay.complete(result)
            named = _named(answer.wish)
            self._step(named[:1].upper() + named[1:], answer.wish, answer.overlay, came=True)
        words = f"Done in {duration(job.seconds)}. " + " ".join(self._warnings)
        self._progress.end(words, trouble=bool(self._warnings))

    def _fail(self, job: Job, error: JobFailed) -> None:
        if job is not self._job:
            return
        self._end()
        self._progress.end(_sentence(error), trouble=True)
        if error.kind == "MisfitError":
            self.misfit.emit()

    def _stop(self, job: Job, answer: _Answer) -> None:
        if job is self._job:
            self._end()
            kept = f"; {answer.done} are shown" if answer.done else ""
            self._progress.end(f"Stopped{kept}.")
        elif self._overlays.get(answer.wish.key) is answer.overlay is not None:
            self._discard_spare()
            self._spare = self._overlays.pop(answer.wish.key)

    def _end(self) -> None:
        self._job = None
        self._discard_spare()

    def _new_overlay(self, wish: Wish, event: TileDone | ObjectsDone) -> Answered:
        """An overlay for `wish`: in the layers of one whose place it takes, or in new ones."""
        keys = [key for key in self._overlays if key == wish.key or not self.keep_earlier]
        displaced = [self._overlays.pop(key) for key in keys]
        if self._spare is not None:
            displaced.insert(0, self._spare)
            self._spare = None
        made: type[Answered] = ObjectOverlay
        more = wish.card.recipe.data.kinds
        if isinstance(event, TileDone):
            made = Overlay
            more = ExtraMaps.named(wish.card.recipe.data.classes, event.deviation is not None)
        what = (wish.layer, wish.image, wish.window, wish.card.name, wish.cut, more)
        reused = next((old for old in displaced if old.take(*what)), None)
        for old in displaced:
            if old is not reused:
                old.remove()
        overlay = self._overlays[wish.key] = reused or made(self._viewer, *what)
        self._wishes[wish.key] = wish
        overlay.maps.tell(event.spread)
        if isinstance(overlay, ObjectOverlay) and isinstance(event, ObjectsDone):
            overlay.expect(event.objects)
        self._make_current(overlay)
        return overlay

    def _discard_spare(self) -> None:
        """Remove what nothing came to replace."""
        if self._spare is not None:
            spare, self._spare = self._spare, None
            if spare is self.current:
                self._make_current(None)
            spare.remove()

    def _drop(self, key: tuple[Any, ...]) -> None:
        overlay = self._overlays.pop(key)
        if overlay is self.current:
            self._make_current(None)
        overlay.remove()

    def _step(self, name: str, wish: Wish, overlay: Answered, *, came: bool) -> None:
        """An answer that came, or was taken away, is a step of the window's history."""
        turns = partial(self._put_aside, wish, overlay), partial(self._bring_back, wish, overlay)
        history_of(self._viewer).done(Step(name, *(turns if came else reversed(turns))))

    def _put_aside(self, wish: Wish, overlay: Answered) -> None:
        if self._overlays.get(wish.key) is not overlay:
            raise Gone("another answer has taken its place, or it was removed")
        self._drop(wish.key)

    def _bring_back(self, wish: Wish, overlay: Answered) -> None:
        if wish.layer not in self._viewer.layers:
            raise Gone("its image is not in the list of layers")
        if wish.key in self._overlays:
            raise Gone("another answer has taken its place")
        overlay.restore(self._viewer.layers.index(wish.layer) + 1)
        self._overlays[wish.key] = overlay
        self._make_current(overlay)

    def _make_current(self, overlay: Answered | None) -> None:
        self.current = overlay
        self.current_changed.emit(overlay)


@dataclass(eq=False)
class _Answer:
    """What has come of a wish so far."""

    wish: Wish
    overlay: Answered | None = None
    shows: type[Event] = Event
    unit: str = "tiles"
    done: str = ""


def _named(wish: Wish) -> str:
    return f"prediction by {wish.card.name}, {wish.window.width} × {wish.window.height} px"


def _sentence(error: JobFailed) -> str:
    """The error's own sentence, begun with a capital."""
    words = str(error)
    return words[:1].upper() + words[1:]
