"""Progress: how long work on files says how far it is, and how it is told to stop."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, int, int | None], None]
"""Called now and then with what is being done, how much of it, and of how much (None: unknown).

Whoever passes it may raise `Stopped` from it: the work then leaves nothing half-made behind.
"""


class Stopped(Exception):
    """Raised by a progress callback to end the work; no error, so not in the error tree."""


def silent(what: str, done: int, total: int | None) -> None:
    """Say nothing, never stop."""
