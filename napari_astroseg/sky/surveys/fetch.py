"""Fetch: a survey's picture of a field, from the cache or from the CDS; and how it is stopped.

Each question runs in a thread of its own, which whoever waits can leave behind at any moment, even
while the service says nothing. What still comes then goes to the cache. Who asks for a field that
is under way waits for the same answer.
"""

from __future__ import annotations

import contextlib
import threading
import time

from napari_astroseg.errors import ImageError, SurveyError
from napari_astroseg.sky.cache import remove
from napari_astroseg.sky.image import SkyImage
from napari_astroseg.sky.progress import Progress, silent
from napari_astroseg.sky.surveys.answer import judged
from napari_astroseg.sky.surveys.field import Field
from napari_astroseg.sky.surveys.kept import KeptField, find, keep, kept_fields
from napari_astroseg.sky.surveys.service import NAME, Passing, Unreachable, addresses, ask
from napari_astroseg.sky.surveys.survey import Survey

PAUSES_S = (1.0, 3.0, 9.0)
"""Between one try and the next."""
PATIENCE_S = 180.0
"""For all tries together."""
_LOOK_S = 0.05
"""How often whoever waits is told how far it is, and may stop."""

_lock = threading.Lock()
_under_way: dict[tuple[str, str], _Question] = {}


def fetch(survey: Survey, field: Field, progress: Progress = silent) -> SkyImage:
    """A survey's picture of a field; the call returns when it is there.

    Parameters
    ----------
    survey
        Which.
    field
        Where, how large and how fine; `Field.of` finds it for a view.
    progress
        Hears what is being done, in words, several times a second. When it raises, so does this,
        at once.

    Returns
    -------
    A lazy image in the cache, north of the field's frame up, NaN where the survey saw nothing.
    Its notes say whom to thank and where it came from. Only what is not in the cache is asked
    of the network.

    Raises
    ------
    SurveyError
        When nobody can be asked, the service refuses or takes too long, what it sends is no
        picture of the field, or the survey saw nothing there; `why` tells these apart.
    OutputError
        When the cache has no room.
    Stopped
        When `progress` does.
    """
    for again in (True, False):
        kept = _kept_or_asked(survey, field, progress)
        try:
            return kept.open()
        except ImageError:
            if not again:
                raise
            remove(kept.path)  # damaged since, or gone: it is asked for once more
    raise AssertionError("unreachable")


def _kept_or_asked(survey: Survey, field: Field, progress: Progress) -> KeptField:
    """The field in the cache, fetched if need be."""
    progress(f"looking for {survey.name} among the kept fields", 0, None)
    key = survey.hips, field.identity
    with _lock:
        kept = find(survey, field)
        if kept is not None:
            return kept
        question = _under_way.get(key)
        if question is None or not question.join():
            question = _under_way[key] = _Question(survey, field)
            threading.Thread(target=question.run, name="astroseg-survey", daemon=True).start()
    return question.wait(progress)


class _Question:
    """One field that is being asked for, by one thread, for as many as wait for it."""

    def __init__(self, survey: Survey, field: Field) -> None:
        self._survey, self._field = survey, field
        self._until = time.monotonic() + PATIENCE_S
        self._stage: tuple[str, int, int | None] = (f"asking {NAME} for {survey.name}", 0, None)
        self._waiting = 1
        self._given_up = False
        self._done = threading.Event()
        self._kept: KeptField | None = None
        self._error: Exception | None = None

    def join(self) -> bool:
        """Wait for it too, with the lock held; whether that is still possible."""
        if self._given_up or time.monotonic() > self._until:
            return False
        self._until = time.monotonic() + PATIENCE_S
        self._waiting += 1
        return True

    def wait(self, progress: Progress) -> KeptField:
        """Its answer, for one of those who wait."""
        try:
            while not self._done.wait(_LOOK_S):
                progress(*self._stage)
                if time.monotonic() > self._until:
                    raise self._too_slow()
        finally:
            with _lock:
                self._waiting -= 1
        if self._kept is None:
            assert self._error is not None  # one of the two is there when it is done
            raise self._error
        return self._kept

    def run(self) -> None:
        """Ask until there is an answer; for the thread."""
        try:
            self._kept = self._answered()
        except Exception as error:  # it is raised where somebody waits
            self._error = error
        finally:
            with _lock:
                key = self._survey.hips, self._field.identity
                if _under_way.get(key) is self:
                    del _under_way[key]
            self._done.set()

    def _answered(self) -> KeptField:
        servers = addresses()
        for attempt, pause in enumerate((*PAUSES_S, None)):
            try:
                return self._asked(servers[attempt % len(servers)])
            except Unreachable as failure:
                if attempt + 1 >= len(servers):
                    raise self._offline(str(failure)) from failure
            except Passing as failure:
                if pause is None or not self._rests(pause, str(failure)):
                    raise self._failed(failure) from failure
        raise AssertionError("unreachable")

    def _asked(self, server: str) -> KeptField:
        self._tell(f"waiting for {NAME} to put {self._survey.name} together", 0, None)
        answer = ask(self._survey, self._field, server, self._until, self._tell)
        self._tell(f"checking {self._survey.name}", 0, None)
        return keep(self._survey, self._field, judged(answer, self._survey, self._field))

    def _rests(self, pause_s: float, why: str) -> bool:
        """Wait before the next try; False where there is nobody, or no time, for one."""
        end = time.monotonic() + pause_s
        if end > self._until:
            return False
        while (left := end - time.monotonic()) > 0:
            with _lock:
                self._given_up = not self._waiting
            if self._given_up:
                return False
            self._tell(f"{NAME}: {why}; trying again in {left:.0f} s", 0, None)
            time.sleep(min(_LOOK_S, left))
        return True

    def _tell(self, what: str, done: int, total: int | None) -> None:
        self._stage = what, done, total

    def _failed(self, failure: Passing) -> SurveyError:
        if time.monotonic() > self._until:
            return self._too_slow()
        return SurveyError(
            f"{self._survey.name}: {NAME} does not deliver ({failure}); try again later"
            f"{self._instead()}",
            failure.why,
        )

    def _too_slow(self) -> SurveyError:
        return SurveyError(
            f"{self._survey.name}: {NAME} took longer than {PATIENCE_S:.0f} s; try again later, "
            f"or a smaller field{self._instead()}",
            "slow",
        )

    def _offline(self, reason: str) -> SurveyError:
        return SurveyError(
            f"no network to {NAME}: {reason}; try again when there is one, or open a local file"
            f"{self._instead()}",
            "offline",
        )

    def _instead(self) -> str:
        """What there is without a network."""
        count = 0
        with contextlib.suppress(OSError):
            count = len(kept_fields(near=self._field))
        return f"; kept fields can be used: {count} near here" if count else ""
