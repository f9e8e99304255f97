"""Vetstore: the store and the list in it that words of `astroseg vet` name."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from napari_astroseg.errors import VettingError

if TYPE_CHECKING:
    from napari_astroseg.review.store import Listed, Store


def opened(place: str, *, new: bool = False) -> Store:
    """A store that is there, unless it may be `new`.

    Raises
    ------
    VettingError
        When it is not there, or is none.
    """
    from napari_astroseg.review.place import is_file, place_of
    from napari_astroseg.review.store import Store

    url = place_of(place)
    if not new and is_file(url) and not Path(str(url.database)).exists():
        raise VettingError(
            f"{place} is not there; give the file that the window keeps verdicts in, or begin one "
            f"with astroseg vet import {place} CATALOGUE"
        )
    return Store(place)


def number_meant(store: Store, options: argparse.Namespace) -> int:
    """The number of the list that --list names, or of the only one; verdicts that wait are told.

    Raises
    ------
    VettingError
        When there are several, or none.
    """
    there = store.lists()
    number: int | None = options.list
    if number is None:
        if not there:
            raise VettingError(
                f"{store.name} has no list yet; bring one in with "
                f"astroseg vet import {options.store} CATALOGUE"
            )
        if len(there) > 1:
            raise VettingError(
                f"{store.name} has {len(there)} lists; name one with --list "
                f"(see astroseg vet list {options.store})"
            )
        number = there[0].number
    listed = next((each for each in there if each.number == number), None)
    if listed is not None:
        _warn_waiting(store, listed, options.store)
    return number


def _warn_waiting(store: Store, listed: Listed, place: str) -> None:
    """Say on the terminal that verdicts are left out, as the store has not got them yet."""
    from napari_astroseg.review.spill import waiting_for

    count = waiting_for(store.url, listed.digest)
    if count:
        left = "verdict waits" if count == 1 else "verdicts wait"
        print(
            f"{count:,} {left} on this machine and {'is' if count == 1 else 'are'} left out; "
            f"store them with astroseg vet store {place}",
            file=sys.stderr,
        )
